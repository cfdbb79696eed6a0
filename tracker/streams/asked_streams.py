"""The streams that a run was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..layouts import IBUG_68, Layout
from .address import NetAddress
from .openseeface_stream import OpenSeeFaceStream
from .osc_stream import OscStream
from .rerun_stream import RerunStream
from .stream_sink import StreamSink
from .update import Stream
from .virtual_camera import VirtualCameraStream
from .vmc_stream import PERFECT_SYNC, VmcStream
from .websocket_stream import WebSocketStream

_PROTOCOLS = ("vmc", "osc", "openseeface", "websocket")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedStreams:
    """Where to send what is found, while it is found."""

    vmc: NetAddress | None = None
    vmc_blend: str = PERFECT_SYNC
    osc: NetAddress | None = None
    openseeface: NetAddress | None = None
    websocket: NetAddress | None = None
    virtual_camera: bool = False
    plain_camera: bool = False
    """The virtual camera shows no overlay."""
    rerun: str | None = None
    """Empty starts a viewer."""
    raw: bool = False
    ellipses: bool = False

    def __bool__(self) -> bool:
        addresses = self.vmc, self.osc, self.openseeface, self.websocket
        return any(addresses) or self.virtual_camera or self.rerun is not None


def open_stream(protocol: str, address: str, layout: Layout = IBUG_68) -> StreamSink:
    """One stream for a program of your own: give each frame and its faces to `write`.

    Args:
        protocol: "vmc", "osc", "openseeface" or "websocket".
        address: HOST:PORT, of the receiver or, for "websocket", to listen on.
        layout: Of the landmarks.

    Returns:
        A context manager, whose `write` never waits.

    Raises:
        ValueError: If protocol or address is none.
        SinkError: If a library or a host is missing, or a port is taken.
    """
    if protocol not in _PROTOCOLS:
        raise ValueError(f"protocol must be one of {', '.join(_PROTOCOLS)}, got {protocol!r}")
    where: dict[str, Any] = {protocol: NetAddress.parse(address)}
    asked = AskedStreams(**where)
    (stream,) = open_streams(asked, layout, frame_rate=30.0)
    return stream


def open_streams(asked: AskedStreams, layout: Layout, frame_rate: float) -> Iterator[StreamSink]:
    """Open the streams that were asked for, each behind its own queue.

    Args:
        asked: All of them.
        layout: Of the landmarks.
        frame_rate: Of the source.

    Raises:
        SinkError: If a library or a host is missing, or a port is taken.
    """
    for name, stream in _opened(asked, layout, frame_rate):
        yield StreamSink(name, stream)


def _opened(asked: AskedStreams, layout: Layout, frame_rate: float) -> Iterator[tuple[str, Stream]]:
    raw = asked.raw
    if asked.vmc:
        yield f"VMC to {asked.vmc}", VmcStream(asked.vmc, asked.vmc_blend)
    if asked.osc:
        yield f"OSC to {asked.osc}", OscStream(asked.osc, raw=raw)
    if asked.openseeface:
        stream = OpenSeeFaceStream(asked.openseeface, layout, raw=raw)
        yield f"OpenSeeFace to {asked.openseeface}", stream
    if asked.websocket:
        yield f"WebSocket on {asked.websocket}", WebSocketStream(asked.websocket, raw=raw)
    if asked.virtual_camera:
        overlay = not asked.plain_camera
        camera = VirtualCameraStream(
            frame_rate, layout, overlay=overlay, ellipses=asked.ellipses, raw=raw
        )
        yield "virtual camera", camera
    if asked.rerun is not None:
        yield f"rerun {asked.rerun}".strip(), RerunStream(asked.rerun, layout, raw=raw)
