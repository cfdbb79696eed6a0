"""How large an encoded picture is, read from its first bytes before anything is decoded."""

import struct

_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_WEBP_HEAD = 30
_JPEG_SIZES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def picture_size(encoded: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG, WebP or PNG; None of anything else, or if it is cut off."""
    try:
        if encoded.startswith(b"\xff\xd8"):
            return _jpeg_size(encoded)
        if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP":
            return _webp_size(encoded)
        if encoded.startswith(b"\x89PNG\r\n\x1a\n") and encoded[12:16] == b"IHDR":
            width, height = struct.unpack_from(">II", encoded, 16)
            return width, height
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_size(encoded: bytes) -> tuple[int, int] | None:
    at = 2
    while encoded[at] == 0xFF:
        marker = encoded[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            at += 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", encoded, at + 5)
            return width, height
        else:
            at += 2 + max(int.from_bytes(encoded[at + 2 : at + 4]), 2)
    return None


def _webp_size(encoded: bytes) -> tuple[int, int] | None:
    kind = encoded[12:16] if len(encoded) >= _WEBP_HEAD else b""
    if kind == b"VP8X":
        width, height = (int.from_bytes(encoded[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    if kind == b"VP8L":
        bits = int.from_bytes(encoded[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", encoded, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
