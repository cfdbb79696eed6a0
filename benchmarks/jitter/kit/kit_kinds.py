"""What happens in the clips of the kit, and at which times their frames are taken."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from train.synthetic.kinds import CLIPS, Kind
from train.synthetic.motion import pan, sway

FRAME_RATE = 30.0
_FINE_RATE = 60.0
"""Of the virtual camera where frames come irregularly: they are some of these."""
_LONGEST_GAP = 6
"""Frames that are dropped in a row."""
FINE_CRF = 12
"""x264's constant rate factor at which sensor noise stays in the film."""
_COARSE_CRF = 34

Choice = Int[np.ndarray, " frames"]


def every_frame(count: int, _: np.random.Generator) -> Choice:
    """A camera that keeps its rate."""
    return np.arange(count)


def irregular_frames(count: int, rng: np.random.Generator) -> Choice:
    """One to four ticks from frame to frame, as phones film in poor light."""
    ticks = np.concatenate([[0], np.cumsum(rng.integers(1, 5, count))])
    return ticks[ticks < count]


def dropped_frames(count: int, rng: np.random.Generator) -> Choice:
    """A regular film in which one to six frames in a row are missing, twice a second or so."""
    kept = np.ones(count, bool)
    start = int(rng.integers(8, 16))
    while start < count:
        kept[start : start + int(rng.integers(1, _LONGEST_GAP + 1))] = False
        start += int(rng.integers(12, 20))
    return np.flatnonzero(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class KitKind:
    """A kind of clip."""

    about: str
    """One sentence for the page of rules."""
    scene: Kind
    fps: float = FRAME_RATE
    """Of the virtual camera, frames a second."""
    chosen: Callable[[int, np.random.Generator], Choice] = every_frame
    """Which of its frames the film has."""
    crf: int = FINE_CRF
    extra_s: float = 0.0
    """Longer than other clips by so much."""
    turns: bool = False
    """The head turns in depth, by a mesh of the face."""


def _of(name: str, about: str, extra_s: float = 0.0) -> KitKind:
    return KitKind(about=about, scene=CLIPS[name], extra_s=extra_s)


KIT_KINDS: dict[str, KitKind] = {
    "still": _of("still", "Nothing moves but the sensor's noise.", extra_s=1.0),
    "drift": _of("drift", "One slow constant velocity, 0.15 eye distances a second."),
    "pan": _of("pan", "To and fro at one eye distance a second, turning on the spot."),
    "zoom": _of("zoom", "Nearer and farther by a quarter a second."),
    "roll": _of("roll", "The head tips from side to side, 30 degrees a second, up to 20."),
    "shake": _of("shake", "An unsteady hand: 1 to 9 Hz, less of it the faster."),
    "step": _of("step", "Rest, one eye distance in 0.3 s, a dead stop; over and over."),
    "walk-up": _of("walk-up", "Towards the camera, from 1.6 times the distance to 0.7, bobbing."),
    "turn": KitKind(
        about="The head turns in depth: a photograph on a 3-D mesh by up to 30 degrees to both "
        "sides; rendered heads, where the kit has them, by up to 55, or they nod or tilt.",
        scene=Kind(),
        turns=True,
    ),
    "blink": _of("blink", "Full blinks: 0.1 s closing, 0.05 s closed, 0.15 s opening."),
    "mouth": _of("mouth", "The mouth opens and closes, by different amounts."),
    "talking": _of("talking", "The small motion of a head that listens, blinks and mouth."),
    "covering": _of("occluder", "A hand comes over part of the face and goes."),
    "dark": _of("dark", "2.5 stops darker, three and a half times the noise, longer exposure."),
    "exposure": _of("exposure", "The light goes down and up by two stops."),
    "compression": KitKind(
        about=f"Compressed as by a bad connection: H.264 at a rate factor of {_COARSE_CRF}.",
        scene=Kind(motion=sway),
        crf=_COARSE_CRF,
    ),
    "variable": KitKind(
        about="A pan whose frames are 1/60 to 4/60 s apart, at random.",
        scene=Kind(motion=pan),
        fps=_FINE_RATE,
        chosen=irregular_frames,
    ),
    "dropped": KitKind(
        about="A pan in which one to six frames in a row are missing, over and over.",
        scene=Kind(motion=pan),
        chosen=dropped_frames,
    ),
    "crossing": _of("crossing", "Somebody else passes between the face and the camera."),
}
CORE = ("still", "pan", "step", "blink", "mouth")
"""Everybody has these clips, from which the main figures come; the others go round."""
