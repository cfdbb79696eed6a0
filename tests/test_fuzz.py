"""A small, fixed share of `python -m benchmarks.soak --fuzz`: right, or one line for the user."""

import os
import resource
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.soak.fuzz_run import CRASH, HANG, MEMORY, RIGHT, TRACEBACK, in_a_child
from benchmarks.soak.fuzzed_inputs import Edit, FuzzedKind, edited, edits, fuzzed_kinds
from benchmarks.soak.process_figures import Held, growth
from models.checkpoint import CheckpointError
from tracker.errors import FaceTrackError

NAMES = (
    "container.mp4", "container.mkv", "picture.jpg", "picture.png", "weights.onnx",
    "weights.safetensors", "layout", "annotations",
)  # fmt: skip


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FuzzedKind]:
    return fuzzed_kinds(tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("name", NAMES)
def test_a_spoilt_file_is_used_or_refused_in_one_line(
    name: str, kinds: dict[str, FuzzedKind], tmp_path: Path
) -> None:
    heavy, told = name.startswith("weights"), []

    @settings(
        max_examples=4 if heavy else 12, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(edits(words=kinds[name].words))
    def attempt(done: list[Edit]) -> None:
        try:
            kinds[name].attempt(tmp_path, done)
        except (FaceTrackError, CheckpointError) as error:
            told.append(str(error))

    attempt()
    assert all(message and "\n" not in message for message in told)


def test_a_good_file_is_right_and_each_bad_end_is_told_apart(tmp_path: Path) -> None:
    def ends(read: object) -> str:
        return in_a_child(FuzzedKind({"x": b"abc"}, edited, read), [])[0]  # type: ignore[arg-type]

    def spin(_: Path) -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        os.kill(os.getpid(), 14)

    def refuse(_: Path) -> None:
        raise FaceTrackError("two\nlines")

    assert ends(Path.read_bytes) == RIGHT
    assert ends(lambda path: path.missing) == TRACEBACK  # type: ignore[attr-defined]
    assert ends(refuse) == TRACEBACK
    assert ends(lambda _: bytearray(2**40)) == MEMORY
    assert ends(lambda _: os.abort()) == CRASH
    assert ends(spin) == HANG


def test_growth_forgives_the_first_quarter() -> None:
    level = [Held(float(at), 100.0 + 50 * (at >= 10), 4, 9) for at in range(40)]
    assert growth(level) == {"megabytes": 0, "threads": 0, "descriptors": 0, "most_mb": 150}
    leaking = [Held(float(at), 100.0 + at, 4 + at // 4, 9) for at in range(40)]
    assert growth(leaking)["megabytes"] == 20
    assert growth(leaking)["threads"] == 5
