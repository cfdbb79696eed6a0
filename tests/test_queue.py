"""The queue of trainings, with recipes that learn nothing, on made-up faces."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_datasets import write_300w, write_picture

from models.checkpoint import load_checkpoint
from train.datasets import Sample, write_pseudo_labels
from train.queue import CHECKPOINTS, TABLE, QueuePaths, images_done, next_training, run_queue
from train.queue_table import QueueError, read_table
from train.recipes import RECIPES

ROOT = Path(__file__).parents[1]
MACHINE = ["--workers", "0", "--device", "cpu"]
TWO = """
[labels.stills]
data = "stills"

[[training]]
name = "first"
config = "tiny"
further = ["stills"]

[[training]]
name = "second"
config = "tiny"
start_from = "first"
"""


def never() -> bool:
    return False


def after(batches: int) -> object:
    """Lets a queue begin and then see that many batches."""
    asked = iter([False] * (batches + 3))
    return lambda: next(asked, True)


@pytest.fixture
def paths(tmp_path: Path, rng: np.random.Generator) -> QueuePaths:
    write_300w(tmp_path / "data/300w", rng, faces=30)
    picture = tmp_path / "data/stills/A_1.jpg"
    write_picture(picture, rng)
    found = QueuePaths(
        data=tmp_path / "data", work=tmp_path / "work", checkpoints=tmp_path / "checkpoints"
    )
    # Made beforehand: screening needs trained weights.
    points = rng.uniform(30, 90, (68, 2)).astype(np.float32)
    write_pseudo_labels(found.labels("stills"), [Sample(picture, points)])
    return found


def table_of(paths: QueuePaths, text: str = TWO) -> Path:
    file = paths.data / "queue.toml"
    file.write_text(text)
    return file


def test_a_queue_trains_one_after_the_other_from_the_weights_of_the_one_before(
    paths: QueuePaths,
) -> None:
    table = read_table(table_of(paths))
    first, second = table.trainings
    assert next_training(table, paths) is first
    run_queue(table, paths, MACHINE, never)
    assert next_training(table, paths) is None
    for training in (first, second):
        assert images_done(training, paths) == RECIPES["tiny"].images
        assert load_checkpoint(paths.checkpoint(training))[1].figures["images"] == 96
        assert json.loads(paths.log(training).read_text().splitlines()[-1])["images"] == 96
    command = json.loads((paths.run_folder(second) / "config.json").read_text())
    assert "1 faces of stills" in command["data"] or "300W" in command["data"]


def test_a_bare_machine_goes_on_at_the_place_of_the_committed_weights(paths: QueuePaths) -> None:
    table = read_table(table_of(paths))
    first = table.trainings[0]
    run_queue(table, paths, MACHINE, after(batches=10))  # type: ignore[arg-type]
    paused = images_done(first, paths)
    assert 0 < paused < 96
    log = paths.log(first).read_text()
    shutil.rmtree(paths.run_folder(first))
    assert images_done(first, paths) == paused
    run_queue(table, paths, MACHINE, after(batches=1))  # type: ignore[arg-type]
    assert images_done(first, paths) > paused
    assert paths.log(first).read_text().startswith(log)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_sigterm_pauses_and_leaves_weights_to_commit(paths: QueuePaths) -> None:
    flags = ["--data", str(paths.data), "--work", str(paths.work), "--workers", "0"]
    flags += ["--checkpoints", str(paths.checkpoints), "--table", str(table_of(paths))]
    command = [sys.executable, "-m", "train.queue", *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(paths.work.glob("first/log.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "first" in said
    assert (paths.checkpoints / "first.safetensors").exists()


def test_every_recipe_and_label_of_the_shipped_table_is_there() -> None:
    table = read_table(TABLE)
    assert table.trainings
    for training in table.trainings:
        shares = dict(RECIPES[training.config].further_shares)
        assert set(shares) == set(training.further)
    for weights in CHECKPOINTS.glob("*.safetensors"):
        assert weights.stem in {training.name for training in table.trainings}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[training]", "cannot be read"),
        ('[[training]]\nname = "a"\nconfig = "none"', "no recipe none"),
        ('[[training]]\nname = "a"\nconfig = "tiny"\nfurther = ["b"]', "no labels b"),
        ('[[training]]\nname = "a"\nconfig = "tiny"\nspeed = 1', "unknown speed"),
        ('[[training]]\nname = "a"', "config"),
        ("[labels.a]", "one of pictures, data and turned"),
    ],
)
def test_a_table_that_cannot_be_carried_out_is_refused(
    text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "queue.toml").write_text(text)
    with pytest.raises(QueueError, match=said):
        read_table(tmp_path / "queue.toml")
