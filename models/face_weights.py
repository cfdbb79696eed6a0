"""The face detector's weight file (`models.tool_weights`) and what it says about itself."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from .face_detector import FOUND_FROM
from .face_loading import KIND
from .face_net import FaceNet, FaceNetConfig
from .tool_weights import load_tool, save_tool, unusable

_MOST_CHANNELS, _MOST_BLOCKS = 1024, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWeightsInfo:
    """What the file says about itself."""

    architecture: FaceNetConfig
    found_from: float = FOUND_FROM
    """Score from which a face is reported."""
    trained_on: str = ""
    licence: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def save_face_weights(path: Path, state: dict[str, Tensor], info: FaceWeightsInfo) -> None:
    """Write the file; a cut-off write leaves the old one."""
    save_tool(path, KIND, state, asdict(info))


def load_face_weights(path: Path) -> tuple[FaceNet, FaceWeightsInfo]:
    """Read the file into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If it is damaged, not ours, or does not fit its own description.
    """
    tensors, described = load_tool(path, KIND)
    try:
        info = _info(described)
        network = FaceNet(info.architecture)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise unusable(path, KIND, error) from error
    return network.eval(), info


def _info(described: dict[str, Any]) -> FaceWeightsInfo:
    """The description, checked before anything is made of it."""
    fields = dict(described)
    shape = fields.pop("architecture")
    architecture = FaceNetConfig(
        stem=_numbers(shape["stem"], 2, _MOST_CHANNELS),
        widths=_numbers(shape["widths"], 4, _MOST_CHANNELS),
        depths=_numbers(shape["depths"], 4, _MOST_BLOCKS),
        pyramid=_numbers([shape["pyramid"]], 1, _MOST_CHANNELS)[0],
    )
    info = FaceWeightsInfo(architecture=architecture, **fields)
    if not isinstance(info.found_from, float) or not 0 < info.found_from < 1:
        raise ValueError("its threshold is no share")
    return info


def _numbers(stored: object, count: int, most: int) -> Any:
    """A tuple of so many whole numbers from 1 to the most."""
    if not isinstance(stored, list) or len(stored) != count:
        raise ValueError("its architecture has another shape")
    if not all(type(number) is int and 1 <= number <= most for number in stored):
        raise ValueError("its architecture has impossible sizes")
    return tuple(stored)
