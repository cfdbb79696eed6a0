"""Who is on a picture, by its name, and who is never trained on."""

import zlib
from pathlib import Path

_HELD_OUT_ONE_IN = 10


def person_of(picture: Path) -> str:
    """The name before the last underscore, as YouTube Faces writes it; `t_` marks a source.

    Names without an underscore are a person each.
    """
    name = picture.stem.removeprefix("t_")
    return name.rsplit("_", 1)[0]


def is_held_out(person: str) -> bool:
    """Whether this person is in the held-out part; by the name alone, the same in every file."""
    return zlib.crc32(person.encode()) % _HELD_OUT_ONE_IN == 0
