"""Landmarks as text: CSV and JSON lines.

A row is on disk when its frame is written, so a file is readable up to the last frame.
"""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..face_analysis import FaceAnalysis
from ..layouts import Layout
from ..types import Face, Frame, LandmarkEstimate
from .analysis_columns import analysis_columns, analysis_values, described_analysis
from .output_file import OutputFile


def chosen(face: Face, *, raw: bool) -> LandmarkEstimate | None:
    """The estimate to write: filtered, or as measured; None where there is none."""
    return face.measured if raw else face.landmarks


class CsvSink:
    """One row per face and frame, in OpenFace's columns, covariances and analysis after them.

    A frame without a face has one row with `face_id` -1, `success` 0 and empty coordinates; a
    face that is only predicted, or whose landmarks are not believed, has `success` 0 and its
    coordinates. These are 0-based pixel centres of the source frame, covariances square pixels.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        *,
        by_name: bool,
        raw: bool,
        analysis: bool = False,
        overwrite: bool = True,
    ) -> None:
        self._raw, self._by_name, self._count = raw, by_name, layout.count
        self._has_analysis = analysis
        first = "file" if by_name else "frame"
        axes = [f"{axis}_{i}" for axis in ("x", "y") for i in range(layout.count)]
        covariances = [
            f"cov_{entry}_{i}" for i in range(layout.count) for entry in ("xx", "xy", "yy")
        ]
        columns = [first, "face_id", "timestamp", "confidence", "success", *axes, *covariances]
        columns += analysis_columns() if analysis else []
        head = ",".join(columns) + "\n"
        self._file = OutputFile(path, overwrite=overwrite, head=head.encode())

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Write the frame's rows and put them on disk."""
        rows = io.StringIO()
        writer = csv.writer(rows, lineterminator="\n")
        first = frame.name if self._by_name else frame.index
        time = f"{frame.time_s:.6f}"
        for face in faces:
            values = self._values(chosen(face, raw=self._raw))
            known = [face.track_id, time, f"{face.confidence:.4f}", int(face.is_believed)]
            writer.writerow([first, *known, *values, *self._analysed(face.analysis)])
        if not faces:
            empty = [*self._values(None), *self._analysed(None)]
            writer.writerow([first, -1, time, "0.0000", 0, *empty])
        self._file.append(_encoded(rows.getvalue()))

    def _values(self, estimate: LandmarkEstimate | None) -> Iterable[str]:
        if estimate is None:
            return [""] * (5 * self._count)
        entries = estimate.covariance[:, [0, 0, 1], [0, 1, 1]]
        points = [f"{value:.4f}" for value in estimate.mean.T.ravel()]
        return points + [f"{value:.5f}" for value in entries.ravel()]

    def _analysed(self, analysis: FaceAnalysis | None) -> list[str]:
        if not self._has_analysis:
            return []
        return ["" if v is None else f"{v:.5f}" for v in analysis_values(analysis)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class JsonLinesSink:
    """One JSON object per frame, with a list of its faces."""

    def __init__(
        self, path: Path, *, raw: bool, analysis: bool = False, overwrite: bool = True
    ) -> None:
        self._raw, self._has_analysis = raw, analysis
        self._file = OutputFile(path, overwrite=overwrite)

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Write the frame's line and put it on disk."""
        line = {
            "frame": frame.index,
            **({"file": frame.name} if frame.name else {}),
            "timestamp": round(frame.time_s, 6),
            "faces": [self._described(face) for face in faces],
        }
        self._file.append(_encoded(json.dumps(line) + "\n"))

    def _described(self, face: Face) -> dict[str, object]:
        estimate = chosen(face, raw=self._raw)
        described: dict[str, object] = {
            "face_id": face.track_id,
            "confidence": round(face.confidence, 4),
            "success": int(face.is_believed),
        }
        if estimate is not None:
            described["points"] = np.round(estimate.mean, 4).tolist()
            described["covariances"] = np.round(estimate.covariance, 5).tolist()
        if self._has_analysis and face.analysis is not None:
            described["analysis"] = described_analysis(face.analysis)
        return described

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _encoded(text: str) -> bytes:
    """UTF-8; names that are none stay as they are on the disk."""
    return text.encode(errors="surrogateescape")
