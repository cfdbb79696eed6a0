"""Film cuts: where the scene changes at once, and nowhere else."""

from functools import cache

import cv2
import numpy as np
import pytest
from fakes import SHARED, BlobDetector, BlobLandmarker, blob_frame

import models
import tracker
from tracker.detection.film_cuts import Shot
from tracker.io.simulated_camera import portrait
from tracker.types import Image

WIDTH, HEIGHT = 320, 180
RATE = 30.0


def cuts_in(images: list[Image]) -> list[int]:
    """Frames that begin a new shot."""
    shot, found = Shot(), []
    for index, image in enumerate(images):
        shot, is_cut = shot.followed_by(image)
        if is_cut:
            found.append(index)
    return found


@cache
def background(seed: int) -> Image:
    """A room three pictures wide: blurred rectangles of every size and colour."""
    rng = np.random.default_rng(seed)
    wide = np.full((HEIGHT, 3 * WIDTH, 3), rng.integers(30, 220, 3), np.uint8)
    for size in np.geomspace(150, 15, 90):
        corner = rng.integers(-50, (3 * WIDTH, HEIGHT))
        far = corner + (size * rng.uniform(0.4, 1.6, 2)).astype(int)
        colour = rng.integers(10, 245, 3).tolist()
        cv2.rectangle(wide, corner.tolist(), far.tolist(), colour, -1)
    return cv2.GaussianBlur(wide, (0, 0), 1)


def scene(
    seed: int, *, x: float = 160, scale: float = 0.25, mirror: bool = False, view: float = 0
) -> Image:
    """The portrait before a background, at x pixels of the picture, the camera turned by `view`."""
    person = portrait()[:, ::-1] if mirror else portrait()
    to_frame = np.float32([[scale, 0, x - 256 * scale], [0, scale, 95 - 250 * scale]])
    soft = np.zeros(person.shape[:2], np.float32)
    cv2.ellipse(soft, (256, 320), (190, 290), 0, 0, 360, 1.0, -1)
    mask = cv2.warpAffine(cv2.GaussianBlur(soft, (0, 0), 6), to_frame, (WIDTH, HEIGHT))[..., None]
    moved = cv2.warpAffine(person, to_frame, (WIDTH, HEIGHT))
    behind = background(seed)[:, round(view) : round(view) + WIDTH]
    return np.round(mask * moved + (1 - mask) * behind).astype(np.uint8)


def blurred(images: list[Image]) -> Image:
    """What a camera sees that is open during all of them."""
    return np.mean(images, axis=0).astype(np.uint8)


