import math

import numpy as np
import pytest

from tracker.latency import Latency


def test_percentiles_are_those_of_all_ages(rng: np.random.Generator) -> None:
    latency, ages_ms = Latency(), rng.gamma(4, 10, 5000)
    for age in ages_ms:
        latency.add(age / 1000)
    assert latency.overall.p50_ms == pytest.approx(np.quantile(ages_ms, 0.5), abs=1)
    assert latency.overall.p95_ms == pytest.approx(np.quantile(ages_ms, 0.95), abs=1)


def test_the_last_seconds_forget_what_was_before() -> None:
    latency = Latency()
    for age_ms in [900] * 300 + [30] * 200:
        latency.add(age_ms / 1000)
    assert str(latency.recent) == "30 / 30 ms"
    assert latency.overall.p50_ms == 900


def test_of_nothing_nothing_is_known() -> None:
    assert not Latency()
    assert math.isnan(Latency().overall.p50_ms)
