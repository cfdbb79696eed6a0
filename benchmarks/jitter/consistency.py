"""Whether a filter's covariance fits its errors: NEES and NIS against their chi-square bands.

Both are divided by their dimensions: 1 where the covariance is right.
"""

import numpy as np
from scipy.stats import chi2

from tracker.gaussian import squared_mahalanobis
from tracker.run.stability import Track2D

from .recordings import Covariances2D


def nees(track: Track2D, covariance: Covariances2D, truth: Track2D) -> float:
    """Normalised estimation error squared, over 2, the mean over landmarks and frames."""
    return float(np.nanmean(squared_mahalanobis(track - truth, covariance)) / 2)


def is_inside(mean: float, frames: int, dimensions: int = 2, share: float = 0.95) -> bool:
    """Whether the mean over independent frames lies in the band that holds it with probability.

    Landmarks of one frame are not independent, they share a crop: they count as one.
    """
    freedom = frames * dimensions
    low, high = chi2.ppf([(1 - share) / 2, (1 + share) / 2], freedom) / freedom
    return bool(low <= mean <= high)
