"""A video with every tracker's points beside each other, cut around the face."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker.io.video_writer import Encoding, VideoSink
from tracker.types import Frame, Image

from .film_tracks import FilmTrack

_TILE_PX = 480
_SHIFT = 4
"""Fractional bits of drawn circles: jitter is a part of a pixel."""


def write_side_by_side(
    path: Path, frames: Iterator[Frame], tracks: Sequence[FilmTrack], rate: float
) -> None:
    """Write the video; the cut-out stands still, so that what moves is face and points.

    Raises:
        SinkError: If it cannot be written.
    """
    everything = np.concatenate([t.points[np.isfinite(t.points).all((1, 2))] for t in tracks])
    low, high = everything.min((0, 1)), everything.max((0, 1))
    middle, side = (low + high) / 2, 1.3 * float((high - low).max())
    scale = _TILE_PX / side
    matrix = np.array([[scale, 0, _TILE_PX / 2 - scale * middle[0]],
                       [0, scale, _TILE_PX / 2 - scale * middle[1]]])  # fmt: skip

    def painted(frame: Frame, _: object) -> Image:
        view = cv2.warpAffine(frame.image, matrix, (_TILE_PX, _TILE_PX), flags=cv2.INTER_LINEAR)
        return np.hstack([_tile(view.copy(), track, frame.index, matrix) for track in tracks])

    size = (_TILE_PX * len(tracks), _TILE_PX)
    sink = VideoSink(path, rate, painted, size, encoding=Encoding(quality=18))
    try:
        for frame in frames:
            sink.write(frame, [])
    finally:
        sink.close()


def _tile(view: Image, track: FilmTrack, index: int, matrix: np.ndarray) -> Image:
    if index < len(track.points):
        for point in track.points[index] @ matrix[:, :2].T + matrix[:, 2]:
            if np.isfinite(point).all():
                x, y = (round(float(value) * 2**_SHIFT) for value in point)
                cv2.circle(view, (x, y), 2 << _SHIFT, (60, 255, 60), -1, cv2.LINE_AA, _SHIFT)
    cv2.putText(
        view, track.name, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 4, cv2.LINE_AA
    )
    cv2.putText(
        view, track.name, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA
    )
    return view
