"""The analyser of a source's faces, which learns the size of the frames from the first."""

from dataclasses import dataclass

from ..analysis.eye_reading import EyeReader, read_eyes
from ..analysis.face_analyser import FaceAnalyser
from ..types import Face, Frame


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """As in `FaceAnalyser`."""

    fov_deg: float | None = None
    calibrate_neutral_s: float | None = None


class AnalysisStage:
    """Analyses the faces of one source.

    Args:
        settings: Of the analyser.
        stills: Every frame is a picture by itself.
        eye_reader: Looks closely at the eyes; None leaves them to the landmarks.
    """

    def __init__(
        self, settings: AnalysisSettings, *, stills: bool, eye_reader: EyeReader | None = None
    ) -> None:
        self._settings, self._stills, self._eye_reader = settings, stills, eye_reader
        self._analyser: FaceAnalyser | None = None
        self._size = (0, 0)

    def take(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """The faces of the next frame with their analysis."""
        height, width = frame.image.shape[:2]
        if self._analyser is None or self._stills or self._size != (width, height):
            self._size = width, height
            self._analyser = FaceAnalyser(
                width,
                height,
                fov_deg=self._settings.fov_deg,
                calibrate_neutral_s=self._settings.calibrate_neutral_s,
            )
        eyes = read_eyes(frame.image, faces, self._eye_reader) if self._eye_reader else None
        return self._analyser.analyse(faces, frame.time_s, eyes=eyes)
