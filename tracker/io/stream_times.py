"""When each frame of a stream is shown, in seconds that never fall."""

from av.container import InputContainer

_ARBITRARY_CLOCK = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: the format's clock begins anywhere, and may begin anew."""
_RESTART_S = 1.0
"""Stamps that fall by more come from a clock that began anew."""


def clock_zero_s(container: InputContainer) -> float:
    """What the file's clock shows at time 0, seconds.

    Stamps are taken as they are stored. Broadcasts and network streams alone, whose clock was
    running long before, count from where their first stream begins, sound or picture.
    """
    if container.format.flags & _ARBITRARY_CLOCK and container.start_time is not None:
        return container.start_time / 1e6
    return 0.0


class FrameTimes:
    """Makes stamps that are missing, repeated or begin anew into times that rise.

    Args:
        step_s: Time from frame to frame, nominal.
        zero_s: What the clock of the stamps shows at time 0.
    """

    def __init__(self, step_s: float, zero_s: float = 0.0) -> None:
        self._step_s, self._shift_s = step_s, -zero_s
        self._last_s: float | None = None
        self._room_s = step_s
        """After a repeated stamp: the time until the next frame is due."""

    def time_of(self, stamp_s: float | None) -> float:
        """Of the next frame, by its stamp in seconds; None where it has none."""
        self._last_s = self._following(stamp_s)
        return self._last_s

    def _following(self, stamp_s: float | None) -> float:
        last = self._last_s
        if last is None:
            return 0.0 if stamp_s is None else stamp_s + self._shift_s
        if stamp_s is None:
            return last + self._step_s
        time_s = stamp_s + self._shift_s
        if time_s > last:
            self._room_s = self._step_s
            return time_s
        if last - time_s > _RESTART_S:
            self._shift_s += last + self._step_s - time_s
            return last + self._step_s
        # Half of what is left until the next frame, so that its own stamp still holds.
        self._room_s /= 2
        return last + self._room_s
