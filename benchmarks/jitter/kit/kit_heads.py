"""Rendered heads as clips of the kit: films that come with the truth of every frame."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from .kit_folder import KitClip

KIND_OF_HEAD = {
    "still": "still", "blink": "blink", "talk": "talking", "look": "talking",
    "turn": "turn", "nod": "turn", "tilt": "turn",
}  # fmt: skip
"""By what a file's name begins with; only a head that turns in depth lays bare what `turn` asks."""


def head_clips(heads: Path, films: Path) -> Iterator[KitClip]:
    """Copy films of rendered heads, each a person of its own, and read their truth.

    Args:
        heads: Folder with `turn_0.mp4` beside `turn_0.csv` (columns `x_0, y_0, ...` of 68 points,
            frame pixels, a row for each frame).
        films: Folder of the kit's films.

    Raises:
        FaceTrackError: If there are none, or truth and film do not belong together.
    """
    paths = sorted(heads.glob("*.mp4"))
    known = [path for path in paths if path.stem.partition("_")[0] in KIND_OF_HEAD]
    if not known:
        raise FaceTrackError(
            f"{heads}: has no films of heads: their names begin with {', '.join(KIND_OF_HEAD)}"
        )
    for path in known:
        kind = KIND_OF_HEAD[path.stem.partition("_")[0]]
        truth, times_s = _truth(path.with_suffix(".csv")), _times_s(path)
        if len(truth) != len(times_s):
            raise FaceTrackError(
                f"{path}: has {len(times_s)} frames, and its truth has {len(truth)} rows"
            )
        person = f"head-{path.stem.replace('_', '-')}"
        name = f"{kind}_{person}"
        shutil.copyfile(path, films / f"{name}.mp4")
        seen = np.ones((len(truth), 1, IBUG_68.count), bool)
        yield KitClip(name, kind, person, f"{films.name}/{name}.mp4", times_s, truth[:, None], seen)


def _times_s(path: Path) -> Float[np.ndarray, " frames"]:
    try:
        with av.open(str(path)) as film:
            return np.array([float(frame.time) for frame in film.decode(video=0)])
    except (OSError, av.FFmpegError) as error:
        raise FaceTrackError(f"{path}: cannot be decoded ({error})") from error


def _truth(path: Path) -> Float[np.ndarray, "frames 68 xy=2"]:
    try:
        table = np.atleast_1d(np.genfromtxt(path, delimiter=",", names=True))
        axes = [[table[f"{axis}_{i}"] for i in range(IBUG_68.count)] for axis in "xy"]
    except (OSError, ValueError) as error:
        raise FaceTrackError(f"{path}: holds no truth of 68 points ({error})") from error
    return np.moveaxis(np.array(axes), (0, 1, 2), (2, 1, 0))
