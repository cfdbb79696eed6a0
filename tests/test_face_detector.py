"""The detector around its network: what it makes of cells, windows and pictures."""

import subprocess
import sys

import numpy as np
import pytest

from models.face_detector import STRIDES, FaceDetector
from models.face_refinement import (
    PATCH_PX,
    patch_from_picture,
    refined,
    roll_of_row,
    upright_patch,
)
from models.face_scan import Window
from models.face_suppression import CHANNELS, suppress

WHITE_SIDE_PX = 16.0


class WhiteSquares:
    """Stands for a session: every all-white cell of 16 px is the middle of a face of 16 px.

    Its eyes lie 4 px above and 3 px to either side, its mouth 4 px below. Of what is looked at
    again, it is sure, and sees it upright in the middle.
    """

    def run(self, _: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        (pictures,) = inputs.values()
        if pictures.shape[1:3] == (PATCH_PX, PATCH_PX):
            middle, side = (PATCH_PX - 1) / 2, PATCH_PX / 2
            eyes = [middle - side / 4, middle - side / 4, middle + side / 4, middle - side / 4]
            sure = [1.0, middle, middle, side, *eyes, middle, middle + side / 4]
            return [np.tile(np.array(sure, np.float32), (len(pictures), 1, 1))]
        assert pictures.shape[1] % 32 == pictures.shape[2] % 32 == 0
        answers = []
        for stride in STRIDES:
            rows, columns = (-(-side // stride) for side in pictures.shape[1:3])
            cells = np.zeros((rows, columns, CHANNELS), np.float32)
            if stride == 16:
                blocks = pictures[0, :, :, 0].reshape(rows, 16, columns, 16)
                y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
                x, y = 16 * x + 7.5, 16 * y + 7.5
                cells[..., 0] = blocks.min((1, 3)) / 255
                places = [x, y, np.full_like(x, WHITE_SIDE_PX)]
                places += [x - 3, y - 4, x + 3, y - 4, x, y + 4]
                cells[..., 1:] = np.stack(places, -1)
            answers.append(cells.reshape(-1, CHANNELS))
        return [np.concatenate(answers)[None]]


@pytest.fixture
def detector() -> FaceDetector:
    return FaceDetector(WhiteSquares(), 0.9)  # type: ignore[arg-type]


def cell(score: float, x: float, y: float, side: float) -> np.ndarray:
    return np.array([score, x, y, side, *3 * (x, y)])


def test_neighbours_that_mean_one_face_become_one_weighted_by_score() -> None:
    (kept,) = suppress(np.stack([cell(0.6, 103, 50, 40), cell(0.9, 100, 50, 40)]))
    np.testing.assert_allclose(kept[:4], [0.9, (0.6 * 103 + 0.9 * 100) / 1.5, 50, 40])


def test_faces_side_by_side_stay_two_and_one_inside_another_goes() -> None:
    side_by_side = np.stack([cell(0.9, 100, 50, 40), cell(0.8, 130, 50, 40)])
    assert len(suppress(side_by_side)) == 2
    inside = np.stack([cell(0.9, 100, 50, 40), cell(0.8, 105, 55, 10)])
    assert len(suppress(inside)) == 1


def test_suppression_keeps_the_strongest_first_and_takes_nothing_for_nothing(
    rng: np.random.Generator,
) -> None:
    rows = np.stack([cell(*values) for values in rng.uniform(0.5, 1, (30, 4)) * [1, 900, 900, 60]])
    kept = suppress(rows)
    assert (np.diff(kept[:, 0]) <= 0).all()
    assert suppress(np.zeros((0, CHANNELS))).shape == (0, CHANNELS)


@pytest.mark.parametrize(
    ("eyes_to_mouth", "roll_deg"), [((0, 1), 0), ((1, 0), 90), ((-1, 0), -90), ((1, 1), 45)]
)
def test_roll_is_counter_clockwise_as_seen(
    eyes_to_mouth: tuple[float, float], roll_deg: float
) -> None:
    class Once(WhiteSquares):
        def run(self, _: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            (cells,) = super().run(None, inputs)
            if cells.shape[1] == 1:
                return [cells]
            cells[..., 8:] = cells[..., 1:3] + np.array(eyes_to_mouth) * 10
            cells[..., 4:8] = np.tile(cells[..., 1:3], 2)
            return [cells]

    image = np.zeros((64, 64, 3), np.uint8)
    image[16:32, 16:32] = 255
    (face,) = FaceDetector(Once(), 0.9)(image)  # type: ignore[arg-type]
    assert face.roll_deg == pytest.approx(roll_deg)


def test_a_face_is_where_it_is_in_the_picture_at_any_scale(detector: FaceDetector) -> None:
    image = np.zeros((1200, 1600, 3), np.uint8)  # seen at half its size
    image[320:352, 640:672] = 255  # one cell of the reduced picture
    (face,) = detector(image)
    assert (face.center_x, face.center_y) == pytest.approx((655.5, 335.5))
    assert face.side == pytest.approx(2 * WHITE_SIDE_PX)
    assert face.roll_deg == pytest.approx(0)


def test_a_small_face_is_found_thoroughly_in_one_of_the_parts_and_near_its_place(
    detector: FaceDetector,
) -> None:
    image = np.zeros((960, 1280, 3), np.uint8)
    image[16:32, 48:64] = 255  # half a cell of the reduced picture
    assert detector(image) == []
    (face,) = detector(image, thorough=True)
    assert (face.center_x, face.center_y, face.side) == pytest.approx((55.5, 23.5, WHITE_SIDE_PX))
    looks = [detector.look(image, part) for part in range(detector.parts(1280, 960))]
    assert looks[0] == []
    assert [face] in looks
    assert detector.look_near(image, [(56.0, 40.0, 20.0)]) == [face]
    known = [(face.center_x, face.center_y, face.side)]
    assert detector.look(image, looks.index([face]), known) == []
    assert detector.look_near(image, [(600.0, 30.0, 20.0), (2000.0, 30.0, 20.0)]) == []


def test_what_two_windows_show_counts_once(detector: FaceDetector) -> None:
    image = np.zeros((64, 128, 3), np.uint8)
    image[16:32, 48:64] = 255
    windows = [Window(0, 0, 96, 64, 1.0), Window(32, 0, 96, 64, 1.0)]
    assert len(detector.search_windows(image, windows)) == 1


def test_a_face_that_a_tile_cuts_is_left_to_others_but_not_one_that_the_picture_cuts(
    detector: FaceDetector,
) -> None:
    image = np.full((64, 128, 3), 255, np.uint8)
    left = detector.search_windows(image, [Window(4, 0, 64, 64, 1.0)])
    assert min(face.center_x for face in left) == pytest.approx(11.5)
    tight = detector.search_windows(image, [Window(0, 0, 64, 64, 1.0)])
    assert min(face.center_x for face in tight) == pytest.approx(7.5)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3)),
        np.zeros((0, 8, 3), np.uint8), "picture",
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(detector: FaceDetector, image: object) -> None:
    with pytest.raises(ValueError, match="picture is a uint8 array"):
        detector(image)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 33)])
