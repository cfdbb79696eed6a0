"""Places the videos of an archive on the workers of a Ray cluster, so many at a time as they take.

Ray starts a lost worker anew and gives it its work again. What was placed and did not come back
leaves no trace in the data set, so each video is in it once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ..errors import FaceTrackError
from .pieces import VideoPlan

_TRIES = 4
"""Of one step whose worker dies; then the video counts as what kills workers."""
_WAITING = 2
"""Steps that wait at each worker, for each that it does."""
_POLL_S = 1.0


class ArchiveSteps(Protocol):
    """What a worker does, in a process of its own."""

    def plan(self, video: Path) -> VideoPlan: ...

    def track(self, video: Path, plan: VideoPlan, number: int) -> dict[str, Any]: ...

    def join(self, video: Path, plan: VideoPlan) -> dict[str, Any]: ...


@dataclass(slots=True)
class _Video:
    path: Path
    plan: Any = None
    """Where Ray keeps it."""
    left: int = 0
    """Pieces that are not tracked."""
    losses: list[str] = field(default_factory=list)
    """What of its pieces could not be read."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class VideoDone:
    """How one video ended."""

    video: Path
    figures: dict[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    video: _Video
    name: str
    arguments: tuple[Any, ...] = ()


class RayCluster:
    """A connection; a context manager.

    Args:
        address: Of the head node, `auto`, or `local` for a cluster of this machine alone.

    Raises:
        FaceTrackError: If Ray is missing or the cluster is not there.
    """

    def __init__(self, address: str) -> None:
        try:
            self.ray: Any = import_module("ray")
        except ImportError as error:
            raise FaceTrackError(
                f"an archive needs Ray ({error}): run pip install 'star-tracker[ray]'"
            ) from error
        # A cluster of this machine alone has no dashboard; of another it is not ours to say.
        own: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        where = None if address == "local" else address
        try:
            self.ray.init(
                where, logging_level="error", log_to_driver=False, ignore_reinit_error=True, **own
            )
        except Exception as error:  # Ray raises bare ones when its node does not start
            message = _first_line(error)
            raise FaceTrackError(f"--ray {address}: no cluster answers ({message})") from error

    def resources(self, name: str) -> int:
        """So many CPUs or GPUs the cluster has."""
        return int(self.ray.cluster_resources().get(name, 0))

    def __enter__(self) -> "RayCluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.ray.shutdown()

    def workers(
        self, make: Callable[[], ArchiveSteps], count: int, together: int, **resources: float
    ) -> list[Any]:
        """Processes that Ray starts, and starts anew when they are lost.

        Args:
            make: Makes what a worker does, in its process.
            count: Of the workers.
            together: Steps that each does at the same time, in threads.
            resources: Of each, as Ray names them: `num_cpus`, `num_gpus`.
        """
        actor = self.ray.remote(_Worker).options(
            max_restarts=-1, max_task_retries=_TRIES - 1, max_concurrency=together, **resources
        )
        return [actor.remote(make) for _ in range(count)]


class _Worker:
    """Runs in a process of the cluster."""

    def __init__(self, make: Callable[[], ArchiveSteps]) -> None:
        self._steps = make()

    def do(self, name: str, video: Path, *arguments: Any) -> Any:
        """A step by its name; a user's error comes back as its message."""
        try:
            return getattr(self._steps, name)(video, *arguments)
        except (FaceTrackError, OSError) as error:
            return str(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


class Placement:
    """Steps on their way to workers and back; bounded, whatever is in the list.

    Args:
        cluster: Connected.
        workers: Of the cluster.
        together: As they were made.
    """

    def __init__(self, cluster: RayCluster, workers: list[Any], together: int) -> None:
        self._ray, self._workers = cluster.ray, workers
        self._most = _WAITING * together * len(workers)
        self._load = dict.fromkeys(range(len(workers)), 0)
        self._placed: dict[Any, tuple[_Step, int]] = {}
        self._ready: deque[_Step] = deque()
        self.most_placed = 0
        """At the same time, so far."""

    def run(self, videos: Iterable[Path], is_over: Callable[[], bool]) -> Iterator[VideoDone]:
        """Every video as it ends.

        Args:
            videos: Taken one by one, when there is room.
            is_over: Asked between steps: begins no more videos.
        """
        coming = iter(videos)
        while True:
            while len(self._placed) < self._most and not is_over():
                if not self._ready:
                    video = next(coming, None)
                    if video is None:
                        break
                    self._ready.append(_Step(_Video(video), "plan"))
                self._place(self._ready.popleft())
            if not self._placed:
                return
            yield from self._come_back()

    def _place(self, step: _Step) -> None:
        place = min(self._load, key=self._load.__getitem__)
        worker, path = self._workers[place], step.video.path
        reference = worker.do.remote(step.name, path, *step.arguments)
        self._placed[reference], self._load[place] = (step, place), self._load[place] + 1
        self.most_placed = max(self.most_placed, len(self._placed))

    def _come_back(self) -> Iterator[VideoDone]:
        done, _ = self._ray.wait(list(self._placed), num_returns=1, timeout=_POLL_S)
        for reference in done:
            step, place = self._placed.pop(reference)
            self._load[place] -= 1
            try:
                answer = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                message = _first_line(error)
                answer = f"{step.video.path}: its worker was lost {_TRIES} times ({message})"
            ended = self._after(step, answer)
            if ended:
                yield ended

    def _after(self, step: _Step, answer: Any) -> VideoDone | None:
        """What follows a step; the end of its video, if it is."""
        video = step.video
        if isinstance(answer, str):
            is_first, video.error = not video.error, video.error or answer
            return VideoDone(video.path, error=answer) if is_first else None
        if step.name == "plan":
            video.plan, video.left = self._ray.put(answer), len(answer.pieces)
            track = partial(_Step, video, "track")
            self._ready += [track((video.plan, piece.number)) for piece in answer.pieces]
        elif step.name == "track":
            video.left -= 1
            video.losses += [answer["losses"]] if answer["losses"] else []
            if not video.left and not video.error:
                self._ready.append(_Step(video, "join", (video.plan,)))
        else:
            return VideoDone(video.path, answer | {"losses": video.losses})
        return None
