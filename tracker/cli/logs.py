"""Logs while the command line runs: warnings of this project, errors of native libraries."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
from rich.logging import RichHandler

_QUIET = {
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # FFmpeg's AV_LOG_QUIET; read when the first video is opened
    "GLOG_minloglevel": "3",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""Read by libraries when they start; a value of the user's own is kept."""
_OPENCV = getattr(cv2.utils, "logging", cv2)
"""Where OpenCV 5, or OpenCV 4, has its log level."""


@contextmanager
def warnings_on_terminal() -> Iterator[None]:
    """Show warnings of this project, and have native libraries log errors alone.

    Log levels and handlers are as before in the end; environment variables stay for libraries that
    start later.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    logger, handler = logging.getLogger(), RichHandler(show_path=False)
    handler.setFormatter(logging.Formatter("%(message)s"))
    levels = logger.level, _OPENCV.getLogLevel()
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    _OPENCV.setLogLevel(0)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(levels[0])
        _OPENCV.setLogLevel(levels[1])
