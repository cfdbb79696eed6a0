"""The check of a camera: a film plays the camera, and faults are put in on purpose."""

import json
import time
from html import escape
from pathlib import Path

import cv2
import numpy as np
import pytest

import run_tracker
from tracker.check.check_figures import CheckFigures, at_rest, figures_of
from tracker.check.check_findings import findings_of
from tracker.check.check_guide import STAGES, WAITING, Guide
from tracker.check.check_record import CheckedFrame, CheckRecord
from tracker.check.watched_source import WatchedSource
from tracker.io import chosen_camera
from tracker.io.read_losses import Losses
from tracker.io.simulated_camera import portrait
from tracker.layouts import IBUG_68
from tracker.run.summary import RunSummary
from tracker.tracker_config import Tally
from tracker.types import Face, Frame, LandmarkEstimate

SMALL = cv2.resize(portrait()[:, 56:456], (240, 360))[30:330]


class FilmedPortrait:
    """An OpenCV capture that films a portrait with sensor noise at 40 frames a second."""

    def __init__(self, brightness: float = 1.0) -> None:
        self._rng = np.random.default_rng(0)
        self._picture = cv2.cvtColor((SMALL * brightness).astype(np.uint8), cv2.COLOR_RGB2BGR)
        self._due_s = time.monotonic()

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def read(self) -> tuple[bool, np.ndarray]:
        self._due_s += 0.025
        time.sleep(max(self._due_s - time.monotonic(), 0))
        noise = self._rng.normal(0, 3, self._picture.shape)
        return True, np.clip(self._picture + noise, 0, 255).astype(np.uint8)

    def get(self, propId: int, /) -> float:  # noqa: N803
        return {
            cv2.CAP_PROP_FRAME_WIDTH: 240.0, cv2.CAP_PROP_FRAME_HEIGHT: 300.0,
            cv2.CAP_PROP_FPS: 80.0,
        }.get(propId, 0.0)  # fmt: skip

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        return False

    def release(self) -> None: ...


def test_a_camera_is_guided_and_judged_in_terminal_page_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chosen_camera, "open_device", lambda _: FilmedPortrait())
    page, figures = tmp_path / "check.html", tmp_path / "check.json"
    flags = ["check", "0", "--seconds", "0.8", "--no-window", "--page", str(page)]
    assert run_tracker.main([*flags, "--json", str(figures)]) == 0
    said = capsys.readouterr().out
    # A machine that is slow may show no frame of a part, but never one out of order.
    at = [said.find(f"{n}/{len(STAGES)} {stage.say}") for n, stage in enumerate(STAGES, 1)]
    assert at[0] > said.index(WAITING) >= 0
    assert (shown := [place for place in at if place >= 0]) == sorted(shown)
    stored = json.loads(figures.read_text())
    measured, found = stored["figures"], {row["key"]: row for row in stored["findings"]}
    assert measured["rate_granted"] == 80
    assert measured["rate_real"] < 60  # what the camera gives (40), not what it states
    assert found["rate"]["verdict"] in ("poor", "unknown")  # unknown where the machine is too slow
    assert found["rate"]["advice"]
    assert (measured["width"], measured["height"]) == (240, 300)
    # Pupils are 82 px apart on the photograph, outer corners some 1.4 times as far; it is reduced
    # to 0.6 of its size.
    assert measured["eye_px"] == pytest.approx(0.6 * 82 * 1.4, rel=0.15)
    assert measured["sensor_noise"] == pytest.approx(3, rel=0.2)
    assert found["light"]["verdict"] == "good"
    written = page.read_text()
    for row in stored["findings"]:
        assert row["advice"] == "" or escape(row["advice"][1:]) in written
    assert "http" not in written.replace("http-equiv", "")
    assert run_tracker.main([*flags, "--json", str(figures)]) == 2  # never over what exists


class Played:
    """A source whose frames come at given times."""

    name, frame_rate, holds_stills = "played", 30.0, False
    frame_count = None

    def __init__(self, times_s: np.ndarray, images: list[np.ndarray], *, is_live: bool) -> None:
        self.is_live, self.losses = is_live, Losses()
        self._frames = [
            Frame(i, t, image) for i, (t, image) in enumerate(zip(times_s, images, strict=True))
        ]

    def __enter__(self) -> "Played":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self):
        return iter(self._frames)


