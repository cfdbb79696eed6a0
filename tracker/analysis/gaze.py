"""Where eyes look: a pupil lies on a sphere about a centre that the head carries."""

import numpy as np
from jaxtyping import Float

from .head_fit import POSE, HeadFit
from .linear_face import LinearFace
from .pinhole import PinholeCamera

_CENTRE_DEVIATION_MM = 0.6
"""Of an eyeball's centre within a head whose landmarks are known; the socket differs by person."""


def gazes_of(
    face: LinearFace,
    fit: HeadFit,
    camera: PinholeCamera,
    pupils: Float[np.ndarray, "eyes=2 xy=2"],
    covariances: Float[np.ndarray, "eyes=2 xy=2 xy=2"],
) -> tuple[Float[np.ndarray, "eyes=2 xyz=3"], Float[np.ndarray, "eyes=2"]]:
    """Unit vectors in the camera's frame, and standard deviations in degrees, in each direction.

    Args:
        face: That was fitted.
        fit: Of the head.
        camera: Of the picture.
        pupils: Frame pixels, of the right and the left eye.
        covariances: Square pixels.
    """
    identity = fit.shape[len(face.names) :]
    in_head = face.eyeball + face.eyeball_identity @ identity
    centres = in_head @ fit.rotation.T + fit.translation_mm
    rays, radius = camera.rays(pupils), face.eyeball_radius
    # Where a ray is nearest to the centre it leaves the sphere if it misses it.
    aside = (rays * centres).sum(-1, keepdims=True) * rays - centres
    depth = np.sqrt(np.maximum(radius**2 - np.square(aside).sum(-1), 0.0))
    gazes = aside - depth[:, None] * rays
    gazes /= np.sqrt(np.square(gazes).sum(-1, keepdims=True))
    # An error across the ray turns the gaze by so much over the depth of the sphere there.
    across_mm = (centres[:, 2] / camera.focal_px) ** 2 * (
        covariances[:, 0, 0] + covariances[:, 1, 1]
    )
    variance = across_mm / 2 + _carried_variance(face, fit) + _CENTRE_DEVIATION_MM**2
    return gazes, np.degrees(np.sqrt(variance) / np.maximum(depth, radius / 4))


def _carried_variance(face: LinearFace, fit: HeadFit) -> float:
    """Of the centres across the view, mm², in each direction: place, rotation and identity."""
    first = POSE + len(face.names)
    moves = np.concatenate([np.eye(2), face.eyeball_identity.mean(0)[:2]], 1)
    unknowns = [3, 4, *range(first, len(fit.covariance))]
    carried = moves @ fit.covariance[np.ix_(unknowns, unknowns)] @ moves.T
    lever = float(face.eyeball[:, 2].mean())
    turned = lever**2 * float(fit.covariance[0, 0] + fit.covariance[1, 1])
    return float(carried[0, 0] + carried[1, 1] + turned) / 2
