"""A file that was sent becomes a table; both live in a folder that is deleted at once."""

import json
from collections.abc import Iterator
from pathlib import Path

from ..face_tracker import FaceTracker
from ..io.sources import open_source
from ..io.tables import CsvSink
from .live_session import RefusedInput
from .picture_size import picture_size

_HEAD_BYTES = 65_536
_FRAMES_A_LINE = 8


def suffix_of(head: bytes) -> str:
    """What kind of file this is by its first bytes, whatever its name says.

    Only what holds pictures by itself is let through: a playlist could make the decoder read other
    files of this machine.

    Raises:
        RefusedInput: If it is no video or picture of a known kind.
    """
    kinds = {
        ".mp4": head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"),
        ".mkv": head.startswith(b"\x1a\x45\xdf\xa3"),
        ".avi": head[:4] == b"RIFF" and head[8:12] == b"AVI ",
        ".jpg": head.startswith(b"\xff\xd8"),
        ".png": head.startswith(b"\x89PNG\r\n\x1a\n"),
        ".webp": head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    }
    for suffix, fits in kinds.items():
        if fits:
            return suffix
    raise RefusedInput("send a video (MP4, MOV, WebM, MKV, AVI) or a picture (JPEG, PNG, WebP)")


def named_by_kind(upload: Path, most_pixels: int) -> Path:
    """Rename a file by what it is.

    Raises:
        RefusedInput: If it is of no known kind, or a picture that is too large.
    """
    with upload.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    suffix = suffix_of(head)
    if suffix in (".jpg", ".png", ".webp"):
        size = picture_size(head)
        if size is None or not 0 < size[0] * size[1] <= most_pixels:
            raise RefusedInput("the picture is damaged or too large")
    return upload.rename(upload.with_suffix(suffix))


def table_lines(path: Path, tracker: FaceTracker) -> Iterator[str]:
    """Lines of JSON with the frames done, how many there are, and the rows of their faces, as CSV.

    Args:
        path: A video or a picture, in a folder that may be written to.
        tracker: Not used before.

    Raises:
        SourceError: If no frame can be decoded.
    """
    table = path.with_suffix(".csv")
    with open_source(path) as source:
        sink = CsvSink(table, tracker.layout, by_name=source.holds_stills, raw=False)
        try:
            done = read = 0
            for frame in source:
                stills = source.holds_stills
                faces = (
                    tracker.detect(frame.image)
                    if stills
                    else tracker.update(frame.image, frame.time_s)
                )
                sink.write(frame, faces)
                done += 1
                if done % _FRAMES_A_LINE == 0:
                    rows, read = _rows_from(table, read)
                    yield _line(done, source.frame_count, rows)
        finally:
            sink.close()
    rows, read = _rows_from(table, read)
    yield _line(done, done, rows)


def _rows_from(table: Path, start: int) -> tuple[str, int]:
    with table.open("rb") as file:
        file.seek(start)
        rows = file.read()
    return rows.decode(), start + len(rows)


def _line(done: int, frames: int | None, rows: str) -> str:
    return json.dumps({"done": done, "frames": frames, "rows": rows}) + "\n"
