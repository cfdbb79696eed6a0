"""The page, without and with a browser."""

import json
import os
import signal
import struct
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
from fakes import BlobDetector, BlobLandmarker, blob_frame, write_video
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import models
import run_tracker
from tracker.cli.serve_command import reached_at
from tracker.face_tracker import FaceTracker
from tracker.io.simulated_camera import portrait
from tracker.landmarker import on_frames
from tracker.run.shared_landmarker import SharedLandmarker
from tracker.serve.access import AccessRules, RateLimit, ServeLimits, is_loopback
from tracker.serve.picture_size import picture_size
from tracker.serve.web_app import TrackerPage
from tracker.serve.web_server import Listening, serve_until

ROOT = Path(__file__).parents[1]
PATIENCE_S = 30.0
BLOB = blob_frame([(160.0, 120.0)])
HERE = "http://127.0.0.1:8000"


def blob_tracker() -> FaceTracker:
    return FaceTracker(BlobLandmarker(), BlobDetector())


def client(
    token: str | None = None, limits: ServeLimits | None = None, here: str = HERE
) -> TestClient:
    page = TrackerPage(blob_tracker, AccessRules(token), limits or ServeLimits())
    return TestClient(page.application(), base_url=here)


def camera_line(page: TestClient):
    """Starlette's client calls every host of a WebSocket `testserver`."""
    return page.websocket_connect("/live", headers={"host": HERE[7:]})


def encoded(image: np.ndarray, suffix: str = ".jpg") -> bytes:
    done, content = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done
    return content.tobytes()


def stamped(picture: bytes, time_ms: float = 0.0) -> bytes:
    return struct.pack("<d", time_ms) + picture


def test_the_page_is_whole_and_loads_nothing_from_elsewhere() -> None:
    with client() as page:
        for path, kind in (("/", "text/html"), ("/page.js", "javascript"), ("/page.css", "css")):
            answer = page.get(path)
            assert answer.status_code == 200
            assert kind in answer.headers["content-type"]
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            for scheme in ("http://", "https://", "//cdn"):
                assert scheme not in answer.text.replace("https pages", "")


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png"])
def test_a_frame_is_answered_with_the_faces_in_it(suffix: str) -> None:
    with client() as page, camera_line(page) as line:
        greeting = line.receive_json()
        assert greeting["count"] == 68
        assert greeting["outlines"]
        for number in range(3):
            line.send_bytes(stamped(encoded(BLOB, suffix), 33.0 * number))
            answer = line.receive_json()
            assert answer["sequence"] == number
            assert (answer["width"], answer["height"]) == (320, 240)
            (face,) = answer["faces"]
            assert face["face_id"] == 0
            np.testing.assert_allclose(np.mean(face["points"], 0), [160, 120], atol=3)
            assert np.shape(face["covariances"]) == (68, 3)
        line.send_bytes(stamped(encoded(BLOB), 0.0))  # a clock that falls is no reason to stop
        assert line.receive_json()["sequence"] == 3


def bomb() -> bytes:
    """A small picture that says it is 60,000 pixels wide and high."""
    head = bytearray(encoded(BLOB))
    at = head.index(b"\xff\xc0")
    head[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    return bytes(head)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(b"", "time stamp and a picture", id="empty"),
        pytest.param(stamped(b"hello"), "JPEG, WebP or PNG", id="no-picture"),
        pytest.param(stamped(encoded(BLOB)[:20]), "JPEG, WebP or PNG", id="cut-off"),
        pytest.param(stamped(encoded(BLOB)[:300]), "damaged", id="cut-off-later"),
        pytest.param(stamped(bomb()), "60000x60000 is too large", id="bomb"),
        pytest.param(stamped(encoded(BLOB), float("nan")), "no number", id="no-time"),
    ],
)
def test_what_is_no_frame_ends_its_own_line_only(message: bytes, reason: str) -> None:
    with client() as page:
        with camera_line(page) as line:
            line.receive_json()
            line.send_bytes(message)
            with pytest.raises(WebSocketDisconnect) as ended:
                line.receive_json()
            assert reason in ended.value.reason
        with camera_line(page) as line:
            assert line.receive_json()["count"] == 68


