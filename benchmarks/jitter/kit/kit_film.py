"""One clip of the kit: rendered from a seed, and encoded to the same bytes each time."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import compress
from pathlib import Path

import av
import numpy as np

from tracker.types import Image
from train.synthetic.clips import Clip, make_clip
from train.synthetic.face import PhotographedFace
from train.synthetic.motion import Home, Pose
from train.synthetic.scene import Layer, Scene
from train.synthetic.sensor import USUAL, Film
from train.synthetic.staging import ClipFormat
from train.synthetic.surround import margins, surrounded
from train.turned_heads import HeadTurn, turn_head

from .kit_folder import KitClip
from .kit_kinds import FRAME_RATE, KIT_KINDS, KitKind
from .kit_people import KitPerson, Mesh

SIZE = (480, 360)
"""Width and height of the frames."""
_EYE_PX = (40.0, 70.0)
"""Eye distance in the frames, at home: as on the photograph, within these."""
_LARGEST_YAW_DEG, _YAW_S, _LARGEST_PITCH_DEG = 30.0, 2.4, 5.0
_CLOCK = Fraction(1, 90_000)
_KEY_FRAME_EVERY = 30


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A clip that is to be made."""

    name: str
    kind: str
    person: KitPerson
    other: KitPerson
    """Who passes in a crossing."""
    seed: int
    seconds: float


def shoot(take: Take, folder: Path) -> KitClip:
    """Render a clip into `folder` as `NAME.mp4`.

    Returns:
        What is true of it; its file is relative to the folder above.
    """
    kind = KIT_KINDS[take.kind]
    clip = _virtual(take, kind)
    rng = np.random.default_rng([take.seed, zlib.crc32(take.kind.encode())])
    chosen = kind.chosen(len(clip.truth), rng)
    wanted = np.isin(np.arange(len(clip.truth)), chosen)
    times_s = chosen / clip.fps
    _encode(folder / f"{take.name}.mp4", compress(clip.film(), wanted), times_s, kind.crf)
    return KitClip(
        take.name,
        take.kind,
        take.person.name,
        f"{folder.name}/{take.name}.mp4",
        times_s,
        clip.truth[chosen],
        clip.visible[chosen],
    )


def _virtual(take: Take, kind: KitKind) -> Clip:
    face = take.person.face
    camera = ClipFormat(size=SIZE, fps=kind.fps, eye_px=float(np.clip(face.eye_px, *_EYE_PX)))
    seconds = take.seconds + kind.extra_s
    if kind.turns:
        assert take.person.mesh is not None
        return _turning(face, take.person.mesh, camera, seconds, take.seed)
    return make_clip(kind.scene, face, take.seed, seconds, camera=camera, other=take.other.face)


def _turning(
    face: PhotographedFace, mesh: Mesh, camera: ClipFormat, seconds: float, seed: int
) -> Clip:
    """The head turns and nods a little on its mesh; where it stands stays."""
    phase = np.random.default_rng([seed, 2]).uniform(0, 2 * np.pi, 2)
    times_s = np.arange(round(seconds * camera.fps)) / camera.fps
    yaws = _LARGEST_YAW_DEG * np.sin(2 * np.pi * times_s / _YAW_S + phase[0])
    pitches = _LARGEST_PITCH_DEG * np.sin(2 * np.pi * times_s / (1.7 * _YAW_S) + phase[1])
    turns = [HeadTurn(*pair) for pair in np.stack([yaws, pitches], -1).tolist()]
    scenes = [_scene(face, mesh, turn, camera) for turn in turns]

    def film() -> Iterator[Image]:
        developing = Film(USUAL, camera.size, np.random.default_rng([seed, 1]))
        for scene, time_s in zip(scenes, times_s.tolist(), strict=True):
            yield developing.develop(scene.at(time_s), time_s)

    return Clip(
        name="turn",
        fps=camera.fps,
        seed=seed,
        layout=face.layout,
        truth=np.stack([scene.truth(0.0) for scene in scenes]),
        visible=np.stack([scene.visible(0.0) for scene in scenes]),
        encoding="",
        film=film,
    )


def _scene(face: PhotographedFace, mesh: Mesh, turn: HeadTurn, camera: ClipFormat) -> Scene:
    picture, points = turn_head(face.image, face.points, mesh, turn)
    home = Home(face.center, camera.middle, camera.eye_px, camera.eye_px / face.eye_px)
    matrix = home.frame_from_picture(Pose())
    ends = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * camera.size - 0.5
    around = margins(picture, (ends - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T)
    back = np.eye(3)
    back[:2, 2] = -around[2], -around[0]
    shifted = points.astype(float) + np.array([around[2], around[0]])
    layer = Layer(surrounded(picture, around), lambda _: matrix @ back, shifted)
    return Scene((layer,), camera.size)


def _encode(path: Path, images: Iterator[Image], times_s: np.ndarray, crf: int) -> None:
    """H.264 by one thread, without B frames, times as they are: the same bytes each time."""
    with av.open(
        str(path), "w", options={"fflags": "+bitexact", "movflags": "+faststart"}
    ) as container:
        stream = container.add_stream("libx264", rate=round(FRAME_RATE))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _CLOCK
        stream.codec_context.thread_count = 1
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        stream.options = {
            "crf": str(crf), "preset": "veryfast", "bf": "0", "flags": "+bitexact",
            "g": str(_KEY_FRAME_EVERY),
        }  # fmt: skip
        for image, time_s in zip(images, times_s.tolist(), strict=True):
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts, picture.time_base = round(time_s / _CLOCK), _CLOCK
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
