"""The sinks that write what a run was asked for."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from ..layouts import Layout
from ..reports.report_sink import ReportSink
from ..types import Face, Frame, Image
from .comparison import SideBySide
from .drawing import draw_faces
from .key_point_files import CocoSink, PtsSink
from .outputs import Outputs
from .parquet_table import ParquetSink
from .provenance import Provenance, description_of, write_whole
from .sources import Source
from .tables import CsvSink, JsonLinesSink
from .video_writer import SoundOf, VideoSink
from .window import Steering, WindowSink, display_is_there

_STILLS_SIZE = (1280, 720)
"""Of the overlay of a folder, whose pictures have many sizes."""


class Sink(Protocol):
    """Takes the faces of every frame, in order."""

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Take one frame."""

    def close(self) -> None:
        """Finish the output."""


class DescribedSink:
    """A sink whose file has no room for what made it: that lies beside it, in NAME.meta.json.

    Args:
        sink: Writes the file.
        path: Of the file; what is none has no description.
        made: What is written beside it, with the first frame.
    """

    def __init__(self, sink: Sink, path: Path, made: Provenance) -> None:
        self._sink, self._path, self._made = sink, path, made
        self._is_described = path.exists() and not (path.is_file() or path.is_dir())

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Take one frame."""
        self._sink.write(frame, faces)
        if not self._is_described:
            write_whole(description_of(self._path), self._made.as_json() + "\n")
            self._is_described = True

    def close(self) -> None:
        """Finish the output."""
        self._sink.close()


def open_sinks(
    outputs: Outputs,
    source: Source,
    layout: Layout,
    sound: SoundOf | None = None,
    made: Provenance | None = None,
    steering: Steering | None = None,
) -> Iterator[Sink]:
    """Open the outputs that were asked for; first the window, which may be refused.

    Args:
        outputs: What was asked for.
        source: Of the frames.
        layout: Of the landmarks.
        sound: The video whose sound and clock overlays take over; None where there is none.
        made: What makes the tables, which goes into them or beside them.
        steering: Of the tracker, by keys of the window.
    """
    is_kept = bool(outputs.paths) or outputs.are_streamed
    if outputs.window or (not is_kept and display_is_there()):
        name, ellipses = source.name, outputs.ellipses
        yield WindowSink(
            name, layout, ellipses=ellipses, raw=outputs.raw,
            steering=steering, frame_rate=source.frame_rate,
        )  # fmt: skip
    yield from _videos(outputs, source, layout, sound)
    for path, sink in _plain_tables(outputs, source, layout):
        yield DescribedSink(sink, path, made) if made else sink
    raw, overwrite, analysis = outputs.raw, outputs.overwrite, outputs.analysis
    if outputs.parquet:
        yield ParquetSink(
            outputs.parquet, raw=raw, analysis=analysis, made=made, overwrite=overwrite
        )
    if outputs.coco:
        yield CocoSink(outputs.coco, layout, raw=raw, made=made, overwrite=overwrite)
    if outputs.report:
        ellipses = outputs.ellipses
        yield ReportSink(outputs.report, source, layout, raw=raw, ellipses=ellipses, made=made)


def _drawn(layout: Layout, outputs: Outputs, frame: Frame, faces: list[Face]) -> Image:
    """The frame with what was asked for on it."""
    return draw_faces(
        frame.image,
        faces,
        layout,
        ellipses=outputs.ellipses,
        raw=outputs.raw,
        axes=outputs.axes,
    )


def _videos(
    outputs: Outputs, source: Source, layout: Layout, sound: SoundOf | None
) -> Iterator[Sink]:
    ellipses, rate = outputs.ellipses, source.frame_rate
    encoding, overwrite = outputs.encoding, outputs.overwrite
    if outputs.video:
        overlay = partial(_drawn, layout, outputs)
        size = _STILLS_SIZE if source.holds_stills else None
        yield VideoSink(
            outputs.video, rate, overlay, size,
            encoding=encoding, sound_of=sound, overwrite=overwrite,
        )  # fmt: skip
    if outputs.compare:
        panels = SideBySide(layout, ellipses=ellipses)
        yield VideoSink(
            outputs.compare, rate, panels, panels.size, encoding=encoding, overwrite=overwrite
        )


def _plain_tables(outputs: Outputs, source: Source, layout: Layout) -> Iterator[tuple[Path, Sink]]:
    """Those that hold nothing but faces."""
    raw, overwrite, analysis = outputs.raw, outputs.overwrite, outputs.analysis
    if outputs.csv:
        sink = CsvSink(
            outputs.csv, layout,
            by_name=source.holds_stills, raw=raw, analysis=analysis, overwrite=overwrite,
        )  # fmt: skip
        yield outputs.csv, sink
    if outputs.jsonl:
        lines = JsonLinesSink(outputs.jsonl, raw=raw, analysis=analysis, overwrite=overwrite)
        yield outputs.jsonl, lines
    if outputs.pts:
        yield outputs.pts, PtsSink(outputs.pts, raw=raw, overwrite=overwrite)
