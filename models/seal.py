"""A file's own SHA-256 inside it, so that it is known to be whole before anything parses it."""

import hashlib
import re

BLANK = "sha256:" + 64 * "0"
"""What a file says where its seal will be."""
_SEAL = re.compile(rb"sha256:[0-9a-f]{64}")


def sealed(content: bytes) -> bytes:
    """The content, whose one `BLANK` becomes the digest of the content with it."""
    return content.replace(BLANK.encode(), _seal_of(content))


def is_whole(content: bytes) -> bool:
    """Whether it was sealed and not a byte has changed since."""
    seals = _SEAL.findall(content)
    return len(seals) == 1 and seals[0] == _seal_of(content.replace(seals[0], BLANK.encode()))


def _seal_of(blank: bytes) -> bytes:
    return b"sha256:" + hashlib.sha256(blank).hexdigest().encode()
