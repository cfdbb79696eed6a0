import numpy as np
import pytest

from tracker.head import MotionConfig
from tracker.noise import flicker_share


@pytest.mark.parametrize("landmarks", [29, 68], ids=["odd", "even"])
def test_half_of_the_landmarks_decide_whether_a_face_moves(
    landmarks: int, rng: np.random.Generator
) -> None:
    config, eyes = MotionConfig(), np.full(3, 100.0)
    offset = rng.standard_normal((2, 3, landmarks))
    squared = np.median(np.square(offset).sum(0), -1) / eyes**2
    moved = squared / (squared + config.unsteady**2)
    share = config.steady + (1 - config.steady) * moved
    np.testing.assert_allclose(flicker_share(offset, eyes, config), share, rtol=1e-12)
