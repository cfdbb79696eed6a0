"""Several videos that were ended in the middle, and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from drawn_videos import cut_off, write
from fakes import write_video

import run_tracker
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving

ROOT = Path(__file__).parents[1]
LIGHT = ["--detector", "any-roll", "--resume"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name in "abc":
        camera = SimulatedCamera(portrait()[::2, ::2].copy(), still_then_moving(0.2), 0.7)
        write_video(folder / f"{name}.mp4", [frame.image for frame in camera])
    return folder


def flags_for(out: Path) -> list[str]:
    return ["--save-csv", str(out), "--save-video", str(out), "--save-parquet", str(out), *LIGHT]


def tables(out: Path) -> dict[str, bytes]:
    """All but the manifest, whose lines tell of the runs."""
    assert not list(out.glob("*.parts"))
    return {p.name: p.read_bytes() for p in sorted(out.iterdir()) if p.name != "manifest.jsonl"}


@pytest.fixture(scope="module")
def undisturbed(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    assert run_tracker.main([str(clips), *flags_for(out)]) == 0
    return tables(out)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("moment", ["a.csv", "b.csv", "c.mp4"])
def test_after_a_kill_the_result_is_that_of_an_undisturbed_run(
    clips: Path, undisturbed: dict[str, bytes], tmp_path: Path, moment: str
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, str(ROOT / "run_tracker.py"), str(clips), *flags_for(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not ((out / moment).exists() and (out / moment).stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert run_tracker.main([str(clips), *flags_for(out)]) == 0
    assert tables(out) == undisturbed


def test_what_is_whole_is_skipped_and_what_was_changed_is_made_anew(
    clips: Path,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run_tracker.main([str(clips), *flags_for(out)]) == 0
    (out / "b.csv").write_text("changed")
    (out / "c.parquet").unlink()
    kept = (out / "a.mp4").stat().st_mtime_ns
    assert run_tracker.main([str(clips), *flags_for(out)]) == 0
    assert "left to do: 2 videos" in capsys.readouterr().out
    assert (out / "a.mp4").stat().st_mtime_ns == kept
    assert tables(out) == undisturbed
    assert run_tracker.main([str(clips), *flags_for(out)]) == 0
    assert "left to do: 0 videos" in capsys.readouterr().out


def test_other_settings_are_refused_and_nothing_is_changed(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    flags = ["--save-csv", str(out), *LIGHT]
    assert run_tracker.main([str(clips), *flags]) == 0
    before = tables(out)
    assert run_tracker.main([str(clips), *flags, "--smoothing", "0.9"]) == 2
    assert "a.mp4 was begun with other settings" in capsys.readouterr().err
    assert tables(out) == before


def test_files_that_no_run_made_are_not_replaced(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.csv").write_text("precious")
    assert run_tracker.main([str(clips), "--save-csv", str(out), *LIGHT]) == 2
    assert "b.csv: exists already" in capsys.readouterr().err
    assert (out / "b.csv").read_text() == "precious"


def test_a_video_that_is_cut_off_is_said_to_be_whenever_the_run_goes_on(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    (films / "a.mp4").write_bytes((clips / "a.mp4").read_bytes())
    cut_off(write(films / "b.mp4", list(range(0, 2000, 40))))
    (films / "whole.mp4").unlink()
    flags = [str(films), "--save-csv", str(out), *LIGHT]
    for _ in range(2):
        assert run_tracker.main(flags) == 3
        assert "b.mp4: it is cut off" in capsys.readouterr().err
    assert len((out / "manifest.jsonl").read_text().splitlines()) == 4


def test_a_torn_line_of_the_manifest_is_passed_over(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ["--save-csv", str(out), *LIGHT]
    assert run_tracker.main([str(clips), *flags]) == 0
    manifest = out / "manifest.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(lines[:-1]) + lines[-1][:40])
    assert run_tracker.main([str(clips), *flags]) == 0
    after = manifest.read_text().splitlines()
    assert [json.loads(line)["video"] for line in after[-2:]] == ["c.mp4", "c.mp4"]


def test_one_source_is_not_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tracker.main(["demo", "--resume"]) == 2
    assert "--resume goes on with several videos" in capsys.readouterr().err
