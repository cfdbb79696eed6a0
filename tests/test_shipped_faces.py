"""The shipped face detector finds the demo's portrait at any roll, and nothing in patterns."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.export_faces import MOST_PX, largest_difference_px
from models.face_detector import FaceDetector
from models.face_loading import FACES, load_face_detector
from models.face_weights import load_face_weights
from models.onnx_landmarker import SOURCE_KEY, file_digest
from tracker.io.simulated_camera import portrait
from train.detector.face_labels import label_of_landmarks, roll_of, similarity, transformed
from train.synthetic import portrait_face

LABEL = label_of_landmarks(portrait_face().points)[None]
"""Of the portrait; its landmarks were set by hand and by another network."""


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return load_face_detector(threads=1)


def shown(side: float, roll_deg: float, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The portrait with a face of some side, turned, in the middle of a picture; and its label."""
    x, y, own = LABEL[0, :3]
    middle = (size[0] / 2, size[1] / 2)
    matrix = similarity(side / own, roll_deg - roll_of(LABEL[0]), (x, y), middle)
    sigma = max(0.4 * own / side, 0.01)
    smooth = cv2.GaussianBlur(portrait(), (0, 0), sigma) if side < own else portrait()
    return cv2.warpAffine(smooth, matrix, size, flags=cv2.INTER_LINEAR), transformed(LABEL, matrix)


@pytest.mark.parametrize("roll_deg", [-150, -90, -45, 0, 45, 90, 135, 180])
@pytest.mark.parametrize("side", [30, 120])
def test_the_portrait_is_found_at_any_roll(
    detector: FaceDetector, roll_deg: float, side: float
) -> None:
    image, (label,) = shown(side, roll_deg, (640, 360))
    face = max(detector(image), key=lambda found: found.score)
    assert np.hypot(face.center_x - label[0], face.center_y - label[1]) < 0.2 * side
    assert 0.75 < face.side / side < 1.33
    assert abs((face.roll_deg - roll_deg + 180) % 360 - 180) < 40


@pytest.mark.parametrize("side", [16, 20, 60, 300])
def test_the_portrait_is_found_at_any_size(detector: FaceDetector, side: float) -> None:
    image, (label,) = shown(side, 0, (640, 480))
    (face,) = detector(image)
    assert np.hypot(face.center_x - label[0], face.center_y - label[1]) < 0.25 * side
    assert 0.7 < face.side / side < 1.4


def test_a_small_face_of_a_large_picture_is_found_when_looked_for_thoroughly(
    detector: FaceDetector,
) -> None:
    image, (label,) = shown(24, 0, (2560, 1440))
    (face,) = detector(image, thorough=True)
    assert np.hypot(face.center_x - label[0], face.center_y - label[1]) < 8


@pytest.mark.parametrize("kind", ["black", "grey", "white", "noise", "blocks", "ramp", "stripes"])
def test_patterns_hold_no_face(detector: FaceDetector, kind: str, rng: np.random.Generator) -> None:
    y, x = np.mgrid[:360, :640]
    blocks = rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)
    picture = {
        "black": np.zeros((360, 640, 3)),
        "grey": np.full((360, 640, 3), 128),
        "white": np.full((360, 640, 3), 255),
        "noise": rng.integers(0, 256, (360, 640, 3)),
        "blocks": cv2.resize(blocks, (640, 360), interpolation=cv2.INTER_NEAREST),
        "ramp": np.repeat((x * 255 / 639)[..., None], 3, 2),
        "stripes": np.repeat((255 * ((x // 20 + y // 20) % 2))[..., None], 3, 2),
    }[kind]
    assert detector(picture.astype(np.uint8), thorough=True) == []


def test_the_shipped_files_are_of_each_other_and_of_the_card() -> None:
    weights = FACES.with_suffix(".safetensors")
    network, info = load_face_weights(weights)
    with load_face_detector() as detector:
        assert detector.found_from == info.found_from
    assert largest_difference_px(network, FACES) <= MOST_PX
    card = FACES.with_suffix(".md").read_text(encoding="utf-8")
    assert f"SHA-256: `{file_digest(FACES)}`" in card
    assert file_digest(weights).encode() in FACES.read_bytes()
    assert SOURCE_KEY.encode() in FACES.read_bytes()


def test_the_file_is_small() -> None:
    assert FACES.stat().st_size < 1.5e6
    assert Path(FACES.with_suffix(".safetensors")).stat().st_size < 1e6


def test_a_small_picture_seen_doubled_has_no_faces_smaller_than_the_network_was_trained_on(
    detector: FaceDetector,
) -> None:
    (face,) = detector(portrait()[::3, ::3].copy(), thorough=True)  # a patch of the suit
    assert face.side == pytest.approx(LABEL[0, 2] / 3, rel=0.15)
