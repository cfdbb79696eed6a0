"""The field of view of a calibrated camera, from the file that OpenCV's tools write."""

from pathlib import Path

import cv2
import numpy as np

from ..errors import FaceTrackError

_SIZE = ("image_width", "image_height")


def calibrated_fov_deg(path: Path) -> float:
    """Along the longer side, degrees; lens and sensor are taken for centred and undistorted.

    Args:
        path: YAML, XML or JSON with `camera_matrix`, `image_width` and `image_height`.

    Raises:
        FaceTrackError: If it holds no calibration.
    """
    try:
        if not path.is_file():
            raise ValueError("no such file")
        storage = cv2.FileStorage(str(path), cv2.FileStorage_READ)
        matrix = storage.getNode("camera_matrix").mat()
        width, height = (storage.getNode(name).real() for name in _SIZE)
        storage.release()
        if matrix is None or matrix.shape != (3, 3) or min(width, height) < 1:
            raise ValueError("camera_matrix, image_width and image_height are wanted")
        side, focal_px = (width, matrix[0, 0]) if width >= height else (height, matrix[1, 1])
        fov_deg = float(np.degrees(2 * np.arctan2(side / 2, focal_px)))
        if not 1 <= fov_deg <= 170:
            raise ValueError(f"a field of view of {fov_deg:.0f} degrees")
    except (ValueError, cv2.error, SystemError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise FaceTrackError(
            f"{path}: is no calibration as OpenCV writes it ({reason}): state degrees"
        ) from error
    return fov_deg
