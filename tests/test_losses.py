import numpy as np
import pytest
import torch
from fakes import FIXTURES

from train.losses import gaussian_cross_entropy, star_loss


@pytest.mark.parametrize(
    ("distance", "key"), [("smooth-l1", "smoothl1"), ("l1", "l1"), ("l2", "l2")]
)
@pytest.mark.parametrize("restriction", [1, 0])
def test_star_loss_equals_the_authors_value_and_gradient(
    distance: str, key: str, restriction: int
) -> None:
    expected = np.load(FIXTURES / "loss_star.npz")
    heatmap = torch.from_numpy(expected["heatmap"]).double().requires_grad_()
    target = torch.from_numpy(expected["target"]).double()
    loss = star_loss(heatmap, target, distance=distance, restriction=restriction)  # type: ignore[arg-type]
    name = f"v2/{key}/w{restriction}/f64"
    np.testing.assert_allclose(loss.detach(), expected[f"{name}/value"], rtol=1e-12)
    if restriction == 1:
        loss.backward()
        wanted = expected[f"{name}/grad"]
        bound = 1e-9 * np.abs(wanted).max()
        np.testing.assert_allclose(heatmap.grad, wanted, rtol=0, atol=bound)


@pytest.mark.parametrize("case", [0, 1, 2, 3], ids=["pixel", "isotropic", "zero", "uniform"])
def test_star_loss_is_finite_where_the_authors_is_not(case: int) -> None:
    stored = np.load(FIXTURES / "loss_degenerate.npz")
    heatmap = torch.from_numpy(stored["heatmap"][:, case : case + 1]).requires_grad_()
    loss = star_loss(heatmap, torch.from_numpy(stored["target"][:, case : case + 1]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(heatmap.grad).all()


def test_turning_map_and_target_together_changes_nothing(rng: np.random.Generator) -> None:
    heatmap = torch.from_numpy(rng.random((1, 3, 33, 33)))
    target = torch.from_numpy(rng.uniform(-0.5, 0.5, (1, 3, 2)))
    quarter = torch.stack([target[..., 1], -target[..., 0]], -1)  # (x, y) -> (y, -x)
    turned = torch.rot90(heatmap, 1, (2, 3))
    torch.testing.assert_close(star_loss(turned, quarter), star_loss(heatmap, target))


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
