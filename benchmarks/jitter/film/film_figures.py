"""Figures of a track on a film without truth.

What optical flow sees is carried on for half a second, so that its own drift does not count: in
each such window a landmark's way by the flow is compared with its way by the track. What the track
has beyond the flow above 5 Hz is jitter; the delay at which both ways fit best, in windows of a
second, is lag.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy.signal import detrend

from tracker.run.stability import Times, Track2D, sampled, static_jitter

from ..smoothness import acceleration, without_rigid_motion
from ..truth_metrics import runs

WINDOW_S = 0.5
HIGH_HZ = 5.0
_STILL = 0.02
"""Eye distances a second below which the picture of a face holds still."""
_LEAST_STILL_S = 0.7
_LAGS_S = np.arange(-0.1, 0.3001, 0.002)
_LAG_WINDOW_S = 1.0
_LEAST_MOTION = 0.02
"""Eye distances RMS about a constant velocity, which tells nothing of the lag, in a window."""

Figures = dict[str, float]


def still_stretches(times_s: Times, steps: Track2D, eye_px: float) -> list[tuple[int, int]]:
    """Stretches in which the flow says that the whole face rests: first frame and frame after.

    Args:
        times_s: Of the frames.
        steps: Of the flow, one less than frames.
        eye_px: Eye distance.
    """
    dt_s = np.diff(times_s)
    speed = np.linalg.norm(np.nanmedian(steps, axis=1), axis=-1) / dt_s / eye_px
    slow = np.nan_to_num(_mean_over(speed, times_s), nan=np.inf) < _STILL
    return [(a, b + 1) for a, b in runs(slow) if times_s[b] - times_s[a] >= _LEAST_STILL_S]


def _mean_over(speed: Float[np.ndarray, " steps"], times_s: Times) -> np.ndarray:
    count = max(round(0.2 / float(np.median(np.diff(times_s)))), 1)
    return np.convolve(speed, np.ones(count) / count, mode="same")


def film_figures(times_s: Times, track: Track2D, steps: Track2D, eye_px: float) -> Figures:
    """Everything that can be said without a truth; lengths in % of the eye distance.

    Args:
        times_s: Of the frames.
        track: Landmarks, pixels; NaN rows where there is none.
        steps: Of the flow from each frame to the next.
        eye_px: The eye distance by which all tracks on this film are divided.
    """
    scale, found = 100 / eye_px, np.isfinite(track).all((1, 2))
    figures = {"found": 100 * float(found.mean())}
    if found.sum() < 10:
        return figures
    rigid_free = without_rigid_motion(track)
    figures |= {
        "acceleration": scale * acceleration(times_s, track),
        "acceleration_own": scale * acceleration(times_s, rigid_free),
        "high_energy": 100 * _high_share(times_s, track),
        "high_energy_own": 100 * _high_share(times_s, rigid_free),
    }
    rests = [track[a:b] for a, b in still_stretches(times_s, steps, eye_px) if found[a:b].all()]
    figures["still_s"] = sum(len(rest) for rest in rests) * float(np.median(np.diff(times_s)))
    if rests:
        figures["still_jitter"] = float(np.mean([100 * static_jitter(r, eye_px) for r in rests]))
    figures |= against_flow(times_s, track, steps, eye_px)
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def against_flow(times_s: Times, track: Track2D, steps: Track2D, eye_px: float) -> Figures:
    """NMF, jitter above 5 Hz and lag of a track against the picture's own motion."""
    change = np.diff(track, axis=0) - steps
    size = np.sqrt(np.prod(np.nanmedian(np.ptp(track, axis=1), axis=0))) / 256
    flicker = np.square(100 * np.linalg.norm(change, axis=-1) / size).mean(1)
    flicker = flicker[np.isfinite(flicker)]
    figures = {"nmf": float(np.sqrt(flicker.mean())) if len(flicker) else np.nan}
    fits = [
        _misfits(at_s, own, way)
        for at_s, own, way in _windows(times_s, track, steps, _LAG_WINDOW_S)
        if np.std(detrend(way, axis=0), axis=0).mean() >= _LEAST_MOTION * eye_px
    ]
    lag_s = _best_lag(np.sum(fits, axis=0)) if fits else 0.0
    if fits:
        figures["flow_lag_ms"] = 1e3 * lag_s
    beyond = [
        _high_power(own - way, float(np.median(np.diff(at_s))))
        for at_s, own, way in _windows(times_s, track, steps, WINDOW_S, max(lag_s, 0.0))
    ]
    if beyond:
        figures["flow_jitter"] = 100 * float(np.sqrt(np.mean(beyond))) / eye_px
    return figures


