"""The pages of a report: figures whose truth is known, whole files, nothing from the network."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from fakes import blob_shape, write_video

import run_tracker
from tracker.io.read_losses import Losses
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.layouts import IBUG_68
from tracker.reports.binned_series import BinnedSeries
from tracker.reports.index_page import index_page, index_table
from tracker.reports.report_sink import ReportSink
from tracker.reports.video_figures import FaceLives, VideoFigures
from tracker.reports.video_page import figures_in
from tracker.run.stability import moving_jitter, static_jitter
from tracker.types import Face, Frame, LandmarkEstimate

ROOT = Path(__file__).parents[1]


class Film:
    """Stands in for an open source."""

    name, frame_count, frame_rate = "film <b>.mp4", 40, 25.0
    is_live = holds_stills = False

    def __init__(self) -> None:
        self.losses = Losses()


def seen(face_id: int, points: np.ndarray, confidence: float = 0.9) -> Face:
    estimate = LandmarkEstimate(points, np.broadcast_to(np.eye(2), (68, 2, 2)))
    return Face(face_id, confidence, estimate, estimate, layout=IBUG_68)


def frame(index: int, time_s: float) -> Frame:
    return Frame(index, time_s, np.zeros((48, 64, 3), np.uint8))


def points_at(x: float) -> np.ndarray:
    return 10 * blob_shape() + (x, 24.0)


@pytest.mark.parametrize("per_second", [1.0, 30.0, 90.0])
def test_bins_keep_sums_however_long_the_video(per_second: float) -> None:
    series = BinnedSeries(["level", "count"], bins=16)
    for number in range(5000):
        series.add(number / per_second, {"level": [float(number % 7)], "count": [1.0]})
    assert series.total("count") == 5000
    assert series.mean("level") == pytest.approx(np.mean(np.arange(5000) % 7))
    assert len(series.means("level")) <= 16
    assert 8 * series.width_s < 5000 / per_second <= 16 * series.width_s
    series.add(5000 / per_second, {"level": [float("nan")], "count": []})
    assert series.total("count") == 5000


def test_jitter_is_that_of_the_noise_whatever_the_head_does(rng: np.random.Generator) -> None:
    shape, sigma, times = 40 * blob_shape(), 0.3, np.cumsum(rng.uniform(0.02, 0.06, 600))
    noise = sigma * rng.standard_normal((600, 68, 2))
    eyes = float(IBUG_68.interocular(shape))
    moved = []
    for t in times:  # steady translation, growth and turn
        turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
        moved.append((1 + 0.2 * t) * shape @ turn.T + (300 * t, -80 * t))
    track = np.array(moved) + noise
    found = [
        moving_jitter(tuple(times[i : i + 3]), track[i : i + 3], eyes)
        for i in range(len(times) - 2)
    ]
    still = static_jitter(shape + noise, eyes)
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(still, rel=0.05)


def test_the_figures_are_those_of_what_was_tracked(tmp_path: Path) -> None:
    source = Film()
    sink = ReportSink(tmp_path / "film.html", source, IBUG_68)
    for number in range(20):
        index = number + 2 * (number >= 10)  # two frames are dropped
        source.losses.passed_over = 3 * (number >= 15)
        faces = [seen(7, points_at(20 + number))] if number < 15 else []
        faces += [seen(9, points_at(60), confidence=0.1)] if number < 5 else []
        sink.write(frame(index, 0.5 + number / 25), faces)
    sink.close()
    page = (tmp_path / "film.html").read_text()
    figures = figures_in(page)
    assert figures is not None
    assert (figures.name, figures.frames, figures.announced) == ("film <b>.mp4", 20, 40)
    assert figures.tracked == pytest.approx(15 / 20)
    assert figures.confidence == pytest.approx((15 * 0.9 + 5 * 0.1) / 20)
    # One face goes a pixel a frame, 20 px are an eye distance; the other rests for four steps.
    assert figures.motion == pytest.approx((14 * 25 / 20) / (14 + 4))
    assert figures.jitter_percent == pytest.approx(0, abs=1e-6)
    assert (figures.faces, figures.most_faces, figures.dropped, figures.damaged) == (2, 1, 2, 3)
    assert figures.seconds == pytest.approx(19 / 25)
    assert "20 of 40" in page
    assert page.count("data:image/jpeg") == 3


class Parts(HTMLParser):
    """What a browser would fetch, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "path"):
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag


