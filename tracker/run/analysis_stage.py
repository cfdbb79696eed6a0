"""The analyser of a source's faces, which learns the size of the frames from the first."""

from dataclasses import dataclass
from pathlib import Path

from ..analysis.analysis_networks import AnalysisNetworks
from ..analysis.face_analyser import FaceAnalyser
from ..analysis.neutral_file import KeptNeutral, write_neutral
from ..analysis.paced_reading import PacedReading
from ..errors import FaceTrackError
from ..types import Face, Frame


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """As in `FaceAnalyser`."""

    fov_deg: float | None = None
    calibrate_neutral_s: float | None = None
    neutral: KeptNeutral | None = None


class AnalysisStage:
    """Analyses the faces of one source.

    Args:
        settings: Of the analyser.
        stills: Every frame is a picture by itself.
        readers: None leaves all to the landmarks.
    """

    def __init__(
        self, settings: AnalysisSettings, *, stills: bool, readers: AnalysisNetworks | None = None
    ) -> None:
        self._settings, self._stills = settings, stills
        self._reading = PacedReading(readers, stills=stills)
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
                neutral=self._settings.neutral,
            )
        read = self._reading.read(frame, faces)
        return self._analyser.analyse(
            faces, frame.time_s, eyes=read.eyes, expressions=read.expressions
        )

    def save_neutral(self, path: Path) -> None:
        """Keep the neutral face of who was seen longest.

        Raises:
            FaceTrackError: If there was none, or it cannot be written.
        """
        kept = None if self._analyser is None else self._analyser.neutral()
        if kept is None:
            raise FaceTrackError(f"{path}: no face was seen whose neutral could be kept")
        write_neutral(path, kept)
