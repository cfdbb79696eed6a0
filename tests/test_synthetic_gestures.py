"""Blinks and opening mouths: picture and landmarks go the same way."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from test_synthetic import CHIN, GROUND, SMALL, dot_found, film, perfect, plain_face

from tracker.layouts import COFW_29, IBUG_68, WFLW_98, Layout
from train.synthetic import ClipFormat, PhotographedFace, make_clip
from train.synthetic.deform import Deformation
from train.synthetic.eyelid import eyelids
from train.synthetic.gesture import blinks
from train.synthetic.mouth import mouth

UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
LOWER_LIP = [55, 56, 57, 58, 59, 65, 66, 67]
CONTOUR = list(range(17))


def relaid(layout: Layout) -> PhotographedFace:
    """The portrait's landmarks thinned or thickened to another layout, as far as gestures look."""
    face = plain_face()
    if layout is IBUG_68:
        return face
    points = np.tile(face.points[30], (layout.count, 1))
    for ours, theirs in (WFLW_PARTS if layout is WFLW_98 else COFW_PARTS).items():
        chain = face.points[list(theirs)]
        at = np.linspace(0, len(chain) - 1, len(ours))
        points[list(ours)] = np.stack(
            [np.interp(at, np.arange(len(chain)), axis) for axis in chain.T], -1
        )
    return PhotographedFace(face.image, points, layout)


WFLW_PARTS = {
    tuple(range(33)): tuple(range(17)),
    (60, 61, 62, 63, 64): (36, 37, 38, 39),
    (64, 65, 66, 67, 60): (39, 40, 41, 36),
    (68, 69, 70, 71, 72): (42, 43, 44, 45),
    (72, 73, 74, 75, 68): (45, 46, 47, 42),
    (88, 89, 90, 91, 92): (60, 61, 62, 63, 64),
    (92, 93, 94, 95, 88): (64, 65, 66, 67, 60),
    (82, 83, 84, 85, 86, 87, 76): (54, 55, 56, 57, 58, 59, 48),
}
COFW_PARTS = {
    (8, 12, 10): (36, 37, 38, 39),
    (10, 13, 8): (39, 40, 41, 36),
    (9, 14, 11): (42, 43, 44, 45),
    (11, 15, 9): (45, 46, 47, 42),
    (22, 26, 23): (60, 66, 64),
    (27,): (57,),
    (28,): (8,),
}


@pytest.mark.parametrize(
    ("layout", "upper", "lower"),
    [
        pytest.param(IBUG_68, UPPER_LIDS, LOWER_LIDS, id="68"),
        pytest.param(WFLW_98, [61, 62, 63, 69, 70, 71], [67, 66, 65, 75, 74, 73], id="98"),
        pytest.param(COFW_29, [12, 14], [13, 15], id="29"),
    ],
)
def test_a_closed_eye_has_its_upper_lid_on_its_lower_lid(
    layout: Layout, upper: list[int], lower: list[int]
) -> None:
    face = relaid(layout)
    moves = sum(eyelid.moves for eyelid in eyelids(face))
    np.testing.assert_allclose((face.points + moves)[upper], face.points[lower])
    still = np.setdiff1d(np.arange(layout.count), upper)
    assert (moves[still] == 0).all()


@pytest.mark.parametrize(
    ("layout", "moving"),
    [
        pytest.param(IBUG_68, [*LOWER_LIP, 6, 7, 8, 9, 10], id="68"),
        pytest.param(WFLW_98, [83, 84, 85, 86, 87, 93, 94, 95, *range(12, 21)], id="98"),
        pytest.param(COFW_29, [26, 27, 28], id="29"),
    ],
)
def test_an_opening_mouth_takes_lower_lip_and_chin_down_and_nothing_above_along(
    layout: Layout, moving: list[int]
) -> None:
    moves = mouth(relaid(layout)).moves
    assert (moves[moving, 1] > 0.5).all()
    jaw = {IBUG_68: CONTOUR, WFLW_98: range(33), COFW_29: ()}[layout]
    assert (moves[np.setdiff1d(np.arange(layout.count), [*moving, *jaw])] == 0).all()


def test_blinks_come_back_exactly_and_close_fully() -> None:
    clip = make_clip("blink", plain_face(), 4, 2.0, camera=ClipFormat(fps=60))
    truth = clip.truth[:, 0]
    gap = np.linalg.norm(truth[:, UPPER_LIDS] - truth[:, LOWER_LIDS], axis=-1)
    assert gap.max(-1).min() == pytest.approx(0, abs=1e-9)
    opened = (gap == gap[0]).all(-1)
    assert opened.mean() > 0.5
    assert (truth[opened] == truth[0]).all()
    others = np.setdiff1d(np.arange(68), UPPER_LIDS)
    assert (truth[:, others] == truth[0, others]).all()


