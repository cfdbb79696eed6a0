"""Sample, splits, 300W; `write_300w` serves other tests too."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import SHARED, needs_shared

from tracker.layouts import IBUG_68
from train.datasets import (
    DataError,
    Sample,
    hold_out,
    open_data_set,
    read_300w,
    read_pseudo_labels,
)
from train.datasets.ibug import read_pts

TRAIN_300W = ("afw", "helen/trainset", "lfpw/trainset")
TEST_300W = ("helen/testset", "lfpw/testset", "ibug")


def write_pts(path: Path, points: np.ndarray) -> None:
    """As iBUG does: 1-based."""
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n")


def write_picture(path: Path, rng: np.random.Generator) -> Path:
    """A made-up picture of 120 x 120 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = cv2.resize(rng.integers(0, 256, (10, 10, 3), dtype=np.uint8), (120, 120))
    assert cv2.imwrite(str(path), picture)
    return path


def write_300w(
    folder: Path, rng: np.random.Generator, faces: int = 12, places: tuple[str, ...] = TRAIN_300W
) -> Path:
    """Made-up faces in the public folder layout."""
    for number in range(faces):
        picture = folder / places[number % len(places)] / f"image_{number:04d}.jpg"
        write_picture(picture, rng)
        write_pts(picture.with_suffix(".pts"), rng.uniform(30, 90, (68, 2)))
    return folder


def counts(folder: Path) -> dict[str, int]:
    return {split: len(faces) for split, faces in open_data_set(folder).splits.items()}


def test_points_become_zero_based(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.uniform(0, 100, (68, 2)).round(3)
    write_pts(tmp_path / "x.pts", points)
    np.testing.assert_allclose(read_pts(tmp_path / "x.pts", IBUG_68), points, atol=1e-4)


def test_all_three_folders_are_read(tmp_path: Path, rng: np.random.Generator) -> None:
    samples = read_300w(write_300w(tmp_path, rng))
    assert len(samples) == 12
    assert samples[0].read_image().shape == (120, 120, 3)


def test_the_training_part_alone_is_read_like_the_whole(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_300w(tmp_path, rng)
    names = [sample.name for sample in read_300w(tmp_path)]
    assert [sample.name for sample in open_data_set(tmp_path).split("train")] == names


def test_test_is_common_and_challenge_and_private_stands_apart(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_300w(tmp_path, rng, 6)
    write_300w(tmp_path, rng, 9, TEST_300W)
    write_300w(tmp_path, rng, 4, ("300W/01_Indoor", "300W/02_Outdoor"))
    expected = {"train": 6, "test": 9, "common": 6, "challenge": 3, "private": 4}
    assert counts(tmp_path) == expected
    assert list(counts(tmp_path)) == list(expected)
    assert open_data_set(tmp_path).name == "300W"


@pytest.mark.parametrize(
    ("place", "splits"),
    [
        ("lfpw/testset", {"test": 2, "common": 2}),
        ("ibug", {"test": 2, "challenge": 2}),
        ("02_Outdoor", {"private": 2}),
        ("helen/trainset", {"train": 2}),
    ],
)
def test_one_folder_of_300w_is_read_by_itself(
    tmp_path: Path, rng: np.random.Generator, place: str, splits: dict[str, int]
) -> None:
    assert counts(write_300w(tmp_path, rng, 2, (place,))) == splits


def test_a_mirrored_copy_is_no_face(tmp_path: Path, rng: np.random.Generator) -> None:
    write_300w(tmp_path, rng, 3)
    for suffix in (".jpg", ".pts"):
        original = tmp_path / f"afw/image_0000{suffix}"
        (tmp_path / f"afw/image_0000_mirror{suffix}").write_bytes(original.read_bytes())
    assert counts(tmp_path) == {"train": 3}


@pytest.mark.parametrize("content", ["", "{ 1 2", "{ 1 2 3 }", "{ 1 2\n3 4 }", "{\n1 2\n3 4\n}"])
def test_a_damaged_annotation_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.pts").write_text(content)
    with pytest.raises(DataError, match=r"bad\.pts"):
        read_pts(tmp_path / "bad.pts", IBUG_68)


@pytest.mark.parametrize("line", ["a b", "1", "1 2 3", "nan 1", "1 inf", "1 1e300"])
def test_a_damaged_point_is_named_by_its_line(
    tmp_path: Path, rng: np.random.Generator, line: str
) -> None:
    path = tmp_path / "bad.pts"
    write_pts(path, rng.uniform(0, 9, (68, 2)))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:9], line, *lines[10:]]))
    with pytest.raises(DataError, match=r"bad\.pts, line 10: expected"):
        read_pts(path, IBUG_68)


def test_an_annotation_that_was_cut_off_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_pts(tmp_path / "bad.pts", rng.uniform(0, 9, (68, 2)))
    whole = (tmp_path / "bad.pts").read_bytes()
    for length in range(0, len(whole) - 2, 50):
        (tmp_path / "bad.pts").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"bad\.pts: (empty|not a whole)"):
            read_pts(tmp_path / "bad.pts", IBUG_68)


