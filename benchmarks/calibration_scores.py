"""How true covariances are: likelihood, distances, coverage, and LUVLi's bins."""

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
class Claims:
    """Errors, and the covariances that were claimed for them, in one unit."""

    error: Float[np.ndarray, "looks landmarks xy=2"]
    covariance: Float[np.ndarray, "looks landmarks xy=2 xy=2"]

    def part(self, landmarks: Bool[np.ndarray, " landmarks"]) -> "Claims":
        """Those about some of the landmarks."""
        return Claims(self.error[:, landmarks], self.covariance[:, landmarks])


@dataclass(frozen=True, slots=True)
class Scores:
    """How true they were."""

    nats: float
    """Mean negative log-likelihood per landmark."""
    half_squared: float
    """Mean d^2 / 2: 1 where they are true."""
    coverage_percent: dict[str, float]
    """Share of the truths inside the ellipse of each probability, in percent."""
    sharpness: float
    """Mean sqrt|R|, square pixels of the crop: less is more, where the rest is equal."""


@dataclass(frozen=True, slots=True)
class Bins:
    """One entry of the covariance: what was predicted against what came, in equal groups."""

    predicted: Float[np.ndarray, " bins"]
    """Mean of the predicted entry."""
    came: Float[np.ndarray, " bins"]
    """Mean of the same entry of error times error transposed."""

    @property
    def correlation(self) -> float:
        """Pearson's r."""
        return float(np.corrcoef(self.predicted, self.came)[0, 1])

    @property
    def slope(self) -> float:
        """Of the straight line through the bins; 1 where predictions are true."""
        return float(np.polyfit(self.predicted, self.came, 1)[0])


def scores(claims: Claims) -> Scores:
    """Over all landmarks of all looks."""
    squared = squared_mahalanobis(claims.error, claims.covariance)
    area = np.sqrt(np.linalg.det(claims.covariance))
    return Scores(
        nats=float((squared / 2 + np.log(2 * np.pi * area)).mean()),
        half_squared=float(squared.mean() / 2),
        coverage_percent={
            f"{100 * share:g}": float(100 * (squared <= radius).mean())
            for share, radius in CHI_SQUARE_2.items()
        },
        sharpness=float(area.mean()),
    )


def by_part(claims: Claims, layout: Layout) -> dict[str, Scores]:
    """The scores of every outline, and of the landmarks that are on none."""
    return {name: scores(claims.part(member)) for name, member in _members(layout)}


def _members(layout: Layout) -> Iterator[tuple[str, Bool[np.ndarray, " landmarks"]]]:
    alone = np.ones(layout.count, bool)
    for outline in layout.outlines:
        member = np.zeros(layout.count, bool)
        member[list(outline.members)] = True
        alone &= ~member
        yield outline.name, member
    if alone.any():
        yield "others", alone


def bins(claims: Claims) -> dict[str, Bins]:
    """Every entry of the covariance, predicted against what came.

    Source:
        LUVLi (Kumar et al. 2020), whose code leaves out the greatest tenth of the predictions.
    """
    came = claims.error[..., :, None] * claims.error[..., None, :]
    return {name: _binned(claims.covariance[..., *at], came[..., *at])
            for name, at in ENTRIES.items()}  # fmt: skip


def _binned(
    predicted: Float[np.ndarray, "looks landmarks"], came: Float[np.ndarray, "looks landmarks"]
) -> Bins:
    order = predicted.argsort(axis=None, kind="stable")
    groups = np.array_split(order[: round(len(order) * (1 - _DROPPED))], _BINS)
    means = [(predicted.flat[group].mean(), came.flat[group].mean()) for group in groups]
    return Bins(*np.array(means).T)
