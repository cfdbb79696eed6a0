import numpy as np
import pytest
from fakes import FIXTURES

from tracker.layouts import IBUG_68, WFLW_98, Layout
from train.metrics import failure_rate, normalised_mean_error


@pytest.mark.parametrize(("name", "layout"), [("WFLW", WFLW_98), ("300W", IBUG_68)])
def test_nme_equals_the_authors_numbers(name: str, layout: Layout) -> None:
    stored = np.load(FIXTURES / "metrics.npz")
    nme = normalised_mean_error(stored[f"{name}/pred"], stored[f"{name}/gt"], layout)
    np.testing.assert_allclose(nme, stored[f"{name}/nme_default"], rtol=1e-5)


def test_failures_are_those_beyond_the_threshold() -> None:
    assert failure_rate(np.array([0.01, 0.08, 0.081, 0.5]), 0.08) == 0.5
