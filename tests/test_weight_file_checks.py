"""Weight files that lie: whoever makes one can make its checksum, so their content is checked."""

import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from test_checkpoint import INFO
from test_official import official_state

import models
from models.checkpoint import _digest, load_checkpoint, save_checkpoint
from models.checksum import BLANK, with_checksum
from models.description import METADATA_KEY, as_dictionary
from models.description_reader import from_dictionary, parse_description
from models.landmark_net import LandmarkNet
from models.onnx_graph import check_graph
from models.onnx_landmarker import INPUT, OUTPUTS, load_onnx_landmarker
from models.weight_files import NAMED_WEIGHTS
from tracker.layouts import COFW_29

TABLE = {
    "name": "mine", "count": 5, "has_eyes": True, "eye_corners": [0, 1], "mirror_pairs": [[0, 1]],
    "outlines": [{"name": "all", "members": [0, 1, 2, 3, 4], "closed": False}],
}  # fmt: skip


def described(*steps: str | int, value: Any) -> dict[str, Any]:
    """A good description in which one entry is another."""
    whole = as_dictionary(replace(INFO, layout_table=TABLE))
    place: Any = whole
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return whole


def test_a_description_comes_back() -> None:
    for info in (INFO, replace(INFO, calibration=None), replace(INFO, layout_table=TABLE)):
        assert from_dictionary(as_dictionary(info)) == info


@pytest.mark.parametrize(
    ("steps", "value"),
    [
        pytest.param(steps, value, id=f"{'-'.join(map(str, steps))}-{str(value)[:12]}")
        for steps, values in {
            ("input_px",): (0, -1, 15, 1025, 32.0, True, "32", None, 10**400),
            ("margin",): (0, -1.2, float("nan"), float("inf"), 1e9, "1.2", 10**400),
            ("colour",): ("CMYK", 3, ["RGB"]),
            ("antialiased",): (1, "yes", None),
            ("layout",): (3, None, "x" * 30_000),
            ("figures",): ([], {"nme": float("nan")}, {"nme": "low"}),
            ("horizontal_bias",): (float("nan"), 2.0, None),
            ("architecture",): (None, [], {}, "lite"),
            ("architecture", "landmarks"): (0, 1001, 5.0),
            ("architecture", "stacks"): (0, 100_000, True),
            ("architecture", "width"): (0, 1, 10**6),
            ("architecture", "stem_width"): (0, 10**6),
            ("architecture", "depth"): (0, 6, 100),
            ("architecture", "heatmap"): ("argmax", None, ["softmax"]),
            ("architecture", "block"): ("dense", 3),
            ("architecture", "attention"): (1, None),
            ("architecture", "stem_pools"): ([3], [1, 1], [2, 1], None, [0, 1, 2, 2]),
            ("architecture", "edges"): ([[999]], [[-1]], [[]], [[0.0]], [0], [[0]] * 201, "edges"),
            ("calibration",): ([], "none", {}),
            ("calibration", "eye_corners"): ([0], [0, 5], [0, 1, 2], [0, True]),
            ("calibration", "presence"): ([1, 2, 3], [1, 2, 3, float("nan")], None),
            ("calibration", "absolute"): ([[0.5, 1e-3]] * 5, None, {}),
            ("calibration", "absolute", "own"): (float("inf"), 1e6, "1"),
            ("calibration", "absolute", "usual_level"): (float("nan"), -1e6),
            ("calibration", "absolute", "usual"): ([[0, 0, 0]] * 4, [[0, 0]] * 5, [0] * 5),
            ("calibration", "absolute", "parts"): ([[0, 1]], [[0, 1, 2, 3, 999]], [], [[]]),
            ("layout_table",): ([], {"name": "mine"}, None),
            ("layout_table", "count"): (4, 68, "5"),
            ("layout_table", "outlines"): ([{}], [3], None),
            ("layout_table", "mirror_pairs"): ([[0, 9]], [[0]], [0]),
            ("layout_table", "eye_corners"): ([0, 5], None),
        }.items()
        for value in values
    ],
)
def test_what_cannot_be_so_is_refused_in_one_line(steps: tuple[str, ...], value: object) -> None:
    with pytest.raises(ValueError, match=steps[-1]) as refused:
        from_dictionary(described(*steps, value=value))
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


def test_missing_and_unknown_keys_are_named() -> None:
    whole = as_dictionary(INFO)
    with pytest.raises(ValueError, match="lacks keys, or has others: favourite"):
        from_dictionary(whole | {"favourite": 1})
    del whole["margin"]
    with pytest.raises(ValueError, match="lacks keys, or has others: margin"):
        from_dictionary(whole)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("{" + " " * 2_000_000 + "}", "characters, at most"),
        ("[]", "no dictionary"),
        ("", "Expecting value"),
    ],
)
def test_metadata_that_is_no_description_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_description(text)


def refused(path: Path) -> str:
    """The one line that refuses a file."""
    with pytest.raises(models.CheckpointError) as caught:
        models.load_landmarker(path, "cpu")
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 350
    return message


