"""Where eyes look: a pupil lies on a sphere about a centre that the head carries."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from .head_fit import POSE, HeadFit
from .linear_face import LinearFace
from .pinhole import PinholeCamera

_DEGREES = 180 / np.pi
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
    depth = np.sqrt(np.maximum(radius**2 - (aside * aside).sum(-1), 0.0))
    gazes = aside - depth[:, None] * rays
    gazes /= np.sqrt((gazes * gazes).sum(-1, keepdims=True))
    # An error across the ray turns the gaze by so much over the depth of the sphere there.
    across_mm = (centres[:, 2] / camera.focal_px) ** 2 * (
        covariances[:, 0, 0] + covariances[:, 1, 1]
    )
    variance = across_mm / 2 + _carried_variance(face, fit) + _CENTRE_DEVIATION_MM**2
    return gazes, _DEGREES * np.sqrt(variance) / np.maximum(depth, radius / 4)


def _carried_variance(face: LinearFace, fit: HeadFit) -> float:
    """Of the centres across the view, mm², in each direction: place, rotation and identity."""
    moves, covariance = _moves_of_centres(face, len(fit.covariance)), fit.covariance
    carried = float(np.vdot(moves @ covariance, moves))
    lever = float(face.eyeball[0, 2] + face.eyeball[1, 2]) / 2
    return (carried + lever**2 * float(covariance[0, 0] + covariance[1, 1])) / 2


@lru_cache
def _moves_of_centres(face: LinearFace, unknowns: int) -> Float[np.ndarray, "xy=2 unknowns"]:
    """How far the centres move across the view with place and identity."""
    moves = np.zeros((2, unknowns))
    moves[:, 3:5] = np.eye(2)
    moves[:, POSE + len(face.names) :] = face.eyeball_identity.mean(0)[:2]
    return moves
