"""The flags that say how sources are read."""

import argparse

from ..io.reading import MEGAPIXELS, RECONNECT_S, SEQUENCE_RATE, Reading
from .flag_types import above_zero, index, seconds


def add_reading_flags(group: argparse._ArgumentGroup) -> None:
    """Which frames of a source, and for how long it is waited for."""
    group.add_argument(
        "--stream", type=index, metavar="N",
        help="of several picture streams of a video take this one, from 0 (default: the one that "
        "players show)",
    )  # fmt: skip
    group.add_argument(
        "--fps", type=above_zero, metavar="RATE",
        help=f"frames per second: of numbered pictures (default: {SEQUENCE_RATE:g}), or what a "
        "camera is asked for",
    )  # fmt: skip
    group.add_argument("--recursive", action="store_true", help="read the folders in a folder, too")
    group.add_argument(
        "--reconnect", type=seconds, default=RECONNECT_S, metavar="SECONDS",
        help="look so long for a camera or live stream that fails (default: %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--max-megapixels", type=above_zero, default=MEGAPIXELS, metavar="N",
        help="refuse larger pictures (default: %(default)g)",
    )  # fmt: skip


def asked_reading(arguments: argparse.Namespace) -> Reading:
    """How to read, as the flags say."""
    return Reading(
        stream=arguments.stream,
        fps=arguments.fps,
        max_megapixels=arguments.max_megapixels,
        reconnect_s=arguments.reconnect,
        recursive=arguments.recursive,
    )