def safetensors_file(path: Path, description: str | dict[str, Any], state: dict) -> Path:
    """A file whose checksum is right, whatever it says."""
    if isinstance(description, dict):
        description = json.dumps(description | {"sha256": _digest(state, description)})
    save_file(state, path, {METADATA_KEY: description})
    return path


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return LandmarkNet(INFO.architecture).state_dict()


def test_a_safetensors_file_of_impossible_sizes_is_refused_before_they_are_allocated(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "w.safetensors"
    whole = described("architecture", "stacks", value=100_000)
    assert "stacks must be" in refused(safetensors_file(path, whole, state))
    # Legal numbers, but six gigabytes of weights that the file does not hold.
    vast = described("architecture", "width", value=1024)
    vast["architecture"] |= {"stacks": 16, "depth": 3}
    assert "misses" in refused(safetensors_file(path, vast, state))


def test_a_checksum_and_nothing_else_is_refused(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "w.safetensors"
    for description in ({}, "{}", "[]", "", "[" * 100_000, '{"sha256": {"a": 1}}'):
        assert "not a weight file" in refused(
            safetensors_file(path, description, state)
        ) or "SHA-256 does not match" in refused(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(
    value: float, tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    state["out_heatmaps.0.conv.bias"][2] = value
    path = tmp_path / "w.safetensors"
    save_checkpoint(path, state, INFO)
    message = refused(path)
    assert "not finite in 1 tensors, first out_heatmaps.0.conv.bias" in message


def test_weights_of_another_type_are_refused(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    state["out_heatmaps.0.conv.bias"] = torch.ones(5, dtype=torch.int32)
    path = tmp_path / "w.safetensors"
    assert "other types" in refused(safetensors_file(path, as_dictionary(INFO), state))


@pytest.mark.parametrize("content", [b"", b"1234", struct.pack("<Q", 2**62) + b"{}"])
def test_a_header_that_cannot_be_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    assert "not a weight file" in refused(tmp_path / "w.safetensors")


def test_the_shipped_weights_pass(tmp_path: Path) -> None:
    network, info = load_checkpoint(NAMED_WEIGHTS["lite"])
    assert network.config == info.architecture
    assert load_file(NAMED_WEIGHTS["lite"]).keys() == network.state_dict().keys()
    check_graph(NAMED_WEIGHTS["lite"].with_suffix(".onnx").read_bytes())


def onnx_model(nodes: list[Any] | None = None, **other: Any) -> onnx.ModelProto:
    """A graph with the inputs and outputs of an exported network; `other` spoils it."""
    landmarks = other.get("landmarks", 5)
    weight = np.full((2, 1, 1, 1), other.get("weight", 1), np.float32)
    shapes = {"mean": (landmarks, 2), "spread": (landmarks, 2, 2), "peak": (landmarks,)}
    made = [
        helper.make_node("ReduceSum", ["crops_float", "axes"], ["sums"], keepdims=1),
        helper.make_node("Mul", ["sums", "weight"], ["scaled"]),
        *(helper.make_node("Expand", ["tiny", f"{name}_shape"], [name]) for name in shapes),
    ]
    constants = [
        numpy_helper.from_array(np.array([1, 2, 3]), "axes"),
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(np.array(1, np.float32), "tiny"),
        *(
            numpy_helper.from_array(np.array((2, *shape)), f"{name}_shape")
            for name, shape in shapes.items()
        ),
    ]
    given = other.get("input", INPUT)
    made.insert(0, helper.make_node("Cast", [given], ["crops_float"], to=TensorProto.FLOAT))
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (2, *shapes[name]))
        for name in other.get("outputs", OUTPUTS)
    ]
    size = other.get("size", 32)
    shape = ["faces", size, size, 3]
    graph = helper.make_graph(
        [*made, *(nodes or [])], "network",
        [helper.make_tensor_value_info(given, TensorProto.UINT8, shape)], outputs, constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    model.metadata_props.add(
        key=METADATA_KEY, value=other.get("description", json.dumps(as_dictionary(INFO)))
    )
    model.metadata_props.add(key="checksum", value=BLANK)
    return model


def written(path: Path, model: onnx.ModelProto) -> Path:
    path.write_bytes(with_checksum(model.SerializeToString()))
    return path


def endless_loop() -> onnx.NodeProto:
    kept = helper.make_tensor_value_info("kept", TensorProto.BOOL, [])
    turn = helper.make_tensor_value_info("turn", TensorProto.INT64, [])
    going = helper.make_tensor_value_info("going", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["kept"])], "body", [turn, going], [kept]
    )
    return helper.make_node("Loop", ["", ""], [], body=body)


def test_a_made_up_network_of_the_right_kind_is_taken(tmp_path: Path) -> None:
    landmarker = load_onnx_landmarker(written(tmp_path / "w.onnx", onnx_model()))
    assert landmarker(np.zeros((2, 32, 32, 3), np.uint8)).mean.shape == (2, 5, 2)


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        pytest.param({"outputs": ("mean", "spread")}, "gives other things", id="outputs"),
        pytest.param({"outputs": ("mean", "peak", "spread")}, "gives other things", id="order"),
        pytest.param({"input": "pictures"}, "takes other things", id="input"),
        pytest.param({"size": 64}, "takes other things than crops of 32 px", id="size"),
        pytest.param({"landmarks": 4}, "does not give 5 landmarks", id="landmarks"),
        pytest.param({"weight": np.nan}, "weights are not all finite", id="nan"),
        pytest.param({"weight": np.inf}, "weights are not all finite", id="inf"),
        pytest.param({"description": "{}"}, "lacks keys", id="nothing"),
        pytest.param({"description": "[" * 100_000}, "nested too deeply", id="nested"),
        pytest.param(
            {"description": json.dumps(described("input_px", value=0))}, "input_px", id="input-size"
        ),
        pytest.param(
            {"nodes": [helper.make_node("Nonsense", ["tiny"], ["out"])]}, "Nonsense", id="unknown"
        ),
        pytest.param({"nodes": [endless_loop()]}, "control flow", id="loop"),
        pytest.param(
            {"nodes": [helper.make_node("Own", ["tiny"], ["out"], domain="mine")]},
            "not ONNX's own", id="domain",
        ),
    ],
)  # fmt: skip
def test_an_exported_file_of_another_graph_is_refused_in_one_line(
    spoilt: dict[str, Any], says: str, tmp_path: Path
) -> None:
    assert says in refused(written(tmp_path / "w.onnx", onnx_model(**spoilt)))


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    model = onnx_model()
    weight = model.graph.initializer[1]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/passwd")
    assert "another file" in refused(written(tmp_path / "w.onnx", model))


