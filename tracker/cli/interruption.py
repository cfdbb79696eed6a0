"""Ctrl-C, SIGTERM and SIGHUP: the first ends a run between two frames, the second at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..run.summary import StopRequest

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Windows has no SIGHUP."""


@contextmanager
def signals_stop() -> Iterator[StopRequest]:
    """A request that one of the signals makes; a second one is a KeyboardInterrupt.

    One that is ignored, as `nohup` has SIGHUP, stays so. Outside the main thread, where Python
    allows no signal handlers, nothing is installed.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if request.stop.is_set():
            raise KeyboardInterrupt
        request.stop.set()

    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
