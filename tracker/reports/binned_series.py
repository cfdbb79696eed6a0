"""Figures over time in a fixed number of bins, however long the video."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

BINS = 400
_FIRST_WIDTH_S = 1 / 32


class BinnedSeries:
    """Sums and counts in bins of equal width, which doubles whenever time runs out of bins.

    Args:
        names: Of the figures.
        bins: At most so many; even.
    """

    def __init__(self, names: Sequence[str], bins: int = BINS) -> None:
        self.width_s = _FIRST_WIDTH_S
        self._names, self._bins = {name: at for at, name in enumerate(names)}, bins
        self._start_s: float | None = None
        self._used = 0
        self._sums = np.zeros((len(names), bins))
        self._counts = np.zeros((len(names), bins))

    def add(self, time_s: float, figures: Mapping[str, Sequence[float]]) -> None:
        """Take what is known of one frame.

        Args:
            time_s: Of the frame; one that falls counts as the first.
            figures: None, one or several values of each; those that are not finite do not count.
        """
        if self._start_s is None:
            self._start_s = time_s
        since_s = max(time_s - self._start_s, 0.0)
        while since_s >= self.width_s * self._bins:
            self._widen()
        at = int(since_s / self.width_s)
        self._used = max(self._used, at + 1)
        for name, values in figures.items():
            known = [value for value in values if np.isfinite(value)]
            self._sums[self._names[name], at] += sum(known)
            self._counts[self._names[name], at] += len(known)

    def widen_to(self, least_s: float) -> None:
        """Make bins at least so wide, so that none lies between two frames."""
        while self.width_s < least_s and self._used > 1:
            self._widen()

    def _widen(self) -> None:
        self.width_s *= 2
        self._used = (self._used + 1) // 2
        for kept in (self._sums, self._counts):
            kept[:, : self._bins // 2] = kept[:, ::2] + kept[:, 1::2]
            kept[:, self._bins // 2 :] = 0

    def means(self, name: str) -> Float[np.ndarray, " bins"]:
        """Of each bin up to the last one used; NaN where nothing was known."""
        row = self._names[name]
        sums, counts = self._sums[row, : self._used], self._counts[row, : self._used]
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def sums(self, name: str) -> Float[np.ndarray, " bins"]:
        """Of each bin up to the last one used."""
        return self._sums[self._names[name], : self._used].copy()

    def mean(self, name: str) -> float | None:
        """Over all frames; None where nothing was known."""
        count = self._counts[self._names[name]].sum()
        return float(self._sums[self._names[name]].sum() / count) if count else None

    def total(self, name: str) -> float:
        """Over all frames."""
        return float(self._sums[self._names[name]].sum())
