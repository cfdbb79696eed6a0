"""What made a table: version, weights, settings and source, so that it can be made again."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import SinkError

SCHEMA = 1
"""Of the tables and of their descriptions; grows when a column changes its meaning."""
_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made a table."""

    weights: str
    """As they were named."""
    weights_sha256: str
    settings: Mapping[str, Any]
    source: str
    source_sha256: str | None
    """None for what is no file: a camera, a stream, a folder."""
    program: str = "star-tracker"
    version: str = ""
    schema: int = SCHEMA

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)


def own_version() -> str:
    """Of this program."""
    try:
        return version("star-tracker")
    except PackageNotFoundError:
        return "checkout"


def sha256_of(path: Path) -> str:
    """Of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def description_of(path: Path) -> Path:
    """Where what made a table is written that has no room for it."""
    return path.with_name(f"{path.name}.meta.json")


def write_whole(path: Path, text: str) -> None:
    """Write a small file, all or nothing.

    Raises:
        SinkError: If it cannot be written; what was there stays.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error
