"""Does a filter know how sure it may be? Normalised errors against their chi-square bands.

NEES and NIS are divided by their dimensions: 1 where the filter is right.
"""

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from tracker.gaussian import squared_mahalanobis

from .recordings import Covariances2D, Track2D


def normalised_error(track: Track2D, covariance: Covariances2D, truth: Track2D) -> float:
    """NEES: mean squared Mahalanobis distance to the truth, over 2."""
    squared = squared_mahalanobis(track - truth, covariance)
    return float(np.nanmean(squared) / 2)


def band(frames: int, dimensions: int = 2, share: float = 0.95) -> tuple[float, float]:
    """Where the mean over so many independent frames, over the dimensions, lies so probably.

    Landmarks of one frame are not independent, they share a crop: they count as one.
    """
    freedom = frames * dimensions
    low, high = chi2.ppf([(1 - share) / 2, (1 + share) / 2], freedom) / freedom
    return float(low), float(high)


def is_inside(mean: float, frames: int, dimensions: int = 2) -> bool:
    """Whether a mean over frames lies in its band of 95 %."""
    low, high = band(frames, dimensions)
    return low <= mean <= high


def lag_one_correlation(innovations: Float[np.ndarray, "frames landmarks xy=2"]) -> float:
    """Of neighbouring innovations: 0 where the filter uses all there is, above it lags behind."""
    products = innovations[1:] * innovations[:-1]
    both = np.isfinite(products)
    power = (np.square(innovations[1:][both]).mean() + np.square(innovations[:-1][both]).mean()) / 2
    return float(products[both].mean() / power) if both.any() else np.nan
