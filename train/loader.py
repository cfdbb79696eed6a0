"""The batches of a run: drawn, cut and augmented by worker processes."""

from collections.abc import Iterator

from torch.utils.data import DataLoader

from .faces import Faces
from .training_run import Run
from .views import Draw, TrainingView, TrainingViews, batches

_PREFETCHED = 4
"""Batches that each worker holds ready."""


def load_views(run: Run, faces: Faces, workers: int, *, in_memory: bool) -> Iterator[TrainingView]:
    """This process' part of every batch, from the run's place on.

    Args:
        run: Its recipe and its place decide what comes.
        faces: To show.
        workers: Processes that cut crops; 0: this one does.
        in_memory: Decode all pictures once, beforehand.
    """
    recipe, processes = run.recipe, run.processes
    views = TrainingViews(faces.trained_on, faces.layout, recipe, in_memory=in_memory)
    draws = _Draws(run, faces)
    return iter(
        DataLoader(
            views,
            batch_sampler=draws,
            num_workers=workers,
            prefetch_factor=_PREFETCHED if workers else None,
            pin_memory=processes.device.type == "cuda",
        )
    )


class _Draws:
    """This process' part of every batch, thought up when it is needed."""

    def __init__(self, run: Run, faces: Faces) -> None:
        self._run, self._faces, self._start = run, faces, run.images

    def __iter__(self) -> Iterator[list[Draw]]:
        faces, recipe = self._faces, self._run.recipe
        further = [(len(pool.samples), recipe.share_of(pool.name)) for pool in faces.further]
        labelled, pseudo = len(faces.training), len(faces.pseudo)
        for batch in batches(recipe, labelled, pseudo, self._start, further):
            yield self._run.processes.share(batch)
