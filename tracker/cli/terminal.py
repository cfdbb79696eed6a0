"""Standard output and error that end no run: what cannot be printed any more is dropped."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class _Forgiving(io.TextIOBase):
    """A text stream that goes nowhere once the one below is closed, full or without a reader."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def __getattribute__(self, name: str) -> Any:
        own = ("write", "flush", "_stream", "_give_up", "close", "__class__")
        return object.__getattribute__(self, name) if name in own else getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:  # a closed file is a ValueError
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def close(self) -> None:
        """The stream below is another's to close."""

    def _give_up(self, error: Exception) -> None:
        if isinstance(error, UnicodeError):
            raise error
        # What is buffered is written once more when Python ends, which must not fail either.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def forgiving_streams() -> Iterator[None]:
    """Within, printing raises nothing for a stream that is closed, full or without a reader."""
    streams = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        # Python has None where the process was started without the stream.
        sys.stdout, sys.stderr = (_Forgiving(stream or nowhere) for stream in streams)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = streams
