"""Ctrl-C on the command line: the first ends a run between two frames, the second at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..run.summary import StopRequest


@contextmanager
def ctrl_c_stops() -> Iterator[StopRequest]:
    """A request that Ctrl-C makes; a second Ctrl-C is a KeyboardInterrupt as usual.

    Outside the main thread, where Python allows no signal handlers, nothing is installed.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, frame: FrameType | None) -> None:
        request.stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
