"""How well covariances fit errors: likelihood, Mahalanobis distance, coverage, LUVLi's bins."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tracker.gaussian import CHI_SQUARE_2, squared_mahalanobis
from tracker.layouts import Layout

ENTRIES = {"xx": (0, 0), "yy": (1, 1), "xy": (0, 1)}
_BINS = 50
_DROPPED = 0.1
"""Share of the greatest predictions that LUVLi leaves out."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Errors, and the covariances predicted for them, in one unit."""

    error: Float[np.ndarray, "crops landmarks xy=2"]
    covariance: Float[np.ndarray, "crops landmarks xy=2 xy=2"]

    def part(self, landmarks: Bool[np.ndarray, " landmarks"]) -> "Predictions":
        """Those of some landmarks."""
        return Predictions(self.error[:, landmarks], self.covariance[:, landmarks])


@dataclass(frozen=True, slots=True)
class CovarianceScores:
    """How well predictions fit."""

    nats: float
    """Mean negative log-likelihood per landmark."""
    half_squared: float
    """Mean d^2 / 2 of the Mahalanobis distance d: 1 where the covariance is right."""
    coverage_percent: dict[str, float]
    """Share of the annotations inside the ellipse of each probability, in percent."""
    sharpness: float
    """Mean sqrt|R|, square pixels of the crop: smaller is better, the rest being equal."""


@dataclass(frozen=True, slots=True)
class Bins:
    """One entry of the covariance: predicted against observed, in groups of equal size."""

    predicted: Float[np.ndarray, " bins"]
    """Mean of the predicted entry."""
    observed: Float[np.ndarray, " bins"]
    """Mean of the same entry of error times error transposed."""

    @property
    def correlation(self) -> float:
        """Pearson's r."""
        return float(np.corrcoef(self.predicted, self.observed)[0, 1])

    @property
    def slope(self) -> float:
        """Of the straight line through the bins; 1 where predictions are right."""
        return float(np.polyfit(self.predicted, self.observed, 1)[0])


def scores(predictions: Predictions) -> CovarianceScores:
    """Over all landmarks of all crops."""
    squared = squared_mahalanobis(predictions.error, predictions.covariance)
    area = np.sqrt(np.linalg.det(predictions.covariance))
    return CovarianceScores(
        nats=float((squared / 2 + np.log(2 * np.pi * area)).mean()),
        half_squared=float(squared.mean() / 2),
        coverage_percent={
            f"{100 * share:g}": float(100 * (squared <= radius).mean())
            for share, radius in CHI_SQUARE_2.items()
        },
        sharpness=float(area.mean()),
    )


def by_part(predictions: Predictions, layout: Layout) -> dict[str, CovarianceScores]:
    """The scores of every outline, and of the landmarks that are on none."""
    return {name: scores(predictions.part(member)) for name, member in _parts(layout)}


def _parts(layout: Layout) -> Iterator[tuple[str, Bool[np.ndarray, " landmarks"]]]:
    others = np.ones(layout.count, bool)
    for outline in layout.outlines:
        member = np.zeros(layout.count, bool)
        member[list(outline.members)] = True
        others &= ~member
        yield outline.name, member
    if others.any():
        yield "others", others


def bins(predictions: Predictions) -> dict[str, Bins]:
    """Every entry of the covariance, predicted against observed.

    Source:
        LUVLi (Kumar et al. 2020), whose code leaves out the greatest tenth of the predictions.
    """
    observed = predictions.error[..., :, None] * predictions.error[..., None, :]
    return {name: _binned(predictions.covariance[..., *at], observed[..., *at])
            for name, at in ENTRIES.items()}  # fmt: skip


def _binned(
    predicted: Float[np.ndarray, "crops landmarks"], observed: Float[np.ndarray, "crops landmarks"]
) -> Bins:
    order = predicted.argsort(axis=None, kind="stable")
    groups = np.array_split(order[: round(len(order) * (1 - _DROPPED))], _BINS)
    means = [(predicted.flat[group].mean(), observed.flat[group].mean()) for group in groups]
    return Bins(*np.array(means).T)
