"""Views that wait on the training device and are shown more than once, never twice the same.

A GPU steps faster than processors draw views. The pool takes in what they draw; each batch is a
random choice of it, moved, turned, mirrored and relit once more.

Source: data echoing (arXiv 1907.05550), after augmentation and with another one behind it.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from .views import TrainingView

_FILLED = 0.125
"""Share of the pool that is waited for at the start."""
_FETCHED = 16
"""Batches that wait to be taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """How a view is changed each time it is shown."""

    angle_deg: float = 7.0
    """Standard deviation, as of the next two."""
    scale: float = 0.06
    shift: float = 0.02
    """In crop sides."""
    mirror: float = 0.5
    light: float = 0.15
    """Standard deviation of the logarithm of the brightness, and of the contrast."""
    tint: float = 0.04
    """The same of each colour."""
    noise: float = 0.02
    """Largest standard deviation, of the range of a pixel."""


class ViewPool:
    """A ring of views on a device; a thread fetches what is drawn while the device trains."""

    def __init__(
        self,
        views: Iterator[TrainingView],
        capacity: int,
        device: torch.device,
        mirror: list[int],
        seed: int,
    ) -> None:
        """Start to fetch views.

        Args:
            views: Batches of one size, at least that of every crop that is asked for.
            capacity: Views that are kept.
            device: Of the training.
            mirror: Number of each landmark's partner in the mirror.
            seed: Of the choice and of the changes.
        """
        self._capacity, self._device = capacity, device
        self._mirror = torch.tensor(mirror, device=device)
        self._rng = torch.Generator(device).manual_seed(seed)
        self._kept: list[Tensor] = []
        self._taken_in = 0
        self._is_whole = False
        self._bad: list[str] = []
        self._fetched: queue.Queue[TrainingView | BaseException | None] = queue.Queue(_FETCHED)
        self._closing = False
        self._thread = threading.Thread(target=self._fetch, args=[views], daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until there are enough views to begin with."""
        self._take_in(int(_FILLED * self._capacity))

    def batch(self, size: int, size_px: int) -> TrainingView:
        """A choice of the views, changed.

        Args:
            size: Of the batch.
            size_px: Of the crops.
        """
        self._take_in(1)
        bad, self._bad = "\n".join(self._bad), []
        there = min(self._taken_in, self._capacity)
        chosen = torch.randint(there, (size,), generator=self._rng, device=self._device)
        crops, target, certainty = (kept[chosen] for kept in self._kept)
        crops, target, certainty = self._changed_views(crops, target, certainty, size_px)
        edges = torch.zeros(size, 0, size_px // 4, size_px // 4, dtype=torch.uint8)
        again = torch.zeros(size, dtype=torch.bool)
        return TrainingView(crops, target, certainty, edges, again, "", bad)

    def close(self) -> None:
        """Stop fetching views."""
        self._closing = True
        while self._thread.is_alive():
            with suppress(queue.Empty):
                self._fetched.get(timeout=0.1)

    def _fetch(self, views: Iterator[TrainingView]) -> None:
        end: BaseException | None = None
        try:
            for view in views:
                self._fetched.put(view)
                if self._closing:
                    return
        except BaseException as failure:  # noqa: BLE001 - raised in the thread that asks
            end = failure
        self._fetched.put(end)

    def _take_in(self, enough: int) -> None:
        """Put what was fetched in the place of the oldest; wait until there were enough."""
        while not self._is_whole:
            try:
                view = self._fetched.get(block=self._taken_in < enough)
            except queue.Empty:
                break
            if isinstance(view, BaseException):
                raise view
            if view is None:
                self._is_whole = True
            else:
                self._keep(view)
                self._bad += [lines for lines in view.bad if lines]

    def _keep(self, view: TrainingView) -> None:
        rows = (view.crop, view.target, view.certainty)
        if not self._kept:
            self._kept = [
                torch.zeros(self._capacity, *row.shape[1:], dtype=row.dtype, device=self._device)
                for row in rows
            ]
        count = len(view.crop)
        places = torch.arange(self._taken_in, self._taken_in + count) % self._capacity
        places = places.to(self._device)
        for kept, row in zip(self._kept, rows, strict=True):
            kept[places] = row.to(self._device, non_blocking=True)
        self._taken_in += count

    def _changed_views(
        self, crops: Tensor, target: Tensor, certainty: Tensor, size_px: int, echo: Echo = Echo()
    ) -> tuple[Tensor, Tensor, Tensor]:
        count, rng, device = len(crops), self._rng, self._device

        def normal(*shape: int) -> Tensor:
            return torch.randn(count, *shape, generator=rng, device=device)

        mirrored = torch.rand(count, generator=rng, device=device) < echo.mirror
        linear = similarity(normal() * echo.angle_deg, torch.exp(normal() * echo.scale))
        flip = torch.where(mirrored, -1.0, 1.0)
        linear = linear * torch.stack([flip, torch.ones_like(flip)], -1)[:, None]
        shift = 2 * echo.shift * normal(2)
        pixels = resampled(crops, linear, shift, size_px)
        gain = torch.exp(echo.light * normal(1, 1, 1) + echo.tint * normal(3, 1, 1))
        contrast = torch.exp(echo.light * normal(1, 1, 1))
        middle = pixels.mean((1, 2, 3), keepdim=True)
        pixels = ((pixels - middle) * contrast + middle) * gain
        spread = 255 * echo.noise * torch.rand(count, 1, 1, 1, generator=rng, device=device)
        pixels = pixels + spread * normal(3, size_px, size_px)
        moved = target @ linear.mT + shift[:, None]
        moved = torch.where(mirrored[:, None, None], moved[:, self._mirror], moved)
        certain = torch.where(mirrored[:, None], certainty[:, self._mirror], certainty)
        return pixels.round().clamp(0, 255).to(torch.uint8), moved, certain


def similarity(
    angle_deg: Float[Tensor, " faces"], scale: Float[Tensor, " faces"]
) -> Float[Tensor, "faces 2 2"]:
    """Turns clockwise on the screen and scales, about the middle of the crop."""
    angle = torch.deg2rad(angle_deg)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    return torch.stack([cosine, -sine, sine, cosine], -1).unflatten(-1, (2, 2))


def resampled(
    crops: UInt8[Tensor, "faces 3 size size"],
    linear: Float[Tensor, "faces 2 2"],
    shift: Float[Tensor, "faces xy=2"],
    size_px: int,
) -> Float[Tensor, "faces 3 small small"]:
    """Crops as they look after a map of their normalised coordinates, mirrored beyond the border.

    Args:
        crops: Bytes.
        linear: Point p of a crop comes to `linear @ p + shift`.
        shift: Normalised coordinates.
        size_px: Of the result, at most that of the crops.
    """
    factor = crops.shape[-1] // size_px
    pixels = crops.float()
    if factor > 1:
        pixels = F.avg_pool2d(pixels, factor)
    back = torch.linalg.inv(linear)
    theta = torch.cat([back, -back @ shift[..., None]], -1)
    # Half-pixel corners: the normalised coordinates of `tracker.crop`.
    grid = F.affine_grid(theta, [len(crops), 3, size_px, size_px], align_corners=False)
    return F.grid_sample(
        pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
