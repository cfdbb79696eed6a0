"""The page, its WebSocket for a camera and its address for files, as an ASGI application."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..analysis.analysis_networks import AnalysisNetworks
from ..errors import FaceTrackError
from ..face_tracker import FaceTracker
from ..run.analysis_stage import AnalysisSettings, AnalysisStage
from .access import AccessRules, RateLimit, ServeLimits
from .live_session import LiveSession, RefusedInput
from .upload_table import named_by_kind, table_lines

_PAGE = Path(__file__).parent / "page"
_FILES = {"/": "index.html", "/page.js": "page.js", "/page.css": "page.css"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' "
    "blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_REFUSED, _TRY_LATER, _TOO_MUCH = 1008, 1013, 1009
"""Reasons why a WebSocket is closed, by RFC 6455."""
NewTracker = Callable[[], FaceTracker]


class TrackerPage:
    """What the page's requests share.

    Args:
        new_tracker: Makes a tracker for one camera or file; called in any thread.
        rules: Who may use it.
        limits: How much.
        readers: For any thread; None leaves all to the landmarks.
    """

    def __init__(
        self,
        new_tracker: NewTracker,
        rules: AccessRules,
        limits: ServeLimits,
        readers: AnalysisNetworks | None = None,
    ) -> None:
        self._new_tracker, self._rules, self._limits = new_tracker, rules, limits
        self._readers = readers
        self._cameras = self._uploads = 0
        each_minute = limits.uploads_per_minute
        self._upload_rate = RateLimit(each_minute / 60, each_minute)

    def application(self) -> Starlette:
        """To be run by an ASGI server."""
        routes = [Route(path, self._file(name), methods=["GET"]) for path, name in _FILES.items()]
        upload = Route("/table", self.table, methods=["POST"])
        return Starlette(routes=[*routes, upload, WebSocketRoute("/live", self.live)])

    @staticmethod
    def _file(name: str) -> Callable[[Request], Response]:
        def answer(_: Request) -> Response:
            return FileResponse(_PAGE / name, headers=_HEADERS)

        return answer

    async def live(self, socket: WebSocket) -> None:
        """A camera: every message is a frame, and each is answered before the next is read."""
        if not self._rules.allows(socket.headers, socket.query_params.get("token", "")):
            await socket.close(_REFUSED)
            return
        await socket.accept()
        if self._cameras >= self._limits.cameras_at_once:
            await socket.close(_TRY_LATER, "too many cameras at once: try again later")
            return
        self._cameras += 1
        session = None
        try:
            tracker = await asyncio.to_thread(self._new_tracker)
            analysis = AnalysisStage(AnalysisSettings(), stills=False, readers=self._readers)
            session = LiveSession(tracker, analysis, self._limits.frame_pixels)
            await self._follow(socket, session)
        except RefusedInput as refused:
            await socket.close(_REFUSED, str(refused))
        except WebSocketDisconnect:
            pass
        finally:
            self._cameras -= 1
            if session is not None:
                session.close()

    async def _follow(self, socket: WebSocket, session: LiveSession) -> None:
        limits = self._limits
        rate = RateLimit(limits.frames_per_second, max(limits.frames_per_second, 1))
        await socket.send_text(session.greeting())
        while True:
            try:
                received = await asyncio.wait_for(socket.receive(), limits.idle_s)
            except TimeoutError:
                raise RefusedInput("no frame came for a while") from None
            if received["type"] == "websocket.disconnect":
                return
            message = received.get("bytes")
            if message is None:
                raise RefusedInput("a frame is binary")
            if len(message) > limits.frame_bytes:
                await socket.close(_TOO_MUCH, "the frame is too large")
                return
            if not rate.allows():
                raise RefusedInput("frames come too fast")
            await socket.send_text(await asyncio.to_thread(session.answer, message))

    async def table(self, request: Request) -> Response:
        """A file: its table comes back line by line while it is tracked."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self._rules.allows(request.headers, token):
            return _refused(403, "not allowed: open the page by the address with its token")
        if self._uploads >= self._limits.uploads_at_once or not self._upload_rate.allows():
            return _refused(429, "too many files at once: try again later")
        self._uploads += 1
        folder = TemporaryDirectory(prefix="star-tracker-")
        try:
            path = await self._received(request, Path(folder.name))
        except (RefusedInput, ClientDisconnect) as refused:
            self._forget(folder)
            return _refused(400, str(refused))
        except BaseException:
            self._forget(folder)
            raise
        return StreamingResponse(self._tracked(path, folder), media_type="application/x-ndjson")

    async def _received(self, request: Request, folder: Path) -> Path:
        most, size = self._limits.upload_bytes, 0
        too_large = RefusedInput(f"the file is larger than {most // 1_000_000} MB")
        if int(request.headers.get("content-length", "0")) > most:
            raise too_large
        path = folder / "upload"
        with path.open("wb") as file:
            parts = request.stream()
            while (part := await self._next(parts)) is not None:
                size += len(part)
                if size > most:
                    raise too_large
                await asyncio.to_thread(file.write, part)
        return named_by_kind(path, self._limits.picture_pixels)

    async def _next(self, parts: AsyncGenerator[bytes, None]) -> bytes | None:
        try:
            return await asyncio.wait_for(anext(parts, None), self._limits.idle_s)
        except TimeoutError:
            raise RefusedInput("nothing came for a while: send the file again") from None

    async def _tracked(self, path: Path, folder: "TemporaryDirectory[str]") -> AsyncIterator[str]:
        tracker = None
        try:
            tracker = await asyncio.to_thread(self._new_tracker)
            lines = table_lines(path, tracker)
            while line := await asyncio.to_thread(next, lines, None):
                yield line
        except FaceTrackError as error:
            reason = str(error).removeprefix(f"{path}: ")
            yield json.dumps({"error": reason}) + "\n"
        finally:
            if tracker is not None:
                tracker.close()
            self._forget(folder)

    def _forget(self, folder: "TemporaryDirectory[str]") -> None:
        self._uploads -= 1
        with suppress(OSError):
            folder.cleanup()


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)
