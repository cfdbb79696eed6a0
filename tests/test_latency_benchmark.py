import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

import models
from benchmarks.latency.__main__ import rival_rows
from benchmarks.latency.filter_times import time_filter
from benchmarks.latency.latency_tables import absences
from benchmarks.latency.peak_arithmetic import gpu_throughput
from benchmarks.latency.rivals import OURS, Throughput, available, rivals
from benchmarks.latency.stage_times import STAGES, percentiles, summarised
from benchmarks.latency.startup import time_startup
from benchmarks.latency.timed_clips import ONE_FACE, FourPortraits, TimedClip
from tracker.detection.any_roll_detector import AnyRollDetector
from tracker.errors import FaceTrackError
from tracker.types import Frame

_OPENSEEFACE = """
class Tracker:
    def __init__(self, width, height, max_faces, **others):
        assert (width, height) == (64, 48)
        self.faces = max_faces

    def predict(self, frame):
        assert frame[0, 0].tolist() == [0, 0, 255]
        return [object()] * self.faces
"""


def test_percentiles_of_a_ramp_are_its_shares() -> None:
    assert percentiles([float(ms) for ms in range(101)]) == {"p50": 50, "p95": 95, "p99": 99}


def test_a_stage_that_skips_most_frames_is_summarised_over_those_it_ran_in() -> None:
    run = {stage: [2.0] * 10 for stage in STAGES} | {"detect": [8.0]}
    rows = {row["stage"]: row for row in summarised([run, run])}
    assert rows["detect"] == {"stage": "detect", "of_frames": 0.1, "p50": 8, "p95": 8, "p99": 8}
    assert rows["read"]["of_frames"] == 1


def test_a_stage_that_never_ran_is_no_error() -> None:
    assert np.isnan(percentiles([])["p99"])


def test_four_faces_are_where_the_clip_says() -> None:
    clip = FourPortraits(duration_s=0.1)
    frame = next(iter(clip))
    assert frame.image.shape == (720, 1280, 3)
    found = AnyRollDetector(models.load_face_detector()).search(frame.image)
    squares = [box for box in found if box.side > 60]  # small ones are for the network to reject
    assert len(squares) == 4
    for x, y in clip.centers(frame.time_s):
        away = [np.hypot(s.center_x - x, s.center_y - y) / s.side for s in squares]
        assert min(away) < 0.3


def test_the_filter_is_timed_for_one_face_and_for_many() -> None:
    rows = {row["faces"]: row for row in time_filter("nano", rounds=1, clip_s=0.4)}
    assert list(rows) == [1, 4, 16]
    assert all(0 < row["p50"] <= row["p95"] for row in rows.values())


def test_all_four_faces_move_and_no_two_alike() -> None:
    clip = FourPortraits(duration_s=0.1)
    steps = clip.centers(0.5) - clip.centers(0.0)
    assert all(np.linalg.norm(one - other) > 3 for one, other in itertools.combinations(steps, 2))
    everywhere = np.stack([clip.centers(t) for t in np.arange(0, 6, 0.1)])
    assert (everywhere > 0).all()
    assert (everywhere < [1280, 720]).all()


def test_rivals_that_are_not_installed_name_what_to_install(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 64, 3), 128, np.uint8))
    known = [rival for rival in rivals("lite", None, None) if rival.name != OURS]
    present, absent = available(known, TimedClip("grey", tmp_path / "grey.png", 1))
    assert {rival.name for rival in present} | set(absent) == {rival.name for rival in known}
    assert "--openseeface DIR" in absent["OpenSeeFace, model 3"]
    assert "--dlib-shape" in absent["dlib, HOG and 68 points"]


def test_another_program_named_tracker_is_not_taken_for_ours(tmp_path: Path) -> None:
    """OpenSeeFace's file has our package's name, and gets frames as OpenCV reads them."""
    (tmp_path / "tracker.py").write_text(_OPENSEEFACE)
    cv2.imwrite(str(tmp_path / "red.png"), np.full((48, 64, 3), (0, 0, 255), np.uint8))
    clip = TimedClip("red", tmp_path / "red.png", 2)
    theirs = [rival for rival in rivals("lite", tmp_path, None) if "OpenSeeFace" in rival.name]
    (present,), absent = available(theirs, clip)
    assert not absent
    with present.open(clip) as count:
        assert count(Frame(0, 0.0, np.full((48, 64, 3), (0, 0, 255), np.uint8))) == 2


def test_an_absent_rival_has_its_row_and_its_sentence() -> None:
    samples = {(ONE_FACE, OURS): [Throughput(10, 1), Throughput(30, 1), Throughput(20, 1)]}
    rows = rival_rows(samples, {"another": "needs a thing"})
    assert rows == [
        {"clip": ONE_FACE, "tracker": OURS, "fps": 20, "faces_per_frame": 1},
        {"tracker": "another", "absent": "needs a thing"},
    ]
    assert absences(rows) == ["Absent: another: needs a thing"]


def test_a_start_that_fails_explains_why(tmp_path: Path) -> None:
    with pytest.raises(FaceTrackError, match="no such file"):
        time_startup(tmp_path / "none.mp4", "lite")


def test_the_throughput_counts_every_face_of_a_batch() -> None:
    one, two = gpu_throughput("lite", 1, "cpu", (1, 2))
    assert two["gflop"] == pytest.approx(2 * one["gflop"], rel=0.01)
