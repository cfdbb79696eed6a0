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
    learned: Float[np.ndarray, "faces factors"]
    """Factors on covariances: `part_noise`, `head_noise` and `head_scale`, one after the other."""
    head_innovation: Float[np.ndarray, "faces motion"]
    """Last innovation of the head's motion, in standard deviations."""

    @property
    def part_noise(self) -> Float[np.ndarray, "faces parts"]:
        """Learned factors on the measurement noise of the landmarks of each part."""
        return self.learned[:, : self.part_modes.shape[2]]

    @property
    def head_noise(self) -> Float[np.ndarray, "faces groups"]:
        """Learned factors on the measurement noise of the head's similarity and turn."""
        parts, groups = self.part_modes.shape[2], self.head_modes.shape[2]
        return self.learned[:, parts : parts + groups]

    @property
    def head_scale(self) -> Float[np.ndarray, "faces groups"]:
        """Learned factors on the covariance of both, by which it is consistent."""
        return self.learned[:, -self.head_modes.shape[2] :]

    def __getitem__(self, faces: slice) -> "HeadState":
        return HeadState(
            self.points[faces],
            self.landmark_covariance[:, faces],
            self.part_modes[:, faces],
            self.velocity[faces],
            self.head_covariance[:, faces],
            self.head_modes[:, faces],
            self.learned[faces],
            self.head_innovation[faces],
        )


@dataclass(frozen=True, slots=True, eq=False)
class FaceState:
    """One face among those that were updated at once; it is cut out of them only where need be."""

    among: HeadState
    index: int
    innovations: "Innovations | None" = None
    """Of the measurement of all of them; None where there was none before it, or now."""

    @property
    def alone(self) -> HeadState:
        """The state of this face by itself."""
        return self.among[self.index : self.index + 1]

    @property
    def points(self) -> Float[np.ndarray, "landmarks xy=2"]:
        """Landmarks, pixels."""
        face: np.ndarray = self.among.points[self.index]
        return face


def together(faces: list[FaceState]) -> HeadState:
    """The faces as one state: that which they come from, where they are all of it."""
    among = faces[0].among
    are_all = len(faces) == len(among.points) and all(
        face.among is among and face.index == index for index, face in enumerate(faces)
    )
    return among if are_all else joined([face.alone for face in faces])


_FACES_AXIS = (0, 1, 1, 0, 1, 1, 0, 0)
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
    part_nis: Float[np.ndarray, "modes faces parts"]
    """The same of the landmarks of each part within the face, under each mode."""
    part_modes: Float[np.ndarray, "modes faces parts"]
    """Probabilities of the modes."""
    head_likelihood: Float[np.ndarray, "faces groups"]
    part_likelihood: Float[np.ndarray, "faces parts"]
    """Logarithms."""

    @property
    def landmarks(self) -> Float[np.ndarray, " faces"]:
        """NIS of the landmarks within the face, mean over its parts."""
        nis: np.ndarray = (self.part_modes * self.part_nis).sum(0).mean(-1)
        return nis

    @property
    def log_likelihood(self) -> Float[np.ndarray, " faces"]:
        """Nats, but for a constant."""
        nats: np.ndarray = self.head_likelihood.sum(-1) + self.part_likelihood.sum(-1)
        return nats
