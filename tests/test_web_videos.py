"""Videos that a web server sends, whether it can send parts of them or not."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from drawn_videos import EVEN, milliseconds, read, write

from tracker.errors import SourceError
from tracker.io.sources import open_source


class Whole(http.server.SimpleHTTPRequestHandler):
    """Knows no ranges."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


class InParts(Whole):
    """Sends the range that is asked for."""

    def do_GET(self) -> None:
        content = Path(self.translate_path(self.path)).read_bytes()
        first, _, last = self.headers.get("Range", "bytes=0-").partition("=")[2].partition("-")
        part = content[int(first) : int(last or len(content) - 1) + 1]
        self.send_response(206)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header(
            "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        )
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


class BreaksOff(Whole):
    """Is gone after half of a file."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        outputfile.write(content[: len(content) // 2])


@contextmanager
def served(folder: Path, handler: type[Whole]) -> Iterator[str]:
    """The server's address."""
    made = functools.partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("handler", [Whole, InParts])
@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x y.ts"])
def test_a_video_is_read_from_a_web_server(tmp_path: Path, handler: type[Whole], name: str) -> None:
    write(tmp_path / name, EVEN)
    with served(tmp_path, handler) as address, open_source(f"{address}/{name}") as video:
        for _ in range(2):
            assert milliseconds(list(video)) == EVEN
            assert str(video.losses) == ""


def test_a_connection_that_breaks_off_is_said_and_grave(tmp_path: Path) -> None:
    write(tmp_path / "x.ts", list(range(0, 20_000, 40)))
    with served(tmp_path, BreaksOff) as address, open_source(f"{address}/x.ts") as video:
        frames = list(video)
        assert 100 < len(frames) < 400
        assert video.losses.are_grave
        assert f"the connection broke off after {len(frames)} frames" in str(video.losses)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with served(tmp_path, Whole) as address, pytest.raises(SourceError, match="404 Not Found"):
        read(f"{address}/x.mp4")
