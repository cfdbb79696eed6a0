"""Does the STAR loss beat the plain distance, all else equal? The paper's claim, at small scale.

One small network of the published kind (normalised heat maps, Adam), one budget, several seeds:
smooth-L1 against STAR version 2, with and without the attention maps.
"""

from dataclasses import replace
from statistics import mean, stdev

from train.losses import StarConfig
from train.recipes import Recipe

from ..harness import Json
from .study import Study, Trial, Variant

_IMAGES = 18_000
_BASE = Recipe(
    stacks=1,
    width=64,
    stem_width=32,
    depth=3,
    heatmap="instance-relu",
    input_px=96,
    margin=1.0,
    batch=16,
    images=_IMAGES,
    evaluate_every=3_000,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule="trapezoid",
    cross_entropy_weight=0.0,
    ema_half_life=2_000,
)
_PLAIN = replace(_BASE, star=None, plain="smooth-l1")
_STAR = replace(_BASE, star=StarConfig(), plain=None)


def _variant(name: str, loss: str, recipe: Recipe, *, attention: bool) -> Variant:
    labels = (loss, "with" if attention else "without")
    return Variant(name=name, labels=labels, recipe=replace(recipe, attention=attention))


def _spread(row: Json, _: list[Json]) -> str:
    errors = list(row["nme_percent"].values())
    return f"{stdev(errors):.3f}" if len(errors) > 1 else ""


ABLATION = Study(
    name="ablation",
    title="Ablation: the STAR loss at small scale",
    base=_BASE,
    variants=(
        _variant("plain-bare", "smooth-L1", _PLAIN, attention=False),
        _variant("plain-attention", "smooth-L1", _PLAIN, attention=True),
        _variant("star-bare", "STAR v2, smooth-L1", _STAR, attention=False),
        _variant("star-attention", "STAR v2, smooth-L1", _STAR, attention=True),
    ),
    trials=[Trial(_IMAGES, seed) for seed in range(3)],
    note=(
        f"{{data}}. One stack of width {_BASE.width}, input {_BASE.input_px} px, {_IMAGES:,} "
        f"pictures, batch {_BASE.batch}; NME in % of the outer eye distance on the held-out part, "
        "last state of every run; spread is the standard deviation over seeds."
    ),
    labels=("loss", "attention maps"),
    columns=(
        ("mean NME", lambda row, _: f"{mean(row['nme_percent'].values()):.3f}"),
        ("spread", _spread),
        (
            "each seed",
            lambda row, _: ", ".join(f"{error:.3f}" for error in row["nme_percent"].values()),
        ),
    ),
)
