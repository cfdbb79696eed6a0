"""Which faces are followed: all, the largest, the one in the middle, those in a region."""

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, blob_frame

import tracker
from tracker.types import Image

RATE = 30.0
Disc = tuple[float, float, float]
"""x, y and radius, pixels."""


def frame(*discs: Disc) -> Image:
    return np.max([blob_frame([]), *(blob_frame([d[:2]], radius=d[2]) for d in discs)], axis=0)


def follower(**knobs: object) -> tracker.FaceTracker:
    config = tracker.TrackerConfig(detect_every_s=0.1, **knobs)  # type: ignore[arg-type]
    return tracker.FaceTracker(BlobLandmarker(), BlobDetector(), config)


def followed(faces: tracker.FaceTracker, frames: list[Image]) -> list[list[tuple[int, float]]]:
    """Id and x of the middle of every face of every frame."""
    seen = [faces.update(image, index / RATE) for index, image in enumerate(frames)]
    return [[(face.track_id, middle(face)) for face in found] for found in seen]


def middle(face: tracker.Face) -> float:
    points = face.landmarks.mean
    return float(points[:, 0].min() + points[:, 0].max()) / 2


def ids(seen: list[list[tuple[int, float]]]) -> list[list[int]]:
    return [[track_id for track_id, _ in found] for found in seen]


SMALL, LARGE = (160.0, 120.0, 20.0), (60.0, 120.0, 35.0)


@pytest.mark.parametrize(("faces", "x"), [("all", [60, 160]), ("largest", [60]), ("centre", [160])])
def test_pictures_and_videos_show_the_faces_that_are_asked_for(faces: str, x: list[float]) -> None:
    image = frame(SMALL, LARGE)
    for found in (
        follower(faces=faces).detect(image),
        follower(faces=faces).update(image, 0.0),
        follower(faces=faces).update(image, 0.0, boxes=[[25, 85, 95, 155], [140, 100, 180, 140]]),
    ):
        np.testing.assert_allclose([middle(face) for face in found], x, atol=1)


def test_of_two_growing_faces_the_largest_is_followed_without_flapping() -> None:
    sizes = 30 + 5 * np.sin(np.arange(90) / 3)  # neither is ever half as large again
    frames = [frame((80, 120, s), (240, 120, 60 - s)) for s in sizes]
    assert len({tuple(found) for found in ids(followed(follower(faces="largest"), frames))}) == 1


def test_a_clearly_larger_face_takes_over_once() -> None:
    frames = [frame(SMALL)] * 10 + [frame(SMALL, LARGE)] * 20
    order = [found[0] for found in ids(followed(follower(faces="largest"), frames))]
    assert order == sorted(order)
    assert (order[0], order[14], order[-1]) == (0, 1, 1)


def test_of_two_faces_about_the_middle_one_is_kept() -> None:
    shift = 25 * np.sin(np.arange(90) / 6)  # the nearer one changes, never by 60 pixels
    frames = [frame((100 + s, 120, 25), (220 + s, 120, 25)) for s in shift]
    assert len({tuple(found) for found in ids(followed(follower(faces="centre"), frames))}) == 1


def test_a_face_that_is_clearly_nearer_to_the_middle_takes_over_even_if_smaller() -> None:
    frames = [frame(LARGE)] * 10 + [frame(SMALL, LARGE)] * 20
    seen = followed(follower(faces="centre"), frames)
    order = [found[0] for found in ids(seen)]
    assert order == sorted(order)
    assert (order[0], order[14], order[-1]) == (0, 1, 1)
    np.testing.assert_allclose(seen[-1][0][1], 160, atol=1)


def test_the_one_face_may_hide_for_two_frames_and_nobody_takes_its_place() -> None:
    beside = (250.0, 120.0, 30.0)
    frames = [frame(LARGE, beside)] * 10 + [frame(beside)] * 2 + [frame(LARGE, beside)] * 10
    assert ids(followed(follower(faces="largest"), frames)) == [[0]] * 22


REGION = (100.0, 0.0, 220.0, 240.0)


def test_only_faces_in_the_region_are_followed() -> None:
    image = frame(SMALL, LARGE, (260.0, 60.0, 30.0))
    faces = follower(region=REGION)
    np.testing.assert_allclose([middle(face) for face in faces.detect(image)], [160], atol=1)
    assert ids(followed(faces, [image] * 10)) == [[0]] * 10


def test_a_face_that_leaves_the_region_is_lost_and_one_that_enters_is_found() -> None:
    xs = np.arange(160.0, 290.0, 2.0)
    seen = followed(follower(region=REGION), [frame((x, 120, 20)) for x in xs])
    here = np.array([bool(found) for found in seen])
    assert here[xs <= 220].all()
    assert not here[xs > 235].any()
    back = followed(follower(region=REGION), [frame((x, 120, 20)) for x in xs[::-1]])
    there = np.array([bool(found) for found in back])
    assert not there[xs[::-1] > 221].any()
    assert there[xs[::-1] <= 218].all()


def test_a_face_on_the_edge_of_the_region_keeps_its_id_in_every_frame() -> None:
    xs = 216 + 8 * np.sin(np.arange(90) / 4)
    frames = [frame((x, 120, 20)) for x in xs]
    assert ids(followed(follower(region=REGION), frames)) == [[0]] * 90


def test_the_largest_face_of_a_region_is_the_largest_in_it() -> None:
    faces = follower(region=REGION, faces="largest")
    image = frame((120.0, 60.0, 20.0), (180.0, 160.0, 30.0), LARGE)
    np.testing.assert_allclose([middle(face) for face in faces.detect(image)], [180], atol=1)


@pytest.mark.parametrize(
    "wrong",
    [{"faces": "nearest"}, {"faces": None}, {"region": (0, 0, 10)}, {"region": (10, 0, 10, 5)},
     {"region": (0, 5, 10, 1)}, {"region": (0, 0, np.nan, 5)}, {"region": "0,0,9,9"},
     {"region": (0, 0, np.inf, 5)}, {"region": (0, 0, "9", 9)}],
    ids=str,
)  # fmt: skip
def test_a_wrong_choice_is_named(wrong: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be .* got "):
        tracker.TrackerConfig(**wrong)


def test_faces_beyond_the_most_are_counted() -> None:
    centers = [(60.0, 60.0), (160.0, 60.0), (260.0, 60.0), (60.0, 180.0)]
    image = blob_frame(centers, size=(320, 240))
    for most, left_out in ((1, 3), (3, 1), (8, 0)):
        faces = tracker.FaceTracker(
            BlobLandmarker(), BlobDetector(), tracker.TrackerConfig(max_faces=most)
        )
        for index in range(40):
            faces.update(image, index / 30)
        assert faces.tally.left_out == left_out
    largest = tracker.FaceTracker(
        BlobLandmarker(), BlobDetector(), tracker.TrackerConfig(faces="largest")
    )
    largest.update(image, 0.0)
    assert largest.tally.left_out == 0
