"""Reads many fuzzed inputs, each in a process of its own with little memory and little time."""

import faulthandler
import os
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.harness import Json
from models.checkpoint import CheckpointError
from tracker.errors import FaceTrackError

from .fuzzed_inputs import Edit, FuzzedKind, edits, fuzzed_kinds

_SECONDS = 30
"""Of processor time; four times as long by the clock."""
_BYTES = 2 * 2**30
_SHOWN = 5
RIGHT, TRACEBACK, HANG, CRASH, MEMORY = "right", "traceback", "hang", "crash", "memory"
_STATUSES = {0: RIGHT, 1: TRACEBACK, 2: MEMORY}


def fuzz(examples: int, seed_number: int, message: Callable[[str], None]) -> Json:
    """Read so many inputs of every kind.

    Returns:
        How each went by kind, and the first messages of those that went wrong.
    """
    with tempfile.TemporaryDirectory() as place:
        kinds = fuzzed_kinds(Path(place))
    result: Json = {}
    for name, kind in kinds.items():
        ends, wrong = _fuzz_kind(kind, examples, seed_number)
        result[name] = dict(ends) | ({"wrong": wrong[:_SHOWN]} if wrong else {})
        message(f"{name}: {result[name]}")
    return result


def _fuzz_kind(kind: FuzzedKind, examples: int, seed_number: int) -> tuple[Counter[str], list[str]]:
    ends: Counter[str] = Counter()
    wrong: list[str] = []

    @seed(seed_number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(edits(words=kind.words))
    def one(done: list[Edit]) -> None:
        end, said = in_a_child(kind, done)
        ends[end] += 1
        if end != RIGHT:
            wrong.append(f"{end}: {said[-300:]} by {done}"[:600])

    one()
    return ends, wrong


def in_a_child(kind: FuzzedKind, done: list[Edit]) -> tuple[str, str]:
    """How reading one input ends, and what is said.

    The child is forked, so it has the modules already; no thread of ours runs here.
    """
    with tempfile.TemporaryDirectory() as place:
        said = Path(place) / "said"
        child = os.fork()
        if not child:
            _read_and_end(kind, Path(place), done, said)
        _, status = os.waitpid(child, 0)
        text = said.read_text(errors="replace") if said.exists() else ""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        is_late = number in (signal.SIGALRM, signal.SIGPROF)
        return (HANG if is_late else CRASH), f"signal {number} {text}"
    return _STATUSES.get(os.WEXITSTATUS(status), CRASH), text


def _read_and_end(kind: FuzzedKind, folder: Path, done: list[Edit], said: Path) -> None:
    """Ends the process: 0 right, 1 another error than a user's, 2 too much memory."""
    faulthandler.disable()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    signal.alarm(4 * _SECONDS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _BYTES, used + _BYTES))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    status = 0
    try:
        kind.attempt(folder, done)
    except (FaceTrackError, CheckpointError) as error:
        status = int("\n" in str(error))
        said.write_text(repr(error))
    except MemoryError:
        status = 2
    except BaseException as error:  # noqa: BLE001  it is what is looked for
        status = 1
        said.write_text(f"{type(error).__name__}: {error} at {_place(error)}", errors="replace")
    finally:
        sys.stdout.flush()
        os._exit(status)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
