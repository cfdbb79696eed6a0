from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from tracker.analysis.linear_face import LinearFace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the extra `mediapipe` is skipped without it; `make check` runs it with it."""
    if find_spec("mediapipe"):
        return
    reason = "needs the extra: pip install '.[mediapipe]'"
    for item in items:
        if item.get_closest_marker("mediapipe"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def linear() -> "LinearFace":
    """The face that head pose and expression are read with."""
    # Here, not on top: shapes are checked in what is imported after this file.
    from tracker.analysis.linear_face import load_linear_face  # noqa: PLC0415

    return load_linear_face()
