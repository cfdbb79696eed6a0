"""What each cell of the network's grids should say about a scene."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from models.face_net import STRIDES

from .face_labels import COLUMNS, Labels, Regions

_SIDE_RANGES = ((0.8, 5.5), (1.6, 5.5), (1.8, 5.5), (1.8, 1e9))
"""Sides in strides that a level answers for; neighbours share the sizes between them."""
_NEARLY = 1.3
"""Sizes up to this factor outside the range are ignored there: neither face nor background."""
_SPREAD, _SPREAD_CELLS = 0.16, 0.5
"""Standard deviation of the score's bump around the centre: in sides, and at least in cells."""
_BOX_FROM = 0.3
"""Cells whose score should be at least this learn the box."""
_BOX_BETA, _POINTS_BETA = 0.05, 0.3
"""Errors in sides up to which the loss is quadratic: with a large one for the points, a head taken
for upside down counts much more than an eye a little beside its place."""
_POINTS_WEIGHT = 3.0


class CellTargets(NamedTuple):
    """Of one level."""

    score: Float[np.ndarray, "rows columns"]
    counts: Float[np.ndarray, "rows columns"]
    """0 where the score does not matter."""
    label: Float[np.ndarray, "9 rows columns"]
    """Of the face that the cell belongs to."""


def targets_of(labels: Labels, ignored: Regions, size_px: int) -> list[CellTargets]:
    """Targets of all levels for a square scene."""
    levels = []
    for stride, (least, most) in zip(STRIDES, _SIDE_RANGES, strict=True):
        cells = -(-size_px // stride)
        axis = (np.arange(cells) + 0.5) * stride - 0.5
        level = CellTargets(
            np.zeros((cells, cells), np.float32),
            np.ones((cells, cells), np.float32),
            np.zeros((COLUMNS, cells, cells), np.float32),
        )
        for x, y, side in ignored:
            level.counts[_inside(axis, x, y, side)] = 0
        for label in sorted(labels, key=lambda row: -row[2]):
            in_range = least <= label[2] / stride <= most
            if in_range:
                _draw(level, label, axis, stride)
            elif least / _NEARLY <= label[2] / stride <= most * _NEARLY:
                level.counts[_inside(axis, *label[:3]) & (level.score < _BOX_FROM)] = 0
        levels.append(level)
    return levels


def _inside(axis: Float[np.ndarray, " cells"], x: float, y: float, side: float) -> np.ndarray:
    half = side / 2
    return (np.abs(axis - y) <= half)[:, None] & (np.abs(axis - x) <= half)[None]


def _draw(level: CellTargets, label: Float[np.ndarray, "9"], axis: np.ndarray, stride: int) -> None:
    spread = max(_SPREAD * label[2], _SPREAD_CELLS * stride)
    distance = np.square(axis - label[1])[:, None] + np.square(axis - label[0])[None]
    bump = np.exp(-distance / (2 * spread**2)).astype(np.float32)
    nearest = np.unravel_index(distance.argmin(), distance.shape)
    bump[nearest] = 1
    bump[bump < 0.02] = 0
    mine = bump > level.score
    level.score[mine] = bump[mine]
    level.counts[mine] = 1
    level.label[:, mine] = label[:, None]


class DetectorLoss(NamedTuple):
    """Means over the faces of a batch."""

    total: Tensor
    score: Tensor
    box: Tensor
    points: Tensor


def detector_loss(raw: list[Tensor], targets: list[tuple[Tensor, Tensor, Tensor]]) -> DetectorLoss:
    """Quality focal loss of the scores; smooth L1 of centre, log side and points in sides.

    Args:
        raw: Of `FaceNet`, a level each.
        targets: Batches of `CellTargets`, a level each.

    Source:
        Generalized Focal Loss (Li et al., NeurIPS 2020) for the score.
    """
    score_sum, box_sum, point_sum = (raw[0].new_zeros(()) for _ in range(3))
    faces = raw[0].new_zeros(())
    for maps, (score, counts, label), stride in zip(raw, targets, STRIDES, strict=True):
        logit = maps[:, 0]
        cross = F.binary_cross_entropy_with_logits(logit, score, reduction="none")
        score_sum = score_sum + (cross * (score - logit.sigmoid()).square() * counts).sum()
        weight = torch.where((score >= _BOX_FROM) & (counts > 0), score, 0.0)
        faces = faces + weight.sum()
        chosen = weight > 0
        if not bool(chosen.any()):
            continue
        said = maps.permute(0, 2, 3, 1)[chosen]
        truth, share = label.permute(0, 2, 3, 1)[chosen], weight[chosen]
        rows, columns = torch.meshgrid(
            torch.arange(maps.shape[2]), torch.arange(maps.shape[3]), indexing="ij"
        )
        cell = (torch.stack([columns, rows], -1).to(maps) + 0.5) * stride - 0.5
        cell = cell.expand(len(maps), -1, -1, -1)[chosen]
        side, unit = truth[:, 2:3], 2.0 * stride
        center = (said[:, 1:3] * unit + cell - truth[:, :2]) / side
        log_side = said[:, 3:4] - (side / unit).log()
        points = (said[:, 4:10] * unit + cell.repeat(1, 3) - truth[:, 3:]) / side
        box = torch.cat([center, log_side], 1)
        box_sum = box_sum + (_smooth(box, _BOX_BETA).sum(1) * share).sum()
        point_sum = point_sum + (_smooth(points, _POINTS_BETA).sum(1) * share).sum()
    faces = faces.clamp(min=1.0)
    score, box, points = score_sum / faces, box_sum / faces, point_sum / faces
    return DetectorLoss(score + box + _POINTS_WEIGHT * points, score, box, points)


def _smooth(error: Tensor, beta: float) -> Tensor:
    return F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=beta)
