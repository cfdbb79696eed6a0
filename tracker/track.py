"""The life of one track: followed, coasting without a measurement, lost, forgotten."""

from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np
from jaxtyping import Float

from .gaussian import squared_mahalanobis
from .kalman import MotionModel, MotionState, initiate, predict, update
from .layouts import Layout
from .types import LandmarkEstimate, Measurement, Points


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """How a landmark is believed to move; lengths are in inter-ocular distances."""

    acceleration_noise: float = 1e-6
    """Spectral density of the white acceleration, 1 / s^3: what a nearly still face does."""
    velocity_memory_s: float = 0.1
    """How long a velocity is believed to last: heads and lips do not coast."""
    flicker_scale: float = 4.0
    """Factor on the calibrated flicker, which was measured on still pictures: a face that moves
    over the pixel grid flickers more. Chosen by hand: blinks lost depth with 9, not with 4."""
    start_speed: float = 0.05
    """Standard deviation of the first speed, 1 / s."""
    surprise_sigmas: float = 3.0
    """Older knowledge fades once the mean squared innovation within a part of the face is this
    many standard deviations beyond its expectation: the motion model is wrong there."""
    unseen_acceleration_noise: float = 10.0
    """The same for a face out of sight, of which nothing is known."""
    misses_to_lost: int = 3
    """Frames without a measurement before a face counts as lost: shorter than 5 frames."""
    greatest_fading: float = 1e4
    """Bound of the factor by which it fades in one frame."""


class TrackStatus(Enum):
    """Where in its life a track is."""

    FOLLOWED = auto()
    COASTING = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time."""

    track_id: int
    time_s: float
    """Of `state`."""
    measured_s: float
    """Of the last measurement."""
    state: MotionState
    status: TrackStatus
    misses: int
    """Frames since the last measurement."""
    confidence: float
    last: Measurement

    @property
    def points(self) -> Points:
        return self.state.position


def begin(
    track_id: int, measurement: Measurement, time_s: float, layout: Layout, config: MotionConfig
) -> Track:
    """A new track at its first measurement."""
    points = measurement.landmarks.mean
    speed = config.start_speed * float(layout.interocular(points))
    # The first crop is only nearly right, so the first landmarks are no better than the annotation.
    state = initiate(points, measurement.landmarks.covariance, speed)
    return Track(
        track_id,
        time_s,
        time_s,
        state,
        TrackStatus.FOLLOWED,
        0,
        measurement.confidence,
        measurement,
    )


def predicted_to(track: Track, time_s: float, layout: Layout, config: MotionConfig) -> Track:
    """The track at this time by its motion model alone."""
    model = _motion_model(track, layout, config)
    state = predict(track.state, max(time_s - track.time_s, 0.0), model)
    return replace(track, state=state, time_s=time_s)


def measured_by(
    track: Track, measurement: Measurement, time_s: float, layout: Layout, config: MotionConfig
) -> Track:
    """The track after this frame's measurement."""
    noisy = replace(measurement, flicker=config.flicker_scale * measurement.flicker)
    dt_s = max(time_s - track.time_s, 0.0)
    model = _motion_model(track, layout, config)
    expected = predict(track.state, dt_s, model)
    inflation = fading(expected, noisy, layout, config)
    state = predict(track.state, dt_s, model, inflation)
    return replace(
        track,
        state=update(state, noisy.landmarks.mean, noisy.flicker),
        time_s=time_s,
        measured_s=time_s,
        status=TrackStatus.FOLLOWED,
        misses=0,
        confidence=measurement.confidence,
        last=measurement,
    )


def missed(
    track: Track,
    confidence: float,
    time_s: float,
    layout: Layout,
    config: MotionConfig,
) -> Track:
    """The track after a frame that gave no measurement: less and less sure of itself."""
    noise = config.unseen_acceleration_noise
    model = _motion_model(track, layout, replace(config, acceleration_noise=noise))
    misses = track.misses + 1
    return replace(
        track,
        state=predict(track.state, max(time_s - track.time_s, 0.0), model),
        time_s=time_s,
        misses=misses,
        status=TrackStatus.LOST if misses >= config.misses_to_lost else TrackStatus.COASTING,
        confidence=confidence,
    )


def fading(
    expected: MotionState, measurement: Measurement, layout: Layout, config: MotionConfig
) -> Float[np.ndarray, " landmarks"]:
    """How much the past must fade for this measurement to be no surprise, per landmark.

    Landmarks of one part of the face move together, so the surprise is averaged over the part:
    one shaky landmark changes nothing, a closing eye is followed at once.
    """
    innovation = measurement.landmarks.mean - expected.position
    covariance = expected.position_covariance + measurement.flicker
    surprise = squared_mahalanobis(innovation, covariance) / 2  # 1 where the model is right
    factor = np.ones(layout.count)
    for part in layout.parts:
        members = list(part)
        mean = surprise[members].mean()
        if mean > 1 + config.surprise_sigmas / np.sqrt(len(members)):
            factor[members] = np.maximum(
                factor[members], _needed(expected, measurement, members, mean)
            )
    return np.minimum(factor, config.greatest_fading)


def _needed(
    expected: MotionState, measurement: Measurement, members: list[int], surprise: float
) -> Float[np.ndarray, " members"]:
    """Factor f on P for which f P + R is `surprise` times P + R."""
    known = np.trace(expected.position_covariance[members], axis1=-2, axis2=-1)
    noise = np.trace(measurement.flicker[members], axis1=-2, axis2=-1)
    return (surprise * (known + noise) - noise) / known


def estimate(track: Track) -> LandmarkEstimate:
    """What the user is told: the filtered place, with the uncertainty against the truth.

    The filter's own covariance covers flicker only; the network's lasting bias comes on top.
    """
    bias = np.maximum(_traces(track.last.landmarks.covariance) - _traces(track.last.flicker), 0)
    share = bias / _traces(track.last.landmarks.covariance)
    lasting = share[:, None, None] * track.last.landmarks.covariance
    return LandmarkEstimate(track.points, lasting + track.state.position_covariance)


def _traces(covariance: np.ndarray) -> Float[np.ndarray, " landmarks"]:
    return np.trace(covariance, axis1=-2, axis2=-1)


def _motion_model(track: Track, layout: Layout, config: MotionConfig) -> MotionModel:
    noise = config.acceleration_noise * float(layout.interocular(track.points)) ** 2
    return MotionModel(noise, config.velocity_memory_s)
