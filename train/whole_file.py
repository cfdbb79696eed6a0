"""Files that are whole, whenever the machine is cut off."""

import os
from pathlib import Path

from .training_error import TrainingError


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that it is either the old or the new one.

    Raises:
        TrainingError: If it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        kept = "the one before is kept" if path.exists() else "nothing was there before"
        raise TrainingError(f"{path}: cannot be written ({error.strerror}); {kept}") from error
