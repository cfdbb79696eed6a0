"""One network for several threads: crops they ask for at the same time run as one batch.

Whoever comes while the network runs waits, and goes with the next batch together with all who came
meanwhile. Nobody waits for a clock, and there is no thread in here: one of those who wait runs
the batch for all.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .types import CropCutter, CropLandmarks, Image, Landmarker


def shared(landmarker: Landmarker) -> "SharedLandmarker":
    """The landmarker, for any number of threads; it cuts its crops itself where it did before."""
    if isinstance(landmarker, CropCutter):
        return SharedCropCutter(landmarker, landmarker)
    return SharedLandmarker(landmarker)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some faces of an answer; fields as in `tracker.types.CropLandmarks`."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    flicker: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    confidence: Float[np.ndarray, " faces"]


@dataclass(eq=False, slots=True)
class _Request:
    """What one thread waits for."""

    crops: Any
    answer: CropLandmarks | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.error is not None


class SharedLandmarker:
    """A `tracker.types.Landmarker` that threads may call at the same time.

    An error of a batch is raised in every thread that had crops in it.

    Args:
        landmarker: Is called by one thread at a time.
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self._waiting: list[_Request] = []
        self._is_running = False
        self._changed = threading.Condition()

    @property
    def layout_name(self) -> str:
        return self._landmarker.layout_name

    @property
    def layout_table(self) -> Mapping[str, Any]:
        return self._landmarker.layout_table

    @property
    def input_px(self) -> int:
        return self._landmarker.input_px

    @property
    def margin(self) -> float:
        return self._landmarker.margin

    @property
    def mirror_offset(self) -> float:
        return self._landmarker.mirror_offset

    def __call__(self, crops: Any) -> CropLandmarks:
        """Find the landmarks of every crop."""
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
            return [self._landmarker(asked[0])]
        found = self._landmarker(self.join(asked))
        ends = np.cumsum([len(crops) for crops in asked]).tolist()
        places = [slice(*ends_of) for ends_of in zip([0, *ends[:-1]], ends, strict=True)]
        return [
            _Part(found.mean[at], found.covariance[at], found.flicker[at], found.confidence[at])
            for at in places
        ]

    def join(self, crops: list[Any]) -> Any:
        """Crops of several threads as one batch."""
        return np.concatenate(crops)


class SharedCropCutter(SharedLandmarker):
    """The same for a landmarker that cuts its crops itself: any thread cuts at any time.

    Args:
        landmarker: As in `SharedLandmarker`.
        cutter: The same landmarker.
    """

    def __init__(self, landmarker: Landmarker, cutter: CropCutter) -> None:
        super().__init__(landmarker)
        self._cutter = cutter

    def cut(
        self, image: Image, factors: list[int], reduced_from_crop: Float[np.ndarray, "faces 3 3"]
    ) -> Any:
        """Cut crops, as `tracker.types.CropCutter.cut`."""
        return self._cutter.cut(image, factors, reduced_from_crop)

    def join(self, crops: list[Any]) -> Any:
        """As `tracker.types.CropCutter.join`."""
        return self._cutter.join(crops)
