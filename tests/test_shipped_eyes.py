"""The shipped network of the eyes finds the demo's pupils, and sees eyes shut."""

from collections.abc import Iterator

import numpy as np
import pytest

from models.export_eyes import MOST_EYE_PX, largest_difference_of_eyes
from models.eye_reader import EYES, OnnxEyeReader, load_eye_reader
from models.eye_weights import load_eye_weights
from models.onnx_session import file_digest
from tracker.analysis.eye_reading import EyesRead, eye_corners, read_between_corners
from tracker.types import Image
from train.synthetic import portrait_face
from train.synthetic.eyelid import eyelids

FACE = portrait_face()


@pytest.fixture(scope="module")
def reader() -> Iterator[OnnxEyeReader]:
    with load_eye_reader() as opened:
        yield opened


def read(reader: OnnxEyeReader, image: Image) -> EyesRead:
    corners = eye_corners(FACE.points, FACE.layout)
    assert corners is not None
    (eyes,) = read_between_corners(image, [corners], reader)
    return eyes


def darkest(image: Image, corners: np.ndarray) -> np.ndarray:
    """Middle of the darkest twentieth of an eye: of its pupil and iris."""
    left, right = np.sort(corners[:, 0])
    middle, width = corners[:, 1].mean(), right - left
    rows = slice(round(middle - 0.2 * width), round(middle + 0.2 * width))
    columns = slice(round(left + 0.15 * width), round(right - 0.15 * width))
    grey = image[rows, columns].mean(-1)
    down, across = np.nonzero(grey <= np.quantile(grey, 0.05))
    return np.array([across.mean() + columns.start, down.mean() + rows.start])


def test_pupils_are_where_the_eyes_are_darkest(reader: OnnxEyeReader) -> None:
    eyes = read(reader, FACE.image)
    corners = eye_corners(FACE.points, FACE.layout)
    assert corners is not None
    for pupil, around in zip(eyes.pupil, corners, strict=True):
        width = np.linalg.norm(around[1] - around[0])
        assert np.linalg.norm(pupil - darkest(FACE.image, around)) < 0.12 * width
    assert (np.linalg.eigvalsh(eyes.pupil_covariance) > 0).all()


def test_open_eyes_are_open_and_shut_eyes_shut(reader: OnnxEyeReader) -> None:
    shut = FACE.image.copy()
    lids = eyelids(FACE)
    assert len(lids) == 2
    for lid in lids:
        lid.apply_once(shut, 1.0)
    assert (read(reader, FACE.image).shut < 0.25).all()
    assert (read(reader, shut).shut > 0.6).all()


def test_a_mirror_swaps_the_eyes(reader: OnnxEyeReader) -> None:
    eyes = read(reader, FACE.image)
    mirrored = FACE.mirrored
    corners = eye_corners(mirrored.points, mirrored.layout)
    assert corners is not None
    (swapped,) = read_between_corners(mirrored.image, [corners], reader)
    width = FACE.image.shape[1] - 1
    expected = np.stack([width - eyes.pupil[::-1, 0], eyes.pupil[::-1, 1]], -1)
    np.testing.assert_allclose(swapped.pupil, expected, atol=0.2)


def test_the_shipped_files_are_of_each_other_and_of_the_card() -> None:
    weights = EYES.with_suffix(".safetensors")
    network, _ = load_eye_weights(weights)
    assert largest_difference_of_eyes(network, EYES) <= MOST_EYE_PX
    card = EYES.with_suffix(".md").read_text(encoding="utf-8")
    assert f"SHA-256: `{file_digest(EYES)}`" in card
    assert file_digest(weights).encode() in EYES.read_bytes()
    assert EYES.stat().st_size < 300_000
