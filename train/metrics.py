"""How far off landmarks are, in the field's own terms."""

import numpy as np
from jaxtyping import Float

from tracker.layouts import Layout


def normalised_mean_error(
    predicted: Float[np.ndarray, "faces landmarks xy=2"],
    truth: Float[np.ndarray, "faces landmarks xy=2"],
    layout: Layout,
) -> Float[np.ndarray, " faces"]:
    """Mean distance of each face over its inter-ocular distance; times 100 for per cent."""
    error = np.linalg.norm(predicted - truth, axis=-1).mean(-1)
    return error / layout.interocular(truth)


def failure_rate(nme: Float[np.ndarray, " faces"], threshold: float) -> float:
    """Share of faces whose error is beyond the threshold."""
    return float((nme > threshold).mean())
