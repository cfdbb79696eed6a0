"""What an archive's folder holds: a partitioned Parquet data set, and a manifest of what is whole.

`data/video=ID/rows.parquet` for each video, `manifest.jsonl` with a line for each whole one, and
`pieces/ID/` while one is tracked. Only the process that places videos writes the manifest.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import SinkError

DATA, PIECES, ROWS = "data", "pieces", "rows.parquet"
_MANIFEST = "manifest.jsonl"


def id_of(video: Path) -> str:
    """A name for a folder, the same for the same path and no other."""
    stem = re.sub(r"[^\w.-]", "_", video.stem, flags=re.ASCII)[:60]
    return f"{stem}-{hashlib.sha256(os.fsencode(video.absolute())).hexdigest()[:12]}"


class ArchiveStore:
    """The folder of an archive.

    Args:
        folder: Made where it is not there.
        settings: Digest of all that makes the same rows of the same video.

    Raises:
        SinkError: If it cannot be made, or was begun with other settings.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder, self._settings = folder, settings
        self._path = folder / _MANIFEST
        self._whole: dict[str, dict[str, Any]] = {}
        self._is_torn = False
        try:
            (folder / DATA).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{folder}: cannot be made ({error.strerror})") from error
        if self._path.exists():
            self._read()

    def _read(self) -> None:
        content = self._path.read_text(encoding="utf-8", errors="replace")
        self._is_torn = bool(content) and not content.endswith("\n")
        for line in content.splitlines():
            try:
                record = json.loads(line)
                name, settings = record["id"], record["settings"]
            except (ValueError, KeyError, TypeError):  # a killed run's last line
                continue
            if settings != self._settings:
                raise SinkError(
                    f"{self._path}: was begun with other settings or weights: name the same ones, "
                    "or another folder"
                )
            self._whole[name] = record

    def rows_of(self, video: Path) -> Path:
        """Where the rows of a video lie once they are whole."""
        return self.folder / DATA / f"video={id_of(video)}" / ROWS

    def is_whole(self, video: Path) -> bool:
        """Whether all rows of a video are there."""
        record, rows = self._whole.get(id_of(video)), self.rows_of(video)
        return bool(record and rows.is_file() and rows.stat().st_size == record["bytes"])

    def finish(self, video: Path, figures: Mapping[str, Any]) -> None:
        """Note that the rows of a video are whole; each is noted once.

        Raises:
            SinkError: If it cannot be written.
        """
        rows = self.rows_of(video)
        record = {
            "id": id_of(video),
            "video": os.fsencode(video).decode("utf-8", "replace"),
            "file": rows.relative_to(self.folder).as_posix(),
            "bytes": rows.stat().st_size,
            "settings": self._settings,
            **figures,
        }
        self._whole[record["id"]] = record
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(
                    b"\n" * self._is_torn + json.dumps(record, sort_keys=True).encode() + b"\n"
                )
                os.fsync(file.fileno())
            self._is_torn = False
        except OSError as error:
            raise SinkError(f"{self._path}: cannot be written ({error.strerror})") from error
