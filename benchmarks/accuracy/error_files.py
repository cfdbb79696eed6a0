"""The files of `benchmarks.accuracy`: all errors as JSON, and the worst faces as a picture."""

import argparse
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from models.checkpoint import CheckpointInfo
from train.datasets import Sample
from train.datasets.contact_sheet import contact_sheet, face_tile
from train.metrics import normalised_mean_error, normalisers

from ..harness import Json, machine
from .error_tables import mean_and_rise
from .published import published
from .split_errors import PERCENTILES, Measured, SplitErrors, name_from, thresholds

_WORST, _COLUMNS, _TILE_PX = 36, 6, 200


def as_json(measured: Measured, info: CheckpointInfo, arguments: argparse.Namespace) -> Json:
    """Everything, face by face."""
    data = measured.selection.data
    described: Json = {
        "machine": machine(),
        "options": _options(arguments),
        "data_set": data.name,
        "layout": data.layout.name,
        "missing_pictures": len(data.missing),
        "weights": {"trained_on": info.trained_on, "selected_on": info.selected_on},
        "normaliser": measured.scores[0].normaliser,
        "rows": [_row(row, arguments.pictures or arguments.data) for row in measured.scores],
    }
    if measured.disturbed:
        described["robustness"] = _robustness(measured)
    return described


def _row(scores: SplitErrors, root: Path) -> Json:
    """All figures of one row; pictures are named relative to `root`."""
    at = thresholds(scores.data.name)
    return {
        "split": scores.split,
        "crop": scores.crop,
        "faces": len(scores.samples),
        "faces_in_split": scores.whole,
        "missed": len(scores.missed),
        "nme_percent": _rounded(scores.nme_percent()),
        "behind_star_percent": _rounded(scores.behind_star_percent),
        "nme_percent_by": {name: _rounded(scores.nme_percent(name)) for name in scores.errors},
        "failures_percent": {f"{100 * t:g}": _rounded(scores.failures_percent(t)) for t in at},
        "area": {f"{100 * t:g}": scores.area(t) for t in at},
        "percentiles_percent": {
            str(p): _rounded(scores.percentile_percent(p)) for p in PERCENTILES
        },
        "published": [
            asdict(row)
            for name in scores.errors
            for row in published(scores.data.name, scores.split, name)
        ],
        "per_face": {
            "picture": [name_from(sample, root) for sample in scores.samples],
            "nme_percent": [_rounded(100 * float(e)) for e in scores.nme],
        },
    }


def _rounded(percent: float | None) -> float | None:
    """JSON knows no infinity."""
    return None if percent is None or not np.isfinite(percent) else round(percent, 4)


def _options(arguments: argparse.Namespace) -> Json:
    """As given; of paths the name alone."""
    return {
        name: Path(value).name if name in ("data", "pictures", "weights") and value else value
        for name, value in vars(arguments).items()
        if name not in ("json", "worst")
    }


def _robustness(measured: Measured) -> list[Json]:
    rows = []
    for index, row in enumerate(measured.by("truth")):
        by_kind = {
            name: mean_and_rise(row, [view[index] for view in views])
            for name, views in measured.disturbed.items()
        }
        figures = {
            name: {"nme_percent": _rounded(mean), "rise_percent": _rounded(rise)}
            for name, (mean, rise) in by_kind.items()
        }
        rows.append({"split": row.split, **figures})
    return rows


def worst_sheet(measured: Measured) -> bytes:
    """The faces with the largest errors as a picture: annotation green, prediction red."""
    selection, layout = measured.selection, measured.selection.data.layout
    predicted = next(iter(measured.predicted.values()))
    nme = normalised_mean_error(predicted, selection.truth, layout, normalisers(layout)[0])
    tiles = []
    for i in np.argsort(-np.where(np.isfinite(nme), nme, np.inf))[:_WORST]:
        sample, is_found = selection.faces[i], np.isfinite(nme[i])
        caption = f"{100 * nme[i]:.1f} % " if is_found else "missed "
        points = predicted[i].astype(np.float32) if is_found else None
        tile = face_tile(sample, layout, _TILE_PX, points)
        tiles.append((tile, caption + _short_name(sample)))
    sheet = cv2.cvtColor(contact_sheet(tiles, _COLUMNS), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".png", sheet)
    return encoded.tobytes()


def _short_name(sample: Sample) -> str:
    return sample.image_path.stem if sample.number is None else f"[{sample.number}]"