def test_an_eye_closes_in_a_tenth_of_a_second_and_opens_more_slowly() -> None:
    course = blinks(np.random.default_rng(2), 3.0)
    times = np.arange(0, 1.5, 0.001)
    closure = np.array([course(time_s) for time_s in times])
    begun, shut = np.argmax(closure > 0), np.argmax(closure == 1)
    reopening = shut + np.argmax(closure[shut:] < 1)
    opened = reopening + np.argmax(closure[reopening:] == 0)
    assert times[shut] - times[begun] == pytest.approx(0.1, abs=0.003)
    assert times[opened] - times[reopening] == pytest.approx(0.15, abs=0.003)


def test_a_closed_lid_hides_the_eyeball() -> None:
    face = plain_face(grey=160)
    rows, columns = np.mgrid[: face.image.shape[0], : face.image.shape[1]]
    center = face.points[36:42].mean(0)
    face.image[np.hypot(columns - center[0], rows - center[1]) < 2] = 0
    picture = face.image.copy()
    for eyelid in eyelids(face):
        eyelid.apply(picture, 1.0)
    assert face.image.min() == 0
    x, y = np.round(center).astype(int)
    assert picture[y, x].min() > 150


def right_eyelid(face: PhotographedFace) -> Deformation:
    return eyelids(face)[0]


@pytest.mark.parametrize("gesture", [mouth, right_eyelid])
def test_no_gesture_leaves_the_picture_and_a_full_one_only_changes_its_patch(
    gesture: Callable[[PhotographedFace], Deformation],
) -> None:
    face = plain_face()
    face.image[:] = np.random.default_rng(0).integers(0, 256, face.image.shape)
    deformation = gesture(face)
    picture = face.image.copy()
    deformation.apply(picture, 0.0)
    assert np.array_equal(picture, face.image)
    deformation.apply(picture, 1e-6)
    assert np.abs(picture.astype(int) - face.image).max() <= 1  # it sets in without a jump
    deformation.apply(picture, 1.0)
    (left, top), (right, bottom) = np.round(deformation.corners).astype(int)
    changed = (picture != face.image).any(-1)
    assert changed.any()
    changed[top : bottom + 1, left : right + 1] = False
    assert not changed.any()


@pytest.mark.parametrize("amount", [0.25, 0.6, 1.0])
@pytest.mark.parametrize("landmark", [CHIN, 57, 6])
def test_a_dot_on_the_moving_jaw_goes_where_its_landmark_goes(landmark: int, amount: float) -> None:
    face = plain_face(landmark)
    deformation = mouth(face)
    picture = face.image.copy()
    deformation.apply(picture, amount)
    truth = face.points[landmark] + amount * deformation.moves[landmark]
    peak = np.unravel_index(picture[..., 1].argmax(), picture.shape[:2])[::-1]
    assert np.abs(np.array(peak) - truth).max() < 1.0
    if landmark == CHIN:  # the chin hardly stretches, so its dot stays round
        assert np.abs(dot_found(picture, truth) - truth).max() < 0.3


def test_an_open_mouth_is_dark_inside() -> None:
    face = plain_face(grey=180)
    picture = face.image.copy()
    mouth(face).apply(picture, 1.0)
    upper = face.points[62]
    x, y = np.round(upper + 0.5 * mouth(face).moves[66]).astype(int)
    assert picture[y, x].max() < 90


def test_a_talking_head_shows_the_chin_where_the_truth_is() -> None:
    clip = make_clip(perfect("talking"), plain_face(CHIN), 3, 2.0, camera=SMALL)
    opening = clip.truth[:, 0, 66] - clip.truth[:, 0, 62]
    assert np.ptp(np.linalg.norm(opening, axis=-1)) > 0.15 * SMALL.eye_px
    for image, truth in zip(film(clip), clip.truth[:, 0, CHIN], strict=True):
        assert image.min() >= GROUND * 0.05
        assert np.abs(dot_found(image, truth) - truth).max() < 0.3


@pytest.mark.parametrize("gesture", [mouth, right_eyelid])
@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_one_amount_alone_looks_as_it_does_in_a_film(
    gesture: Callable[[PhotographedFace], Deformation], amount: float
) -> None:
    face = plain_face()
    face.image[:] = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, face.image.shape, dtype=np.uint8), (0, 0), 3
    )
    filmed, alone = face.image.copy(), face.image.copy()
    gesture(face).apply(filmed, amount)
    gesture(face).apply_once(alone, amount)
    assert np.abs(filmed.astype(int) - alone).mean() < 0.05
    assert np.array_equal(filmed, face.image) == (amount == 0)


def test_an_eye_without_width_stays_open() -> None:
    face = plain_face()
    face.points[36:42] = face.points[36]
    assert len(eyelids(face)) == 1
