"""The network of expressions learns what it is shown; its files are read back or refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.description import CheckpointError
from models.export_expressions import MOST_APART, export_expressions
from models.expression_net import (
    FACE_CROP_SIDE_PX,
    ExpressionNet,
    ExpressionNetConfig,
    ExpressionNetOnBytes,
)
from models.expression_reader import load_expression_reader
from models.expression_weights import (
    ExpressionWeightsInfo,
    load_expression_weights,
    save_expression_weights,
)
from models.eye_reader import EYES
from tracker.analysis.expression_crop import FACE_CROP_PX
from tracker.analysis.linear_face import load_linear_face
from train.expressions.expression_figures import measure, widened
from train.expressions.expression_fit import ExpressionRecipe, fit, rotation_error
from train.expressions.expression_samples import PATCH_PX, ExpressionSamples
from train.expressions.moved_faces import moved_head
from train.rendered_heads import RenderedHeads

from .analysed_faces import turned

NAMES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight")
SMALL = ExpressionNetConfig(
    coefficients=3, widths=(4, 8, 8, 8, 8), depths=(1, 1, 1, 1), squeezed=4, hidden=8
)


@pytest.fixture(scope="module")
def exported_expressions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network, and what was exported of them beside."""
    path = tmp_path_factory.mktemp("expressions") / "small.safetensors"
    torch.manual_seed(0)
    info = ExpressionWeightsInfo(
        architecture=SMALL, names=NAMES, usual_mean=(0.1,) * 3, usual_deviation=(0.2,) * 3
    )
    save_expression_weights(path, ExpressionNet(SMALL).state_dict(), info)
    export_expressions(path, path.with_suffix(".onnx"))
    return path


def test_network_and_tracker_mean_the_same_face_crop() -> None:
    assert FACE_CROP_SIDE_PX == FACE_CROP_PX


@pytest.mark.parametrize("count", [1, 3])
def test_the_exported_file_says_what_pytorch_says(
    exported_expressions: Path, count: int, rng: np.random.Generator
) -> None:
    crops = rng.integers(0, 256, (count, FACE_CROP_PX, FACE_CROP_PX, 3), dtype=np.uint8)
    network, info = load_expression_weights(exported_expressions)
    with torch.inference_mode():
        ours = ExpressionNetOnBytes(network)(torch.from_numpy(crops)).numpy()
    with load_expression_reader(exported_expressions.with_suffix(".onnx")) as reader:
        np.testing.assert_allclose(reader(crops), ours, atol=MOST_APART)
        assert reader.names == info.names == NAMES
    with pytest.raises(ValueError, match="closed"):
        reader(crops)


def test_a_changed_byte_and_another_network_are_refused_in_a_line(
    exported_expressions: Path, tmp_path: Path
) -> None:
    loaders = ((".safetensors", load_expression_weights), (".onnx", load_expression_reader))
    for suffix, load in loaders:
        content = bytearray(exported_expressions.with_suffix(suffix).read_bytes())
        content[-20] ^= 1
        damaged = tmp_path / f"damaged{suffix}"
        damaged.write_bytes(content)
        for path in (damaged, EYES.with_suffix(suffix), tmp_path / f"absent{suffix}"):
            with pytest.raises(CheckpointError, match=path.name):
                load(path)


def bars(count: int) -> ExpressionSamples:
    """A dark bar whose height is one coefficient; it leans as the head is rolled."""
    rng = np.random.default_rng(3)
    value, roll = rng.uniform(0, 1, count), rng.uniform(-0.4, 0.4, count)
    patches = np.full((count, PATCH_PX, PATCH_PX, 3), 200, np.uint8)
    down, across = np.mgrid[:PATCH_PX, :PATCH_PX] - (PATCH_PX - 1) / 2
    rotations = np.stack([turned("z", float(np.degrees(angle))) for angle in roll])
    for patch, height, angle in zip(patches, value, roll, strict=True):
        along = across * np.cos(angle) + down * np.sin(angle)
        aside = down * np.cos(angle) - across * np.sin(angle)
        patch[(np.abs(along) < 36) & (np.abs(aside) < 4 + 20 * height)] = 20
    coefficients = np.stack([value, np.full(count, np.nan), np.zeros(count)], 1)
    none = np.zeros(count, bool)
    held = np.arange(count) >= count * 3 // 4
    return ExpressionSamples(
        patches, coefficients.astype(np.float32), rotations.astype(np.float32),
        np.zeros(count, int), held, none,
    )  # fmt: skip


def test_training_learns_a_coefficient_and_a_rotation_and_how_sure_they_are() -> None:
    samples = bars(320)
    network = fit(samples, NAMES, ExpressionRecipe(faces=2560, batch=32))
    held = samples.part(samples.held_out)
    figures = measure(widened(network, held), NAMES, held)
    assert figures.correlations["jawOpen"] > 0.8
    assert figures.within["jawOpen"] >= 0.85  # of what they were widened to
    assert figures.rotation_median_deg < 6  # of a roll of 11 degrees in the mean
    assert 0.8 < figures.rotation_within <= 1


def test_the_error_of_a_rotation_is_what_takes_the_said_to_the_true_one() -> None:
    truth = torch.from_numpy(turned("y", 33.0) @ turned("x", 20.0))[None]
    said = torch.tensor([[np.radians(20.0), 0.0, 0.0]])
    error = rotation_error(said, truth)[0]
    torch.testing.assert_close(error, torch.tensor([0, np.sin(np.radians(33.0)), 0]).double())


def test_what_is_added_to_a_rendered_head_moves_its_picture() -> None:
    face, side = load_linear_face(), 208
    middle = (side - 1) / 2
    per_mm = 0.45
    unit = 5.88 / 63  # of the model, a millimetre
    points = middle + per_mm * (face.mean[:, :2] - (0, 40))
    names = tuple(name for name in face.names)
    heads = RenderedHeads(
        ("a.png",), np.concatenate([points, points[:2]])[None], np.zeros((1, 3)),
        np.array([unit / per_mm * 600.0]), np.array([600.0]), np.zeros((1, len(names))), names,
    )  # fmt: skip
    picture = np.full((side, side, 3), 230, np.uint8)
    down, across = np.mgrid[:side, :side]
    plain = moved_head(picture, heads, 0, face, np.random.default_rng(0))
    moves = np.linalg.norm(plain.points - points, axis=-1)
    farthest = int(np.argmax(moves))
    assert moves[farthest] > 1
    dot = points[farthest]
    picture[(across - dot[0]) ** 2 + (down - dot[1]) ** 2 < 12] = 0
    moved = moved_head(picture, heads, 0, face, np.random.default_rng(0))
    dark = 230.0 - moved.image.mean(-1)
    found = np.array([(dark * across).sum(), (dark * down).sum()]) / dark.sum()
    assert np.linalg.norm(found - moved.points[farthest]) < 0.6 * moves[farthest]
