from pathlib import Path

import models
import tracker

ROOT = Path(__file__).parents[1]
PACKAGES = ("tracker", "models", "train", "benchmarks")


def test_packages_come_from_this_checkout() -> None:
    for package in (tracker, models):
        assert Path(package.__file__).is_relative_to(ROOT)


def test_the_public_door_of_the_tracker_is_narrow() -> None:
    assert sorted(tracker.__all__) == [
        "FaceTrackError", "FaceTracker", "Frame", "LandmarkEstimate", "MediaPipeDetector",
        "Face", "TrackerConfig", "open_source",
    ]  # fmt: skip
    assert sorted(models.__all__) == [
        "CheckpointError", "HeatmapLandmarker", "load_landmarker", "load_official",
    ]  # fmt: skip


def test_no_file_grows_past_one_idea() -> None:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    assert {name: length for name, length in lengths.items() if length > 350} == {}


def test_weights_that_ship_are_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "models/weights").iterdir()) < 12e6
