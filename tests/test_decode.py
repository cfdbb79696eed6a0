import numpy as np
import torch
from fakes import FIXTURES

from models.decode import coordinate_axis, decode_mean, decode_moments


def gaussian_map(mean: tuple[float, float], covariance: np.ndarray, cells: int) -> torch.Tensor:
    axis = np.linspace(-1, 1, cells)
    grid = np.stack(np.meshgrid(axis, axis), -1) - mean
    exponent = np.einsum("hwi,ij,hwj->hw", grid, np.linalg.inv(covariance), grid)
    return torch.from_numpy(np.exp(-exponent / 2))[None, None]


def test_decode_gives_back_the_gaussian_it_was_drawn_from() -> None:
    covariance = np.array([[0.012, 0.004], [0.004, 0.007]])
    moments = decode_moments(gaussian_map((0.21, -0.13), covariance, 64))
    np.testing.assert_allclose(moments.mean[0, 0], [0.21, -0.13], atol=1e-5)
    # The unbiased weighting enlarges by 1 / (1 - sum p^2): a few per cent for a map this wide.
    np.testing.assert_allclose(moments.covariance[0, 0], covariance, rtol=0.03)


def test_scaling_a_map_moves_nothing() -> None:
    heatmap = gaussian_map((0.3, 0.1), 0.01 * np.eye(2), 32)
    one, other = decode_moments(heatmap), decode_moments(250 * heatmap)
    torch.testing.assert_close(one, other)


def test_decode_equals_the_authors_numbers() -> None:
    expected = np.load(FIXTURES / "decode.npz")
    for maps, points in (("heatmap", "coords"), ("heatmap_rect", "coords_rect")):
        heatmaps = torch.from_numpy(expected[maps])
        np.testing.assert_allclose(decode_mean(heatmaps), expected[points], atol=2e-6)
        np.testing.assert_allclose(decode_moments(heatmaps).mean, expected[points], atol=2e-6)


def test_covariance_equals_the_authors_numbers() -> None:
    expected = np.load(FIXTURES / "loss_star.npz")
    moments = decode_moments(torch.from_numpy(expected["heatmap"]).double())
    np.testing.assert_allclose(moments.mean, expected["mean_f64"], atol=1e-13)
    np.testing.assert_allclose(moments.covariance, expected["cov_f64"], rtol=1e-10, atol=1e-15)


def test_border_cells_lie_on_plus_and_minus_one() -> None:
    axis = coordinate_axis(64, torch.zeros(1))
    assert axis[0] == -1
    assert axis[-1] == 1
