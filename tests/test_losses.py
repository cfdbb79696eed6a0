from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from fakes import FIXTURES
from torch import Tensor

from models.decode import decode_moments
from train.losses import (
    StarConfig,
    adaptive_wing_loss,
    gaussian_cross_entropy,
    plain_loss,
    smooth_l1,
    star_loss,
    wing,
)

DISTANCES = {"smooth-l1": "smoothl1", "l1": "l1", "l2": "l2", "wing": "wing"}
PUBLISHED = [
    (version, distance)
    for version, distance in product((1, 2), DISTANCES)
    if (version, distance) != (2, "wing")  # the authors' code raises a TypeError there
]
EVERY_FORM = [
    StarConfig(version=version, distance=distance, restriction=restriction)  # type: ignore[arg-type]
    for version, distance, restriction in product((1, 2), DISTANCES, ("value", "detach"))
]


def named(form: StarConfig) -> str:
    return f"v{form.version}-{form.distance}-{form.restriction}"


@pytest.mark.parametrize(("version", "distance"), PUBLISHED)
@pytest.mark.parametrize("weight", [1, 0])
def test_star_loss_equals_the_authors_value_and_gradient(
    version: Any, distance: Any, weight: int
) -> None:
    expected = np.load(FIXTURES / "loss_star.npz")
    heatmap = torch.from_numpy(expected["heatmap"]).double().requires_grad_()
    target = torch.from_numpy(expected["target"]).double()
    config = StarConfig(version=version, distance=distance, restriction_weight=weight)
    loss = star_loss(heatmap, target, config)
    name = f"v{version}/{DISTANCES[distance]}/w{weight}/f64"
    np.testing.assert_allclose(loss.detach(), expected[f"{name}/value"], rtol=1e-12)
    if weight == 1:
        loss.backward()
        assert heatmap.grad is not None
        found = heatmap.grad.numpy().ravel()[expected["index"]]
        bound = 1e-9 * float(expected[f"{name}/grad_absmax"])
        np.testing.assert_allclose(found, expected[f"{name}/grad"], rtol=0, atol=bound)


@pytest.mark.parametrize("form", EVERY_FORM, ids=named)
@pytest.mark.parametrize("case", [0, 1, 2, 3], ids=["pixel", "isotropic", "zero", "uniform"])
@pytest.mark.parametrize("off", [False, True], ids=["beside", "on-the-spot"])
def test_every_form_is_finite_where_the_authors_is_not(
    form: StarConfig, case: int, off: bool
) -> None:
    stored = np.load(FIXTURES / "loss_degenerate.npz")
    heatmap = torch.from_numpy(stored["heatmap"][:, case : case + 1]).requires_grad_()
    target = torch.from_numpy(stored["target"][:, case : case + 1])
    if off:
        target = torch.zeros_like(target)
    loss = star_loss(heatmap, target, form)
    loss.backward()
    assert heatmap.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(heatmap.grad).all()


@pytest.mark.parametrize("form", EVERY_FORM, ids=named)
def test_turning_map_and_target_together_changes_nothing(
    form: StarConfig, rng: np.random.Generator
) -> None:
    heatmap = torch.from_numpy(rng.random((1, 3, 33, 33)))
    target = torch.from_numpy(rng.uniform(-0.5, 0.5, (1, 3, 2)))
    quarter = torch.stack([target[..., 1], -target[..., 0]], -1)  # (x, y) -> (y, -x)
    turned = torch.rot90(heatmap, 1, (2, 3))
    torch.testing.assert_close(star_loss(turned, quarter, form), star_loss(heatmap, target, form))


def blob(center: Tensor, sigma: float, cells: int = 65) -> Tensor:
    """A round Gaussian map, far from every border."""
    axis = torch.linspace(-1, 1, cells, dtype=torch.float64)
    column = torch.exp(-((axis - center[0]) ** 2) / (2 * sigma**2))
    row = torch.exp(-((axis - center[1]) ** 2) / (2 * sigma**2))
    return (row[:, None] * column)[None, None]


@pytest.mark.parametrize("sigma", [0.05, 0.1])
@pytest.mark.parametrize(("version", "axes", "power"), [(1, 1, 2), (2, 2, 1)])
def test_on_a_round_map_the_loss_is_the_plain_one_over_the_spread(
    sigma: float, version: Any, axes: int, power: int
) -> None:
    center = torch.tensor([0.1, -0.05], dtype=torch.float64)
    target = (center + torch.tensor([0.03, 0.07]))[None, None]
    maps = blob(center, sigma)
    form = StarConfig(version=version, distance="l2", restriction_weight=0)
    # Version 1 averages over the axes and squares after scaling, version 2 adds and squares before.
    scale = (decode_moments(maps).covariance[0, 0, 0, 0] + 1e-5).sqrt()
    expected = axes * plain_loss(maps, target, "l2") / scale**power
    torch.testing.assert_close(star_loss(maps, target, form), expected)


