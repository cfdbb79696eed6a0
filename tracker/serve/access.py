"""Who may use the page, how much, and how often."""

import hmac
import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeLimits:
    """What one browser may ask for, and all of them together."""

    frame_bytes: int = 3_000_000
    """Of one frame of a camera, encoded."""
    frame_pixels: int = 4_200_000
    """Of one frame of a camera, decoded: a little more than 2560x1600."""
    frames_per_second: float = 70.0
    picture_pixels: int = 50_000_000
    """Of a picture that is sent as a file."""
    upload_bytes: int = 500_000_000
    uploads_per_minute: float = 12.0
    uploads_at_once: int = 2
    cameras_at_once: int = 4
    idle_s: float = 60.0
    """A camera or a file of which nothing comes for this long is let go."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Whose requests are answered.

    A page of somebody else's must not reach into this one through the browser of its user: requests
    have to come from this page itself, under a name of this machine where only it is served.
    """

    token: str | None = None
    """Without it nothing is tracked; None where only this machine is served."""

    def allows(self, headers: Mapping[str, str], token: str) -> bool:
        """Whether a request comes from our own page and knows the token."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return False
        if self.token is None:
            return is_loopback(urlsplit(f"//{host}").hostname or "")
        return hmac.compare_digest(token.encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Whether a name or address is that of this machine to itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class RateLimit:
    """So many a second, in bursts of up to so many."""

    per_second: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = self.burst, self.clock()

    def allows(self) -> bool:
        """Whether one more is allowed, which is counted."""
        now = self.clock()
        self._left = min(self._left + (now - self._at) * self.per_second, self.burst)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
