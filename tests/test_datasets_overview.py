"""`python -m train.datasets` and the sheets of faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from test_datasets import TEST_300W, write_300w
from test_datasets_adnet import write_wflw_lists
from test_datasets_cofw import VARIABLES, write_faces
from test_datasets_own import write_own
from test_datasets_wflw import write_wflw

from tracker.layouts import COFW_29, IBUG_68, LAYOUTS
from train.datasets import DataSet, Sample, open_data_set
from train.datasets.__main__ import main
from train.datasets.contact_sheet import (
    PREDICTED,
    RIGHT_EYE,
    TRUTH,
    contact_sheet,
    face_tile,
)
from train.datasets.overview import PUBLISHED, faces_sheet, spread


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main([str(argument) for argument in arguments])
    return capsys.readouterr().out


def error(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    return message


def cells(output: str) -> dict[str, list[str]]:
    """Rows of the table by their first cell."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines()]
    return {row[0]: row[1:] for row in rows if row}


def picture_sample(path: Path, points: np.ndarray, hidden: np.ndarray | None = None) -> Sample:
    assert cv2.imwrite(str(path), np.full((200, 200, 3), 100, np.uint8))
    return Sample(path, points, hidden=hidden)


def has(tile: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.all(tile == colour, axis=-1)


def test_counts_stand_beside_the_published_ones(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    write_300w(tmp_path, rng, 6)
    write_300w(tmp_path, rng, 3, TEST_300W)
    output = told(capsys, tmp_path)
    assert cells(output)["train"] == ["6", "6", "3148", "-3142"]
    assert cells(output)["private"] == ["0", "0", "600", "not here"]
    assert "9 faces, 0 pictures missing" in output


def test_faces_of_one_picture_are_counted_apart_from_pictures(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wflw(tmp_path, rng)
    assert cells(told(capsys, tmp_path))["train"] == ["4", "2", "7500", "-7496"]


def test_published_counts_are_those_of_the_papers() -> None:
    assert [PUBLISHED["WFLW"][name] for name in ("train", "test")] == [7500, 2500]
    assert PUBLISHED["300W"]["test"] == 554 + 135
    assert PUBLISHED["300W"]["train"] == 337 + 2000 + 811
    assert PUBLISHED["COFW"] == {"train": 1345, "test": 507}


def test_the_first_missing_pictures_are_named(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    for picture in sorted(write_300w(tmp_path, rng, 14).rglob("*.jpg"))[:12]:
        picture.unlink()
    output = told(capsys, tmp_path)
    assert "2 faces, 12 pictures missing" in output
    assert output.count("missing: ") == 10
    assert f"missing: {tmp_path}/afw/image_0000.jpg" in output


def test_the_lost_row_is_told(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wflw_lists(tmp_path, rng)
    output = told(capsys, tmp_path, "--lose-first-row")
    assert "first row of every list dropped" in " ".join(output.split())
    assert cells(output)["test"][0] == "2"


def test_own_data_have_no_published_count(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cells(told(capsys, write_own(tmp_path, rng)))["train"] == ["3", "2", "", ""]


def test_a_sheet_is_written(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in VARIABLES:
        write_faces(tmp_path / f"COFW_{split}_color.mat", rng)
    assert "wrote" in told(capsys, tmp_path, "--sheet", tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (216, 1200, 3)


def test_bad_input_is_one_line(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no such file or folder" in error(capsys, tmp_path / "nothing")
    write_300w(tmp_path, rng, 3)
    assert "a .png or .jpg file" in error(capsys, tmp_path, "--sheet", tmp_path / "sheet.txt")
    assert "cannot be written" in error(capsys, tmp_path, "--sheet", tmp_path / "no/sheet.png")
    assert "first row" in error(capsys, tmp_path, "--lose-first-row")


def test_a_check_decodes_every_picture(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    write_300w(tmp_path, rng, 3)
    assert "every picture can be read" in told(capsys, tmp_path, "--check")
    (tmp_path / "afw/image_0000.jpg").write_text("no picture")
    assert "not a readable picture" not in told(capsys, tmp_path)
    assert "1 pictures cannot be read" in error(capsys, tmp_path, "--check")


def test_faces_are_spread_over_the_splits(tmp_path: Path, rng: np.random.Generator) -> None:
    write_300w(tmp_path, rng, 12)
    write_300w(tmp_path, rng, 2, ("ibug",))
    chosen = [split for split, _ in spread(open_data_set(tmp_path), 9)]
    assert chosen.count("train") == 3
    assert chosen.count("test") == chosen.count("challenge") == 2


def test_points_sit_where_the_picture_has_them(tmp_path: Path, rng: np.random.Generator) -> None:
    angles = np.linspace(0, 2 * np.pi, 29, endpoint=False)
    points = np.stack([100 + 50 * np.cos(angles), 100 + 50 * np.sin(angles)], -1)
    tile = face_tile(picture_sample(tmp_path / "x.png", points), COFW_29, 280)
    # 1.4 x the box of 100 pixels: each is 2 of the tile, whose middle is pixel 139.5.
    for x, y in 2 * (points[16:18] - 100) + 139.5:
        assert has(tile, TRUTH)[round(y), round(x)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_right_eye_and_only_it_has_its_own_colour(
    tmp_path: Path, rng: np.random.Generator, name: str
) -> None:
    layout = LAYOUTS[name]
    right_eye = next(o.members for o in layout.outlines if o.name == "right eye")
    points = rng.uniform(110, 150, (layout.count, 2))
    points[list(right_eye)] = rng.uniform(50, 80, (len(right_eye), 2))
    tile = face_tile(picture_sample(tmp_path / "x.png", points), layout, 200)
    blue, green = np.argwhere(has(tile, RIGHT_EYE)), np.argwhere(has(tile, TRUTH))
    assert len(blue)
    assert len(green)
    assert blue.max() < green.min()


def test_hidden_points_are_hollow(tmp_path: Path) -> None:
    points = np.full((29, 2), 100.0)
    points[16], points[17] = (50, 50), (150, 150)  # the pupils, which lie on no outline
    sample = picture_sample(tmp_path / "x.png", points, np.arange(29) == 17)
    tile = face_tile(sample, COFW_29, 280)
    assert has(tile, TRUTH)[39:41, 39:41].all()
    drawn = tile[..., 1] != 100
    assert drawn[230:250, 230:250].any()
    assert not drawn[239:241, 239:241].any()


def test_predictions_are_drawn_in_red_over_the_truth(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    sample = picture_sample(tmp_path / "x.png", rng.uniform(50, 150, (68, 2)))
    assert not has(face_tile(sample, IBUG_68, 200), PREDICTED).any()
    tile = face_tile(sample, IBUG_68, 200, predicted=sample.points)
    assert has(tile, PREDICTED).any()
    assert not has(tile, TRUTH).any()


def test_a_sheet_has_rows_of_tiles_over_captions() -> None:
    tile = np.full((50, 40, 3), 200, np.uint8)
    sheet = contact_sheet([(tile, f"face {n} ü") for n in range(5)], columns=3)
    assert sheet.shape == (2 * 66, 3 * 40, 3)
    assert (sheet[:50, :40] == 200).all()
    assert (sheet[50:66, :40] != sheet[66 + 50 : 66 + 66, 80:]).any()
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet([], columns=3)


def test_a_sheet_of_few_faces_is_small(tmp_path: Path, rng: np.random.Generator) -> None:
    data: DataSet = open_data_set(write_own(tmp_path, rng))
    assert faces_sheet(data).shape == (216, 1200, 3)
