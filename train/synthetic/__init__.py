"""Virtual camera: clips of a photograph whose landmarks are known in every frame.

`make_clip(kind, face, seed)`; what happens is looked up in `CLIPS`.
"""

from .clips import Clip, make_clip
from .codec import video_codec
from .face import PhotographedFace, annotated_face, portrait_face
from .kinds import CLIPS, Kind
from .sensor import PERFECT, Sensor
from .staging import ClipFormat

__all__ = [
    "CLIPS",
    "PERFECT",
    "Clip",
    "ClipFormat",
    "Kind",
    "PhotographedFace",
    "Sensor",
    "annotated_face",
    "make_clip",
    "portrait_face",
    "video_codec",
]
