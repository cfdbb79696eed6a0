"""Tracks from files: the documented minimal form, OpenFace's columns, or our own CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int
from pyarrow import csv as arrow_csv

from tracker.errors import FaceTrackError
from train.whole_file import write_whole

_MINIMAL = ("clip", "frame", "point", "x", "y")
_COVARIANCE = ("cov_xx", "cov_xy", "cov_yy")

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class ClipTrack:
    """All that a tracker found in one clip: a row for each face of each frame."""

    frames: Int[np.ndarray, " rows"]
    ids: Int[np.ndarray, " rows"]
    points: Float[np.ndarray, "rows points xy=2"]
    times_s: Float[np.ndarray, " rows"] | None = None
    """As the tracker says; None: it does not."""
    covariance: Float[np.ndarray, "rows points xy=2 xy=2"] | None = None
    nis: Float[np.ndarray, " rows"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TrackSet:
    """A tracker's answers to a kit."""

    name: str
    clips: dict[str, ClipTrack]

    @property
    def count(self) -> int:
        """Points of its layout."""
        return max((track.points.shape[1] for track in self.clips.values()), default=0)


def read_tracks(argument: str, clips: Sequence[str]) -> TrackSet:
    """Read `NAME=PATH` or `PATH`: a file of many clips, or a folder with a CSV of each.

    Args:
        argument: As on the command line.
        clips: Names that the kit has.

    Raises:
        FaceTrackError: If it is not of that form.
    """
    name, _, text = argument.rpartition("=")
    path = Path(text)
    if path.is_dir():
        found = {clip: path / f"{clip}.csv" for clip in clips}
        tracks = {clip: _wide(file, _read(file)) for clip, file in found.items() if file.exists()}
        if not tracks:
            raise FaceTrackError(f"{path}: has no CSV of a clip of the kit: name them CLIP.csv")
    else:
        tracks = _minimal(path, _read(path))
        if unknown := sorted(set(tracks) - set(clips)):
            raise FaceTrackError(
                f"{path}: clip {unknown[0]} is not in this kit: use the names of kit.json"
            )
    return TrackSet(name or path.stem, tracks)


def read_film_track(path: Path, film: str) -> ClipTrack:
    """Read the track of one film: OpenFace's columns, ours, or the minimal form.

    Args:
        path: Of the table.
        film: Name of the clip in the minimal form; another name is taken where it is the only one.

    Raises:
        FaceTrackError: If it is not of that form.
    """
    columns = _read(path)
    if "clip" not in columns and "point" not in columns:
        return _wide(path, columns)
    if "clip" not in columns:
        columns["clip"] = np.full(len(columns["point"]), film)
    tracks = _minimal(path, columns)
    if film not in tracks and len(tracks) != 1:
        raise FaceTrackError(f"{path}: has no clip {film}: name it so in column clip")
    return tracks.get(film) or next(iter(tracks.values()))