def checked(page: str) -> Parts:
    parts = Parts()
    parts.feed(page)
    assert parts.open == []
    assert not any("//" in address for address in parts.fetched if not address.startswith("data:"))
    return parts


def test_names_and_errors_are_text_and_the_worst_comes_first() -> None:
    videos = [
        VideoFigures(name="good", page="good.html", tracked=1.0, confidence=0.9, frames=10),
        VideoFigures(name="<script>x</script>", page="a b#.html", tracked=0.1, frames=10),
        VideoFigures(name="broken \udcff", error='"no" <frame>'),
    ]
    page = index_page(sorted(videos, key=lambda v: v.badness, reverse=True), 5)
    assert "a%20b%23.html" in checked(page).fetched
    order = [page.index(name) for name in ("broken ?", "&lt;script&gt;", "good")]
    assert order == sorted(order)
    assert "2 of 5" in page
    rows = list(csv.DictReader(index_table(videos).splitlines()))
    assert rows[0]["tracked"] == "1"
    assert rows[1]["confidence"] == ""
    assert rows[2]["error"] == '"no" <frame>'


def test_a_crowd_is_counted_and_the_longest_are_kept() -> None:
    lives = FaceLives()
    for number in range(20_000):
        lives.see(number, float(number))
        lives.see(-1, float(number))
    assert lives.count == 20_001
    assert lives.kept[-1].frames == 20_000
    assert len(lives.kept) <= 2001


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, blank in (("index", 0), ("b", 12)):
        camera = SimulatedCamera(portrait()[::2, ::2].copy(), still_then_moving(0.2), 0.5)
        images = [each.image for each in camera]
        write_video(folder / f"{name}.mp4", images + [np.zeros_like(images[0])] * blank)
    (folder / "c.mp4").write_bytes(b"nothing")
    return folder


def test_a_batch_has_its_pages_and_what_failed_is_in_the_table(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert run_tracker.main([str(clips), "--report", str(out)]) == 2
    names = {path.name for path in out.iterdir()}
    assert names == {"index.html", "index_.html", "b.html", "videos.csv", "manifest.jsonl"}
    for name in ("index.html", "index_.html", "b.html"):
        checked((out / name).read_text())
    with (out / "videos.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["c.mp4", "b.mp4", "index.mp4"]
    assert "no frame can be decoded" in rows[0]["error"]
    assert float(rows[1]["tracked"]) == pytest.approx(15 / 27)
    # What is whole is kept, and stays in the table.
    kept = (out / "b.html").stat().st_mtime_ns
    (out / "index_.html").unlink()
    before = (out / "videos.csv").read_text()
    assert run_tracker.main([str(clips), "--report", str(out), "--resume"]) == 2
    assert (out / "b.html").stat().st_mtime_ns == kept
    assert (out / "videos.csv").read_text() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_kill_leaves_whole_pages_only(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    command = [sys.executable, str(ROOT / "run_tracker.py"), str(clips), "--report", str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 60
        while not (out / "b.html").exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
    for page in out.glob("*.html"):
        assert page.read_text().endswith("</html>\n")
    assert run_tracker.main([*command[2:], "--resume"]) == 2
    assert len(list(out.glob("*.html"))) == 3


def test_one_video_has_its_page_too(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "report"
    assert run_tracker.main([str(clips / "b.mp4"), "--report", str(out)]) == 0
    page = (out / "b.html").read_text()
    stored = re.search(r'id="figures">(.*?)</script>', page)
    assert stored
    assert json.loads(stored[1])["frames"] == 27
    assert 'href="b.html"' in (out / "index.html").read_text()
    assert run_tracker.main([str(clips / "b.mp4"), "--report", str(out)]) == 2
