"""Network and detector that the flags ask for, and what they say of how a table was made."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from ..analysis.analysis_networks import AnalysisNetworks
from ..analysis.expression_reading import ExpressionReader
from ..analysis.eye_reading import EyeReader
from ..detection.any_roll_detector import AnyRollDetector, FaceFinder
from ..detection.both_detectors import BothDetectors
from ..detection.mediapipe_detector import MediaPipeDetector
from ..io.provenance import Provenance, own_version, sha256_of
from ..io.sources import is_url
from ..io.video_opening import without_password
from ..landmarker import Landmarker
from ..run.analysis_stage import AnalysisStage
from .arguments import AUTO, BOTH, MEDIAPIPE, asked_analysis, settings_of

OurDetector = MediaPipeDetector | AnyRollDetector | BothDetectors


class Networks(Protocol):
    """What `models` is to the command line; the tracker itself knows no networks."""

    @property
    def CheckpointError(self) -> type[Exception]:  # noqa: N802
        """Raised for a user's mistake."""

    def weight_file(self, weights: str) -> Path:
        """The file of a name, or of a path."""

    def load_landmarker(self, weights: str, device: str, backend: str) -> Landmarker:
        """Load a network by the flags of the same names."""

    def load_face_detector(self) -> FaceFinder:
        """Load the face detector of any roll."""

    def load_eye_reader(self) -> EyeReader:
        """Load the network that reads eyes."""

    def load_expression_reader(self) -> ExpressionReader:
        """Load the network that reads expressions."""


def settle_weights(arguments: argparse.Namespace, *, stills: bool = False) -> None:
    """Put a name in the place of `auto`, before anything asks for the weights.

    Pictures and `--offline` have time for the network that errs less.

    Args:
        arguments: Changed.
        stills: The source holds pictures.
    """
    if arguments.weights == AUTO:
        has_time = stills or getattr(arguments, "offline", False)
        arguments.weights = "base" if has_time else "lite"


def provenance_of(
    arguments: argparse.Namespace, networks: Networks, source: str, origin: Path | None
) -> Provenance:
    """What makes the tables of a source; `origin` is its file."""
    return Provenance(
        version=own_version(),
        weights=arguments.weights,
        weights_sha256=sha256_of(networks.weight_file(arguments.weights)),
        settings=settings_of(arguments),
        source=without_password(source) if is_url(source) else Path(source).name,
        source_sha256=sha256_of(origin) if origin else None,
    )


def landmarker_of(arguments: argparse.Namespace, networks: Networks) -> Landmarker:
    """The network that the flags ask for."""
    return networks.load_landmarker(arguments.weights, arguments.device, arguments.backend)


def detector_of(
    arguments: argparse.Namespace, networks: Networks, opened: ExitStack
) -> OurDetector:
    """The detector that the flags ask for; closed with `opened`."""
    if arguments.detector == MEDIAPIPE:
        return opened.enter_context(MediaPipeDetector())
    if arguments.detector == BOTH:
        return opened.enter_context(BothDetectors(networks.load_face_detector()))
    return opened.enter_context(AnyRollDetector(networks.load_face_detector()))


def analysis_networks_of(
    arguments: argparse.Namespace, networks: Networks
) -> AnalysisNetworks | None:
    """The networks of an analysis, for all sources at once, where one is asked for."""
    return None if asked_analysis(arguments) is None else load_analysis_networks(networks)


def load_analysis_networks(networks: Networks) -> AnalysisNetworks:
    """The networks of an analysis."""
    return AnalysisNetworks(networks.load_eye_reader(), networks.load_expression_reader())


def analysis_of(
    arguments: argparse.Namespace, readers: AnalysisNetworks | None, *, stills: bool = False
) -> AnalysisStage | None:
    """What reads the head pose and more off the faces of one source, where that is asked for."""
    settings = asked_analysis(arguments)
    if settings is None:
        return None
    return AnalysisStage(settings, stills=stills, readers=readers)
