from importlib.util import find_spec

import numpy as np
import pytest

from tracker.analysis.linear_face import LinearFace, load_linear_face


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
def linear() -> LinearFace:
    """The face that head pose and expression are read with."""
    return load_linear_face()
