"""Landmarks as Parquet, which DuckDB, pandas, Polars and Spark read; needs `pyarrow`.

Schema 1: a row per face and frame, as in CSV: `frame` (int64), `file` (of a folder's picture, else
null), `face_id` (int32), `timestamp` (seconds, double), `confidence` (float), `success` (bool), and
lists with an entry per landmark: `x`, `y` (pixels), `cov_xx`, `cov_xy`, `cov_yy` (square pixels);
null where there is no face. With an analysis its columns follow, as in CSV. The key `star_tracker`
of the file's metadata says what made it.
"""

import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SinkError
from ..types import Face, Frame
from .analysis_columns import analysis_columns, analysis_values
from .provenance import Provenance
from .spool import Spool
from .tables import chosen

_PART_EVERY_S = 1.0
_PART_ROWS = 2_000
_GROUP_ROWS = 10_000
"""Of the file: readers skip by groups, and hold one at a time."""
_NUMBERS = ("x", "y", "cov_xx", "cov_xy", "cov_yy")


class ParquetSink:
    """Parts of a second each, put together when the run ends.

    Args:
        path: Of the file; parts are in `NAME.parts` until it is whole.
        raw: Landmarks as measured.
        analysis: Columns for head pose, eyes and expression (float, null where not known).
        made: What goes into the file's metadata.
        overwrite: A file that exists may be replaced.

    Raises:
        SinkError: If pyarrow is missing or the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        raw: bool,
        analysis: bool = False,
        made: Provenance | None = None,
        overwrite: bool = True,
    ) -> None:
        self._analysis = analysis_columns() if analysis else []
        self._arrow, self._parquet = _imported("pyarrow"), _imported("pyarrow.parquet")
        self._schema, self._raw = self._schema_of(made), raw
        self._spool, self._is_open = Spool(path, overwrite=overwrite), True
        self._rows: list[dict[str, Any]] = []
        self._parts: list[Path] = []
        self._flushed_s = time.monotonic()

    def _schema_of(self, made: Provenance | None) -> Any:
        arrow = self._arrow
        number, numbers = arrow.float32(), arrow.list_(arrow.float32())
        columns = [
            ("frame", arrow.int64()), ("file", arrow.string()), ("face_id", arrow.int32()),
            ("timestamp", arrow.float64()), ("confidence", number), ("success", arrow.bool_()),
        ]  # fmt: skip
        columns += [(name, numbers) for name in _NUMBERS]
        columns += [(name, number) for name in self._analysis]
        return arrow.schema(columns, {"star_tracker": made.as_json()} if made else None)

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Take the frame's rows; they are on disk within a second."""
        self._rows += [self._row(frame, face) for face in faces] or [self._row(frame, None)]
        is_due = time.monotonic() - self._flushed_s >= _PART_EVERY_S
        if is_due or len(self._rows) >= _PART_ROWS:
            self._flush()

    def _row(self, frame: Frame, face: Face | None) -> dict[str, Any]:
        estimate = chosen(face, raw=self._raw) if face else None
        row: dict[str, Any] = {
            "frame": frame.index,
            "file": frame.name or None,
            "face_id": face.track_id if face else -1,
            "timestamp": frame.time_s,
            "confidence": face.confidence if face else 0.0,
            "success": face is not None and face.is_believed,
        }
        if estimate is not None:
            covariance = estimate.covariance
            values = (*estimate.mean.T, *covariance[:, [0, 0, 1], [0, 1, 1]].T)
            row |= {n: v.astype(np.float32) for n, v in zip(_NUMBERS, values, strict=True)}
        if self._analysis and face is not None:
            row |= zip(self._analysis, analysis_values(face.analysis), strict=True)
        return row

    def _flush(self) -> None:
        """Put the rows into a part of their own, which is whole or not there."""
        table = self._arrow.Table.from_pylist(self._rows, self._schema)
        part = self._spool.folder / f"part-{len(self._parts):06d}.parquet"
        beside = part.with_suffix(".new")
        try:
            self._parquet.write_table(table, beside)
            beside.replace(part)
        except OSError as error:
            raise self._spool.failure(error) from error
        self._parts.append(part)
        self._rows, self._flushed_s = [], time.monotonic()

    def close(self) -> None:
        """Put the parts together.

        Raises:
            SinkError: If that fails; then they stay.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            if self._rows:
                self._flush()
            self._join()
            self._spool.move_into_place()
        except OSError as error:
            raise self._spool.failure(error) from error
        finally:
            self._spool.release()

    def _join(self) -> None:
        with self._parquet.ParquetWriter(self._spool.whole, self._schema) as writer:
            waiting: list[Any] = []
            for part in self._parts:
                waiting.append(self._parquet.read_table(part, schema=self._schema))
                if sum(table.num_rows for table in waiting) >= _GROUP_ROWS:
                    writer.write_table(self._arrow.concat_tables(waiting).combine_chunks())
                    waiting = []
            if waiting:
                writer.write_table(self._arrow.concat_tables(waiting).combine_chunks())


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise SinkError(
            f"Parquet needs pyarrow ({error}): run pip install 'star-tracker[parquet]'"
        ) from error
