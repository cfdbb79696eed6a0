"""A linear 3-D face: mean, identity and expression of the 68 landmarks, and the eyeballs.

The head's frame: x to the picture's right where the face looks into the camera, y down, z away from
the camera; millimetres; its origin lies midway between the outer eye corners of the mean face.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import FaceTrackError

_FILE = Path(__file__).parent / "linear_face.safetensors"
_LENGTH_BYTES = 8
_TYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True, eq=False)
class LinearFace:
    """How the landmarks of a layout lie on a head; eyes in the order right, left."""

    layout: str
    mean: Float[np.ndarray, "landmarks xyz=3"]
    expression: Float[np.ndarray, "landmarks xyz=3 coefficients"]
    """What a coefficient of 1 adds."""
    identity: Float[np.ndarray, "landmarks xyz=3 identities"]
    """What one standard deviation among people adds."""
    names: tuple[str, ...]
    """Of the coefficients: ARKit's, but `browInnerUp`, which comes in two halves."""
    prior_deviation: Float[np.ndarray, " coefficients"]
    """From 0, the neutral face."""
    carried: tuple[str, ...]
    """Coefficients that the landmarks can carry, by ARKit's names."""
    misfit: Float[np.ndarray, " landmarks"]
    """Standard deviation of what no coefficient explains, mm in each direction."""
    unmixing: Float[np.ndarray, "landmarks landmarks"]
    """Takes errors of landmarks, each in its own standard deviations, to independent ones."""
    eyeball: Float[np.ndarray, "eyes=2 xyz=3"]
    """Centres of the eyeballs of the mean face."""
    eyeball_identity: Float[np.ndarray, "eyes=2 xyz=3 identities"]
    eyeball_radius: float
    """From the centre to the pupil, mm."""
    pose_inflation: Float[np.ndarray, "6"]
    """Factors on the standard deviations of rotation and translation: landmarks err together."""
    coefficient_inflation: Float[np.ndarray, " coefficients"]
    lid_gap: Float[np.ndarray, "shut_open=2"]
    """Between the lids over the eye's width: what four in five shut eyes keep under, and the usual
    one of open eyes."""

    basis: Float[np.ndarray, "landmarks xyz=3 shapes"] = field(init=False)
    """Expression, then identity."""
    by_axis: Float[np.ndarray, "xyz=3 landmarks shapes"] = field(init=False)
    """The same, axis by axis."""

    def __post_init__(self) -> None:
        basis = np.concatenate([self.expression, self.identity], -1)
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "by_axis", np.ascontiguousarray(basis.swapaxes(0, 1)))


@cache
def load_linear_face(path: Path = _FILE) -> LinearFace:
    """Read a face that `train.face_model` wrote.

    Raises:
        FaceTrackError: If the file is none.
    """
    try:
        tensors, notes = _read_safetensors(path)
        numbers = {name: tensor.astype(float) for name, tensor in tensors.items()}
        for tensor in numbers.values():
            tensor.flags.writeable = False
        return LinearFace(
            layout=notes["layout"],
            names=tuple(notes["names"].split()),
            carried=tuple(notes["carried"].split()),
            eyeball_radius=float(notes["eyeball_radius"]),
            **numbers,
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FaceTrackError(f"{path}: is no linear face ({error}): install anew") from error


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors by name, and the notes; without the library, which would bring torch's world along.

    Source:
        The format: eight bytes of length, so much JSON, then the tensors' bytes.
    """
    content = path.read_bytes()
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    body = _LENGTH_BYTES + length
    header: dict[str, Any] = json.loads(content[_LENGTH_BYTES:body])
    notes = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        flat = np.frombuffer(content[body + first : body + last], _TYPE)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, notes
