"""Which rows of a track belong to which face of the truth, and where they should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from ..kit.kit_folder import KitClip
from ..tracks.track_files import ClipTrack
from .point_maps import PointMap

_FARTHEST = 0.5
"""Eye distances between the middle of a track and the truth's."""
_SETTLED_S = 1.0
_MOST_OFF_FRAMES = 1.5
"""By which times may differ from the film's before frames are taken for misnumbered."""

Offsets = Complex[np.ndarray, " points"]


@dataclass(frozen=True, slots=True, eq=False)
class MatchedTrack:
    """A face of the truth and what a tracker said of it; NaN in frames without an answer."""

    clip: KitClip
    points: Float[np.ndarray, "frames points xy=2"]
    truth: Float[np.ndarray, "frames points xy=2"]
    """Of these points, with the offset of conventions where that is known."""
    seen: Bool[np.ndarray, "frames points"]
    ids: Int[np.ndarray, " frames"]
    """-1 where there is none."""
    map: PointMap
    covariance: Float[np.ndarray, "frames points xy=2 xy=2"] | None
    nis: Float[np.ndarray, " frames"] | None

    @property
    def found(self) -> Bool[np.ndarray, " frames"]:
        return self.ids >= 0

    @property
    def settled(self) -> Bool[np.ndarray, " frames"]:
        """After the first second; after a third of shorter clips."""
        since = self.clip.times_s - self.clip.times_s[0]
        return since >= min(_SETTLED_S, float(since[-1]) / 3)


def matched(
    clip: KitClip, track: ClipTrack | None, points: PointMap, where: str
) -> list[MatchedTrack]:
    """The tracks on each face of a clip; a row belongs to the face that it is nearest to.

    Raises:
        FaceTrackError: If the track has frames that the clip has not.
    """
    if track is None:
        track = ClipTrack(*(np.empty(0, int),) * 2, np.empty((0, max(points.used) + 1, 2)))
    _check(clip, track, where)
    used = list(points.used)
    answers = track.points[:, used]
    middles = points.truth(clip.truth)  # frames, faces, points, xy
    rows = np.full(clip.truth.shape[:2], -1)
    if len(answers):
        apart = np.nanmean(answers, 1)[:, None] - middles[track.frames].mean(2)
        eyes = IBUG_68.interocular(clip.truth)[track.frames]
        distance = np.linalg.norm(apart, axis=-1) / eyes
        for row in np.argsort(-distance.min(1)):  # nearest last: it stays
            face = int(distance[row].argmin())
            if distance[row, face] <= _FARTHEST:
                rows[track.frames[row], face] = row
    return [
        _matched(clip, track, points, rows[:, face], face) for face in range(clip.truth.shape[1])
    ]


def _check(clip: KitClip, track: ClipTrack, where: str) -> None:
    count = len(clip.times_s)
    if len(track.frames) and track.frames.max() >= count:
        raise FaceTrackError(
            f"{where}: frame {track.frames.max()} of clip {clip.name}, which has {count}: count "
            "frames from 0, as they are decoded"
        )
    if track.times_s is not None and np.isfinite(track.times_s).any():
        off = track.times_s - clip.times_s[track.frames]
        step = float(np.median(np.diff(clip.times_s)))
        if np.nanmedian(np.abs(off)) > _MOST_OFF_FRAMES * step:
            raise FaceTrackError(
                f"{where}: times and frames of clip {clip.name} do not belong together "
                f"({np.nanmedian(off):+.3f} s): take the film's time stamps, or leave time out"
            )


def _matched(
    clip: KitClip, track: ClipTrack, points: PointMap, rows: Int[np.ndarray, " frames"], face: int
) -> MatchedTrack:
    there, used = rows >= 0, list(points.used)
    seen = np.all((points.weights > 0) <= clip.visible[:, face, None], axis=-1)

    def picked(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        out = np.full((len(rows), *values.shape[1:]), np.nan)
        out[there] = values[rows[there]]
        return out

    answers = picked(track.points[:, used])
    covariance = None if track.covariance is None else picked(track.covariance[:, used])
    assert answers is not None
    ids = np.full(len(rows), -1)
    ids[there] = track.ids[rows[there]]
    return MatchedTrack(
        clip, answers, points.truth(clip.truth[:, face]), seen, ids, points,
        covariance, picked(track.nis),
    )  # fmt: skip


def eye_vector(clip: KitClip, face: int = 0) -> Complex[np.ndarray, " frames"]:
    """From the outer corner of the right eye to that of the left, as x + iy."""
    right, left = (clip.truth[:, face, corner] for corner in IBUG_68.eye_corners)
    return (left - right)[..., 0] + 1j * (left - right)[..., 1]


def offsets_of(track: MatchedTrack) -> Offsets:
    """Mean offset of each point after the first second, in units of the eye vector."""
    frames = track.settled & track.found
    off = track.points[frames] - track.truth[frames]
    turned = (off[..., 0] + 1j * off[..., 1]) / eye_vector(track.clip)[frames, None]
    known = np.isfinite(turned)
    count = np.maximum(known.sum(0), 1)
    return np.asarray(np.where(known, turned, 0).sum(0) / count)


def shifted_truth(track: MatchedTrack, offsets: Offsets, face: int = 0) -> np.ndarray:
    """The truth with an offset that turns and grows with the face."""
    moved = offsets * eye_vector(track.clip, face)[:, None]
    return np.asarray(track.truth + np.stack([moved.real, moved.imag], -1))


def person_offsets(tracks: Sequence[MatchedTrack]) -> dict[str, Offsets]:
    """By person, from the clips `still` in which at least half of the frames have a track."""
    return {
        track.clip.person: offsets_of(track)
        for track in tracks
        if track.clip.kind == "still" and track.found.mean() >= 0.5
    }
