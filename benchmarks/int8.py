"""Would eight bits do? The exported network quantised, and what that costs on held-out faces.

Quantisation is static, calibrated on crops of training faces; `benchmarks.runtimes --data` asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import UInt8
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.description import CheckpointInfo
from models.landmarker import CropEstimates
from models.onnx_landmarker import INPUT, OnnxLandmarker, session_options
from train.augment import exact_crop
from train.calibration_samples import CropPredictor, sample_measurement_noise
from train.datasets import Sample, hold_out, open_data_set
from train.metrics import normalised_mean_error, normalisers
from train.predict import predict

_CROPS = 200
_SEED = 0
_MOST_WORSE = 0.01
"""Share by which neither NME nor flicker may grow for int8 to ship."""

Crops = UInt8[np.ndarray, "faces height width rgb=3"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one landmarker does on the held-out faces."""

    nme_percent: float
    flicker_percent: float
    """Of the crop's side: root mean square of what two looks differ by, over the root of two."""


def verdict(one: Judged, quantised: Judged) -> dict[str, float | bool]:
    """How much worse the second is, in per cent, and whether it may ship."""
    nme = quantised.nme_percent / one.nme_percent - 1
    flicker = quantised.flicker_percent / one.flicker_percent - 1
    return {
        "nme_worse_percent": round(100 * nme, 1),
        "flicker_worse_percent": round(100 * flicker, 1),
        "may_ship": max(nme, flicker) <= _MOST_WORSE,
    }


class OneStage(OnnxLandmarker):
    """As `train.predict` wants it: the last stage is the only one."""

    def stages(self, crops: Crops, last: int) -> list[CropEstimates]:
        """The one there is."""
        return [self(crops)]


def one_stage(exported: Path, info: CheckpointInfo, threads: int = 0) -> OneStage:
    """A file that need not be sealed, described by `info`."""
    session = onnxruntime.InferenceSession(
        exported, session_options(threads), providers=["CPUExecutionProvider"]
    )
    return OneStage(session, info)


def quantise(exported: Path, info: CheckpointInfo, data: Path, output: Path) -> None:
    """Write the network with eight-bit convolutions and sums."""
    training = hold_out(open_data_set(data).split("train"))[0]
    chosen = np.random.default_rng(_SEED).choice(len(training), _CROPS, replace=False)
    prepared = output.with_suffix(".prepared.onnx")
    quant_pre_process(exported, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        output,
        _CropReader(_crops([training[index] for index in chosen], info)),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Add"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def judge(landmarker: OneStage, data: Path) -> Judged:
    """NME in exact crops and flicker, on the faces that no training saw."""
    annotated = open_data_set(data)
    held_out = hold_out(annotated.split("train"))[1]
    truth = np.stack([sample.points for sample in held_out])
    yardstick = normalisers(annotated.layout)[0]
    mean = predict(landmarker, held_out).mean
    error = normalised_mean_error(mean, truth, annotated.layout, yardstick).mean()
    looks = sample_measurement_noise(CropPredictor(landmarker), held_out)
    flicker = np.sqrt(np.square(looks.error).sum(-1).mean())
    return Judged(round(float(100 * error), 3), round(float(100 * flicker), 4))


def _crops(samples: list[Sample], info: CheckpointInfo) -> Iterator[Crops]:
    for sample in samples:
        crop, _ = exact_crop(sample, info.input_px, info.margin, antialiased=info.antialiased)
        yield crop[None]


class _CropReader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, crops: Iterator[Crops]) -> None:
        self._crops = crops

    def get_next(self) -> dict[str, Crops] | None:
        crops = next(self._crops, None)
        return None if crops is None else {INPUT: crops}
