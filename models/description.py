"""What a weight file says about itself, whichever back end reads it; JSON in the file."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .architecture import LandmarkNetConfig
from .covariance_law import Calibration

METADATA_KEY = "star-tracker"
"""Key of the description in the metadata of every kind of weight file."""
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
    """The layout itself, where it is none of the published ones."""
    horizontal_bias: float = 0.0
    """As in `tracker.landmarker.Landmarker`."""
    calibration: Calibration | None = None


def as_dictionary(info: CheckpointInfo) -> dict[str, Any]:
    """As JSON stores it; `description_reader.from_dictionary` is the inverse."""
    return dict(json.loads(json.dumps(asdict(info))))
