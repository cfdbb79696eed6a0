import numpy as np

from train.calibrate import fit_covariance, fit_presence
from train.looks import Observed
from train.teacher import fit_mesh_to_landmarks


def test_the_fit_finds_the_scale_and_the_floor_that_errors_were_drawn_with(
    rng: np.random.Generator,
) -> None:
    faces, landmarks = 4000, 3
    scale, floor = np.array([0.3, 1.5, 0.8]), np.array([4e-4, 3e-4, 1e-3])
    root = rng.uniform(-1.5, 1.5, (faces, landmarks, 2, 2))
    spread = root @ root.swapaxes(-1, -2) + 0.2 * np.eye(2)
    eyes = rng.uniform(20, 80, faces)
    true = np.stack([scale, floor], -1)
    blank = Observed(np.zeros((faces, landmarks, 2)), spread, eyes)
    lower = np.linalg.cholesky(blank.covariance(true))
    error = np.einsum("flij,flj->fli", lower, rng.standard_normal((faces, landmarks, 2)))
    fitted = fit_covariance(Observed(error, spread, eyes))
    np.testing.assert_allclose(fitted, true, rtol=0.15)


def test_presence_tells_two_clouds_apart(rng: np.random.Generator) -> None:
    faces = np.column_stack([np.ones(200), rng.normal([-2, 0, 3], 1, (200, 3))])
    others = np.column_stack([np.ones(200), rng.normal([2, 0, 3], 1, (200, 3))])
    truth = np.repeat([1.0, 0.0], 200)
    weights = fit_presence(np.concatenate([faces, others]), truth)
    assert ((faces @ weights) > 0).mean() > 0.95
    assert ((others @ weights) < 0).mean() > 0.95


def test_the_teacher_learns_a_linear_map_and_ignores_place_and_size(
    rng: np.random.Generator,
) -> None:
    mixing = rng.dirichlet(np.ones(30), 68)
    base = rng.uniform(-1, 1, (30, 3))
    shapes = [base + 0.1 * rng.standard_normal((30, 3)) for _ in range(300)]
    meshes = [rng.uniform(20, 90) * shape + rng.uniform(0, 400, 3) for shape in shapes]
    landmarks = [mixing @ mesh[:, :2] for mesh in meshes]
    translate = fit_mesh_to_landmarks(meshes[:-20], landmarks[:-20])
    for mesh, truth in zip(meshes[-20:], landmarks[-20:], strict=True):
        extent = np.ptp(mesh[:, 0])
        assert np.abs(translate(mesh) - truth).max() < 0.02 * extent
