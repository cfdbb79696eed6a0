"""A pinhole camera of which nothing but the field of view is known."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

DEFAULT_FOV_DEG = 60.0
"""Of webcams, usually 55 to 78 along the longer side."""


@dataclass(frozen=True, slots=True)
class PinholeCamera:
    """Where a ray meets the picture; x right, y down, z away from the camera."""

    focal_px: float
    center: tuple[float, float]
    """Where the optical axis meets the picture, pixels."""

    @staticmethod
    def of_size(width: int, height: int, fov_deg: float = DEFAULT_FOV_DEG) -> "PinholeCamera":
        """The camera of a picture whose longer side covers so many degrees."""
        focal_px = max(width, height) / 2 / np.tan(np.radians(fov_deg) / 2)
        return PinholeCamera(float(focal_px), ((width - 1) / 2, (height - 1) / 2))

    def narrowed(self, factor: float) -> "PinholeCamera":
        """The same picture through a lens so many times as long: everything is as much farther."""
        return replace(self, focal_px=self.focal_px * factor)

    def project(self, points: Float[np.ndarray, "*n xyz=3"]) -> Float[np.ndarray, "*n xy=2"]:
        """Pixels of points in front of the camera."""
        return self.focal_px * points[..., :2] / points[..., 2:] + np.array(self.center)

    def jacobian(self, points: Float[np.ndarray, "*n xyz=3"]) -> Float[np.ndarray, "*n xy=2 xyz=3"]:
        """How the pixels of points change with them."""
        slope = np.zeros((*points.shape[:-1], 2, 3))
        nearness = self.focal_px / points[..., 2]
        slope[..., 0, 0] = slope[..., 1, 1] = nearness
        slope[..., 2] = -nearness[..., None] * points[..., :2] / points[..., 2:]
        return slope

    def rays(self, pixels: Float[np.ndarray, "n xy=2"]) -> Float[np.ndarray, "n xyz=3"]:
        """Unit vectors from the camera through pixels."""
        directions = np.ones((len(pixels), 3))
        directions[:, :2] = (pixels - np.array(self.center)) / self.focal_px
        return directions / np.sqrt(np.square(directions).sum(-1, keepdims=True))
