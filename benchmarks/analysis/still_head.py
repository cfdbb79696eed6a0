"""How still the pose of a still head is, and what the analysis costs."""

from pathlib import Path
from time import process_time

import numpy as np

import models
from models.loading import load_landmarker
from tracker.analysis.rotations import yaw_pitch_roll_deg
from tracker.cli.asked_networks import load_analysis_networks
from tracker.face_tracker import FaceTracker
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.run.analysis_stage import AnalysisSettings, AnalysisStage

from .face_landmarker import FaceLandmarker

_STILL_S, _SETTLED_S = 4.0, 1.0


def still_portrait(weights: str, path: Path | None) -> list[list[str]]:
    """Frame-to-frame standard deviation of the angles in degrees, and what a frame costs.

    That is the mean of the processor's time, for what an analysis does differs by frame.
    """
    camera = SimulatedCamera(portrait(), still_then_moving(_STILL_S), _STILL_S)
    ours, theirs = [], []
    without_s, with_s = [], []
    with FaceTracker(load_landmarker(weights)) as tracker, camera:
        analysis = AnalysisStage(
            AnalysisSettings(), stills=False, readers=load_analysis_networks(models)
        )
        for frame in camera:
            started = process_time()
            faces = tracker.update(frame.image, frame.time_s)
            tracked = process_time()
            (face,) = analysis.take(frame, faces)
            assert face.analysis is not None
            ours.append(yaw_pitch_roll_deg(face.analysis.pose.rotation))
            if frame.time_s >= _SETTLED_S:
                without_s.append(tracked - started)
                with_s.append(process_time() - started)
    if path:
        with FaceLandmarker(path, video=True) as rival, camera:
            for frame in camera:
                found = rival(frame.image, frame.time_s)
                theirs += [yaw_pitch_roll_deg(found[0])] if found else []
    settled = round(_SETTLED_S * camera.frame_rate)
    rows = [
        [name, *(f"{np.diff(np.array(angles[settled:]), axis=0).std(0)[i]:.4f}" for i in range(3))]
        for name, angles in (("ours", ours), ("Face Landmarker, video", theirs))
        if angles
    ]
    milliseconds = [1000 * float(np.mean(spent)) for spent in (without_s, with_s)]
    name = "frame, ms of the processor, mean, without and with analysis"
    ratio = f"x {milliseconds[1] / milliseconds[0]:.2f}"
    rows.append([name, *(f"{m:.2f}" for m in milliseconds), ratio])
    return rows
