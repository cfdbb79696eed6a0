"""Train the eyes' network: where the pupil is, how surely, and how far the eye is shut.

    python -m train.eyes --data ../shared/data --mesh face_landmarker.task --output eyes.safetensors
    python -m models.export_eyes --weights eyes.safetensors --output eyes.onnx

Truth are rendered heads; eyes shut by a warp; else MediaPipe's Face Landmarker teaches. Gathering
takes some ten minutes, and `--samples FILE` keeps what was gathered. What is printed at the end are
figures on people and photographs that were held out, and on the pupils that people marked in
`helen29`, none of whose pictures is trained on.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from models.description import CheckpointError
from models.eye_net import EyeNet
from models.eye_weights import EyeWeightsInfo, load_eye_weights, save_eye_weights
from tracker.errors import FaceTrackError
from train.one_cycle import add_training_flags

from .eye_fit import EyeFigures, EyeRecipe, fit, measure
from .eye_samples import FREE_SOURCES, SOURCES, EyeSamples, gather, marked_by_people
from .eye_teacher import EyeTeacher

_LEAST_EYES = 20


def main(argv: list[str] | None = None) -> None:
    """Parse flags, train, measure."""
    parser = argparse.ArgumentParser(
        prog="python -m train.eyes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recipe = EyeRecipe()
    add_training_flags(parser)
    parser.add_argument("--eyes", type=int, default=recipe.eyes, help="seen: %(default)s")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    try:
        samples = _samples(arguments.data, arguments.mesh, arguments.samples)
        if arguments.free:
            samples = samples.of_sources(FREE_SOURCES)
        start = load_eye_weights(arguments.start)[0] if arguments.start else None
        network = fit(samples, EyeRecipe(eyes=arguments.eyes), start)
        figures = _figures(network, samples, arguments.data)
        names = sorted({SOURCES[index] for index in samples.source})
        info = EyeWeightsInfo(
            architecture=network.config,
            trained_on=f"{int((~samples.held_out).sum())} eyes of {', '.join(names)}",
            licence="free to use" if arguments.free else "research only",
            figures={
                f"{name} {key}": value
                for name, figure in figures.items()
                for key, value in asdict(figure).items()
            },
        )
        save_eye_weights(arguments.output, network.state_dict(), info)
    except (FaceTrackError, CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    Console().print(_table(figures))


def _samples(data: Path, mesh: Path | None, kept: Path | None) -> EyeSamples:
    if kept is not None and kept.exists():
        return EyeSamples.load(kept)
    if mesh is None:
        raise FaceTrackError("--mesh is missing: name face_landmarker.task, which teaches")
    samples = gather(data, EyeTeacher(mesh))
    if kept is not None:
        samples.save(kept)
    return samples


def _figures(network: EyeNet, samples: EyeSamples, data: Path) -> dict[str, EyeFigures]:
    held = samples.part(samples.held_out)
    parts = {
        f"{source}, {'shut by a warp' if made else 'as they are'}": held.part(
            (held.source == index) & (held.made == made)
        )
        for index, source in enumerate(SOURCES)
        for made in (False, True)
    }
    parts["helen29, marked by people"] = marked_by_people(data)
    return {
        name: measure(network, part)
        for name, part in parts.items()
        if len(part.shut) >= _LEAST_EYES
    }


def _table(figures: dict[str, EyeFigures]) -> Table:
    table = Table(title="Held out; distances in % of the eye's width")
    for column in ("eyes", "number", "pupil", "P95", "d²/2", "shut: r", "said open", "said shut"):
        table.add_column(column, justify="left" if column == "eyes" else "right")
    for name, figure in figures.items():
        table.add_row(
            name, str(figure.eyes), f"{100 * figure.pupil_error:.1f}",
            f"{100 * figure.pupil_error_p95:.1f}", f"{figure.mahalanobis:.2f}",
            f"{figure.shut_correlation:.3f}", f"{figure.shut_when_open:.2f}",
            f"{figure.shut_when_shut:.2f}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
