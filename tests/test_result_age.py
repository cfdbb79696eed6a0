import math

import numpy as np
import pytest

from tracker.run.result_age import ResultAges


def test_percentiles_are_those_of_all_ages(rng: np.random.Generator) -> None:
    results, ages_ms = ResultAges(), rng.gamma(4, 10, 5000)
    for age in ages_ms:
        results.add(age / 1000)
    assert results.overall.p50_ms == pytest.approx(np.quantile(ages_ms, 0.5), abs=1)
    assert results.overall.p95_ms == pytest.approx(np.quantile(ages_ms, 0.95), abs=1)


def test_the_last_seconds_forget_what_was_before() -> None:
    results = ResultAges()
    for age_ms in [900] * 300 + [30] * 200:
        results.add(age_ms / 1000)
    assert str(results.recent) == "30 / 30 ms"
    assert results.overall.p50_ms == 900


def test_of_nothing_nothing_is_known() -> None:
    assert not ResultAges()
    assert math.isnan(ResultAges().overall.p50_ms)
