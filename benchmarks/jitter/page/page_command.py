"""Write the page of figures that `score`, `film` or `real --json` wrote.

python -m benchmarks.jitter page scores.json scores.html
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tracker.errors import FaceTrackError
from train.whole_file import write_whole

from ...harness import argument_parser, read_json, run_command
from .film_page import film_page
from .rank_page import rank_page
from .score_page import score_page


def command(arguments: argparse.Namespace) -> None:
    """Write the page.

    Raises:
        FaceTrackError: If the figures cannot be read.
    """
    try:
        result = read_json(arguments.figures)
        kinds = {"film": film_page, "pairs": rank_page}
        made = next((write for key, write in kinds.items() if key in result), score_page)(result)
    except (OSError, ValueError, KeyError) as error:
        raise FaceTrackError(
            f"{arguments.figures}: holds no figures of `score`, `film` or `real` ({error!r})"
        ) from error
    write_whole(arguments.page, made.encode())


def main(flags: Sequence[str] | None = None) -> None:
    """Parse the flags and write."""
    parser = argument_parser("jitter page", __doc__)
    parser.add_argument("figures", type=Path, metavar="FIGURES.json", help="as --json wrote them")
    parser.add_argument("page", type=Path, metavar="PAGE.html", help="to write")
    run_command(parser, command, flags)
