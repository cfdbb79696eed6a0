"""Faces whose head pose and expression are known, as a tracker would report them."""

import numpy as np

from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.linear_face import LinearFace
from tracker.analysis.pinhole import PinholeCamera
from tracker.analysis.rotations import (
    rotation_of,
)
from tracker.face_analysis import FaceAnalysis
from tracker.layouts import IBUG_68
from tracker.types import Face, LandmarkEstimate

WIDTH, HEIGHT, FOV_DEG = 640, 480, 50.0

CAMERA = PinholeCamera.of_size(WIDTH, HEIGHT, FOV_DEG)

FRONTAL = np.eye(3)


def turned(yaw_deg: float = 0, pitch_deg: float = 0, roll_deg: float = 0) -> np.ndarray:
    """Right of the picture, down, counter-clockwise; out of rotations about single axes."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_z = rotation_of(np.array([0, 0, -roll]))
    about_x = rotation_of(np.array([pitch, 0, 0]))
    return about_z @ about_x @ rotation_of(np.array([0, -yaw, 0]))


def seen(
    linear: LinearFace,
    rotation: np.ndarray = FRONTAL,
    place_mm: tuple[float, float, float] = (0, 0, 700),
    *,
    noise_px: float = 0.2,
    rng: np.random.Generator | None = None,
    identity: np.ndarray | None = None,
    **coefficients: float,
) -> Face:
    """A face as a tracker would report it."""
    values = [coefficients.get(name, 0.0) for name in linear.names]
    people = np.zeros(linear.identity.shape[-1]) if identity is None else identity
    shape = linear.mean + linear.basis @ np.concatenate([values, people])
    points = CAMERA.project(shape @ rotation.T + np.array(place_mm))
    if rng is not None:
        points = points + noise_px * rng.normal(size=points.shape)
    covariance = np.tile(noise_px**2 * np.eye(2), (68, 1, 1))
    estimate = LandmarkEstimate(points, covariance)
    return Face(0, 0.9, estimate, estimate, layout=IBUG_68)


def analysed(analyser: FaceAnalyser, face: Face, time_s: float = 0.0) -> FaceAnalysis:
    (face,) = analyser.analyse([face], time_s)
    assert face.analysis is not None
    return face.analysis


def analyser() -> FaceAnalyser:
    return FaceAnalyser(WIDTH, HEIGHT, fov_deg=FOV_DEG)
