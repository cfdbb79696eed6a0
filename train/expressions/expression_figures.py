"""How well the network of expressions does, and how far its deviations must be widened."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from models.expression_net import ExpressionNet

from .expression_fit import rotation_error, seen_exactly
from .expression_samples import ExpressionSamples

_WITHIN_90 = 1.645
_LEAST_KNOWN = 20


@dataclass(frozen=True, slots=True)
class ExpressionFigures:
    """On faces that were not trained on."""

    correlations: dict[str, float]
    within: dict[str, float]
    """Share of the truths that 90 % intervals hold."""
    rotation_median_deg: float
    rotation_p95_deg: float
    rotation_within: float


def measure(
    network: ExpressionNet, names: tuple[str, ...], samples: ExpressionSamples
) -> ExpressionFigures:
    """How well the network does."""
    answers, count = _answers(network, samples), len(names)
    correlations, within = {}, {}
    for i, name in enumerate(names):
        truth, said, deviation = samples.coefficients[:, i], answers[:, i], answers[:, count + i]
        known = np.isfinite(truth)
        varies = known.sum() >= _LEAST_KNOWN and np.ptp(truth[known]) > 0
        correlations[name] = (
            float(np.corrcoef(truth[known], said[known])[0, 1]) if varies else np.nan
        )
        off = np.abs(truth[known] - said[known]) / deviation[known]
        within[name] = float((off < _WITHIN_90).mean()) if known.any() else np.nan
    errors, deviations = _rotations(answers, count, samples)
    size = np.degrees(np.linalg.norm(errors, axis=1))
    return ExpressionFigures(
        correlations, within, float(np.median(size)), float(np.percentile(size, 95)),
        float((np.abs(errors) < _WITHIN_90 * deviations).mean()),
    )  # fmt: skip


def widened(network: ExpressionNet, samples: ExpressionSamples) -> ExpressionNet:
    """Change the network so that its 90 % intervals hold 90 % of these truths.

    A coefficient is mostly nothing, and then said to be nearly nothing: only those intervals are
    widened that hold too few.
    """
    answers, count = _answers(network, samples), network.config.coefficients
    truth, factors = samples.coefficients, np.ones(2 * count + 6)
    for i in range(count):
        known = np.isfinite(truth[:, i])
        if known.sum() >= _LEAST_KNOWN:
            off = np.abs(truth[known, i] - answers[known, i]) / answers[known, count + i]
            factors[count + i] = max(float(np.quantile(off, 0.9)) / _WITHIN_90, 1.0)
    errors, deviations = _rotations(answers, count, samples)
    factors[2 * count + 3 :] = np.quantile(np.abs(errors) / deviations, 0.9, axis=0) / _WITHIN_90
    with torch.no_grad():
        spreads = np.r_[count : 2 * count, 2 * count + 3 : 2 * count + 6]
        network.answer.bias[spreads] += torch.from_numpy(np.log(factors[spreads])).float()
    return network


@torch.inference_mode()
def _answers(network: ExpressionNet, samples: ExpressionSamples) -> Float[np.ndarray, "faces n"]:
    crops = torch.from_numpy(np.stack([seen_exactly(samples, i) for i in range(len(samples))]))
    parts = [network(part.permute(0, 3, 1, 2).float()) for part in crops.split(128)]
    return np.asarray(torch.cat(parts).numpy())


def _rotations(
    answers: np.ndarray, count: int, samples: ExpressionSamples
) -> tuple[Float[np.ndarray, "faces 3"], Float[np.ndarray, "faces 3"]]:
    """Errors and deviations where the truth is known."""
    known = np.isfinite(samples.rotations[:, 0, 0])
    errors = rotation_error(
        torch.from_numpy(answers[known, 2 * count : 2 * count + 3]),
        torch.from_numpy(samples.rotations[known]),
    )
    return errors.numpy(), answers[known, 2 * count + 3 :]
