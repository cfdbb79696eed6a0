"""Sensor, encoders and what passes in front of a face."""

import cv2
import numpy as np
import pytest
from test_synthetic import SMALL, film, perfect, plain_face

from tracker.types import Image
from train.synthetic import (
    CLIPS,
    PERFECT,
    ClipFormat,
    Kind,
    PhotographedFace,
    Sensor,
    make_clip,
    portrait_face,
    video_codec,
)
from train.synthetic.codec import reencoded
from train.synthetic.surround import surrounded


@pytest.mark.parametrize("noise", [1.0, 3.0, 8.0])
def test_noise_is_as_strong_as_asked_and_new_in_each_frame(noise: float) -> None:
    kind = Kind(sensor=Sensor(noise=noise))
    frames = film(make_clip(kind, plain_face(grey=128), 1, 1.0, camera=SMALL)).astype(float)
    rounding = 1 / 12
    assert frames.std() == pytest.approx(np.sqrt(noise**2 + rounding), rel=0.02)
    assert frames.mean() == pytest.approx(128, abs=0.05)
    one, next_one = frames[0].ravel() - 128, frames[1].ravel() - 128
    assert abs(np.corrcoef(one, next_one)[0, 1]) < 0.01


def test_a_stop_less_is_half_the_light() -> None:
    kind = Kind(sensor=Sensor(noise=0, shutter_s=0, stops=lambda _: -1.0))
    (grey,) = np.unique(film(make_clip(kind, plain_face(grey=200), 1, 0.1, camera=SMALL)))
    assert (grey / 200) ** 2.2 == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", ["jpeg", "compressed"])
def test_encoding_keeps_every_frame_in_its_place(kind: str) -> None:
    encoding = CLIPS[kind].sensor.encoding
    motion = CLIPS["pan"].motion
    sensor = Sensor(noise=0, shutter_s=0, encoding=encoding)
    coded = make_clip(Kind(motion=motion, sensor=sensor), portrait_face(), 1, 1.0, camera=SMALL)
    plain = make_clip(Kind(motion=motion, sensor=PERFECT), portrait_face(), 1, 1.0, camera=SMALL)
    assert coded.encoding == ("JPEG quality 70" if kind == "jpeg" else video_codec().name)
    assert plain.encoding == ""
    before, after = (film(clip)[:, ::4, ::4, 1].astype(float) for clip in (plain, coded))
    error = np.abs(before[:, None] - after[None]).mean((2, 3))
    assert error.argmin(1).tolist() == list(range(30))
    assert 0.2 < np.diag(error).mean() < 8


def test_the_codec_is_named_honestly() -> None:
    assert (video_codec().name, video_codec().code) in {
        ("H.264", "avc1"),
        ("MPEG-4 Part 2", "mp4v"),
    }


def test_an_encoder_gives_back_as_many_frames_as_it_got() -> None:
    images = [np.full((64, 96, 3), grey, np.uint8) for grey in range(0, 250, 10)]
    back = list(reencoded(images, 25.0, (96, 64)))
    assert [round(float(image.mean()), -1) for image in back] == list(range(0, 250, 10))


def dotted(face: PhotographedFace) -> PhotographedFace:
    """White spots on every landmark, four pixels wide."""
    image = face.image.copy()
    for point in np.round(face.points * 16).astype(int).tolist():
        cv2.circle(image, point, 2 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return PhotographedFace(image, face.points, face.layout)


def brightness_at(image: Image, points: np.ndarray) -> np.ndarray:
    places = points.astype(np.float32)[None]
    return cv2.remap(image, places, np.empty(0), cv2.INTER_LINEAR)[0, :, 1]


@pytest.mark.parametrize("kind", ["occluder", "crossing"])
def test_a_landmark_is_flagged_hidden_where_something_covers_it(kind: str) -> None:
    other = PhotographedFace(
        np.full((300, 256, 3), 60, np.uint8), plain_face().points, plain_face().layout
    )
    clip = make_clip(
        perfect(kind), dotted(plain_face()), 1, 6.0, camera=ClipFormat(fps=10), other=other
    )
    shown = np.stack(
        [
            brightness_at(image, truth) > 140
            for image, truth in zip(film(clip), clip.truth[:, 0], strict=True)
        ]
    )
    visible = clip.visible[:, 0]
    assert 0.02 < (~visible).mean() < 0.6
    assert (shown == visible).mean() > 0.99


def test_who_crosses_is_covered_by_nobody_and_starts_and_ends_outside() -> None:
    clip = make_clip("crossing", plain_face(), 1, 6.0)
    assert clip.truth.shape[1] == 2
    passer = clip.truth[:, 1]
    inside = ((passer >= 0) & (passer <= [639, 479])).all(-1)
    assert np.array_equal(clip.visible[:, 1], inside)
    assert not inside[[0, -1]].any()
    np.testing.assert_allclose(np.diff(passer, n=2, axis=0), 0, atol=1e-9)
    assert clip.visible[[0, -1], 0].all()


def test_beyond_the_photograph_goes_what_is_at_its_edge_without_a_seam() -> None:
    image = portrait_face().image
    wide = surrounded(image, (50, 60, 70, 80))
    assert wide.shape == (600 + 110, 512 + 150, 3)
    inner = wide[50:-60, 70:-80]
    assert np.array_equal(inner[10:-10, 10:-10], image[10:-10, 10:-10])
    sky = surrounded(np.full((40, 40, 3), 90, np.uint8), (300, 0, 0, 300))
    assert np.unique(sky).tolist() == [90]
