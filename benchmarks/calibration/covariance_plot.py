"""Predicted entries of the covariance against observed ones, as LUVLi draws them."""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .covariance_scores import ENTRIES, Bins

_COLOURS = {"calibrated": "#1f6fb4", "constant per landmark": "#e08214"}


def draw(kinds: dict[str, dict[str, dict[str, Bins]]], caption: str) -> bytes:
    """Draw a row for each kind of covariance, a column for each entry.

    Args:
        kinds: By kind, method and entry; methods without a colour are off the scale, and left out.
        caption: Below the plot.

    Returns:
        The encoded picture.
    """
    figure = Figure(figsize=(12, 4 * len(kinds)), layout="constrained")
    grid = figure.subplots(len(kinds), len(ENTRIES), squeeze=False)
    for row, (kind, methods) in zip(grid, kinds.items(), strict=True):
        for axes, entry in zip(row, ENTRIES, strict=True):
            for method, colour in _COLOURS.items():
                _cloud(axes, methods[method][entry], method, colour)
            _frame(axes, f"{kind}, {entry}")
    figure.supxlabel(caption, fontsize=8)
    encoded = BytesIO()
    figure.savefig(encoded, format="png", dpi=100)
    return encoded.getvalue()


def _cloud(axes: Axes, bins: Bins, method: str, colour: str) -> None:
    label = f"{method}: r {bins.correlation:.2f}, slope {bins.slope:.2f}"
    axes.scatter(
        1e6 * bins.predicted, 1e6 * bins.observed, s=14, color=colour, label=label, alpha=0.8
    )


def _frame(axes: Axes, title: str) -> None:
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    ends = [low.min(), high.max()]
    axes.plot(ends, ends, color="0.6", linewidth=1, zorder=0)
    axes.set(xlabel="predicted", ylabel="mean of the observed")
    axes.set_title(title, loc="left", pad=36)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=8, frameon=False)
