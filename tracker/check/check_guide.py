"""What whoever sits before the camera is asked to do, and when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuidedStage:
    """A part of the check."""

    key: str
    say: str
    """To the person."""
    share: float = 1.0
    """Of the usual length."""


STAGES = (
    GuidedStage("still", "hold still and look into the camera"),
    GuidedStage("turn", "turn your head slowly to both sides"),
    GuidedStage("blink", "look ahead and blink a few times"),
    GuidedStage("speak", "read something aloud"),
)
WAITING = "look into the camera"
"""Until a face is seen."""
_PATIENCE_S = 20.0
"""So long a face is waited for; then the stages run without one."""


class Guide:
    """Which stage runs at a time; begun by the first face that is seen.

    Args:
        stage_s: Length of a stage.
    """

    def __init__(self, stage_s: float) -> None:
        self._stage_s = stage_s
        self._begun_s: float | None = None
        self._first_s: float | None = None
        self.latest_s = 0.0
        """Time of the latest frame."""

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return self._stage_s * sum(stage.share for stage in STAGES)

    def see(self, time_s: float, *, face: bool) -> None:
        """Take note of a frame, which begins the stages if there is a face in it."""
        self.latest_s = time_s
        self._first_s = time_s if self._first_s is None else self._first_s
        if self._begun_s is None and (face or time_s - self._first_s > _PATIENCE_S):
            self._begun_s = time_s

    def at(self, time_s: float) -> tuple[GuidedStage, float] | None:
        """The stage that runs and the seconds that it lasts from now on; None before and after."""
        if self._begun_s is None:
            return None
        left_s = self._begun_s - time_s
        for stage in STAGES:
            left_s += self._stage_s * stage.share
            if left_s > 0:
                return stage, left_s
        return None

    def is_over(self, time_s: float) -> bool:
        """Whether all stages are done."""
        return self._begun_s is not None and time_s >= self._begun_s + self.seconds

    def line(self, time_s: float) -> str:
        """What to say now."""
        now = self.at(time_s)
        if now is None:
            return "thank you" if self.is_over(time_s) else WAITING
        stage, left_s = now
        return f"{STAGES.index(stage) + 1}/{len(STAGES)} {stage.say}: {left_s:.0f} s"