def _windows(
    times_s: Times, track: Track2D, steps: Track2D, seconds: float, lag_s: float = 0.0
) -> Iterator[tuple[Times, Track2D, Track2D]]:
    """Times, the track and the flow's way, so much earlier, of stretches that overlap by half."""
    dt_s = float(np.median(np.diff(times_s)))
    count, before = max(round(seconds / dt_s), 6), int(np.ceil(lag_s / dt_s))
    none = np.zeros((1, *steps.shape[1:]))
    for start in range(before, len(track) - count + 1, count // 2):
        window, longer = slice(start, start + count), slice(start - before, start + count)
        way = np.concatenate([none, steps[longer][: count + before - 1]]).cumsum(0)
        if np.isfinite(way).all() and np.isfinite(track[window]).all():
            delayed = sampled(times_s[longer], way, times_s[window] - lag_s) if lag_s else way
            yield times_s[window], track[window], delayed


def _high_power(series: Track2D, dt_s: float) -> float:
    """Mean over points of the variance above `HIGH_HZ`, x and y together, the trend taken off."""
    flat = detrend(series, axis=0)
    power = np.square(np.abs(np.fft.rfft(flat, axis=0)))
    power[1 : (len(flat) + 1) // 2] *= 2
    high = np.fft.rfftfreq(len(flat), dt_s) > HIGH_HZ
    return float(power[high].sum(0).sum(-1).mean()) / len(flat) ** 2


def _high_share(times_s: Times, track: Track2D) -> float:
    """Share of the energy above `HIGH_HZ`, linear trend off and with a Hann window."""
    parts = []
    for start, end in runs(np.isfinite(track).all((1, 2))):
        if end - start < 16:
            continue
        flat = detrend(track[start:end], axis=0) * np.hanning(end - start)[:, None, None]
        power = np.square(np.abs(np.fft.rfft(flat, axis=0))).sum((1, 2))
        high = np.fft.rfftfreq(end - start, float(np.median(np.diff(times_s)))) > HIGH_HZ
        parts.append((power[high].sum(), power.sum()))
    above, all_of_it = np.sum(parts, axis=0) if parts else (np.nan, np.nan)
    return float(above / all_of_it) if all_of_it else np.nan


def _misfits(times_s: Times, own: Track2D, way: Track2D) -> Float[np.ndarray, " lags"]:
    """Squared distance of both ways at each delay, where the flow is known at every delay."""
    inside = (times_s >= times_s[0] + _LAGS_S[-1]) & (times_s <= times_s[-1] + _LAGS_S[0])
    seen = own[inside] - own[inside].mean(0)
    misfits = []
    for lag in _LAGS_S:
        moved = sampled(times_s, way, times_s[inside] - lag)
        misfits.append(float(np.square(seen - (moved - moved.mean(0))).sum()))
    return np.array(misfits)


def _best_lag(misfits: Float[np.ndarray, " lags"]) -> float:
    """Where the sum is least, between the steps by a parabola."""
    best = int(np.argmin(misfits))
    if best in (0, len(misfits) - 1):
        return float(_LAGS_S[best])
    before, at, after = misfits[best - 1 : best + 2]
    bend = before - 2 * at + after
    shift = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float(_LAGS_S[best] + shift * (_LAGS_S[1] - _LAGS_S[0]))


def block_figures(
    times_s: Times, track: Track2D, steps: Track2D, eye_px: float, blocks: int
) -> list[Figures]:
    """The same figures of so many parts of the film: what intervals are drawn from."""
    ends = np.linspace(0, len(times_s), blocks + 1).astype(int)
    return [
        film_figures(times_s[a:b], track[a:b], steps[a : b - 1], eye_px)
        for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        if b - a > 20
    ]
