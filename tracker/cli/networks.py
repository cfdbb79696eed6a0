"""What `models` is to the command line; the tracker itself knows no networks."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from ..detection.any_roll_detector import AnyRollDetector, FaceFinder
from ..detection.both_detectors import BothDetectors
from ..detection.mediapipe_detector import MediaPipeDetector
from ..landmarker import Landmarker
from .arguments import BOTH, MEDIAPIPE

OurDetector = MediaPipeDetector | AnyRollDetector | BothDetectors


class Networks(Protocol):
    """What the command line asks of `models`."""

    @property
    def CheckpointError(self) -> type[Exception]:  # noqa: N802
        """Raised for a user's mistake."""

    def weight_file(self, weights: str) -> Path:
        """The file of a name, or of a path."""

    def load_landmarker(self, weights: str, device: str, backend: str) -> Landmarker:
        """Load a network by the flags of the same names."""

    def load_face_detector(self) -> FaceFinder:
        """Load the face detector of any roll."""


def asked_landmarker(arguments: argparse.Namespace, networks: Networks) -> Landmarker:
    """The network that the flags name."""
    return networks.load_landmarker(arguments.weights, arguments.device, arguments.backend)


def asked_detector(
    arguments: argparse.Namespace, networks: Networks, opened: ExitStack
) -> OurDetector:
    """The face detector that the flags name; for one thread at a time."""
    if arguments.detector == MEDIAPIPE:
        return opened.enter_context(MediaPipeDetector())
    if arguments.detector == BOTH:
        return opened.enter_context(BothDetectors(networks.load_face_detector()))
    return opened.enter_context(AnyRollDetector(networks.load_face_detector()))
