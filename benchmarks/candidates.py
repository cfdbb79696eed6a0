"""Filters that were candidates for the tracker's own and lost; they stay for the table."""

from dataclasses import dataclass

import numpy as np

from .baselines import Smoothed, discretised, stretches
from .recordings import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedNoise:
    """A Kalman filter for each landmark, which believes a measurement as the network does."""

    noise_scale: float = 1.0
    """Factor on the calibrated flicker of the frame."""
    acceleration_noise: float = 1e-2
    """Spectral density of the white acceleration, in eye distances: 1 / s^3."""
    velocity_memory_s: float = np.inf


def predicted_noise_kalman(recording: Recording, constants: PredictedNoise) -> Smoothed:
    """Nearly constant velocity; R is the 2x2 flicker covariance of this landmark in this frame."""
    drive = constants.acceleration_noise * recording.eye_px**2
    mean, innovations = np.full((2, *recording.mean.shape), np.nan)
    covariance = np.full_like(recording.measurement_noise, np.nan)
    measures = np.hstack([np.eye(2), np.zeros((2, 2))])  # H of the state (x, y, vx, vy)
    for frames in stretches(recording):
        noise = constants.noise_scale * recording.measurement_noise[frames]
        raw, times_s = recording.mean[frames], recording.times_s[frames]
        state = np.concatenate([raw[0], np.zeros_like(raw[0])], -1)
        known = np.zeros((len(state), 4, 4))
        known[:, :2, :2], known[:, 2:, 2:] = noise[0], (0.05 * recording.eye_px) ** 2 * np.eye(2)
        mean[frames[0]], covariance[frames[0]] = raw[0], noise[0]
        for index, dt_s in enumerate(np.diff(times_s), 1):
            of_one, growth_of_one = discretised(drive, constants.velocity_memory_s, float(dt_s))
            transition, growth = np.kron(of_one, np.eye(2)), np.kron(growth_of_one, np.eye(2))
            # x = F x,  P = F P F^T + Q;  S = H P H^T + R,  K = P H^T S^-1
            state, known = state @ transition.T, transition @ known @ transition.T + growth
            spread = known[:, :2, :2] + noise[index]
            gain = known[..., :2] @ np.linalg.inv(spread)
            innovation = raw[index] - state[:, :2]
            state = state + (gain @ innovation[..., None])[..., 0]
            known = known - gain @ measures @ known
            frame = frames[index]
            mean[frame], covariance[frame] = state[:, :2], known[:, :2, :2]
            root = np.linalg.cholesky(spread)
            innovations[frame] = np.linalg.solve(root, innovation[..., None])[..., 0]
    surprise = np.square(innovations).mean((1, 2))
    return Smoothed(mean, covariance, {"landmarks": surprise}, innovations)
