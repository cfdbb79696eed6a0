"""Train the network of expressions: ARKit's coefficients, and how a head is turned.

    python -m train.expressions --data ../shared/data --mesh face_landmarker.task --output F
    python -m models.export_expressions --weights F --output expressions.onnx

Truth are rendered heads, as they are and moved by the linear face; photographs are taught by
MediaPipe's Face Landmarker (coefficients) and by the linear face fitted to annotated landmarks
(rotation). `--samples FILE` keeps what was gathered. Every fifth rendered head is held out; of it
is what is printed at the end. Deviations are widened on heads that are set aside for that.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from models.description import CheckpointError
from models.expression_net import ExpressionNet
from models.expression_weights import (
    ExpressionWeightsInfo,
    load_expression_weights,
    save_expression_weights,
)
from tracker.errors import FaceTrackError
from train.one_cycle import add_training_flags

from .expression_figures import ExpressionFigures, measure, widened
from .expression_fit import ExpressionRecipe, fit, usual_faces
from .expression_samples import (
    FREE_SOURCES,
    SOURCES,
    ExpressionSamples,
    coefficient_names,
    gather,
)


def main(argv: list[str] | None = None) -> None:
    """Parse flags, train, measure."""
    parser = argparse.ArgumentParser(
        prog="python -m train.expressions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recipe = ExpressionRecipe()
    add_training_flags(parser)
    parser.add_argument("--faces", type=int, default=recipe.faces, help="seen: %(default)s")
    parser.add_argument("--seed", type=int, default=recipe.seed, help="(default: %(default)s)")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    try:
        names = coefficient_names(arguments.data)
        samples = _samples(arguments.data, arguments.mesh, arguments.samples)
        if arguments.free:
            samples = samples.of_sources(FREE_SOURCES)
        start = load_expression_weights(arguments.start)[0] if arguments.start else None
        recipe = replace(recipe, faces=arguments.faces, seed=arguments.seed)
        network = fit(samples, names, recipe, start)
        network = widened(network, samples.part(samples.set_aside))
        figures = _figures(network, names, samples)
        save_expression_weights(
            arguments.output, network.state_dict(),
            _described(network, names, samples, figures, is_free=arguments.free),
        )  # fmt: skip
    except (FaceTrackError, CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    Console().print(_table(names, figures))
    for name, figure in figures.items():
        Console().print(
            f"{name}: rotation {figure.rotation_median_deg:.1f}° (median), "
            f"{figure.rotation_p95_deg:.1f}° (P95), 90 % hold {100 * figure.rotation_within:.0f} %"
        )


def _samples(data: Path, mesh: Path | None, kept: Path | None) -> ExpressionSamples:
    if kept is not None and kept.exists():
        return ExpressionSamples.load(kept)
    samples = gather(data, mesh)
    if kept is not None:
        samples.save(kept)
    return samples


def _figures(
    network: ExpressionNet, names: tuple[str, ...], samples: ExpressionSamples
) -> dict[str, ExpressionFigures]:
    """Of rendered heads, of photographs against their teacher, and of heads set aside."""
    held = samples.part(samples.held_out)
    rendered = held.source == SOURCES.index("heads")
    parts = {"rendered heads": held.part(rendered), "photographs": held.part(~rendered)}
    parts["heads set aside"] = samples.part(samples.set_aside)
    return {name: measure(network, names, part) for name, part in parts.items() if len(part)}


def _described(
    network: ExpressionNet, names: tuple[str, ...], samples: ExpressionSamples,
    figures: dict[str, ExpressionFigures], *, is_free: bool,
) -> ExpressionWeightsInfo:  # fmt: skip
    mean, deviation = usual_faces(samples.part(samples.is_trained_on))
    sources = sorted({SOURCES[index] for index in samples.source})
    return ExpressionWeightsInfo(
        architecture=network.config,
        names=names,
        usual_mean=tuple(mean.tolist()),
        usual_deviation=tuple(deviation.tolist()),
        trained_on=f"{int(samples.is_trained_on.sum())} pictures of {', '.join(sources)}",
        licence="free to use" if is_free else "research only",
        figures={
            f"{part} {name}": round(r, 3)
            for part, figure in figures.items()
            for name, r in figure.correlations.items()
            if np.isfinite(r)
        },
    )


def _table(names: tuple[str, ...], figures: dict[str, ExpressionFigures]) -> Table:
    table = Table(title="Held out; correlation with the truth, and its deviations' reach")
    table.add_column("coefficient")
    for name in figures:
        table.add_column(f"{name}, r", justify="right")
        table.add_column("90 % hold", justify="right")
    for name in names:
        cells = [
            cell
            for figure in figures.values()
            for cell in (f"{figure.correlations[name]:.2f}", f"{100 * figure.within[name]:.0f} %")
        ]
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    main()
