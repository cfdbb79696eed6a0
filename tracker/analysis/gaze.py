"""Where an eye looks: its pupil lies on a sphere about a centre that the head carries."""

import numpy as np
from jaxtyping import Float

from .head_fit import POSE, HeadFit
from .linear_face import LinearFace
from .pinhole import PinholeCamera

_CENTRE_DEVIATION_MM = 0.8
"""Of an eyeball's centre within a head whose landmarks are known; the socket differs by person."""


def gaze_of(
    face: LinearFace,
    fit: HeadFit,
    camera: PinholeCamera,
    eye: int,
    pupil: Float[np.ndarray, "xy=2"],
    covariance: Float[np.ndarray, "xy=2 xy=2"],
) -> tuple[Float[np.ndarray, "3"], float]:
    """Unit vector in the camera's frame, and its standard deviation in degrees, in each direction.

    Args:
        face: That was fitted.
        fit: Of the head.
        camera: Of the picture.
        eye: 0 right, 1 left.
        pupil: Frame pixels.
        covariance: Square pixels.
    """
    identity = fit.shape[len(face.names) :]
    in_head = face.eyeball[eye] + face.eyeball_identity[eye] @ identity
    centre = fit.rotation @ in_head + fit.translation_mm
    ray, radius = camera.ray(pupil), face.eyeball_radius
    # Where the ray is nearest to the centre it leaves the sphere if it misses it.
    along = float(ray @ centre)
    aside = along * ray - centre
    depth = np.sqrt(max(radius**2 - float(aside @ aside), 0.0))
    gaze = aside - depth * ray
    gaze /= np.linalg.norm(gaze)
    return gaze, _deviation_deg(face, fit, camera, centre, covariance, max(depth, radius / 4))


def _deviation_deg(
    face: LinearFace,
    fit: HeadFit,
    camera: PinholeCamera,
    centre: np.ndarray,
    covariance: np.ndarray,
    depth: float,
) -> float:
    """An error across the ray turns the gaze by so much over the depth of the sphere there.

    The head's own rotation about the eyes moves an eyeball's centre with the lever of its depth
    behind them.
    """
    per_px = centre[2] / camera.focal_px
    pupil = per_px**2 * float(np.trace(covariance)) / 2
    lever = float(np.abs(face.eyeball[:, 2]).mean())
    turned = lever**2 * float(np.trace(fit.covariance[:2, :2])) / 2
    identity = fit.covariance[POSE + len(face.names) :, POSE + len(face.names) :]
    carried = np.einsum("xi,ij,xj->", face.eyeball_identity[0][:2], identity,
                        face.eyeball_identity[0][:2]) / 2  # fmt: skip
    variance = pupil + turned + float(carried) + _CENTRE_DEVIATION_MM**2
    return float(np.degrees(np.sqrt(variance) / depth))
