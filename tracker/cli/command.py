"""The command line: joins network, detector, tracker, source and outputs, and runs them."""

import argparse
import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from ..errors import FaceTrackError
from ..run.summary import StopRequest
from .archive_command import ARCHIVE, archive
from .arguments import build_parser
from .asked_networks import Networks, settle_weights
from .check_command import CHECK, run_check
from .inputs import several_videos
from .interruption import signals_stop
from .logs import warnings_on_terminal
from .many_videos import run_several
from .one_source import run_one
from .serve_command import SERVE, run_serve
from .terminal import forgiving_streams

INTERRUPTED = 130
"""Exit status after Ctrl-C, SIGTERM or SIGHUP."""
INCOMPLETE = 3
"""Exit status where all that could be read was tracked, but a source was cut off or lost much."""

_COMMANDS: dict[str, Callable[[Sequence[str], Networks, StopRequest], int]] = {
    ARCHIVE: archive,
    CHECK: run_check,
    SERVE: run_serve,
}
"""What the first word may name; else it is a source."""


def main(networks: Networks, argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        networks: `models`.
        argv: Arguments; None takes those of the process.

    Returns:
        The exit status: 0 done, 2 bad input or a video that failed, 3 done, but a video was cut
        off or more than a tenth of it could not be decoded, 130 interrupted.
    """
    given = sys.argv[1:] if argv is None else argv
    command = _COMMANDS.get(given[0]) if given else None
    arguments = None if command else build_parser().parse_intermixed_args(given)
    with forgiving_streams():
        try:
            with warnings_on_terminal(), signals_stop() as request:
                if command is not None:
                    return command(given[1:], networks, request)
                assert arguments is not None
                return _status(arguments, networks, request)
        except (FaceTrackError, networks.CheckpointError, OSError, ImportError) as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            return 2
        except KeyboardInterrupt:  # while it started, or for the second time
            return INTERRUPTED


def _status(arguments: argparse.Namespace, networks: Networks, request: StopRequest) -> int:
    console = Console()
    videos = several_videos(arguments.source, recursive=arguments.recursive)
    if videos:
        settle_weights(arguments)
        several = run_several(arguments, videos, networks, request, console)
        interrupted, failed = several.interrupted, several.failed
        is_incomplete = several.incomplete > 0
    else:
        one = run_one(arguments, networks, request, console)
        interrupted, failed, is_incomplete = one.interrupted, 0, one.losses.are_grave
    if interrupted:
        return INTERRUPTED
    return 2 if failed else INCOMPLETE * is_incomplete
