"""The page without a browser, and what is sent to it."""

import struct
from pathlib import Path

import cv2
import numpy as np
from fakes import BlobDetector, BlobLandmarker, blob_frame
from starlette.testclient import TestClient

from tracker.face_tracker import FaceTracker
from tracker.serve.access import AccessRules, ServeLimits
from tracker.serve.web_app import TrackerPage

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


def bomb() -> bytes:
    """A small picture that says it is 60,000 pixels wide and high."""
    head = bytearray(encoded(BLOB))
    at = head.index(b"\xff\xc0")
    head[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    return bytes(head)
