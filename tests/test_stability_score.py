"""Figures of tracks whose noise, lag, offset and covariance are known, without our tracker."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.jitter.kit.kit_folder import Kit, KitClip
from benchmarks.jitter.plugins import example_filters
from benchmarks.jitter.plugins.filter_runs import filtered_tracks, uses_the_future
from benchmarks.jitter.plugins.plugin_loading import PluggedFace, PluggedTracker
from benchmarks.jitter.plugins.tracker_runs import recorded
from benchmarks.jitter.score.intervals import bootstrapped
from benchmarks.jitter.score.point_maps import map_of, read_map
from benchmarks.jitter.score.scoreboard import score, summary
from benchmarks.jitter.tracks.track_files import (
    ClipTrack,
    TrackSet,
    read_film_track,
    read_tracks,
    write_tracks,
)
from tracker.errors import FaceTrackError
from tracker.run.stability import sampled
from tracker.types import Frame, Image
from train.synthetic.face import portrait_face

RNG = np.random.default_rng(7)
TIMES = np.arange(120) / 30
FACE = portrait_face().points - portrait_face().center
EYE_PX = portrait_face().eye_px


def clip_of(kind: str, truth: np.ndarray, visible: np.ndarray | None = None) -> KitClip:
    seen = np.ones(truth.shape[:3], bool) if visible is None else visible
    return KitClip(f"{kind}_x", kind, "x", f"clips/{kind}_x.mp4", TIMES, truth, seen)


def moved(place: np.ndarray, turn: np.ndarray | float = 0.0) -> np.ndarray:
    """The face along a path in eye distances, rolled by so many radians; one face."""
    points = (FACE[:, 0] + 1j * FACE[:, 1]) * np.exp(1j * np.broadcast_to(turn, 120))[:, None]
    points = points + EYE_PX * place[:, None] + 300 + 300j
    return np.stack([points.real, points.imag], -1)[:, None]


STILL = clip_of("still", moved(np.zeros(120)))
PAN = clip_of("pan", moved(1.2 * np.abs((TIMES / 1.2) % 2 - 1)))
ROLL = clip_of("roll", moved(np.zeros(120), 0.3 * np.sin(2 * np.pi * TIMES / 2)))
KIT = Kit(Path("nowhere"), {}, (STILL, PAN, ROLL))
GROWTH = 1 + 0.1 * TIMES + 0.1 * np.sin(4 * TIMES)
GROWING = clip_of("zoom", 300 + (STILL.truth - 300) * GROWTH[:, None, None, None])


def track_of(points: np.ndarray, **more: np.ndarray) -> ClipTrack:
    return ClipTrack(np.arange(len(points)), np.zeros(len(points), int), points, **more)


def tracks(change: object = None, name: str = "tried") -> TrackSet:
    """The truth of every clip after a change."""
    made = {}
    for clip in KIT.clips:
        truth = clip.truth[:, 0]
        made[clip.name] = track_of(change(clip, truth) if callable(change) else truth)
    return TrackSet(name, made)


def figures(kit: Kit, answers: TrackSet) -> dict[str, float]:
    return {key: found["value"] for key, found in summary(score(kit, answers)).items()}


def test_an_offset_of_conventions_that_turns_with_the_face_is_no_error() -> None:
    shift = RNG.normal(0, 0.05, 68) + 1j * RNG.normal(0, 0.05, 68)

    def shifted(clip: KitClip, truth: np.ndarray) -> np.ndarray:
        eyes = truth[:, 45] - truth[:, 36]
        off = shift * (eyes[:, 0] + 1j * eyes[:, 1])[:, None]
        return truth + np.stack([off.real, off.imag], -1)

    found = figures(KIT, tracks(shifted))
    assert found["moving_error"] == pytest.approx(0, abs=1e-6)
    assert found["jitter"] == pytest.approx(0, abs=1e-6)
    assert found["lag_ms"] == pytest.approx(0, abs=0.1)


def test_white_noise_is_jitter_and_its_covariance_is_consistent() -> None:
    sigma = 0.5
    cov = np.broadcast_to(sigma**2 * np.eye(2), (120, 68, 2, 2))
    noisy = tracks(lambda _, truth: truth + RNG.normal(0, sigma, truth.shape))
    noisy = TrackSet("n", {k: replace(t, covariance=cov) for k, t in noisy.clips.items()})
    found = figures(KIT, noisy)
    assert found["jitter"] == pytest.approx(100 * sigma * np.sqrt(2) / EYE_PX, rel=0.02)
    assert found["nees"] == pytest.approx(1, abs=0.05)
    assert found["coverage_90"] == pytest.approx(90, abs=1)
    assert found["settling_ms"] == 0
    doubled = TrackSet("d", {k: replace(t, covariance=4 * cov) for k, t in noisy.clips.items()})
    assert figures(KIT, doubled)["nees"] == pytest.approx(found["nees"] / 4, rel=1e-3)


def test_a_late_track_has_its_lag_and_a_drifting_one_its_drift() -> None:
    late = figures(KIT, tracks(lambda c, truth: sampled(c.times_s, truth, c.times_s - 0.05)))
    assert late["lag_ms"] == pytest.approx(50, abs=1.5)
    slow = figures(KIT, tracks(lambda c, truth: truth + c.times_s[:, None, None] * [0.03, 0.04]))
    # After the first second 3 s are left; the middles of its thirds are 2 s apart.
    assert slow["drift"] == pytest.approx(100 * 0.05 * 2 / EYE_PX, rel=0.02)


def test_half_a_blink_is_half_a_blink_and_its_delay_is_seen() -> None:
    closed = np.clip(1 - np.abs((TIMES - 1) % 1.3 - 0.3) / 0.12, 0, 1) * (TIMES > 1)
    truth = moved(np.zeros(120))

    def blinking(amount: np.ndarray) -> np.ndarray:
        points = truth.copy()
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
            way = truth[:, 0, lower] - truth[:, 0, upper]
            points[:, 0, upper] += amount[:, None] * way
        return points

    clip = clip_of("blink", blinking(closed))
    late = np.interp(TIMES - 2 / 30, TIMES, closed)
    answers = TrackSet("half", {clip.name: track_of(blinking(0.5 * late)[:, 0])})
    found = figures(Kit(Path(), {}, (clip,)), answers)
    assert found["blink_kept"] == pytest.approx(50, abs=1)
    assert found["blink_delay_ms"] == pytest.approx(1000 * 2 / 30, abs=3)


def test_a_passer_by_costs_an_id_and_the_face_is_found_again_later() -> None:
    truth = np.concatenate([moved(np.zeros(120)), moved(np.linspace(-4, 4, 120))], 1)
    visible = np.ones(truth.shape[:3], bool)
    visible[50:70, 0] = False
    clip = clip_of("crossing", truth, visible)
    frames = np.concatenate([np.arange(50), np.arange(76, 120)])
    ids = np.where(frames < 50, 1, 2)
    answers = TrackSet("t", {clip.name: ClipTrack(frames, ids, truth[frames, 0])})
    found = figures(Kit(Path(), {}, (clip,)), answers)
    assert found["id_switches"] == 1
    assert found["reacquired_ms"] == pytest.approx(1000 * 6 / 30)
    assert found["found"] == pytest.approx(100 * 94 / 100)


@pytest.mark.parametrize("count", [98, 66, 29, 5, 468, 478])
def test_every_known_layout_is_compared_with_points_of_its_own_place(count: int) -> None:
    points = map_of(count, "tracks")
    np.testing.assert_allclose(points.weights.sum(1), 1)
    assert max(points.used) < count
    assert len(set(points.used)) == len(points.used)
    answers = np.full((120, count, 2), np.nan)
    answers[:, list(points.used)] = points.truth(PAN.truth[:, 0])
    found = figures(KIT, TrackSet("t", {PAN.name: track_of(answers)}))
    assert found["moving_error"] == pytest.approx(0, abs=1e-6)
    assert bool(points.openings("blink")) == (count != 5)


def test_tracks_come_back_from_files_of_all_three_forms(tmp_path: Path) -> None:
    """As it was written; OpenFace counts from 1 and puts blanks after commas."""
    truth = PAN.truth[:, 0]
    wide = tmp_path / "openface"
    wide.mkdir()
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    lines = [", ".join(["frame", "face_id", "timestamp", "confidence", "success", *names])]
    for frame, points in enumerate(truth):
        good = int(frame != 3)
        row = [frame + 1, 0, f"{TIMES[frame]:.3f}", 0.9, good, *points.T.ravel().round(3)]
        lines.append(", ".join(map(str, row)))
    (wide / "pan_x.csv").write_text("\n".join(lines))
    minimal = tmp_path / "minimal.csv"
    rows = [
        f"pan_x,{frame},{point},{x:.3f},{y:.3f},0.25"
        for frame, points in enumerate(truth)
        for point, (x, y) in enumerate(points)
        if frame != 3
    ]
    minimal.write_text("\n".join(["clip,frame,point,x,y,cov", *rows]))
    ours = tmp_path / "ours"
    write_tracks(ours, read_tracks(str(minimal), ["pan_x"]))
    for text in (f"A={wide}", str(minimal), str(ours)):
        track = read_tracks(text, ["pan_x", "still_x"]).clips["pan_x"]
        assert track.frames.tolist() == [n for n in range(120) if n != 3]
        np.testing.assert_allclose(track.points, truth[track.frames], atol=1e-3)
        if "openface" not in text:
            assert track.covariance is not None
            np.testing.assert_allclose(track.covariance[5, 7], 0.25 * np.eye(2))
    assert read_tracks(f"A={wide}", ["pan_x"]).name == "A"
    assert len(read_film_track(wide / "pan_x.csv", "me").frames) == 119


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("clip,frame,point,x\npan_x,0,0,1\n", "has no column y"),
        ("clip,frame,point,x,y\nwrong,0,0,1,1\n", "clip wrong is not in this kit"),
        ("clip,frame,point,x,y\npan_x,0.5,0,1,1\n", "column frame must hold whole numbers"),
        ("clip,frame,point,x,y\npan_x,0,0,a,1\n", "column x has what is no number"),
        ("clip,frame,point,x,y\npan_x,0,0,1,1\npan_x,0,0,1,1\n", "a point stands twice"),
        ("clip,frame,point,x,y\npan_x,-1,0,1,1\n", "counted from 0, and one is negative"),
        ("frame,x_0,y_0\n0,1,1\n", "goes into a folder, as CLIP.csv"),
        ("", "is no table of tracks"),
    ],
)
def test_a_wrong_table_is_told_in_one_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "tracks.csv"
    path.write_text(text)
    with pytest.raises(FaceTrackError, match=told) as caught:
        read_tracks(str(path), ["pan_x"])
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_frames_that_are_not_there_and_times_of_others_are_told(tmp_path: Path) -> None:
    answers = tracks().clips["pan_x"]
    beyond = replace(answers, frames=answers.frames + 1)
    with pytest.raises(FaceTrackError, match="frame 120 of clip pan_x, which has 120"):
        score(KIT, TrackSet("t", {"pan_x": beyond}))
    with pytest.raises(FaceTrackError, match="times and frames of clip pan_x do not belong"):
        score(KIT, TrackSet("t", {"pan_x": replace(answers, times_s=TIMES + 0.2)}))
    with pytest.raises(FaceTrackError, match="has 3 points, and layouts are known of 5, 29"):
        score(KIT, TrackSet("t", {"pan_x": track_of(np.zeros((120, 3, 2)))}))
    mapping = tmp_path / "map.csv"
    mapping.write_text("point,truth\n2,37 38\n0,30\n")
    points = read_map(mapping)
    assert points.used == (2, 0)
    assert points.weights[0, [37, 38]].tolist() == [0.5, 0.5]
    mapping.write_text("point,truth\n0,70\n")
    with pytest.raises(FaceTrackError, match="line 2: truth must be points from 0 to 67"):
        read_map(mapping)


def test_every_filter_that_comes_along_calms_and_only_savitzky_golay_looks_ahead() -> None:
    raw = tracks(lambda _, truth: truth + RNG.normal(0, 0.5, truth.shape), name="raw")
    before = figures(KIT, raw)["jitter"]
    for name, plugged in example_filters.ALL.items():
        after = figures(KIT, filtered_tracks(KIT, raw, plugged, plugged.default))
        assert after["jitter"] < 0.75 * before, name
        near = TrackSet("g", {"zoom_x": track_of(GROWING.truth[:, 0])})
        ahead = uses_the_future(plugged, near, Kit(Path(), {}, (GROWING,)))
        assert ahead == (name == "savitzky-golay"), name


def test_a_plugged_in_tracker_is_recorded_frame_by_frame() -> None:
    def nodding() -> PluggedTracker:
        return lambda _, time_s: [PluggedFace(FACE + time_s, 4)] if time_s != 0.5 else []

    image: Image = np.zeros((4, 4, 3), np.uint8)
    frames = (Frame(n, n / 2, image) for n in range(3))
    found = recorded(nodding(), frames, "nodding")
    assert found.frames.tolist() == [0, 2]
    assert found.ids.tolist() == [4, 4]
    np.testing.assert_allclose(found.points[1], FACE + 1)


def test_an_interval_of_a_mean_narrows_with_the_root_of_the_clips() -> None:
    few, many = (bootstrapped(RNG.normal(3, 1, count).tolist()) for count in (25, 2500))
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.high - few.low == pytest.approx(4 / 5, rel=0.35)
    assert many.high - many.low == pytest.approx(4 / 50, rel=0.15)
    assert bootstrapped([2.0]).low is None
