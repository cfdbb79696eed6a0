"""What a worker of an archive does: plans a video, tracks a piece of it, joins the pieces."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..archive.archive_store import PIECES, ROWS, id_of
from ..archive.piece_join import join_pieces
from ..archive.pieces import Piece, PieceSource, VideoPlan, cut_piece, plan_video
from ..errors import SinkError
from ..io.parquet_table import ParquetSink
from ..io.provenance import sha256_of
from ..io.sources import Source, opened
from ..landmarker import FrameLandmarker, on_frames
from ..run.loop import run, run_offline
from ..run.shared_landmarker import SharedLandmarker
from ..run.summary import FrameDone, RunSummary, StopRequest
from ..run.timed_tracker import TimedTracker
from .arguments import asked_config, build_parser
from .asked_networks import (
    OurDetector,
    detector_of,
    landmarker_of,
    provenance_of,
    settle_weights,
)
from .logs import warnings_on_terminal
from .reading_flags import asked_reading


class ArchiveWorker:
    """One network for all that it does at the same time.

    Args:
        networks: Name of the package that is `models`.
        flags: Of tracking, as on the command line.
        folder: Of the archive, which all machines see.
        together: Pieces at the same time.
        piece_s: A piece is about so long.
        overlap_s: It begins at least so long before its seam.
    """

    def __init__(
        self, networks: str, flags: list[str], folder: Path, *, together: int = 1,
        piece_s: float = 600.0, overlap_s: float = 30.0,
    ) -> None:  # fmt: skip
        self._networks: Any = import_module(networks)
        self._arguments = build_parser().parse_args(["archive", *flags])
        settle_weights(self._arguments)
        self._reading = asked_reading(self._arguments)
        self._folder, self._piece_s, self._overlap_s = folder, piece_s, overlap_s
        network: FrameLandmarker = on_frames(landmarker_of(self._arguments, self._networks))
        self._network = SharedLandmarker(network) if together > 1 else network
        self._idle: SimpleQueue[OurDetector] = SimpleQueue()
        self._detectors = ExitStack()
        for _ in range(together):
            self._idle.put(detector_of(self._arguments, self._networks, self._detectors))

    def plan(self, video: Path) -> VideoPlan:
        """How a video is cut."""
        return plan_video(video, self._piece_s, self._overlap_s, self._reading)

    def track(self, video: Path, plan: VideoPlan, number: int) -> dict[str, Any]:
        """Track one piece into a table of its own; done again it makes the same."""
        piece = plan.pieces[number]
        table = self._pieces(video) / f"{number:05d}.parquet"
        table.parent.mkdir(parents=True, exist_ok=True)
        with warnings_on_terminal(), ExitStack() as stack:
            open_one = self._opener(video, plan, piece, stack)
            source = stack.enter_context(open_one())
            detector = self._idle.get()
            stack.callback(self._idle.put, detector)
            timed = TimedTracker(self._network, detector, asked_config(self._arguments))
            sink = ParquetSink(table, raw=self._arguments.raw)
            stack.callback(sink.close)
            if self._arguments.offline:
                ahead = stack.enter_context(open_one())
                summary = run_offline(source, ahead, timed, [sink], _unwatched, StopRequest())
            else:
                summary = run(source, timed, [sink], _unwatched, StopRequest())
        return {"losses": str(summary.losses)}

    def join(self, video: Path, plan: VideoPlan) -> dict[str, Any]:
        """Join the pieces into the data set; the table comes there in one step."""
        pieces = self._pieces(video)
        tables = [pieces / f"{piece.number:05d}.parquet" for piece in plan.pieces]
        made = provenance_of(self._arguments, self._networks, str(video), video)
        with opened(video, self._reading) as source:
            first_s = next(iter(source)).time_s
        joined = pieces / ROWS
        count, seams = join_pieces(tables, plan.pieces, joined, first_s, made.as_json())
        place = self._folder / "data" / f"video={id_of(video)}" / ROWS
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            digest = sha256_of(joined)
            joined.replace(place)
        except OSError as error:
            raise SinkError(f"{place}: cannot be written ({error.strerror})") from error
        shutil.rmtree(pieces, ignore_errors=True)
        return {
            "rows": count,
            "frames": len(plan.times_s),
            "pieces": len(plan.pieces),
            "sha256": digest,
            "source_sha256": made.source_sha256,
            "seams": [
                {"at_s": round(s.at_s, 3), "ids": len(s.ids), "apart_px": round(s.apart_px, 3)}
                for s in seams
            ],
        }

    def _opener(
        self, video: Path, plan: VideoPlan, piece: Piece, stack: ExitStack
    ) -> Callable[[], Source]:
        """Opens a piece, as often as it is called."""
        if len(plan.pieces) == 1:
            return lambda: opened(video, self._reading)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="piece-")))
        cut = cut_piece(video, piece, place, self._reading)
        return lambda: PieceSource(cut, video, plan, piece, self._reading)

    def _pieces(self, video: Path) -> Path:
        return self._folder / PIECES / id_of(video)


@contextmanager
def _unwatched(_source: Source, _summary: RunSummary) -> Iterator[FrameDone]:
    yield lambda _faces: None
