"""Where weight files lie."""

from pathlib import Path

from .description import CheckpointError

_FOLDER = Path(__file__).parent / "weights"
NAMED_WEIGHTS = {
    "nano": _FOLDER / "nano-300w.safetensors",
    "lite": _FOLDER / "lite-300w.safetensors",
    "base": _FOLDER / "base-300w.safetensors",
    "lite-29": _FOLDER / "lite-29.safetensors",
    "lite-free": _FOLDER / "lite-free.safetensors",
}
"""What `models.export` wrote of a named file lies beside it and ends in `EXPORTED`."""
EXPORTED = ".onnx"


def weight_file(weights: str | Path) -> Path:
    """The file of a name, or of a path.

    Raises:
        ValueError: If it is neither.
        CheckpointError: If nothing is there.
    """
    if not isinstance(weights, str | Path) or not str(weights):
        raise ValueError(f"weights are a name or a path, got {type(weights).__name__}: {weights!r}")
    path = NAMED_WEIGHTS.get(str(weights), Path(weights))
    if path.is_dir():
        raise CheckpointError(f"{weights}: is a folder: name a weight file")
    if not path.is_file():
        named = ", ".join(NAMED_WEIGHTS)
        raise CheckpointError(f"{weights}: no such weight file; weights with a name: {named}")
    return path
