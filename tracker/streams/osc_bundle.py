"""OSC messages as one bundle.

Written out here, because whatever a stream computes competes with tracking for the processor:
python-osc, which reads every message again while it builds it, takes several times as long for the
340 numbers of a face. The tests read what is written with python-osc.

Source:
    The Open Sound Control 1.0 specification, opensoundcontrol.stanford.edu.
"""

import struct
from collections.abc import Iterable
from itertools import groupby
from typing import Any

Argument = tuple[str, Any]
"""OSC's type tag and a value: i 32-bit integer, f float, d double, s text."""
Message = tuple[str, list[Argument]]
"""Address and arguments."""
_AT_ONCE = b"#bundle\0" + struct.pack(">Q", 1)
"""Head of a bundle whose time tag says: now."""


def osc_bundle(messages: Iterable[Message]) -> bytes:
    """Messages that belong together, as a datagram."""
    parts = [_AT_ONCE]
    for message in messages:
        content = _encoded(message)
        parts += [struct.pack(">i", len(content)), content]
    return b"".join(parts)


def floats(values: Iterable[Any]) -> list[Argument]:
    """Arguments of type f."""
    return [("f", float(value)) for value in values]


def _encoded(message: Message) -> bytes:
    address, arguments = message
    tags = "".join(tag for tag, _ in arguments)
    parts = [_text(address), _text("," + tags)]
    for is_text, run in groupby(arguments, key=lambda argument: argument[0] == "s"):
        if is_text:
            parts += [_text(value) for _, value in run]
        else:  # OSC's tags of numbers are those of `struct`
            numbers = list(run)
            kinds = "".join(tag for tag, _ in numbers)
            parts.append(struct.pack(f">{kinds}", *(value for _, value in numbers)))
    return b"".join(parts)


def _text(text: str) -> bytes:
    """With a zero at the end, and more of them up to a multiple of four."""
    encoded = text.encode()
    return encoded + bytes(4 - len(encoded) % 4)
