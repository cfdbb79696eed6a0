"""A schedule that follows the clock."""

import time


class Clock:
    """The share of a time that is over since it was first asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._begun = seconds, float("inf")

    def __call__(self) -> float:
        self._begun = min(self._begun, time.monotonic())
        return (time.monotonic() - self._begun) / max(self._seconds, 1e-9)
