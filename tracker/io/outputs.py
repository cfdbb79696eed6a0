"""The outputs of a run: where each is written, whether it can be, and the sinks that do it."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ..errors import SinkError
from ..layouts import Layout
from ..types import Face, Frame, Image
from .comparison import SideBySide
from .drawing import draw_faces
from .sources import Source
from .tables import CsvSink, JsonLinesSink
from .video_writer import CONTAINERS, Encoding, VideoSink
from .window import WindowSink, display_is_there

_STILLS_SIZE = (1280, 720)
"""Of the overlay of a folder, whose pictures have many sizes."""
_VIDEO, _CSV, _JSONL = ".mp4", ".csv", ".jsonl"


class Sink(Protocol):
    """Takes the faces of every frame, in order."""

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Take one frame."""

    def close(self) -> None:
        """Finish the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What was asked for; paths are files, or folders where there are several inputs."""

    video: Path | None = None
    csv: Path | None = None
    jsonl: Path | None = None
    compare: Path | None = None
    overwrite: bool = False
    raw: bool = False
    """Landmarks as measured."""
    ellipses: bool = False
    encoding: Encoding = field(default_factory=Encoding)
    """Of videos."""
    window: bool = False

    @property
    def paths(self) -> list[Path]:
        return [path for path in (self.video, self.csv, self.jsonl, self.compare) if path]

    def of(self, video: Path) -> "Outputs":
        """Those of one of several videos: files that are named after it, in the folders."""

        def named(folder: Path | None, suffix: str) -> Path | None:
            return folder / f"{video.stem}{suffix}" if folder else None

        return replace(
            self,
            video=named(self.video, _VIDEO),
            csv=named(self.csv, _CSV),
            jsonl=named(self.jsonl, _JSONL),
            compare=named(self.compare, _VIDEO),
        )


def check_output(path: Path, *, overwrite: bool) -> None:
    """See that an output can be written, before anything is tracked.

    Raises:
        SinkError: If it exists already, or its folder is missing or not writable.
    """
    if path.is_dir():
        raise SinkError(f"{path}: is a folder: name a file")
    existed = path.exists()
    if existed and not path.is_file():
        return  # a device, or a pipe, which waits for its reader when it is opened
    if existed and not overwrite:
        raise SinkError(f"{path}: exists already: add --overwrite or name another file")
    try:
        with path.open("ab"):
            pass
    except OSError as error:
        raise SinkError(
            f"{path}: cannot be written ({error.strerror}): name a file in a folder you may write"
        ) from error
    if not existed:
        path.unlink()


def check_outputs(outputs: Outputs, source: Path) -> None:
    """See that all outputs can be written and spoil neither the source nor each other.

    Raises:
        SinkError: If not.
    """
    _check_names(outputs.paths, [source])
    for path in outputs.paths:
        check_output(path, overwrite=outputs.overwrite)


def check_outputs_of_several(outputs: Outputs, videos: list[Path]) -> None:
    """The same for several videos; folders that are not there are made.

    Raises:
        SinkError: If not, or if two videos have one name.
    """
    if outputs.window:
        raise SinkError("--show shows one input: name a single one")
    if not outputs.paths:
        raise SinkError("several inputs need a folder to write to: add --save-csv FOLDER")
    _check_stems(videos)
    for folder in outputs.paths:
        looks_like_file = folder.suffix.lower() in (*CONTAINERS, _CSV, _JSONL)
        if not folder.is_dir() and (folder.exists() or looks_like_file):
            raise SinkError(f"{folder}: is a file's name: several inputs need that of a folder")
    files = [path for video in videos for path in outputs.of(video).paths]
    _check_names(files, videos)
    for folder in outputs.paths:
        folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        check_output(path, overwrite=outputs.overwrite)


def _check_stems(videos: list[Path]) -> None:
    """Two videos of one name would be written to the same files; some disks know no case."""
    stem, count = Counter(video.stem.casefold() for video in videos).most_common(1)[0]
    if count > 1:
        first, second = [video for video in videos if video.stem.casefold() == stem][:2]
        raise SinkError(
            f"{first} and {second}: outputs would both be named {first.stem}: rename one, or track "
            "them one at a time"
        )


def _check_names(paths: list[Path], sources: list[Path]) -> None:
    """No output is a source, or another output, by whatever name."""
    taken: dict[object, str] = {}
    for source in sources:
        inside = [Path(entry) for entry in os.scandir(source)] if source.is_dir() else []
        taken |= {file: "the source" for file in map(_identity, [source, *inside])}
    for path in paths:
        if _identity(path) in taken:
            raise SinkError(f"{path}: is already {taken[_identity(path)]}: name another file")
        if path.exists() and not (path.is_file() or path.is_dir()):
            continue  # a device takes what it is given
        taken[_identity(path)] = "another output"


def _identity(path: Path) -> object:
    """The same for all names of a file: hard and symbolic links, another case where none counts."""
    try:
        there = path.stat()
    except OSError:
        return path.resolve()
    return there.st_dev, there.st_ino


def open_sinks(
    outputs: Outputs, source: Source, layout: Layout, origin: Path | None = None
) -> Iterator[Sink]:
    """Open the outputs that were asked for; first the window, which may be refused.

    Args:
        outputs: What was asked for.
        source: Of the frames.
        layout: Of the landmarks.
        origin: The source's file, whose sound goes into the overlay; None where it is no video.
    """
    raw, ellipses = outputs.raw, outputs.ellipses
    if outputs.window or (not outputs.paths and display_is_there()):
        yield WindowSink(source.name, layout, ellipses=ellipses, raw=raw)
    if outputs.video:
        size = _STILLS_SIZE if source.holds_stills else None

        def overlay(frame: Frame, faces: list[Face]) -> Image:
            return draw_faces(frame.image, faces, layout, ellipses=ellipses, raw=raw)

        yield VideoSink(
            outputs.video,
            source.frame_rate,
            overlay,
            size,
            encoding=outputs.encoding,
            sound_of=origin,
            overwrite=outputs.overwrite,
        )
    if outputs.compare:
        panels = SideBySide(layout, ellipses=ellipses)
        yield VideoSink(
            outputs.compare,
            source.frame_rate,
            panels,
            panels.size,
            encoding=outputs.encoding,
            overwrite=outputs.overwrite,
        )
    if outputs.csv:
        yield CsvSink(
            outputs.csv, layout, by_name=source.holds_stills, raw=raw, overwrite=outputs.overwrite
        )
    if outputs.jsonl:
        yield JsonLinesSink(outputs.jsonl, raw=raw, overwrite=outputs.overwrite)
