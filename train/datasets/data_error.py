"""What a reader raises."""

from tracker.errors import FaceTrackError


class DataError(FaceTrackError):
    """A data set is not laid out as its reader expects."""
