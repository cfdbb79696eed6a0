"""Training as a user runs it: tiny, on made-up faces."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_datasets import write_300w

from models.checkpoint import TEST_PART, CheckpointInfo, load_checkpoint, save_checkpoint
from models.landmark_net import LandmarkNet
from tracker.layouts import COFW_29, IBUG_68
from train.datasets import DataError, open_data_set
from train.execution import Execution
from train.faces import gather
from train.fit import train
from train.fit_flags import build_parser
from train.processes import Processes
from train.recipes import RECIPES
from train.run_folder import RunFolder
from train.training_error import TrainingError
from train.training_run import Run, architecture_of
from train.views import Draw, TrainingView, TrainingViews, batches
from train.warm_start import warm_start
from train.whole_file import write_whole

ROOT = Path(__file__).parents[1]
TIMED = {"images_per_s"}
CPU = Processes(torch.device("cpu"))


def command(data: Path, run: Path, *more: str) -> list[str]:
    flags = ["--data", str(data), "--config", "tiny", "--run-folder", str(run), "--workers", "0"]
    return [sys.executable, "-m", "train.fit", *flags, "--device", "cpu", *more]


def fit_here(data: Path, run: Path, *more: str) -> None:
    train(build_parser().parse_args(command(data, run, *more)[3:]), CPU)


def fit_fails(data: Path, run: Path, *more: str) -> str:
    """The one line that a run dies with."""
    asked = command(data, run, *more)
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def curve_of(run: Path) -> list[dict[str, float]]:
    """The log without what depends on the clock."""
    rows = RunFolder(run).rows()
    return [{name: row[name] for name in row if name not in TIMED} for row in rows]


def made_up_batch() -> TrainingView:
    generator = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8, generator=generator)
    target = torch.rand(4, 68, 2, generator=generator) - 0.5
    edges = torch.zeros(4, 0, 8, 8, dtype=torch.uint8)
    sure, again = torch.ones(4, 68), torch.zeros(4, dtype=torch.bool)
    return TrainingView(crops, target, sure, edges, again, ["a", "b", "c", "d"], [""] * 4)  # type: ignore[arg-type]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_run_killed_three_times_is_the_run_left_alone(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    fit_here(data, whole)
    for _ in range(3):
        rows = len(curve_of(killed))
        process = subprocess.Popen(command(data, killed), cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(curve_of(killed)) <= rows:
            assert time.monotonic() < deadline, "no row after a minute"
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command(data, killed), cwd=ROOT, check=True, capture_output=True)
    assert curve_of(killed) == curve_of(whole)
    assert len(curve_of(whole)) == 3
    for name in ("last", "best"):
        one, other = (load_file(run / f"{name}.safetensors") for run in (whole, killed))
        for key, tensor in one.items():
            torch.testing.assert_close(other[key], tensor, rtol=0, atol=0, msg=key)


def test_the_run_folder_tells_what_was_done(tmp_path: Path, rng: np.random.Generator) -> None:
    fit_here(write_300w(tmp_path / "300w", rng, faces=30), tmp_path / "run")
    said = json.loads((tmp_path / "run/config.json").read_text())
    assert said["recipe"]["images"] == 96
    assert json.loads((tmp_path / "run/environment.json").read_text())["torch"]
    report = (tmp_path / "run/report.md").read_text()
    best = min(curve_of(tmp_path / "run"), key=lambda row: row["nme_percent"])
    assert f"NME {best['nme_percent']:.3f} %" in report
    assert cv2.imread(str(tmp_path / "run/samples.png")) is not None
    _, info = load_checkpoint(tmp_path / "run/best.safetensors")
    assert info.figures["nme_percent"] == best["nme_percent"]
    assert "held-out" in info.selected_on
    assert "27 faces, 3 held out" in info.trained_on


def test_nothing_of_the_held_out_part_is_trained_on(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = open_data_set(write_300w(tmp_path / "300w", rng, faces=30))
    faces = gather(data, None, select_on_test=False)
    assert not {s.name for s in faces.training} & {s.name for s in faces.held_out}
    assert len(faces.training) + len(faces.held_out) == 30


def test_selection_on_the_test_set_is_marked_in_the_weights(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    with pytest.raises(DataError, match="no split 'test'"):
        gather(open_data_set(data), None, select_on_test=True)
    (data / "afw").rename(data / "ibug")
    fit_here(data, tmp_path / "run", "--select-on-test")
    _, info = load_checkpoint(tmp_path / "run/best.safetensors")
    assert info.selected_on == TEST_PART
    assert "held out" not in info.trained_on


def test_a_folder_that_is_no_data_set_gives_one_line(tmp_path: Path) -> None:
    assert str(tmp_path) in fit_fails(tmp_path, tmp_path / "run")


def test_a_recipe_for_another_data_set_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    with pytest.raises(DataError, match="published for WFLW"):
        fit_here(data, tmp_path / "run", "--config", "star-wflw")


def test_a_bad_picture_is_named_skipped_and_counted(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    faces = gather(open_data_set(data), None, select_on_test=False)
    bad = faces.training[4].image_path
    bad.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1 of 27 .* more than 0\.1 %.*image_"):
        fit_here(data, tmp_path / "run")
    many = replace(faces, training=faces.training * 50)
    many.check_bad({str(bad)})
    with pytest.raises(DataError, match="2 of 1350"):
        many.check_bad({"one", "other"})


def test_another_face_takes_the_place_of_a_bad_one(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    samples = open_data_set(data).split("train")
    samples[7].image_path.write_bytes(b"no picture")
    views = TrainingViews(samples, IBUG_68, RECIPES["tiny"])
    view = views[Draw(3, 7, 32)]
    assert samples[7].image_path.name in view.bad
    assert view.name != samples[7].name
    assert views[Draw(3, 7, 32)].name == view.name


def test_a_loss_that_is_no_number_stops_at_once_and_names_the_batch() -> None:
    run = Run(RECIPES["tiny"], IBUG_68, CPU)
    before = {name: tensor.clone() for name, tensor in run.network.named_parameters()}
    batch = made_up_batch()._replace(target=torch.full((4, 68, 2), float("nan")))
    with pytest.raises(TrainingError, match=r"no number at picture 0 .* batch was a, b, c, d"):
        run.step(batch)
    for name, tensor in run.network.named_parameters():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    assert run.images == 0


def test_a_full_disk_keeps_the_state_before(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full to play a full disk")
    state = tmp_path / "state.pt"
    write_whole(state, b"good")
    (tmp_path / "state.pt.partial").symlink_to(full)
    with pytest.raises(TrainingError, match=r"No space left.*the one before is kept"):
        write_whole(state, b"newer")
    assert state.read_bytes() == b"good"


def test_a_damaged_state_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/state.pt").write_bytes(b"cut off")
    assert "state.pt: damaged" in fit_fails(data, tmp_path / "run")


def test_a_run_ends_in_time_and_goes_on_later(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    fit_here(data, tmp_path / "run", "--minutes", "0")
    assert [row["images"] for row in curve_of(tmp_path / "run")] == [4]
    fit_here(data, tmp_path / "run")
    assert [row["images"] for row in curve_of(tmp_path / "run")] == [4, 32, 64, 96]


def test_steps_on_one_batch_lower_its_loss() -> None:
    run = Run(RECIPES["tiny"], IBUG_68, CPU)
    run.images = 48  # past the warm-up
    losses = []
    for _ in range(12):
        losses.append(run.step(made_up_batch())["cross_entropy"])
        run.images = 48
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_computes_nearly_the_same_losses(precision: str) -> None:
    exact = Run(RECIPES["tiny"], IBUG_68, CPU).step(made_up_batch())
    execution = Execution(precision=precision)  # type: ignore[arg-type]
    half = Run(RECIPES["tiny"], IBUG_68, CPU, execution).step(made_up_batch())
    for name, loss in exact.items():
        assert half[name] == pytest.approx(loss, rel=0.03)


def test_parts_of_a_batch_add_up_to_its_gradient() -> None:
    """Without batch norm's statistics, that is: in evaluation mode they do not depend on parts."""
    gradients = []
    for parts in (1, 2):
        run = Run(RECIPES["tiny"], IBUG_68, CPU, Execution(accumulate=parts))
        run.network.eval()
        run._backward(made_up_batch())
        gradients.append({name: p.grad for name, p in run.network.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_a_run_can_start_from_the_weights_of_another(tmp_path: Path) -> None:
    one = Run(RECIPES["tiny"], IBUG_68, CPU)
    with torch.no_grad():
        for parameter in one.network.parameters():
            parameter.add_(0.25)
    info = CheckpointInfo(
        architecture=one.network.config, layout="300W-68", input_px=32, margin=1.2
    )
    save_checkpoint(tmp_path / "w.safetensors", one.network.state_dict(), info)
    other = Run(RECIPES["tiny"], IBUG_68, CPU)
    other.start_from(tmp_path / "w.safetensors")
    for name, tensor in one.network.state_dict().items():
        torch.testing.assert_close(other.network.state_dict()[name], tensor, rtol=1e-3, atol=1e-3)
    # Another layout keeps the trunk and gets heads of its own.
    fewer = Run(RECIPES["tiny"], COFW_29, CPU)
    assert fewer.start_from(tmp_path / "w.safetensors") == ["out_heatmaps.0"]
    stem = fewer.network.state_dict()["pre.0.conv.weight"]
    torch.testing.assert_close(
        stem, one.network.state_dict()["pre.0.conv.weight"], rtol=1e-3, atol=1e-3
    )
    with pytest.raises(DataError, match="another network"):
        Run(RECIPES["lite"], IBUG_68, CPU).start_from(tmp_path / "w.safetensors")


def test_a_stem_of_another_width_begins_anew_and_the_hourglass_does_not() -> None:
    wide = LandmarkNet(architecture_of(RECIPES["tiny"], IBUG_68)).state_dict()
    narrow = replace(RECIPES["tiny"], stem_width=4)
    fresh = LandmarkNet(architecture_of(narrow, IBUG_68)).state_dict()
    begun = warm_start(fresh, wide)
    assert begun.keys() == fresh.keys()
    fitting = {name for name in fresh if name in wide and wide[name].shape == fresh[name].shape}
    for name, tensor in begun.items():
        assert torch.equal(tensor, (wide if name in fitting else fresh)[name]), name
    anew = fresh.keys() - fitting
    assert "pre.0.conv.weight" in anew
    assert all(name.startswith("pre.") for name in anew)


def test_a_further_stack_says_at_first_what_the_one_before_says(rng: np.random.Generator) -> None:
    trained = LandmarkNet(architecture_of(RECIPES["tiny"], IBUG_68)).eval()
    deeper = LandmarkNet(architecture_of(replace(RECIPES["tiny"], stacks=3), IBUG_68)).eval()
    deeper.load_state_dict(warm_start(deeper.state_dict(), trained.state_dict()))
    crops = torch.from_numpy(rng.uniform(-1, 1, (2, 3, 32, 32)).astype(np.float32))
    with torch.no_grad():
        stages = deeper(crops).stages
        one = trained(crops).landmarks
    for stage in stages:
        torch.testing.assert_close(stage, one)


def test_the_draws_of_a_run_do_not_depend_on_where_it_resumes() -> None:
    recipe = replace(RECIPES["lite"], images=32_000)
    whole = list(batches(recipe, 50, 20, 0))
    assert list(batches(recipe, 50, 20, 160 * recipe.batch)) == whole[160:]
    sizes = [draws[0].size_px for draws in whole]
    assert sizes == sorted(sizes)
    assert sizes[-1] == recipe.input_px
    share = np.mean([draw.sample >= 50 for draws in whole[:500] for draw in draws])
    assert abs(share - recipe.pseudo_share) < 0.03


def test_an_epoch_goes_through_every_face_once() -> None:
    recipe = replace(RECIPES["tiny"], images=240)
    seen = [draw.sample for draws in batches(recipe, 30, 0, 0) for draw in draws]
    for first in range(0, 240, 30):
        assert sorted(seen[first : first + 30]) == list(range(30))
    assert seen[:30] != seen[30:60]


def test_the_learning_rate_rises_stays_and_falls() -> None:
    recipe = RECIPES["lite"]
    rates = [recipe.learning_rate_at(progress) for progress in (0.0, 0.02, 0.5, 0.8, 1.0)]
    assert rates[0] == rates[-1] == 0
    assert rates[1] == rates[2] == recipe.learning_rate
    assert 0 < rates[3] < recipe.learning_rate
