#!/usr/bin/env python3
"""Track faces in a camera, in one or several video files, or in a folder of pictures.

python run_tracker.py 0 --show
python run_tracker.py clip.mp4 --save-video overlay.mp4 --save-csv landmarks.csv
python run_tracker.py clips/ --save-csv landmarks/
python run_tracker.py demo
"""

import os
import signal
import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line with our networks; returns the exit status."""
    import models
    from tracker.cli.command import main as run_command

    return run_command(models, argv)


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # while modules load, nothing is open yet
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(130))
    sys.exit(main())
