"""What measures gaze and blinks: eyes that are drawn, blinks that are counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.analysis.clip_scores import ClipReading, matched_blinks
from tracker.face_analysis import Blink
from train.drawn_eyes import draw_eyes
from train.rendered_heads import POINTS, RenderedHeads

SIDE, FOCAL_PX, DISTANCE = 208, 500.0, 56.0
EYE_PX = np.array([[80.0, 100.0], [128.0, 100.0]])


def white_eyed_head(gap_px: float = 5.0) -> tuple[np.ndarray, RenderedHeads]:
    """A head that looks into the camera, 600 mm away: nothing but the lids of two white eyes."""
    points = np.full((1, POINTS, 2), 100.0)
    for ring, middle in zip((range(36, 42), range(42, 48)), EYE_PX, strict=True):
        x, y = np.array([-12, -5, 5, 12, 5, -5.0]), np.array([0, -1, -1, 0, 1, 1]) * gap_px
        points[0, list(ring)] = middle + np.stack([x, y], -1)
    points[0, 68:] = EYE_PX
    heads = RenderedHeads(
        ("a.jpg",), points, np.zeros((1, 3)), np.array([DISTANCE]), np.array([FOCAL_PX]),
        np.zeros((1, 1)), ("jawOpen",),
    )  # fmt: skip
    return np.full((SIDE, SIDE, 3), 230, np.uint8), heads


@pytest.mark.parametrize("seed", range(4))
def test_an_iris_lies_where_its_eye_looks(seed: int) -> None:
    image, heads = white_eyed_head()
    eyes = draw_eyes(image, heads, 0, np.random.default_rng(seed))
    assert eyes.is_drawn == (True, True)
    assert np.linalg.norm(eyes.gaze) == pytest.approx(1)
    assert eyes.gaze[2] < -0.85  # within some 29 degrees of the camera
    px_per_mm = FOCAL_PX / 600  # the disc is 10.5 mm before the centre
    for middle in EYE_PX:
        x0, y0 = (middle - 20).astype(int)
        dark = 230.0 - eyes.image[y0 : y0 + 40, x0 : x0 + 40].min(-1)
        rows, columns = np.mgrid[:40, :40]
        found = np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum() + (x0, y0)
        wanted = middle + 10.5 * px_per_mm * eyes.gaze[:2]
        assert abs(found[0] - wanted[0]) < 0.8  # lids cut it above and below
    assert (eyes.image[:60] == 230).all()


def test_shut_eyes_get_no_iris() -> None:
    image, heads = white_eyed_head(gap_px=0.5)
    eyes = draw_eyes(image, heads, 0, np.random.default_rng(0))
    assert eyes.is_drawn == (False, False)
    assert (eyes.image == image).all()


def test_each_true_blink_is_found_once_and_the_rest_are_false() -> None:
    times = np.arange(90) / 30
    shut = np.zeros(90, bool)
    for first, last in ((15, 20), (45, 50), (85, 90)):  # the last does not open again
        shut[first:last] = True
    said = [Blink(0.55, 0.7), Blink(0.58, 0.72), Blink(2.2, 2.3), Blink(2.85, 2.95)]
    reading = ClipReading(times, [SimpleNamespace(blink=blink) for blink in said])
    score = matched_blinks(shut, reading)
    assert (score.true, score.found, score.false) == (2, 1, 2)
    assert score.minutes == pytest.approx(2.97 / 60, abs=0.01)
