"""The command line with several videos: real portrait, real weights, real detector."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import blob_frame, write_video

import models
import run_tracker
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of different lengths and sizes."""
    folder = tmp_path_factory.mktemp("clips")
    for name, image, seconds in (
        ("long.mp4", portrait(), 0.8),
        ("short.avi", np.ascontiguousarray(portrait()[:450, ::-1]), 0.4),
    ):
        camera = SimulatedCamera(image, still_then_moving(0.2), seconds)
        write_video(folder / name, [frame.image for frame in camera])
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def points_of(path: Path) -> np.ndarray:
    return np.array(
        [[float(v) for k, v in row.items() if k[:2] in ("x_", "y_")] for row in rows_of(path)]
    )


def video_frames(path: Path) -> int:
    return int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))


@pytest.mark.parametrize(
    ("flags", "at_most_px"),
    [
        pytest.param([], 1e-3, id="one-after-the-other"),
        pytest.param(["--together", "2"], 1e-3, id="together"),
        # PyTorch rounds as the size of the batch has it, and looks follow from landmarks.
        pytest.param(["--together", "2", "--backend", "torch"], 0.5, id="together-torch"),
        pytest.param(["--together", "8", "--offline"], 1e-3, id="together-offline"),
    ],
)
def test_each_video_gets_what_it_gets_alone(
    clips: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    at_most_px: float,
) -> None:
    out = tmp_path / "made" / "out"
    arguments = [*flags, "--save-csv", str(out), "--save-jsonl", str(out), "--save-video", str(out)]
    assert run_tracker.main([str(clips), *arguments]) == 0
    told = capsys.readouterr()
    assert "2 of 2" in told.out
    assert not told.err
    for clip, frames in (("long.mp4", 24), ("short.avi", 12)):
        alone, together = tmp_path / f"{clip}.csv", (out / clip).with_suffix(".csv")
        assert run_tracker.main([str(clips / clip), *flags, "--save-csv", str(alone)]) == 0
        assert len(rows_of(together)) == frames
        assert all(row["success"] == "1" for row in rows_of(together))
        away = np.abs(points_of(together) - points_of(alone))
        assert away.max() < at_most_px
        assert away.mean() < 0.1 * at_most_px
        assert len(together.with_suffix(".jsonl").read_text().splitlines()) == frames
        assert video_frames(together.with_suffix(".mp4")) == frames


def test_a_video_that_fails_does_not_stop_the_others(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, out = tmp_path / "bad [red].mp4", tmp_path / "out"
    bad.write_text("no film")
    named = [str(clips / "long.mp4"), str(bad), str(clips / "short.avi")]
    assert run_tracker.main([*named, "--save-csv", str(out), "--together", "2"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"error: {bad}: no frame can be decoded")
    assert told.err.count("\n") == 1
    assert {path.name for path in out.iterdir()} == {
        "long.csv", "long.csv.meta.json", "short.csv", "short.csv.meta.json",
        "manifest.jsonl",
    }  # fmt: skip
    assert len(rows_of(out / "long.csv")) == 24
    assert len(rows_of(out / "short.csv")) == 12


def test_what_cannot_be_done_is_said_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two", "both", "full"):
        Path(folder).mkdir()
    for name in ("one/a.mp4", "one/b.mp4", "two/A.mov", "both/a.mp4", "both/a.png", "full/b.csv"):
        Path(name).write_text("not to be looked into")
    cases = {
        "holds videos (1) and pictures (1)": ["both", "--save-csv", "out"],
        "one/a.mp4 and two/A.mov: outputs would both be named a": ["one", "two", "--save-csv", "o"],
        "one/a.mp4 and one/a.mp4": ["one", "one/a.mp4", "--save-csv", "out"],
        "several inputs need a folder": ["one"],
        "--show shows one input": ["one", "--show", "--save-csv", "out"],
        "out.csv: is a file's name": ["one", "--save-csv", "out.csv"],
        "one/a.mp4: is a file's name": ["one", "--save-csv", "one/a.mp4"],
        "full/b.csv: exists already": ["one", "--save-csv", "full"],
        "one/a.mp4: is already the source": ["one", "--overwrite", "--save-video", "one"],
        "out/a.mp4: is already another": ["one", "--save-video", "out", "--compare", "out"],
        "no such weight file": ["one", "--save-csv", "full", "--overwrite", "--weights", "none"],
    }
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    for says, arguments in cases.items():
        assert run_tracker.main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert says in error
        assert error.count("\n") == 1
    after = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_flags_may_stand_between_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = [str(tmp_path / name) for name in ("nowhere.mp4", "out", "neither.mp4")]
    assert run_tracker.main([named[0], "--save-csv", named[1], named[2]]) == 2
    assert "nowhere.mp4: no such file" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_ctrl_c_ends_all_videos_with_whole_outputs(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_video(tmp_path / f"{name}.mp4", [blob_frame([(60.0, 60.0)])] * 2000)
    out = tmp_path / "out"
    command = [sys.executable, "run_tracker.py", str(tmp_path), "--together", "2"]
    process = subprocess.Popen(
        [*command, "--save-csv", str(out), "--save-video", str(out)], cwd=ROOT
    )
    deadline = time.monotonic() + 60
    tables = [out / "a.csv", out / "b.csv"]
    while not all(t.exists() and t.read_text().count("\n") > 20 for t in tables):
        assert time.monotonic() < deadline, "no rows after a minute"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    for table in tables:
        written = rows_of(table)
        assert None not in written[-1].values()  # a short row would leave columns unfilled
        assert video_frames(table.with_suffix(".mp4")) == len(written) < 2000
    assert not (out / "c.csv").exists()


def test_all_videos_share_one_network_of_the_eyes(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = models.load_eye_reader
    monkeypatch.setattr(models, "load_eye_reader", lambda: loaded.append(load()) or loaded[-1])
    assert run_tracker.main([str(clips), "--analyse", "--save-csv", str(tmp_path / "out")]) == 0
    assert len(loaded) == 1
    gazes = [row["gaze_0_z"] for path in (tmp_path / "out").glob("*.csv") for row in rows_of(path)]
    assert sum(bool(gaze) for gaze in gazes) > 0.8 * len(gazes)
