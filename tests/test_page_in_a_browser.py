"""The page in a browser, files that are sent to it, and its command."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from chromium import CHROMIUM, browser_page, write_camera
from fakes import write_video
from page_client import (
    BLOB,
    PATIENCE_S,
    ROOT,
    bomb,
    client,
)

import models
import run_tracker
from tracker.cli.serve_command import reached_at
from tracker.face_tracker import FaceTracker
from tracker.io.simulated_camera import portrait
from tracker.landmarker import on_frames
from tracker.run.shared_landmarker import SharedLandmarker
from tracker.serve.access import AccessRules, ServeLimits
from tracker.serve.picture_size import picture_size
from tracker.serve.web_app import TrackerPage
from tracker.serve.web_server import Listening, serve_until


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_video_becomes_a_table_with_its_progress_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    clip = write_video(tmp_path / "clip.mp4", [BLOB] * 20)
    with client() as page:
        answer = page.post("/table", content=clip.read_bytes())
    lines = lines_of(answer.text)
    assert [line["done"] for line in lines] == [8, 16, 20]
    assert lines[0]["frames"] == 20
    rows = "".join(line["rows"] for line in lines).splitlines()
    assert rows[0].startswith("frame,face_id,timestamp,confidence,success,x_0")
    assert [row.split(",")[:2] for row in rows[1:]] == [[str(i), "0"] for i in range(20)]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_file_that_is_none_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    small = ServeLimits(upload_bytes=50_000, uploads_per_minute=60)
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    with client(limits=small) as page:
        for content, reason in (
            (b"", "send a video"),
            (playlist, "send a video"),
            (b"ffconcat version 1.0\nfile /etc/passwd\n", "send a video"),
            (bomb(), "too large"),
            (bytes(60_000), "larger than 0 MB"),
        ):
            answer = page.post("/table", content=content)
            assert answer.status_code == 400
            assert reason in answer.json()["error"]
        (broken,) = lines_of(page.post("/table", content=b"\0\0\0\x18ftypmp42" + bytes(99)).text)
        assert "no frame can be decoded" in broken["error"]
        assert str(tmp_path) not in broken["error"]
    with client(limits=ServeLimits(uploads_per_minute=1)) as page:
        statuses = [page.post("/table", content=b"").status_code for _ in range(2)]
        assert statuses == [400, 429]
    assert list(tmp_path.iterdir()) == []


def test_sizes_are_read_from_the_first_bytes(rng: np.random.Generator) -> None:
    image = rng.integers(0, 255, (37, 91, 3), dtype=np.uint8)
    for suffix, flags in ((".jpg", []), (".png", []), (".webp", [cv2.IMWRITE_WEBP_QUALITY, 50]),
                          (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101])):  # fmt: skip
        content = cv2.imencode(suffix, image, flags)[1].tobytes()
        assert picture_size(content) == (91, 37)
    assert picture_size(b"RIFF\0\0\0\0WEBPVP8X") is None
    assert picture_size(b"\xff\xd8\xff") is None


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The page with the real network, on a free port."""
    network = SharedLandmarker(on_frames(models.load_landmarker()))
    page = TrackerPage(lambda: FaceTracker(network), AccessRules(), ServeLimits())
    stop, is_up, ports = threading.Event(), threading.Event(), []

    def started(port: int) -> None:
        ports.append(port)
        is_up.set()

    serving = threading.Thread(
        target=serve_until,
        args=(stop, page.application(), Listening("127.0.0.1", 0), 3_000_000, started),
    )
    serving.start()
    assert is_up.wait(PATIENCE_S)
    yield f"http://127.0.0.1:{ports[0]}/"
    stop.set()
    serving.join(PATIENCE_S)
    assert not serving.is_alive()


def camera_picture() -> tuple[np.ndarray, np.ndarray]:
    """The portrait as a camera of 640x480 sees it, and its pupils, seen by eye."""
    photograph = portrait()
    scale = 480 / photograph.shape[0]
    small = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    image = np.full((480, 640, 3), 90, np.uint8)
    left = (640 - small.shape[1]) // 2
    image[:, left : left + small.shape[1]] = small
    return image, np.array([[222.0, 190.0], [304.0, 186.0]]) * scale + [left, 0]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_in_a_browser_the_points_lie_on_the_face_of_its_camera(served: str, tmp_path: Path) -> None:
    image, pupils = camera_picture()
    camera = write_camera(tmp_path / "camera.y4m", image)
    clip = write_video(tmp_path / "sent.mp4", [image] * 10)
    with browser_page(served, camera, tmp_path / "home") as page:
        page.until("!!window.starTracker")
        page.value("document.getElementById('start').click()")
        page.until("window.starTracker.frames > 5")
        face = page.value("window.starTracker.answer.faces[0]")
        points = np.array(face["points"])
        eyes = np.stack([points[36:42].mean(0), points[42:48].mean(0)])
        np.testing.assert_allclose(eyes, pupils, atol=7)
        shown = page.value("document.getElementById('trip').textContent")
        assert shown.endswith(" ms")
        assert page.value("document.getElementById('state').textContent") == "Live."
        for width, mobile in ((1280, False), (400, True)):
            page.resize(width, 900, mobile=mobile)
            assert page.value("document.documentElement.scrollWidth") <= width
        page.choose_file("#file", clip)
        page.until("!document.getElementById('table').hidden")
        assert page.value("document.getElementById('table').download") == "sent.csv"
        assert len(page.value("window.starTracker.table").splitlines()) == 11
        page.value("document.getElementById('start').click()")
        assert page.value("document.getElementById('state').textContent") == "The camera is off."


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_ctrl_c_ends_the_page_cleanly() -> None:
    command = [
        sys.executable,
        "-u",
        "run_tracker.py",
        "serve",
        "--port",
        "0",
        "--host",
        "127.0.0.1",
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("open http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, "")


def test_other_machines_are_told_an_address_of_this_one() -> None:
    assert reached_at("127.0.0.1") == "127.0.0.1"
    assert reached_at("0.0.0.0") not in ("0.0.0.0", "")


def test_what_cannot_be_served_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.pem").write_text("nothing")
    no = str(tmp_path / "no.pem")
    for flags, says in (
        (["--token", "short"], "at least 16 characters"),
        (["--certificate", no], "belong together"),
        (["--certificate", no, "--key", no], "certificate or key cannot be used"),
        (["--smoothing", "3"], "smoothing"),
        (["--host", "203.0.113.7"], "cannot listen"),
    ):
        assert run_tracker.main(["serve", *flags]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