def _read(path: Path) -> Columns:
    """Columns by name; OpenFace puts blanks after commas."""
    try:
        table = arrow_csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        first = str(error).splitlines()[0]
        raise FaceTrackError(f"{path}: is no table of tracks ({first})") from error
    return {
        name.strip(): column.to_numpy()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _numbers(path: Path, columns: Columns, name: str) -> Float[np.ndarray, " rows"]:
    try:
        return columns[name].astype(float)
    except (ValueError, TypeError) as error:
        raise FaceTrackError(f"{path}: column {name} has what is no number ({error})") from error


def _whole(path: Path, columns: Columns, name: str) -> Int[np.ndarray, " rows"]:
    values = _numbers(path, columns, name)
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise FaceTrackError(f"{path}: column {name} must hold whole numbers in every row")
    return values.astype(np.int64)


def _minimal(path: Path, columns: Columns) -> dict[str, ClipTrack]:
    if missing := [name for name in _MINIMAL if name not in columns]:
        hint = " (one clip in OpenFace's columns goes into a folder, as CLIP.csv)"
        raise FaceTrackError(
            f"{path}: has no column {', '.join(missing)}{hint * ('x_0' in columns)}: tracks need "
            f"{', '.join(_MINIMAL)}"
        )
    names = columns["clip"].astype(str)
    of_rows = {name: _numbers(path, columns, name) for name in columns if name in _OPTIONAL}
    of_rows |= {name: _numbers(path, columns, name) for name in ("x", "y")}
    keys = {name: _whole(path, columns, name) for name in ("frame", "point")}
    keys["face"] = (
        _whole(path, columns, "face") if "face" in columns else np.zeros_like(keys["frame"])
    )
    if keys["point"].min(initial=0) < 0 or keys["frame"].min(initial=0) < 0:
        raise FaceTrackError(f"{path}: frames and points are counted from 0, and one is negative")
    count = int(keys["point"].max(initial=-1)) + 1
    tracks = {}
    for clip in dict.fromkeys(names.tolist()):
        rows = names == clip
        part = {name: values[rows] for name, values in (keys | of_rows).items()}
        tracks[clip] = _gathered(path, part, count)
    return tracks


_OPTIONAL = ("time", "cov", *_COVARIANCE, "nis")


def _gathered(path: Path, rows: Columns, count: int) -> ClipTrack:
    """A row for each point becomes a row for each face of each frame."""
    faces, where = np.unique(
        np.stack([rows["frame"], rows["face"]], -1), axis=0, return_inverse=True
    )
    at, where = (where.ravel(), rows["point"]), where.ravel()
    if len(np.unique(where * count + rows["point"])) < len(where):
        raise FaceTrackError(
            f"{path}: a point stands twice in one frame of one face: give faces ids in column face"
        )
    points = np.full((len(faces), count, 2), np.nan)
    points[at] = np.stack([rows["x"], rows["y"]], -1)

    def of_face(name: str) -> np.ndarray | None:
        if name not in rows:
            return None
        values = np.full(len(faces), np.nan)
        values[where] = rows[name]
        return values

    covariance = None
    if entries := _entries(rows):
        covariance = np.full((len(faces), count, 2, 2), np.nan)
        xx, xy, yy = entries
        covariance[at] = np.stack([xx, xy, xy, yy], -1).reshape(-1, 2, 2)
    return ClipTrack(faces[:, 0], faces[:, 1], points, of_face("time"), covariance, of_face("nis"))


def _entries(rows: Columns) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    if all(name in rows for name in _COVARIANCE):
        return rows["cov_xx"], rows["cov_xy"], rows["cov_yy"]
    return (rows["cov"], np.zeros_like(rows["cov"]), rows["cov"]) if "cov" in rows else None


def _wide(path: Path, columns: Columns) -> ClipTrack:
    """OpenFace's columns, and ours: all x, then all y, then covariances."""
    count = sum(f"x_{i}" in columns and f"y_{i}" in columns for i in range(len(columns)))
    if "frame" not in columns or not count:
        raise FaceTrackError(f"{path}: has no columns frame, x_0, y_0 …: is it a table of tracks?")
    frames = _whole(path, columns, "frame")
    frames = frames - (frames.min(initial=0 if not len(frames) else 1) == 1)  # OpenFace's first: 1
    x, y = (
        np.stack([_numbers(path, columns, f"{axis}_{i}") for i in range(count)], -1)
        for axis in ("x", "y")
    )
    points = np.stack([x, y], -1)
    good = np.isfinite(points).any((1, 2))
    if "success" in columns:
        good &= _numbers(path, columns, "success") > 0
    ids = _whole(path, columns, "face_id") if "face_id" in columns else np.zeros_like(frames)
    times = next((name for name in ("timestamp", "time") if name in columns), None)
    covariance = None
    if "cov_xx_0" in columns:
        xx, xy, yy = (
            np.stack([_numbers(path, columns, f"{name}_{i}") for i in range(count)], -1)
            for name in _COVARIANCE
        )
        covariance = np.stack([xx, xy, xy, yy], -1).reshape(*xx.shape, 2, 2)[good]
    return ClipTrack(
        frames[good],
        ids[good],
        points[good],
        None if times is None else _numbers(path, columns, times)[good],
        covariance,
        _numbers(path, columns, "nis")[good] if "nis" in columns else None,
    )


def write_tracks(folder: Path, tracks: TrackSet) -> None:
    """Write a CSV for each clip, which `read_tracks` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip, track in tracks.clips.items():
        count = track.points.shape[1]
        names = ["frame", "face_id", *(f"{axis}_{i}" for axis in "xy" for i in range(count))]
        parts = [track.points[..., 0], track.points[..., 1]]
        if track.covariance is not None:
            for name, (row, column) in zip(_COVARIANCE, ((0, 0), (0, 1), (1, 1)), strict=True):
                names += [f"{name}_{i}" for i in range(count)]
                parts.append(track.covariance[..., row, column])
        if track.nis is not None:
            names.append("nis")
            parts.append(track.nis[:, None])
        values = np.concatenate(parts, 1)
        lines = [",".join(names)]
        for frame, face, row in zip(track.frames, track.ids, values, strict=True):
            lines.append(",".join([str(frame), str(face), *(f"{value:.5f}" for value in row)]))
        write_whole(folder / f"{clip}.csv", ("\n".join(lines) + "\n").encode())
