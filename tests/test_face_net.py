"""The detector's network: its grids lie where their cells say, and its files are read back."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models.checksum import BLANK, with_checksum
from models.description import CheckpointError
from models.export_faces import MOST_PX, export_faces
from models.face_detector import STRIDES as RUNTIME_STRIDES
from models.face_loading import load_face_detector
from models.face_net import CHANNELS, STRIDES, FaceNet, FaceNetConfig, FaceReader, decode_cells
from models.face_suppression import CHANNELS as RUNTIME_CHANNELS
from models.face_weights import FaceWeightsInfo, load_face_weights, save_face_weights

SMALL = FaceNetConfig(stem=(4, 8), widths=(8, 8, 8, 8), depths=(1, 1, 1, 1), pyramid=8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network, and what was exported of them beside."""
    path = tmp_path_factory.mktemp("faces") / "small.safetensors"
    torch.manual_seed(0)
    network = FaceNet(SMALL)
    for layer in (*network.scores, *network.places):
        torch.nn.init.normal_(layer.weight, std=0.5)
    info = FaceWeightsInfo(architecture=SMALL, found_from=0.25, licence="research only")
    save_face_weights(path, network.state_dict(), info)
    export_faces(path, path.with_suffix(".onnx"))
    return path


def test_both_back_ends_mean_the_same_channels_and_strides() -> None:
    assert (RUNTIME_CHANNELS, RUNTIME_STRIDES) == (CHANNELS, STRIDES)


def test_a_level_has_a_cell_for_every_stride() -> None:
    levels = FaceNet(SMALL).eval()(torch.zeros(2, 3, 96, 160))
    assert [tuple(level.shape) for level in levels] == [
        (2, CHANNELS, -(-96 // stride), -(-160 // stride)) for stride in STRIDES
    ]


def test_a_cell_that_says_zero_points_at_its_own_middle() -> None:
    decoded = decode_cells(torch.zeros(1, CHANNELS, 2, 3), 16)[0].numpy()
    score, x, y, side = decoded[:, :4].T
    np.testing.assert_allclose(score, 0.5)
    np.testing.assert_allclose(x, [7.5, 23.5, 39.5, 7.5, 23.5, 39.5])  # cells of 16 pixels
    np.testing.assert_allclose(y, [7.5, 7.5, 7.5, 23.5, 23.5, 23.5])
    np.testing.assert_allclose(side, 32)
    np.testing.assert_allclose(decoded[:, 4:], np.tile(decoded[:, 1:3], 3))


def test_offsets_are_in_units_of_two_strides_and_the_side_is_a_power_of_e() -> None:
    raw = torch.zeros(1, CHANNELS, 1, 1)
    raw[0, :, 0, 0] = torch.tensor([0.0, 1, -1, np.log(3), 0.5, 0, 0, 0, 0, 2])
    (cell,) = decode_cells(raw, 8)[0].numpy()
    np.testing.assert_allclose(cell[1:], [19.5, -12.5, 48, 11.5, 3.5, 3.5, 3.5, 3.5, 35.5])


def test_the_default_fits_in_a_megabyte_and_a_half() -> None:
    parameters = sum(parameter.numel() for parameter in FaceNet().parameters())
    assert 4 * parameters < 1.5e6


def test_weights_are_read_back(exported: Path) -> None:
    network, info = load_face_weights(exported)
    assert info == FaceWeightsInfo(architecture=SMALL, found_from=0.25, licence="research only")
    torch.manual_seed(0)
    reference = FaceNet(SMALL).stem[0][0].weight
    torch.testing.assert_close(network.stem[0][0].weight, reference, atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(1, 32, 32), (5, 128, 128), (2, 64, 224), (1, 480, 640)])
def test_the_exported_file_says_what_pytorch_says(
    exported: Path, size: tuple[int, ...], rng: np.random.Generator
) -> None:
    pictures = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    network, _ = load_face_weights(exported)
    with torch.inference_mode():
        ours = FaceReader(network)(torch.from_numpy(pictures)).numpy()
    with load_face_detector(exported.with_suffix(".onnx"), threads=1) as detector:
        assert detector.found_from == 0.25
        np.testing.assert_allclose(detector.raw(pictures), ours, atol=MOST_PX, rtol=1e-3)


def test_a_changed_byte_is_seen(exported: Path, tmp_path: Path) -> None:
    for suffix, load in ((".safetensors", load_face_weights), (".onnx", load_face_detector)):
        content = bytearray(exported.with_suffix(suffix).read_bytes())
        content[-20] ^= 1
        damaged = tmp_path / f"damaged{suffix}"
        damaged.write_bytes(content)
        with pytest.raises(CheckpointError, match="damaged"):
            load(damaged)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"sha256:" + 64 * b"0"])
def test_other_files_are_refused_in_a_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "faces.onnx"
    path.write_bytes(content)
    for load in (load_face_weights, load_face_detector):
        with pytest.raises(CheckpointError, match=r"faces\.onnx: ") as caught:
            load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_face_detector(tmp_path / "none.onnx")


def resealed(path: Path, tmp_path: Path, described: object) -> Path:
    """A copy with another description and a right checksum, which anybody can make."""
    model = onnx.load(path)
    notes = {"star-tracker": json.dumps(described), "checksum": BLANK}
    model.ClearField("metadata_props")
    for key, value in notes.items():
        model.metadata_props.add(key=key, value=value)
    other = tmp_path / "other.onnx"
    other.write_bytes(with_checksum(model.SerializeToString()))
    return other


@pytest.mark.parametrize(
    "described",
    [
        [], {}, 7, None, {"kind": "face-detector"}, {"kind": "cat", "found_from": 0.5},
        {"kind": "face-detector", "found_from": float("nan")},
        {"kind": "face-detector", "found_from": "0.5"},
    ],
)  # fmt: skip
def test_a_right_checksum_over_a_wrong_description_helps_nobody(
    exported: Path, tmp_path: Path, described: object
) -> None:
    path = resealed(exported.with_suffix(".onnx"), tmp_path, described)
    with pytest.raises(CheckpointError, match=r"other\.onnx"):
        load_face_detector(path)


def test_another_graph_with_a_right_checksum_is_refused(tmp_path: Path) -> None:
    shape = [1, 64, 96, 3]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["pictures"], ["cells"])],
        "none",
        [value("pictures", onnx.TensorProto.UINT8, shape)],
        [value("cells", onnx.TensorProto.UINT8, shape)],
    )
    path = tmp_path / "none.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]), path)
    other = resealed(path, tmp_path, {"kind": "face-detector", "found_from": 0.5})
    with pytest.raises(CheckpointError, match=r"other\.onnx"):
        load_face_detector(other)
