"""The base of all back ends: moments of heat maps become calibrated Gaussians."""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from .covariance_law import by_spread_laws
from .description import CheckpointError, CheckpointInfo

if TYPE_CHECKING:  # it needs ONNX Runtime, which PyTorch does without
    from .face_detector import FaceDetector

_TYPICAL_NOISE = 0.0015
"""Standard deviation of uncalibrated landmarks from frame to frame, in crop sides."""
_PRESENT_IS_NOT_RIGHT = 2.1
"""Without a head of confidence, the log-odds that there is a face count this much less: landmarks
may be wrong on it. So the tracker's thresholds refuse what they refused before there were such
heads: a presence of 0.3 is a confidence of 0.05."""


class CropMoments(NamedTuple):
    """First and second moments of the heat maps of a batch of crops, in crop pixels."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    """Their covariance, uncalibrated."""
    peak: Float[np.ndarray, "faces landmarks"]
    """Share of each map's mass in its strongest cell."""
    log_odds: Float[np.ndarray, " faces"] | None = None
    """As in `models.face_heads`, where the network has such heads."""
    descriptor: Float[np.ndarray, "faces descriptor"] | None = None


@dataclass(frozen=True, slots=True)
class CropEstimates:
    """The network's answer for a batch of crops: a `tracker.landmarker.CropLandmarks`."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    measurement_noise: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    confidence: Float[np.ndarray, " faces"]
    descriptor: Float[np.ndarray, "faces descriptor"] | None = None


class OneProcess:
    """Where a network was loaded that cannot follow into a forked process.

    Pickled, as `spawn` hands it over, it is at home in the process that unpickles it.
    """

    def __init__(self) -> None:
        self._number = os.getpid()

    def check(self) -> None:
        """See that this is the process.

        Raises:
            CheckpointError: If it is a forked one.
        """
        if os.getpid() != self._number:
            raise CheckpointError(
                "a network that PyTorch runs cannot be used in a forked process: load it there, or "
                "start processes by multiprocessing's 'spawn'"
            )

    def __reduce__(self) -> tuple[type["OneProcess"], tuple[()]]:
        return OneProcess, ()


class CalibratedLandmarker(ABC):
    """A `tracker.landmarker.Landmarker` of a weight file, whichever back end runs its network."""

    def __init__(self, info: CheckpointInfo) -> None:
        self.info = info

    @property
    def layout_name(self) -> str:
        return self.info.layout

    @property
    def layout_table(self) -> dict[str, Any]:
        return self.info.layout_table

    @property
    def input_px(self) -> int:
        return self.info.input_px

    @property
    def antialiased(self) -> bool:
        return self.info.antialiased

    @property
    def margin(self) -> float:
        return self.info.margin

    @property
    def horizontal_bias(self) -> float:
        return self.info.horizontal_bias

    def load_face_detector(self) -> "FaceDetector":
        """What finds faces for the network: it is a `tracker.landmarker.BringsDetector`."""
        from .face_loading import load_face_detector  # noqa: PLC0415 - one's own needs none

        return load_face_detector()

    def __call__(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropEstimates:
        """Landmarks with calibrated covariances.

        Args:
            crops: RGB, `input_px` on each side.

        Returns:
            Means in crop pixels (the centre of the top-left pixel is (0, 0)), covariances in
            square crop pixels, the probability that the landmarks lie on a face of the crop, and
            who it is like.
        """
        return calibrated(self.raw(crops), self.info)

    @abstractmethod
    def raw(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropMoments:
        """Uncalibrated moments of the heat maps, in crop pixels."""


def calibrated(moments: CropMoments, info: CheckpointInfo) -> CropEstimates:
    """Apply the calibration of a weight file to moments of heat maps.

    Without one the raw spread stands for the absolute covariance, a typical constant for
    the measurement noise, and confidence is unknown (NaN).
    """
    calibration, input_px = info.calibration, info.input_px
    mean, spread, peak, log_odds, descriptor = moments
    if calibration is None:
        noise = np.broadcast_to((_TYPICAL_NOISE * input_px) ** 2 * np.eye(2), spread.shape)
        return CropEstimates(mean, spread, noise, np.full(len(mean), np.nan), descriptor)
    if log_odds is None:
        present = presence_evidence(mean, spread, peak) @ np.asarray(calibration.presence)
        log_odds = present - _PRESENT_IS_NOT_RIGHT
    absolute, noise = by_spread_laws(
        spread, (calibration.absolute, calibration.measurement_noise), input_px, log_odds
    )
    return CropEstimates(
        mean,
        absolute,
        noise,
        1 / (1 + np.exp(-np.clip(log_odds, -30, 30))),
        descriptor,
    )


def presence_evidence(
    mean: Float[np.ndarray, "faces landmarks xy=2"],
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    peak: Float[np.ndarray, "faces landmarks"],
) -> Float[np.ndarray, "faces evidence=4"]:
    """Features of the logistic model of presence: 1, log spread, log peak, log shape size."""
    extent = np.sqrt(np.square(mean - mean.mean(1, keepdims=True)).sum(-1).mean(-1))
    log_spread = np.log(np.trace(spread, axis1=-2, axis2=-1) / 2).mean(-1) / 2
    ones = np.ones(len(mean))
    return np.stack([ones, log_spread, np.log(peak + 1e-6).mean(-1), np.log(extent + 1e-6)], -1)
