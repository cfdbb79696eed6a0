"""How far a track is from the truth, how slowly it settles, and how much of a gesture it keeps.

The truth of a clip is the known motion; the network adds a bias of its own, which no filter can
remove. `reference` therefore carries the bias of the raw measurements: their mean offset over the
whole clip, in coordinates of the face, moved along. Jitter and lag are those of
`tracker.run.stability`.
"""

import numpy as np
from jaxtyping import Bool, Complex, Float

from tracker.layouts import Layout
from tracker.run.stability import Times, Track2D

Series = Float[np.ndarray, " frames"]

_JITTER_WINDOW_S = 0.5
_MOVING = 0.05
"""Share of the greatest speed or gesture beyond which something moves."""


def as_complex(points: Float[np.ndarray, "*batch xy=2"]) -> Complex[np.ndarray, "*batch"]:
    """Points as x + iy: a similarity is then a multiplication and an addition."""
    return points[..., 0] + 1j * points[..., 1]


def reference(raw: Track2D, truth: Track2D) -> Track2D:
    """The truth with the raw measurements' mean offset, rotated and scaled with the face."""
    home = as_complex(truth[0] - truth[0].mean(0))
    here = as_complex(truth - truth.mean(1, keepdims=True))
    similarity = (here @ home.conj()) / np.square(np.abs(home)).sum()  # frame_from_home, linear
    bias = np.nanmean(as_complex(raw - truth) / similarity[:, None], axis=0)
    moved = similarity[:, None] * bias
    return truth + np.stack([moved.real, moved.imag], -1)


def error(track: Track2D, truth: Track2D) -> Series:
    """RMS distance over the landmarks in each frame."""
    return np.sqrt(np.square(track - truth).sum(-1).mean(-1))


def error_settling_s(times_s: Times, errors: Series, raw: Series) -> float:
    """Time from the start after which the error stays below a third of the raw level.

    The level is that of the raw measurements in the last third of the clip, the same for every
    filter. Against its own last level a filter would settle the later the smoother it gets: the
    mean of k frames of white noise comes within twice that of n frames at k = n / 4 only.

    Returns:
        NaN if it never does.
    """
    if not np.isfinite(errors).any():
        return np.nan
    above = np.flatnonzero(~(errors <= _last_level(raw) / 3) & np.isfinite(errors))
    first = above[-1] + 1 if len(above) else 0
    return float(times_s[first] - times_s[0]) if first < len(errors) else np.nan


def jitter_settling_s(times_s: Times, track: Track2D) -> float:
    """Time from the start until jitter within half a second falls below twice its final level.

    A filter of white noise whose error ends n times below that noise needs n^2 / 4 frames to come
    within twice of it; but its jitter may be low long before.

    Returns:
        NaN if it never does, or the track is too short.
    """
    count = max(round(_JITTER_WINDOW_S / float(np.median(np.diff(times_s)))), 2)
    if len(track) < 3 * count:
        return np.nan
    windows = np.lib.stride_tricks.sliding_window_view(track, count, axis=0)
    jitter = np.sqrt(windows.var(-1).sum(-1).mean(-1))
    if not np.isfinite(jitter).any():
        return np.nan
    below = np.flatnonzero(jitter <= 2 * _last_level(jitter))
    return float(times_s[below[0]] - times_s[0]) if len(below) else np.nan


