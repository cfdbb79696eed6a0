"""Trackers in other processes: forked with all they hold, or handed over to spawned ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import models
from models.calibrated_landmarker import OneProcess

ROOT = Path(__file__).parents[1]
SCRIPT = """
import faulthandler, multiprocessing, os, pickle, signal
import numpy as np
import models, tracker
from tracker.io.simulated_camera import portrait

IMAGE = portrait()[::3, ::3].copy()

def seen(faces):
    return [face.landmarks.mean for _ in range(2) for face in faces.detect(IMAGE)]

def work(faces, answers):
    answers.put(seen(faces))

if __name__ == "__main__":
    faulthandler.dump_traceback_later(80, exit=True)
    faces = tracker.FaceTracker(models.load_landmarker())
    here = seen(faces)
    faces.update(IMAGE, 0.0)
    pid = os.fork()
    if not pid:
        signal.alarm(60)
        assert np.allclose(seen(faces), here)
        del faces  # must not wait for the parent's threads, which are not here
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    for way in ("fork", "spawn"):
        context = multiprocessing.get_context(way)
        answers = context.Queue()
        process = context.Process(target=work, args=(faces, answers))
        process.start()
        there = answers.get(timeout=60)
        process.join(60)
        assert process.exitcode == 0
        assert len(there) == len(here) == 2
        assert np.allclose(there, here)
    again = pickle.loads(pickle.dumps(faces))  # with the face that it follows
    (one,), (other,) = (each.update(IMAGE, 0.04) for each in (faces, again))
    assert one.track_id == other.track_id == 0
    assert np.allclose(one.landmarks.mean, other.landmarks.mean)
    print("all the same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")
def test_a_tracker_works_in_forked_and_spawned_processes(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100,
        stdin=subprocess.DEVNULL,
        env=environment, check=False,
    )  # fmt: skip
    assert done.stdout == "all the same\n", done.stderr


def test_a_network_of_pytorch_says_in_one_line_that_it_cannot_be_forked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = OneProcess()
    home.check()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(models.CheckpointError, match="cannot be used in a forked process") as told:
        home.check()
    assert "\n" not in str(told.value)
