"""What of a source could not be read."""

from dataclasses import dataclass

GRAVE_SHARE = 0.1
"""More lost frames than this share of all change the exit status."""


@dataclass(slots=True)
class Losses:
    """Frames of a source that are missing or damaged, so far; known when it was read to its end."""

    frames: int = 0
    """Given to the reader."""
    passed_over: int = 0
    """Could not be decoded."""
    marred: int = 0
    """Given, but parts of them are made up by the decoder."""
    announced: int | None = None
    """Frames that the file announces, where it ended clearly before them; else None."""
    broke_off: bool = False
    """The connection ended before the video."""
    breaks: int = 0
    """Times that a camera was away and came back."""

    @property
    def are_grave(self) -> bool:
        """Whether the source ended too early, or more than a tenth of it is lost."""
        is_short = self.announced is not None or self.broke_off
        return is_short or self.passed_over > GRAVE_SHARE * (self.frames + self.passed_over)

    def __str__(self) -> str:
        """What is to be said of them, in one line; empty where nothing is."""
        said = []
        if self.passed_over or self.marred:
            bad, count = self.passed_over + self.marred, self.passed_over + self.frames
            said.append(f"{bad} of {count} frames are damaged, {self.passed_over} of them left out")
        if self.announced is not None:
            said.append(f"it is cut off: {self.frames} of {self.announced} announced frames")
        elif self.broke_off:
            said.append(f"the connection broke off after {self.frames} frames")
        if self.breaks:
            said.append(f"it was away and came back: {self.breaks} times")
        return "; ".join(said)