def test_text_is_no_frame_and_silence_ends_the_line() -> None:
    for limits, reason in ((ServeLimits(), "binary"), (ServeLimits(idle_s=0.05), "no frame came")):
        with client(limits=limits) as page, camera_line(page) as line:
            line.receive_json()
            if limits.idle_s > 1:
                line.send_text("hello")
            with pytest.raises(WebSocketDisconnect) as ended:
                line.receive_json()
            assert reason in ended.value.reason


def test_a_picture_of_one_pixel_has_no_face() -> None:
    with client() as page, camera_line(page) as line:
        line.receive_json()
        line.send_bytes(stamped(encoded(BLOB[:1, :1])))
        assert line.receive_json()["faces"] == []


def test_too_many_too_fast_and_too_large_are_refused() -> None:
    limits = ServeLimits(cameras_at_once=1, frames_per_second=0.001, frame_bytes=20_000)
    with client(limits=limits) as page, camera_line(page) as line:
        line.receive_json()
        with camera_line(page) as second, pytest.raises(WebSocketDisconnect) as ended:
            second.receive_json()
        assert "too many cameras" in ended.value.reason
        line.send_bytes(stamped(encoded(BLOB), 1.0))
        line.receive_json()
        line.send_bytes(stamped(encoded(BLOB), 2.0))
        with pytest.raises(WebSocketDisconnect) as ended:
            line.receive_json()
        assert "too fast" in ended.value.reason
    with client(limits=limits) as page, camera_line(page) as line:
        line.receive_json()
        line.send_bytes(bytes(20_001))
        with pytest.raises(WebSocketDisconnect) as ended:
            line.receive_json()
        assert ended.value.code == 1009


def test_a_rate_limit_allows_bursts_and_then_so_many_a_second() -> None:
    now = [0.0]
    limit = RateLimit(2.0, 3.0, lambda: now[0])
    assert [limit.allows() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [limit.allows() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("here", "headers", "path", "allowed"),
    [
        (HERE, {}, "/live", True),
        (HERE, {"origin": HERE}, "/live", True),
        (HERE, {"origin": "https://evil.example"}, "/live", False),
        ("http://rebound.example:8000", {"origin": "http://rebound.example:8000"}, "/live", False),
    ],
)
def test_another_page_cannot_reach_into_this_one(
    here: str, headers: dict, path: str, allowed: bool
) -> None:
    with client(here=here) as page:
        if allowed:
            with page.websocket_connect(path, headers={"host": here[7:], **headers}) as line:
                assert line.receive_json()
        else:
            with (
                pytest.raises(WebSocketDisconnect),
                page.websocket_connect(path, headers={"host": here[7:], **headers}),
            ):
                pass
            assert page.post("/table", content=b"", headers=headers).status_code == 403


def test_without_the_token_nothing_is_tracked() -> None:
    far = "http://studio.local:8000"
    with client("a-secret-of-16-chars", here=far) as page:
        for query in ("", "?token=", "?token=wrong"):
            with (
                pytest.raises(WebSocketDisconnect),
                page.websocket_connect(f"/live{query}", headers={"host": far[7:]}),
            ):
                pass
        assert page.post("/table", content=encoded(BLOB)).status_code == 403
        with page.websocket_connect(
            "/live?token=a-secret-of-16-chars", headers={"host": far[7:], "origin": far}
        ) as line:
            assert line.receive_json()
        known = {"authorization": "Bearer a-secret-of-16-chars"}
        assert page.post("/table", content=encoded(BLOB), headers=known).status_code == 200
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "localhost.example", "")))


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
