"""How smooth a track of landmarks is; no truth is needed.

Tracks are (frames, landmarks, 2) in pixels with NaN rows where nothing was measured.
"""

import numpy as np
from jaxtyping import Complex

from tracker.run.stability import Times, Track2D

from .truth_metrics import as_complex

_EVEN = 0.2
"""A step of time counts as regular within this share of the median."""


def acceleration(times_s: Times, track: Track2D) -> float:
    """RMS of the second difference over dt^2, over all landmarks."""
    steps = np.diff(times_s)
    dt_s = float(np.median(steps))
    changes = np.diff(track, 2, axis=0) / dt_s**2
    even = np.abs(steps - dt_s) < _EVEN * dt_s
    squared = np.square(changes[even[1:] & even[:-1]]).sum(-1)
    measured = squared[np.isfinite(squared)]
    return float(np.sqrt(measured.mean())) if len(measured) else np.nan


def without_rigid_motion(track: Track2D) -> Track2D:
    """Every frame brought onto the mean shape of the clip by the best similarity.

    What is left is the face's own movement and the landmarks' jitter against each other.
    """
    measured = np.isfinite(track).all((1, 2))
    shapes = as_complex(track[measured])
    shape = shapes[0]
    for _ in range(3):  # the mean shape and the alignment to it settle at once
        shape = _aligned(shapes, shape).mean(0)
        shape *= np.abs(_centered(shapes)).mean() / np.abs(_centered(shape)).mean()
    aligned = np.full_like(track, np.nan)
    onto = _aligned(shapes, shape)
    aligned[measured] = np.stack([onto.real, onto.imag], -1)
    return aligned


def _centered(shapes: Complex[np.ndarray, "*batch landmarks"]) -> np.ndarray:
    return shapes - shapes.mean(-1, keepdims=True)


def _aligned(
    shapes: Complex[np.ndarray, "frames landmarks"], onto: Complex[np.ndarray, " landmarks"]
) -> Complex[np.ndarray, "frames landmarks"]:
    here, there = _centered(shapes), _centered(onto)
    similarity = (here.conj() * there).sum(-1) / np.square(np.abs(here)).sum(-1)
    return similarity[:, None] * here + onto.mean()
