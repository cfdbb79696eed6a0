"""The filter for landmarks of any origin: somebody else's network, markers, a recording."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from ..checks import checked_number, checked_time
from ..layouts import LAYOUTS, Layout, plain_layout
from ..types import LandmarkEstimate
from .config import MotionConfig, smoothed
from .head_filter import HeadFilter
from .kalman import packed
from .state import HeadState, joined

_STATED_NOISE = MotionConfig(still_noise_share=1.0, initial_noise_factor=1.0)
"""The caller's noise is taken at its word, and learned from there."""

_FARTHEST_PX = 1e9
_MOST_LANDMARKS = 100_000

Points = Float[np.ndarray, "faces landmarks xy=2"]
Covariances = Float[np.ndarray, "faces landmarks xy=2 xy=2"]
Seen = Bool[np.ndarray, "faces landmarks"]


class LandmarkFilter:
    """Takes jitter out of landmarks without lag; needs nothing but NumPy.

    Args:
        layout: A `tracker.layouts.Layout`, the name of one ("300W-68", "WFLW-98", "COFW-29"), or
            the number of landmarks. A layout says which landmarks move together; of a mere number
            all landmarks are one part.
        noise_px: Standard deviation of measurements along x and along y, pixels; where no
            covariance is given.
        smoothing: From 0, as measured, to 1, calmest in motion.

    Raises:
        ValueError: If an argument is not of that kind.
    """

    def __init__(
        self, layout: Layout | str | int, noise_px: float = 1.0, *, smoothing: float = 0.5
    ) -> None:
        checked_number("noise_px", noise_px, 1e-6, 1e6)
        checked_number("smoothing", smoothing, 0, 1)
        self._noise_px2 = float(noise_px) ** 2
        self.layout = _known_layout(layout)
        """Of the landmarks."""
        # Eye corners may be missing, so the unit of length comes from all landmarks.
        by_size = replace(self.layout, has_eyes=False)
        self._filter = HeadFilter(by_size, smoothed(_STATED_NOISE, smoothing))
        self.reset()

    def reset(self) -> None:
        """Forget all faces and the time, as before another video."""
        self._states: list[HeadState | None] = []
        """None of a face that was never measured."""
        self._ever_seen: Seen | None = None
        self._last_s = -np.inf

    def update(
        self,
        points: Float[np.ndarray, "*faces landmarks xy=2"],
        time_s: float,
        covariance: Float[np.ndarray, "*faces landmarks xy=2 xy=2"] | None = None,
    ) -> LandmarkEstimate:
        """Take in the landmarks of a frame.

        Args:
            points: (landmarks, 2) of one face or (faces, landmarks, 2) of several, pixels; the same
                faces in every frame. A landmark, or a face, that was not measured is NaN.
            time_s: When they were measured, in seconds; never falls.
            covariance: Measurement noise, one more axis of 2, square pixels; NaN where a landmark
                is.

        Returns:
            Filtered landmarks and their covariances, shaped as `points`, in arrays of their own;
            NaN where a landmark was never measured.

        Raises:
            ValueError: If shapes, times or covariances are not of that form; nothing changes.
        """
        measured = self._checked_points(points)
        seen = np.isfinite(measured).all(-1)
        noise = self._checked_noise(covariance, seen)
        time_s = checked_time(time_s, self._last_s)
        dt_s = np.array([0.0 if self._ever_seen is None else time_s - self._last_s])
        if self._ever_seen is None:
            self._ever_seen = np.zeros_like(seen)
            self._states = [None] * len(measured)
        self._last_s = time_s
        for face in range(len(measured)):
            here = slice(face, face + 1)
            self._states[face] = self._after(face, measured[here], noise[here], seen[here], dt_s)
        self._ever_seen = self._ever_seen | seen
        return self._estimate(np.ndim(points))

    def _after(
        self, face: int, measured: Points, noise: Covariances, seen: Seen, dt_s: np.ndarray
    ) -> HeadState | None:
        """The state of one face after this frame."""
        state = self._states[face]
        assert self._ever_seen is not None
        if not seen.any():
            return None if state is None else self._filter.coast(state, dt_s)
        if state is None:
            middle = measured[seen].mean(0)
            return self._filter.start(np.where(seen[..., None], measured, middle), noise)
        new = seen & ~self._ever_seen[face : face + 1]
        if new.any():  # a landmark starts where it is first measured
            variance = np.where(new, packed(noise), state.landmark_covariance)
            known = np.where(new[..., None], measured, state.points)
            state = replace(state, points=known, landmark_covariance=variance)
        after, _ = self._filter.update(state, measured, noise, dt_s)
        return after

    def _estimate(self, ndim: int) -> LandmarkEstimate:
        assert self._ever_seen is not None
        mean = np.full((*self._ever_seen.shape, 2), np.nan)
        covariance = np.full((*mean.shape, 2), np.nan)
        known = [face for face, state in enumerate(self._states) if state is not None]
        if known:
            state = joined([one for one in self._states if one is not None])
            mean[known], covariance[known] = state.points, self._filter.covariance(state)
        mean[~self._ever_seen] = covariance[~self._ever_seen] = np.nan
        return (
            LandmarkEstimate(mean, covariance)
            if ndim == 3
            else LandmarkEstimate(mean[0], covariance[0])
        )

    def _checked_points(self, points: object) -> Points:
        count = self.layout.count
        wanted = f"points must have shape ({count}, 2) or (faces, {count}, 2)"
        measured = _numbers(points, wanted)
        if measured.ndim not in (2, 3) or measured.shape[-2:] != (count, 2):
            raise ValueError(f"{wanted}, got {measured.shape}")
        measured = measured.reshape(-1, count, 2)
        if (np.abs(measured) > _FARTHEST_PX).any():
            raise ValueError(
                f"points must lie within {_FARTHEST_PX:g} pixels, or be NaN where not measured, "
                f"got {np.nanmax(np.abs(measured)):g}"
            )
        if self._ever_seen is not None and len(measured) != len(self._ever_seen):
            raise ValueError(
                f"points must be of the same {len(self._ever_seen)} faces in every frame, got "
                f"{len(measured)}: give NaN for a face that is not there, or call reset()"
            )
        return measured

    def _checked_noise(self, covariance: object, seen: Seen) -> Covariances:
        """R of every landmark, that of missing ones made up."""
        usual = np.broadcast_to(self._noise_px2 * np.eye(2), (*seen.shape, 2, 2))
        if covariance is None:
            return usual
        count = self.layout.count
        wanted = f"covariance must have shape ({count}, 2, 2), or (faces, {count}, 2, 2) as points"
        noise = _numbers(covariance, wanted)
        if noise.size != usual.size or noise.shape[-3:] != usual.shape[-3:]:
            raise ValueError(f"{wanted}, got {noise.shape}")
        noise = noise.reshape(usual.shape)
        of_seen = noise[seen]
        determinant = of_seen[:, 0, 0] * of_seen[:, 1, 1] - of_seen[:, 0, 1] * of_seen[:, 1, 0]
        good = np.isfinite(of_seen).all((1, 2)) & (of_seen[:, 0, 0] > 0) & (determinant > 0)
        good &= np.isclose(of_seen[:, 0, 1], of_seen[:, 1, 0])
        if not good.all():
            bad = of_seen[~good][0].tolist()
            raise ValueError(f"covariance must be symmetric and positive definite, got {bad}")
        return np.where(seen[..., None, None], noise, usual)


def _numbers(values: object, wanted: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{wanted}, got {type(values).__name__}") from error
    if array.dtype.kind not in "iuf":
        kind = type(values).__name__ if array.dtype.kind in "OSU" else f"{array.dtype} values"
        raise ValueError(f"{wanted}, got {kind}")
    return array.astype(np.float64)


def _known_layout(layout: object) -> Layout:
    if isinstance(layout, Layout):
        return layout
    if isinstance(layout, str) and layout in LAYOUTS:
        return LAYOUTS[layout]
    if isinstance(layout, int | np.integer) and not isinstance(layout, bool):
        if 0 < layout <= _MOST_LANDMARKS:
            return plain_layout(int(layout))
        raise ValueError(f"a filter takes 1 to {_MOST_LANDMARKS} landmarks, got {layout}")
    known = ", ".join(LAYOUTS)
    raise ValueError(
        f"layout must be a Layout, one of {known}, or a number of landmarks, got {layout!r}"
    )
