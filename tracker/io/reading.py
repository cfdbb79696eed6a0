"""How a source is to be read."""

from dataclasses import dataclass

MEGAPIXELS = 64.0
"""Most of a picture, unless stated: 192 MB once it is decoded, and some are decoded ahead."""
SEQUENCE_RATE = 25.0
RECONNECT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What of a source is read, and within which bounds.

    Raises:
        ValueError: If a value makes no sense.
    """

    stream: int | None = None
    """Which of several picture streams, from 0; None takes the one that players show."""
    fps: float | None = None
    """Frames per second of numbered pictures; 25 unless stated."""
    max_megapixels: float = MEGAPIXELS
    """Larger pictures are refused."""
    reconnect_s: float = RECONNECT_S
    """A camera or live stream that fails is looked for so long; 0 ends with it."""
    recursive: bool = False
    """Read the folders in a folder, too."""

    def __post_init__(self) -> None:
        if self.stream is not None and self.stream < 0:
            raise ValueError(f"stream must be at least 0, got {self.stream}")
        for name in ("fps", "max_megapixels", "reconnect_s"):
            value = getattr(self, name)
            is_right = value is None or 0 <= value < 1e9
            if not is_right or (value == 0 and name != "reconnect_s"):
                raise ValueError(f"{name} must be positive and finite, got {value!r}")

    @property
    def most_pixels(self) -> int:
        return int(self.max_megapixels * 1e6)


def too_large(name: str, width: int, height: int, reading: Reading) -> str:
    """What is said of a picture beyond the limit."""
    return (
        f"{name}: {width}x{height} pixels are more than {reading.max_megapixels:g} megapixels: "
        "raise --max-megapixels if you trust it"
    )
