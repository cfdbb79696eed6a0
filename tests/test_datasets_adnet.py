from pathlib import Path

import numpy as np
import pytest
from test_datasets import counts, write_picture

from tracker.crop import landmark_square
from tracker.layouts import COFW_29, IBUG_68, WFLW_98
from train.datasets import DataError, open_data_set

SHARE = r"\\msr-facestore\Workspace\users\somebody\training_data\wflw/rawImages/"


def row(picture: str, points: np.ndarray, tags: str | None = None) -> str:
    center_x, center_y, side = landmark_square(points, 1.0)
    texts = [",".join(f"{value:.3f}" for value in array.ravel()) for array in (points[:5], points)]
    columns = [picture, *texts, f"{side / 200}", f"{center_x}", f"{center_y}"]
    return "\t".join(columns + ([] if tags is None else [tags]))


def faces(rng: np.random.Generator, count: int, landmarks: int) -> np.ndarray:
    return rng.uniform(30, 90, (count, landmarks, 2)).round(3)


def write_list(path: Path, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def write_wflw_lists(folder: Path, rng: np.random.Generator) -> np.ndarray:
    """Three training and three test faces; their points."""
    points = faces(rng, 6, 98)
    for number in range(6):
        write_picture(folder / f"rawImages/0--Parade/{number}.jpg", rng)
    names = [f".\\rawImages\\0--Parade\\{number}.jpg" for number in range(3)]
    names += [f"{SHARE}0--Parade\\{number}.jpg" for number in range(3, 6)]
    flags = [None, None, None, "1,0,0,0,0,0", "0,1,0,0,0,1", "1.0,0.0,0.0,0.0,0.0,0.0"]
    rows = [row(*face) for face in zip(names, points, flags, strict=True)]
    write_list(folder / "train.tsv", rows[:3])
    write_list(folder / "test.tsv", rows[3:])
    return points


def test_every_row_is_a_face_with_the_square_it_names(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    points = write_wflw_lists(tmp_path, rng)
    data = open_data_set(tmp_path)
    assert (data.name, data.layout, data.lost_rows) == ("WFLW", WFLW_98, False)
    for face, expected in zip(data.split("train") + data.split("test"), points, strict=True):
        assert face.first_pixel == 0
        np.testing.assert_allclose(face.points, expected, atol=1e-5)
        np.testing.assert_allclose(face.square(1.25), landmark_square(expected, 1.25), rtol=1e-9)
        assert face.read_image().shape == (120, 120, 3)


def test_flags_make_the_subsets_of_wflw(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw_lists(tmp_path, rng)
    assert counts(tmp_path) == {"train": 3, "test": 3, "pose": 2, "expression": 1, "blur": 1}


def test_a_subset_with_a_list_of_its_own_is_as_that_list_says(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_wflw_lists(tmp_path, rng)
    rows = (tmp_path / "test.tsv").read_text().splitlines()
    write_list(tmp_path / "test_largepose_metadata.tsv", rows)
    assert counts(tmp_path)["pose"] == 3


def test_the_first_row_is_lost_only_when_asked_for(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    points = write_wflw_lists(tmp_path, rng)
    data = open_data_set(tmp_path, lose_first_row=True)
    assert data.lost_rows
    assert {split: len(data.split(split)) for split in ("train", "test", "pose")} == {
        **{"train": 2, "test": 2, "pose": 1}
    }
    np.testing.assert_allclose(data.split("test")[0].points, points[4], atol=1e-5)


def test_one_list_is_opened_by_its_name(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw_lists(tmp_path, rng)
    assert list(open_data_set(tmp_path / "train.tsv").splits) == ["train"]
    (tmp_path / "test.tsv").rename(tmp_path / "test_metadata.tsv")
    assert counts(tmp_path)["test"] == 3
    (tmp_path / "test_metadata.tsv").rename(tmp_path / "some.tsv")
    assert counts(tmp_path / "some.tsv")["test"] == 3


def test_common_and_challenge_of_300w_are_told_by_folder(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    names = ["helen/testset/1_1.jpg", "lfpw/testset/image_0001.png", "ibug/image_003_1.jpg"]
    for name in names:
        write_picture(tmp_path / "images" / name, rng)
    points = faces(rng, 3, 68)
    write_list(tmp_path / "300W/test.tsv", [row(*face) for face in zip(names, points, strict=True)])
    data = open_data_set(tmp_path / "300W", pictures=tmp_path / "images")
    assert (data.name, data.layout) == ("300W", IBUG_68)
    parts = {split: [face.image_path.parent.name for face in data.split(split)]
             for split in ("test", "common", "challenge")}  # fmt: skip
    common = ["testset", "testset"]
    assert parts == {"test": [*common, "ibug"], "common": common, "challenge": ["ibug"]}


def test_cofw_tags_say_which_landmarks_are_hidden(tmp_path: Path, rng: np.random.Generator) -> None:
    hidden = rng.random(29) < 0.5
    write_picture(tmp_path / "test/1.jpg", rng)
    tags = ",".join(f"{flag:.1f}" for flag in hidden.astype(float))
    write_list(tmp_path / "test.tsv", [row("test/1.jpg", faces(rng, 1, 29)[0], tags)])
    data = open_data_set(tmp_path)
    assert (data.name, data.layout) == ("COFW", COFW_29)
    np.testing.assert_array_equal(data.split("test")[0].hidden, hidden)
    assert data.split("test")[0].first_pixel == 0.5


@pytest.mark.parametrize(
    "place",
    ["lists", "lists/rawImages", ".", "rawImages", "lists/images", "images", "images/WFLW",
     "lists/rawImages/images", "lists/WFLW_images"],
)  # fmt: skip
def test_pictures_are_found_near_the_lists(
    tmp_path: Path, rng: np.random.Generator, place: str
) -> None:
    write_picture(tmp_path / place / "a/1.jpg", rng)
    write_list(tmp_path / "lists/train.tsv", [row("./rawImages/a/1.jpg", faces(rng, 1, 98)[0])])
    (face,) = open_data_set(tmp_path / "lists").split("train")
    assert face.image_path.samefile(tmp_path / place / "a/1.jpg")


def test_named_pictures_come_before_those_nearby(tmp_path: Path, rng: np.random.Generator) -> None:
    for place in ("near", "far"):
        write_picture(tmp_path / place / "a/1.jpg", rng)
    write_list(tmp_path / "near/train.tsv", [row("a/1.jpg", faces(rng, 1, 98)[0])])
    (face,) = open_data_set(tmp_path / "near", pictures=tmp_path / "far").split("train")
    assert face.image_path == tmp_path / "far/a/1.jpg"


def test_pictures_that_are_nowhere_are_an_error_that_names_one(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_list(tmp_path / "train.tsv", [row("a/1.jpg", faces(rng, 1, 98)[0])])
    with pytest.raises(DataError, match=r"its pictures, a/1\.jpg for one, .*--pictures"):
        open_data_set(tmp_path)


def test_some_missing_pictures_are_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw_lists(tmp_path, rng)
    (tmp_path / "rawImages/0--Parade/3.jpg").unlink()
    data = open_data_set(tmp_path)
    assert data.missing == [str(tmp_path / "rawImages/0--Parade/3.jpg")]
    assert len(data.split("test")) == 2


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        pytest.param(0, "a/1", "column 1.*name of a picture", id="picture"),
        pytest.param(2, "1,2,3", "column 3.*pairs", id="odd"),
        pytest.param(2, "1,2,3,4", "column 3: expected 98, 68, 29 points, found 2", id="few"),
        pytest.param(2, "1,nan," * 97 + "1,2", "column 3: .*found 'nan'", id="nan"),
        pytest.param(2, "1,2", "column 3", id="cut"),
        pytest.param(3, "x", "columns 4 to 6: .*'x'", id="scale"),
        pytest.param(3, "0", "column 4: .*above 0", id="no-scale"),
        pytest.param(6, "1,0", "column 7: .*found 2", id="tags"),
        pytest.param(6, "1,0,0,0,0,7", "column 7: .*0 or 1", id="flags"),
        pytest.param(6, "1\t2", "6 or 7 columns with tabs between, found 8", id="columns"),
    ],
)
def test_a_damaged_row_is_named(
    tmp_path: Path, rng: np.random.Generator, column: int, value: str, says: str
) -> None:
    write_wflw_lists(tmp_path, rng)
    lines = (tmp_path / "test.tsv").read_text().splitlines()
    columns = lines[1].split("\t")
    columns[column] = value
    write_list(tmp_path / "test.tsv", [lines[0], "\t".join(columns), lines[2]])
    with pytest.raises(DataError, match=rf"test\.tsv, line 2.*{says}"):
        open_data_set(tmp_path)


def test_a_list_with_a_header_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw_lists(tmp_path, rng)
    rows = (tmp_path / "train.tsv").read_text().splitlines()
    header = "image_path\tlandmarks_5pts\tlandmarks_gt\tscale\tcenter_w\tcenter_h"
    write_list(tmp_path / "train.tsv", [header, *rows])
    with pytest.raises(DataError, match=r"train\.tsv, line 1, column 3"):
        open_data_set(tmp_path)


def test_a_list_that_was_cut_off_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw_lists(tmp_path, rng)
    whole = (tmp_path / "train.tsv").read_text()
    (tmp_path / "train.tsv").write_text(whole[:-500])
    with pytest.raises(DataError, match=r"train\.tsv, line 3"):
        open_data_set(tmp_path)
    (tmp_path / "train.tsv").write_bytes(b"\x80")
    with pytest.raises(DataError, match=r"train\.tsv, line 1: not UTF-8"):
        open_data_set(tmp_path)


def test_lists_of_different_landmarks_are_not_mixed(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_wflw_lists(tmp_path, rng)
    rows = [row("a/1.jpg", faces(rng, 1, 68)[0])]
    write_list(tmp_path / "test.tsv", rows)
    with pytest.raises(DataError, match=r"lists of different landmarks \(\[68, 98\]\)"):
        open_data_set(tmp_path)
    train = (tmp_path / "train.tsv").read_text().splitlines()
    write_list(tmp_path / "train.tsv", train + rows)
    with pytest.raises(DataError, match=r"train\.tsv, line 4: 68 points, line 1 has 98"):
        open_data_set(tmp_path)
