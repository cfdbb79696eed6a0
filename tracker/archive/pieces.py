"""Cuts a long video at key frames into pieces that overlap, without encoding anything anew.

A piece is a file of its own with the packets of its part, so what reads the whole reads it.
It begins so long before its seam that identities and filters are settled where it takes over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float

from ..errors import SourceError
from ..io.reading import Reading
from ..io.sources import Source, opened
from ..io.video_opening import opening_of
from ..io.video_reader import picture_stream
from ..types import Frame

_MP4_CODECS = {"h264", "hevc", "mpeg4", "av1", "vp9"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a video; times are seconds since its first frame."""

    number: int
    begin_s: float
    """Of a key frame."""
    seam_s: float
    """From here on the piece's rows count; until here those of the piece before."""
    end_s: float
    """Up to here, and without it; infinite for the last."""


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """When the frames of a video are shown, and how it is cut."""

    times_s: Float[np.ndarray, " frames"]
    """Since the first, rising."""
    pieces: tuple[Piece, ...]


def plan_video(path: Path, piece_s: float, overlap_s: float, reading: Reading) -> VideoPlan:
    """Cut a video at its key frames; nothing is decoded.

    Args:
        path: Of the video.
        piece_s: A piece is about so long; a video that is little longer stays whole.
        overlap_s: A piece begins at least so long before its seam.
        reading: Says which of its streams.

    Raises:
        SourceError: If it is no video.
    """
    stamps, keys = [], []
    try:
        with opening_of(path, reading)() as film:
            pictures = picture_stream(film, str(path), reading)
            if not pictures.width:
                raise SourceError(
                    f"{path}: no picture can be decoded: if they have more than "
                    f"{reading.max_megapixels:g} megapixels, raise --max-megapixels"
                )
            base = pictures.time_base or Fraction(1)
            for packet in film.demux(pictures):
                if packet.pts is not None and packet.size:
                    stamps.append(packet.pts)
                    keys += [packet.pts] if packet.is_keyframe else []
    except av.FFmpegError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    if not stamps:
        raise SourceError(f"{path}: holds no frames with times: it cannot be cut")
    first = min(stamps)
    times_s = np.unique(np.array(stamps, np.int64) - first) * float(base)
    key_s = np.unique(np.array(keys or [first], np.int64) - first) * float(base)
    return VideoPlan(times_s, tuple(_pieces(key_s, times_s, piece_s, overlap_s)))


def _pieces(
    key_s: Float[np.ndarray, " keys"],
    times_s: Float[np.ndarray, " frames"],
    piece_s: float,
    overlap_s: float,
) -> Iterator[Piece]:
    length_s = float(times_s[-1])
    count = max(int(length_s / piece_s + 0.5), 1)
    begin_s = seam_s = 0.0
    number = 0
    for nominal_s in np.arange(1, count) * (length_s / count):
        before = key_s[key_s <= nominal_s - overlap_s]
        if not len(before) or before[-1] <= begin_s:
            continue  # key frames are too far apart
        after = int(np.searchsorted(times_s, nominal_s))
        between_s = float(times_s[after - 1] + times_s[after]) / 2  # no frame is at a seam
        yield Piece(number, begin_s, seam_s, between_s)
        begin_s, seam_s, number = float(before[-1]), between_s, number + 1
    yield Piece(number, begin_s, seam_s, float("inf"))


def cut_piece(path: Path, piece: Piece, folder: Path, reading: Reading) -> Path:
    """Copy the packets of a piece into a file of their own.

    Args:
        path: Of the whole video.
        piece: Of its plan.
        folder: For the file.
        reading: Says which of its streams.

    Raises:
        SourceError: If that fails.
    """
    try:
        with opening_of(path, reading)() as film:
            pictures = picture_stream(film, str(path), reading)
            suffix = ".mp4" if pictures.codec_context.name in _MP4_CODECS else ".mkv"
            cut = folder / f"piece{piece.number}{suffix}"
            with av.open(str(cut), "w") as output:
                _copy(film, pictures, output, piece)
    except (av.FFmpegError, ValueError) as error:
        raise SourceError(f"{path}: cannot be cut at {piece.begin_s:.1f} s ({error})") from error
    return cut


def _copy(
    film: "av.container.InputContainer",
    pictures: "av.VideoStream",
    output: "av.container.OutputContainer",
    piece: Piece,
) -> None:
    copied = output.add_stream_from_template(pictures)
    base = pictures.time_base or Fraction(1)
    first = _first_stamp(film, pictures)
    begin = first + round(piece.begin_s / base)
    film.seek(begin, stream=pictures, backward=True)
    shift: int | None = None
    for packet in film.demux(pictures):
        if packet.pts is None or packet.dts is None or not packet.size:
            continue
        if shift is None and not (packet.is_keyframe and packet.pts >= begin):
            continue
        if (packet.dts - first) * base > piece.end_s:
            return
        shift = packet.dts if shift is None else shift
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = copied
        output.mux(packet)


def _first_stamp(film: "av.container.InputContainer", pictures: "av.VideoStream") -> int:
    """Of the frame that is shown first, in ticks."""
    stamps = []
    for packet in film.demux(pictures):
        if packet.pts is not None and packet.size:
            stamps.append(packet.pts)
        if len(stamps) > 32:  # beyond what frames are moved when they are encoded
            break
    return min(stamps)


class PieceSource:
    """The frames of a piece, with the numbers and times that they have in the whole video.

    Args:
        cut: As `cut_piece` made it.
        whole: The video.
        plan: Of the whole video.
        piece: Which.
        reading: Of the whole video.

    Raises:
        SourceError: If it cannot be read.
    """

    is_live = holds_stills = False

    def __init__(
        self, cut: Path, whole: Path, plan: VideoPlan, piece: Piece, reading: Reading
    ) -> None:
        self._plan, self._piece = plan, piece
        with opened(whole, reading) as source:
            self._first_s = next(iter(source)).time_s
        self._cut: Source = opened(cut, replace(reading, stream=None))
        self.name, self.frame_rate = whole.name, self._cut.frame_rate
        self.losses = self._cut.losses
        self.frame_count: int | None = int(np.sum(self._is_inside(plan.times_s)))

    def _is_inside(self, times_s: Float[np.ndarray, " frames"]) -> np.ndarray:
        return (times_s >= self._piece.begin_s) & (times_s < self._piece.end_s)

    def __iter__(self) -> Iterator[Frame]:
        """From the key frame on."""
        local_s: float | None = None
        known = self._plan.times_s
        for frame in self._cut:
            local_s = frame.time_s if local_s is None else local_s
            near_s = self._piece.begin_s + frame.time_s - local_s
            after = min(int(np.searchsorted(known, near_s)), len(known) - 1)
            index = after - (after > 0 and near_s - known[after - 1] < known[after] - near_s)
            if known[index] >= self._piece.end_s:
                return
            yield Frame(int(index), self._first_s + float(known[index]), frame.image)

    def __enter__(self) -> "PieceSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the piece."""
        self._cut.__exit__(None, None, None)
