"""The flags of what is sent while it is found."""

import argparse

from ..errors import FaceTrackError
from ..streams.address import NetAddress
from ..streams.asked_streams import AskedStreams
from ..streams.vmc_stream import BLEND_NAMES, PERFECT_SYNC


def add_stream_flags(parser: argparse.ArgumentParser) -> None:
    """A group of flags for `--help`."""
    group = parser.add_argument_group(
        "streams", "several at once if you like; none of them can delay tracking"
    )
    for flag, protocol in (
        ("--vmc", "head, eyes and expression by the VMC protocol, to port 39539 or 39540"),
        ("--osc", "landmarks, pose, eyes and expression by plain OSC"),
        ("--openseeface", "OpenSeeFace's packets, to port 11573"),
        ("--websocket", "listen there, and send JSON to every client"),
    ):
        group.add_argument(flag, type=_address, metavar="HOST:PORT", help=protocol)
    group.add_argument(
        "--vmc-blend", choices=BLEND_NAMES, default=PERFECT_SYNC,
        help="names of blend values: ARKit's, or the presets of VRM 0 (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--virtual-camera", nargs="?", const="overlay", choices=("overlay", "plain"),
        help="show the frames as a camera that other programs can open; plain is without overlay "
        "(needs the extra 'virtual-camera')",
    )  # fmt: skip
    group.add_argument(
        "--rerun", nargs="?", const="", metavar="URL_OR_FILE",
        help="show everything in rerun's viewer, or write it to a .rrd (needs the extra 'rerun')",
    )  # fmt: skip


def asked_streams(arguments: argparse.Namespace) -> AskedStreams:
    """Where to send to, as the flags say."""
    return AskedStreams(
        vmc=arguments.vmc,
        vmc_blend=arguments.vmc_blend,
        osc=arguments.osc,
        openseeface=arguments.openseeface,
        websocket=arguments.websocket,
        virtual_camera=arguments.virtual_camera is not None,
        plain_camera=arguments.virtual_camera == "plain",
        rerun=arguments.rerun,
        raw=arguments.raw,
        ellipses=arguments.ellipses,
    )


def check_no_streams(arguments: argparse.Namespace) -> None:
    """Several videos have no stream: their faces would be mixed up.

    Raises:
        FaceTrackError: If one is asked for.
    """
    if asked_streams(arguments):
        raise FaceTrackError("streams need a single input: name one camera or video")


def _address(text: str) -> NetAddress:
    try:
        return NetAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
