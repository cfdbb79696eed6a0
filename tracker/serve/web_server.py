"""Runs the page until it is asked to stop."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import uvicorn
from starlette.applications import Starlette

from ..errors import SinkError

_POLL_S = 0.2
_SPARE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen; by https, or browsers give no camera to a page of another machine."""

    host: str
    port: int
    """0 takes a free one."""
    certificate: Path | None = None
    key: Path | None = None
    """Of the certificate."""


def serve_until(
    stop: Event,
    application: Starlette,
    listening: Listening,
    frame_bytes: int,
    started: Callable[[int], None] = lambda _port: None,
) -> None:
    """Serve; open connections are closed within two seconds of the end.

    Args:
        stop: Ends it; so do SIGINT and SIGTERM where this is the main thread.
        application: What answers.
        listening: Where.
        frame_bytes: Longest message of a WebSocket.
        started: Called with the port once connections are taken.

    Raises:
        SinkError: If the port is taken or the certificate cannot be used.
    """
    config = uvicorn.Config(
        application, host=listening.host, port=listening.port, log_level="critical",
        access_log=False, ws="websockets-sansio", ws_max_size=frame_bytes + _SPARE_BYTES,
        lifespan="off", timeout_graceful_shutdown=2, server_header=False, date_header=False,
        ssl_certfile=listening.certificate, ssl_keyfile=listening.key,
    )  # fmt: skip
    server = uvicorn.Server(config)
    try:
        config.load()
    except OSError as error:
        raise SinkError(f"certificate or key cannot be used ({error}): check both files") from error
    try:
        asyncio.run(_serve(server, stop, started))
    except (SystemExit, OSError) as error:  # uvicorn leaves like that where it cannot listen
        where = f"{listening.host}:{listening.port}"
        raise SinkError(f"cannot listen on {where}: name another --port or --host") from error


async def _serve(server: uvicorn.Server, stop: Event, started: Callable[[int], None]) -> None:
    serving = asyncio.create_task(server.serve())
    while not (server.started or serving.done()):
        await asyncio.sleep(_POLL_S / 10)
    if server.started:
        started(server.servers[0].sockets[0].getsockname()[1])
    while not (stop.is_set() or serving.done()):
        await asyncio.sleep(_POLL_S)
    server.should_exit = True
    await serving
