from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.checkpoint import CheckpointError, CheckpointInfo, load_checkpoint, save_checkpoint
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from train.soup import average

CONFIG = LandmarkNetConfig(landmarks=68, stacks=1, width=16, stem_width=8, depth=2, attention=False)
INFO = CheckpointInfo(architecture=CONFIG, layout="300W-68", input_px=32, margin=1.2)


def written(path: Path, seed: int, info: CheckpointInfo = INFO) -> Path:
    torch.manual_seed(seed)
    save_checkpoint(path, LandmarkNet(info.architecture).state_dict(), info)
    return path


def test_every_weight_is_the_mean(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{seed}.safetensors", seed) for seed in range(3)]
    mean, info = average(paths)
    states = [load_checkpoint(path)[0].state_dict() for path in paths]
    for name, tensor in mean.items():
        one, two, three = (state[name] for state in states)
        expected = (one + two + three) / 3 if tensor.is_floating_point() else one
        torch.testing.assert_close(tensor, expected)
    assert info == INFO


def test_the_mean_has_no_figures_of_its_parts(tmp_path: Path) -> None:
    told = replace(INFO, figures={"nme_percent": 4.0})
    path = written(tmp_path / "a.safetensors", 0, told)
    assert average([path, path])[1].figures == {}


@pytest.mark.parametrize(
    "other",
    [replace(INFO, input_px=64), replace(INFO, architecture=replace(CONFIG, width=32))],
    ids=["crop", "network"],
)
def test_other_networks_are_refused(tmp_path: Path, other: CheckpointInfo) -> None:
    one = written(tmp_path / "a.safetensors", 0)
    with pytest.raises(CheckpointError, match=r"b\.safetensors: another network"):
        average([one, written(tmp_path / "b.safetensors", 0, other)])
