"""The kinds of clip that the tracker is measured on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .gesture import MakeCourse, blinks, never, speech
from .motion import MakeMotion, drift, pan, roll, shake, step, still, sway, walk_up, zoom
from .sensor import USUAL, Sensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What happens in a clip."""

    motion: MakeMotion = still
    eyes: MakeCourse = never
    mouth: MakeCourse = never
    sensor: Sensor = USUAL
    passing: Literal["nobody", "face", "hand"] = "nobody"
    """Who or what comes between the face and the camera."""


def _dusk(time_s: float) -> float:
    """The light goes down and up by two stops within six seconds."""
    return float(np.cos(2 * np.pi * time_s / 6) - 1)


CLIPS: dict[str, Kind] = {
    "still": Kind(),
    "drift": Kind(motion=drift),
    "pan": Kind(motion=pan),
    "zoom": Kind(motion=zoom),
    "roll": Kind(motion=roll),
    "shake": Kind(motion=shake),
    "step": Kind(motion=step),
    "walk-up": Kind(motion=walk_up),
    "blink": Kind(eyes=blinks),
    "mouth": Kind(mouth=speech),
    "talking": Kind(motion=sway, eyes=blinks, mouth=speech),
    "crossing": Kind(motion=sway, passing="face"),
    "occluder": Kind(motion=sway, passing="hand"),
    "dark": Kind(motion=sway, sensor=Sensor(noise=7, shutter_s=1 / 30, stops=lambda _: -2.5)),
    "exposure": Kind(motion=sway, sensor=Sensor(stops=_dusk)),
    "jpeg": Kind(motion=sway, sensor=Sensor(encoding="jpeg", jpeg_quality=40)),
    "compressed": Kind(motion=sway, sensor=Sensor(encoding="video")),
}