def test_error_along_the_ambiguous_direction_costs_less() -> None:
    axis = torch.linspace(-1, 1, 65, dtype=torch.float64)
    maps = torch.exp(-(axis**2) / (2 * 0.2**2)) * torch.exp(-(axis[:, None] ** 2) / (2 * 0.05**2))
    along, across = torch.tensor([[[0.1, 0.0]]]), torch.tensor([[[0.0, 0.1]]])
    for form in EVERY_FORM:
        there = star_loss(maps[None, None], along.double(), form)
        assert there < star_loss(maps[None, None], across.double(), form)


def test_a_weight_counts_in_every_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=generator)
    target = torch.rand(2, 3, 2, dtype=torch.float64, generator=generator) - 0.5
    weight = torch.zeros(2, 3, dtype=torch.float64)
    weight[1, 2] = 0.5
    one = (slice(1, 2), slice(2, 3))
    maps = logits.flatten(2).softmax(-1).view_as(logits)
    losses = [partial(star_loss, config=form) for form in EVERY_FORM]
    losses += [partial(plain_loss, distance=kind) for kind in ("l1", "l2", "smooth-l1", "wing")]
    for loss in losses:
        alone = loss(maps[one], target[one])
        torch.testing.assert_close(loss(maps, target, weight=weight), alone * 0.5 / 6)
    entropy = gaussian_cross_entropy(logits[one], target[one], 1.0)
    weighed = gaussian_cross_entropy(logits, target, 1.0, weight)
    torch.testing.assert_close(weighed, entropy * 0.5 / 6)


def test_detached_eigenvalues_give_no_reward_for_a_wider_map() -> None:
    center, target = torch.zeros(2, dtype=torch.float64), torch.tensor([[[0.2, 0.1]]]).double()

    def slope(form: StarConfig) -> float:
        width = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
        axis = torch.linspace(-1, 1, 65, dtype=torch.float64)
        line = torch.exp(-((axis - center[0]) ** 2) / (2 * width**2))
        star_loss((line[:, None] * line)[None, None], target, form).backward()
        assert width.grad is not None
        return width.grad.item()

    assert slope(StarConfig(restriction_weight=0)) < -0.1
    assert abs(slope(StarConfig(restriction="detach"))) < 1e-6


def test_adaptive_wing_equals_the_authors_value_and_gradient() -> None:
    expected = np.load(FIXTURES / "loss_awing.npz")
    predicted = torch.from_numpy(expected["pred"]).double().requires_grad_()
    loss = adaptive_wing_loss(predicted, torch.from_numpy(expected["gt"]).double())
    np.testing.assert_allclose(loss.detach(), expected["value_f64"], rtol=1e-12)
    loss.backward()
    bound = 1e-7 * np.abs(expected["grad_f64"]).max()  # stored in single precision
    np.testing.assert_allclose(predicted.grad, expected["grad_f64"], rtol=0, atol=bound)


@pytest.mark.parametrize("label", [0.0, 0.5, 1.0])
def test_adaptive_wing_is_finite_where_nothing_is_wrong(label: float) -> None:
    target = torch.full((1, 1, 8, 8), label)
    predicted = target.clone().requires_grad_()
    adaptive_wing_loss(predicted, target).backward()
    assert predicted.grad is not None
    assert torch.isfinite(predicted.grad).all()


def test_distances_equal_the_authors() -> None:
    expected = np.load(FIXTURES / "loss_awing.npz")
    squared = torch.from_numpy(expected["dist_in"]).square().sum(-1)
    np.testing.assert_allclose(smooth_l1(squared), expected["smoothl1_none"], rtol=1e-12)
    np.testing.assert_allclose(wing(squared).ravel(), expected["wing_each"], rtol=1e-12)


def test_cross_entropy_is_least_at_the_target() -> None:
    axis = torch.linspace(-1, 1, 32)
    target = torch.tensor([[[0.3, -0.2]]])
    sigma = 2 / 31

    def at(x: float, y: float) -> float:
        logits = -((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * sigma**2)
        return gaussian_cross_entropy(logits[None, None], target, 1.0).item()

    assert at(0.3, -0.2) < min(at(0.32, -0.2), at(0.28, -0.2), at(0.3, -0.18), at(0.3, -0.22))


def test_a_target_outside_the_map_still_pulls_towards_the_border() -> None:
    logits = torch.zeros(1, 1, 16, 16, requires_grad=True)
    gaussian_cross_entropy(logits, torch.tensor([[[9.0, 0.0]]]), 1.0).backward()
    assert logits.grad is not None
    strongest = int(logits.grad[0, 0].argmin())
    assert strongest % 16 == 15
