"""The exported file says what PyTorch says, or it is refused."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from test_checkpoint import CONFIG
from test_checkpoint import INFO as CHECKPOINT_INFO

import models
from models.checkpoint import save_checkpoint
from models.checksum import BLANK, is_whole, with_checksum
from models.export import MOST_PX, check, main, write_if_equal
from models.landmark_net import LandmarkNet
from models.onnx_landmarker import OnnxLandmarker, file_digest, load_onnx_landmarker
from models.torch_landmarker import load_torch_landmarker
from models.weight_files import NAMED_WEIGHTS
from tracker import FaceTracker
from tracker.crop import crop_from_square, landmark_square, warp_crop
from tracker.io.simulated_camera import portrait
from train.synthetic import portrait_face

SMALLEST = replace(CONFIG, depth=1, attention=False, edges=())
"""The exporter takes seconds for every few layers."""
INFO = replace(CHECKPOINT_INFO, architecture=SMALLEST)
ROOT = Path(__file__).parents[1]
LITE = NAMED_WEIGHTS["lite"]
SHIPPED = LITE.with_suffix(".onnx")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network; what was exported of them lies beside."""
    path = tmp_path_factory.mktemp("small") / "small.safetensors"
    torch.manual_seed(0)
    save_checkpoint(path, LandmarkNet(SMALLEST).state_dict(), INFO)
    main(["--weights", str(path)])
    return path


