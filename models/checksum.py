"""A file's own SHA-256 inside it, checked before anything parses the file."""

import hashlib
import re

BLANK = "sha256:" + 64 * "0"
"""Stands in a file where its checksum will be."""
_CHECKSUM = re.compile(rb"sha256:[0-9a-f]{64}")


def with_checksum(content: bytes) -> bytes:
    """The content, whose one `BLANK` becomes the digest of the content with it."""
    return content.replace(BLANK.encode(), _checksum_of(content))


def is_whole(content: bytes) -> bool:
    """Whether it has a checksum and not a byte has changed since."""
    found = _CHECKSUM.findall(content)
    return len(found) == 1 and found[0] == _checksum_of(content.replace(found[0], BLANK.encode()))


def _checksum_of(blank: bytes) -> bytes:
    return b"sha256:" + hashlib.sha256(blank).hexdigest().encode()
