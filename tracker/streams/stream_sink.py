"""A stream behind a queue of its own: it drops rather than delays, and never ends a run."""

import logging
import time
from functools import partial
from typing import Self

from ..run.queues import WriteLatest
from ..run.result_age import ResultAges
from ..types import Face, Frame
from .update import Stream, Update

_ROOM = 2
"""Updates that wait while one is sent; more of them would only be older."""


class StreamSink:
    """A sink whose `write` returns at once, whatever the receiver does.

    Args:
        name: For the user: protocol and address.
        stream: Sends in a thread of its own.
    """

    def __init__(self, name: str, stream: Stream) -> None:
        self.name = name
        self.sent = 0
        self.undelivered = 0
        """Refused by the network or by a full buffer of the system."""
        self.ages = ResultAges()
        """From a frame's arrival to its packet, which the system has then."""
        self._stream, self._sequence, self._is_told = stream, 0, False
        self._stage: WriteLatest[Update] = WriteLatest(partial(_send, self, stream), _ROOM)
        self._stage.__enter__()

    @property
    def dropped(self) -> int:
        """Updates that never left because newer ones were there."""
        return self._stage.dropped

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Hand over one frame, in place of the oldest that waits where there is no room."""
        captured_s = time.time() - (time.monotonic() - frame.arrived_s)
        self._stage.put(Update(self._sequence, captured_s, frame, faces))
        self._sequence += 1
        self._tell_of_error()

    def close(self) -> None:
        """Send what waits, for a moment at most, and let go."""
        self._stage.__exit__(None, None, None)
        self._stream.close()
        self._tell_of_error()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        text = f"{self.name}: {self.sent} of {self._sequence} frames sent"
        text += f", {self.dropped} dropped" if self.dropped else ""
        return text + (f", {self.undelivered} not delivered" if self.undelivered else "")

    def _tell_of_error(self) -> None:
        if self._stage.error is not None and not self._is_told:
            self._is_told = True
            logging.getLogger(__name__).warning(
                "%s: ended, tracking goes on: %s", self.name, self._stage.error
            )


def _send(counts: StreamSink, stream: Stream, update: Update) -> None:
    try:
        stream.send(update)
    except OSError:  # nobody listens, the network is away or its buffer is full
        counts.undelivered += 1
    else:
        counts.sent += 1
        counts.ages.add(time.monotonic() - update.frame.arrived_s)
