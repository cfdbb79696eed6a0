"""Where results go: CSV, JSON lines, an overlay video, a window.

A sink writes a frame when it gets it, so what is on disk is readable up to the last frame.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

import cv2
import numpy as np

from .draw import draw_faces
from .errors import SinkError
from .layouts import Layout
from .quiet import native_stderr_silenced
from .types import Frame, Image, LandmarkEstimate, TrackedFace

CONTAINERS = (".mp4", ".mov", ".mkv", ".avi")
_LONGEST_SIDE = 4096
_LONGEST_STILL_S = 10.0
"""A camera that paused for longer does not fill the disk with copies of one picture."""


class Sink(Protocol):
    """Takes the faces of every frame, in order."""

    def write(self, frame: Frame, faces: list[TrackedFace]) -> None:
        """Take one frame."""

    def close(self) -> None:
        """Finish the output."""


class WindowClosed(Exception):  # noqa: N818
    """The user closed the live window or pressed q: the end, not an error."""


def check_output(path: Path, *, overwrite: bool) -> None:
    """See that an output can be written, before anything is tracked.

    Raises:
        SinkError: If it exists already, or its folder is missing or not writable.
    """
    if path.is_dir():
        raise SinkError(f"{path}: is a folder: name a file")
    if path.exists() and not overwrite:
        raise SinkError(f"{path}: exists already: add --overwrite or name another file")
    existed = path.exists()
    try:
        with path.open("ab"):
            pass
    except OSError as error:
        raise SinkError(
            f"{path}: cannot be written ({error.strerror}): name a file in a folder you may write"
        ) from error
    if not existed:
        path.unlink()


def chosen(face: TrackedFace, *, raw: bool) -> LandmarkEstimate | None:
    """The estimate to write: filtered, or as measured; None where there is none."""
    return face.measured if raw else face.landmarks


class CsvSink:
    """One row per face and frame, in OpenFace's columns, covariances after them.

    A frame without a face has one row with `face_id` -1, `success` 0 and empty coordinates; a
    face that is only predicted has `success` 0 and its predicted coordinates. Coordinates are
    0-based pixel centres of the source frame, covariances square pixels.
    """

    def __init__(self, path: Path, layout: Layout, *, by_name: bool, raw: bool) -> None:
        self._raw, self._by_name, self._count = raw, by_name, layout.count
        first = "file" if by_name else "frame"
        axes = [f"{axis}_{i}" for axis in ("x", "y") for i in range(layout.count)]
        covariances = [
            f"cov_{entry}_{i}" for i in range(layout.count) for entry in ("xx", "xy", "yy")
        ]
        columns = [first, "face_id", "timestamp", "confidence", "success", *axes, *covariances]
        self._file = _open_text(path, ",".join(columns) + "\n")
        self._writer = csv.writer(self._file, lineterminator="\n")

    def write(self, frame: Frame, faces: list[TrackedFace]) -> None:
        """Write the frame's rows and put them on disk."""
        first = frame.name if self._by_name else frame.index
        time = f"{frame.time_s:.6f}"
        for face in faces:
            values = self._values(chosen(face, raw=self._raw))
            success = int(not face.is_predicted)
            self._writer.writerow(
                [first, face.track_id, time, f"{face.confidence:.4f}", success, *values]
            )
        if not faces:
            self._writer.writerow([first, -1, time, "0.0000", 0, *self._values(None)])
        self._file.flush()

    def _values(self, estimate: LandmarkEstimate | None) -> Iterable[str]:
        if estimate is None:
            return [""] * (5 * self._count)
        entries = estimate.covariance[:, [0, 0, 1], [0, 1, 1]]
        points = [f"{value:.4f}" for value in estimate.mean.T.ravel()]
        return points + [f"{value:.5f}" for value in entries.ravel()]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class JsonLinesSink:
    """One JSON object per frame, with a list of its faces."""

    def __init__(self, path: Path, *, raw: bool) -> None:
        self._raw = raw
        self._file = _open_text(path)

    def write(self, frame: Frame, faces: list[TrackedFace]) -> None:
        """Write the frame's line and put it on disk."""
        line = {
            "frame": frame.index,
            **({"file": frame.name} if frame.name else {}),
            "timestamp": round(frame.time_s, 6),
            "faces": [self._described(face) for face in faces],
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def _described(self, face: TrackedFace) -> dict[str, object]:
        estimate = chosen(face, raw=self._raw)
        described: dict[str, object] = {
            "face_id": face.track_id,
            "confidence": round(face.confidence, 4),
            "success": int(not face.is_predicted),
        }
        if estimate is not None:
            described["points"] = np.round(estimate.mean, 4).tolist()
            described["covariances"] = np.round(estimate.covariance, 5).tolist()
        return described

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class VideoSink:
    """A painted video (MPEG-4 part 2, no sound), as fast as the source was.

    Frames are repeated or left out where the source's own times ask for it.

    Args:
        path: With the suffix of a container: .mp4, .mov, .mkv or .avi.
        frame_rate: Frames per second.
        paint: Makes the picture of a frame and its faces.
        size: Width and height; None takes those of the first picture.
    """

    def __init__(
        self,
        path: Path,
        frame_rate: float,
        paint: Callable[[Frame, list[TrackedFace]], Image],
        size: tuple[int, int] | None = None,
    ) -> None:
        if path.suffix.lower() not in CONTAINERS:
            raise SinkError(f"{path}: is no video name: end it in {', '.join(CONTAINERS)}")
        self._path, self._paint = path, paint
        self._rate = round(frame_rate, 2)  # finer ones overflow the container's clock
        self._size = size
        self._writer: cv2.VideoWriter | None = None
        self._written = 0
        self._started_s = 0.0

    def write(self, frame: Frame, faces: list[TrackedFace]) -> None:
        """Draw and encode one frame."""
        if self._writer is None:
            self._size = self._size or _encodable(frame.image)
            self._writer = self._opened(self._size)
            self._started_s = frame.time_s
        assert self._size is not None
        due = round((frame.time_s - self._started_s) * self._rate) + 1
        copies = min(due - self._written, round(_LONGEST_STILL_S * self._rate))
        if copies <= 0:
            return
        painted = self._paint(frame, faces)
        encoded = cv2.cvtColor(_fitted(painted, self._size), cv2.COLOR_RGB2BGR)
        for _ in range(copies):
            self._writer.write(encoded)
        self._written = due

    def _opened(self, size: tuple[int, int]) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        with native_stderr_silenced():
            writer = cv2.VideoWriter(str(self._path), codec, self._rate, size)
        if not writer.isOpened():
            raise SinkError(f"{self._path}: cannot be encoded at {size[0]}x{size[1]}")
        return writer

    def close(self) -> None:
        """Finish the file so that it plays."""
        if self._writer is not None:
            self._writer.release()


class WindowSink:
    """A live window; q or Escape ends the run."""

    def __init__(self, title: str, layout: Layout, **drawing: bool) -> None:
        if not display_is_there():
            raise SinkError(
                "no display to show a window on: leave out --show, or write a video with "
                "--save-video overlay.mp4"
            )
        self._title, self._layout, self._drawing = title, layout, drawing

    def write(self, frame: Frame, faces: list[TrackedFace]) -> None:
        """Show one frame."""
        drawn = draw_faces(frame.image, faces, self._layout, **self._drawing)
        cv2.imshow(self._title, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
            raise WindowClosed
        if cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise WindowClosed

    def close(self) -> None:
        """Close the window."""
        with suppress(cv2.error):  # it may be closed already
            cv2.destroyWindow(self._title)


def display_is_there() -> bool:
    """Whether a window can be opened."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_text(path: Path, head: str = "") -> IO[str]:
    file = None
    try:
        file = path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        file.write(head)
        file.flush()
    except OSError as error:
        with suppress(OSError):  # closing flushes once more, to the same full disk
            if file:
                file.close()
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error
    return file


def _encodable(image: Image) -> tuple[int, int]:
    """The picture's own size within what MPEG-4 stores: even sides from 16 to 4096."""
    height, width = image.shape[:2]
    shrink = min(_LONGEST_SIDE / max(width, height), 1.0)
    return max(int(width * shrink) // 2 * 2, 16), max(int(height * shrink) // 2 * 2, 16)


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Scaled into the size with its shape kept, black around it; untouched where it fits."""
    width, height = size
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return image[:height, :width]
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA
    )
    return canvas
