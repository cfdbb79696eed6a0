"""OpenVINO on the exported file: measured beside ONNX Runtime where it is installed."""

from typing import Any

import numpy as np
import openvino
from jaxtyping import UInt8

from models.calibrated_landmarker import CalibratedLandmarker, CropMoments
from models.description import CheckpointInfo
from models.onnx_landmarker import load_onnx_landmarker
from models.weight_files import EXPORTED, NAMED_WEIGHTS


class OpenVinoLandmarker(CalibratedLandmarker):
    """Runs a compiled network on crops."""

    def __init__(self, request: Any, info: CheckpointInfo) -> None:
        super().__init__(info)
        self._request = request

    def raw(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropMoments:
        """What the heat maps say, uncalibrated."""
        found = self._request.infer([crops]).values()
        return CropMoments(*(np.asarray(part, np.float64) for part in found))


def load_openvino_landmarker(threads: int = 0) -> OpenVinoLandmarker:
    """The default weights; 0 threads leaves their number to OpenVINO."""
    exported = NAMED_WEIGHTS["lite"].with_suffix(EXPORTED)
    # Else it takes bfloat16 where the processor has it, and landmarks move.
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    compiled = openvino.Core().compile_model(str(exported), "CPU", options)
    info = load_onnx_landmarker(exported).info
    return OpenVinoLandmarker(compiled.create_infer_request(), info)
