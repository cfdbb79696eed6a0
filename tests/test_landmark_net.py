"""Relatives of the published network: other blocks, other stems, other sizes of heat map."""

from pathlib import Path
from typing import Any

import pytest
import torch

from models.architecture import LandmarkNetConfig
from models.checkpoint import load_checkpoint, save_checkpoint
from models.crop_reader import fold_batch_norm
from models.description import CheckpointInfo
from models.landmark_net import LandmarkNet, SeparableBlock
from train.recipes import Recipe

SMALL: dict[str, Any] = {
    "landmarks": 5,
    "stacks": 2,
    "width": 8,
    "stem_width": 4,
    "depth": 2,
    "attention": False,
}
RELATIVES = [
    LandmarkNetConfig(**SMALL, heatmap="softmax", block=block, stem_pools=pools)
    for block in ("bottleneck", "separable")
    for pools in ((), (0,), (1,), (0, 2), (1, 2))
]


@pytest.mark.parametrize("config", RELATIVES, ids=str)
def test_heat_maps_are_as_large_as_the_stride_says(config: LandmarkNetConfig) -> None:
    network = LandmarkNet(config).eval()
    with torch.no_grad():
        output = network(torch.rand(3, 3, 64, 64) * 2 - 1)
    side = 64 // config.stride
    assert output.heatmaps.shape == (3, 5, side, side)
    torch.testing.assert_close(output.heatmaps.sum((2, 3)), torch.ones(3, 5))
    assert output.landmarks.abs().max() <= 1


def test_maps_of_odd_sizes_come_back_in_their_size() -> None:
    network = LandmarkNet(LandmarkNetConfig(**SMALL, heatmap="softmax")).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 60, 60)).heatmaps.shape == (1, 5, 15, 15)


def test_a_separable_network_has_no_dense_3x3_convolution() -> None:
    network = LandmarkNet(LandmarkNetConfig(**SMALL, block="separable"))
    wide = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size[0] > 1]
    stem, *others = wide
    assert stem.in_channels == 6
    assert others
    assert all(conv.groups == conv.in_channels for conv in others)
    assert any(isinstance(module, SeparableBlock) for module in network.modules())


def test_a_relative_comes_back_from_its_file(tmp_path: Path) -> None:
    config = LandmarkNetConfig(**SMALL, block="separable", stem_pools=(0, 2))
    network = LandmarkNet(config).eval()
    path = tmp_path / "weights.safetensors"
    info = CheckpointInfo(architecture=config, layout="COFW-29", input_px=64, margin=1.2)
    save_checkpoint(path, network.state_dict(), info)
    loaded, described = load_checkpoint(path)
    assert described == info
    crops = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(crops).landmarks, network.half().float()(crops).landmarks)


def test_folded_norms_change_nothing_but_rounding() -> None:
    torch.manual_seed(0)
    network = LandmarkNet(LandmarkNetConfig(**SMALL, block="separable"))
    crops = torch.rand(4, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for _ in range(3):
            network.train()(crops)  # norms that do something
        before = network.eval()(crops).heatmaps
        folded = fold_batch_norm(network)
        torch.testing.assert_close(folded(crops).heatmaps, before, rtol=1e-4, atol=1e-5)
    blocks = [module for module in folded.modules() if isinstance(module, SeparableBlock)]
    assert all(isinstance(block.bn2, torch.nn.Identity) for block in blocks)


def test_label_maps_need_the_published_stem() -> None:
    with pytest.raises(ValueError, match="quarter of the crop"):
        Recipe(
            stacks=1, width=8, stem_width=4, depth=2, input_px=32, attention=True, stem_pools=(0, 2)
        )
