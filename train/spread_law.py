"""Fit the law from heat-map spread to covariance, and cross-validate it by photograph."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from torch import Tensor

from models.covariance_law import (
    SpreadLaw,
    by_spread_law,
    clipped_log_odds,
    level_and_stretch,
    part_means,
)

from .calibration_samples import CalibrationSamples

FOLDS = 5
_PRIOR_LEVEL, _PRIOR_SHAPE, _PRIOR_EXPONENTS = 3.0, 20.0, 10.0
"""Strength of the prior, in samples: landmarks are equally hard, their usual ellipses are round,
and R is S times a constant."""


_DEGREES = (2.1, 200.0)
"""Of freedom: from no covariance at all to a Gaussian."""

Covariances = Float[np.ndarray, "samples landmarks xy=2 xy=2"]
CovarianceRule = Callable[[CalibrationSamples], Covariances]
"""Covariances by what a network says, without a look at the errors."""


def cross_validated_covariances(
    observed: CalibrationSamples,
    fit: Callable[[CalibrationSamples], CovarianceRule],
    folds: int = FOLDS,
) -> Covariances:
    """The covariance of every sample by a fit on the folds without its photograph.

    Args:
        observed: Errors and spreads.
        fit: Makes a rule of the samples of the other folds.
        folds: How many.
    """
    fold = fold_of(observed.photograph, folds)
    covariance = np.empty_like(observed.spread)
    for number in np.unique(fold):
        inside = fold == number
        covariance[inside] = fit(observed.part(~inside))(observed.part(inside))
    return covariance


def fold_of(
    photograph: Int[np.ndarray, " samples"], folds: int, seed: int = 0
) -> Int[np.ndarray, " samples"]:
    """The fold of each sample, the same for all of one photograph.

    Args:
        photograph: Its number, of each sample.
        folds: How many.
        seed: Of the shuffle.
    """
    photographs, index = np.unique(photograph, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(photographs))
    return order[index] % folds


def spread_rule(
    parts: tuple[tuple[int, ...], ...],
) -> Callable[[CalibrationSamples], CovarianceRule]:
    """A fit for `cross_validated_covariances` by `fit_law`."""

    def fit(samples: CalibrationSamples) -> CovarianceRule:
        law = fit_law(samples, parts)
        return lambda seen: by_spread_law(seen.spread, law, log_odds=seen.log_odds)

    return fit


def fit_law(observed: CalibrationSamples, parts: tuple[tuple[int, ...], ...]) -> SpreadLaw:
    """The maximum a posteriori law of the errors.

    Args:
        observed: Errors and spreads.
        parts: Landmarks of each part of the face, which share a spread.
    """
    level, stretch = level_and_stretch(observed.spread)
    usual_level, landmarks = float(level.mean()), level.shape[1]
    level = level - usual_level
    says = observed.log_odds
    log_odds = np.zeros(len(level)) if says is None else clipped_log_odds(says)
    usual_log_odds = float(log_odds.mean())
    means = (
        level,
        level @ part_means(parts, landmarks),
        level.mean(1, keepdims=True),
        (log_odds - usual_log_odds)[:, None],
    )
    features = [torch.from_numpy(np.broadcast_to(mean, level.shape).copy()) for mean in means]
    usual = torch.zeros(landmarks, 3, dtype=torch.float64)
    usual[:, 0] = float(np.log(np.square(observed.error).mean() + 1e-12))
    expected = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    error, stretched = torch.from_numpy(observed.error), torch.from_numpy(stretch)

    def cost(usual: Tensor, exponents: Tensor) -> Tensor:
        of_level = usual[:, 0] + sum(e * f for e, f in zip(exponents, features, strict=False))
        of_stretch = usual[:, 1:] + exponents[4] * stretched
        likely = _negative_log_likelihood(error, of_level, of_stretch)
        return likely + _negative_log_prior(usual, exponents - expected)

    _minimise(cost, usual, exponents := expected.clone())
    own, part, face, confidence, shape = exponents.tolist()
    rows = tuple((row[0], row[1], row[2]) for row in usual.tolist())
    return SpreadLaw(
        own=own,
        part=part,
        face=face,
        shape=shape,
        confidence=confidence,
        usual_level=usual_level,
        usual_log_odds=usual_log_odds,
        usual=rows,
        parts=parts,
    )


def degrees_of_freedom(squared: Float[np.ndarray, "samples landmarks"]) -> float:
    """Of the Student-t distribution that errors follow best: below ten, tails are heavy.

    Args:
        squared: Mahalanobis distances of errors by their covariances, squared.

    Source:
        The density of a bivariate t distribution of given covariance: Kotz, Nadarajah,
        "Multivariate t-distributions and their applications", 2004, section 1.1.
    """

    def cost(degrees: float) -> float:
        tails = (degrees + 2) / 2 * np.log1p(squared / (degrees - 2)).mean()
        return float(np.log((degrees - 2) / degrees) + tails)

    return float(minimize_scalar(cost, bounds=_DEGREES, method="bounded").x)


def _negative_log_prior(usual: Tensor, unexpected: Tensor) -> Tensor:
    """Less a constant."""
    level = usual[:, 0]
    alike = (level - level.mean()).square().sum()
    return (
        _PRIOR_LEVEL * alike
        + _PRIOR_SHAPE * usual[:, 1:].square().sum()
        + _PRIOR_EXPONENTS * unexpected.square().sum()
    ) / 2


def _negative_log_likelihood(error: Tensor, level: Tensor, stretch: Tensor) -> Tensor:
    """Sum over all errors, less a constant."""
    x, y = error.unbind(-1)
    half, xy = stretch.unbind(-1)
    radius = (half.square() + xy.square() + 1e-12).sqrt()
    # R^-1 = exp(-level) (cosh r I - sinh r / r stretch)
    along = half * (x.square() - y.square()) + 2 * xy * x * y
    squared = radius.cosh() * (x.square() + y.square()) - radius.sinh() / radius * along
    return ((-level).exp() * squared / 2 + level).sum()


def _minimise(cost: Callable[..., Tensor], *variables: Tensor) -> None:
    """Change the variables in place."""
    for variable in variables:
        variable.requires_grad_()
    optimizer = torch.optim.LBFGS(variables, max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = cost(*variables)
        value.backward()
        return value

    optimizer.step(closure)
