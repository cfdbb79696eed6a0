"""What ends a training."""

from tracker.errors import FaceTrackError


class TrainingError(FaceTrackError):
    """Training cannot go on; what was saved stays."""
