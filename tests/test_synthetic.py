"""Clips of the virtual camera: what they say is true is what they show."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.layouts import IBUG_68
from tracker.types import Image
from train.datasets import Sample
from train.synthetic import (
    CLIPS,
    PERFECT,
    Clip,
    ClipFormat,
    Kind,
    PhotographedFace,
    Sensor,
    annotated_face,
    make_clip,
    portrait_face,
)

SMALL = ClipFormat(size=(320, 240), eye_px=45.0)
MOTIONS = ("still", "drift", "pan", "zoom", "roll", "shake", "step", "walk-up")
NOSE_TIP, CHIN, EYE_CORNER = 30, 8, 36
GROUND = 40


def plain_face(*dots: int, grey: int = GROUND) -> PhotographedFace:
    """The portrait's landmarks on a grey card, with soft bright dots on some of them."""
    points = portrait_face().points / 2
    rows, columns = np.mgrid[:300, :256]
    card = np.full((300, 256), float(grey))
    for x, y in points[list(dots)]:
        card += 200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.5**2))
    return PhotographedFace(
        np.repeat(np.round(card)[..., None], 3, -1).astype(np.uint8), points, IBUG_68
    )


def perfect(kind: str) -> Kind:
    return replace(CLIPS[kind], sensor=PERFECT)


def dot_found(image: Image, near: np.ndarray, reach: int = 11) -> np.ndarray:
    """Centre of brightness around a place."""
    x, y = np.round(near).astype(int)
    window = image[y - reach : y + reach + 1, x - reach : x + reach + 1, 1].astype(float) - GROUND
    rows, columns = np.mgrid[y - reach : y + reach + 1, x - reach : x + reach + 1]
    return np.array([(window * columns).sum(), (window * rows).sum()]) / window.sum()


def film(clip: Clip) -> np.ndarray:
    return np.stack([frame.image for frame in clip.frames()])


@pytest.mark.parametrize("kind", MOTIONS)
@pytest.mark.parametrize("dot", [NOSE_TIP, CHIN, EYE_CORNER])
def test_a_dot_on_a_landmark_is_found_where_the_truth_is(kind: str, dot: int) -> None:
    slow = replace(SMALL, fps=10)
    clip = make_clip(perfect(kind), plain_face(dot), 3, 1.5, camera=slow)
    for frame, truth in zip(clip.frames(), clip.truth[:, 0, dot], strict=True):
        assert np.abs(dot_found(frame.image, truth) - truth).max() < 0.1


def test_motion_blur_leaves_the_dot_at_the_middle_of_the_exposure() -> None:
    blurred = replace(CLIPS["drift"], sensor=Sensor(noise=0, shutter_s=0.5))
    clip = make_clip(blurred, plain_face(NOSE_TIP), 3, 1.0, camera=SMALL)
    sharp = make_clip(perfect("drift"), plain_face(NOSE_TIP), 3, 1.0, camera=SMALL)
    assert film(clip).max() < film(sharp).max() - 5  # it is smeared
    for frame, truth in zip(clip.frames(), clip.truth[:, 0, NOSE_TIP], strict=True):
        assert np.abs(dot_found(frame.image, truth) - truth).max() < 0.1


@pytest.mark.parametrize("kind", ["shake", "talking", "crossing", "occluder", "jpeg", "compressed"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(kind: str) -> None:
    face = plain_face(NOSE_TIP)
    once, again, other = (make_clip(kind, face, seed, 0.1, camera=SMALL) for seed in (5, 5, 6))
    assert np.array_equal(film(once), film(again))
    assert np.array_equal(film(once), film(once))
    assert np.array_equal(once.truth, again.truth)
    assert not np.array_equal(film(once), film(other))


def test_frames_are_stamped_at_an_even_rate() -> None:
    clip = make_clip("still", plain_face(), 0, 0.5, camera=SMALL)
    frames = list(clip.frames())
    assert [frame.index for frame in frames] == list(range(15))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(15) / 30)
    assert clip.truth.shape == (15, 1, 68, 2)
    assert {frame.image.shape for frame in frames} == {(240, 320, 3)}


def test_still_is_still() -> None:
    clip = make_clip(perfect("still"), plain_face(NOSE_TIP), 1, 0.5, camera=SMALL)
    assert (clip.truth == clip.truth[0]).all()
    assert (film(clip) == film(clip)[0]).all()


def test_a_drift_has_one_velocity() -> None:
    velocity = np.diff(make_clip("drift", plain_face(), 1, 2.0).truth, axis=0)
    assert np.abs(velocity[0]).max() > 0.1
    np.testing.assert_allclose(velocity, np.broadcast_to(velocity[0], velocity.shape), atol=1e-9)


def test_a_pan_goes_one_eye_distance_a_second_between_its_turns() -> None:
    truth = make_clip("pan", plain_face(), 1, 6.0).truth[:, 0, 0]
    speed_px = np.abs(np.diff(truth[:, 0]))
    straight = np.isclose(speed_px, 90 / 30, atol=1e-9)
    assert straight.sum() >= len(straight) - 4
    assert (truth[:, 1] == truth[0, 1]).all()


def test_a_step_stops_dead() -> None:
    truth = make_clip("step", plain_face(), 1, 6.0).truth[:, 0]
    moved = np.abs(np.diff(truth, axis=0)).max((1, 2))
    assert np.median(moved) == 0
    assert np.unique(np.round(moved, 6)).size <= 4  # rest, full speed, and cut by a frame
    distance = np.linalg.norm(np.diff(truth[[0, 40]], axis=0), axis=-1)
    np.testing.assert_allclose(distance, 90.0)


def test_walking_up_makes_the_face_larger() -> None:
    clip = make_clip("walk-up", plain_face(), 1, 4.0)
    eyes = clip.layout.interocular(clip.truth[:, 0])
    assert (np.diff(eyes) > 0).all()
    assert eyes[-1] > 2 * eyes[0]


@pytest.mark.parametrize("kind", CLIPS)
def test_every_kind_fills_the_frame_and_keeps_the_face_in_it(kind: str) -> None:
    white = plain_face(grey=255)
    scene = Kind(motion=CLIPS[kind].motion, sensor=PERFECT)
    assert film(make_clip(scene, white, 2, 0.4)).min() == 255
    clip = make_clip(kind, white, 2, 6.0)
    inside = (clip.truth[:, 0] >= 0) & (clip.truth[:, 0] < np.array([640, 480]))
    assert inside.all()


def test_a_mirrored_face_keeps_its_landmarks_by_name() -> None:
    mirrored = plain_face(EYE_CORNER).mirrored
    other_corner = int(IBUG_68.mirror[EYE_CORNER])
    truth = mirrored.points[other_corner]
    assert np.abs(dot_found(mirrored.image, truth) - truth).max() < 0.05


def test_black_padding_of_a_data_set_is_cut_off(tmp_path: Path) -> None:
    face = plain_face(grey=128)
    padded = cv2.copyMakeBorder(face.image, 0, 40, 30, 0, cv2.BORDER_CONSTANT)
    path = tmp_path / "padded.png"
    cv2.imwrite(str(path), padded)
    cut = annotated_face(Sample(path, face.points + np.array([30, 0])), IBUG_68)
    assert cut.image.min() == 128
    assert cut.image.shape[0] >= 290
    assert cut.image.shape[1] >= 250
    shift = cut.points - face.points
    assert np.abs(shift).max() <= 4
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-9)


def test_an_unknown_kind_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'moonwalk' is unknown: choose one of still, drift"):
        make_clip("moonwalk", plain_face(), 0)
