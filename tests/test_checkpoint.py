from pathlib import Path

import numpy as np
import torch

from models.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from models.covariance_law import Calibration, SpreadLaw, by_spread_law
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from models.torch_landmarker import load_torch_landmarker

CONFIG = LandmarkNetConfig(
    landmarks=5, edges=((0, 1), (2, 3)), stacks=1, width=16, stem_width=8, depth=2,
    heatmap="softmax",
)  # fmt: skip
LAW = SpreadLaw(
    own=1.1, part=0.3, face=0.2, shape=1.5, usual_level=-5.0, parts=((0, 1), (2, 3, 4)),
    usual=((-8.0, 0.1, -0.2),) * 5,
)  # fmt: skip
INFO = CheckpointInfo(
    architecture=CONFIG,
    layout="300W-68",
    input_px=32,
    margin=1.2,
    trained_on="nothing",
    licence="any",
    figures={"held_out_nme_percent": 4.5},
    calibration=Calibration(
        eye_corners=(0, 1),
        absolute=LAW,
        measurement_noise=LAW,
        presence=(1.0, 2.0, 3.0, 4.0),
    ),
)


def test_weights_and_description_come_back(tmp_path: Path) -> None:
    network = LandmarkNet(CONFIG).eval()
    save_checkpoint(tmp_path / "w.safetensors", network.state_dict(), INFO)
    loaded, info = load_checkpoint(tmp_path / "w.safetensors")
    assert info == INFO
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_crop_gets_calibrated_gaussians_in_its_pixels(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "w.safetensors", LandmarkNet(CONFIG).state_dict(), INFO)
    landmarker = load_torch_landmarker(tmp_path / "w.safetensors", "cpu")
    crops = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8).numpy()
    answer = landmarker(crops)
    assert answer.mean.shape == (2, 5, 2)
    assert ((answer.mean > -0.5) & (answer.mean < 31.5)).all()
    expected = by_spread_law(landmarker.raw(crops).spread, LAW, 32)
    np.testing.assert_allclose(answer.covariance, expected)
    assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()


def test_the_default_weights_describe_themselves() -> None:
    info = load_torch_landmarker("lite", "cpu").info
    assert info.layout == "300W-68"
    assert info.calibration is not None
    assert "300W" in info.trained_on
    assert "research" in info.licence