def _last_level(errors: Series) -> float:
    return float(np.sqrt(np.nanmean(np.square(errors[-(len(errors) // 3) :]))))


def step_delay_s(times_s: Times, track: Track2D, truth: Track2D, level: float = 0.9) -> float:
    """Delay from the truth's crossing of a level of a quick move to the track's crossing.

    Args:
        times_s: Of the frames.
        track: What follows.
        truth: Quick moves with rests between.
        level: Share of the way.

    Returns:
        The median over the moves, at most the time until the next one; NaN where there is none.
    """
    place, followed = (points.mean(1) for points in (truth, track))
    along = np.linalg.svd(place - place.mean(0), full_matrices=False)[2][0]
    true, seen = place @ along, followed @ along
    delays = []
    for start, stop, until in _steps(true):
        window, way = times_s[start:until], true[stop] - true[start]
        crossings = [
            _crossing(window, (series[start:until] - true[start]) / way, level)
            for series in (seen, true)
        ]
        delays.append(crossings[0] - crossings[1])
    return float(np.median(delays)) if delays else np.nan


def _steps(series: Series) -> list[tuple[int, int, int]]:
    """First and last frame of each whole move, and where the next one begins."""
    speed = np.abs(np.diff(series))
    moving = runs(speed > max(_MOVING * speed.max(), 1e-3))
    begins = [start for start, _ in [*moving, (len(series), 0)]][1:]
    whole = zip(moving, begins, strict=True)
    return [(a, b, c) for (a, b), c in whole if a > 0 and c - b > 2 * (b - a) // 3]


def _crossing(times_s: Times, share: Series, level: float) -> float:
    """When a series first reaches a level; the end of the window if it never does."""
    above = np.flatnonzero(share >= level)
    if not len(above) or above[0] == 0:
        return float(times_s[-1] if not len(above) else times_s[0])
    after = above[0]
    part = (level - share[after - 1]) / (share[after] - share[after - 1])
    return float(times_s[after - 1] + part * (times_s[after] - times_s[after - 1]))


def runs(true: Bool[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """First index and index after the last of every run of True."""
    edges = np.diff(np.concatenate([[0], true.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def eye_opening(points: Track2D, layout: Layout) -> Series:
    """Mean distance between the lids, pixels, across the eye; negative where they cross."""
    eyes = [o.members for o in layout.outlines if o.name.endswith(" eye")]
    return np.mean([_opening(points, ring) for ring in eyes], axis=0)


def mouth_opening(points: Track2D, layout: Layout) -> Series:
    """Mean distance between the inner edges of the lips, pixels, across the mouth."""
    rings = {o.name: o.members for o in layout.outlines}
    if "inner lip" in rings:
        return _opening(points, rings["inner lip"])
    right, lower, left, _ = rings["lower lip"]  # COFW: a ring for each lip
    upper = rings["upper lip"][3]
    return _opening(points, (right, upper, left, lower))


def _opening(points: Track2D, ring: tuple[int, ...]) -> Series:
    """A ring runs from one corner over the upper edge to the other corner, and back below."""
    half = len(ring) // 2
    upper, lower = points[:, ring[1:half]], points[:, ring[:half:-1]]
    along = points[:, ring[half]] - points[:, ring[0]]
    across = np.stack([-along[:, 1], along[:, 0]], -1)
    down = across / np.linalg.norm(across, axis=-1, keepdims=True)
    return np.einsum("flx,fx->f", lower - upper, down) / len(ring[1:half])


OPENINGS = {"blink": eye_opening, "mouth": mouth_opening}
"""By kind of clip."""


def gesture_amplitude(times_s: Times, opening: Series, truth: Series) -> float:
    """Peak of an opening or closing over the true peak, the median over the gestures of a clip.

    Args:
        times_s: Of the frames; the clip begins at rest.
        opening: Of eyes or mouth, as tracked.
        truth: The same, as it was.

    Returns:
        NaN where nothing opens or closes by a pixel.
    """
    moved = np.abs(truth - truth[0])
    if moved.max() < 1 or not np.isfinite(opening).any():
        return np.nan
    at_rest = moved < 0.01 * moved.max()
    sign = np.sign((truth - truth[0])[np.argmax(moved)])
    tracked, true = sign * (opening - np.nanmedian(opening[at_rest])), sign * (truth - truth[0])
    reach = round(0.2 / float(np.median(np.diff(times_s))))
    pulses = [(a, b) for a, b in runs(moved > _MOVING * moved.max()) if b + reach <= len(truth)]
    kept = [np.nanmax(tracked[a : b + reach]) / true[a:b].max() for a, b in pulses]
    return float(np.median(kept)) if kept else np.nan
