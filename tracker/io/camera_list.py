"""Which cameras there are, and what they are called."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..errors import SourceError

_SYSTEM = Path("/sys/class/video4linux")
_MOST_TRIED = 6
"""Indices that are tried where no system says which there are."""


@dataclass(frozen=True, slots=True)
class NamedCamera:
    """A camera that can be opened by its index."""

    index: int
    name: str


def list_cameras(system: Path = _SYSTEM) -> list[NamedCamera]:
    """All cameras by index: as Linux lists them, elsewhere those that open.

    Args:
        system: Where Linux lists them.
    """
    if sys.platform.startswith("linux"):
        return sorted(_listed(system), key=lambda camera: camera.index)
    return [NamedCamera(index, f"camera {index}") for index in range(_MOST_TRIED) if _opens(index)]


def _listed(system: Path) -> list[NamedCamera]:
    """One camera has several nodes: the first gives pictures, others what is known of them."""
    cameras = []
    for node in system.glob("video*"):
        number = re.fullmatch(r"video(\d+)", node.name)
        if number and _line(node / "index", "0") == "0":
            cameras.append(NamedCamera(int(number[1]), _line(node / "name", node.name)))
    return cameras


def _line(path: Path, otherwise: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or otherwise
    except OSError:
        return otherwise


def _opens(index: int) -> bool:
    capture = cv2.VideoCapture(index)
    try:
        return bool(capture.isOpened())
    finally:
        capture.release()


def camera_by_name(name: str, cameras: list[NamedCamera]) -> int | None:
    """The index of the camera whose name this is, or has this in it, in any case; None of none.

    Raises:
        SourceError: If several have.
    """
    wanted = name.casefold()
    exact = [camera for camera in cameras if camera.name.casefold() == wanted]
    found = exact or [camera for camera in cameras if wanted in camera.name.casefold()]
    if len(found) > 1:
        names = ", ".join(f"{camera.index} {camera.name}" for camera in found)
        raise SourceError(f"{name}: is said of several cameras ({names}): name one by its index")
    return found[0].index if found else None
