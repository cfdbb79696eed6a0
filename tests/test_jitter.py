import json
from pathlib import Path

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, blob_frame, blob_shape

from benchmarks.jitter.__main__ import main
from benchmarks.jitter.figure_tables import README_COLUMNS, filled
from benchmarks.jitter.figures import FigureRow
from benchmarks.jitter.methods import DEFAULT, METHODS
from benchmarks.jitter.recordings import Recording, load, record_clip, record_video, save
from benchmarks.jitter.results import medians, with_ratios
from benchmarks.jitter.tradeoff import CurvePoint, front, tuned_setting
from tracker.face_tracker import FaceTracker
from tracker.layouts import IBUG_68
from tracker.types import Frame
from train.synthetic.clips import Clip


def blob_clip(frames: int = 12) -> Clip:
    """A bright disc that goes to the right by 4 px a frame."""
    centers = np.stack([80 + 4.0 * np.arange(frames), np.full(frames, 120.0)], -1)
    truth = (centers[:, None] + 30 * blob_shape())[:, None]
    return Clip(
        name="pan",
        fps=30.0,
        seed=0,
        layout=IBUG_68,
        truth=truth,
        visible=np.ones(truth.shape[:3], bool),
        encoding="",
        film=lambda: iter([blob_frame([tuple(center)]) for center in centers]),
    )


@pytest.fixture
def recording() -> Recording:
    return record_clip(FaceTracker(BlobLandmarker(), BlobDetector()), blob_clip(), "disc")


def test_a_recording_holds_the_raw_measurements_and_not_the_filtered_landmarks(
    recording: Recording,
) -> None:
    assert recording.is_measured.all()
    assert recording.truth is not None
    assert np.abs(recording.mean - recording.truth).max() < 1.5
    np.testing.assert_allclose(recording.times_s, np.arange(12) / 30)
    assert (recording.kind, recording.name) == ("pan", "disc")


def test_a_recording_comes_back_from_disk_as_it_was(recording: Recording, tmp_path: Path) -> None:
    save(recording, tmp_path / "there.npz")
    back = load(tmp_path / "there.npz")
    assert (back.name, back.kind, back.layout) == ("disc", "pan", IBUG_68)
    for field in ("times_s", "mean", "absolute", "measurement_noise", "confidence", "ids", "truth"):
        np.testing.assert_array_equal(getattr(back, field), getattr(recording, field))


def test_a_video_without_a_face_records_nothing_and_one_of_two_faces_the_longer_one() -> None:
    tracker = FaceTracker(BlobLandmarker(), BlobDetector())
    empty = record_video(tracker, [Frame(0, 0.0, blob_frame([]))], "nobody")
    assert not empty.is_measured.any()
    both = [(80.0, 120.0), (240.0, 120.0)]
    images = [blob_frame(both[:1] if index < 9 else both) for index in range(12)]
    frames = [Frame(index, index / 10, image) for index, image in enumerate(images)]
    video = record_video(tracker, frames, "discs")
    assert video.is_measured.all()
    assert video.mean[..., 0].mean() == pytest.approx(80, abs=2)


def test_every_method_gives_finite_landmarks_where_there_was_a_measurement(
    recording: Recording,
) -> None:
    mean, ids = recording.mean.copy(), recording.ids.copy()
    mean[5], ids[5] = np.nan, -1
    gap = Recording(
        "disc", "pan", IBUG_68, recording.times_s, mean, recording.absolute,
        recording.measurement_noise, recording.confidence, ids,
    )  # fmt: skip
    for name, method in METHODS.items():
        smooth = method.smooth(gap, method.setting).mean
        assert np.isfinite(smooth[gap.is_measured]).all(), name
        assert np.isnan(smooth[5]).all(), name


def curve_of(*pairs: tuple[float, float]) -> list[CurvePoint]:
    return [
        CurvePoint(index or None, jitter, lag, lag + 1) for index, (lag, jitter) in enumerate(pairs)
    ]


def test_the_front_of_a_curve_leaves_out_what_is_beaten_in_both() -> None:
    points = curve_of((0, 1.0), (10, 0.5), (12, 0.6), (20, 0.1))
    assert [p.lag_ms for p in front(points)] == [0, 10, 20]


def test_a_method_is_tuned_to_the_least_lag_at_low_enough_jitter() -> None:
    points = curve_of((0, 1.0), (10, 0.5), (12, 0.4), (20, 0.1))
    assert tuned_setting(points, 0.5) == 1
    assert tuned_setting(points, 0.45) == 2
    assert tuned_setting(points, 0.01) == 3


def test_ratios_are_taken_clip_by_clip_before_the_median() -> None:
    rows = [
        FigureRow("raw", "a", "still", {"jitter": 1.0}),
        FigureRow("raw", "b", "still", {"jitter": 8.0}),
        FigureRow("ours", "a", "still", {"jitter": 0.5}),
        FigureRow("ours", "b", "still", {"jitter": 1.0}),
    ]
    found = medians(with_ratios(rows, "raw", ["ours"]))
    assert found["ours"]["still"]["jitter_reduction"] == 5.0
    assert found["ours"]["still"]["jitter"] == 0.75


def test_a_quick_run_prints_writes_figures_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, picture, figures = tmp_path / "cache", tmp_path / "a.png", tmp_path / "jitter.json"
    flags = ["--seconds", "0.8", "--cache", str(cache)]
    main(["--quick", *flags, "--plot", str(picture), "--json", str(figures)])
    result = json.loads(figures.read_text())
    assert result["figures"][DEFAULT]["still"]["jitter"] > 0
    assert set(result["figures"]["raw"]) >= {"still", "pan", "moving"}
    head, rows = filled(result, README_COLUMNS)
    assert {row[0] for row in rows} == set(METHODS)
    assert all(len(row) == len(head) for row in rows)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "default" in capsys.readouterr().out
    assert len(list(cache.glob("*.npz"))) == 4
