from pathlib import Path

import numpy as np
import pytest
from test_datasets import counts, write_picture

from tracker.io.tables import CsvSink
from tracker.layouts import IBUG_68, Layout, Outline
from tracker.types import Face, Frame, LandmarkEstimate
from train.datasets import DataError, hold_out, open_data_set, read_layout

LAYOUT = """
name = "cat-4"
points = ["nose", "left eye", "right eye", "chin"]
mirror = [["left eye", "right eye"]]
normaliser = ["right eye", "left eye"]

[[outlines]]
name = "middle"
points = ["nose", "chin"]

[[outlines]]
name = "all"
points = ["nose", "left eye", "chin", "right eye"]
closed = true
"""
HEADER = "picture,nose_x,nose_y,right eye_x,right eye_y,left eye_x,left eye_y,chin_x,chin_y"
ROWS = ["a/1.jpg,1,2,3.5,4,5,6,7,8", "a/1.jpg,11,12,13,14,15,16,17,18", "2.png,2,2,3,4,5,6,7,8"]


def write_own(folder: Path, rng: np.random.Generator, layout: str = LAYOUT) -> Path:
    """Three faces of four named landmarks on two pictures."""
    for name in ("a/1.jpg", "2.png"):
        write_picture(folder / name, rng)
    if layout:
        (folder / "layout.toml").write_text(layout, encoding="utf-8")
    return write_rows(folder, [HEADER, *ROWS])


