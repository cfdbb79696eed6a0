"""The evaluation as a user runs it, on made-up faces whose errors are worked out here once more."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from fakes import (
    BlobDetector,
    TwoSidedLandmarker,
    blob_frame,
    blob_shape,
    two_sided_shape,
)
from test_datasets import write_300w

import models
from benchmarks import harness, report
from benchmarks.accuracy import __main__ as accuracy
from benchmarks.accuracy.error_tables import failure_lines, main_table
from benchmarks.accuracy.published import published, reference
from benchmarks.accuracy.split_errors import Selection, SplitErrors, split_errors
from benchmarks.whole_pictures import detect_in_pictures
from models.checkpoint import CheckpointInfo, save_checkpoint
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from tracker.face_tracker import FaceTracker
from tracker.layouts import IBUG_68, WFLW_98, Layout
from train.datasets import DataSet, Sample, open_data_set
from train.predict import Predicted, horizontal_bias_of, predict

MARGIN, SIZE_PX = 1.2, 64
TEST_300W = ("helen/testset", "lfpw/testset", "ibug")


def write_weights(path: Path, layout: Layout = IBUG_68, selected_on: str = "") -> str:
    config = LandmarkNetConfig(
        landmarks=layout.count, edges=layout.edges, stacks=2, width=16, stem_width=8, depth=2
    )
    torch.manual_seed(0)
    info = CheckpointInfo(
        architecture=config,
        layout=layout.name,
        input_px=SIZE_PX,
        margin=MARGIN,
        selected_on=selected_on,
    )
    save_checkpoint(path, LandmarkNet(config).state_dict(), info)
    return str(path)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    return write_weights(tmp_path / "tiny.safetensors")


@pytest.fixture
def test_part(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_300w(tmp_path / "300w", rng, faces=9, places=TEST_300W)


def run(data: Path, weights: str, *flags: str) -> None:
    accuracy.main(["--data", str(data), "--weights", weights, "--device", "cpu", *flags])


def read_points(annotation: Path) -> list[tuple[float, float]]:
    lines = annotation.read_text().splitlines()
    inside = lines[lines.index("{") + 1 : lines.index("}")]
    return [(float(x) - 1, float(y) - 1) for x, y in (line.split() for line in inside)]


def errors_by_hand(annotation: Path, weights: str) -> dict[str, float]:
    """Per cent, from the files on, with nothing of ours but the network."""
    truth = read_points(annotation)
    xs, ys = [x for x, _ in truth], [y for _, y in truth]
    left, right, top, bottom = (
        np.floor(min(xs)), np.ceil(max(xs)), np.floor(min(ys)), np.ceil(max(ys))
    )  # fmt: skip
    side = MARGIN * max(right - left, bottom - top)
    scale = SIZE_PX / side
    shift_x = (SIZE_PX - 1) / 2 - scale * (left + right) / 2
    shift_y = (SIZE_PX - 1) / 2 - scale * (top + bottom) / 2
    image = cv2.cvtColor(cv2.imread(str(annotation.with_suffix(".jpg"))), cv2.COLOR_BGR2RGB)
    matrix = np.array([[scale, 0, shift_x], [0, scale, shift_y]])
    assert 1 / scale < 2, "larger faces would be averaged first"
    crop = cv2.warpAffine(image, matrix, (SIZE_PX, SIZE_PX))
    mean = models.load_landmarker(weights, "cpu").raw(crop[None])[0][0]
    found = [((x - shift_x) / scale, (y - shift_y) / scale) for x, y in mean]
    away = [np.hypot(x - u, y - v) for (x, y), (u, v) in zip(found, truth, strict=True)]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    eyes = [(np.mean(xs[i : i + 6]), np.mean(ys[i : i + 6])) for i in (36, 42)]
    error = 100 * sum(away) / len(away)
    return {
        "ocular": error / np.hypot(xs[45] - xs[36], ys[45] - ys[36]),
        "pupil": error / np.hypot(eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]),
        "box": error / np.sqrt(width * height),
        "diagonal": error / np.hypot(width, height),
    }


@pytest.mark.parametrize("flags", [[], ["--flip"]], ids=["once", "flip"])
def test_how_far_off_uncalibrated_weights_are_in_the_mirror_is_measured_where_it_counts(
    test_part: Path, weights: str, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[float] = []

    def noting(landmarker: models.HeatmapLandmarker, *arguments: object) -> Predicted:
        used.append(landmarker.horizontal_bias)
        return predict(landmarker, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(accuracy, "predict", noting)
    run(test_part, weights, *flags)
    faces = open_data_set(test_part).split("test")
    measured = horizontal_bias_of(
        models.torch_landmarker.load_torch_landmarker(weights, "cpu"), faces
    )
    assert measured != 0
    assert used == pytest.approx([measured if flags else 0.0])


def test_the_file_holds_what_an_independent_computation_gives(
    tmp_path: Path, test_part: Path, weights: str
) -> None:
    run(test_part, weights, "--json", str(tmp_path / "a.json"))
    written = json.loads((tmp_path / "a.json").read_text())
    rows = {row["split"]: row for row in written["rows"]}
    assert {split: row["faces"] for split, row in rows.items()} == {
        "test": 9, "common": 6, "challenge": 3,
    }  # fmt: skip
    for row in rows.values():
        faces = row["per_face"]["picture"]
        by_hand = [
            errors_by_hand((test_part / face).with_suffix(".pts"), weights) for face in faces
        ]
        for name, figure in row["nme_percent_by"].items():
            assert figure == pytest.approx(np.mean([e[name] for e in by_hand]), abs=1e-3)
        ocular = np.array([e["ocular"] for e in by_hand])
        np.testing.assert_allclose(row["per_face"]["nme_percent"], ocular, atol=1e-3)
        assert row["nme_percent"] == row["nme_percent_by"]["ocular"]
        assert row["failures_percent"]["10"] == pytest.approx(100 * np.mean(ocular > 10), abs=0.01)
        assert row["percentiles_percent"]["90"] == pytest.approx(np.quantile(ocular, 0.9), abs=1e-3)
        assert row["missed"] == 0
    assert written["options"]["weights"] == "tiny.safetensors"
    assert written["options"]["crop"] == "truth"
    assert written["machine"]


def test_without_a_test_part_the_held_out_part_is_measured(
    tmp_path: Path, rng: np.random.Generator, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    run(data, weights, "--json", str(tmp_path / "a.json"))
    (row,) = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert (row["split"], row["faces"]) == ("held-out", 3)
    assert "held-out" in capsys.readouterr().out


def test_the_table_names_star_below_the_splits_it_published(
    test_part: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(test_part, weights, "--split", "challenge,common")
    shown = capsys.readouterr().out
    assert shown.index("challenge") < shown.index("4.32") < shown.index("common")
    assert "worse" in shown
    assert "3 of 135" in shown
    assert "D-ViT" not in shown  # which published neither of them


def test_every_kind_of_augmentation_runs_and_is_named(
    tmp_path: Path, test_part: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--flip", "--crops", "3", "--stages", "2", "--robustness", "--split", "challenge"]
    run(test_part, weights, *flags, "--json", str(tmp_path / "a.json"))
    shown = " ".join(capsys.readouterr().out.split())
    assert "exact crop: flip, 3 crops, last 2 stages" in shown
    (row,) = json.loads((tmp_path / "a.json").read_text())["robustness"]
    assert set(row) == {"split", "shift 10 %", "scale 10 %", "roll 15°"}


def test_the_worst_faces_become_a_picture(tmp_path: Path, test_part: Path, weights: str) -> None:
    run(test_part, weights, "--worst", str(tmp_path / "worst.png"))
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    assert sheet.shape[1] == 6 * 200
    assert sheet.std() > 10


def test_weights_that_were_selected_on_the_test_set_say_so(
    tmp_path: Path, test_part: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(test_part, write_weights(tmp_path / "w.safetensors", selected_on="its own test set"))
    assert "selected on its own test set" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(["--split", "private"], "no split 'private' here", id="unknown split"),
        pytest.param(
            ["--json", "/nowhere/a.json"], "/nowhere/a.json: cannot be written", id="json"
        ),
        pytest.param(["--worst", "/nowhere/a.png"], "/nowhere/a.png: cannot be written", id="png"),
        pytest.param(["--stages", "3"], "has 2 stages, --stages asks for 3", id="too many stages"),
        pytest.param(["--pictures", "/nowhere"], "/nowhere", id="pictures"),
    ],
)
def test_a_mistake_gives_one_line(
    test_part: Path,
    weights: str,
    flags: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(test_part, weights, *flags)
    message_line = capsys.readouterr().err
    assert message_line.startswith("error: ")
    assert message_line.count("\n") == 1
    assert message in message_line


def test_weights_of_other_landmarks_are_refused(
    tmp_path: Path, test_part: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(test_part, write_weights(tmp_path / "98.safetensors", WFLW_98))
    message_line = capsys.readouterr().err
    assert "predicts the 98 landmarks of WFLW-98, 300W has the 68 of 300W-68" in message_line
    assert message_line.count("\n") == 1


def test_a_missed_face_counts_as_a_failure_but_not_in_the_mean(tmp_path: Path) -> None:
    points = 30 + 20 * blob_shape().astype(np.float32)
    faces = [Sample(tmp_path / f"{i}.jpg", points) for i in range(4)]
    data = DataSet("300W", IBUG_68, {"test": faces})
    selection = Selection(data, faces, {"test": np.arange(4)})
    aside = np.array([4, 0])
    predicted = np.stack([points, points + aside, points, np.full_like(points, np.nan)])
    (row,) = split_errors(selection, predicted, "detector")
    assert row.missed == [faces[3]]
    assert row.nme_percent() == pytest.approx(100 / 30)  # 0, 4 of 40 and 0
    assert row.failures_percent(0.05) == 50
    assert [sample for sample, _ in row.failed] == [faces[1]]
    assert row.behind_star_percent == pytest.approx(100 / 30 - 2.87)


def test_many_failures_are_counted_after_the_first_twenty(tmp_path: Path) -> None:
    faces = [Sample(tmp_path / f"{i}.jpg", np.zeros((68, 2))) for i in range(30)]
    data = DataSet("WFLW", WFLW_98, {"test": faces})
    row = SplitErrors(data, "test", "truth", faces, {"ocular": np.linspace(0.1, 0.4, 30)})
    lines = list(failure_lines(row, tmp_path))
    assert lines[0] == "test, truth: 40.00 % 29.jpg"
    assert len(lines) == 21
    assert lines[-1] == "test, truth: and 9 more over 10 %"


def test_faces_the_detector_does_not_find_are_missed(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), blob_frame([(100, 120)]))
    seen = np.array([100, 120]) + 30 * two_sided_shape()
    faces = [Sample(tmp_path / "face.png", seen), Sample(tmp_path / "face.png", seen + 60)]
    found = detect_in_pictures(FaceTracker(TwoSidedLandmarker(), BlobDetector()), faces)
    np.testing.assert_allclose(found[0], seen, atol=2)
    assert np.isnan(found[1]).all()


def test_no_face_found_at_all_is_still_a_table(tmp_path: Path) -> None:
    faces = [Sample(tmp_path / "0.jpg", np.zeros((68, 2)))]
    row = SplitErrors(
        data=DataSet("300W", IBUG_68, {"test": faces}),
        split="test",
        crop="detector",
        samples=faces,
        errors={"ocular": np.array([np.inf])},
    )
    assert row.nme_percent() is None
    assert main_table([row], "title", "caption").row_count > 1


def test_published_figures_are_those_of_the_normaliser_asked_for() -> None:
    star, pupil = reference("300W", "test", "ocular"), reference("300W", "test", "pupil")
    assert star is not None
    assert pupil is not None
    assert (star.nme_percent, pupil.nme_percent) == (2.87, 4.03)
    assert min(row.nme_percent for row in published("WFLW", "test", "ocular")) == 3.75
    assert all(row.source for row in published("COFW", "test", "pupil"))


def test_the_readme_takes_its_figures_from_the_held_out_rows() -> None:
    text = report.figures()
    stored = json.loads((harness.RESULTS / "accuracy.json").read_text())
    for row in stored["rows"]:
        assert f"| {row['nme_percent']:.2f} |" in text
