"""What a plug-in is, and how one is found by `module:factory`."""

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from tracker.errors import FaceTrackError
from tracker.types import Image


@dataclass(frozen=True, slots=True, eq=False)
class PluggedFace:
    """A face as a plugged-in tracker answers it."""

    points: Float[np.ndarray, "points xy=2"]
    """Frame pixels; the centre of the first one is (0, 0)."""
    track_id: int = 0
    covariance: Float[np.ndarray, "points xy=2 xy=2"] | None = None


@runtime_checkable
class PluggedTracker(Protocol):
    """What `--tracker module:factory` makes for each clip, called with every frame in turn."""

    def __call__(self, image: Image, time_s: float, /) -> Iterable[PluggedFace]:
        """The faces of the next frame, an RGB picture."""


@dataclass(frozen=True, slots=True, eq=False)
class RawStretch:
    """An unbroken run of one track's raw landmarks: what a filter smooths."""

    times_s: Float[np.ndarray, " frames"]
    points: Float[np.ndarray, "frames points xy=2"]
    """Pixels; finite."""
    covariance: Float[np.ndarray, "frames points xy=2 xy=2"] | None
    """Measurement noise, square pixels, where the tracker gives it."""
    size_px: float
    """1.4 RMS distances of the first frame's points from their middle: about the eye distance."""


@dataclass(frozen=True, slots=True, eq=False)
class SmoothStretch:
    """What a filter makes of a `RawStretch`, frame by frame."""

    points: Float[np.ndarray, "frames points xy=2"]
    covariance: Float[np.ndarray, "frames points xy=2 xy=2"] | None = None
    nis: Float[np.ndarray, " frames"] | None = None


Smooth = Callable[[RawStretch], SmoothStretch]


@dataclass(frozen=True, slots=True)
class PluggedFilter:
    """What `--filter module:factory` names: makes a filter from a setting."""

    name: str
    make: Callable[[Any], Smooth]
    default: Any = None
    settings: Sequence[Any] = ()
    """That the precision-lag curve runs through; none: a point only."""


def load_factory(text: str, flag: str) -> Callable[..., Any]:
    """What `module:factory` names; modules of the working directory are found, too.

    Raises:
        FaceTrackError: If there is none.
    """
    module, colon, name = text.partition(":")
    if not (module and colon and name):
        raise FaceTrackError(f"{flag} {text}: write it as module:factory")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise FaceTrackError(f"{flag} {text}: {module} cannot be imported ({error})") from error
    except AttributeError as error:
        raise FaceTrackError(f"{flag} {text}: {module} has no {name}") from error
    if not callable(found) and not isinstance(found, PluggedFilter):
        raise FaceTrackError(f"{flag} {text}: is no function that makes something")
    return found
