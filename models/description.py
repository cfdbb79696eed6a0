"""What a weight file says about itself, whichever back end reads it; JSON in the file."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .architecture import LandmarkNetConfig
from .covariance_law import Calibration, Pairs, SpreadLaw

METADATA_KEY = "star-tracker"
"""Under which every kind of weight file keeps it."""
TEST_PART = "its own test set"
"""What `selected_on` says where the authors' practice was followed."""


class CheckpointError(Exception):
    """A weight file cannot be used; the message is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointInfo:
    """What a weight file says about itself."""

    architecture: LandmarkNetConfig
    layout: str
    input_px: int
    margin: float
    """Side of the crop over the longer side of the landmarks' box."""
    colour: str = "RGB"
    antialiased: bool = True
    """Whether it was trained on crops whose pixels were averaged before strong reductions."""
    trained_on: str = ""
    licence: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    """What was measured on the held-out part."""
    selected_on: str = ""
    """The faces on which this was found to be the best state of its run."""
    layout_table: dict[str, Any] = field(default_factory=dict)
    """The layout itself where its name is none that everybody knows."""
    horizontal_bias: float = 0.0
    """As in `tracker.landmarker.Landmarker`."""
    calibration: Calibration | None = None


def as_dictionary(info: CheckpointInfo) -> dict[str, Any]:
    """What JSON makes of it and brings back."""
    return dict(json.loads(json.dumps(asdict(info))))


def from_dictionary(described: dict[str, Any]) -> CheckpointInfo:
    """The inverse of `as_dictionary`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: If it is no such dictionary.
    """
    fields = dict(described)
    architecture = dict(fields.pop("architecture"))
    architecture["edges"] = tuple(tuple(edge) for edge in architecture["edges"])
    architecture["stem_pools"] = tuple(architecture.get("stem_pools", (1,)))  # older files
    calibration = _calibration(fields.pop("calibration"))
    return CheckpointInfo(
        architecture=LandmarkNetConfig(**architecture), calibration=calibration, **fields
    )


def _calibration(stored: object) -> Calibration | None:
    if stored is None:
        return None
    if not isinstance(stored, dict):
        raise TypeError("its calibration is no dictionary")
    return Calibration(
        eye_corners=tuple(stored["eye_corners"]),
        absolute=_law(stored["absolute"]),
        measurement_noise=_law(stored["measurement_noise"]),
        presence=tuple(stored["presence"]),
    )


def _law(stored: object) -> SpreadLaw | Pairs:
    """A dictionary is a `SpreadLaw`, the list of older files its `Pairs`."""
    if isinstance(stored, list):
        return tuple((a, b) for a, b in stored)
    if not isinstance(stored, dict):
        raise TypeError("a law of its calibration is neither a dictionary nor a list")
    fields = dict(stored)
    usual = tuple((level, half, xy) for level, half, xy in fields.pop("usual"))
    return SpreadLaw(usual=usual, parts=tuple(map(tuple, fields.pop("parts"))), **fields)
