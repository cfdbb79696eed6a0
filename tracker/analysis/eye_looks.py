"""ARKit's `eyeLook…` coefficients: where each eye looks, seen from its own head."""

import math

from ..face_analysis import Estimate, Eye
from .coefficient_names import EYE_LOOKS
from .rotations import Rotation

_ASIDE_DEG, _UP_DOWN_DEG = 35.0, 30.0
"""At which a coefficient is 1: as far as eyes turn with ease."""


def eye_looks(rotation: Rotation, right: Eye, left: Eye) -> dict[str, Estimate]:
    """Of eyes that look somewhere; one of two opposite coefficients is always 0.

    Args:
        rotation: From the head's frame to the camera's.
        right: The person's own right eye.
        left: Likewise.
    """
    looks: dict[str, Estimate] = {}
    for eye, (inwards, outwards, up, down), towards_nose in (
        (right, EYE_LOOKS[:4], 1.0), (left, EYE_LOOKS[4:], -1.0)
    ):  # fmt: skip
        if eye.gaze is None or eye.gaze_deviation_deg is None:
            continue
        x, y, z = (eye.gaze @ rotation).tolist()
        aside = towards_nose * math.degrees(math.atan2(x, -z)) / _ASIDE_DEG
        lowered = math.degrees(math.asin(min(max(y, -1.0), 1.0))) / _UP_DOWN_DEG
        for name, value, full_deg in (
            (inwards, aside, _ASIDE_DEG), (outwards, -aside, _ASIDE_DEG),
            (up, -lowered, _UP_DOWN_DEG), (down, lowered, _UP_DOWN_DEG),
        ):  # fmt: skip
            looks[name] = Estimate(min(max(value, 0.0), 1.0), eye.gaze_deviation_deg / full_deg)
    return looks
