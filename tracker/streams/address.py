"""HOST:PORT of a receiver, and datagrams to it."""

import socket
from dataclasses import dataclass
from typing import Any

from ..errors import SinkError


@dataclass(frozen=True, slots=True)
class NetAddress:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "NetAddress":
        """From HOST:PORT, [IPV6]:PORT, or PORT alone, which is this machine's.

        Raises:
            ValueError: If it is none of these.
        """
        host, _, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"must be HOST:PORT, for IPv6 [HOST]:PORT, got {text}")
        if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"must be HOST:PORT with a port from 1 to 65535, got {text}")
        return cls(host or "127.0.0.1", int(port))


class Datagrams:
    """A UDP socket to one receiver; sending never waits.

    Args:
        address: Of the receiver, which need not be there.

    Raises:
        SinkError: If the host is not known.
    """

    def __init__(self, address: NetAddress) -> None:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise SinkError(f"{address}: no such host ({error}): check name and network") from error
        family, kind, protocol, _, receiver = found[0]
        self._receiver: tuple[Any, ...] = receiver
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)

    def send(self, payload: bytes) -> None:
        """Send one datagram.

        Raises:
            OSError: If it was refused.
        """
        self._socket.sendto(payload, self._receiver)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
