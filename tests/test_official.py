"""Parity with the network of STAR's authors, by numbers their code gave."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import FIXTURES
from star_rules import flat_samples, star_input, star_state
from torch import Tensor

import models
from models.checkpoint import dead_shortcuts
from models.crop_reader import fold_batch_norm
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from tracker.layouts import COFW_29, IBUG_68, WFLW_98, Layout

LAYOUTS = {"WFLW": WFLW_98, "300W": IBUG_68, "COFW": COFW_29}
KINDS = ("hgs", "features", "out_heatmaps", "out_pointmaps", "out_edgemaps")
HOOKED = (
    "pre.0",
    "pre",
    "hgs.1.coordconv",
    "e2h_transform",
    *(f"{kind}.{stage}" for kind in KINDS for stage in range(4)),
)


def official_state(layout: Layout) -> dict[str, Tensor]:
    network = LandmarkNet(LandmarkNetConfig(landmarks=layout.count, edges=layout.edges))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for name in dead_shortcuts(network):
        width = network.get_submodule(name.split(".skip_layer")[0]).bn1.num_features
        shapes[name] = (width, width, 1, 1) if name.endswith("weight") else (width,)
    fixed = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if name.endswith("num_batches_tracked") or name.startswith("e2h_transform.")
    }
    return star_state(shapes, fixed)


@pytest.fixture(scope="module", params=["300W", "COFW"])
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("official") / "model.pkl"
    torch.save({"net": official_state(LAYOUTS[request.param]), "epoch": 1}, path)
    expected = np.load(FIXTURES / f"net_{request.param}.npz")
    return models.load_official(path), expected


@pytest.mark.parametrize("name", LAYOUTS)
def test_our_state_has_the_authors_names_shapes_and_values(name: str) -> None:
    digest = hashlib.sha256()
    state = official_state(LAYOUTS[name])
    for key in sorted(state):
        digest.update(key.encode() + state[key].numpy().tobytes())
    summary = json.loads((FIXTURES / "net_summary.json").read_text())[name]
    assert len(state) == summary["num_keys"]
    assert digest.hexdigest() == summary["weights_sha256"]


def test_official_network_gives_the_authors_numbers(official) -> None:
    network, expected = official
    with torch.inference_mode():
        output = network(star_input())
    np.testing.assert_allclose(output.landmarks.numpy(), expected["landmarks"], atol=1e-5)
    np.testing.assert_allclose(output.stages.numpy(), expected["landmarks_stages"], atol=1e-5)
    assert output.heatmaps.shape == (1, network.config.landmarks, 64, 64)


def test_every_part_of_the_official_network_agrees(official) -> None:
    network, expected = official
    seen: dict[str, Tensor] = {}
    handles = [
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.__setitem__(name, output)
        )
        for name in HOOKED
    ]
    with torch.inference_mode():
        network(star_input())
    for handle in handles:
        handle.remove()
    for name in HOOKED:
        wanted = expected[f"samp/{name}"]
        found = flat_samples(name, seen[name])
        np.testing.assert_allclose(found, wanted, atol=2e-4, rtol=1e-4, err_msg=name)


def test_folding_batch_norm_changes_nothing_but_rounding(official) -> None:
    network, expected = official
    state = network.state_dict()
    copy = LandmarkNet(network.config).eval()
    copy.load_state_dict(state)
    with torch.inference_mode():
        output = fold_batch_norm(copy)(star_input())
    np.testing.assert_allclose(output.landmarks.numpy(), expected["landmarks"], atol=2e-5)


def test_double_precision_agrees_to_a_millionth(official) -> None:
    network, expected = official
    with torch.inference_mode():
        landmarks = network.double()(star_input().double()).landmarks
    network.float()
    np.testing.assert_allclose(landmarks.numpy(), expected["landmarks_f64"], atol=1e-6)


@pytest.mark.parametrize(
    ("size", "stacks"), [pytest.param(128, 1, id="small"), pytest.param(96, 2, id="odd-levels")]
)
def test_other_sizes_and_stack_numbers_are_legal(size: int, stacks: int) -> None:
    config = LandmarkNetConfig(
        landmarks=29, edges=COFW_29.edges, stacks=stacks, width=16, stem_width=8
    )
    output = LandmarkNet(config).eval()(torch.zeros(2, 3, size, size))
    assert output.landmarks.shape == (2, 29, 2)
    assert output.stages.shape == (stacks, 2, 29, 2)
    assert output.heatmaps.shape == (2, 29, size // 4, size // 4)


def test_official_file_with_a_tensor_too_few_is_refused(tmp_path: Path) -> None:
    state = official_state(COFW_29)
    del state["hgs.3.low3.skip_layer.conv.bias"]
    torch.save({"net": state}, tmp_path / "cut.pkl")
    with pytest.raises(models.CheckpointError, match=r"misses 1 tensors, first hgs\.3\.low3"):
        models.load_official(tmp_path / "cut.pkl")
