import numpy as np
import pytest

from tracker.filter.adaptive_noise import noise_share
from tracker.filter.config import MotionConfig


@pytest.mark.parametrize("landmarks", [29, 68], ids=["odd", "even"])
def test_half_of_the_landmarks_decide_whether_a_face_moves(
    landmarks: int, rng: np.random.Generator
) -> None:
    config, eyes = MotionConfig(), np.full(3, 100.0)
    offset = rng.standard_normal((2, 3, landmarks))
    squared = np.median(np.square(offset).sum(0), -1) / eyes**2
    moved = squared / (squared + config.half_noise_motion**2)
    share = config.still_noise_share + (1 - config.still_noise_share) * moved
    np.testing.assert_allclose(noise_share(offset, eyes, config), share, rtol=1e-12)
