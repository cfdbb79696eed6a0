"""Inputs that nobody thought of, made by hypothesis from good ones.

Right is what can be used, or an error for the user. Each kind says how its files are spoilt.
"""

import hashlib
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st

from models import load_landmarker
from models.checkpoint import load_checkpoint
from models.checksum import BLANK, with_checksum
from models.description import METADATA_KEY
from models.weight_files import EXPORTED, NAMED_WEIGHTS
from tracker.io.simulated_camera import portrait
from tracker.io.sources import open_source
from train.datasets import open_data_set, read_layout

from .endurance import write_clip

_MOST_FRAMES = 100
_MOST_EDITS = 8
_NASTY_BYTES = [b"", b"\x00", b"\xff" * 4, b"\x00" * 8, struct.pack(">I", 2**31 - 1), b"\x7f" * 8]
_NASTY_WORDS = [
    "", "nan", "inf", "-1", "0", "1e999", "9" * 400, '"', "[", "{" * 50, "\x00", "\u2028", "true",
    "null", "../../etc/passwd", "%s", "-0.0", "1e308", "1_0",
]  # fmt: skip
_LAYOUT = """name = "cat-4"
points = ["nose", "left eye", "right eye", "chin"]
mirror = [["left eye", "right eye"]]
normaliser = ["right eye", "left eye"]

[[outlines]]
name = "middle"
points = ["nose", "chin"]
closed = true
"""
_ROWS = """picture,nose_x,nose_y,right eye_x,right eye_y,left eye_x,left eye_y,chin_x,chin_y
2.png,1,2,3.5,4,5,6,7,8
2.png,11,12,13,14,15,16,17,18
2.png,2,2,3,4,5,6,7,8
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that is done to a file."""

    place: float
    """Share of its length."""
    removed: int
    """Bytes or words."""
    put: bytes


@st.composite
def edits(draw: st.DrawFn, *, words: bool = False) -> list[Edit]:
    """Some edits of bytes, or of words."""
    nasty = st.sampled_from([word.encode() for word in _NASTY_WORDS] if words else _NASTY_BYTES)
    put = nasty | st.binary(max_size=6) if not words else nasty | st.text(max_size=4).map(_utf8)
    # Heads are where most of a format is.
    places = st.floats(0, 1, exclude_max=True).map(lambda share: share**3)
    one = st.builds(Edit, places, st.sampled_from([0, 1, 1, 1, 4, 64, 10**6]), put)
    return draw(st.lists(one, min_size=1, max_size=_MOST_EDITS))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def edited(content: bytes, done: list[Edit]) -> bytes:
    """After edits of bytes."""
    for edit in done:
        at = int(edit.place * len(content))
        content = content[:at] + edit.put + content[at + min(edit.removed, len(content) // 2) :]
    return content


def edited_words(content: bytes, done: list[Edit]) -> bytes:
    """After edits of words: what stands between marks and spaces."""
    parts = re.split(rb"(\w+(?:\.\w+)*)", content)
    for edit in done:
        at = int(edit.place ** (1 / 3) * len(parts))
        parts[at : at + min(edit.removed, 4)] = [edit.put]
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class FuzzedKind:
    """One kind of input."""

    good: Mapping[str, bytes]
    """Files, the first of which is spoilt."""
    spoil: Callable[[bytes, list[Edit]], bytes]
    read: Callable[[Path], object]
    """Takes the path of the spoilt file."""
    words: bool = False

    def attempt(self, folder: Path, done: list[Edit]) -> None:
        """Write the files, spoilt, and read them; errors are raised."""
        for number, (name, content) in enumerate(self.good.items()):
            made = content if number else self.spoil(content, done)
            (folder / name).write_bytes(made)
        self.read(folder / next(iter(self.good)))


def _frames(path: Path) -> object:
    with open_source(path) as source:
        return [frame.image.shape for frame in islice(source, _MOST_FRAMES)]


def _anew_checked(content: bytes, done: list[Edit]) -> bytes:
    """A spoilt file of ours whose checksum is right."""
    blank = re.sub(rb"sha256:[0-9a-f]{64}", BLANK.encode(), content)
    spoilt = edited(blank, done)
    return with_checksum(spoilt if BLANK.encode() in spoilt else spoilt + BLANK.encode())


def _anew_described(content: bytes, done: list[Edit]) -> bytes:
    """A safetensors file with another description, whose checksum is right."""
    (length,) = struct.unpack("<Q", content[:8])
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    spoilt = edited_words(header["__metadata__"][METADATA_KEY].encode(), done)
    try:
        described = json.loads(spoilt)
        described.pop("sha256", None)
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name in sorted(name for name in header if name != "__metadata__"):
            begin, end = header[name]["data_offsets"]
            digest.update(name.encode() + tensors[begin:end])
        spoilt = json.dumps(described | {"sha256": digest.hexdigest()}).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass  # no JSON any more: as it is
    header["__metadata__"][METADATA_KEY] = spoilt.decode("utf-8", "replace")
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + tensors


def fuzzed_kinds(folder: Path) -> dict[str, FuzzedKind]:
    """Every kind by name.

    Args:
        folder: For the good files while they are made.
    """
    picture = portrait()[::4, ::4, ::-1].copy()
    encoded = {
        suffix: cv2.imencode(suffix, picture)[1].tobytes()
        for suffix in (".jpg", ".png", ".webp", ".tiff", ".bmp")
    }
    small = cv2.imencode(".png", np.zeros((40, 40, 3), np.uint8))[1].tobytes()
    kinds = {
        f"container{suffix}": FuzzedKind(
            {f"x{suffix}": write_clip(folder / f"clip{suffix}", 0.6).read_bytes()}, edited, _frames
        )
        for suffix in (".mp4", ".mkv", ".avi")
    }
    kinds |= {
        f"picture{suffix}": FuzzedKind({f"x{suffix}": content}, edited, _frames)
        for suffix, content in encoded.items()
    }
    lite = NAMED_WEIGHTS["lite"]
    kinds["weights.onnx"] = FuzzedKind(
        {"x.onnx": lite.with_suffix(EXPORTED).read_bytes()}, _anew_checked, load_landmarker
    )
    kinds["weights.safetensors"] = FuzzedKind(
        {"x.safetensors": lite.read_bytes()}, _anew_described, load_checkpoint, words=True
    )
    kinds["layout"] = FuzzedKind({"layout.toml": _LAYOUT.encode()}, edited_words, read_layout, True)
    own = {"landmarks.csv": _ROWS.encode(), "layout.toml": _LAYOUT.encode(), "2.png": small}
    kinds["annotations"] = FuzzedKind(
        own, edited_words, lambda path: open_data_set(path.parent), words=True
    )
    return kinds
