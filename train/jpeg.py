"""A picture after JPEG compression, as every camera and film has had it."""

import cv2
import numpy as np

from tracker.types import Image


def compressed(image: Image, quality: int) -> Image:
    """Encoded and decoded again.

    Args:
        image: RGB.
        quality: 0 to 100, as JPEG counts it.
    """
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, stored = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert decoded is not None  # what was just encoded
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
