"""Tracks of one film, brought to one shape: the main face, the points that layouts share."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tracker.errors import FaceTrackError
from tracker.layouts import plain_layout
from tracker.run.stability import Track2D

from ..score.point_maps import PointMap, map_of
from ..tracks.track_files import ClipTrack


@dataclass(frozen=True, slots=True, eq=False)
class FilmTrack:
    """What a tracker says of the main face of a film."""

    name: str
    points: Track2D
    """Of every frame; NaN where there is none."""
    eye_px: float
    """Median distance of the outer eye corners, or what comes near it."""


def film_track(
    name: str, track: ClipTrack, frames: int, points: PointMap | None = None
) -> FilmTrack:
    """The face that is tracked longest, those of its points that are compared.

    Raises:
        FaceTrackError: If it tracks no face, or has more frames than the film.
    """
    if not len(track.frames):
        raise FaceTrackError(f"{name}: tracks no face in this film")
    if track.frames.max() >= frames:
        raise FaceTrackError(
            f"{name}: has frame {track.frames.max()}, and the film has {frames}: count from 0"
        )
    points = points or map_of(track.points.shape[1], name)
    ids, counts = np.unique(track.ids, return_counts=True)
    rows = track.ids == ids[counts.argmax()]
    whole = np.full((frames, len(points.used), 2), np.nan)
    whole[track.frames[rows]] = track.points[rows][:, list(points.used)]
    return FilmTrack(name, whole, _eye_px(whole, points))


def _eye_px(track: Track2D, points: PointMap) -> float:
    corners: list[Float[np.ndarray, "frames xy=2"]] = []
    for corner in (36, 45):
        alone = np.flatnonzero(points.weights[:, corner] == 1)
        corners += [track[:, alone[0]]] if len(alone) else []
    if len(corners) == 2:
        return float(np.nanmedian(np.linalg.norm(corners[1] - corners[0], axis=-1)))
    return float(np.nanmedian(plain_layout(track.shape[1]).length(track)))
