"""Random views of an annotated face: mirror, geometry in one warp, closing eyes, then texture.

Source: the augmentation of ADNet and STAR; probabilities and ranges are theirs unless a
recipe has others. Closed eyes, video degradation and hard views (`train.hard_views`) are ours, and
off by default. A second view of a face is what the next frame of a video could show of it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tracker.crop import crop_from_square, transform, warp_crop
from tracker.layouts import Layout

from .datasets import Sample
from .hard_views import Crop, Donor, cast_shadow, cover_with, cut_by_border, open_mouth, shrink_face
from .jpeg import compressed
from .synthetic.eyelid import eyelids
from .synthetic.face import PhotographedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """How far a training crop strays from the exact one."""

    shift: float = 0.05
    """Standard deviation, in crop sides."""
    angle_deg: float = 18.0
    """Standard deviation."""
    scale: float = 0.1
    """Standard deviation around 1."""
    mirror: float = 0.5
    occlusion: float = 0.4
    blur: float = 0.3
    gamma: float = 0.2
    noise: float = 0.2
    grey: float = 0.2
    blink: float = 0.0
    """Data sets of photographs have few closed eyes."""
    motion_blur: float = 0.0
    compression: float = 0.0
    low_resolution: float = 0.0
    low_light: float = 0.0
    border: float = 0.0
    """A border of the picture cuts the face."""
    wide_mouth: float = 0.0
    shadow: float = 0.0
    covering: float = 0.0
    """A part of another picture lies before the face."""
    small_face: float = 0.0
    wrong_crop: float = 0.0
    """The crop lies as a detector puts it, not as landmarks do."""


_WRONG_SHIFT, _WRONG_SCALE = 0.18, 0.35
"""How far a detector's square lies beside the landmarks', in crop sides, and the logarithm of the
ratio of their sides."""
_NEXT_FRAME = AugmentConfig(shift=0.01, angle_deg=1.0, scale=0.01)
"""How far a tracker's crop moves between two frames of a face at rest."""


def exact_crop(
    sample: Sample, size_px: int, margin: float, *, antialiased: bool = True
) -> tuple[Crop, Float[np.ndarray, "landmarks xy=2"]]:
    """The crop a perfect tracker would take, and the points in its pixels.

    Args:
        sample: The face.
        size_px: Side of the crop.
        margin: Side of the square over the longer side of the landmarks' box.
        antialiased: Average pixels before strong reductions.

    Raises:
        DataError: If its picture cannot be read.
    """
    crop_from_frame = crop_from_square(*sample.square(margin), size_px)
    crop = warp_crop(sample.read_image(), crop_from_frame, size_px, antialiased=antialiased)
    return crop, transform(crop_from_frame, sample.points)


