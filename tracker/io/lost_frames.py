"""Counts frames that a damaged container loses without a word.

A pause between two frames alone says nothing: cameras and screen recorders leave frames out. It
counts where the file shows damage at the same place, and only of a steady rate.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from av.packet import Packet

_NEAR_S = 1.0
"""From damage to a pause that it explains; packets are ahead of frames, too."""
_STEADY = 0.9
"""Share of steps from frame to frame that are the nominal one, in a video of a steady rate."""
_MOST_BETWEEN = 100
"""Bytes between two packets of Matroska that are heads of its blocks and clusters."""


@dataclass(slots=True)
class LostFrames:
    """Sees all packets of a container, and the frames of one of its streams.

    Args:
        tick_s: Of the stream's stamps.
        rate: Frames per second, nominal; None where it is not known.
        is_matroska: The container's packets lie one after the other in the file.
    """

    tick_s: Fraction
    rate: Fraction | None
    is_matroska: bool
    _damage_s: float = field(default=-1e9, init=False)
    """Where the file showed damage last."""
    _packet_s: float = field(default=0.0, init=False)
    _packet_end: int | None = field(default=None, init=False)
    """Its place in the file."""
    _frame_s: float | None = field(default=None, init=False)
    """Of the latest so far."""
    _steps: int = field(default=0, init=False)
    _steady: int = field(default=0, init=False)
    _missing: int = field(default=0, init=False)

    @property
    def count(self) -> int:
        """Frames that are missing so far."""
        is_steady = self._steady >= _STEADY * self._steps
        return self._missing if is_steady else 0

    def see_packet(self, packet: Packet) -> None:
        """The next packet of any stream."""
        if not packet.size:
            return
        if packet.pts is not None and packet.time_base:
            self._packet_s = float(packet.pts * packet.time_base)
        is_damaged = packet.is_corrupt
        if self.is_matroska and packet.pos is not None:
            end = self._packet_end
            is_damaged |= end is not None and packet.pos - end > _MOST_BETWEEN
            self._packet_end = packet.pos + packet.size
        if is_damaged:
            self.see_damage()

    def see_damage(self) -> None:
        """Something is wrong at the last packet."""
        self._damage_s = self._packet_s

    def see_frame(self, stamp: int | None) -> None:
        """The next frame, in the order in which they are shown."""
        if stamp is None or not self.rate:
            return
        before_s, now_s = self._frame_s, float(stamp * self.tick_s)
        self._frame_s = now_s if before_s is None else max(before_s, now_s)
        if before_s is None:
            return
        missing = round((now_s - before_s) * self.rate) - 1
        self._steps += 1
        if before_s - _NEAR_S <= self._damage_s <= self._frame_s + _NEAR_S:
            # After damage frames come out of order: one that fills a pause is not missing.
            self._missing = max(self._missing + max(missing, -1), 0)
            self._steady += 1
        else:
            self._steady += missing == 0
