"""What is known of a run while it lasts and when it is over, and the wish to end it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event

from ..io.read_losses import Losses
from ..io.sources import Source
from ..tracker_config import Tally
from .result_age import ResultAges


@dataclass(slots=True)
class RunSummary:
    """How a run goes."""

    name: str
    """Of the source."""
    tally: Tally
    stage_seconds: dict[str, float] = field(default_factory=dict)
    """Spent in each stage of tracking."""
    seconds: float = 0.0
    """Wall time from the first frame to the last."""
    read_seconds: float = 0.0
    """Spent in the source, beside the tracking."""
    output_seconds: float = 0.0
    """Spent in the sinks, beside the tracking."""
    ages: ResultAges = field(default_factory=ResultAges)
    """From a frame's arrival to its faces."""
    packets: dict[str, ResultAges] = field(default_factory=dict)
    """From a frame's arrival to its packet, by stream."""
    dropped: int | None = None
    """Frames of a camera that came too fast; None where all are waited for."""
    interrupted: bool = False
    losses: Losses = field(default_factory=Losses)
    """What of the source could not be read."""

    @property
    def frames_per_second(self) -> float:
        return self.tally.frames / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        ended = f"interrupted after {self.tally.frames}" if self.interrupted else self.tally.frames
        rate, faces = f"{self.frames_per_second:.1f} fps", f"faces by id: {self.tally.ids}"
        left_out = f", up to {self.tally.left_out} left out" if self.tally.left_out else ""
        return f"{self.name}: {ended} frames, {rate}, {faces}{left_out}"

    @property
    def milliseconds(self) -> dict[str, float]:
        """Per frame, by stage; reading and output overlap with the rest."""
        stages = {
            **self.stage_seconds, "output": self.output_seconds, "read": self.read_seconds
        }  # fmt: skip
        return {name: 1000 * spent / max(self.tally.frames, 1) for name, spent in stages.items()}


@dataclass(slots=True)
class SeveralSummary:
    """How the runs of several videos went."""

    videos: int
    done: int = 0
    """From their first frame to their last."""
    failed: int = 0
    incomplete: int = 0
    """Done, but cut off, or more than a tenth of the frames is lost."""
    frames: int = 0
    faces: int = 0
    """By id, summed over the videos."""
    seconds: float = 0.0
    """Wall time of all."""
    interrupted: bool = False

    def add(self, run: RunSummary) -> None:
        """Count a run that did not fail."""
        self.done += not run.interrupted
        self.incomplete += run.losses.are_grave
        self.frames += run.tally.frames
        self.faces += run.tally.ids


@dataclass(frozen=True, slots=True)
class StopRequest:
    """How whoever started a run ends it."""

    stop: Event = field(default_factory=Event)
    """End after the frame in hand, and write what is tracked."""
    abort: Event = field(default_factory=Event)
    """Do not even write that."""


FrameDone = Callable[[int], None]
"""Called after each frame with the number of faces in it."""
Watch = Callable[[Source, RunSummary], AbstractContextManager[FrameDone]]
"""Opened around each pass over a source, to show how it goes."""
