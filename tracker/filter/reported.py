"""What is reported of a filter's state: landmarks with their uncertainty against the truth."""

import numpy as np
from jaxtyping import Float

from ..types import LandmarkEstimate, Measurement
from .head_filter import HeadFilter
from .state import HeadState


def reported(
    state: HeadState, last: list[Measurement], head_filter: HeadFilter
) -> list[LandmarkEstimate]:
    """One estimate a face: the filter's covariance plus what no filter takes out.

    Args:
        state: Of some faces.
        last: The last measurement of each of them.
        head_filter: Of the state.

    Returns:
        Arrays of their own: changing them does not change the state.
    """
    covariances = head_filter.covariance(state)
    covariances += lasting_covariance(last)
    return list(map(LandmarkEstimate, state.points.copy(), covariances))


def lasting_covariance(
    last: list[Measurement],
) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
    """The share of the absolute covariance that is the network's own bias, square pixels."""
    absolute = np.array([measurement.landmarks.covariance for measurement in last])
    noise = np.array([measurement.measurement_noise for measurement in last])
    bias = np.maximum(1 - _traces(noise) / _traces(absolute), 0)
    absolute *= bias[..., None, None]
    return absolute


def _traces(covariance: np.ndarray) -> Float[np.ndarray, "faces landmarks"]:
    traces: np.ndarray = covariance[..., 0, 0] + covariance[..., 1, 1]
    return traces
