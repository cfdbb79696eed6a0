"""A plugged-in tracker, or any program, over all clips of a kit."""

import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from rich.progress import track

from tracker.errors import FaceTrackError
from tracker.types import Frame

from ..kit.kit_folder import Kit
from ..tracks.track_files import ClipTrack, TrackSet, read_tracks
from .plugin_loading import PluggedFace, PluggedTracker


def film_frames(path: Path) -> Iterator[Frame]:
    """The frames of a film as they are decoded, at the film's own times.

    Raises:
        FaceTrackError: If it cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                yield Frame(index, float(frame.time), frame.to_ndarray(format="rgb24"))
    except (OSError, av.FFmpegError) as error:
        raise FaceTrackError(f"{path}: cannot be decoded ({error})") from error


def run_tracker(
    kit: Kit, name: str, make: Callable[[], PluggedTracker], *, shown: bool = True
) -> TrackSet:
    """A tracker, made anew for each clip, over the whole kit.

    Args:
        kit: With the films.
        name: Of the tracker.
        make: Makes it.
        shown: Show the progress on the terminal.

    Raises:
        FaceTrackError: If it answers something else than faces.
    """
    clips = {}
    for clip in track(kit.clips, name, disable=not shown):
        clips[clip.name] = recorded(make(), film_frames(kit.path(clip)), name)
    return TrackSet(name, clips)


def recorded(tracker: PluggedTracker, frames: Iterator[Frame], name: str) -> ClipTrack:
    """A tracker's answers to a film.

    Raises:
        FaceTrackError: If it answers something else than faces.
    """
    rows: list[tuple[int, float, PluggedFace]] = []
    for frame in frames:
        rows += [(frame.index, frame.time_s, face) for face in tracker(frame.image, frame.time_s)]
    points = [np.asarray(face.points, float) for *_, face in rows]
    if len({one.shape for one in points}) > 1 or any(one.ndim != 2 for one in points):
        raise FaceTrackError(f"tracker {name}: answers must be of one shape, (points, 2)")
    known = [face.covariance for *_, face in rows if face.covariance is not None]
    return ClipTrack(
        np.array([index for index, *_ in rows], int),
        np.array([face.track_id for *_, face in rows], int),
        np.stack(points) if points else np.empty((0, 1, 2)),
        np.array([time_s for _, time_s, _ in rows]),
        np.stack(known) if known and len(known) == len(rows) else None,
    )


def run_program(kit: Kit, name: str, command: str) -> TrackSet:
    """A program over the whole kit; in its command {clip} and {csv} stand for paths.

    Raises:
        FaceTrackError: If it cannot be run, fails, or writes no tracks.
    """
    if "{clip}" not in command or "{csv}" not in command:
        raise FaceTrackError(f"--command {command}: must have {{clip}} and {{csv}} in it")
    with TemporaryDirectory() as folder:
        for clip in track(kit.clips, name):
            places = {"{clip}": str(kit.path(clip)), "{csv}": f"{folder}/{clip.name}.csv"}
            words = [_filled(word, places) for word in shlex.split(command)]
            try:
                subprocess.run(words, check=True, capture_output=True, text=True)
            except OSError as error:
                raise FaceTrackError(f"{words[0]}: cannot be run ({error.strerror})") from error
            except subprocess.CalledProcessError as error:
                said = (error.stderr.strip().splitlines() or ["nothing"])[-1]
                raise FaceTrackError(
                    f"{words[0]}: failed on {clip.file} with status {error.returncode} ({said})"
                ) from error
        return _joined(name, Path(folder), kit)


def _filled(word: str, places: dict[str, str]) -> str:
    for mark, path in places.items():
        word = word.replace(mark, path)
    return word


def _joined(name: str, folder: Path, kit: Kit) -> TrackSet:
    """Each CSV may be of the minimal form or in OpenFace's columns."""
    names = [clip.name for clip in kit.clips]
    clips: dict[str, ClipTrack] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8") as lines:
            head = [column.strip() for column in lines.readline().split(",")]
        source = str(path) if "point" in head else str(folder)
        clips |= {
            clip: of_clip
            for clip, of_clip in read_tracks(f"{name}={source}", names).clips.items()
            if clip == path.stem
        }
    if not clips:
        raise FaceTrackError(f"--command {name}: wrote no tracks: it must write {{csv}}")
    return TrackSet(name, clips)
