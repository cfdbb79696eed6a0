"""Pseudo-labels: YuNet and our landmark network where they agree."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from models.calibrated_landmarker import CalibratedLandmarker
from tracker.crop import inverse_affine, transform, warp_crop
from tracker.types import Image

from .face_labels import (
    Labels,
    Regions,
    label_of_landmarks,
    label_of_yunet,
    no_labels,
    roll_of,
    similarity,
)

_CANDIDATE, _SURE = 0.3, 0.75
"""YuNet's scores: below the first nothing is there, from the second on it is a face."""
_AGREE, _AGREE_SIDE = 0.2, 0.25
"""Largest difference of the two squares' centres in sides, and of the logs of their sides."""
_LANDMARKS_FROM_PX = 36.0
"""Smaller faces are left to YuNet alone."""
_VERY_SURE = 0.88
"""Enough without the landmark network: it was not trained on profiles."""
_LARGEST_SIDE_PX = 640


class FaceLabeller:
    """Labels the faces of pictures.

    Args:
        yunet: OpenCV's `face_detection_yunet_*.onnx`.
        landmarker: Finds the 68 landmarks of 300W.
    """

    def __init__(self, yunet: Path, landmarker: CalibratedLandmarker) -> None:
        self._yunet = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320), _CANDIDATE, 0.3, 5000)
        self._landmarker = landmarker

    def __call__(self, image: Image, scales: tuple[float, ...] = (1.0,)) -> tuple[Labels, Regions]:
        """Faces, and squares that may hold one.

        Args:
            image: The picture.
            scales: At which YuNet sees it; the finds of the later ones only add.
        """
        labels: list[np.ndarray] = []
        doubtful: list[np.ndarray] = []
        for found in self._look(image, scales):
            label, agreed = self._refined(image, label_of_yunet(found))
            sure = found[14] >= (_SURE if agreed else _VERY_SURE)
            rivals = labels if sure else labels + doubtful
            if not any(_same(label, other) for other in rivals):
                (labels if sure else doubtful).append(label)
        doubtful = [one for one in doubtful if not any(_same(one, other) for other in labels)]
        regions = np.stack([d[:3] for d in doubtful]) if doubtful else np.zeros((0, 3))
        return np.stack(labels) if labels else no_labels(), regions.astype(np.float32)

    def _look(self, image: Image, scales: tuple[float, ...]) -> list[np.ndarray]:
        rows: list[np.ndarray] = []
        most = _LARGEST_SIDE_PX * 2 / max(image.shape[:2])
        for scale in (min(wanted, most) for wanted in scales):
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            seen = cv2.cvtColor(cv2.resize(image, size), cv2.COLOR_RGB2BGR)
            # A border lets it find faces that the picture cuts.
            border = max(size) // 5
            seen = cv2.copyMakeBorder(seen, *4 * (border,), cv2.BORDER_CONSTANT)
            self._yunet.setInputSize(seen.shape[1::-1])
            found = self._yunet.detect(seen)[1]
            for row in found if found is not None else []:
                row[[0, 1, *range(4, 14)]] -= border
                row[:14] /= scale
                rows.append(row)
        return sorted(rows, key=lambda row: -row[14])

    def _refined(
        self, image: Image, label: Float[np.ndarray, "9"]
    ) -> tuple[Float[np.ndarray, "9"], bool]:
        """The label by landmarks where they agree with it, and whether they do."""
        if label[2] < _LANDMARKS_FROM_PX:
            return label, True
        size, middle = self._landmarker.input_px, (self._landmarker.input_px - 1) / 2
        matrix = np.eye(3, dtype=np.float32)
        scale = size / (label[2] * self._landmarker.margin)
        matrix[:2] = similarity(scale, -roll_of(label), (label[0], label[1]), (middle, middle))
        answer = self._landmarker(warp_crop(image, matrix, size)[None])
        ours = label_of_landmarks(transform(inverse_affine(matrix), answer.mean[0]))
        near = np.hypot(*(ours[:2] - label[:2])) <= _AGREE * label[2]
        alike = abs(np.log(ours[2] / label[2])) <= _AGREE_SIDE
        turn = abs((roll_of(ours) - roll_of(label) + 180) % 360 - 180)
        agreed = bool(near and alike and turn < 15 and answer.confidence[0] > 0.5)
        return (ours if agreed else label), agreed


def _same(one: Float[np.ndarray, "9"], other: Float[np.ndarray, "9"]) -> bool:
    distance = float(np.hypot(*(one[:2] - other[:2])))
    return distance < 0.5 * max(one[2], other[2])
