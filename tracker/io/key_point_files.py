"""Landmarks as annotation tools have them: a `.pts` of 300W for each face, COCO key points."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import SinkError
from ..layouts import Layout
from ..types import Face, Frame
from .output_file import OutputFile
from .provenance import Provenance
from .spool import Spool
from .tables import chosen

_IMAGES, _ANNOTATIONS = "images.jsonl", "annotations.jsonl"
_SEEN, _HIDDEN = 2, 1
"""COCO's visibility of a key point: measured, or only predicted."""


class PtsSink:
    """A file for each face of each picture, in 300W's format, which counts pixels from 1.

    `NAME.pts` is the first face of NAME.jpg, `NAME_2.pts` the second; frames of a video are
    `frame_000000` and so on. A face that is only predicted has none.

    Args:
        folder: For the files; made where it is not there.
        raw: Landmarks as measured.
        overwrite: Files that exist may be replaced.
    """

    def __init__(self, folder: Path, *, raw: bool, overwrite: bool = True) -> None:
        self._folder, self._raw, self._overwrite = folder, raw, overwrite
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder}: cannot be made ({error.strerror})") from error

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Write a file for each face."""
        stem = self._free_stem(frame)
        measured = [face for face in faces if not face.is_predicted]
        for number, face in enumerate(measured, start=1):
            estimate = chosen(face, raw=self._raw)
            assert estimate is not None
            rows = [f"{x:.4f} {y:.4f}" for x, y in estimate.mean + 1]
            head = ["version: 1", f"n_points: {len(rows)}", "{"]
            name = f"{stem}.pts" if number == 1 else f"{stem}_{number}.pts"
            file = OutputFile(self._folder / name, overwrite=self._overwrite)
            try:
                file.append("\n".join([*head, *rows, "}", ""]).encode())
            finally:
                file.close()

    def _free_stem(self, frame: Frame) -> str:
        """Of the picture; with its suffix where another picture has the same."""
        if not frame.name:
            return f"frame_{frame.index:06d}"
        stem = Path(frame.name).stem
        stem = Path(frame.name).name if stem in self._taken else stem
        self._taken.add(stem)
        return stem

    def close(self) -> None:
        """Nothing is open."""


class CocoSink:
    """COCO key points: one JSON object, put together of JSON lines when the run ends.

    Coordinates are 0-based pixel centres, as in CSV; `track_id` and `score` are added to COCO's
    own fields.

    Args:
        path: Of the file; JSON lines are in `NAME.parts` until it is whole.
        layout: Of the landmarks.
        raw: Landmarks as measured.
        made: Goes into `info`.
        overwrite: A file that exists may be replaced.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        *,
        raw: bool,
        made: Provenance | None = None,
        overwrite: bool = True,
    ) -> None:
        self._layout, self._raw, self._made = layout, raw, made
        self._spool = Spool(path, overwrite=overwrite)
        self._images = OutputFile(self._spool.folder / _IMAGES)
        self._annotations = OutputFile(self._spool.folder / _ANNOTATIONS)
        self._count, self._is_open = 0, True

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Put the frame's lines on disk."""
        height, width = frame.image.shape[:2]
        name = frame.name or f"frame_{frame.index:06d}"
        image = {"id": frame.index, "file_name": name, "width": width, "height": height}
        self._images.append(_line(image | {"timestamp": round(frame.time_s, 6)}))
        lines = b"".join(_line(made) for made in self._annotated(frame, faces))
        if lines:
            self._annotations.append(lines)

    def _annotated(self, frame: Frame, faces: list[Face]) -> Iterator[dict[str, Any]]:
        for face in faces:
            estimate = chosen(face, raw=self._raw)
            if estimate is None:
                continue
            points, self._count = estimate.mean, self._count + 1
            low, size = points.min(0), np.ptp(points, axis=0)
            seen = np.full((len(points), 1), _HIDDEN if face.is_predicted else _SEEN)
            yield {
                "id": self._count,
                "image_id": frame.index,
                "category_id": 1,
                "keypoints": np.hstack([points.round(3), seen]).ravel().tolist(),
                "num_keypoints": len(points),
                "bbox": [*low.round(3).tolist(), *size.round(3).tolist()],
                "area": round(float(size.prod()), 3),
                "iscrowd": 0,
                "score": round(face.confidence, 4),
                "track_id": face.track_id,
            }

    def close(self) -> None:
        """Put the file together.

        Raises:
            SinkError: If that fails; then the lines stay.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._images.append(b"")
            self._annotations.append(b"")
            self._images.close()
            self._annotations.close()
            with self._spool.whole.open("w", encoding="utf-8", errors="surrogateescape") as file:
                self._join(file)
            self._spool.move_into_place()
        except OSError as error:
            raise self._spool.failure(error) from error
        finally:
            self._spool.release()

    def _join(self, file: IO[str]) -> None:
        info = json.loads(self._made.as_json()) if self._made else {}
        file.write(f'{{"info": {json.dumps(info)},\n"licenses": [],\n')
        file.write(f'"categories": [{json.dumps(self._category())}],\n')
        for key, name in (("images", _IMAGES), ("annotations", _ANNOTATIONS)):
            file.write(f'"{key}": [\n')
            with (self._spool.folder / name).open(
                encoding="utf-8", errors="surrogateescape"
            ) as lines:
                before = ""
                for line in lines:
                    file.write(before + line.rstrip("\n"))
                    before = ",\n"
            file.write("\n],\n" if key == "images" else "\n]}\n")

    def _category(self) -> dict[str, Any]:
        limbs = [
            [a + 1, b + 1]
            for outline in self._layout.outlines
            for a, b in pairwise(outline.members)
        ]
        names = [f"{self._layout.name}_{index}" for index in range(self._layout.count)]
        return {
            "id": 1, "name": "face", "supercategory": "person", "keypoints": names,
            "skeleton": limbs,
        }  # fmt: skip


def _line(content: dict[str, Any]) -> bytes:
    return (json.dumps(content) + "\n").encode(errors="surrogateescape")