def write_rows(folder: Path, rows: list[str]) -> Path:
    (folder / "landmarks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def indexed(count: int, values: np.ndarray, name: str = "2.png") -> list[str]:
    """A header and a row as our tracker has them, of `count` landmarks."""
    header = ["picture", *(f"{axis}_{i}" for axis in "xy" for i in range(count))]
    return [",".join(header), ",".join([name, *(f"{value:.3f}" for value in values.T.ravel())])]


def test_a_layout_file_says_names_mirror_yardstick_and_outlines(tmp_path: Path) -> None:
    (tmp_path / "layout.toml").write_text(LAYOUT)
    assert read_layout(tmp_path / "layout.toml") == Layout(
        name="cat-4",
        count=4,
        outlines=(Outline("middle", (0, 3)), Outline("all", (0, 1, 3, 2), closed=True)),
        mirror_pairs=((1, 2),),
        eye_corners=(2, 1),
    )


def test_columns_are_found_by_name_whatever_their_order(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = open_data_set(write_own(tmp_path / "cats", rng))
    assert (data.name, data.layout.name, list(data.splits)) == ("cats", "cat-4", ["train"])
    first, second, third = data.split("train")
    np.testing.assert_array_equal(first.points, [[1, 2], [5, 6], [3.5, 4], [7, 8]])
    np.testing.assert_array_equal(second.points[0], [11, 12])
    assert third.image_path == tmp_path / "cats/2.png"


def test_two_faces_of_one_picture_stay_on_one_side(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    faces = open_data_set(write_own(tmp_path, rng)).split("train")
    training, held = hold_out(faces, 0.5)
    assert sorted((len(training), len(held))) == [1, 2]


def test_a_column_may_say_the_split(tmp_path: Path, rng: np.random.Generator) -> None:
    write_own(tmp_path, rng)
    splits = ("train", "test", "test")
    rows = [f"{row},{split}" for row, split in zip(ROWS, splits, strict=True)]
    write_rows(tmp_path, [f"{HEADER},split", *rows])
    assert counts(tmp_path) == {"train": 1, "test": 2}
    write_rows(tmp_path, [f"{HEADER},split", f"{ROWS[0]},Train"])
    with pytest.raises(DataError, match=r"landmarks\.csv, line 2, column split: .*'Train'"):
        open_data_set(tmp_path)


def test_files_of_spreadsheets_are_read(tmp_path: Path, rng: np.random.Generator) -> None:
    write_own(tmp_path, rng)
    text = "\r\n".join([HEADER.replace(",", " , "), f'"{ROWS[0][:7]}"{ROWS[0][7:]}'])
    (tmp_path / "landmarks.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert counts(tmp_path) == {"train": 1}


@pytest.mark.parametrize("count", [68, 98, 29])
def test_without_a_layout_file_the_number_of_columns_says_which_layout(
    tmp_path: Path, rng: np.random.Generator, count: int
) -> None:
    write_own(tmp_path, rng, layout="")
    points = rng.uniform(0, 99, (count, 2)).round(3)
    write_rows(tmp_path, indexed(count, points))
    data = open_data_set(tmp_path)
    assert data.layout.count == count
    np.testing.assert_allclose(data.split("train")[0].points, points, atol=1e-5)


def test_a_layout_file_may_stand_beside_numbered_columns(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_own(tmp_path, rng)
    points = rng.uniform(0, 99, (4, 2)).round(3)
    write_rows(tmp_path, indexed(4, points))
    data = open_data_set(tmp_path)
    assert data.layout.name == "cat-4"
    np.testing.assert_allclose(data.split("train")[0].points, points, atol=1e-5)


def test_what_our_tracker_wrote_is_read_back_without_the_frames_it_saw_no_face_in(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    image = np.zeros((9, 9, 3), np.uint8)
    points = rng.uniform(10, 90, (68, 2))
    estimate = LandmarkEstimate(points, np.broadcast_to(np.eye(2), (68, 2, 2)))
    seen, predicted = Face(1, 0.9, estimate, estimate), Face(2, 0.9, estimate, None)
    sink = CsvSink(tmp_path / "faces.csv", IBUG_68, by_name=True, raw=False)
    for index, faces in enumerate([[seen, predicted], [], [seen]]):
        write_picture(tmp_path / f"shots/{index}.jpg", rng)
        sink.write(Frame(index, index / 30, image, f"{index}.jpg"), faces)
    sink.close()
    data = open_data_set(tmp_path / "faces.csv", pictures=tmp_path / "shots")
    assert [face.image_path.name for face in data.split("train")] == ["0.jpg", "2.jpg"]
    np.testing.assert_allclose(data.split("train")[0].points, points, atol=1e-3)


def test_missing_pictures_are_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_own(tmp_path, rng)
    (tmp_path / "2.png").unlink()
    assert open_data_set(tmp_path).missing == [str(tmp_path / "2.png")]
    (tmp_path / "a/1.jpg").unlink()
    with pytest.raises(DataError, match="none of 2 annotated pictures"):
        open_data_set(tmp_path)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([HEADER, ROWS[0], "2.png,1,2"], "line 3: expected 9 columns, found 3: is the file cut"),
        ([HEADER, ROWS[0].replace("3.5", "x")], "line 2, column right eye_x: .*'x'"),
        ([HEADER, ROWS[0].replace("3.5", "")], "line 2, column right eye_x: .*''"),
        ([HEADER, ROWS[0].replace("3.5", "inf")], "line 2, column right eye_x: .*'inf'"),
        ([HEADER, ROWS[0].replace("a/1.jpg", "")], "line 2, column picture: .*name of a picture"),
        ([HEADER.replace("picture", "frame"), *ROWS], "line 1: no column 'picture', found frame"),
        ([HEADER.replace("chin_y", "chin"), *ROWS], "line 1: no column 'chin_y', found picture"),
        ([HEADER.replace("chin_y", "chin_x"), *ROWS], "line 1: the column 'chin_x' is there twice"),
        ([HEADER, '"2.png,1,2'], "line 2: not CSV"),
        ([HEADER], "holds? no face"),
    ],
)
def test_a_damaged_table_is_named_by_line_and_column(
    tmp_path: Path, rng: np.random.Generator, rows: list[str], says: str
) -> None:
    write_rows(write_own(tmp_path, rng), rows)
    with pytest.raises(DataError, match=says) as caught:
        open_data_set(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_no_text_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_own(tmp_path, rng) / "landmarks.csv"
    path.write_bytes(HEADER.encode() + b"\n\xfc.jpg")
    with pytest.raises(DataError, match=r"landmarks\.csv, line 2: not UTF-8"):
        open_data_set(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"landmarks\.csv: empty"):
        open_data_set(tmp_path)


def test_named_columns_need_a_layout_file(tmp_path: Path, rng: np.random.Generator) -> None:
    write_own(tmp_path, rng, layout="")
    with pytest.raises(DataError, match=r"without a layout\.toml .* of 98, 68, 29 points, found 0"):
        open_data_set(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "= 3\n", "not TOML: .*line 1"),
        ('name = "cat-4"', "", "the key 'name' is missing"),
        ('name = "cat-4"', "name = 4", "name: expected a name in quotes, found 4"),
        ('name = "cat-4"', 'name = "300W-68"', "'300W-68' is a layout of ours"),
        ("mirror = ", "mirrors = ", "the key 'mirror' is missing"),
        ("mirror = ", "colour = 1\nmirror = ", "unknown key 'colour': known are name, points"),
        ('points = ["nose", "left', 'points = ["chin", "left', "points: 'chin' is there twice"),
        ('[["left eye", "right eye"]]', '[["left eye", "ear"]]', "mirror: 'ear' is not among"),
        ('[["left eye", "right eye"]]', '[["chin", "chin"]]', "mirror: expected two different"),
        ('[["left eye", "right eye"]]', '[["nose", "chin"], ["chin", "left eye"]]',
         "mirror: 'chin' is in more than one pair"),
        ('[["left eye", "right eye"]]', '"eyes"', "mirror: expected a list"),
        ('["right eye", "left eye"]', '["right eye"]', "normaliser: expected a list of 2"),
        ('["right eye", "left eye"]', '["nose", "chin", "nose"]', "normaliser: expected two"),
        ("closed = true", "closed = 1", "closed: expected true or false, found 1"),
        ("closed = true", "open = true", "outlines: unknown key 'open'"),
        ('points = ["nose", "chin"]', 'points = ["nose", 3]', "outlines: points: 3 is not among"),
        ('points = ["nose", "chin"]', "", "outlines: the key 'points' is missing"),
    ],
)  # fmt: skip
def test_a_damaged_layout_file_is_named_by_its_key(
    tmp_path: Path, rng: np.random.Generator, old: str, new: str, says: str
) -> None:
    write_own(tmp_path, rng, layout=LAYOUT.replace(old, new, 1) if old else new)
    with pytest.raises(DataError, match=rf"layout\.toml: .*{says}"):
        open_data_set(tmp_path)


def test_a_layout_file_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "layout.toml").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"layout\.toml: not UTF-8"):
        read_layout(tmp_path / "layout.toml")
    with pytest.raises(DataError, match=r"none\.toml: cannot be read"):
        read_layout(tmp_path / "none.toml")
