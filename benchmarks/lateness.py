"""How far behind the truth a track of landmarks is, and what it loses on the way.

The truth of a clip is the known motion; the network adds a bias of its own, which is no filter's
doing. `reference` therefore carries the bias of the raw measurements: their mean offset over the
whole clip, in coordinates of the face, moved along. The raw track has no lag, so neither has the
reference. Figures of gestures compare changes, in which a bias cancels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize_scalar

from tracker.layouts import Layout

from .recordings import Track2D

Course = Float[np.ndarray, " frames"]

LONGEST_LAG_S = 0.5
"""A track that is later is said to be so late."""
_LONGEST_LEAD_S = 0.1
_LAG_STEP_S = 0.02
LAG_TOLERANCE_S = 1e-4
"""Lags are not known better."""
_CALM_S = 0.5
_MOVING = 0.05
"""Of the greatest speed or gesture: beyond it something moves."""


def reference(raw: Track2D, truth: Track2D) -> Track2D:
    """The truth with the raw measurements' mean offset, which turns and grows with the face."""
    home = _complex(truth[0] - truth[0].mean(0))
    here = _complex(truth - truth.mean(1, keepdims=True))
    turn = (here @ home.conj()) / np.square(np.abs(home)).sum()  # frame_from_home, linear part
    bias = np.nanmean(_complex(raw - truth) / turn[:, None], axis=0)
    moved = turn[:, None] * bias
    return truth + np.stack([moved.real, moved.imag], -1)


def _complex(points: Float[np.ndarray, "*batch xy=2"]) -> np.ndarray:
    return points[..., 0] + 1j * points[..., 1]


def error(track: Track2D, truth: Track2D) -> Course:
    """RMS distance over the landmarks in each frame."""
    return np.sqrt(np.square(track - truth).sum(-1).mean(-1))


def lag_s(times_s: Course, track: Track2D, truth: Track2D) -> float:
    """Delay of the truth at which it lies nearest to the track, by least squares; sub-frame.

    The first half second is left out: no filter knows a velocity at once. Between -0.1 s and
    0.5 s; NaN where nothing moves.
    """
    if np.nanmax(np.ptp(truth, axis=0)) < 1:
        return np.nan
    inside = (times_s >= times_s[0] + LONGEST_LAG_S) & (times_s <= times_s[-1] - _LONGEST_LEAD_S)
    inside &= np.isfinite(track).all((1, 2))
    if inside.sum() < 2:
        return np.nan
    now, seen = times_s[inside], track[inside]

    def misfit(lag: float) -> float:
        return float(np.square(seen - sampled(times_s, truth, now - lag)).sum())

    coarse = np.arange(-_LONGEST_LEAD_S, LONGEST_LAG_S, _LAG_STEP_S)
    best = coarse[int(np.argmin([misfit(lag) for lag in coarse]))]
    low, high = best - _LAG_STEP_S, min(best + _LAG_STEP_S, LONGEST_LAG_S)
    exact = minimize_scalar(
        misfit, bounds=(low, high), method="bounded", options={"xatol": LAG_TOLERANCE_S}
    )
    return float(exact.x)


def sampled(times_s: Course, track: np.ndarray, at_s: Course) -> np.ndarray:
    """Linear interpolation between frames, held at both ends."""
    after = np.clip(np.searchsorted(times_s, at_s), 1, len(times_s) - 1)
    span = times_s[after] - times_s[after - 1]
    share = np.clip((at_s - times_s[after - 1]) / span, 0, 1)
    share = share.reshape(-1, *[1] * (track.ndim - 1))
    return (1 - share) * track[after - 1] + share * track[after]


def settle_s(times_s: Course, errors: Course, raw: Course) -> float:
    """Time from the start after which the error stays below a third of the raw level.

    The level is that of the raw measurements in the last third of the clip, the same for every
    filter. Against its own last level a filter would settle the later the calmer it gets: the
    mean of k frames of white noise comes within twice that of n frames at k = n / 4 only.

    Returns:
        NaN if it never does.
    """
    if not np.isfinite(errors).any():
        return np.nan
    loud = np.flatnonzero(~(errors <= _last_level(raw) / 3) & np.isfinite(errors))
    first = loud[-1] + 1 if len(loud) else 0
    return float(times_s[first] - times_s[0]) if first < len(errors) else np.nan


def _first_calm_s(times_s: Course, errors: Course) -> float:
    """Time from the start until the error first falls below twice its level of the last third."""
    if not np.isfinite(errors).any():
        return np.nan
    calm = np.flatnonzero(errors <= 2 * _last_level(errors))
    return float(times_s[calm[0]] - times_s[0]) if len(calm) else np.nan


