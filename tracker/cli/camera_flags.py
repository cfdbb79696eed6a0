"""The flags of cameras, and the camera that they name."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import FaceTrackError
from ..io.camera_list import camera_by_name, list_cameras
from ..io.chosen_camera import CameraWish, ChosenCamera
from ..io.sources import Source, is_camera, is_url, opened
from .flag_types import size
from .reading_flags import asked_reading


class _ListCameras(argparse.Action):
    """Prints the cameras and ends, as `--help` does."""

    def __init__(self, option_strings: Sequence[str], dest: str, **rest: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **rest)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        cameras = list_cameras()
        lines = [f"{camera.index}  {camera.name}" for camera in cameras]
        print("\n".join(lines) or "no camera found")  # noqa: T201
        parser.exit()


def add_camera_flags(parser: argparse.ArgumentParser) -> None:
    """A group of flags for `--help`."""
    group = parser.add_argument_group("cameras")
    group.add_argument("--list-cameras", action=_ListCameras, help="list them by name, and end")
    group.add_argument(
        "--size", type=size, metavar="WxH", help="ask the camera for this size, 1280x720"
    )
    group.add_argument(
        "--mirror", action="store_true", help="mirror what it sees, as a mirror does"
    )


def open_asked_source(address: str, arguments: argparse.Namespace) -> Source:
    """A camera by index or by name as the flags ask, or any other source.

    Raises:
        SourceError: If it is not there or gives no frames.
        FaceTrackError: If it is no camera, and flags of cameras are given.
    """
    reading = asked_reading(arguments)
    index = _camera_index(address)
    if index is not None:
        wish = CameraWish(arguments.size, arguments.fps, arguments.mirror)
        return ChosenCamera(index, wish, reading.reconnect_s)
    if arguments.size or arguments.mirror:
        raise FaceTrackError(f"--size and --mirror are for cameras, which {address} is not")
    return opened(address, reading)


def _camera_index(address: str) -> int | None:
    if is_camera(address):
        return int(address)
    if is_url(address) or Path(address).exists():
        return None
    return camera_by_name(address, list_cameras())
