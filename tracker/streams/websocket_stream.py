"""JSON over WebSocket, to any number of clients."""

import asyncio
import logging
import re
import threading
from contextlib import suppress
from importlib import import_module
from typing import Any

from ..errors import SinkError
from .address import NetAddress
from .face_json import update_as_json
from .update import Update

_START_S, _CLOSE_S = 5.0, 2.0
_SLOW_BYTES = 1_000_000
"""A client for which this much waits unsent is dropped: it is some seconds behind."""
_SILENT = logging.getLogger(f"{__name__}.connections")
_SILENT.setLevel(logging.CRITICAL + 1)
"""Somebody's port scan is no news."""
_OWN_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
"""Pages that may listen: those of this machine. Programs, which name no page, always may."""


class WebSocketStream:
    """A server whose clients each get every frame as one text of JSON.

    What a client sends is ignored. A client that does not keep up is disconnected; the others
    notice nothing.

    Args:
        address: Where to listen.
        raw: Landmarks as measured.

    Raises:
        SinkError: If `websockets` is missing or the port is taken.
    """

    def __init__(self, address: NetAddress, *, raw: bool = False) -> None:
        self._server_module = _imported("websockets.asyncio.server")
        self._raw = raw
        self.too_slow = 0
        """Clients that were disconnected because they did not keep up."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="WebSocketStream", daemon=True
        )
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._serve(address), self._loop)
        try:
            self._server = starting.result(_START_S)
        except OSError as error:
            self._end_loop()
            raise SinkError(
                f"{address}: cannot listen there ({error.strerror}): name another port"
            ) from error

    @property
    def clients(self) -> int:
        """That are connected."""
        return len(self._server.connections)

    def send(self, update: Update) -> None:
        """Hand one frame to all clients."""
        if self._server.connections:
            text = update_as_json(update, raw=self._raw)
            self._loop.call_soon_threadsafe(self._broadcast, text)

    def close(self) -> None:
        """Say goodbye to the clients and stop listening."""
        closing = asyncio.run_coroutine_threadsafe(self._goodbye(), self._loop)
        try:
            closing.result(_CLOSE_S)
        except TimeoutError:
            closing.cancel()
        self._end_loop()

    async def _serve(self, address: NetAddress) -> Any:
        closed = import_module("websockets.exceptions").ConnectionClosed

        async def listen(connection: Any) -> None:
            """Until the client goes; nothing that it says matters."""
            with suppress(closed):
                async for _ in connection:
                    pass

        return await self._server_module.serve(
            listen, address.host, address.port,
            origins=[None, _OWN_PAGES], max_size=4096, compression=None, close_timeout=0.5,
            logger=_SILENT,
        )  # fmt: skip

    async def _goodbye(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _broadcast(self, text: str) -> None:
        keeping_up = []
        for connection in self._server.connections:
            if connection.transport.get_write_buffer_size() > _SLOW_BYTES:
                self.too_slow += 1
                connection.transport.abort()
            else:
                keeping_up.append(connection)
        self._server_module.broadcast(keeping_up, text)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise SinkError(
            f"--websocket needs websockets ({error}): run pip install 'star-tracker[streams]'"
        ) from error
