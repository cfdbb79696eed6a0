"""The weight file of the eyes' network (`models.tool_weights`) and what it says about itself."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from .eye_net import EyeNet, EyeNetConfig
from .eye_reader import EYE_KIND
from .tool_weights import load_tool, save_tool, unusable

_MOST_CHANNELS, _MOST_BLOCKS = 1024, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeWeightsInfo:
    """What the file says about itself."""

    architecture: EyeNetConfig
    trained_on: str = ""
    licence: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def save_eye_weights(path: Path, state: dict[str, Tensor], info: EyeWeightsInfo) -> None:
    """Write the file; a cut-off write leaves the old one."""
    save_tool(path, EYE_KIND, state, asdict(info))


def load_eye_weights(path: Path) -> tuple[EyeNet, EyeWeightsInfo]:
    """Read the file into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If it is damaged, not ours, or does not fit its own description.
    """
    tensors, described = load_tool(path, EYE_KIND)
    try:
        shape = described.pop("architecture")
        numbers = (*shape["widths"], shape["depth"])
        if len(shape["widths"]) != 4 or not all(type(number) is int for number in numbers):
            raise ValueError("its architecture has another shape")
        if not all(1 <= n <= _MOST_CHANNELS for n in numbers) or shape["depth"] > _MOST_BLOCKS:
            raise ValueError("its architecture has impossible sizes")
        architecture = EyeNetConfig(widths=tuple(shape["widths"]), depth=shape["depth"])
        info = EyeWeightsInfo(architecture=architecture, **described)
        network = EyeNet(architecture)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise unusable(path, EYE_KIND, error) from error
    return network.eval(), info
