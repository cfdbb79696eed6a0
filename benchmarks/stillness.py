"""How calm a track of landmarks is; no truth is needed.

Tracks are (frames, landmarks, 2) in pixels with NaN rows where nothing was measured; results are
in the units of the track over those of time.
"""

import numpy as np
from jaxtyping import Complex, Float

from .recordings import Track2D

HIGH_HZ = 5.0
"""Faces do little above it; what a track holds there is nearly all noise."""
_EVEN = 0.2
"""A step of time counts as regular within this share of the median."""


def acceleration(times_s: Float[np.ndarray, " frames"], track: Track2D) -> float:
    """RMS of the second difference over dt^2, over all landmarks."""
    return _difference_rms(times_s, track, 2)


def jerk(times_s: Float[np.ndarray, " frames"], track: Track2D) -> float:
    """RMS of the third difference over dt^3, over all landmarks."""
    return _difference_rms(times_s, track, 3)


def _difference_rms(times_s: Float[np.ndarray, " frames"], track: Track2D, order: int) -> float:
    steps = np.diff(times_s)
    dt_s = float(np.median(steps))
    changes = np.diff(track, order, axis=0) / dt_s**order
    even = np.abs(steps - dt_s) < _EVEN * dt_s
    regular = np.lib.stride_tricks.sliding_window_view(even, order).all(-1)
    squared = np.square(changes[regular]).sum(-1)
    measured = squared[np.isfinite(squared)]
    return float(np.sqrt(measured.mean())) if len(measured) else np.nan


def without_rigid_motion(track: Track2D) -> Track2D:
    """Every frame brought onto the mean shape of the clip by the best similarity.

    What is left is the face's own movement and the landmarks' jitter against each other.
    """
    seen = np.isfinite(track).all((1, 2))
    shapes = _complex(track[seen])
    shape = shapes[0]
    for _ in range(3):  # the mean shape and the alignment to it settle at once
        shape = _aligned(shapes, shape).mean(0)
        shape *= np.abs(_centered(shapes)).mean() / np.abs(_centered(shape)).mean()
    aligned = np.full_like(track, np.nan)
    onto = _aligned(shapes, shape)
    aligned[seen] = np.stack([onto.real, onto.imag], -1)
    return aligned


def _complex(points: Float[np.ndarray, "*batch xy=2"]) -> Complex[np.ndarray, "*batch"]:
    return points[..., 0] + 1j * points[..., 1]


def _centered(shapes: Complex[np.ndarray, "*batch landmarks"]) -> np.ndarray:
    return shapes - shapes.mean(-1, keepdims=True)


def _aligned(
    shapes: Complex[np.ndarray, "frames landmarks"], onto: Complex[np.ndarray, " landmarks"]
) -> Complex[np.ndarray, "frames landmarks"]:
    here, there = _centered(shapes), _centered(onto)
    turn = (here.conj() * there).sum(-1) / np.square(np.abs(here)).sum(-1)
    return turn[:, None] * here + onto.mean()


def spectrum(
    times_s: Float[np.ndarray, " frames"], track: Track2D
) -> tuple[Float[np.ndarray, " bins"], Float[np.ndarray, " bins"]]:
    """Frequencies in Hz and power density per Hz, the mean over landmarks of x and y together.

    Of the longest run of measured frames, after its linear trend is taken away, under a Hann
    window; the sum over bins times their width is the mean squared distance.
    """
    run = _longest_run(np.isfinite(track).all((1, 2)))
    course = track[run].reshape(run.stop - run.start, -1)
    if len(course) < 4:
        return np.zeros(0), np.zeros(0)
    place = np.linspace(-1, 1, len(course))
    slope = (place @ course) / (place @ place)
    course = course - course.mean(0) - np.outer(place, slope)
    window = np.hanning(len(course) + 2)[1:-1]
    rate = 1 / float(np.median(np.diff(times_s)))
    power = np.square(np.abs(np.fft.rfft(window[:, None] * course, axis=0)))
    power[1 : (len(course) + 1) // 2] *= 2  # both signs of the frequency
    density = power / (rate * np.square(window).sum())
    return np.fft.rfftfreq(len(course), 1 / rate), 2 * density.mean(1)


def _longest_run(seen: np.ndarray) -> slice:
    edges = np.diff(np.concatenate([[0], seen.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(starts):
        return slice(0, 0)
    longest = int(np.argmax(ends - starts))
    return slice(int(starts[longest]), int(ends[longest]))


def high_frequency(times_s: Float[np.ndarray, " frames"], track: Track2D) -> tuple[float, float]:
    """RMS of what lies above `HIGH_HZ`, and its share of the whole energy."""
    hertz, density = spectrum(times_s, track)
    if len(hertz) < 2 or not density.sum():
        return np.nan, np.nan
    high = density[hertz > HIGH_HZ].sum()
    return float(np.sqrt(high * hertz[1])), float(high / density.sum())
