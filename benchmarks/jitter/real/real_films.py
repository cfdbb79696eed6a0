"""Real films: 300-VW and WFLW-V with the landmarks of their annotators, others without truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tracker.cli.inputs import VIDEO_SUFFIXES
from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68
from tracker.types import Frame
from train.datasets.ibug import read_pts

from ..figure_definitions import REAL_KIND
from ..kit.kit_folder import KitClip
from ..plugins.tracker_runs import film_frames
from ..score.point_maps import map_of

_LEAST_FRAMES = 20
Truth = Float[np.ndarray, "frames 68 xy=2"]


@dataclass(frozen=True, slots=True, eq=False)
class RealFilm:
    """A film, or its beginning, and what annotators said of its main face."""

    name: str
    path: Path
    truth: Truth | None
    """Frame pixels, NaN in frames without annotation, as many as are annotated; None: nobody did.
    """

    def frames(self, seconds: float) -> Iterator[Frame]:
        """The beginning of the film, as far as it is annotated.

        Raises:
            FaceTrackError: If it cannot be decoded.
        """
        count = None if self.truth is None else len(self.truth)
        for frame in islice(film_frames(self.path), count):
            if frame.time_s > seconds:
                break
            yield frame

    def clip(self, seconds: float) -> KitClip:
        """As a clip of a kit, so that it can be scored.

        Raises:
            FaceTrackError: If it cannot be decoded, or is too short.
        """
        times_s = np.array([frame.time_s for frame in self.frames(seconds)])
        if len(times_s) < _LEAST_FRAMES:
            raise FaceTrackError(f"{self.path}: has {len(times_s)} frames of {_LEAST_FRAMES}")
        truth = np.full((len(times_s), 1, IBUG_68.count, 2), np.nan)
        if self.truth is not None:
            truth[:, 0] = self.truth[: len(times_s)]
        seen = np.isfinite(truth).all(-1)
        return KitClip(self.name, REAL_KIND, self.name, str(self.path), times_s, truth, seen)


def films_of_300vw(folder: Path) -> list[RealFilm]:
    """Folders as 300-VW is published: `001/vid.avi`, `001/annot/000001.pts` of the first frame.

    Raises:
        FaceTrackError: If there are none, or an annotation cannot be read.
    """
    films = []
    for path in sorted(folder.glob("*/vid.avi")):
        annotations = {int(each.stem): each for each in path.parent.glob("annot/*.pts")}
        if not annotations:
            raise FaceTrackError(f"{path.parent}: has no annot/000001.pts: fetch 300-VW anew")
        truth = np.full((max(annotations), IBUG_68.count, 2), np.nan)
        for number, annotation in annotations.items():
            truth[number - 1] = read_pts(annotation, IBUG_68)
        films.append(RealFilm(f"300vw-{path.parent.name}", path, truth))
    if not films:
        raise FaceTrackError(f"{folder}: holds no 300-VW: it has folders with vid.avi and annot/")
    return films


def films_of_wflw_v(folder: Path) -> list[RealFilm]:
    """Folders as WFLW-V is published: `videos/ID.mp4` and `landmarks/ID.npy`, 98 points a frame.

    Raises:
        FaceTrackError: If there are none, or an annotation cannot be read.
    """
    films, wanted = [], map_of(98, "WFLW-V")
    for path in sorted(folder.glob("videos/*.mp4")):
        annotation = folder / "landmarks" / f"{path.stem}.npy"
        try:
            points = np.load(annotation, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise FaceTrackError(f"{annotation}: cannot be read ({error})") from error
        if points.ndim != 3 or points.shape[1:] != (98, 2):
            raise FaceTrackError(
                f"{annotation}: must hold frames x 98 points x 2, and holds {points.shape}"
            )
        truth = np.empty((len(points), IBUG_68.count, 2))
        truth[:, wanted.weights.argmax(1)] = points[:, list(wanted.used)]
        films.append(RealFilm(f"wflwv-{path.stem}", path, truth))
    if not films:
        raise FaceTrackError(f"{folder}: holds no WFLW-V: it has folders videos/ and landmarks/")
    return films


def films_without_truth(folder: Path) -> list[RealFilm]:
    """All videos of a folder.

    Raises:
        FaceTrackError: If there are none.
    """
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
    if not paths:
        raise FaceTrackError(f"{folder}: holds no videos")
    return [RealFilm(path.stem, path, None) for path in paths]
