"""How much a probability is worth: does it order the cases, and does it keep its word?"""

import numpy as np
from jaxtyping import Float


def auroc(score: Float[np.ndarray, " n"], truth: np.ndarray) -> float:
    """Probability that a true case scores higher than a false one (Mann and Whitney 1947)."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(len(score))
    positives = int(truth.sum())
    if not 0 < positives < len(score):
        return float("nan")
    smallest = (positives - 1) / 2
    return float((ranks[truth.astype(bool)].mean() - smallest) / (len(score) - positives))


def reliability_gap(
    confidence: Float[np.ndarray, " n"], truth: np.ndarray, bins: int = 10
) -> float:
    """Mean distance between what is said and what is so, over tenths of the confidence.

    Source:
        Expected calibration error: Naeini et al., AAAI 2015.
    """
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[number == k].mean() - truth[number == k].mean()) * (number == k).mean()
        for k in range(bins)
        if (number == k).any()
    ]
    return float(sum(gaps))
