"""How old results are when they are there: from a frame's arrival to its faces."""

from collections import Counter, deque
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock

_RECENT = 100
"""Frames, some three seconds of a camera."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Half of all results, and 95 % of them, are at most this old."""

    p50_ms: float
    p95_ms: float

    def __str__(self) -> str:
        return f"{self.p50_ms:.0f} / {self.p95_ms:.0f} ms"


class ResultAges:
    """Ages of results to the millisecond, in memory that does not grow with their number.

    One thread may add while another asks.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._counted: Counter[int] = Counter()

    def __bool__(self) -> bool:
        return bool(self._counted)

    def add(self, age_s: float) -> None:
        """Count one more result."""
        age_ms = round(1000 * age_s)
        with self._lock:
            self._recent.append(age_ms)
            self._counted[age_ms] += 1

    @property
    def recent(self) -> Percentiles:
        """Of the last seconds."""
        with self._lock:
            recent = Counter(self._recent)
        return _percentiles(recent)

    @property
    def overall(self) -> Percentiles:
        """Of the whole run."""
        with self._lock:
            counted = self._counted.copy()
        return _percentiles(counted)


def _percentiles(counted: Counter[int]) -> Percentiles:
    return Percentiles(_quantile(counted, 0.5), _quantile(counted, 0.95))


def _quantile(counted: Counter[int], share: float) -> float:
    """The smallest age that this share of all does not exceed; NaN of nothing."""
    ages = sorted(counted)
    upto = accumulate(counted[age] for age in ages)
    needed = share * counted.total()
    return next(
        (age for age, count in zip(ages, upto, strict=True) if count >= needed), float("nan")
    )
