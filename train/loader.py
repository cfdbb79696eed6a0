"""The batches of a run: drawn, cut and augmented by worker processes."""

from collections.abc import Iterator
from dataclasses import replace

from torch.utils.data import DataLoader

from .datasets import DataError
from .faces import Faces
from .recipes import Recipe
from .training_run import Run
from .view_pool import ViewPool
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
    return _drawn(run, run.recipe, faces, workers, in_memory=in_memory)


def pooled_views(
    run: Run, faces: Faces, workers: int, capacity: int, *, in_memory: bool
) -> Iterator[TrainingView]:
    """Batches for ever, from a pool of views on the device; of the size of the run's place.

    Args:
        run: Its recipe decides what is drawn, its place how large the crops are.
        faces: To show.
        workers: As in `load_views`.
        capacity: Views in the pool.
        in_memory: As in `load_views`.

    Raises:
        DataError: If the recipe needs more than crops and landmarks.
    """
    recipe = run.recipe
    if recipe.attention or recipe.pair_share or run.processes.count > 1:
        raise DataError("a pool of views has no outlines and no pairs, and serves one process")
    drawn = _drawn(run, replace(recipe, sizes=()), faces, workers, in_memory=in_memory)
    mirror = faces.layout.mirror.tolist()
    pool = ViewPool(drawn, capacity, run.processes.device, mirror, recipe.seed)
    try:
        pool.wait()
        while True:
            yield pool.batch(recipe.batch, run.size_px)
    finally:
        pool.close()


def _drawn(
    run: Run, recipe: Recipe, faces: Faces, workers: int, *, in_memory: bool
) -> Iterator[TrainingView]:
    views = TrainingViews(faces.trained_on, faces.layout, recipe, in_memory=in_memory)
    draws = _Draws(run, recipe, faces)
    return iter(
        DataLoader(
            views,
            batch_sampler=draws,
            num_workers=workers,
            prefetch_factor=_PREFETCHED if workers else None,
            pin_memory=run.processes.device.type == "cuda",
        )
    )


class _Draws:
    """This process' part of every batch, thought up when it is needed."""

    def __init__(self, run: Run, recipe: Recipe, faces: Faces) -> None:
        self._processes, self._recipe, self._faces = run.processes, recipe, faces
        self._start = run.images

    def __iter__(self) -> Iterator[list[Draw]]:
        faces, recipe = self._faces, self._recipe
        further = [(len(pool.samples), recipe.share_of(pool.name)) for pool in faces.further]
        labelled, pseudo = len(faces.training), len(faces.pseudo)
        for batch in batches(recipe, labelled, pseudo, self._start, further):
            yield self._processes.share(batch)
