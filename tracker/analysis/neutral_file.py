"""A person's neutral face in a file, so that it need not be calibrated in every run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import FaceTrackError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class KeptNeutral:
    """What is subtracted from what a person's face does."""

    levels: Mapping[str, float]
    """Of the linear face's coefficients, by name; what is not named is 0."""
    open_gap: float | None
    """How far the eyes are open at rest, as the network of the eyes sees it: 1 is wide open; None
    where it was not used."""


def read_neutral(path: Path) -> KeptNeutral:
    """Read what `write_neutral` wrote.

    Raises:
        FaceTrackError: If it is none.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != _VERSION:
            raise ValueError(f"version {kept['version']}")
        levels = {str(name): float(level) for name, level in kept["levels"].items()}
        open_gap = None if kept["open_gap"] is None else float(kept["open_gap"])
        if not all(0 <= level <= 2 for level in (*levels.values(), open_gap or 0.0)):
            raise ValueError("a number beyond 0 to 2")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FaceTrackError(
            f"{path}: holds no neutral face ({error}): make one with --calibrate-neutral SECONDS "
            "--save-neutral FILE"
        ) from error
    return KeptNeutral(levels, open_gap)


def write_neutral(path: Path, kept: KeptNeutral) -> None:
    """Write it as JSON.

    Raises:
        FaceTrackError: If it cannot be written.
    """
    try:
        text = json.dumps({"version": _VERSION, **asdict(kept)}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise FaceTrackError(f"{path}: cannot be written ({error})") from error
