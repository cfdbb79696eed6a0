"""The command `run-tracker`, and `python -m star_tracker`."""

import os
import signal
import sys
from importlib import import_module

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def main(argv: list[str] | None = None) -> int:
    """Run the command line with the package's own networks; returns the exit status."""
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    # While modules load, nothing is open yet.
    before = {number: signal.signal(number, lambda *_: os._exit(130)) for number in heard}
    try:
        from . import models, tracker

        command = import_module(f"{tracker.__name__}.cli.command")
        status: int = command.main(models, argv)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status


if __name__ == "__main__":
    sys.exit(main())
