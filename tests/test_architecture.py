"""Where things are: what a stranger who looks for one line of code relies on."""

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

import models
import tracker

ROOT = Path(__file__).parents[1]
PACKAGES = ("tracker", "models", "train", "benchmarks")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_packages_come_from_this_checkout() -> None:
    for package in (tracker, models):
        assert Path(package.__file__).is_relative_to(ROOT)


def test_the_public_door_is_narrow_and_opens() -> None:
    assert sorted(tracker.__all__) == [
        "AnyRollDetector", "BothDetectors", "Box",
        "CropLandmarks", "Detector", "ExpressionRead", "EyesRead", "Face", "FaceAnalyser",
        "FaceTrackError", "FaceTracker", "Frame",
        "LAYOUTS", "LandmarkEstimate", "LandmarkFilter", "Landmarker", "Layout",
        "MediaPipeDetector", "MotionConfig", "Outline", "SinkError", "Source", "SourceError",
        "TrackerConfig", "draw_faces", "open_source", "open_stream", "read_expressions",
        "read_eyes",
    ]  # fmt: skip
    assert sorted(models.__all__) == [
        "CheckpointError", "HeatmapLandmarker", "load_expression_reader", "load_eye_reader",
        "load_face_detector", "load_landmarker", "load_official", "weight_file",
    ]  # fmt: skip
    for package in (tracker, models):
        assert all(getattr(package, name) is not None for name in package.__all__)


def test_no_file_grows_past_one_idea() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in sources()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_the_tracker_has_rooms() -> None:
    assert len(list((ROOT / "tracker").glob("*.py"))) <= 14


def test_no_two_modules_have_one_name() -> None:
    found = defaultdict(list)
    for path in sources():
        if path.stem not in ("__init__", "__main__"):
            found[path.stem].append(str(path.relative_to(ROOT)))
    for folder in ROOT.glob("*/*/__init__.py"):
        if folder.parts[-3] in PACKAGES and folder.parent.name in found:
            found[folder.parent.name].append(str(folder.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_two_public_classes_have_one_name() -> None:
    found = defaultdict(list)
    for path in sources():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_the_import_contracts_name_every_module() -> None:
    named = {
        module.strip()
        for contract in SETTINGS["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for module in layer.split("|")
    }
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sources()
        if path.name != "__init__.py"
    }
    assert modules - named == set()


def test_weights_are_small_together() -> None:
    folders = [ROOT / "models/weights", ROOT / "train/checkpoints"]
    assert sum(path.stat().st_size for folder in folders for path in folder.iterdir()) < 45e6


def test_results_are_figures_not_recordings() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "benchmarks/results").rglob("*")]
    assert sum(sizes) < 200_000