def measured(times_s: np.ndarray, rows: list[CheckedFrame], *, twice: bool = False) -> CheckFigures:
    rng = np.random.default_rng(1)
    images = [rng.integers(90, 110, (40, 40, 3)).astype(np.uint8) for _ in times_s]
    if twice:
        images = [images[n // 2] for n in range(len(images))]
    watched = WatchedSource(Played(times_s, images, is_live=True), None, 100.0)
    assert len(list(watched)) == len(times_s)
    return figures_of(rows, watched, RunSummary("played", Tally(), dropped=0))


def row(time_s: float, **more: float) -> CheckedFrame:
    known = {"eye_px": 80.0, "light": 120.0, "bright": 150.0, "burnt": 0.0, "uneven": 1.1}
    return CheckedFrame(time_s, "", 1, 0, **(known | more))  # type: ignore[arg-type]


def verdicts(figures: CheckFigures) -> dict[str, str]:
    return {finding.key: finding.verdict for finding in findings_of(figures, is_live=True)}


def test_gaps_and_frames_that_come_twice_are_counted() -> None:
    times_s = np.delete(np.arange(100) / 30, [20, 21, 50, 70])
    gappy = measured(times_s, [row(t) for t in times_s])
    assert gappy.missing == pytest.approx(0.04)
    assert verdicts(gappy)["missing"] == "fair"
    doubled = measured(np.arange(100) / 30, [], twice=True)
    assert doubled.rate_real == pytest.approx(15, abs=0.3)
    assert doubled.repeated == pytest.approx(0.5)
    assert verdicts(doubled)["rate"] == "poor"


def test_light_that_flickers_is_told_from_light_that_is_dimmed() -> None:
    times_s = np.arange(120) / 30
    flickering = [row(t, light=120 + 6 * (n % 2), speed=0.0) for n, t in enumerate(times_s)]
    dimmed = [row(t, light=120 + 10 * t, speed=0.0) for t in times_s]
    # A swing of 6 about 123 from frame to frame; off its neighbours' mean 6, as of noise 4.9.
    assert measured(times_s, flickering).flicker == pytest.approx(
        100 * 6 / 1.5**0.5 / 123, rel=0.01
    )
    assert measured(times_s, dimmed).flicker == pytest.approx(0, abs=0.01)
    assert verdicts(measured(times_s, flickering))["flicker"] == "poor"


def test_dark_skin_in_good_light_is_not_called_dark() -> None:
    times_s = np.arange(90) / 30
    lit = measured(times_s, [row(t, light=62.0, bright=128.0) for t in times_s])
    assert verdicts(lit)["light"] == "good"
    unlit = measured(times_s, [row(t, light=40.0, bright=55.0) for t in times_s])
    assert verdicts(unlit)["light"] == "poor"


def test_a_head_lost_in_its_turn_is_seen_although_nothing_is_known_there() -> None:
    times_s = np.arange(120) / 30
    yaws = 50 * np.sin(2 * np.pi * times_s / 4)
    rows = [
        row(t, yaw_deg=yaw) if abs(yaw) < 40 else CheckedFrame(t, "turn", 0)
        for t, yaw in zip(times_s, yaws, strict=True)
    ]
    figures = measured(times_s, rows)
    turned, lost = (np.abs(yaws) >= 25).sum(), (np.abs(yaws) >= 40).sum()
    assert figures.turned_found == pytest.approx(1 - lost / turned, abs=0.03)
    assert verdicts(figures)["turn"] == "poor"


def test_rest_is_what_was_asked_for_else_the_calmest_stretch() -> None:
    times_s = np.arange(300) / 30
    speeds = np.where((times_s > 4) & (times_s < 7), 0.01, 0.5)
    calm = at_rest([row(t, speed=v) for t, v in zip(times_s, speeds, strict=True)])
    assert times_s[calm].min() > 4
    assert times_s[calm].max() < 7
    stages = ["still" if t < 5 else "turn" for t in times_s]
    asked = at_rest(
        [CheckedFrame(t, s, 1, speed=9.0) for t, s in zip(times_s, stages, strict=True)]
    )
    assert times_s[asked].min() == pytest.approx(1, abs=0.04)
    assert times_s[asked].max() < 5


def test_the_noise_of_landmarks_is_known_whatever_the_head_and_the_mouth_do() -> None:
    rng, record = np.random.default_rng(3), CheckRecord(IBUG_68, None)
    shape = 60 * rng.standard_normal((68, 2)) + 200
    shape[36], shape[45] = (160, 200), (260, 200)
    covariance = np.broadcast_to(np.eye(2), (68, 2, 2))
    for n in range(200):
        sway = 1 + 0.02 * np.sin(n / 20)
        true = sway * shape + n * np.array([0.3, 0.1])
        true[48:] += 10 * rng.standard_normal(2)  # it speaks
        raw = LandmarkEstimate(true + rng.normal(0, 0.5, (68, 2)), covariance)
        face = Face(0, 1.0, LandmarkEstimate(true, covariance), raw, layout=IBUG_68)
        record.write(Frame(n, n / 30, np.full((400, 400, 3), 128, np.uint8)), [face])
    figures = measured(np.arange(200) / 30, record.rows)
    assert figures.raw_jitter == pytest.approx(100 * 0.5 * 2**0.5 / 100, rel=0.05)
    assert figures.jitter is not None
    assert figures.jitter < 0.02
    assert figures.light == pytest.approx(128)
    assert figures.flicker == pytest.approx(0)


def test_the_guide_waits_for_a_face_and_runs_without_one_in_the_end() -> None:
    guide = Guide(2.0)
    guide.see(10.0, face=False)
    assert guide.at(10.0) is None
    assert guide.line(10.0) == WAITING
    guide.see(11.0, face=True)
    assert [guide.at(t)[0].key for t in (11.1, 13.1, 15.1, 17.1)] == [s.key for s in STAGES]  # type: ignore[index]
    assert guide.is_over(19.0)
    alone = Guide(1.0)
    for t in range(25):
        alone.see(float(t), face=False)
    assert alone.at(21.5) is not None
