"""What is read off the landmarks of one face: head pose, eyes and expression, each with its spread.

The camera's frame: x right, y down, z away from the camera. Left and right are the person's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its standard deviation."""

    value: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class HeadPose:
    """How the head is turned and where it is."""

    rotation: Float[np.ndarray, "3 3"]
    """From the head's frame to the camera's; the identity where the face looks into the camera."""
    translation_mm: Float[np.ndarray, "3"]
    """Of the point midway between the eyes' outer corners, in the camera's frame."""
    covariance: Float[np.ndarray, "6 6"]
    """Of a small rotation about the camera's axes (radians), then of the translation (mm)."""


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """One eye."""

    openness: Estimate
    """0 where shut, 1 as open as this person's eyes are at rest."""
    pupil: Float[np.ndarray, "xy=2"] | None
    """Frame pixels; None where the eye is shut or the network knows no pupils."""
    pupil_covariance: Float[np.ndarray, "xy=2 xy=2"] | None
    gaze: Float[np.ndarray, "3"] | None
    """Unit vector in the camera's frame, (0, 0, -1) into the camera; None without a pupil."""
    gaze_deviation_deg: float | None
    """Standard deviation of the angle, in each of both directions across the gaze."""


@dataclass(frozen=True, slots=True)
class Blink:
    """Both eyes shut and opened again."""

    shut_s: float
    """Time of the first frame in which they were shut."""
    open_s: float
    """Time of the first frame in which one was open again."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """Everything that analysers read off one face in one frame."""

    pose: HeadPose
    left_eye: Eye
    right_eye: Eye
    expression: Mapping[str, Estimate]
    """By ARKit's names (`jawOpen`, `eyeBlinkLeft`), 0 to 1 beyond this person's neutral face.

    A coefficient that these landmarks cannot carry is absent, not zero."""
    blink: Blink | None = None
    """That ended with this frame."""