def lit(image: Image, gain: float, offset: float = 0.0, *, near: bool = False) -> Image:
    """More or less light; near, it falls off from the middle, as that of a flash does."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    away = ((columns / WIDTH - 0.5) * 2.5) ** 2 + ((rows / HEIGHT - 0.5) * 2) ** 2
    share = np.exp(-away)[..., None] if near else 1.0
    return np.clip(image * (1 + (gain - 1) * share) + offset * share, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(8))
def test_another_scene_is_a_cut_in_its_first_frame(seed: int) -> None:
    here = [scene(seed, x=100 + 2 * i) for i in range(6)]
    there = [scene(seed + 50, x=215 - 2 * i, scale=0.3, mirror=True) for i in range(6)]
    assert cuts_in(here + there + here) == [6, 12]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize(
    "light",
    [{"gain": 1.5}, {"gain": 2.5, "offset": 30}, {"gain": 2.5, "offset": 80, "near": True}],
    ids=str,
)
def test_a_flash_is_no_cut(seed: int, frames: int, light: dict) -> None:
    images = [scene(seed, x=125 + 2 * i) for i in range(12)]
    for index in range(5, 5 + frames):
        images[index] = lit(images[index], **light)
    assert cuts_in(images) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_fade_to_black_and_back_is_no_cut(seed: int) -> None:
    gains = [1, 0.7, 0.4, 0.2, 0.1, 0.05, 0, 0, 0, 0.05, 0.1, 0.2, 0.4, 0.7, 1]
    assert cuts_in([lit(scene(seed, x=125 + i), gain) for i, gain in enumerate(gains)]) == []


def test_what_follows_a_black_or_white_screen_is_a_cut_if_it_is_another_scene() -> None:
    for level in (0, 255):
        screen = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
        images = [scene(1)] * 3 + [screen] * 20
        assert cuts_in([*images, scene(2, x=75, mirror=True)]) == [23]
        assert cuts_in([*images, scene(1)]) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", [15, 30, 60])
def test_a_pan_is_no_cut_however_it_blurs(seed: int, step: int) -> None:
    views = np.arange(0, 2 * WIDTH - step, step)[:16]
    images = [
        blurred([scene(seed, view=v + d, x=160 - v - d) for d in np.linspace(0, step / 2, 5)])
        for v in views
    ]
    assert cuts_in(images) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_face_that_moves_fast_close_to_the_camera_is_no_cut(seed: int) -> None:
    places = 160 + 110 * np.sin(np.arange(18) / 2.2)  # up to a sixth of the width a frame
    images = [
        blurred([scene(seed, x=x + d, scale=0.55) for d in np.linspace(0, 15, 4)]) for x in places
    ]
    assert cuts_in(images) == []


def test_a_person_who_steps_before_a_plain_wall_is_no_cut(rng: np.random.Generator) -> None:
    wall = np.full((HEIGHT, WIDTH, 3), 170.0)
    person = blob_frame([(150.0, 100.0)], (WIDTH, HEIGHT), radius=30)
    with_person = np.where(person > 100, 60.0, wall)
    images = [wall] * 5 + [with_person] * 5 + [wall] * 5
    noisy = [np.clip(image + rng.normal(0, 6, image.shape), 0, 255) for image in images]
    assert cuts_in([image.astype(np.uint8) for image in noisy]) == []


def test_noise_in_the_dark_is_no_cut(rng: np.random.Generator) -> None:
    dark = lit(scene(3), 0.15)
    noisy = [np.clip(dark + rng.normal(0, 8, dark.shape), 0, 255) for _ in range(20)]
    assert cuts_in([image.astype(np.uint8) for image in noisy]) == []


@pytest.mark.parametrize("size", [(1, 1), (40, 20), (1280, 720), (720, 1280)])
def test_pictures_of_every_size_are_compared(size: tuple[int, int]) -> None:
    images = [cv2.resize(image, size) for image in [scene(1)] * 3 + [scene(2, mirror=True)] * 3]
    assert cuts_in(images) == ([] if size == (1, 1) else [3])


def discs(centers: list[tuple[float, float]], seed: int) -> Image:
    """What `BlobLandmarker` sees as faces, before a dim background."""
    behind = background(seed)[:, :WIDTH] // 2
    is_disc = blob_frame(centers, (WIDTH, HEIGHT)) > 100
    return np.where(is_disc, np.uint8(140), behind)


def followed(*, detect_cuts: bool) -> tuple[tracker.FaceTracker, list[list[tracker.Face]]]:
    """One face for ten frames; after a cut two others, one of them where it was."""
    config = tracker.TrackerConfig(detect_cuts=detect_cuts)
    faces = tracker.FaceTracker(BlobLandmarker(), BlobDetector(), config)
    images = [discs([(160.0, 90.0)], 1)] * 10 + [discs([(163.0, 90.0), (60.0, 60.0)], 2)] * 10
    return faces, [faces.update(image, i / RATE) for i, image in enumerate(images)]


def test_after_a_cut_all_faces_are_new_ones_and_there_at_once() -> None:
    faces, seen = followed(detect_cuts=True)
    assert [[face.track_id for face in found] for found in seen] == [[0]] * 10 + [[1, 2]] * 10
    assert not any(face.is_predicted for found in seen for face in found)
    assert (faces.tally.cuts, faces.tally.lost, faces.tally.reacquired) == (1, 1, 0)
    for found in seen[10:]:  # the filter begins anew: nothing of the old face's place is left
        middle = max((face.landmarks.mean for face in found), key=lambda points: points[0, 0])
        np.testing.assert_allclose((middle.min(0) + middle.max(0)) / 2, [163, 90], atol=0.5)


def test_cuts_may_be_left_alone() -> None:
    faces, seen = followed(detect_cuts=False)
    assert seen[10][0].track_id == 0
    assert faces.tally.cuts == 0


def test_another_video_does_not_begin_with_a_cut() -> None:
    faces, _ = followed(detect_cuts=True)
    faces.reset()
    assert faces.update(discs([(160.0, 90.0)], 1), 0.0)[0].track_id == 0
    assert faces.tally.cuts == 1


def test_a_refused_frame_is_not_compared_with() -> None:
    faces = tracker.FaceTracker(BlobLandmarker(), BlobDetector())
    faces.update(discs([(160.0, 90.0)], 1), 1.0)
    with pytest.raises(ValueError, match="must not fall"):
        faces.update(discs([(160.0, 90.0)], 2), 0.5)
    assert faces.update(discs([(160.0, 90.0)], 1), 1.1)[0].track_id == 0
    assert faces.tally.cuts == 0


def test_detect_cuts_is_yes_or_no() -> None:
    with pytest.raises(ValueError, match="detect_cuts must be True or False, got 'yes'"):
        tracker.TrackerConfig(detect_cuts="yes")  # type: ignore[arg-type]


@pytest.mark.skipif(
    not (SHARED / "cases/cuts.mp4").is_file(), reason="needs ../shared, which is not published"
)
def test_three_people_of_a_film_have_three_ids_from_their_first_frames_on() -> None:
    with (
        tracker.open_source(SHARED / "cases/cuts.mp4") as film,
        tracker.FaceTracker(models.load_landmarker()) as faces,
    ):
        seen = [faces.update(frame.image, frame.time_s) for frame in film]
    assert [[face.track_id for face in found] for found in seen] == [
        [index // 30] for index in range(90)
    ]
    assert not any(face.is_predicted for found in seen for face in found)
