"""Motion of a head as a whole: competing hypotheses for it from frame to frame.

The head is still, moves on under one of several accelerations, or has just jumped. Each hypothesis
is a Kalman filter of the four numbers of the similarity and their velocities; after the measurement
the mixture becomes one Gaussian again (GPB1). A head's turn in depth is another group of four
numbers, with hypotheses of its own.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from .config import MotionConfig
from .kalman import (
    merged_covariance,
    predict_velocity,
    update_velocity,
    velocity_after,
    velocity_noise,
)
from .state import HeadState

_LEAST_PROBABILITY = 1e-4
"""No hypothesis is ever given up."""

_GROUP = 4
"""Numbers that share their hypotheses."""
_NUMBERS_OF = {groups: np.repeat(np.eye(groups), _GROUP, 1) for groups in (1, 2)}
"""1 where a number (column) is of a group (row)."""

Motion = Float[np.ndarray, "faces motion"]
Groups = Float[np.ndarray, "faces groups"]


@dataclass(frozen=True, slots=True, eq=False)
class HeadUpdate:
    """A head after a measurement."""

    motion: Motion
    """Since the last frame."""
    velocity: Motion
    covariance: Float[np.ndarray, "vv_vr_rr=3 faces motion"]
    modes: Float[np.ndarray, "hypotheses faces groups"]
    nis: Groups
    innovation: Motion
    """In standard deviations."""
    log_likelihood: Groups

    @property
    def unturned(self) -> Float[np.ndarray, "faces 1"]:
        """Probability that the head does not turn in depth; 1 where no turn is known."""
        probability: np.ndarray = self.modes[0, :, 1:].prod(-1, keepdims=True)
        return probability


class HeadModel:
    """The hypotheses for a head's motion, as pure functions of states.

    Args:
        config: The motion model.
        groups: 1 of a similarity alone, 2 of a similarity and a turn.
    """

    def __init__(self, config: MotionConfig, groups: int = 1) -> None:
        self._config = config
        turning = replace(config, stay_probability=config.turn_stay_probability)
        both = [_transition_probabilities(config), _transition_probabilities(turning)]
        self._transition = np.array(both[:groups])
        noises = [config.common_noise, config.turn_common_noise][:groups]
        self._common = of_numbers(np.square(noises))
        self._process = of_numbers(np.array([1.0, config.turn_process_noise][:groups]))
        self.groups, self.hypotheses = self._transition.shape[:2]
        self.numbers = _GROUP * groups

    def expected_modes(self, state: HeadState) -> Float[np.ndarray, "hypotheses faces groups"]:
        """Probabilities of the hypotheses before this frame is measured."""
        after: np.ndarray = self._transition @ state.head_modes.transpose(2, 0, 1)
        return after.transpose(1, 2, 0)

    def expected_motion(self, state: HeadState, dt_s: Float[np.ndarray, " faces"]) -> Motion:
        """Mean motion within `dt_s`."""
        _, reach = velocity_after(dt_s, self._config.velocity_memory_s)
        moving = self.expected_modes(state)[1:-1].sum(0)
        return of_numbers(moving * reach[:, None]) * state.velocity

    def predicted_variance(
        self, state: HeadState, dt_s: Float[np.ndarray, " faces"], length: np.ndarray
    ) -> Motion:
        """Variance of the motion after `dt_s` under the likeliest hypothesis but a jump."""
        likeliest = np.repeat(self.expected_modes(state)[:-1].argmax(0), _GROUP, -1)
        prior, _ = self._predicted(state, dt_s, length)
        variance: np.ndarray = np.take_along_axis(prior[0], likeliest[None], 0)[0]
        return variance

    def initial_covariance(
        self, length: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "vv_vr_rr=3 faces motion"]:
        """Of a head seen for the first time: its place is known, its velocity is not."""
        covariance = np.zeros((3, len(length), self.numbers))
        covariance[2] = (self._config.initial_velocity * length[:, None]) ** 2
        return covariance

    def coasted(
        self, state: HeadState, dt_s: Float[np.ndarray, " faces"], length: np.ndarray
    ) -> tuple[Motion, Float[np.ndarray, "vv_vr_rr=3 faces motion"]]:
        """Velocity and covariance after a frame without a measurement."""
        config, dt = self._config, dt_s[:, None]
        kept, _ = velocity_after(dt, config.velocity_memory_s)
        largest = config.coasting_acceleration * max(config.acceleration_noise)
        noise = largest * length[:, None] ** 2 * self._process
        covariance = predict_velocity(state.head_covariance, dt, config.velocity_memory_s, noise)
        return kept * state.velocity, covariance

    def update(
        self,
        state: HeadState,
        motion: Motion,
        variance: Motion,
        dt_s: Float[np.ndarray, " faces"],
        length: Float[np.ndarray, " faces"],
    ) -> HeadUpdate:
        """Take in the motion that was fitted to a frame's landmarks.

        Args:
            state: Before the frame.
            motion: Fitted, pixels.
            variance: Of its numbers, square pixels.
            dt_s: Seconds since the last frame.
            length: Inter-ocular distances, pixels.
        """
        prior, mean = self._predicted(state, dt_s, length)
        innovation = motion - mean[0]
        noise = variance + np.square(length)[:, None] * self._common
        expected = prior[0] + noise
        by_mode = np.empty((4, *innovation.shape))  # mean, NIS, innovation in standard deviations
        np.divide(innovation, np.sqrt(expected), out=by_mode[3])
        np.multiply(by_mode[3], by_mode[3], out=by_mode[2])
        log_likelihood = sum_of_groups(by_mode[2] + np.log(expected)) * -0.5
        modes, total = mode_probabilities(self.expected_modes(state), log_likelihood)
        updated = update_velocity(prior, noise, innovation)
        np.add(mean, updated.step, out=by_mode[:2])
        weight = of_numbers(modes)
        value, velocity, nis, normalised = middle = np.add.reduce(weight * by_mode, 1)
        covariance = merged_covariance(weight, by_mode[:2] - middle[:2, None], updated.covariance)
        mean_nis = sum_of_groups(nis) / _GROUP
        return HeadUpdate(value, velocity, covariance, modes, mean_nis, normalised, total)

    def _predicted(
        self, state: HeadState, dt_s: Float[np.ndarray, " faces"], length: np.ndarray
    ) -> tuple[
        Float[np.ndarray, "vv_vr_rr=3 hypotheses faces motion"],
        Float[np.ndarray, "components=2 hypotheses faces motion"],
    ]:
        """Covariance and mean of the motion and its velocity under each hypothesis."""
        known = np.empty((5, len(dt_s), self.numbers))
        known[:3] = state.head_covariance
        np.multiply(np.square(length)[:, None], self._process, out=known[3])
        known[4] = state.velocity
        steps = dt_s.tolist()
        if steps.count(steps[0]) == len(steps):
            predicted = _prediction(self._config, steps[0]) @ known.reshape(5, -1)
        else:
            maps = np.array([_prediction(self._config, dt) for dt in steps])
            predicted = (maps @ known.swapaxes(0, 1)).swapaxes(0, 1)
        predicted = predicted.reshape(5, -1, len(dt_s), self.numbers)
        return predicted[:3], predicted[3:]


def of_numbers(groups: Float[np.ndarray, "*batch groups"]) -> Float[np.ndarray, "*batch motion"]:
    """What belongs to a group, for each of its numbers."""
    numbers: np.ndarray = groups @ _NUMBERS_OF[groups.shape[-1]]
    return numbers


def sum_of_groups(
    numbers: Float[np.ndarray, "*batch motion"],
) -> Float[np.ndarray, "*batch groups"]:
    """Sums over the numbers of each group."""
    total: np.ndarray = numbers @ _NUMBERS_OF[numbers.shape[-1] // _GROUP].T
    return total


@lru_cache(maxsize=256)
def _prediction(config: MotionConfig, dt_s: float) -> Float[np.ndarray, "rows columns=5"]:
    """The linear map from what is known of a head to what each hypothesis predicts.

    Columns are covariance (vv, vr, rr), square length and velocity; rows are the covariance and the
    mean of motion and velocity, of each hypothesis in turn.
    """
    densities = config.acceleration_noise
    rows = np.zeros((5, len(densities) + 2, 5))
    still, moving, jumped = 0, slice(1, -1), -1
    rows[0, still, 0], rows[0, still, 3] = 1, config.still_random_walk**2 * dt_s
    rows[0, jumped, 3] = config.jump**2
    rows[2, still, 3] = rows[2, jumped, 3] = config.initial_velocity**2
    dt, memory_s = np.array([dt_s]), config.velocity_memory_s
    kept, reach = velocity_after(dt, memory_s)
    rows[0, moving, 0], rows[0, moving, 1], rows[0, moving, 2] = 1, 2 * reach, reach * reach
    rows[1, moving, 1], rows[1, moving, 2], rows[2, moving, 2] = kept, kept * reach, kept * kept
    rows[:3, moving, 3] = np.array(velocity_noise(dt, kept, reach, memory_s)) * densities
    rows[3, moving, 4], rows[4, moving, 4] = reach, kept
    return rows.reshape(-1, 5)


def mode_probabilities(
    expected: Float[np.ndarray, "hypotheses *batch"],
    log_likelihood: Float[np.ndarray, "hypotheses *batch"],
) -> tuple[Float[np.ndarray, "hypotheses *batch"], Float[np.ndarray, "*batch"]]:
    """Probabilities of the hypotheses after a measurement, and the log of its whole likelihood."""
    largest = np.maximum.reduce(log_likelihood)
    weight = log_likelihood - largest
    np.exp(weight, out=weight)
    weight *= expected
    total = np.add.reduce(weight)
    weight /= total
    probability = np.maximum(weight, _LEAST_PROBABILITY)
    probability /= np.add.reduce(probability)
    return probability, largest + np.log(total)


def _transition_probabilities(
    config: MotionConfig,
) -> Float[np.ndarray, "hypotheses hypotheses"]:
    """Of each hypothesis (row) after each (column)."""
    stay, jump = config.stay_probability, config.jump_probability
    lasting = 1 + len(config.acceleration_noise)
    transition = np.full((lasting + 1, lasting + 1), (1 - stay) / (lasting - 1))
    np.fill_diagonal(transition, stay)
    transition[:, -1] = 1 / lasting  # after a jump nothing is known of the motion
    transition[:-1] *= 1 - jump
    transition[-1] = jump
    return transition
