"""HOTA, IDF1, switches and fragmentations of a scene, all computed by TrackEval."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from tracker.errors import FaceTrackError

_MATCH = 0.5
"""Overlap (intersection over union) from which a reported face is a true one."""
_MIXED_FRAMES = 3
"""Frames on a second person from which an id counts as gone on with it."""

Boxes = Float[np.ndarray, "faces edges=4"]
"""Left, top, right, bottom, pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """Who is where in one frame: the truth or a tracker's answer."""

    ids: list[int]
    boxes: Boxes


Scores = dict[str, float]


def scores_of(scenes: Sequence[tuple[list[SeenFrame], list[SeenFrame]]]) -> list[Scores]:
    """Scores of every scene, and of all together as the last.

    Args:
        scenes: Truth and answer, frame by frame.

    Raises:
        FaceTrackError: If TrackEval is not installed.
    """
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity  # noqa: PLC0415 - brings much
    except ImportError as error:
        raise FaceTrackError(
            f"benchmarks.identity: needs TrackEval ({error}): "
            "pip install -c constraints.txt -e '.[identity]'"
        ) from error
    quiet = {"THRESHOLD": _MATCH, "PRINT_CONFIG": False}
    metrics = [HOTA(), Identity(quiet), CLEAR(quiet)]
    data = [_as_trackeval(truth, answer) for truth, answer in scenes]
    each = [[metric.eval_sequence(scene) for scene in data] for metric in metrics]
    mixed = [mixed_ids(truth, answer) for truth, answer in scenes]
    rows = [_row(h, i, c, m) for h, i, c, m in zip(*each, mixed, strict=True)]
    total = [
        metric.combine_sequences({str(i): found for i, found in enumerate(per_scene)})
        for metric, per_scene in zip(metrics, each, strict=True)
    ]
    return [*rows, _row(total[0], total[1], total[2], sum(mixed))]


def mixed_ids(truth: list[SeenFrame], answer: list[SeenFrame]) -> int:
    """Ids of the answer that were on more than one person, three frames or longer on each."""
    seen: Counter[tuple[int, int]] = Counter()
    for true, found in zip(truth, answer, strict=True):
        overlaps = overlaps_of(true.boxes, found.boxes)
        for row, column in zip(*np.nonzero(overlaps >= _MATCH), strict=True):
            if overlaps[row, column] == overlaps[:, column].max():
                seen[found.ids[column], true.ids[row]] += 1
    lasting = Counter(found for (found, _), frames in seen.items() if frames >= _MIXED_FRAMES)
    return sum(people > 1 for people in lasting.values())


def overlaps_of(ones: Boxes, others: Boxes) -> Float[np.ndarray, "ones others"]:
    """Intersection over union of every pair."""
    low = np.maximum(ones[:, None, :2], others[None, :, :2])
    high = np.minimum(ones[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(-1)
    areas = [np.maximum(of[:, 2:] - of[:, :2], 0).prod(-1) for of in (ones, others)]
    union = areas[0][:, None] + areas[1][None] - shared
    return shared / np.maximum(union, 1e-9)


def _as_trackeval(truth: list[SeenFrame], answer: list[SeenFrame]) -> dict[str, Any]:
    """The dictionary of one sequence that TrackEval's metrics take; ids counted from 0."""
    data: dict[str, Any] = {"num_timesteps": len(truth)}
    for name, frames in (("gt", truth), ("tracker", answer)):
        known = {of: index for index, of in enumerate(sorted({i for f in frames for i in f.ids}))}
        data[f"{name}_ids"] = [np.array([known[i] for i in f.ids], int) for f in frames]
        data[f"num_{name}_dets"] = sum(len(f.ids) for f in frames)
        data[f"num_{name}_ids"] = len(known)
    data["similarity_scores"] = [
        overlaps_of(true.boxes, found.boxes) for true, found in zip(truth, answer, strict=True)
    ]
    return data


def _row(hota: dict[str, Any], identity: dict[str, Any], clear: dict[str, Any], m: int) -> Scores:
    return {
        "HOTA": float(np.mean(hota["HOTA"])),
        "AssA": float(np.mean(hota["AssA"])),
        "DetA": float(np.mean(hota["DetA"])),
        "IDF1": float(identity["IDF1"]),
        "switches": int(clear["IDSW"]),
        "fragmentations": int(clear["Frag"]),
        "mixed ids": m,
    }
