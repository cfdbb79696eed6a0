"""Named training recipes: every number that decides what comes out of `train.fit`."""

from dataclasses import dataclass, field

from .augment import AugmentConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One network and how it is trained; saved in every training state."""

    stacks: int
    width: int
    stem_width: int
    depth: int
    input_px: int
    margin: float
    attention: bool = False
    batch: int = 16
    images: int = 1_000_000
    """Pictures seen in all, repeats counted."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.02
    """Share of `images` over which the learning rate rises."""
    decay: float = 0.4
    """Last share of `images`, over which it falls to nothing; level in between, so that a run
    can be given more or fewer pictures when it is resumed."""
    sizes: tuple[tuple[float, int], ...] = ()
    """(From this share of `images`, train at this crop size): small crops first are cheap."""
    star_weight: float = 1.0
    cross_entropy_weight: float = 1.0
    sigma_cells: float = 1.0
    """Width of the Gaussian that cross-entropy aims at."""
    pseudo_share: float = 0.4
    """Share of pseudo-labelled faces in a batch, where there are any."""
    evaluate_every: int = 8_000
    """Pictures between two looks at the held-out part; also what a kill can cost."""
    ema_half_life: int = 10_000
    """Pictures after which an old weight counts half in the average."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    seed: int = 0

    def size_at(self, progress: float) -> int:
        """Crop size in pixels at this share of the run."""
        reached = [size for start, size in self.sizes if progress >= start]
        return reached[-1] if reached else self.input_px

    def learning_rate_at(self, progress: float) -> float:
        """Rise, level, fall."""
        rise = min(progress / self.warmup, 1.0)
        fall = min((1.0 - progress) / self.decay, 1.0)
        return self.learning_rate * min(rise, max(fall, 0.0))


RECIPES = {
    # Learns nothing to speak of, in seconds: to try the machinery.
    "tiny-300w": Recipe(
        stacks=1,
        width=16,
        stem_width=8,
        depth=2,
        input_px=32,
        margin=1.2,
        batch=4,
        images=96,
        evaluate_every=32,
    ),
    "lite-300w": Recipe(
        stacks=1,
        width=128,
        stem_width=32,
        depth=3,
        input_px=128,
        margin=1.2,
        images=150_000,
        sizes=((0.0, 64), (0.32, 96), (0.587, 128)),
        augment=AugmentConfig(angle_deg=20.0, scale=0.12),
    ),
}
