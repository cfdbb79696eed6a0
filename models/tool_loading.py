"""Opens the ONNX files of the small networks beside the landmarks' one: faces, eyes.

Each says in its metadata what kind it is; the file's own SHA-256 is checked before anything parses
it, and what no network of ours holds is refused.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .description import METADATA_KEY, CheckpointError
from .onnx_session import UNUSABLE, OwnSession, first_line, open_session

_MOST_BYTES = 16_000_000
Tool = TypeVar("Tool")


def open_tool(
    path: Path,
    kind: str,
    make: Callable[[OwnSession, dict[str, Any]], Tool],
    threads: int = 0,
) -> Tool:
    """Make something of a file that is whole and of its kind.

    Args:
        path: An `.onnx` file.
        kind: What its description must say it is.
        make: Takes the session and the description; raises ValueError where they do not fit.
        threads: Of one run; 0 takes one per core, up to four.

    Raises:
        CheckpointError: If the file is missing, damaged or of another kind.
    """
    session = open_session(path, threads, _MOST_BYTES)
    try:
        return make(session, _described(session, kind))
    except UNUSABLE as error:
        raise CheckpointError(f"{path}: not a {kind} of ours ({first_line(error)})") from error


def _described(session: OwnSession, kind: str) -> dict[str, Any]:
    """What the file says about itself."""
    try:
        described = json.loads(session.built.get_modelmeta().custom_metadata_map[METADATA_KEY])
        found = described["kind"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("it does not say what it is") from error
    if found != kind:
        raise ValueError("it is something else")
    assert isinstance(described, dict)
    return described
