"""Fit the law from heat-map spread to covariance, and cross-validate it by photograph."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from models.covariance_law import SpreadLaw, by_spread_law, level_and_stretch, part_means

from .calibration_samples import CalibrationSamples

FOLDS = 5
_PRIOR_LEVEL, _PRIOR_SHAPE, _PRIOR_EXPONENTS = 3.0, 20.0, 10.0
"""Strength of the prior, in samples: landmarks are equally hard, their usual ellipses are round,
and R is S times a constant."""

Covariances = Float[np.ndarray, "samples landmarks xy=2 xy=2"]
CovarianceRule = Callable[[Covariances], Covariances]
"""Turns spreads into covariances."""


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
        covariance[inside] = fit(observed.part(~inside))(observed.spread[inside])
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
        return lambda spread: by_spread_law(spread, law)

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
    means = level, level @ part_means(parts, landmarks), level.mean(1, keepdims=True)
    features = [torch.from_numpy(np.broadcast_to(mean, level.shape).copy()) for mean in means]
    usual = torch.zeros(landmarks, 3, dtype=torch.float64)
    usual[:, 0] = float(np.log(np.square(observed.error).mean() + 1e-12))
    expected = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    error, stretched = torch.from_numpy(observed.error), torch.from_numpy(stretch)

    def cost(usual: Tensor, exponents: Tensor) -> Tensor:
        of_level = usual[:, 0] + sum(e * f for e, f in zip(exponents, features, strict=False))
        of_stretch = usual[:, 1:] + exponents[3] * stretched
        likely = _negative_log_likelihood(error, of_level, of_stretch)
        return likely + _negative_log_prior(usual, exponents - expected)

    _minimise(cost, usual, exponents := expected.clone())
    own, part, face, shape = exponents.tolist()
    rows = tuple((row[0], row[1], row[2]) for row in usual.tolist())
    return SpreadLaw(
        own=own, part=part, face=face, shape=shape, usual_level=usual_level, usual=rows, parts=parts
    )


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