@dataclass(frozen=True, slots=True)
class RandomCrop:
    """Draws one random view of a face: the crop, the points in its pixels, how sure they are."""

    layout: Layout
    margin: float
    config: AugmentConfig
    antialiased: bool = True

    def __call__(
        self,
        image: UInt8[np.ndarray, "height width rgb=3"],
        sample: Sample,
        size_px: int,
        rng: np.random.Generator,
        next_frame: np.random.Generator | None = None,
        donor: Donor | None = None,
    ) -> tuple[Crop, Float[np.ndarray, "landmarks xy=2"], Float[np.ndarray, " landmarks"]]:
        """Cut an augmented view; with `next_frame`, one of the next frame of a video.

        Args:
            image: What `sample` is annotated on.
            sample: The face.
            size_px: Side of the crop.
            rng: Decides everything.
            next_frame: Decides what changes from frame to frame, for a second view.
            donor: Reads another picture, to cover a part of the face with.
        """
        config = self.config
        if _happens(config.border, rng):
            image, sample = cut_by_border(image, sample, rng)
        if _happens(config.wide_mouth, rng):
            image, sample = open_mouth(image, sample, self.layout, rng.uniform(0.2, 1))
        points, (center_x, center_y, side) = sample.points, sample.square(self.margin)
        certainty = np.ones(len(points)) if sample.certainty is None else sample.certainty
        if rng.random() < config.mirror:
            image = np.ascontiguousarray(image[:, ::-1])
            last = image.shape[1] - 1 + 2 * sample.first_pixel
            points = np.stack([last - points[:, 0], points[:, 1]], -1)[self.layout.mirror]
            certainty = certainty[self.layout.mirror]
            center_x = last - center_x
        exact = crop_from_square(center_x, center_y, side, size_px)
        matrix = random_geometry(size_px, config, rng) @ exact
        if next_frame is not None:
            matrix = random_geometry(size_px, _NEXT_FRAME, next_frame) @ matrix
        matrix = matrix.astype(np.float32)
        crop = warp_crop(image, matrix, size_px, antialiased=self.antialiased)
        points = transform(matrix, points)
        if rng.random() < config.blink:
            points = close_eyes(crop, points, self.layout, min(rng.uniform(0, 1.4), 1.0))
        if _happens(config.shadow, rng):
            crop = cast_shadow(crop, points, rng)
        if donor is not None and _happens(config.covering, rng):
            crop = cover_with(crop, donor, rng)
        return random_texture(crop, config, next_frame or rng), points, certainty


def _happens(chance: float, rng: np.random.Generator) -> bool:
    """Draws nothing where the chance is 0, so that recipes without it stay as they were."""
    return bool(chance) and rng.random() < chance


def close_eyes(
    crop: Crop, points: Float[np.ndarray, "landmarks xy=2"], layout: Layout, amount: float
) -> Float[np.ndarray, "landmarks xy=2"]:
    """Pull down, in place, the upper lids of both eyes; returns where the landmarks are then.

    An eye that reaches beyond the crop, or is seen from the side, stays as it is.

    Args:
        crop: Changed in place.
        points: In crop pixels.
        layout: Of the points.
        amount: 0 leaves the eyes as they are, 1 closes them.
    """
    last = len(crop) - 1
    for eyelid in eyelids(PhotographedFace(crop, points, layout)):
        if (eyelid.corners >= 0).all() and (eyelid.corners <= last).all():
            eyelid.apply_once(crop, amount)
            points = points + amount * eyelid.moves
    return points


def random_geometry(
    size_px: int, config: AugmentConfig, rng: np.random.Generator
) -> Float[np.ndarray, "3 3"]:
    """Draw shift, roll and scale about the middle of the crop.

    Args:
        size_px: Side of the crop.
        config: Standard deviations and probabilities.
        rng: Random numbers.

    Returns:
        A matrix from pixels of the exact crop to those of the augmented one.
    """
    if _happens(config.wrong_crop, rng):
        shift = rng.uniform(-_WRONG_SHIFT, _WRONG_SHIFT, 2) * (size_px - 1)
        scale = np.exp(rng.uniform(-_WRONG_SCALE, _WRONG_SCALE))
        return geometry_matrix(rng.normal(0, config.angle_deg), scale, shift, size_px)
    shift = rng.normal(0, config.shift, 2) * (size_px - 1)
    return geometry_matrix(
        rng.normal(0, config.angle_deg), rng.normal(1, config.scale), shift, size_px
    )


