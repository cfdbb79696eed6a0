from pathlib import Path

import numpy as np
import pytest
from test_datasets import counts, write_picture

from tracker.layouts import WFLW_98
from train.datasets import DataError, hold_out, open_data_set

LISTS = "WFLW_annotations/list_98pt_rect_attr_train_test"
PICTURES = ("0--Parade/0_Parade_1.jpg", "7--Cheering/7_Cheering_2.jpg")


def wflw_line(points: np.ndarray, flags: str, picture: str) -> str:
    coordinates = " ".join(f"{value:.6f}" for value in points.ravel())
    return f"{coordinates} 10 20 90 95 {' '.join(flags)} {picture}"


def write_wflw(folder: Path, rng: np.random.Generator) -> np.ndarray:
    """Four faces for training, three for testing, on two pictures; their points."""
    for name in PICTURES:
        write_picture(folder / "WFLW_images" / name, rng)
    points = rng.uniform(30, 90, (7, 98, 2)).round(6)
    flags = ["000000"] * 4 + ["100000", "010101", "001010"]
    lines = [wflw_line(points[i], flags[i], PICTURES[i % 2]) for i in range(7)]
    (folder / LISTS).mkdir(parents=True)
    for split, part in (("train", lines[:4]), ("test", lines[4:])):
        text = "\n".join(part) + "\n"
        (folder / LISTS / f"list_98pt_rect_attr_{split}.txt").write_text(text)
    return points


def test_coordinates_stay_as_they_are(tmp_path: Path, rng: np.random.Generator) -> None:
    points = write_wflw(tmp_path, rng)
    data = open_data_set(tmp_path)
    assert (data.name, data.layout) == ("WFLW", WFLW_98)
    for sample, expected in zip(data.split("train"), points[:4], strict=True):
        np.testing.assert_allclose(sample.points, expected, atol=1e-5)
    assert data.split("train")[0].read_image().shape == (120, 120, 3)


def test_subsets_follow_the_flags_in_the_order_of_the_file(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_wflw(tmp_path, rng)
    data = open_data_set(tmp_path)
    test = data.split("test")
    names = [name for name in data.splits if name not in ("train", "test")]
    subsets = {name: [test.index(face) for face in data.split(name)] for name in names}
    assert subsets == {
        "pose": [0], "expression": [1], "illumination": [2], "makeup": [1], "occlusion": [2],
        "blur": [1],
    }  # fmt: skip


def test_faces_of_one_picture_stay_on_one_side(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw(tmp_path, rng)
    training, held = hold_out(open_data_set(tmp_path).split("train"), 0.5)
    assert len(training) == len(held) == 2
    assert len({face.image_path for face in held}) == 1


def test_one_list_is_read_by_itself(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw(tmp_path, rng)
    (tmp_path / LISTS / "list_98pt_rect_attr_train.txt").unlink()
    assert "train" not in counts(tmp_path)
    (tmp_path / LISTS / "list_98pt_rect_attr_test.txt").unlink()
    with pytest.raises(DataError, match=r"expected list_98pt_rect_attr_train\.txt or"):
        open_data_set(tmp_path)


def test_pictures_may_lie_elsewhere(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw(tmp_path / "a", rng)
    (tmp_path / "a/WFLW_images").rename(tmp_path / "b")
    with pytest.raises(DataError, match=r"none of 2 annotated pictures .*--pictures"):
        open_data_set(tmp_path / "a")
    data = open_data_set(tmp_path / "a", pictures=tmp_path / "b")
    assert data.split("test")[0].image_path == tmp_path / "b" / PICTURES[0]


def test_a_missing_picture_takes_its_faces_out_of_every_split(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_wflw(tmp_path, rng)
    gone = tmp_path / "WFLW_images" / PICTURES[1]
    gone.unlink()
    assert counts(tmp_path) == {
        **{"train": 2, "test": 2, "pose": 1, "illumination": 1, "occlusion": 1}
    }
    assert open_data_set(tmp_path).missing == [str(gone)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("10 20 90 95", "10 20 90", "found 206", id="too-few"),
        pytest.param("10 20 90 95", "10 20 90 95 1", "found 208", id="too-many"),
        pytest.param("10 20", "10 nan", "found 'nan'", id="not-a-number"),
        pytest.param("10 20", "10 x", "found 'x'", id="not-numeric"),
        pytest.param("90 95 0", "90 95 2", "attributes of 0 or 1", id="flag"),
        pytest.param(".jpg", "", "is the file cut off", id="picture-cut-off"),
    ],
)
def test_a_damaged_line_is_named(
    tmp_path: Path, rng: np.random.Generator, old: str, new: str, says: str
) -> None:
    write_wflw(tmp_path, rng)
    path = tmp_path / LISTS / "list_98pt_rect_attr_test.txt"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(old, new)
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=rf"test\.txt, line 2: .*{says}"):
        open_data_set(tmp_path)


def test_a_list_that_was_cut_off_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_wflw(tmp_path, rng)
    path = tmp_path / LISTS / "list_98pt_rect_attr_train.txt"
    path.write_text(path.read_text()[:-1000])
    with pytest.raises(DataError, match=r"train\.txt, line 4: expected 207 fields"):
        open_data_set(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "empty"), (b"1 2\n\xff\xd8\xff", "line 2: not UTF-8 text")]
)
def test_a_list_that_is_no_text_is_named(
    tmp_path: Path, rng: np.random.Generator, content: bytes, says: str
) -> None:
    write_wflw(tmp_path, rng)
    (tmp_path / LISTS / "list_98pt_rect_attr_train.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"attr_train\.txt.*{says}"):
        open_data_set(tmp_path)
