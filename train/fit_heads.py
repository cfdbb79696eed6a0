"""Fit what reads confidence and identity off a trained network, and add it to the weights.

    python -m train.fit_heads --data ../shared/data --weights models/weights/lite-300w.safetensors
        --output models/weights/lite-300w.safetensors

Everything else in the weight file stays as it is. The confidence is the probability that the
landmarks of a crop are right (mean error under 8 % of the outer eye distance): one hidden layer,
fitted by cross-entropy to right and wrong crops (`train.head_samples`). The descriptor is a linear
discriminant analysis: of what the network sees on a face, the directions in which people differ
more than the pictures of one.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from torch import Tensor

from models.architecture import FaceHeadsConfig
from models.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from models.face_heads import FaceHeads, PartFeatures
from models.landmark_net import LandmarkNet
from tracker.errors import FaceTrackError
from tracker.layouts import find_layout

from .datasets import DataError
from .discriminants import discriminants
from .head_gathering import gather, load_samples, save_samples
from .head_samples import HeadReader, HeadSamples
from .reliability import auroc, reliability_gap

RIGHT = 0.08
"""Mean error, in outer eye distances, below which landmarks are right."""
_EPOCHS, _BATCH, _LEARNING_RATE, _WEIGHT_DECAY = 12, 256, 2e-3, 0.5
_DROPPED = 0.5
"""Share of the pooled features left out at random while fitting: there are more of them than
photographs of one light."""
_BAR = Console(stderr=True)


def with_heads(network: LandmarkNet, config: FaceHeadsConfig) -> LandmarkNet:
    """The same network with heads that are yet to be fitted."""
    extended = LandmarkNet(replace(network.config, heads=config))
    state = {n: t for n, t in network.state_dict().items() if not n.startswith("heads.")}
    extended.load_state_dict(state, strict=False)
    return extended.eval()


def fit(heads: FaceHeads, samples: HeadSamples) -> None:
    """Fit both heads, in place, to the samples that are not held out."""
    chosen = samples.part(~samples.held_out)
    for usual, seen in ((heads.usual_pooled, chosen.pooled), (heads.usual_maps, chosen.maps)):
        rows = seen.astype(np.float32)
        usual.mean.copy_(torch.from_numpy(rows.mean(0)))
        usual.scale.copy_(torch.from_numpy(1 / (rows.std(0) + 1e-3)))
    pooled = heads.usual_pooled(_tensor(chosen.pooled))
    _fit_confidence(heads, pooled, heads.usual_maps(_tensor(chosen.maps)), chosen.error)
    named = np.array([bool(n) for n in chosen.person]) & (chosen.error < RIGHT)
    people = np.array(chosen.person)[named]
    directions = discriminants(
        pooled[torch.from_numpy(named)].numpy(), people, heads.descriptor.out_features
    )
    heads.descriptor.weight.data.copy_(torch.from_numpy(directions.T))


def _fit_confidence(
    heads: FaceHeads, pooled: Tensor, maps: Tensor, error: Float[np.ndarray, " crops"]
) -> None:
    generator = torch.manual_seed(0)
    truth = torch.from_numpy((error < RIGHT).astype(np.float32))
    weights = [*heads.hidden.parameters(), *heads.log_odds.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    batches = len(truth) // _BATCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _EPOCHS * batches)
    for _ in track(range(_EPOCHS), "confidence", console=_BAR):
        for rows in torch.randperm(len(truth), generator=generator)[: batches * _BATCH].split(
            _BATCH
        ):
            seen = torch.cat([F.dropout(pooled[rows], _DROPPED), maps[rows]], 1)
            log_odds = heads.log_odds(F.relu(heads.hidden(seen)))[:, 0]
            loss = F.binary_cross_entropy_with_logits(log_odds, truth[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def _tensor(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows.astype(np.float32))


def described(heads: FaceHeads, samples: HeadSamples) -> list[str]:
    """How good both are on the samples that are held out, in words."""
    held = samples.part(samples.held_out)
    with torch.inference_mode():
        read = heads(PartFeatures(_tensor(held.pooled), _tensor(held.maps)))
    confidence, right = torch.sigmoid(read.log_odds).numpy(), held.error < RIGHT
    lines = [
        f"confidence, {len(right)} held-out crops: AUROC {auroc(confidence, right):.3f}, "
        f"reliability gap {100 * reliability_gap(confidence, right):.1f} points"
    ]
    people = np.array(held.person)
    named = (people != "") & right
    if len(set(people[named])) > 1:
        described_by, names = read.descriptor.numpy()[named], people[named]
        one, other = np.triu_indices(len(names), 1)
        alike = (described_by @ described_by.T)[one, other]
        same = names[one] == names[other]
        for share in (0.99, 0.999):
            least = float(np.quantile(alike[~same], share))
            lines.append(
                f"descriptor, {len(set(names))} held-out people: {100 * (1 - share):.1g} % of the "
                f"pairs of two people are more alike than {least:.2f}, and "
                f"{100 * (alike[same] > least).mean():.0f} % of those of one person"
            )
    return lines


def add_heads(
    data: Path,
    weights: Path,
    output: Path,
    *,
    cache: Path | None = None,
    most: int | None = None,
) -> None:
    """Read samples, fit, say how good it is, and write the weight file.

    Args:
        data: As in `gather`.
        weights: To read.
        output: To write.
        cache: Where the samples are, or are kept.
        most: As in `gather`.

    Raises:
        DataError: If data are missing.
        CheckpointError: If the weights cannot be used.
    """
    console = Console()
    network, info = load_checkpoint(weights)
    layout = find_layout(info.layout, info.layout_table)
    if layout.count != 68:
        raise DataError(f"{weights}: heads are fitted to the 68 landmarks of 300W only")
    network = with_heads(network, FaceHeadsConfig(parts=layout.parts))
    assert network.heads is not None
    if cache and cache.exists():
        samples = load_samples(cache)
    else:
        reader = HeadReader(with_heads(network, network.heads.config), info)
        samples = gather(data, reader, most=most)
        if cache:
            save_samples(cache, samples)
    fit(network.heads, samples)
    for line in described(network.heads, samples):
        console.print(line, highlight=False, soft_wrap=True)
    info = replace(info, architecture=network.config)
    save_checkpoint(output, network.state_dict(), info)
    console.print(f"wrote {output}", highlight=False)


def main(argv: list[str] | None = None) -> None:
    """Parse flags and fit."""
    parser = argparse.ArgumentParser(
        prog="python -m train.fit_heads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with 300w, ytf68, …")
    parser.add_argument("--weights", type=Path, required=True, metavar="F", help=".safetensors")
    parser.add_argument("--output", type=Path, required=True, metavar="F", help="file to write")
    parser.add_argument("--samples", type=Path, metavar="F", help="keep what was read here (.npz)")
    parser.add_argument("--faces", type=int, metavar="N", help="so many, at random (default: all)")
    parser.add_argument("--threads", type=int, default=1, help="%(default)s")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    try:
        add_heads(
            arguments.data, arguments.weights, arguments.output,
            cache=arguments.samples, most=arguments.faces,
        )  # fmt: skip
    except (FaceTrackError, CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
