"""Faces of a frame as JSON, for browsers and everybody else."""

import json
import math
from typing import Any

import numpy as np

from ..analysis.rotations import yaw_pitch_roll_deg
from ..face_analysis import Estimate, Eye, FaceAnalysis
from ..io.tables import chosen
from ..types import Face
from .frames_of_reference import quaternion_of
from .update import Update

JSON_VERSION = 1


def update_as_json(update: Update, *, raw: bool = False) -> str:
    """A frame with its time stamps, its number and its faces."""
    height, width = update.frame.image.shape[:2]
    return json.dumps(
        {
            "version": JSON_VERSION,
            "sequence": update.sequence,
            "frame": update.frame.index,
            "time_s": round(update.frame.time_s, 6),
            "captured_s": round(update.captured_s, 6),
            "width": width,
            "height": height,
            "faces": [face_as_json(face, raw=raw) for face in update.faces],
        },
        allow_nan=False,
        separators=(",", ":"),
    )


def face_as_json(face: Face, *, raw: bool = False) -> dict[str, Any]:
    """One face; what is not known is null or absent."""
    described: dict[str, Any] = {
        "face_id": face.track_id,
        "confidence": _number(face.confidence, 4),
        "success": int(face.is_believed),
        "predicted": face.is_predicted,
    }
    estimate = chosen(face, raw=raw)
    if estimate is not None:
        described["points"] = _numbers(estimate.mean, 2)
        described["covariances"] = _numbers(estimate.covariance[:, [0, 0, 1], [0, 1, 1]], 4)
    if face.analysis is not None:
        described |= _analysis(face.analysis)
    return described


def _analysis(analysis: FaceAnalysis) -> dict[str, Any]:
    pose = analysis.pose
    angles = zip(("yaw", "pitch", "roll"), yaw_pitch_roll_deg(pose.rotation), strict=True)
    deviations = np.sqrt(np.diag(pose.covariance))
    return {
        "pose": {
            "quaternion": _numbers(quaternion_of(pose.rotation), 5),
            "translation_mm": _numbers(pose.translation_mm, 2),
            "deviation_deg": _numbers(np.degrees(deviations[:3]), 3),
            "deviation_mm": _numbers(deviations[3:], 3),
            **{f"{name}_deg": _number(angle, 3) for name, angle in angles},
        },
        "eyes": {"left": _eye(analysis.left_eye), "right": _eye(analysis.right_eye)},
        "expression": {name: _estimate(value) for name, value in analysis.expression.items()},
    }


def _eye(eye: Eye) -> dict[str, Any]:
    return {
        "openness": _estimate(eye.openness),
        "pupil": None if eye.pupil is None else _numbers(eye.pupil, 2),
        "gaze": None if eye.gaze is None else _numbers(eye.gaze, 4),
        "gaze_deviation_deg": (
            None if eye.gaze_deviation_deg is None else _number(eye.gaze_deviation_deg, 3)
        ),
    }


def _estimate(estimate: Estimate) -> list[float | None]:
    """Value and standard deviation."""
    return [_number(estimate.value, 4), _number(estimate.deviation, 4)]


def _numbers(values: np.ndarray, digits: int) -> Any:
    rounded = np.round(values.astype(float), digits)
    if np.isfinite(rounded).all():
        return rounded.tolist()
    return [_numbers(v, digits) if v.ndim else _number(float(v), digits) for v in rounded]


def _number(value: float, digits: int) -> float | None:
    """JSON knows no NaN."""
    return round(float(value), digits) if math.isfinite(value) else None
