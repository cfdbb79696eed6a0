"""The command line, as a user meets it: real portrait, real weights, real detector."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from fakes import blob_frame, write_video
from safetensors.numpy import save_file
from test_official import official_state

import run_tracker
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.layouts import COFW_29

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    camera = SimulatedCamera(portrait(), still_then_moving(0.3), 1.0)
    return write_video(tmp_path_factory.mktemp("clip") / "face.mp4", [f.image for f in camera])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_video_becomes_landmarks_lines_and_an_overlay(clip: Path, tmp_path: Path) -> None:
    outputs = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "jsonl", "mp4")}
    arguments = [str(clip), "--save-csv", str(outputs["csv"]), "--save-jsonl"]
    arguments += [str(outputs["jsonl"]), "--save-video", str(outputs["mp4"]), "--ellipses"]
    assert run_tracker.main(arguments) == 0
    rows = rows_of(outputs["csv"])
    assert [row["frame"] for row in rows] == [str(i) for i in range(30)]
    assert all(row["success"] == "1" and row["face_id"] == "0" for row in rows)
    points = np.array([[float(rows[5][f"{axis}_{i}"]) for axis in "xy"] for i in range(68)])
    # Seen by eye, the pupils of the photograph lie at (222, 190) and (304, 186).
    path = still_then_moving(0.3)(5 / 30)
    pupils = np.array([[222.0, 190.0], [304.0, 186.0]]) @ path[:2, :2].T + path[:2, 2]
    eyes = np.stack([points[36:42].mean(0), points[42:48].mean(0)])
    np.testing.assert_allclose(eyes, pupils, atol=6)
    assert len(outputs["jsonl"].read_text().splitlines()) == 30
    assert cv2.VideoCapture(str(outputs["mp4"])).get(cv2.CAP_PROP_FRAME_COUNT) == 30


def test_a_folder_gives_a_row_per_picture_found_or_not(tmp_path: Path) -> None:
    face = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "a_face.png"), face)
    cv2.imwrite(str(tmp_path / "b_grey.png"), cv2.cvtColor(face, cv2.COLOR_BGR2GRAY))
    cv2.imwrite(str(tmp_path / "c_pixel.png"), face[:1, :1])
    cv2.imwrite(str(tmp_path / "d_alpha.png"), cv2.cvtColor(face, cv2.COLOR_BGR2BGRA))
    cv2.imwrite(str(tmp_path / "e_large.jpg"), cv2.resize(face, (6144, 7200)))
    out = tmp_path / "out.csv"
    assert run_tracker.main([str(tmp_path), "--save-csv", str(out)]) == 0
    seen = {row["file"]: row["success"] for row in rows_of(out)}
    assert seen == {
        "a_face.png": "1", "b_grey.png": "1", "c_pixel.png": "0", "d_alpha.png": "1",
        "e_large.jpg": "1",
    }  # fmt: skip


def test_raw_and_filtered_landmarks_differ_but_little(clip: Path, tmp_path: Path) -> None:
    for flags in ([], ["--raw"]):
        out = tmp_path / f"{len(flags)}.csv"
        assert run_tracker.main([str(clip), "--save-csv", str(out), *flags]) == 0
    filtered, raw = (
        np.array([[float(row[f"x_{i}"]) for i in range(68)] for row in rows_of(tmp_path / name)])
        for name in ("0.csv", "1.csv")
    )
    assert 0 < np.abs(filtered - raw).max() < 8


def _code_instead_of_tensors(path: Path) -> None:
    torch.save({"net": print}, path)


def _text(path: Path) -> None:
    path.write_text("hello, I am no checkpoint")


def _numbers(path: Path) -> None:
    torch.save({"net": {"pre.0.conv.weight": 3}}, path)


def _wrong_keys(path: Path) -> None:
    torch.save({"model": {}}, path)


def _not_ours(path: Path) -> None:
    save_file({"x": np.zeros(3, np.float32)}, path)


def _bit_rot(path: Path) -> None:
    content = bytearray((ROOT / "models/weights/lite-300w.safetensors").read_bytes())
    content[-5] ^= 0xFF
    path.write_bytes(content)


def _cut_off(path: Path) -> None:
    path.write_bytes((ROOT / "models/weights/lite-300w.safetensors").read_bytes()[:5000])


def _other_layout(path: Path) -> None:
    state = official_state(COFW_29)
    state["out_heatmaps.0.conv.weight"] = torch.zeros(106, 256, 1, 1)
    torch.save({"net": state}, path)


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        pytest.param("w.pkl", _code_instead_of_tensors, "holds code", id="code"),
        pytest.param("w.pkl", _text, "damaged", id="text"),
        pytest.param("w.pkl", _numbers, "other things than tensors", id="numbers"),
        pytest.param("w.pkl", _wrong_keys, "key 'net'", id="wrong-keys"),
        pytest.param("w.pkl", _other_layout, "predicts 106 landmarks", id="other-layout"),
        pytest.param("w.safetensors", _not_ours, "not a weight file of this", id="not-ours"),
        pytest.param("w.safetensors", _bit_rot, "SHA-256 does not match", id="bit-rot"),
        pytest.param("w.safetensors", _cut_off, "not a weight file of this", id="cut-off"),
        pytest.param("none.pkl", None, "no such weight file", id="missing"),
    ],
)
def test_bad_weights_give_one_line(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, make, says: str
) -> None:
    if make:
        make(tmp_path / name)
    assert run_tracker.main([str(clip), "--weights", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert says in error
    assert error.count("\n") == 1


def test_bad_sources_and_outputs_give_one_line(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept.csv").write_text("precious")
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.jpg").write_text("no picture")
    cases = {
        "no such file": ["nowhere.mp4"],
        "no frame can be decoded": [str(tmp_path / "text.mp4")],
        "is empty": [str(tmp_path / "empty.mp4")],
        "holds neither pictures": [str(tmp_path / "folder")],
        "is not a readable picture": [str(tmp_path / "broken.jpg")],
        "camera 98": ["98"],
        "is no video name": [str(clip), "--save-video", str(tmp_path / "x.txt")],
        "exists already": [str(clip), "--save-csv", str(tmp_path / "kept.csv")],
        "is already the source": [str(clip), "--overwrite", "--save-video", str(clip)],
        "cannot be written": [str(clip), "--save-csv", str(tmp_path / "no" / "x.csv")],
    }
    for says, arguments in cases.items():
        assert run_tracker.main(arguments) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
    assert (tmp_path / "kept.csv").read_text() == "precious"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_gives_one_line(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tracker.main([str(clip), "--overwrite", "--save-csv", "/dev/full"]) == 2
    error = capsys.readouterr().err
    assert "No space left" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "flags",
    [["--device", "gpu"], ["--max-faces", "0"], ["--smoothing", "2"], ["--region", "0,0,9"],
     ["--region", "a,b,c,d"], ["--region", "9,0,0,9"], ["--region", "0,0,nan,9"]],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_value_of_a_flag_is_named(flags: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        run_tracker.main(["demo", *flags])
    assert ended.value.code == 2
    assert f"argument {flags[0]}: must" in capsys.readouterr().err


def test_only_the_faces_that_are_asked_for_are_written(clip: Path, tmp_path: Path) -> None:
    for name, flags, wanted in (
        ("all", [], True),
        ("outside", ["--region", "0,0,5,5"], False),
        ("one", ["--faces", "largest", "--region", "0,0,9999,9999"], True),
    ):
        out = tmp_path / f"{name}.csv"
        assert run_tracker.main([str(clip), "--save-csv", str(out), *flags]) == 0
        assert any(row["face_id"] != "-1" for row in rows_of(out)) == wanted


def test_a_bad_source_leaves_no_empty_outputs(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    assert run_tracker.main(["nowhere.mp4", "--save-csv", str(out)]) == 2
    assert not out.exists()


def test_a_window_that_is_refused_spoils_no_output(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    kept = tmp_path / "kept.csv"
    kept.write_text("precious")
    flags = ["--show", "--overwrite", "--save-csv", str(kept)]
    assert run_tracker.main([str(clip), *flags]) == 2
    assert kept.read_text() == "precious"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_ctrl_c_leaves_whole_rows_and_a_video_that_plays(tmp_path: Path) -> None:
    film = write_video(tmp_path / "long.mp4", [blob_frame([(60.0, 60.0)])] * 3000)
    rows, overlay = tmp_path / "x.csv", tmp_path / "x.mp4"
    command = [sys.executable, "run_tracker.py", str(film), "--save-csv", str(rows)]
    process = subprocess.Popen([*command, "--save-video", str(overlay)], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (rows.exists() and rows.read_text().count("\n") > 20):
        assert time.monotonic() < deadline, "no rows after a minute"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    written = rows_of(rows)
    assert None not in written[-1].values()  # a short row would leave columns unfilled
    frames = cv2.VideoCapture(str(overlay)).get(cv2.CAP_PROP_FRAME_COUNT)
    assert frames == len(written) < 3000


def test_the_demo_measures_what_the_filter_took_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_tracker.main(["demo"]) == 0
    assert "jitter while still" in capsys.readouterr().out
    assert len(rows_of(tmp_path / "demo-output/landmarks.csv")) == 300
    assert (tmp_path / "demo-output/overlay.mp4").stat().st_size > 10_000


def test_json_lines_say_where_the_face_is(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    assert run_tracker.main([str(clip), "--save-jsonl", str(out), "--max-faces", "1"]) == 0
    line = json.loads(out.read_text().splitlines()[-1])
    (face,) = line["faces"]
    assert np.shape(face["points"]) == (68, 2)
    covariances = np.array(face["covariances"])
    assert (np.linalg.eigvalsh(covariances) > 0).all()
