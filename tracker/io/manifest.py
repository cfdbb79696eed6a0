"""What of several videos is begun and what is whole, so that a run can go on where one ended."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import SinkError
from .outputs import Outputs
from .provenance import Provenance, sha256_of
from .read_losses import Losses

_NAME = "manifest.jsonl"


class Manifest:
    """A line for each video that is begun, and for each that is whole; only ever added to.

    Args:
        folder: Of the outputs.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / _NAME
        self._begun: set[str] = set()
        self._settings: dict[str, str] = {}
        self._whole: dict[str, dict[str, Any]] = {}
        self._is_torn = False
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        content = self.path.read_text(encoding="utf-8", errors="surrogateescape")
        self._is_torn = not content.endswith("\n") and bool(content)
        for line in content.splitlines():
            try:
                record = json.loads(line)
                video, outputs = record["video"], record["outputs"]
                self._settings[video] = record["settings"]
            except (ValueError, KeyError, TypeError):  # a killed run's last line
                continue
            self._begun |= set(outputs)
            self._whole.pop(video, None)
            if record["is_whole"]:
                self._whole[video] = record

    def check_settings(self, videos: list[Path], made: Provenance) -> None:
        """See that nothing was begun in another way.

        Raises:
            SinkError: If a video was.
        """
        for video in videos:
            if self._settings.get(video.name, settings := _settings(made)) != settings:
                raise SinkError(
                    f"{self.path}: {video.name} was begun with other settings or weights: name "
                    "the same ones, or another folder"
                )

    def is_whole(self, video: Path, outputs: Outputs) -> bool:
        """Whether all outputs are there as they were made, of this very video."""
        record = self._whole.get(video.name)
        if record is None:
            return False
        made = record["outputs"]
        if any(made.get(self._key(path)) != _digest(path) for path in outputs.paths):
            return False
        return bool(record["source_sha256"] == sha256_of(video))

    def has_begun(self, path: Path) -> bool:
        """Whether an output is one that a run wrote, and so may be made anew."""
        return self._key(path) in self._begun

    def begin(self, video: Path, outputs: Outputs, made: Provenance) -> None:
        """Note that a video's outputs are going to be written."""
        self._add(video, made, dict.fromkeys(map(self._key, outputs.paths)), is_whole=False)

    def finish(self, video: Path, outputs: Outputs, made: Provenance, losses: Losses) -> None:
        """Note that a video's outputs are whole, and what of the video could not be read."""
        digests = {self._key(path): _digest(path) for path in outputs.paths}
        grave = str(losses) if losses.are_grave else ""
        self._add(video, made, digests, is_whole=True, grave_losses=grave)

    def grave_losses(self, video: Path) -> str:
        """Of a video that is whole, in one line; empty where there are none."""
        return str(self._whole.get(video.name, {}).get("grave_losses", ""))

    def _key(self, path: Path) -> str:
        """What an output is called: by its place seen from the manifest."""
        return os.path.relpath(path.absolute(), self.path.parent.absolute())

    def _add(
        self,
        video: Path,
        made: Provenance,
        outputs: dict[str, str | None],
        *,
        is_whole: bool,
        grave_losses: str = "",
    ) -> None:
        record = {
            "video": video.name,
            "source_sha256": made.source_sha256,
            "settings": _settings(made),
            "outputs": outputs,
            "is_whole": is_whole,
            "grave_losses": grave_losses,
        }
        line = "\n" * self._is_torn + json.dumps(record, sort_keys=True) + "\n"
        self._is_torn = False
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(line.encode(errors="surrogateescape"))
                os.fsync(file.fileno())
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written ({error.strerror})") from error


def _settings(made: Provenance) -> str:
    """The same for all that makes the same outputs of the same video."""
    known = asdict(made)
    del known["source"], known["source_sha256"]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str | None:
    """Of a file, or of all files of a folder; None where there is nothing."""
    if path.is_file():
        return sha256_of(path)
    if not path.is_dir():
        return None
    each = [f"{file.name} {sha256_of(file)}" for file in sorted(path.iterdir())]
    return hashlib.sha256("\n".join(each).encode(errors="surrogateescape")).hexdigest()