def test_functions_of_its_own_are_refused(tmp_path: Path) -> None:
    model = onnx_model()
    body = [helper.make_node("Identity", ["x"], ["y"])]
    opset = [helper.make_opsetid("", 20)]
    model.functions.append(helper.make_function("mine", "F", ["x"], ["y"], body, opset))
    assert "functions" in refused(written(tmp_path / "w.onnx", model))


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff" * 40, b"\x3a\x7f"])
def test_a_checksum_over_nothing_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.onnx"
    path.write_bytes(with_checksum(content + BLANK.encode()))
    refused(path)


def test_operator_names_are_found_however_their_length_is_written() -> None:
    node = b"\x22\x84\x00Loop"  # a varint of two bytes where one would do
    graph = b"\x0a" + bytes([len(node)]) + node
    with pytest.raises(ValueError, match="control flow"):
        check_graph(b"\x3a" + bytes([len(graph)]) + graph)


def deflated(path: Path) -> Path:
    """The same archive, but packed."""
    packed = path.with_name("packed.pkl")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry))
    return packed


def test_a_pickle_that_unpacks_to_more_than_it_weighs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pkl"
    torch.save({"net": {"e2h_transform.weight": torch.zeros(3_000_000)}}, path)
    assert "compressed" in refused(deflated(path))


@pytest.mark.parametrize("name", ["e2h_transform.weight", "out_heatmaps.0.conv.weight"])
def test_tensors_larger_than_what_is_stored_of_them_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "expanded.pkl"
    net = {
        "out_heatmaps.0.conv.weight": torch.zeros(68, 1),
        "e2h_transform.weight": torch.zeros(68, 1),
    }
    net[name] = torch.zeros(1).expand(10**6, 10**6)
    torch.save({"net": net}, path)
    assert path.stat().st_size < 5000
    assert "is larger than what is stored of it" in refused(path)


def test_a_pickle_with_other_things_than_dense_tensors_is_refused(tmp_path: Path) -> None:
    sparse = torch.sparse_coo_tensor(
        torch.zeros(2, 1, dtype=torch.long), torch.ones(1), (9, 9), check_invariants=True
    )
    for net, says in (
        ({"a": sparse}, "no dense tensor"),
        ({"a": torch.empty(9, device="meta")}, "no dense tensor"),
        ({"a": 3}, "other things than tensors"),
        ({3: torch.zeros(2)}, "other things than tensors"),
        ({"out_heatmaps.0.conv.weight": torch.tensor(1.0)}, "no STAR network"),
    ):
        torch.save({"net": net}, tmp_path / "w.pkl")
        assert says in refused(tmp_path / "w.pkl")


def test_an_official_file_with_weights_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    state = official_state(COFW_29)
    state["out_heatmaps.3.conv.bias"] = state["out_heatmaps.3.conv.bias"] * np.nan
    torch.save({"net": state}, tmp_path / "w.pkl")
    assert "not finite in 1 tensors" in refused(tmp_path / "w.pkl")


def test_a_layout_of_other_landmarks_is_refused() -> None:
    with pytest.raises(ValueError, match="count must be 5, got 68"):
        from_dictionary(described("layout_table", "count", value=68))
