"""The eyes' network learns what it is told, and its files are read back or refused in a line."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.description import CheckpointError
from models.export_eyes import MOST_EYE_PX, export_eyes
from models.eye_net import SIZE_PX as NETWORK_PX
from models.eye_net import EyeNet, EyeNetConfig, EyeNetOnBytes
from models.eye_reader import load_eye_reader
from models.eye_weights import EyeWeightsInfo, load_eye_weights, save_eye_weights
from models.face_loading import FACES
from tracker.analysis.eye_crop import SIZE_PX
from train.eyes.eye_fit import EyeRecipe, eye_loss, fit, measure
from train.eyes.eye_samples import PATCH_PX, EyeSamples

SMALL = EyeNetConfig(widths=(4, 8, 8, 8), depth=1)


@pytest.fixture(scope="module")
def exported_eyes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network, and what was exported of them beside."""
    path = tmp_path_factory.mktemp("eyes") / "small.safetensors"
    torch.manual_seed(0)
    info = EyeWeightsInfo(architecture=SMALL, licence="research only")
    save_eye_weights(path, EyeNet(SMALL).state_dict(), info)
    export_eyes(path, path.with_suffix(".onnx"))
    return path


def dots(count: int) -> EyeSamples:
    """Dark pupils on light eyes, wide open, or a line where the eye is shut."""
    rng = np.random.default_rng(1)
    patches = np.full((count, PATCH_PX, PATCH_PX, 3), 200, np.uint8)
    pupils = rng.uniform(38, 58, (count, 2)).astype(np.float32)
    shut = (np.arange(count) % 4 == 0).astype(np.float32)
    down, across = np.mgrid[:PATCH_PX, :PATCH_PX]
    for patch, (x, y), is_shut in zip(patches, pupils, shut, strict=True):
        disc = (across - x) ** 2 + (down - y) ** 2 < 36
        patch[np.abs(down - 48) < 2 if is_shut else disc] = 20
    pupils[shut == 1] = np.nan
    held = np.arange(count) >= count * 3 // 4
    return EyeSamples(patches, pupils, shut, np.zeros(count, int), held, np.zeros(count, bool))


def test_network_and_tracker_mean_the_same_crop() -> None:
    assert NETWORK_PX == SIZE_PX


def test_weights_and_description_are_read_back(exported_eyes: Path) -> None:
    network, info = load_eye_weights(exported_eyes)
    assert info == EyeWeightsInfo(architecture=SMALL, licence="research only")
    torch.manual_seed(0)
    torch.testing.assert_close(network.heat.weight, EyeNet(SMALL).heat.weight, atol=1e-3, rtol=0)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_exported_file_says_what_pytorch_says(
    exported_eyes: Path, count: int, rng: np.random.Generator
) -> None:
    crops = rng.integers(0, 256, (count, SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    network, _ = load_eye_weights(exported_eyes)
    with torch.inference_mode():
        ours = EyeNetOnBytes(network)(torch.from_numpy(crops)).numpy()
    with load_eye_reader(exported_eyes.with_suffix(".onnx")) as reader:
        np.testing.assert_allclose(reader(crops), ours, atol=MOST_EYE_PX)
    with pytest.raises(ValueError, match="closed"):
        reader(crops)


def test_a_changed_byte_and_another_network_are_refused_in_a_line(
    exported_eyes: Path, tmp_path: Path
) -> None:
    for suffix, load in ((".safetensors", load_eye_weights), (".onnx", load_eye_reader)):
        content = bytearray(exported_eyes.with_suffix(suffix).read_bytes())
        content[-20] ^= 1
        damaged = tmp_path / f"damaged{suffix}"
        damaged.write_bytes(content)
        for path in (damaged, FACES.with_suffix(suffix), tmp_path / f"none{suffix}"):
            with pytest.raises(CheckpointError) as caught:
                load(path)
            assert str(caught.value).startswith(f"{path}: ")
            assert "\n" not in str(caught.value)


def test_it_learns_where_the_pupil_is_and_when_the_eye_is_shut() -> None:
    samples = dots(240)
    network = fit(samples, EyeRecipe(eyes=4_800, batch=32, config=SMALL, average_over=1_000))
    figures = measure(network, samples.part(samples.held_out))
    assert figures.pupil_error < 0.06  # of the eye's width; at random it is 0.25
    assert figures.shut_correlation > 0.95
    assert figures.shut_when_shut > figures.shut_when_open + 0.2


def test_the_loss_asks_only_for_what_is_known() -> None:
    network = EyeNet(SMALL).eval()
    crops = torch.randint(0, 256, (3, SIZE_PX, SIZE_PX, 3), dtype=torch.uint8)
    pupils = torch.tensor([[20.0, 20.0], [np.nan, np.nan], [18.0, 22.0]])
    shut = torch.tensor([0.0, 1.0, np.nan])
    whole = eye_loss(network, crops, pupils, shut)
    unknown = eye_loss(network, crops, torch.full((3, 2), np.nan), torch.full((3,), np.nan))
    assert torch.isfinite(whole)
    assert unknown.item() == 0.0
