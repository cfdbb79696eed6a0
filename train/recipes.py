"""Named training recipes: every number that decides what comes out of `train.fit`."""

from dataclasses import dataclass, field, replace
from typing import Literal

from .augment import AugmentConfig
from .losses import Distance, StarConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One network and how it is trained; saved in every training state."""

    data: str = ""
    """The data set that a published recipe is for; empty: any."""
    stacks: int
    width: int
    stem_width: int
    depth: int
    attention: bool = False
    heatmap: Literal["instance-relu", "softmax"] = "softmax"
    block: Literal["bottleneck", "separable"] = "bottleneck"
    stem_pools: tuple[int, ...] = (1,)
    """As in `LandmarkNetConfig`; attention maps are taught at a quarter of the crop only."""
    input_px: int
    margin: float = 1.2
    colour: Literal["RGB", "BGR"] = "RGB"
    antialiased: bool = True
    """Average pixels before strong reductions, as the tracker does."""

    batch: int = 16
    """Pictures of one optimiser step, over all processes."""
    images: int = 1_000_000
    """Pictures seen in all, repeats counted."""
    epochs: int = 0
    """Where not 0, `images` becomes this many times the training part."""
    sizes: tuple[tuple[float, int], ...] = ()
    """(From this share of `images`, train at this crop size): small crops first are cheap."""
    pseudo_share: float = 0.4
    """Share of pseudo-labelled faces in a batch, where there are any."""
    further_shares: tuple[tuple[str, float], ...] = ()
    """(Name of a file of `train.fit --further`, share of its faces in a batch)."""
    pair_share: float = 0.0
    """Share of second views in a batch, at most 0.5: each shows a face of the batch once more, as
    the next frame of a video would."""
    evaluate_every: int = 8_000
    """Pictures between two evaluations; also what a kill can cost."""
    evaluate_raw: bool = False
    """Evaluate the weights too, not only their average, and keep the better."""
    keep_every: int = 0
    """Pictures between two weight files that stay; 0: only the last and the best do."""

    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    schedule: Literal["trapezoid", "steps"] = "trapezoid"
    """Rise, level, fall to nothing; or a tenth at 0.4, 0.7 and 0.9 of the run."""
    warmup: float = 0.02
    """Share of `images` over which the trapezoid rises."""
    decay: float = 0.4
    """Last share of `images`, over which it falls; level in between, so that a run can be given
    more or fewer pictures when it is resumed."""
    gradient_clip: float = 10.0
    """Largest norm of the gradient; 0: any."""
    ema_half_life: int = 10_000
    """Pictures after which an old weight counts half in the average."""
    ema_forgets_start: bool = True
    """Shorten the half-life at first, or the average remembers the random start."""

    star: StarConfig | None = field(default_factory=StarConfig)
    plain: Distance | None = None
    """A distance blind to the spread, in place of STAR: the paper's baseline."""
    cross_entropy_weight: float = 1.0
    """Against a Gaussian around the truth; for softmax heat maps only."""
    sigma_cells: float = 1.0
    """Width of that Gaussian."""
    attention_weight: float = 10.0
    """Of Adaptive Wing on point maps and on edge maps, where the network has them."""
    consistency_weight: float = 0.0
    """Of the distance between the errors in both views of a pair."""
    stage_ratio: float = 1.0
    """Weight of each stack's losses over those of the stack before; the last counts 1."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.attention and len(self.stem_pools) != 1:
            raise ValueError("label maps of points and edges are a quarter of the crop")
        if not 0 <= self.pair_share <= 0.5:
            raise ValueError(f"pair_share must lie between 0 and 0.5, got {self.pair_share}")

    def share_of(self, further: str) -> float:
        """Share in a batch of the faces of a further file; 0 where the recipe has none of them."""
        return dict(self.further_shares).get(further, 0.0)

    @property
    def all_sizes(self) -> list[int]:
        """Of crops, over the whole run."""
        return sorted({self.size_at(start) for start, _ in self.sizes} | {self.size_at(1.0)})

    def size_at(self, progress: float) -> int:
        """Crop size in pixels at this share of the run."""
        reached = [size for start, size in self.sizes if progress >= start]
        return reached[-1] if reached else self.input_px

    def learning_rate_at(self, progress: float) -> float:
        """The learning rate at this share of the run."""
        if self.schedule == "steps":
            return self.learning_rate * 0.1 ** sum(progress >= at for at in (0.4, 0.7, 0.9))
        rise = min(progress / self.warmup, 1.0) if self.warmup else 1.0
        fall = min((1.0 - progress) / self.decay, 1.0)
        return self.learning_rate * min(rise, max(fall, 0.0))

    def ema_keeps(self, images: int, batch: int) -> float:
        """Share of the average that survives a step, `images` into the run."""
        half_life = float(self.ema_half_life)
        if self.ema_forgets_start:
            half_life = min(half_life, max(images / 5, batch))
        return float(0.5 ** (batch / half_life))


def _published(data: str) -> Recipe:
    """What the authors' code does: the network of 13 M parameters, 500 epochs."""
    return Recipe(
        data=data,
        stacks=4,
        width=256,
        stem_width=64,
        depth=4,
        attention=True,
        heatmap="instance-relu",
        input_px=256,
        margin=1.0,
        colour="BGR",
        antialiased=False,
        batch=128,
        epochs=500,
        evaluate_every=0,  # once an epoch
        evaluate_raw=True,
        optimizer="adam",
        learning_rate=1e-3,
        weight_decay=0.0,  # theirs declares 1e-5 and does not hand it to Adam
        schedule="steps",
        gradient_clip=0.0,
        ema_forgets_start=False,
        cross_entropy_weight=0.0,
        stage_ratio=2.0,
    )


