"""When the networks of an analysis read: what is calm is read seldom, and in turns."""

import math
from collections.abc import Mapping

from ..types import Face, Frame
from .analysis_networks import AnalysisNetworks, AnalysisReadings
from .coefficient_names import BY_EXPRESSION_NETWORK
from .expression_reading import ExpressionRead, read_expressions
from .eye_reading import EyesRead, carried_eyes, read_eyes

_EVERY_S, _CALM_EVERY_S = 0.045, 0.11
"""Every second frame of a usual camera, and every fourth."""
_LID_MOVES, _MOUTH_MOVES = 0.1, 0.05
"""From one reading to the next, of how far an eye is shut and of the mouth's coefficients."""
_CALM_AFTER_S = 1.0
"""Since the mouth moved."""


class PacedReading:
    """Reads the faces of one source, in one thread.

    Blinks are short: eyes are read in every frame while a lid moves and, while none does, in every
    second one; in between they are where their corners are. Expressions are read in every second
    frame while a mouth moves, else in every fourth, and where that is possible in one in which the
    eyes are not: the landmarks carry the motion.

    Args:
        readers: As `models` loads them; None reads nothing.
        stills: Every frame is a picture by itself, in which all is read.
    """

    def __init__(self, readers: AnalysisNetworks | None, *, stills: bool) -> None:
        self._readers, self._stills = readers, stills
        self._eyes: Mapping[int, EyesRead] = {}
        self._expressions: Mapping[int, ExpressionRead] = {}
        self._lids_move = False
        self._eyes_before = True  # the first frame reads both
        self._eyes_s = self._expressions_s = -math.inf
        self._mouth_s = math.inf

    def read(self, frame: Frame, faces: list[Face]) -> AnalysisReadings:
        """What the networks say of the next frame's faces; nothing of expressions in some.

        Args:
            frame: RGB.
            faces: As `FaceTracker.update` reports them.
        """
        if self._readers is None or not faces:
            return AnalysisReadings()
        eyes_too = self._eyes_are_due(frame.time_s, faces)
        if eyes_too:
            before, self._eyes_s = self._eyes, frame.time_s
            self._eyes = read_eyes(frame.image, faces, self._readers.eyes)
            self._lids_move = _lids_move(before, self._eyes)
        else:
            self._eyes = carried_eyes(faces, self._eyes)
        next_is_free = eyes_too and not self._eyes_before
        self._eyes_before = eyes_too
        if next_is_free or not self._expressions_are_due(frame.time_s):
            return AnalysisReadings(self._eyes)
        read = read_expressions(frame.image, faces, self._readers.expressions)
        if _mouth_moves(self._expressions, read):
            self._mouth_s = frame.time_s
        self._expressions, self._expressions_s = read, frame.time_s
        return AnalysisReadings(self._eyes, read)

    def _eyes_are_due(self, time_s: float, faces: list[Face]) -> bool:
        if self._lids_move or any(face.track_id not in self._eyes for face in faces):
            return True
        return self._is_due(time_s - self._eyes_s, _EVERY_S)

    def _expressions_are_due(self, time_s: float) -> bool:
        is_calm = abs(time_s - self._mouth_s) > _CALM_AFTER_S
        return self._is_due(time_s - self._expressions_s, _CALM_EVERY_S if is_calm else _EVERY_S)

    def _is_due(self, since_s: float, every_s: float) -> bool:
        return self._stills or not 0 <= since_s < every_s


def _lids_move(before: Mapping[int, EyesRead], now: Mapping[int, EyesRead]) -> bool:
    return any(
        abs(read.shut - before[track_id].shut).max() > _LID_MOVES
        for track_id, read in now.items()
        if track_id in before
    )


def _mouth_moves(before: Mapping[int, ExpressionRead], now: Mapping[int, ExpressionRead]) -> bool:
    """A face that was not seen before may be about to speak."""
    return any(
        track_id not in before
        or any(
            abs(read.values[i] - before[track_id].values[i]) > _MOUTH_MOVES
            for i, name in enumerate(read.names)
            if name in BY_EXPRESSION_NETWORK
        )
        for track_id, read in now.items()
    )