def test_pictures_of_any_shape_are_taken(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector(np.zeros((*size, 3), np.uint8), thorough=True) == []


def test_a_cell_that_is_no_number_is_no_face() -> None:
    class Broken(WhiteSquares):
        def run(self, _: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.full_like(super().run(None, inputs)[0], np.nan)]

    assert FaceDetector(Broken(), 0.9)(np.zeros((64, 64, 3), np.uint8)) == []  # type: ignore[arg-type]


def test_a_closed_detector_says_so(detector: FaceDetector) -> None:
    with detector:
        detector(np.zeros((64, 64, 3), np.uint8))
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector(np.zeros((64, 64, 3), np.uint8))


def test_no_torch_is_needed() -> None:
    code = "import sys, models.face_loading; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def turned_row(side: float, roll_deg: float) -> np.ndarray:
    """A face at (210, 170) with its eyes a quarter of the side above, its mouth as far below."""
    angle = np.radians(roll_deg)
    down = np.array([np.sin(angle), np.cos(angle)])
    right = np.array([down[1], -down[0]])
    center = np.array([210.0, 170.0])
    places = [center + side / 4 * (x * right + y * down) for x, y in ((-1, -1), (1, -1), (0, 1))]
    return np.array([0.6, *center, side, *np.concatenate(places)])


@pytest.mark.parametrize("side", [12.0, 64.0, 300.0])
@pytest.mark.parametrize("roll_deg", [0, 30, -90, 179])
def test_a_refinement_patch_shows_the_candidate_upright_in_the_middle(
    side: float, roll_deg: float
) -> None:
    row = turned_row(side, roll_deg)
    assert roll_of_row(row) == pytest.approx(roll_deg)
    matrix = patch_from_picture(row)
    places = row[4:].reshape(3, 2) @ matrix[:, :2].T + matrix[:, 2]
    expected = (PATCH_PX - 1) / 2 + PATCH_PX / 8 * np.array([[-1, -1], [1, -1], [0, 1]])
    np.testing.assert_allclose(places, expected, atol=1e-6)
    image = np.zeros((400, 500, 3), np.uint8)
    for channel, (x, y) in enumerate(row[4:].reshape(3, 2)):
        yy, xx = np.mgrid[:400, :500]
        image[..., channel] = 255 * (np.hypot(xx - x, yy - y) < side / 8)
    patch = upright_patch(image, matrix).astype(float)
    for channel in range(3):
        weights = patch[..., channel]
        if weights.sum():
            y, x = (np.tensordot(weights, grid) for grid in np.mgrid[:PATCH_PX, :PATCH_PX])
            seen = np.array([x, y]) / weights.sum()
            inside = (np.abs(row[4 + 2 * channel : 6 + 2 * channel] - (250, 200)) < 120).all()
            assert not inside or np.abs(seen - expected[channel]).max() < 3


@pytest.mark.parametrize("roll_deg", [0, 30, -90, 179])
def test_a_refinement_that_agrees_moves_nothing_and_averages_the_scores(roll_deg: float) -> None:
    row = turned_row(40, roll_deg)
    patch = row.copy()
    matrix = patch_from_picture(row)
    patch[0], patch[3] = 0.8, PATCH_PX / 2
    for x in (1, 4, 6, 8):
        patch[x : x + 2] = matrix[:, :2] @ row[x : x + 2] + matrix[:, 2]
    after = refined(row, patch[None], matrix)
    assert after[0] == pytest.approx(0.7)
    np.testing.assert_allclose(after[1:], row[1:], atol=1e-6)


def test_a_refinement_that_finds_nothing_there_halves_the_score() -> None:
    row = turned_row(40, 10)
    elsewhere = np.array([[0.9, 10, 10, 64, *6 * (0.0,)], [0.9, 63, 63, 8, *6 * (0.0,)]])
    after = refined(row, elsewhere, patch_from_picture(row))
    np.testing.assert_allclose(after, [0.3, *row[1:]])


def test_a_candidate_outside_the_picture_is_seen_black() -> None:
    image = np.full((50, 60, 3), 255, np.uint8)
    row = turned_row(20, 0)
    assert not upright_patch(image, patch_from_picture(row)).any()
