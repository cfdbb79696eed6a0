"""The page without a browser: frames, limits, access."""

import numpy as np
import pytest
from page_client import BLOB, HERE, bomb, camera_line, client, encoded, stamped
from starlette.websockets import WebSocketDisconnect

from tracker.serve.access import RateLimit, ServeLimits, is_loopback


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
