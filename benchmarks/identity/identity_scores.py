"""HOTA, IDF1, id switches and fragmentations, as TrackEval computes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from tracker.errors import FaceTrackError
from tracker.types import Box

_FIGURES = {
    "HOTA": ("hota", "HOTA"), "DetA": ("hota", "DetA"), "AssA": ("hota", "AssA"),
    "IDF1": ("identity", "IDF1"), "switches": ("clear", "IDSW"), "fragments": ("clear", "Frag"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Followed:
    """What one scene shows, and what a tracker makes of it; a dictionary a frame."""

    truth: Sequence[dict[str, Box]]
    """By the name of the person."""
    found: Sequence[dict[int, Box]]
    """By the tracker's id."""


def scores(followed: Sequence[Followed]) -> dict[str, float]:
    """The figures of some scenes together; HOTA and its parts are means over its thresholds.

    Source:
        HOTA: Luiten et al., IJCV 2020; IDF1: Ristani et al., ECCV-W 2016; CLEAR MOT: Bernardin and
        Stiefelhagen 2008, a face is found where the squares share half of their union.

    Raises:
        FaceTrackError: If trackeval is not installed.
    """
    metrics = _metrics()
    together: dict[str, dict[str, Any]] = {name: {} for name in metrics}
    for number, one in enumerate(followed):
        data = _as_trackeval(one)
        for name, metric in metrics.items():
            together[name][f"scene {number}"] = metric.eval_sequence(data)
    combined = {name: metric.combine_sequences(together[name]) for name, metric in metrics.items()}
    return {figure: float(np.mean(combined[of][field])) for figure, (of, field) in _FIGURES.items()}


def _metrics() -> dict[str, Any]:
    try:
        # Here, not on top: it brings packages that only this benchmark needs.
        from trackeval.metrics import CLEAR, HOTA, Identity  # noqa: PLC0415
    except ImportError as error:
        raise FaceTrackError(f"{error}: pip install -c constraints.txt -e '.[identity]'") from error
    quiet = {"PRINT_CONFIG": False, "THRESHOLD": 0.5}
    return {"hota": HOTA(), "identity": Identity(quiet), "clear": CLEAR(quiet)}


def _as_trackeval(one: Followed) -> dict[str, Any]:
    """A scene in the form that TrackEval's metrics take: ids from 0, similarities a frame."""
    names = sorted({name for frame in one.truth for name in frame})
    ids = sorted({track for frame in one.found for track in frame})
    name_number = {name: number for number, name in enumerate(names)}
    id_number = {track: number for number, track in enumerate(ids)}
    return {
        "num_timesteps": len(one.truth),
        "num_gt_ids": len(names),
        "num_tracker_ids": len(ids),
        "num_gt_dets": sum(len(frame) for frame in one.truth),
        "num_tracker_dets": sum(len(frame) for frame in one.found),
        "gt_ids": [np.array([name_number[n] for n in f], int) for f in one.truth],
        "tracker_ids": [np.array([id_number[t] for t in f], int) for f in one.found],
        "similarity_scores": [
            _similarities(list(truth.values()), list(found.values()))
            for truth, found in zip(one.truth, one.found, strict=True)
        ],
    }


def _similarities(truth: list[Box], found: list[Box]) -> Float[np.ndarray, "truth found"]:
    """Intersection over union of upright squares."""
    both = np.zeros((len(truth), len(found)))
    for row, one in enumerate(truth):
        for column, other in enumerate(found):
            reach = (one.side + other.side) / 2
            least = min(one.side, other.side)
            width = np.clip(reach - abs(one.center_x - other.center_x), 0, least)
            height = np.clip(reach - abs(one.center_y - other.center_y), 0, least)
            shared = width * height
            both[row, column] = shared / (one.side**2 + other.side**2 - shared)
    return both
