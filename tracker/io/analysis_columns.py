"""Head pose, eyes and expression as columns of a table, in OpenFace's names where it has one.

`pose_T` is in mm, `pose_R` in radians, in OpenFace's order and convention; eye 0 of `gaze` is the
person's right one. What ends in `_sd` is the standard deviation of the column without.
"""

import numpy as np

from ..analysis.coefficient_names import coefficient_columns
from ..analysis.linear_face import load_linear_face
from ..analysis.rotations import angle_slopes, openface_angles
from ..face_analysis import Estimate, Eye, FaceAnalysis, HeadPose

_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")
_GAZE = tuple(f"gaze_{eye}_{part}" for eye in (0, 1) for part in ("x", "y", "z", "sd"))
_GAZE_ANGLES = ("gaze_angle_x", "gaze_angle_y")
_EYES = ("openness_right", "openness_left")
_BLINK = ("blink_shut", "blink_open")


def analysis_columns() -> list[str]:
    """Names, in order."""
    spread = [f"{name}_sd" for name in _POSE]
    named = [column for name in (*_EYES, *_coefficients()) for column in (name, f"{name}_sd")]
    return [*_GAZE, *_GAZE_ANGLES, *_POSE, *spread, *named, *_BLINK]


def analysis_values(analysis: FaceAnalysis | None) -> list[float | None]:
    """One for each column; None where it is not known."""
    if analysis is None:
        return [None] * len(analysis_columns())
    eyes = (analysis.right_eye, analysis.left_eye)
    estimates: list[Estimate | None] = [eye.openness for eye in eyes]
    estimates += [analysis.expression.get(name) for name in _coefficients()]
    return [
        *[number for eye in eyes for number in _gaze(eye)],
        *_gaze_angles(eyes),
        *_pose(analysis.pose),
        *[number for one in estimates for number in _numbers(one)],
        *((analysis.blink.shut_s, analysis.blink.open_s) if analysis.blink else (None, None)),
    ]


def described_analysis(analysis: FaceAnalysis) -> dict[str, float]:
    """The columns that are known, by name."""
    values = zip(analysis_columns(), analysis_values(analysis), strict=True)
    return {name: round(value, 5) for name, value in values if value is not None}


def _coefficients() -> tuple[str, ...]:
    return coefficient_columns(load_linear_face().carried)


def _numbers(estimate: Estimate | None) -> tuple[float | None, float | None]:
    return (None, None) if estimate is None else (estimate.value, estimate.deviation)


def _gaze(eye: Eye) -> list[float | None]:
    if eye.gaze is None or eye.gaze_deviation_deg is None:
        return [None] * 4
    return [*eye.gaze.tolist(), float(np.radians(eye.gaze_deviation_deg))]


def _gaze_angles(eyes: tuple[Eye, Eye]) -> list[float | None]:
    """Of the mean of both eyes: to the side and down, radians, 0 into the camera."""
    gazes = [eye.gaze for eye in eyes if eye.gaze is not None]
    if not gazes:
        return [None, None]
    x, y, z = np.mean(gazes, 0)
    return [float(np.arctan2(x, -z)), float(np.arctan2(y, -z))]


def _pose(pose: HeadPose) -> list[float]:
    slopes = angle_slopes(pose.rotation)
    angles = slopes @ pose.covariance[:3, :3] @ slopes.T
    deviations = np.sqrt(np.concatenate([np.diagonal(pose.covariance)[3:], np.diagonal(angles)]))
    means = [*pose.translation_mm.tolist(), *openface_angles(pose.rotation).tolist()]
    return [*means, *deviations.tolist()]
