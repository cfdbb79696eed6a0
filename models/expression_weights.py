"""The weight file of the network of expressions (`models.tool_weights`), and its description."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from .expression_net import ExpressionNet, ExpressionNetConfig
from .expression_reader import EXPRESSION_KIND
from .tool_weights import load_tool, save_tool, unusable

_MOST_CHANNELS, _MOST_BLOCKS = 1024, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionWeightsInfo:
    """What the file says about itself."""

    architecture: ExpressionNetConfig
    names: tuple[str, ...]
    """Of the coefficients."""
    usual_mean: tuple[float, ...]
    usual_deviation: tuple[float, ...]
    """Of the coefficients among the faces trained on: what the network says of a face that tells it
    nothing."""
    trained_on: str = ""
    licence: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def save_expression_weights(
    path: Path, state: dict[str, Tensor], info: ExpressionWeightsInfo
) -> None:
    """Write the file; a cut-off write leaves the old one."""
    save_tool(path, EXPRESSION_KIND, state, asdict(info))


def load_expression_weights(path: Path) -> tuple[ExpressionNet, ExpressionWeightsInfo]:
    """Read the file into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If it is damaged, not ours, or does not fit its own description.
    """
    tensors, described = load_tool(path, EXPRESSION_KIND)
    try:
        shape, names = described.pop("architecture"), tuple(map(str, described.pop("names")))
        widths, depths = tuple(shape.pop("widths")), tuple(shape.pop("depths"))
        numbers = (*widths, *depths, *shape.values())
        if (len(widths), len(depths)) != (5, 4) or not all(type(n) is int for n in numbers):
            raise ValueError("its architecture has another shape")
        if not all(1 <= n <= _MOST_CHANNELS for n in numbers) or max(depths) > _MOST_BLOCKS:
            raise ValueError("its architecture has impossible sizes")
        architecture = ExpressionNetConfig(widths=widths, depths=depths, **shape)
        usual = [tuple(map(float, described.pop(f"usual_{of}"))) for of in ("mean", "deviation")]
        if {len(names), *map(len, usual)} != {architecture.coefficients}:
            raise ValueError("it names other coefficients than it has")
        info = ExpressionWeightsInfo(
            architecture=architecture, names=names, usual_mean=usual[0], usual_deviation=usual[1],
            **described,
        )  # fmt: skip
        network = ExpressionNet(architecture)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise unusable(path, EXPRESSION_KIND, error) from error
    return network.eval(), info
