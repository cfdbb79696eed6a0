"""How far eyes are open, and blinks.

The gap between the lids is measured along the head's own vertical, over the width of the eye: a
turned or nodding head keeps it. What is open is each person's own, and learned while the eye is.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..face_analysis import Blink, Estimate
from ..types import LandmarkEstimate
from .eye_reading import EyesRead
from .head_fit import HeadFit
from .linear_face import LinearFace
from .pinhole import PinholeCamera

_CORNERS = np.array([[36, 39], [42, 45]])
_UPPER, _LOWER = np.array([[37, 38], [43, 44]]), np.array([[41, 40], [47, 46]])
_LIDS = np.concatenate([_UPPER, _LOWER], 1)
_LEARNED_S, _FOLLOWED_S = 1.0, 20.0
"""Time constants of what is open for this person: in the first seconds, later."""
_NARROWED_S = 5.0
"""Of eyes that are half open: so narrow may be how they rest."""
_RESTING_FROM = 0.5
"""Share of the usual gap from which an eye is open: it may be a person of narrow eyes."""
_LEAST_OPEN = 0.05
"""Over the gap of shut eyes: whatever opens less is shut."""
_SHUT_BELOW, _OPEN_ABOVE, _MOST_OPEN = 0.32, 0.6, 1.2
_SURELY = 2.0
"""Standard deviations by which shut eyes must be below open ones."""
_AT_REST = 0.93
"""Share of the usual gap that counts as open: lids hang a little lower now and then."""
_LONGEST_BLINK_S = 0.6
"""Eyes that stay shut for longer do not blink."""


@dataclass(frozen=True, slots=True)
class LidMemory:
    """What is known of one person's lids."""

    open_gap: float
    shut_gap: float
    seen_s: float = 0.0
    """How long the eyes were open."""
    shut_since_s: float | None = None
    is_close: bool = False
    """Gaps are what the network of the eyes says, not those of the landmarks."""


def unknown_lids(face: LinearFace, fit: HeadFit) -> LidMemory:
    """Of a person seen for the first time: as open as the fitted head is without expression."""
    expressions = len(face.names)
    shape = face.mean + face.identity @ fit.shape[expressions:]
    across = shape[_CORNERS[:, 1]] - shape[_CORNERS[:, 0]]
    gap = shape[_LOWER, 1].mean(1) - shape[_UPPER, 1].mean(1)
    opened = float((gap / np.linalg.norm(across, axis=1)).mean())
    shut, least = float(face.lid_gap[0]), float(face.lid_gap.mean())
    return LidMemory(max(opened, least), shut)


OF_EYE_NETWORK = LidMemory(open_gap=0.9, shut_gap=0.2, is_close=True)
"""Of a person seen for the first time, closely; of eyes that are shut it is said to be 0.8."""


def lid_gaps(
    face: LinearFace, fit: HeadFit, seen: LandmarkEstimate, camera: PinholeCamera
) -> Float[np.ndarray, "eyes=2 value_deviation=2"]:
    """Of the right and the left eye, over the eye's width."""
    corners = face.mean[_CORNERS] + face.basis[_CORNERS] @ fit.shape
    places = corners.mean(1) @ fit.rotation.T + fit.translation_mm
    down = camera.jacobian(places) @ fit.rotation[:, 1]  # pixels for each mm down the head
    width = np.sqrt(np.square(corners[:, 1] - corners[:, 0]).sum(-1))
    across = down / (np.square(down).sum(-1) * width)[:, None]
    gap = seen.mean[_LOWER].mean(1) - seen.mean[_UPPER].mean(1)
    spread = seen.covariance[_LIDS].sum(1) / 4
    variance = (across[:, None] @ spread @ across[..., None])[:, 0, 0]
    return np.stack([(gap * across).sum(-1), np.sqrt(variance)], 1)


def closely_seen(eyes: EyesRead) -> Float[np.ndarray, "eyes=2 value_deviation=2"]:
    """What the network of the eyes says in place of the lids' gap: 1 open, 0 shut."""
    return np.stack([1 - eyes.shut, eyes.shut_deviation], 1)


def learned(memory: LidMemory, gaps: np.ndarray, dt_s: float, hold_s: float | None) -> LidMemory:
    """After a frame; shut eyes say nothing of open ones.

    Args:
        memory: Before.
        gaps: Of both eyes.
        dt_s: Since the frame before.
        hold_s: For so long the face is neutral, and never after; None learns on.
    """
    gap = sum(gaps.tolist()) / len(gaps)
    lifted = gap - memory.shut_gap
    if lifted < _LEAST_OPEN or (hold_s is not None and memory.seen_s > hold_s):
        return memory
    is_open = lifted > _RESTING_FROM * (memory.open_gap - memory.shut_gap)
    constant = min(_LEARNED_S + memory.seen_s, _FOLLOWED_S) if is_open else _NARROWED_S
    share = 1 - math.exp(-dt_s / constant)
    opened = memory.open_gap + share * (gap - memory.open_gap)
    return replace(memory, open_gap=opened, seen_s=memory.seen_s + dt_s * is_open)


def openness(memory: LidMemory, gap: Float[np.ndarray, "value_deviation=2"]) -> Estimate:
    """0 shut, 1 as open as this person's eyes are at rest."""
    reach = max(_AT_REST * (memory.open_gap - memory.shut_gap), 1e-3)
    value, deviation = gap.tolist()
    return Estimate(min(max((value - memory.shut_gap) / reach, 0.0), 2.0), deviation / reach)


def blinked(
    memory: LidMemory, right: Estimate, left: Estimate, time_s: float
) -> tuple[LidMemory, Blink | None]:
    """Follow both lids down and up again; the blink that ends with this frame.

    Both eyes of a blink do the same, so each counts as far as it is seen surely: the far one of a
    turned head little, and two dim ones are not taken for shut.
    """
    certainty = [one.deviation**-2 for one in (right, left)]
    values = [min(one.value, _MOST_OPEN) for one in (right, left)]
    both = (certainty[0] * values[0] + certainty[1] * values[1]) / sum(certainty)
    deviation = sum(certainty) ** -0.5
    if memory.shut_since_s is None:
        is_shut = both < _SHUT_BELOW and both + _SURELY * deviation < _OPEN_ABOVE
        return (replace(memory, shut_since_s=time_s), None) if is_shut else (memory, None)
    if both < _OPEN_ABOVE:
        return memory, None
    began_s = memory.shut_since_s
    is_blink = time_s - began_s <= _LONGEST_BLINK_S
    return replace(memory, shut_since_s=None), Blink(began_s, time_s) if is_blink else None
