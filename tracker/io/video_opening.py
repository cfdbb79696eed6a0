"""Opens videos by their path, their URL or a pipe."""

import logging
from collections.abc import Callable
from pathlib import Path

import av
from av.container import InputContainer

from ..errors import SourceError
from .live_stream import LiveStream
from .opencv_video import OpenCvVideo
from .reading import Reading
from .remote import is_remote_store, open_remote
from .video_reader import NoDecoderError, Video

_LOGGER = logging.getLogger(__name__)
_LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "udp", "srt", "rtp")
_TIMEOUT_S = 10.0
"""A server that is silent for longer is away."""
_OVER_NETWORK = {
    "rtsp": {"rtsp_transport": "tcp"},
    "rtsps": {"rtsp_transport": "tcp"},
    "http": {"reconnect": "1", "reconnect_delay_max": "5"},
    "https": {"reconnect": "1", "reconnect_delay_max": "5"},
}
"""Options of FFmpeg's protocols."""
PIPE = "-"
"""Names the standard input."""


def open_video_file(path: Path, reading: Reading) -> Video | OpenCvVideo:
    """A video file, or a named pipe.

    Raises:
        SourceError: If it is empty or no frame can be decoded.
    """
    is_file = path.is_file()
    if is_file and path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty: copy the video again")
    opening = opening_of(path, reading)
    advice = "it is damaged, cut off or not a video; try to play it, or convert it with ffmpeg"
    try:
        video = Video(str(path), opening, reading, rewinds=is_file, advice=advice)
    except NoDecoderError:
        return OpenCvVideo(path, reading)
    video.name = path.name
    return video


def opening_of(path: Path, reading: Reading) -> Callable[[], InputContainer]:
    """Opens a file, as often as it is called, whatever its name looks like."""
    # A scheme keeps a colon in a name from being read as one.
    return _opening(f"file:{path}", reading)


def open_pipe(reading: Reading) -> Video:
    """A video that comes through the standard input.

    Raises:
        SourceError: If no frame can be decoded.
    """
    opening = _opening("pipe:0", reading)
    return Video("standard input", opening, reading, rewinds=False, advice="pipe a video into it")


def open_stream(url: str, reading: Reading) -> Video | LiveStream:
    """A video by its URL; live where the protocol is, as rtsp:// is.

    Raises:
        SourceError: If no frame can be decoded.
    """
    scheme, name = url.partition("://")[0].lower(), without_password(url)
    if is_remote_store(scheme):
        return Video(name, lambda: open_remote(url, _options(reading)), reading)
    opening = _opening(url, reading, _OVER_NETWORK.get(scheme, {}), _TIMEOUT_S)
    if scheme not in _LIVE_SCHEMES:
        return Video(name, opening, reading)
    return LiveStream(lambda: Video(name, opening, reading, is_live=True), reading.reconnect_s)


def without_password(url: str) -> str:
    """As it may stand in tables."""
    return url.rsplit("@", 1)[-1]


def _opening(
    address: str,
    reading: Reading,
    container_options: dict[str, str] | None = None,
    timeout_s: float | None = None,
) -> Callable[[], InputContainer]:
    def opened() -> InputContainer:
        return av.open(
            address,
            options=_options(reading),
            container_options=container_options,
            metadata_errors="ignore",
            timeout=timeout_s,
        )

    return opened


def _options(reading: Reading) -> dict[str, str]:
    """Of decoders: one that is to look for what a file holds decodes, too."""
    return {"max_pixels": str(min(reading.most_pixels, 2**31 - 1))}
