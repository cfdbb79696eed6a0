"""What the filter knows of some faces: where they are, how surely, and how they move."""

from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, eq=False)
class HeadState:
    """The state of some faces; every array has an axis of faces."""

    points: Float[np.ndarray, "faces landmarks xy=2"]
    """Landmarks, pixels."""
    landmark_covariance: Float[np.ndarray, "xx_xy_yy=3 faces landmarks"]
    """Covariance of each landmark within the face, square pixels."""
    part_modes: Float[np.ndarray, "modes faces parts"]
    """Probability of each mode (still, speech, blink) of each part."""
    velocity: Float[np.ndarray, "faces motion"]
    """Of the four numbers of a similarity and, of layouts with depths, the four of a turn
    (`similarity`), pixels per second."""
    head_covariance: Float[np.ndarray, "vv_vr_rr=3 faces motion"]
    """Covariance of each number of the head's motion and its velocity."""
    head_modes: Float[np.ndarray, "hypotheses faces groups"]
    """Probability that the head is still, moves on under each acceleration, has just jumped; of its
    similarity, and of its turn."""
    part_noise: Float[np.ndarray, "faces parts"]
    """Learned factors on the measurement noise of the landmarks of each part."""
    head_noise: Float[np.ndarray, "faces groups"]
    """Learned factors on the measurement noise of the head's similarity and turn."""
    head_scale: Float[np.ndarray, "faces groups"]
    """Learned factors on the covariance of both, by which it is consistent."""
    head_innovation: Float[np.ndarray, "faces motion"]
    """Last innovation of the head's motion, in standard deviations."""

    def __getitem__(self, faces: slice) -> "HeadState":
        return HeadState(
            self.points[faces],
            self.landmark_covariance[:, faces],
            self.part_modes[:, faces],
            self.velocity[faces],
            self.head_covariance[:, faces],
            self.head_modes[:, faces],
            self.part_noise[faces],
            self.head_noise[faces],
            self.head_scale[faces],
            self.head_innovation[faces],
        )


_FACES_AXIS = (0, 1, 1, 0, 1, 1, 0, 0, 0, 0)
"""Of each array, in the order of the fields."""
_arrays_of = attrgetter(*(field.name for field in fields(HeadState)))


def joined(states: list[HeadState]) -> HeadState:
    """Many states as one."""
    if len(states) == 1:
        return states[0]
    arrays = zip(*map(_arrays_of, states), strict=True)
    return HeadState(*map(np.concatenate, arrays, _FACES_AXIS))


@dataclass(frozen=True, slots=True, eq=False)
class Innovations:
    """Normalised innovations of a measurement, weighted by the probabilities of the modes."""

    head: Float[np.ndarray, " faces"]
    """Normalised innovation squared (NIS) of the head's similarity, mean over its four numbers; 1
    is expected."""
    landmarks: Float[np.ndarray, " faces"]
    """The same of the landmarks within the face."""
    log_likelihood: Float[np.ndarray, " faces"]
    """Nats, but for a constant."""

    def __getitem__(self, faces: slice) -> "Innovations":
        return Innovations(self.head[faces], self.landmarks[faces], self.log_likelihood[faces])
