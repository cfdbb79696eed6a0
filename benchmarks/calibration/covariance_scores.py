"""How well covariances fit errors: likelihood, Mahalanobis distance, coverage."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tracker.gaussian import CHI_SQUARE_2, squared_mahalanobis
from tracker.layouts import Layout


@dataclass(frozen=True, slots=True)
class CovarianceScores:
    """How well predicted covariances fit."""

    nats: float
    """Mean negative log-likelihood per landmark."""
    half_squared: float
    """Mean d^2 / 2 of the Mahalanobis distance d: 1 where the covariance is right."""
    coverage_percent: dict[str, float]
    """Share of the annotations inside the ellipse of each probability, in percent."""
    sharpness: float
    """Mean sqrt|R|, square pixels of the crop: smaller is better, the rest being equal."""


def scores(
    error: Float[np.ndarray, "crops landmarks xy=2"],
    covariance: Float[np.ndarray, "crops landmarks xy=2 xy=2"],
) -> CovarianceScores:
    """Over all landmarks of all crops; errors and covariances in pixels of the crop."""
    squared = squared_mahalanobis(error, covariance)
    area = np.sqrt(np.linalg.det(covariance))
    return CovarianceScores(
        nats=float((squared / 2 + np.log(2 * np.pi * area)).mean()),
        half_squared=float(squared.mean() / 2),
        coverage_percent={
            f"{100 * share:g}": float(100 * (squared <= radius).mean())
            for share, radius in CHI_SQUARE_2.items()
        },
        sharpness=float(area.mean()),
    )


def parts_of(layout: Layout) -> dict[str, Bool[np.ndarray, " landmarks"]]:
    """The landmarks of every outline, and "others" that are on none."""
    parts = {outline.name: np.zeros(layout.count, bool) for outline in layout.outlines}
    for outline in layout.outlines:
        parts[outline.name][list(outline.members)] = True
    others = ~np.any(list(parts.values()), axis=0)
    return parts | ({"others": others} if others.any() else {})