def _last_level(errors: Course) -> float:
    return float(np.sqrt(np.nanmean(np.square(errors[-(len(errors) // 3) :]))))


def calm_s(times_s: Course, track: Track2D) -> float:
    """Time from the start until jitter within half a second falls below twice its final level.

    A filter of white noise whose error ends n times below that noise needs n^2 / 4 frames to come
    within twice of it; but it may move no more long before.
    """
    count = max(round(_CALM_S / float(np.median(np.diff(times_s)))), 2)
    if len(track) < 3 * count:
        return np.nan
    windows = np.lib.stride_tricks.sliding_window_view(track, count, axis=0)
    jitter = np.sqrt(windows.var(-1).sum(-1).mean(-1))
    return _first_calm_s(times_s[: len(jitter)], jitter)


@dataclass(frozen=True, slots=True)
class StepResponse:
    """Medians over the steps of a clip, seconds; at most the time until the next step."""

    half_s: float
    """From the truth's crossing of 50 % of the way to the track's."""
    ninety_s: float
    settle_s: float
    """From the dead stop until the error is below twice its level at the end of the rest."""


def step_response(times_s: Course, track: Track2D, truth: Track2D) -> StepResponse:
    """How the track follows quick moves with rests between; NaN where there is none."""
    place, seen = (points.mean(1) for points in (truth, track))
    along = np.linalg.svd(place - place.mean(0), full_matrices=False)[2][0]
    course, followed, errors = place @ along, seen @ along, error(track, truth)
    steps = _steps(course)
    if not steps:
        return StepResponse(np.nan, np.nan, np.nan)
    rows = []
    for (start, stop), until in steps:
        share = (course[start:until] - course[start]) / (course[stop] - course[start])
        reached = (followed[start:until] - course[start]) / (course[stop] - course[start])
        window = times_s[start:until]
        delays = [_crossing(window, reached, x) - _crossing(window, share, x) for x in (0.5, 0.9)]
        rows.append([*delays, _first_calm_s(times_s[stop:until], errors[stop:until])])
    return StepResponse(*np.median(rows, axis=0).tolist())


def _steps(course: Course) -> list[tuple[tuple[int, int], int]]:
    """First and last frame of each whole move, and where the next one begins."""
    speed = np.abs(np.diff(course))
    moving = runs(speed > max(_MOVING * speed.max(), 1e-3))
    begins = [start for start, _ in [*moving, (len(course), 0)]][1:]
    whole = zip(moving, begins, strict=True)
    return [((a, b), c) for (a, b), c in whole if a > 0 and c - b > 2 * (b - a) // 3]


def _crossing(times_s: Course, share: Course, level: float) -> float:
    """When a course first reaches a level; the end of the window if it never does."""
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


def normalised_mean_flicker(track: Track2D, truth: Track2D) -> float:
    """LDEQ's NMF: change of the error between frames, in % of the root of the box's area.

    NMF = RMS_t RMS_i 100 |d_t,i - d_t+1,i| / s_t+1 with d and s in the same units.

    Source:
        Micaelli et al. 2023, `video_NMJ` of the published code.
    """
    change = np.linalg.norm(np.diff(track - truth, axis=0), axis=-1)
    size = np.sqrt(np.ptp(truth, axis=1).prod(-1))[1:]
    flicker = 100 * np.sqrt(np.square(change).mean(-1)) / size
    return float(np.sqrt(np.nanmean(np.square(flicker))))


@dataclass(frozen=True, slots=True)
class Gesture:
    """What is left of eyes that close or a mouth that opens; medians over the pulses of a clip."""

    kept: float
    """Peak over the true peak."""
    late_s: float
    """Delay at which the whole course correlates best with the true one."""


def eye_opening(points: Track2D, layout: Layout) -> Course:
    """Mean distance between the lids, pixels, across the eye; negative where they cross."""
    eyes = [o.members for o in layout.outlines if o.name.endswith(" eye")]
    return np.mean([_opening(points, ring) for ring in eyes], axis=0)


def mouth_opening(points: Track2D, layout: Layout) -> Course:
    """Mean distance between the inner edges of the lips, pixels, across the mouth."""
    rings = {o.name: o.members for o in layout.outlines}
    if "inner lip" in rings:
        return _opening(points, rings["inner lip"])
    right, lower, left, _ = rings["lower lip"]  # COFW: a ring for each lip
    upper = rings["upper lip"][3]
    return _opening(points, (right, upper, left, lower))


def _opening(points: Track2D, ring: tuple[int, ...]) -> Course:
    """A ring runs from one corner over the upper edge to the other corner, and back below."""
    half = len(ring) // 2
    upper, lower = points[:, ring[1:half]], points[:, ring[:half:-1]]
    along = points[:, ring[half]] - points[:, ring[0]]
    across = np.stack([-along[:, 1], along[:, 0]], -1)
    down = across / np.linalg.norm(across, axis=-1, keepdims=True)
    return np.einsum("flx,fx->f", lower - upper, down) / len(ring[1:half])


def gesture(times_s: Course, opening: Course, truth: Course) -> Gesture:
    """Compare the course of an opening with the true one; NaN where nothing opens or closes.

    The clip begins at rest.
    """
    rest = truth[0]
    moved = np.abs(truth - rest)
    if moved.max() < 1 or not np.isfinite(opening).any():
        return Gesture(np.nan, np.nan)
    still = moved < 0.01 * moved.max()
    sign = np.sign((truth - rest)[np.argmax(moved)])
    done, true = sign * (opening - np.nanmedian(opening[still])), sign * (truth - rest)
    reach = round(0.2 / float(np.median(np.diff(times_s))))
    pulses = [(a, b) for a, b in runs(moved > _MOVING * moved.max()) if b + reach <= len(truth)]
    kept = [np.nanmax(done[a : b + reach]) / true[a:b].max() for a, b in pulses]
    if not kept:
        return Gesture(np.nan, np.nan)
    return Gesture(float(np.median(kept)), _course_lag_s(times_s, done, true))


def _course_lag_s(times_s: Course, course: Course, truth: Course) -> float:
    """Delay of best correlation: a flattened peak is not mistaken for a late one."""
    seen = np.isfinite(course)
    lags = np.arange(-_LONGEST_LEAD_S, LONGEST_LAG_S, 0.001)
    fits = [
        np.corrcoef(course[seen], sampled(times_s, truth, times_s[seen] - x))[0, 1] for x in lags
    ]
    return float(lags[int(np.argmax(fits))])
