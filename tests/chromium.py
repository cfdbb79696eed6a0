"""A headless Chromium with a film as its camera, driven by its own debugging protocol."""

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 40.0
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def write_camera(path: Path, image: np.ndarray, frames: int = 2) -> Path:
    """An uncompressed film (Y4M) of one picture, which the camera repeats."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420).tobytes()
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(frames):
            file.write(b"FRAME\n" + planes)
    return path


class Page:
    """One page of the browser."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._numbers = line, itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._line.recv(PATIENCE_S))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, expression: str) -> Any:
        """The value once it is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not (value := self.value(expression)):
            assert time.monotonic() < deadline, (expression, self.value("document.body.innerText"))
            time.sleep(0.1)
        return value

    def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=mobile,
        )  # fmt: skip

    def choose_file(self, selector: str, path: Path) -> None:
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])


@contextmanager
def browser_page(url: str, camera: Path, home: Path) -> Iterator[Page]:
    """Open a page; cameras are allowed, and there is one."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage", "--disable-background-networking", "--mute-audio",
        "--remote-debugging-port=0", f"--user-data-dir={home}", "--remote-allow-origins=*",
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}", url,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_page_address(home, process), max_size=None) as line:
            yield Page(line)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _page_address(home: Path, process: subprocess.Popen) -> str:
    """Of the debugging socket of the first page."""
    note, deadline = home / "DevToolsActivePort", time.monotonic() + PATIENCE_S
    while not (note.exists() and note.read_text().count("\n")):
        assert process.poll() is None, "Chromium did not start"
        assert time.monotonic() < deadline, "Chromium does not answer"
        time.sleep(0.1)
    port, browser = note.read_text().split()
    with connect(f"ws://127.0.0.1:{port}{browser}") as line:
        while True:
            targets = Page(line).call("Target.getTargets")["targetInfos"]
            pages = [target["targetId"] for target in targets if target["type"] == "page"]
            if pages:
                return f"ws://127.0.0.1:{port}/devtools/page/{pages[0]}"
            time.sleep(0.1)
