"""What lies in the folder of a kit: its clips, their truth, and how both are written and read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float
from pyarrow import parquet

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68
from train.whole_file import write_whole

from ...harness import Json

VERSION = 2
"""Of the kit's content: figures of two versions do not compare."""
DESCRIPTION, TRUTH = "kit.json", "truth.parquet"
_DIGITS = 4
"""Of coordinates: 0.0001 px, a hundredth of the least jitter that is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class KitClip:
    """A clip and what is true of it."""

    name: str
    kind: str
    person: str
    file: str
    """Path inside the kit."""
    times_s: Float[np.ndarray, " frames"]
    truth: Float[np.ndarray, "frames faces 68 xy=2"]
    """Frame pixels, 0-based centres; the first face is the one that is scored."""
    visible: Bool[np.ndarray, "frames faces 68"]

    @property
    def eye_px(self) -> float:
        """Median eye distance of the first face."""
        return float(np.nanmedian(IBUG_68.interocular(self.truth[:, 0])))


@dataclass(frozen=True, slots=True, eq=False)
class Kit:
    """A kit as it was read."""

    folder: Path
    description: Json
    clips: tuple[KitClip, ...]

    def path(self, clip: KitClip) -> Path:
        """Where the film of a clip lies."""
        return self.folder / clip.file


def write_truth_csv(path: Path, clip: KitClip) -> None:
    """A row for each frame and face: times, coordinates, and whether each point can be seen."""
    count = clip.truth.shape[2]
    names = [f"{axis}_{i}" for axis in ("x", "y", "visible") for i in range(count)]
    lines = [",".join(["frame", "face", "time", *names])]
    for frame, time_s in enumerate(clip.times_s.tolist()):
        for face, points in enumerate(clip.truth[frame]):
            values = [f"{value:.{_DIGITS}f}" for value in points.T.ravel()]
            seen = [str(int(flag)) for flag in clip.visible[frame, face]]
            lines.append(",".join([str(frame), str(face), f"{time_s:.6f}", *values, *seen]))
    write_whole(path, ("\n".join(lines) + "\n").encode())


def write_truth_parquet(path: Path, clips: Sequence[KitClip]) -> None:
    """All clips in one table, a row for each point of each face of each frame."""
    parquet.write_table(pa.concat_tables([_table(clip) for clip in clips]), path)


def _table(clip: KitClip) -> pa.Table:
    frame, face, point = (axis.ravel() for axis in np.indices(clip.truth.shape[:3]))
    return pa.table(
        {
            "clip": pa.array([clip.name] * len(frame)).dictionary_encode(),
            "frame": frame.astype(np.int32),
            "time": clip.times_s[frame],
            "face": face.astype(np.int8),
            "point": point.astype(np.int8),
            "x": np.round(clip.truth[..., 0].ravel(), _DIGITS),
            "y": np.round(clip.truth[..., 1].ravel(), _DIGITS),
            "visible": clip.visible.ravel(),
        }
    )


def read_kit(folder: Path) -> Kit:
    """Read what `kit` wrote.

    Raises:
        FaceTrackError: If it is no kit, or one of another version.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        table = parquet.read_table(folder / TRUTH)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FaceTrackError(
            f"{folder}: is no kit ({error}): `python -m benchmarks.jitter kit {folder}` writes one"
        ) from error
    if description.get("version") != VERSION:
        raise FaceTrackError(
            f"{folder}: is a kit of version {description.get('version')}, and figures are of "
            f"version {VERSION}: write it anew by `python -m benchmarks.jitter kit {folder}`"
        )
    columns = {name: table[name].to_numpy() for name in table.column_names if name != "clip"}
    names = table["clip"].combine_chunks().cast(pa.string()).to_numpy(zero_copy_only=False)
    firsts = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    ends = [*firsts[1:].tolist(), len(names)]
    parts = {
        names[a]: {name: values[a:b] for name, values in columns.items()}
        for a, b in zip(firsts.tolist(), ends, strict=True)
    }
    return Kit(folder, description, tuple(_clip(row, parts) for row in description["clips"]))


def _clip(row: Json, parts: dict[str, dict[str, np.ndarray]]) -> KitClip:
    rows = parts[row["name"]]
    shape = (rows["frame"].max() + 1, rows["face"].max() + 1, rows["point"].max() + 1)
    truth = np.stack([rows["x"], rows["y"]], -1).reshape(*shape, 2)
    times_s = rows["time"].reshape(shape)[:, 0, 0]
    visible = rows["visible"].reshape(shape)
    return KitClip(row["name"], row["kind"], row["person"], row["file"], times_s, truth, visible)