def crops_of(kind: str, faces: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "portrait":
        x, y, side = landmark_square(portrait_face().points, 1.2)
        sides = [side * (1 + index / 20) for index in range(faces)]
        matrices = [crop_from_square(x, y, side, 128) for side in sides]
        return np.stack([warp_crop(portrait(), matrix, 128) for matrix in matrices])
    return rng.integers(0, 256, (faces, 128, 128, 3), dtype=np.uint8)


@pytest.mark.parametrize("faces", [1, 3])
@pytest.mark.parametrize("kind", ["portrait", "noise"])
def test_the_shipped_file_says_what_the_weights_say(
    kind: str, faces: int, rng: np.random.Generator
) -> None:
    crops = crops_of(kind, faces, rng)
    ours, theirs = load_torch_landmarker("lite", "cpu")(crops), load_onnx_landmarker(SHIPPED)(crops)
    np.testing.assert_allclose(theirs.mean, ours.mean, atol=MOST_PX)
    for found, expected in (
        (theirs.covariance, ours.covariance),
        (theirs.measurement_noise, ours.measurement_noise),
    ):
        size = np.trace(expected, axis1=-2, axis2=-1)[..., None, None]
        np.testing.assert_allclose(found / size, expected / size, atol=1e-3)
    np.testing.assert_allclose(theirs.confidence, ours.confidence, atol=1e-4)


@pytest.mark.parametrize("name", NAMED_WEIGHTS)
def test_the_shipped_files_are_of_each_other(name: str) -> None:
    assert check(name, NAMED_WEIGHTS[name].with_suffix(".onnx")) <= MOST_PX
    assert isinstance(models.load_landmarker(name, "cpu"), OnnxLandmarker)


@pytest.mark.parametrize("name", NAMED_WEIGHTS)
def test_the_card_names_the_shipped_file(name: str) -> None:
    card = NAMED_WEIGHTS[name].with_suffix(".md").read_text(encoding="utf-8")
    digest = file_digest(NAMED_WEIGHTS[name].with_suffix(".onnx"))
    assert f"SHA-256: `{digest}`" in card


@pytest.mark.parametrize(
    ("other", "mean", "largest"),
    [("nano", 0.03, 0.12), ("base", 0.03, 0.12), ("lite-free", 0.06, 0.2)],
)
def test_the_family_puts_the_portraits_landmarks_where_lite_does(
    other: str, mean: float, largest: float
) -> None:
    image = portrait()
    found = {}
    for name in ("lite", other):
        with FaceTracker(models.load_landmarker(name, "cpu")) as faces:
            (face,) = faces.detect(image)
        found[name] = face.landmarks.mean
    eyes = np.linalg.norm(found["lite"][45] - found["lite"][36])
    apart = np.linalg.norm(found[other] - found["lite"], axis=-1)
    assert apart.mean() < mean * eyes
    assert apart.max() < largest * eyes


def test_all_that_the_weights_say_of_themselves_travels_along(small: Path) -> None:
    exported = load_onnx_landmarker(small.with_suffix(".onnx"))
    assert exported.info == INFO
    assert exported.info == load_torch_landmarker(small, "cpu").info
    assert (exported.layout_name, exported.input_px, exported.margin) == ("300W-68", 32, 1.2)


def test_an_exported_file_is_a_weight_file(small: Path) -> None:
    landmarker = models.load_landmarker(small.with_suffix(".onnx"))
    crops = np.zeros((2, 32, 32, 3), np.uint8)
    assert landmarker(crops).mean.shape == (2, 5, 2)


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes, index: int) -> bytes:
    return content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(truncated, id="truncated"),
        pytest.param(lambda content: flipped(content, len(content) // 3), id="flipped-weight"),
        pytest.param(lambda content: flipped(content, len(content) - 1), id="flipped-checksum"),
        pytest.param(lambda content: content + b"\0", id="longer"),
        pytest.param(lambda content: b"", id="empty"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(
    damage, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = tmp_path / "spoilt.onnx"
    spoilt.write_bytes(damage(small.with_suffix(".onnx").read_bytes()))
    with pytest.raises(models.CheckpointError, match=r"spoilt\.onnx: damaged"):
        models.load_landmarker(spoilt)
    with pytest.raises(SystemExit) as ended:
        main(["--weights", str(small), "--check", str(spoilt)])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def with_other_weights(content: bytes) -> bytes:
    model = onnx.load_model_from_string(content)
    weight = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    weight.raw_data = np.flip(np.frombuffer(weight.raw_data, np.float32)).tobytes()
    return model.SerializeToString()


def checksummed_anew(content: bytes) -> bytes:
    model = onnx.load_model_from_string(content)
    next(entry for entry in model.metadata_props if entry.key == "checksum").value = BLANK
    return with_checksum(model.SerializeToString())


def test_the_weights_of_another_network_are_refused(small: Path, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped.onnx"
    content = with_other_weights(small.with_suffix(".onnx").read_bytes())
    swapped.write_bytes(content)
    with pytest.raises(models.CheckpointError, match="damaged"):
        models.load_landmarker(swapped)
    swapped.write_bytes(checksummed_anew(content))
    with pytest.raises(models.CheckpointError, match=r"differs from PyTorch by .* than 0\.001"):
        check(small, swapped)


def test_a_file_that_disagrees_with_pytorch_is_not_written(small: Path, tmp_path: Path) -> None:
    content = checksummed_anew(with_other_weights(small.with_suffix(".onnx").read_bytes()))
    ours = load_torch_landmarker(small, "cpu")
    with pytest.raises(models.CheckpointError, match=r"out\.onnx: not written"):
        write_if_equal(content, ours, tmp_path / "out.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_other_weights_is_not_taken_for_these(small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, LandmarkNet(SMALLEST).state_dict(), replace(INFO, trained_on="others"))
    other.with_suffix(".onnx").write_bytes(small.with_suffix(".onnx").read_bytes())
    with pytest.raises(models.CheckpointError, match="exported from other weights"):
        models.load_landmarker(other, "cpu", "onnx")
    with pytest.raises(models.CheckpointError, match="describes itself otherwise"):
        check(other, other.with_suffix(".onnx"))


def test_without_the_runtime_pytorch_runs_the_network(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert isinstance(models.load_landmarker("lite", "cpu"), models.HeatmapLandmarker)
    assert "ONNX Runtime is not installed" in caplog.text
    with pytest.raises(models.CheckpointError, match="ONNX Runtime is not installed"):
        models.load_landmarker("lite", "cpu", "onnx")


def test_what_does_not_go_together_is_refused(small: Path) -> None:
    with pytest.raises(models.CheckpointError, match="PyTorch cannot run it"):
        models.load_landmarker(SHIPPED, "cpu", "torch")
    with pytest.raises(models.CheckpointError, match="runs on the CPU"):
        models.load_landmarker(SHIPPED, "cuda")
    assert isinstance(models.load_landmarker(small, "cpu"), models.HeatmapLandmarker)


def test_the_default_run_imports_nothing_large_besides_its_runtime(tmp_path: Path) -> None:
    program = (
        "import json, sys, run_tracker\n"
        "status = run_tracker.main(sys.argv[1:])\n"
        "large = {'torch', 'scipy', 'matplotlib'}\n"
        "print(json.dumps([status, sorted(large & sys.modules.keys())]))\n"
    )
    flags = [str(tmp_path / "face.png"), "--device", "cpu", "--save-csv", str(tmp_path / "out.csv")]
    cv2.imwrite(flags[0], cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR))
    ran = subprocess.run(
        [sys.executable, "-c", program, *flags],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(ran.stdout.splitlines()[-1]) == [0, []]


def test_a_checksum_breaks_with_any_byte() -> None:
    content = with_checksum(b"head " + BLANK.encode() + b" tail")
    assert is_whole(content)
    assert not any(is_whole(flipped(content, index)) for index in range(len(content)))
