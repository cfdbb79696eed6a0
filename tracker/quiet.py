"""Silence for native libraries that write straight to standard error."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Silence:
    """File descriptor 2, sent nowhere while at least one thread wants it so.

    There is one for the process: two threads that each kept and restored it would in the end
    restore the other's nowhere.
    """

    def __init__(self) -> None:
        self._lock, self._wanted, self._kept = threading.Lock(), 0, -1

    def begin(self) -> None:
        with self._lock:
            if self._wanted == 0:
                sys.stderr.flush()
                self._kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
            self._wanted += 1

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if self._wanted == 0:
                sys.stderr.flush()
                os.dup2(self._kept, 2)
                os.close(self._kept)

    def tell(self, line: str) -> None:
        with self._lock:
            now = os.dup(2)
            if self._wanted:
                os.dup2(self._kept, 2)
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
            os.dup2(now, 2)
            os.close(now)


_SILENCE = _Silence()


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send file descriptor 2 nowhere: FFmpeg and MediaPipe log there past Python's streams."""
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()


def tell(line: str) -> None:
    """Write a line to standard error though other threads silence it."""
    _SILENCE.tell(line)