def test_an_annotation_that_is_no_text_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.pts").write_bytes(b"version: 1\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"bad\.pts, line 2: not UTF-8"):
        read_pts(tmp_path / "bad.pts", IBUG_68)


def test_another_layout_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected afw, helen/trainset, lfpw/trainset"):
        read_300w(tmp_path)


def test_a_missing_picture_is_named_and_its_face_in_no_split(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    (write_300w(tmp_path, rng) / "afw/image_0000.jpg").unlink()
    data = open_data_set(tmp_path)
    assert data.missing == [str(tmp_path / "afw/image_0000.jpg")]
    assert len(data.split("train")) == 11
    with pytest.raises(DataError, match=r"image_0000\.jpg: not there, and 0 more"):
        read_300w(tmp_path)


def test_annotations_without_any_picture_are_refused(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    for picture in write_300w(tmp_path, rng).rglob("*.jpg"):
        picture.unlink()
    with pytest.raises(DataError, match=r"300W: none of 12 annotated pictures is there"):
        open_data_set(tmp_path)


def test_folders_without_annotations_are_refused(tmp_path: Path) -> None:
    (tmp_path / "afw").mkdir()
    with pytest.raises(DataError, match=r"no \.pts annotations in afw, helen/trainset"):
        open_data_set(tmp_path)


def test_an_unknown_folder_says_what_is_there_and_what_was_expected(tmp_path: Path) -> None:
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
    with pytest.raises(DataError) as caught:
        open_data_set(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert "found a, b, c, d, e, f, … (8 in all)" in message
    for known in ("WFLW_annotations", "afw", "COFW_train_color.mat", "train.tsv", "landmarks.csv"):
        assert known in message
    assert len(re.findall(r"\((?:\w+\.)+\w+/", message)) == 5


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DataError, match="no such file or folder"):
        open_data_set(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"x\.txt: not a \.tsv or \.csv file"):
        open_data_set(tmp_path / "x.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="found nothing"):
        open_data_set(tmp_path / "empty")


def test_options_that_do_not_fit_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    write_300w(tmp_path, rng, 3)
    with pytest.raises(DataError, match=r"only lists of ADNet \(\.tsv\) have a first row"):
        open_data_set(tmp_path, lose_first_row=True)
    with pytest.raises(DataError, match="no such folder of pictures"):
        open_data_set(tmp_path, pictures=tmp_path / "nothing")
    with pytest.raises(DataError, match="no --pictures"):
        open_data_set(tmp_path, pictures=tmp_path)


def test_a_split_that_is_not_there_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match="no split 'test' here; there are train"):
        open_data_set(write_300w(tmp_path, rng, 3)).split("test")


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"x\.jpg: not a readable picture"):
        Sample(tmp_path / "x.jpg", np.zeros((68, 2))).read_image()


def test_pseudo_labels_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("no")
    with pytest.raises(DataError, match=r"not made by train\.teacher"):
        read_pseudo_labels(tmp_path / "x.npz")


def test_pseudo_labels_say_how_sure_they_are(tmp_path: Path) -> None:
    points, certainty = np.ones((2, 68, 2), np.float32), np.full((2, 68), 0.25, np.float32)
    np.savez(
        tmp_path / "x.npz",
        pictures=["a.jpg", "b.jpg"],
        points=points,
        certainty=certainty,
        first_pixel=[0.25, 1.5],
    )
    faces = read_pseudo_labels(tmp_path / "x.npz")
    assert [face.image_path.name for face in faces] == ["a.jpg", "b.jpg"]
    assert faces[1].certainty is not None
    np.testing.assert_array_equal(faces[1].certainty, certainty[1])
    assert [face.first_pixel for face in faces] == [0.25, 1.5]


def test_faces_of_one_photograph_stay_on_one_side() -> None:
    samples = [
        Sample(Path(f"afw/{photo}_{face}.jpg"), np.zeros((68, 2)), photograph=f"afw/{photo}")
        for photo in range(40)
        for face in range(1, 4)
    ]
    training, held = hold_out(samples, 0.25, seed=3)
    assert len(held) == 30
    photographs = [{s.image_path.stem.split("_")[0] for s in part} for part in (training, held)]
    assert not photographs[0] & photographs[1]
    assert hold_out(samples[::-1], 0.25, seed=3)[1][::-1] == held


def test_matlab_readers_are_loaded_only_when_needed() -> None:
    code = "import sys, train.datasets; print('h5py' in sys.modules, 'scipy.io' in sys.modules)"
    root = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "False"]


@needs_shared
def test_the_real_folder_holds_2012_faces_whose_right_eye_is_at_the_left_of_the_picture() -> None:
    faces = read_300w(SHARED / "data/300w")
    assert len(faces) == 2012
    training, held = hold_out(faces, 0.1, 0)
    assert len(training) + len(held) == 2012
    right, left = IBUG_68.eye_corners
    mirrored = [face for face in faces if face.points[right, 0] >= face.points[left, 0]]
    assert len(mirrored) < 0.01 * len(faces)
