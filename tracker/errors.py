"""Everything that can go wrong for a user's reason, as a tree.

FaceTrackError
|- SourceError      a camera, file or folder gives no frames
|- SinkError        an output cannot be written
`- DataError        a data set is not what its reader expects (raised by `train`)

`models.CheckpointError`, for a weight file that cannot be used, stands apart because `models` knows
nothing of the tracker. `run_tracker.py` prints the message as one line and exits with status 2.
"""


class FaceTrackError(Exception):
    """Base of all errors whose message is for the user."""


class SourceError(FaceTrackError):
    """A camera, file or folder gives no frames."""


class SinkError(FaceTrackError):
    """An output cannot be written."""
