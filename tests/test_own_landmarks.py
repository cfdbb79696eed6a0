"""The worked example of the README: one's own landmarks, from the CSV to the tracker."""

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_fit import fit_here

import models
import run_tracker
import tracker
from models.checkpoint import load_checkpoint
from tracker.io.simulated_camera import portrait
from tracker.layouts import find_layout
from train.calibrate import calibrate, held_out_faces
from train.predict import horizontal_bias_of
from train.recipes import RECIPES

LAYOUT = """
name = "mine-4"
points = ["right eye", "left eye", "nose", "chin"]
mirror = [["right eye", "left eye"]]
normaliser = ["right eye", "left eye"]
[[outlines]]
name = "eyes"
points = ["right eye", "left eye"]
"""
POINTS = {"right eye": 36, "left eye": 45, "nose": 30, "chin": 8}


def write_own(folder: Path, count: int) -> Path:
    """The demo's portrait, many times, with four landmarks as the default weights see them."""
    folder.mkdir()
    image, points = portrait_with_landmarks()
    (folder / "layout.toml").write_text(LAYOUT)
    cv2.imwrite(str(folder / "face.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    with (folder / "landmarks.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", *(f"{name}_{axis}" for name in POINTS for axis in "xy")])
        for number in range(count):
            name = f"{number:02d}.png"
            (folder / name).write_bytes((folder / "face.png").read_bytes())
            table.writerow([name, *points[list(POINTS.values())].ravel().round(2)])
    return folder


def portrait_with_landmarks() -> tuple[np.ndarray, np.ndarray]:
    image = portrait()
    faces = tracker.FaceTracker(models.load_landmarker("lite", "cpu"))
    return image, faces.update(image, 0.0)[0].landmarks.mean


def test_own_landmarks_are_learnt_calibrated_and_tracked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_own(tmp_path / "faces", 20)
    quick = replace(RECIPES["finetune"], input_px=64, batch=8, learning_rate=2e-3)
    monkeypatch.setitem(RECIPES, "finetune", quick)
    flags = ["--config", "finetune", "--start-from", "lite", "--images", "1200"]
    fit_here(data, tmp_path / "run", *flags)
    best = tmp_path / "run/best.safetensors"
    _, info = load_checkpoint(best)
    layout = find_layout(info.layout, info.layout_table)
    assert (layout.name, layout.count, layout.mirror_pairs) == ("mine-4", 4, ((0, 1),))
    assert info.figures["nme_percent"] < 8
    calibrate(data, best, tmp_path / "mine.safetensors")
    learnt = models.torch_landmarker.load_torch_landmarker(tmp_path / "mine.safetensors", "cpu")
    held_out = held_out_faces(data, layout)
    assert learnt.horizontal_bias == pytest.approx(horizontal_bias_of(learnt, held_out), rel=0.02)
    assert learnt.horizontal_bias != 0
    arguments = [str(data / "face.png"), "--weights", str(tmp_path / "mine.safetensors")]
    run_tracker.main([*arguments, "--device", "cpu", "--save-csv", str(tmp_path / "out.csv")])
    with (tmp_path / "out.csv").open() as file:
        row = next(csv.DictReader(file))
    _, expected = portrait_with_landmarks()
    for number, landmark in enumerate(POINTS.values()):
        found = [float(row[f"{axis}_{number}"]) for axis in "xy"]
        eyes = np.linalg.norm(expected[45] - expected[36])
        assert np.linalg.norm(found - expected[landmark]) < 0.15 * eyes
