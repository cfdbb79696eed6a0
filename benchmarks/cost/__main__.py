"""Does a frame cost more than in another state of this repository?

    git worktree add /tmp/before COMMIT
    python -m benchmarks.cost --baseline /tmp/before [--baseline-python P]

Both trackers, each with the defaults of its state and in a process of its own, track the same clips
in turns of a few frames, so that whatever else the machine does slows both. The first second is not
counted. Frames in which the detector looks are among those counted. Of the ratio the median of
seconds and its 90 % interval by bootstrap are printed, of the clock's time and of the processor's,
which a busy machine leaves as it is.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tracker.cli.demo import demo_camera
from tracker.errors import FaceTrackError
from tracker.types import Frame

from ..harness import (
    RESULTS,
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from ..latency.timed_clips import FOUR_FACES, FRAME_RATE, ONE_FACE, FourPortraits

_TURN = 5
"""Frames that one tracker takes before the other has its turn."""
_SECOND = round(FRAME_RATE)
_WORKER = Path(__file__).parent / "timed_worker.py"

Spent = Float[np.ndarray, "frames columns=3"]
"""Milliseconds by the clock and of the processor, and the faces."""


@dataclass(frozen=True, slots=True)
class PairedCost:
    """What a frame costs now and before, milliseconds."""

    now_ms: float
    before_ms: float
    """Medians over seconds of the mean of their frames, by the clock."""
    ratio: float
    ratio_90: tuple[float, float]
    processor_ratio: float
    processor_ratio_90: tuple[float, float]
    faces: tuple[float, float]
    """Mean number of faces now and before: who loses faces is faster."""


def main(command: list[str] | None = None) -> None:
    """Parse flags, time both trackers, print and keep the ratios."""
    parser = argument_parser("cost", __doc__)
    parser.add_argument("--baseline", type=Path, required=True, metavar="DIR", help="a checkout")
    parser.add_argument(
        "--baseline-python", default=sys.executable, metavar="P",
        help="with what that state needs, MediaPipe for instance (default: this one)",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=10.0, help="of a clip (default: 10)")
    parser.add_argument("--json", type=Path, default=RESULTS / "cost.json", metavar="F")
    run_command(parser, _run, command)


def _run(arguments: argparse.Namespace) -> None:
    if not (arguments.baseline / "tracker").is_dir():
        raise FaceTrackError(f"{arguments.baseline}: not a checkout of this repository")
    clips: dict[str, Iterable[Frame]] = {
        ONE_FACE: demo_camera(),
        FOUR_FACES: FourPortraits(arguments.seconds),
    }
    costs = {}
    for name, clip in clips.items():
        frames = [frame.image for frame in islice(clip, round(arguments.seconds * FRAME_RATE))]
        spent = _in_turns(np.stack(frames), arguments.baseline, arguments.baseline_python)
        costs[name] = paired_cost(*spent)
    rows = [
        [name, f"{of.now_ms:.1f}", f"{of.before_ms:.1f}", _interval(of.ratio, of.ratio_90),
         _interval(of.processor_ratio, of.processor_ratio_90),
         f"{of.faces[0]:.1f} / {of.faces[1]:.1f}"]
        for name, of in costs.items()
    ]  # fmt: skip
    headings = ["", "now, ms", "before, ms", "ratio", "of processor time", "faces now / before"]
    wide_console().print(rich_table(headings, rows, title="a frame, detector included"))
    described = {name: asdict(of) for name, of in costs.items()}
    save_json(arguments.json, {"machine": machine(), "clips": described}, digits=4)


def _interval(middle: float, ends: tuple[float, float]) -> str:
    return f"{middle:.3f} ({ends[0]:.3f} to {ends[1]:.3f})"


def _in_turns(images: np.ndarray, baseline: Path, python: str) -> tuple[Spent, Spent]:
    """What every frame took now and before."""
    here = Path(__file__).parents[2]
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        np.save(folder / "frames.npy", images)
        workers = [
            opened.enter_context(
                subprocess.Popen(
                    [program, str(_WORKER), str(folder / "frames.npy"), str(FRAME_RATE)],
                    cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for program, checkout in ((sys.executable, here), (python, baseline))
        ]  # fmt: skip
        spent: list[list[list[float]]] = [[], []]
        for turn, first in enumerate(range(0, len(images), _TURN)):
            last = min(first + _TURN, len(images)) - 1
            for which in (0, 1) if turn % 2 else (1, 0):
                spent[which] += _answer(workers[which], first, last)
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
    return np.array(spent[0]), np.array(spent[1])


def _answer(worker: "subprocess.Popen[str]", first: int, last: int) -> list[list[float]]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{first} {last}\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise FaceTrackError("benchmarks.cost: a tracker ended; what it said stands above")
    answer: list[list[float]] = json.loads(line)
    return answer


def paired_cost(now: Spent, before: Spent) -> PairedCost:
    """The ratio of what the same frames took.

    Args:
        now: Of every frame.
        before: Of the same.

    Raises:
        FaceTrackError: If there are less than two seconds.
    """
    seconds = len(now) // _SECOND - 1
    if seconds < 1:
        raise FaceTrackError("benchmarks.cost: a clip of less than two seconds says nothing")
    counted = [of[_SECOND : _SECOND * (seconds + 1)].reshape(seconds, _SECOND, 3).mean(1)
               for of in (now, before)]  # fmt: skip
    ratio = counted[0][:, :2] / counted[1][:, :2]
    drawn = np.random.default_rng(0).integers(seconds, size=(1000, seconds))
    ends = np.quantile(np.median(ratio[drawn], axis=1), (0.05, 0.95), axis=0)
    clock, processor = ((float(low), float(high)) for low, high in ends.T)
    return PairedCost(
        float(np.median(counted[0][:, 0])),
        float(np.median(counted[1][:, 0])),
        float(np.median(ratio[:, 0])),
        clock,
        float(np.median(ratio[:, 1])),
        processor,
        (float(counted[0][:, 2].mean()), float(counted[1][:, 2].mean())),
    )


if __name__ == "__main__":
    main()
