"""The folder `NAME.parts`, where a format that needs an end keeps its rows until it has one.

A run that is killed leaves the folder, and all its rows in it; a run that ends puts the file
together, moves it to its place in one step and removes the folder.
"""

import os
import shutil
from pathlib import Path

from ..errors import SinkError
from .output_file import OutputFile


class Spool:
    """Rows on their way into a file.

    Args:
        path: Of the file.
        overwrite: What is there may be replaced.

    Raises:
        SinkError: If it may not, cannot be written, or is another run's.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path, self.folder = path, path.with_name(f"{path.name}.parts")
        for there in (path, self.folder):
            if there.exists() and not overwrite:
                raise SinkError(f"{there}: exists already: add --overwrite or name another file")
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SinkError(f"{self.folder}: cannot be made ({error.strerror})") from error
        self._lock = OutputFile(self.folder / "lock")
        self._lock.append(b"")
        for old in self.folder.iterdir():
            if old.name != "lock":
                old.unlink()

    @property
    def whole(self) -> Path:
        """Where the file is put together."""
        return self.folder / "whole"

    def move_into_place(self) -> None:
        """Make what was put together the file, and remove the parts.

        Raises:
            SinkError: If it cannot be moved; the parts stay.
        """
        try:
            with self.whole.open("rb") as file:
                os.fsync(file.fileno())
            self.whole.replace(self.path)
        except OSError as error:
            raise self.failure(error) from error
        self.release()
        shutil.rmtree(self.folder)

    def failure(self, error: OSError) -> SinkError:
        """What to say when the file cannot be put together."""
        reason = error.strerror or error
        return SinkError(
            f"{self.path}: cannot be written ({reason}): rows so far are in {self.folder}"
        )

    def release(self) -> None:
        """Let others use the folder."""
        self._lock.close()
