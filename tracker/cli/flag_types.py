"""What the values of flags may be; anything else is refused in a line."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..analysis.neutral_file import KeptNeutral, read_neutral
from ..checks import checked_region
from ..errors import FaceTrackError
from ..io.lens_calibration import calibrated_fov_deg
from ..io.video_writer import BEST_QUALITY, WORST_QUALITY

_Read = TypeVar("_Read")


def positive(text: str) -> int:
    """A whole number from 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def quality(text: str) -> int:
    """Of videos, as x264 counts it."""
    number = int(text)
    if not BEST_QUALITY <= number <= WORST_QUALITY:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 51, got {text}")
    return number


def seconds(text: str) -> float:
    """0 or more."""
    number = float(text)
    if not 0 <= number <= 1e9:
        raise argparse.ArgumentTypeError(f"must be 0 or more seconds, got {text}")
    return number


def region(text: str) -> tuple[float, float, float, float]:
    """A rectangle in pixels."""
    try:
        return checked_region([float(edge) for edge in text.split(",")])
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be x0,y0,x1,y1 in pixels with x0 < x1 and y0 < y1, got {text}"
        ) from None


def device(text: str) -> str:
    """As PyTorch names it, or 'auto'."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"must be auto, cpu, cuda, cuda:N or mps, got {text}")
    return text


def share(text: str) -> float:
    """From 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text}")
    return number


def index(text: str) -> int:
    """A whole number from 0 on."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, got {number}")
    return number


def above_zero(text: str) -> float:
    """A number above 0."""
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return number


def port(text: str) -> int:
    """Of an internet protocol."""
    number = int(text)
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 65535, got {text}")
    return number


def size(text: str) -> tuple[int, int]:
    """Width and height in pixels."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT, as 1280x720, got {text}")
    return int(found[1]), int(found[2])


def duration(text: str) -> float:
    """More than 0 seconds."""
    number = float(text)
    if not 0 < number <= 1e9:
        raise argparse.ArgumentTypeError(f"must be more than 0 seconds, got {text}")
    return number


def field_of_view(text: str) -> float:
    """Of a camera, in degrees, or the file of its calibration."""
    try:
        number = float(text)
    except ValueError:
        return _read(calibrated_fov_deg, text)
    if not 1 <= number <= 170:
        raise argparse.ArgumentTypeError(f"must lie between 1 and 170 degrees, got {text}")
    return number


def neutral(text: str) -> float | KeptNeutral:
    """More than 0 seconds, or the file of a neutral face."""
    try:
        float(text)
    except ValueError:
        return _read(read_neutral, text)
    return duration(text)


def _read(read: Callable[[Path], _Read], text: str) -> _Read:
    try:
        return read(Path(text))
    except FaceTrackError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