_LITE = Recipe(
    stacks=1,
    width=128,
    stem_width=16,
    depth=3,
    input_px=128,
    images=150_000,
    sizes=((0.0, 64), (0.32, 96), (0.587, 128)),
    augment=AugmentConfig(angle_deg=20.0, scale=0.12),
)

_VIDEO = AugmentConfig(
    angle_deg=20.0,
    scale=0.12,
    blink=0.3,
    motion_blur=0.1,
    compression=0.15,
    low_resolution=0.1,
    low_light=0.1,
)
"""What a face goes through on video, too."""

_LIFE = replace(
    _VIDEO,
    border=0.12,
    wide_mouth=0.08,
    shadow=0.12,
    covering=0.15,
    small_face=0.06,
    wrong_crop=0.1,
    occlusion=0.15,
    low_light=0.12,
)
"""What faces that people film go through besides."""

_LIFE_RUN = replace(
    _LITE,
    sizes=(),
    learning_rate=1e-3,
    warmup=0.01,
    decay=0.5,
    evaluate_every=2_000,
    pseudo_share=0.25,
    augment=_LIFE,
)
_TURNED_IN_LIFE = (("ytf68", 0.1875), ("heads", 0.0625))
_TURNED = (("ytf68", 0.125), ("heads", 0.0625), ("turned", 0.125))

_BASE = replace(_LIFE_RUN, stacks=2, input_px=160, batch=64, further_shares=_TURNED)

_NANO = replace(
    _LIFE_RUN,
    batch=64,
    images=400_000,
    learning_rate=4e-3,
    warmup=0.02,
    further_shares=_TURNED,
)

_LONG = replace(_LITE, images=136_000, sizes=(), learning_rate=1.5e-3, warmup=0.01, augment=_VIDEO)

RECIPES = {
    "star-wflw": _published("WFLW"),
    "star-300w": _published("300W"),
    "star-cofw": _published("COFW"),
    # The published network, with what made the small one learn in a tenth of the pictures:
    # probability maps taught by cross-entropy, decoupled weight decay, a crop with some margin.
    "full": Recipe(
        stacks=4,
        width=256,
        stem_width=64,
        depth=4,
        input_px=256,
        batch=64,
        images=600_000,
        evaluate_every=100_000,
        sizes=((0.0, 128), (0.45, 256)),
        decay=0.5,
        ema_half_life=15_000,
        learning_rate=7e-4,
        pseudo_share=0.25,
        further_shares=_TURNED,
        augment=_LIFE,
    ),
    "lite": _LITE,
    # Goes on from `lite` (--start-from lite): closing eyes and spoilt pictures, full crops only.
    "lite-video": replace(
        _LITE, images=60_000, sizes=(), learning_rate=1e-3, warmup=0.01, augment=_VIDEO
    ),
    # Goes on once more, for longer, with better pseudo-labels.
    "lite-long": _LONG,
    # While the rate falls a branch of it trusts people more; `train.soup` averages both ends.
    "lite-long-labelled": replace(_LONG, pseudo_share=0.125),
    # Goes on from `lite`, with heads turned in life (`ytf68`), rendered heads and hard views.
    "lite-life": replace(_LIFE_RUN, images=46_000, further_shares=_TURNED_IN_LIFE),
    # Goes on for long, with heads turned by us, too.
    "lite-life-long": replace(
        _LIFE_RUN, batch=64, learning_rate=2e-3, images=205_000, further_shares=_TURNED
    ),
    # Goes on from the mean of `lite` as it was and what the two before made of it.
    "lite-next": replace(
        _LIFE_RUN, batch=64, learning_rate=1e-3, images=75_000, further_shares=_TURNED
    ),
    # Goes on once more, with pseudo-labels by `base`.
    "lite-taught": replace(
        _LIFE_RUN, batch=64, learning_rate=1e-3, images=100_000, further_shares=_TURNED
    ),
    # A quarter of the cost of `lite`, from nothing: narrower, of a smaller crop.
    "nano": replace(_NANO, width=80, stem_width=8, input_px=112),
    # Goes on, with pseudo-labels by `base`.
    "nano-taught": replace(
        _NANO, width=80, stem_width=8, input_px=112, images=200_000, learning_rate=1.5e-3
    ),
    # The same cost in another way: as wide and as many pixels as `lite`, maps of half its size.
    "nano-coarse": replace(_NANO, stem_pools=(0, 1)),
    # Three times the cost of `lite`: more pixels, and a second stack, which begins as the first.
    "base": replace(_BASE, sizes=((0.0, 128), (0.5, 160)), images=182_000, learning_rate=2.5e-3),
    # Goes on for longer; on a GPU by the clock (`train/lease.sh`).
    "base-next": replace(_BASE, images=26_000, learning_rate=1.2e-3),
    # As `lite`, from nothing, on rendered heads and portraits that anyone may use.
    "lite-free": replace(
        _LIFE_RUN, batch=64, learning_rate=2e-3, images=400_000, warmup=0.02, pseudo_share=0.5
    ),
    # From the default weights to one's own faces or layout; --start-from gives the network.
    "finetune": replace(_LITE, images=20_000, sizes=(), evaluate_every=2_000, learning_rate=5e-4),
    # From `lite` to 29 landmarks, on a few hundred faces.
    "lite-29": replace(
        _LITE, images=16_000, sizes=(), evaluate_every=2_000, learning_rate=1e-3, augment=_LIFE
    ),
    # Learns nothing to speak of, in seconds: to try the machinery.
    "tiny": Recipe(
        stacks=1,
        width=16,
        stem_width=8,
        depth=2,
        input_px=32,
        batch=4,
        images=96,
        evaluate_every=32,
    ),
}
