"""The analyser of a source's faces, which learns the size of the frames from the first."""

from dataclasses import dataclass

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
    """

    def __init__(self, settings: AnalysisSettings, *, stills: bool) -> None:
        self._settings, self._stills = settings, stills
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
        return self._analyser.analyse(faces, frame.time_s)
