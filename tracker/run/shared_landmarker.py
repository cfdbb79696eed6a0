"""One network for several threads: crops they ask for at the same time run as one batch.

Whoever comes while the network runs waits, and goes with the next batch together with all who came
meanwhile. Nobody waits for a clock, and there is no thread in here: one of those who wait runs
the batch for all.
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..landmarker import CropLandmarks, FrameLandmarker, Landmarker, Matrix, on_frames
from ..types import Image


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some faces of an answer; fields as in `tracker.landmarker.CropLandmarks`."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    measurement_noise: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    confidence: Float[np.ndarray, " faces"]
    descriptor: Float[np.ndarray, "faces descriptor"] | None


@dataclass(eq=False, slots=True)
class _Request:
    """What one thread waits for."""

    crops: Any
    answer: CropLandmarks | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.error is not None


class SharedLandmarker(FrameLandmarker):
    """A landmarker that threads may use at the same time.

    An error of a batch is raised in every thread that had crops in it.

    Args:
        landmarker: Finds landmarks for one thread at a time; cuts crops for all of them.
    """

    def __init__(self, landmarker: Landmarker | FrameLandmarker) -> None:
        self._shared = on_frames(landmarker)
        self.layout, self.bias_px = self._shared.layout, self._shared.bias_px
        self.input_px, self.margin = self._shared.input_px, self._shared.margin
        self.detector_source = self._shared.detector_source
        self.prefers_batches = self._shared.prefers_batches
        self._waiting: list[_Request] = []
        self._is_running = False
        self._changed = threading.Condition()

    def cut(self, image: Image, crop_from_frame: list[Matrix]) -> Any:
        return self._shared.cut(image, crop_from_frame)

    def join(self, crops: list[Any]) -> Any:
        return self._shared.join(crops)

    def locate(self, crops: Any) -> CropLandmarks:
        request = _Request(crops)
        with self._changed:
            self._waiting.append(request)
            self._changed.wait_for(lambda: request.is_done or not self._is_running)
            batch: list[_Request] = []
            if not request.is_done:
                batch, self._waiting, self._is_running = self._waiting, [], True
        if batch:
            self._run(batch)
        if request.error:
            raise request.error
        assert request.answer is not None
        return request.answer

    def _run(self, batch: list[_Request]) -> None:
        answers: list[CropLandmarks] = []
        error: BaseException | None = None
        try:
            answers = self._answers([request.crops for request in batch])
        except BaseException as failure:  # noqa: BLE001  raised again in every thread that waits
            error = failure
        with self._changed:
            for index, request in enumerate(batch):
                request.error = error
                request.answer = None if error else answers[index]
            self._is_running = False
            self._changed.notify_all()

    def _answers(self, asked: list[Any]) -> list[CropLandmarks]:
        """The landmarks of each thread's crops."""
        if len(asked) == 1:
            return [self._shared.locate(asked[0])]
        found = self._shared.locate(self.join(asked))
        ends = np.cumsum([len(crops) for crops in asked]).tolist()
        described = getattr(found, "descriptor", None)
        places = [slice(*ends_of) for ends_of in zip([0, *ends[:-1]], ends, strict=True)]
        return [
            _Part(
                found.mean[at],
                found.covariance[at],
                found.measurement_noise[at],
                found.confidence[at],
                None if described is None else described[at],
            )
            for at in places
        ]
