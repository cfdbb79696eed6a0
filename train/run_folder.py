"""What a run leaves on disk.

config.json, environment.json   what was asked for, and where it ran
log.jsonl                       a row per evaluation on the held-out parts
state.pt                        everything to resume from
last.safetensors, best.safetensors, kept/*.safetensors
samples.png                     held-out faces with landmarks and spreads
report.md                       at the end
"""

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors import SafetensorError

from models.checkpoint import CheckpointInfo, save_checkpoint
from models.landmark_net import LandmarkNet
from tracker.types import Image

from .recipes import Recipe
from .training_error import TrainingError
from .training_run import Run
from .whole_file import write_whole

Row = dict[str, float]


class RunFolder:
    """The folder of one run; only the first process writes to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state, self._log = path / "state.pt", path / "log.jsonl"

    def begin(self, recipe: Recipe, data: str, images: int) -> None:
        """Write the configuration, and drop what was logged after picture `images`.

        Args:
            recipe: Of the run.
            data: What it is trained on, in words.
            images: Pictures seen so far.

        Raises:
            TrainingError: If the folder cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{self.path}: no folder to write to ({error.strerror})") from error
        config = {"command": sys.argv, "data": data, "recipe": asdict(recipe)}
        write_whole(self.path / "config.json", _json(config))
        write_whole(self.path / "environment.json", _json(environment()))
        rows = [row for row in self.rows() if row["images"] <= images]
        write_whole(self._log, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def rows(self) -> list[Row]:
        """The log so far; a line that a kill cut off is left out."""
        if not self._log.exists():
            return []
        rows = []
        for line in self._log.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return rows

    def log(self, row: Row) -> None:
        """Append a row.

        Raises:
            TrainingError: If the disk is full.
        """
        try:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise TrainingError(f"{self._log}: cannot be written ({error.strerror})") from error

    def save_weights(self, name: str, network: LandmarkNet, info: CheckpointInfo) -> None:
        """Write one weight file below the folder.

        Args:
            name: Of the file, without suffix.
            network: Whose weights are written.
            info: Its description.

        Raises:
            TrainingError: If it cannot be written; the one before is kept.
        """
        path = self.path / f"{name}.safetensors"
        try:
            path.parent.mkdir(exist_ok=True)
            save_checkpoint(path, network.state_dict(), info)
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"{path}: cannot be written ({error})") from error

    def save_state(self, run: Run) -> None:
        """Write everything to resume from; called last, so that a state is never ahead of its log.

        Raises:
            TrainingError: If it cannot be written; the state before is kept.
        """
        run.save(self.state)

    def save_picture(self, picture: Image) -> None:
        """Write the sample sheet."""
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        write_whole(self.path / "samples.png", png.tobytes())

    def report(self, recipe: Recipe, described: str, selected_on: str, bad: set[str]) -> None:
        """Write the last page of the run."""
        write_whole(
            self.path / "report.md",
            _report(self.rows(), recipe, described, selected_on, bad).encode(),
        )


def environment() -> dict[str, Any]:
    """Where and with what a run runs."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "gpus": gpus,
    }


def _report(
    rows: list[Row], recipe: Recipe, described: str, selected_on: str, bad: set[str]
) -> str:
    best = min(rows, key=lambda row: row["nme_percent"])
    last = rows[-1]
    columns = [name for name in last if name != "images_per_s"]
    shown = rows[:: max(len(rows) // 20, 1)]
    if shown[-1] is not last:
        shown.append(last)
    lines = [
        "# Training report",
        "",
        f"Trained on: {described}.",
        f"Best state: NME {best['nme_percent']:.3f} % after {best['images']:.0f} pictures, "
        f"selected on {selected_on}.",
        f"Network: {recipe.stacks} stacks of width {recipe.width}, input {recipe.input_px} px; "
        f"{last['images']:.0f} of {recipe.images} pictures, batch {recipe.batch}.",
        f"Unreadable pictures: {len(bad)}.",
        *(f"- {name}" for name in sorted(bad)),
        "",
        "| " + " | ".join(columns) + " |",
        "|" + "--:|" * len(columns),
    ]
    for row in shown:
        lines.append(
            "| " + " | ".join(f"{row.get(name, float('nan')):g}" for name in columns) + " |"
        )
    return "\n".join(lines) + "\n"


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def commit() -> str:
    """The commit of this code, marked where the code differs from it."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
