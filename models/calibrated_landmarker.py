"""What every back end shares: moments of heat maps become Gaussians that mean what they say."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from .covariance_law import Pairs, SpreadLaw, by_pairs, by_spread_law
from .description import CheckpointInfo

_TYPICAL_NOISE = 0.0015
"""Standard deviation of uncalibrated landmarks from frame to frame, in crop sides."""


class CropMoments(NamedTuple):
    """What the heat maps of a batch of crops say by themselves, in crop pixels."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    """Their covariance, uncalibrated."""
    peak: Float[np.ndarray, "faces landmarks"]
    """Share of each map's mass in its strongest cell."""


@dataclass(frozen=True, slots=True)
class CropEstimates:
    """The network's answer for a batch of crops: a `tracker.landmarker.CropLandmarks`."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    measurement_noise: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    confidence: Float[np.ndarray, " faces"]


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

    def __call__(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropEstimates:
        """Landmarks in crop pixels, their covariances, and whether there is a face."""
        return calibrated(self.raw(crops), self.info)

    @abstractmethod
    def raw(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropMoments:
        """What the heat maps say, uncalibrated."""


def calibrated(moments: CropMoments, info: CheckpointInfo) -> CropEstimates:
    """Turn the spreads of heat maps into covariances that mean what they say.

    Without a calibration the raw spread stands for the absolute covariance, a typical constant for
    the measurement noise, and confidence is unknown (NaN).
    """
    calibration, input_px = info.calibration, info.input_px
    mean, spread, peak = moments
    if calibration is None:
        noise = np.broadcast_to((_TYPICAL_NOISE * input_px) ** 2 * np.eye(2), spread.shape)
        return CropEstimates(mean, spread, noise, np.full(len(mean), np.nan))
    right, left = calibration.eye_corners
    eye_distance = np.linalg.norm(mean[:, left] - mean[:, right], axis=-1)
    evidence = presence_evidence(mean, spread, peak)
    log_odds = np.clip(evidence @ np.asarray(calibration.presence), -30, 30)
    return CropEstimates(
        mean,
        _scaled(spread, calibration.absolute, eye_distance, input_px),
        _scaled(spread, calibration.measurement_noise, eye_distance, input_px),
        1 / (1 + np.exp(-log_odds)),
    )


def _scaled(
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    law: SpreadLaw | Pairs,
    eye_distance: Float[np.ndarray, " faces"],
    input_px: int,
) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
    if isinstance(law, SpreadLaw):
        return by_spread_law(spread, law, input_px)
    return by_pairs(spread, law, eye_distance)


def presence_evidence(
    mean: Float[np.ndarray, "faces landmarks xy=2"],
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    peak: Float[np.ndarray, "faces landmarks"],
) -> Float[np.ndarray, "faces evidence=4"]:
    """What tells a face from a wall: 1, log spread, log peak, log size of the shape."""
    extent = np.sqrt(np.square(mean - mean.mean(1, keepdims=True)).sum(-1).mean(-1))
    log_spread = np.log(np.trace(spread, axis1=-2, axis2=-1) / 2).mean(-1) / 2
    ones = np.ones(len(mean))
    return np.stack([ones, log_spread, np.log(peak + 1e-6).mean(-1), np.log(extent + 1e-6)], -1)
