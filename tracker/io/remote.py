"""Files in remote stores, by fsspec: s3://, gs://, memory:// and what else it knows."""

from importlib import import_module
from types import ModuleType

import av
from av.container import InputContainer

from ..errors import SourceError

_FFMPEGS = (
    "file", "http", "https", "ftp", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "tls", "srt",
    "rtp", "hls", "mms", "mmsh", "sftp", "pipe", "concat", "data", "cache", "crypto", "subfile",
)  # fmt: skip
"""Schemes that FFmpeg reads by itself."""


def is_remote_store(scheme: str) -> bool:
    """Whether fsspec is to read it, not FFmpeg."""
    return scheme not in _FFMPEGS


def read_remote(url: str) -> bytes:
    """The content of a file.

    Raises:
        SourceError: If it cannot be read.
    """
    fsspec = _fsspec(url)
    try:
        with fsspec.open(url, "rb") as file:
            return bytes(file.read())
    except (OSError, ValueError, ImportError) as error:
        raise _unreadable(url, error) from error


def open_remote(url: str, options: dict[str, str]) -> InputContainer:
    """A video, of which only what is needed is fetched."""
    fsspec = _fsspec(url)
    try:
        file = fsspec.open(url, "rb").open()
    except (OSError, ValueError, ImportError) as error:
        raise _unreadable(url, error) from error
    return av.open(file, options=options, metadata_errors="ignore", buffer_size=2**20)


def _unreadable(url: str, error: Exception) -> SourceError:
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FileNotFoundError) and error.errno is None:  # names the path alone
        reason = "no such file"
    return SourceError(f"{url}: cannot be read ({reason}): check the address")


def _fsspec(url: str) -> ModuleType:
    try:
        return import_module("fsspec")
    except ImportError as error:
        raise SourceError(
            f"{url}: remote stores need the extra: pip install 'star-tracker[remote]'"
        ) from error
