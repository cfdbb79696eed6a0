"""Joins the tables of pieces: ids go on across each seam, and every frame counts once.

Two ids are one face where they lie on each other in frames that both pieces saw.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .pieces import Piece

_SAME = 0.1
"""Mean distance of landmarks up to which two faces of a frame are one, in widths of the face."""
_BATCH_ROWS = 4000
_NOBODY = -1

Row = Mapping[str, Any]


@dataclass(slots=True)
class Seam:
    """How well two pieces agree before the seam between them."""

    at_s: float
    ids: dict[int, int] = field(default_factory=dict)
    """From those of the later piece to those of the whole video."""
    apart_px: float = 0.0
    """Largest distance of a landmark in the last frame that both saw."""


def join_pieces(
    tables: Sequence[Path], pieces: Sequence[Piece], joined: Path, first_s: float, made: str
) -> tuple[int, list[Seam]]:
    """Write one Parquet table of the whole video, some thousand rows at a time.

    Args:
        tables: Of the pieces, in order.
        pieces: Of the same.
        joined: Where to write; what is there is replaced.
        first_s: Time of the video's first frame.
        made: What goes into the file's metadata.

    Returns:
        The number of rows, and how each seam went.
    """
    parquet, arrow = import_module("pyarrow.parquet"), import_module("pyarrow")
    schema = parquet.read_schema(tables[0]).with_metadata({"star_tracker": made})
    ids: dict[int, int] = {}
    count, seams, free, before = 0, [], 0, tables[0]
    with parquet.ParquetWriter(joined, schema) as writer:
        for table, piece in zip(tables, pieces, strict=True):
            seam_s = first_s + piece.seam_s
            if piece.number:
                overlap = first_s + piece.begin_s, seam_s
                seam = matched(_rows(before, *overlap), _rows(table, *overlap), ids, seam_s)
                seams.append(seam)
                ids = dict(seam.ids)
            batch: list[Row] = []
            for row in _rows(table, seam_s if piece.number else -np.inf, np.inf):
                if row["face_id"] != _NOBODY and row["face_id"] not in ids:
                    ids[row["face_id"]], free = free, free + 1
                batch.append(row | {"face_id": ids.get(row["face_id"], _NOBODY)})
                if len(batch) == _BATCH_ROWS:
                    writer.write_table(arrow.Table.from_pylist(batch, schema))
                    count, batch = count + len(batch), []
            if batch:
                writer.write_table(arrow.Table.from_pylist(batch, schema))
            count, before = count + len(batch), table
    return count, seams


def _rows(table: Path, begin_s: float, end_s: float) -> Iterator[dict[str, Any]]:
    """Of frames from one time up to another, a batch at a time in memory."""
    file = import_module("pyarrow.parquet").ParquetFile(table)
    try:
        for batch in file.iter_batches(_BATCH_ROWS):
            stamps = batch.column("timestamp").to_numpy()
            if stamps[-1] >= begin_s and stamps[0] < end_s:
                kept = (row for row in batch.to_pylist() if begin_s <= row["timestamp"] < end_s)
                yield from kept
    finally:
        file.close()


def matched(
    earlier: Iterable[Row], later: Iterable[Row], known: Mapping[int, int], at_s: float
) -> Seam:
    """Which faces of a later piece are which of the video so far.

    Args:
        earlier: Rows of the piece before, where both overlap.
        later: Rows of the later piece there.
        known: From the ids of the piece before to those of the video.
        at_s: Time of the seam.
    """
    seam, votes = Seam(at_s), Counter[tuple[int, int]]()
    there = _by_frame(earlier)
    for frame, faces in _by_frame(later).items():
        pairs = [
            (own, other, apart)
            for own, points in faces.items()
            for other, others in there.get(frame, {}).items()
            if (apart := np.linalg.norm(points - others, axis=-1)).mean()
            < _SAME * np.ptp(others[:, 0])
        ]
        for own, other, _ in pairs:
            votes[own, other] += 1
        if pairs:
            seam.apart_px = max(float(apart.max()) for _, _, apart in pairs)
    taken = set()
    for (own, other), _ in votes.most_common():
        if own not in seam.ids and other not in taken and other in known:
            seam.ids[own] = known[other]
            taken.add(other)
    return seam


def _by_frame(rows: Iterable[Row]) -> dict[int, dict[int, np.ndarray]]:
    """Landmarks by frame and face."""
    frames: dict[int, dict[int, np.ndarray]] = defaultdict(dict)
    for row in rows:
        if row["face_id"] != _NOBODY and row["x"] is not None:
            points = np.stack([row["x"], row["y"]], -1).astype(np.float64)
            frames[row["frame"]][row["face_id"]] = points
    return frames
