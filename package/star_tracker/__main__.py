"""The command `run-tracker`, and `python -m star_tracker`."""

import sys
from importlib import import_module

from . import models, tracker


def main(argv: list[str] | None = None) -> int:
    """Run the command line with the package's own networks; returns the exit status."""
    command = import_module(f"{tracker.__name__}.cli.command")
    status: int = command.main(models, argv)
    return status


if __name__ == "__main__":
    sys.exit(main())