def geometry_matrix(
    angle_deg: float, scale: float, shift: Float[np.ndarray, "xy=2"], size_px: int
) -> Float[np.ndarray, "3 3"]:
    """Roll and scale about the middle of the crop, then shift in crop pixels.

    Args:
        angle_deg: Clockwise on the screen.
        scale: Above 1 enlarges.
        shift: Crop pixels, right and down.
        size_px: Side of the crop.
    """
    cosine, sine = scale * np.cos(np.radians(angle_deg)), scale * np.sin(np.radians(angle_deg))
    middle = (size_px - 1) / 2
    linear = np.array([[cosine, -sine], [sine, cosine]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = middle - linear @ [middle, middle] + shift
    return matrix.astype(np.float32)


def random_texture(crop: Crop, config: AugmentConfig, rng: np.random.Generator) -> Crop:
    """Cover, blur, relight, add noise, drop the colour and so on; each by its own chance.

    Args:
        crop: Not changed.
        config: The probability of each effect.
        rng: Random numbers.
    """
    effects = (
        (config.occlusion, _cover),
        (config.blur, _blur),
        (config.gamma, _gamma),
        (config.noise, _noise),
        (config.grey, _grey),
        (config.motion_blur, _motion_blur),
        (config.low_resolution, _low_resolution),
        (config.low_light, _low_light),
        (config.small_face, shrink_face),
        (config.compression, _compression),
    )
    for chance, effect in effects:
        if rng.random() < chance:
            crop = effect(crop, rng)
    return crop


def _cover(crop: Crop, rng: np.random.Generator) -> Crop:
    size = len(crop)
    share_y = rng.uniform(0.2, 0.8)
    share_x = share_y - 0.2 + rng.uniform(0, 0.4)
    half_y, half_x = int(size / 2 * share_y) // 2, int(size / 2 * share_x) // 2
    x, y = (int((size - 1) * rng.random()) for _ in range(2))
    covered = crop.copy()
    covered[max(y - half_y, 0) : y + half_y + 1, max(x - half_x, 0) : x + half_x + 1] = 0
    return covered


def _blur(crop: Crop, rng: np.random.Generator) -> Crop:
    kernel = int(len(crop) * rng.uniform(0, 0.05))
    return cv2.blur(crop, (kernel, kernel)) if kernel > 1 else crop


def _gamma(crop: Crop, rng: np.random.Generator) -> Crop:
    gamma = rng.uniform(0.25, 1) if rng.random() < 0.5 else rng.uniform(1, 4)
    table = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return cv2.LUT(crop, table)


def _noise(crop: Crop, rng: np.random.Generator) -> Crop:
    alpha = rng.uniform(0, 0.5)
    noise = rng.integers(0, 256, crop.shape, dtype=np.uint8)
    return cv2.addWeighted(crop, 1 - alpha, noise, alpha, -0.5)  # rounds down


def _grey(crop: Crop, rng: np.random.Generator) -> Crop:
    return cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def _motion_blur(crop: Crop, rng: np.random.Generator) -> Crop:
    """Along a line of up to a twelfth of the crop, in any direction."""
    length = len(crop) * rng.uniform(0.01, 0.08)
    side = 2 * int(np.ceil(length / 2)) + 1
    angle, middle = rng.uniform(0, np.pi), side // 2
    end = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    kernel = np.zeros((side, side), np.uint8)
    first, second = (tuple(int(c) for c in np.round((middle + s * end) * 256)) for s in (-1, 1))
    cv2.line(kernel, first, second, (255,), 1, cv2.LINE_AA, shift=8)
    weights = (kernel / kernel.sum(dtype=float)).astype(np.float32)
    return cv2.filter2D(crop, -1, weights, borderType=cv2.BORDER_REPLICATE)


def _low_resolution(crop: Crop, rng: np.random.Generator) -> Crop:
    small = cv2.resize(crop, None, fx=(share := rng.uniform(0.25, 0.8)), fy=share,
                       interpolation=cv2.INTER_AREA)  # fmt: skip
    return cv2.resize(small, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _low_light(crop: Crop, rng: np.random.Generator) -> Crop:
    light, spread = np.float32(rng.uniform(0.1, 0.6)), np.float32(rng.uniform(1, 8))
    noisy = crop * light + spread * rng.standard_normal(crop.shape, dtype=np.float32)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def _compression(crop: Crop, rng: np.random.Generator) -> Crop:
    return compressed(crop, int(rng.integers(10, 70)))
