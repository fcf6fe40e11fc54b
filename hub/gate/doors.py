"""The desk's `submit.sock`: the one way out of a desk, straight to the portal.

The socket is the identity: whoever connects is the session's desk, and the gate says so to the portal.
Calls are those of docs/architecture.md §5; everything is streamed, an upload that breaks off breaks off
at the portal too.
"""

from __future__ import annotations

import asyncio
import re
import time
from http.client import responses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler, stream_request_body

from hub.gate.desks import Desk
from hub.gate.pages import choose_language, render_json
from hub.gate.refusals import GateRefused
from hub.gate.sockets import bind_submit, remove_submit, submit_inode
from hub.gate.upstream import Exchange, UpstreamGoneError

if TYPE_CHECKING:
    from hub.gate.gatehouse import Gatehouse

MAX_UPLOAD = 1 << 30  # bytes; the project's own limit is the portal's to enforce
IDLE_SECONDS = 60.0  # an upload that brings nothing for so long is dropped
ANSWER_SECONDS = 600.0  # the portal checks what came; then the same
MAX_EARLY_ANSWER = 64 * 1024  # bytes of an answer that comes before the upload has ended
MAX_CALLS = 8  # at once and per desk
_CALLS = (
    ("GET", re.compile(r"/session"), ""),
    ("GET", re.compile(r"/submissions"), "submissions"),
    ("POST", re.compile(r"/submissions"), "submissions"),
    ("POST", re.compile(r"/prechecks"), "prechecks"),
    ("POST", re.compile(r"/(submissions/[A-Za-z0-9_-]{1,64}/withdraw)"), None),
)


def find_call(method: str, uri: str) -> str | None:
    """The portal's path below `/internal/sessions/<sid>` for a call of the desk, or None: no such call."""
    for wanted, pattern, path in _CALLS:
        found = pattern.fullmatch(uri)
        if wanted == method and found:
            return found.group(1) if path is None else path
    return None


class Portal:
    """Where the portal's internal API is, and the bearer token that opens it."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("portal_url must be http://host:port")
        self._host, self._port = parts.hostname, parts.port or 80
        self._base = parts.path.rstrip("/")
        self._token = token
        self._client = TCPClient()

    async def connect(self) -> IOStream:
        """Raises GateRefused `portal_unreachable`."""
        try:
            return await self._client.connect(self._host, self._port, timeout=10)
        except (OSError, StreamClosedError, TimeoutError):
            raise GateRefused("portal_unreachable") from None

    def target(self, sid: str, path: str) -> str:
        return f"{self._base}/internal/sessions/{sid}" + (f"/{path}" if path else "")

    def headers(self, given: HTTPHeaders) -> HTTPHeaders:
        """What the portal is told: who asks is in the path, nothing the desk says about itself goes on."""
        passed = HTTPHeaders({"Host": self._host, "Connection": "close"})
        passed["Authorization"] = f"Bearer {self._token}"
        for name in ("Accept-Language", "Content-Type", "Content-Length"):
            if name in given:
                passed[name] = given[name]
        return passed


@stream_request_body
class SubmitHandler(RequestHandler):
    """One call of a desk, relayed to the portal.

    An answer that is known before the upload has ended (the portal's or the gate's refusal) waits until
    the rest has been read and dropped: a client that is still writing would not see it.
    """

    house: Gatehouse
    door: Door

    def initialize(self, house: Gatehouse, door: Door) -> None:
        self.house = house
        self.door = door
        self._exchange: Exchange | None = None
        self._reading: asyncio.Task[bool] | None = None
        self._received = 0
        self._body_ended = False
        self._answered = False  # the portal has begun its answer
        self._held: list[bytes] = []  # an early answer's body
        self._late: GateRefused | None = None
        self._moved_at = time.monotonic()

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """No ETag: it would need the whole body."""

    async def prepare(self) -> None:
        try:
            path = find_call(self.request.method or "", self.request.uri or "")
            if path is None:
                raise GateRefused("unknown_call")
            self.door.desk.check_session()
            self._admit_length()
            self.door.enter(self)
            await self._begin(path)
        except GateRefused as refusal:
            self._end(refusal)
        except UpstreamGoneError:
            self._end(GateRefused("portal_unreachable"))

    def _admit_length(self) -> None:
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_UPLOAD:
            raise GateRefused("too_large")
        if self.request.method == "GET" and (length != "0" or "Transfer-Encoding" in self.request.headers):
            raise GateRefused("body_refused")

    async def _begin(self, path: str) -> None:
        portal = self.house.portal
        self._exchange = Exchange(await portal.connect(), self)
        self.door.desk.check_session()
        headers = portal.headers(self.request.headers)
        if self.request.method == "POST" and "Transfer-Encoding" not in self.request.headers:
            headers["Content-Length"] = self.request.headers.get("Content-Length", "0")
        self._moved_at = time.monotonic()
        target = portal.target(self.door.desk.sid, path)
        await self._exchange.ask(self.request.method or "", target, headers)
        self._reading = asyncio.ensure_future(self._exchange.read())
        self._reading.add_done_callback(_look_at)

    async def data_received(self, chunk: bytes) -> None:
        self._moved_at = time.monotonic()
        self._received += len(chunk)
        if self._exchange is None or self._answered:
            return
        try:
            self.door.desk.check_session()
            if self._received > MAX_UPLOAD:
                raise GateRefused("too_large")
            await self._exchange.send(chunk)
        except GateRefused as refusal:
            self._end(refusal)
        except UpstreamGoneError:
            await asyncio.sleep(0)  # an answer sent with the close is looked at first
            if not self._answered:
                self._end(GateRefused("portal_unreachable"))

    async def get(self) -> None:
        self._body_ended = True
        self._moved_at = time.monotonic()
        if self._late is not None:
            self._end(self._late)
        if self._finished or self._exchange is None or self._reading is None:
            return
        try:
            if not self._answered:
                self._exchange.end()
            for chunk in self._held:
                self.write(chunk)
            await self._reading
        except GateRefused as refusal:
            self._end(refusal)
        except (UpstreamGoneError, StreamClosedError):
            self._end(self._late or GateRefused("portal_unreachable"))
        else:
            self._exchange.abort()
            if not self._finished:
                self.finish()

    post = get

    async def on_head(self, code: int, headers: HTTPHeaders) -> None:
        self._answered = True
        given = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if code >= 500 and given != "application/json":
            raise GateRefused("portal_unreachable")
        if not 200 <= code < 600 or 300 <= code < 400 or given != "application/json":
            raise GateRefused("internal", status=502)
        self.set_status(code, responses.get(code, "Unknown"))
        if (length := headers.get("Content-Length")) is not None:
            self.set_header("Content-Length", length)

    async def on_chunk(self, chunk: bytes) -> None:
        self._moved_at = time.monotonic()
        self.door.desk.check_session()
        if not self._body_ended:
            if sum(map(len, self._held)) > MAX_EARLY_ANSWER:
                raise GateRefused("internal", status=502)
            self._held.append(chunk)
            return
        self.write(chunk)
        await self.flush()

    def stalled(self, now: float) -> bool:
        """Whether nothing has moved for too long (`now` in monotonic seconds)."""
        return now - self._moved_at > (ANSWER_SECONDS if self._body_ended else IDLE_SECONDS)

    def cut(self, code: str) -> None:
        """Break off both sides: what the portal had received so far is no submission."""
        self._body_ended = True
        self._end(GateRefused(code))

    def _end(self, refusal: GateRefused) -> None:
        if self._exchange is not None:
            self._exchange.abort()
        if self._finished:
            return
        if not self._body_ended and self._declared() <= MAX_UPLOAD:
            self._late = self._late or refusal
            return
        self.door.leave(self)
        self.house.journal.refused(
            refusal.code,
            session=self.door.desk.sid,
            route="submit.sock",
            method=self.request.method or "",
            status=refusal.status,
        )
        if self._headers_written:
            self._drop_client()
            return
        self.clear_header("Content-Length")
        self.set_status(refusal.status)
        language = choose_language(self.request.headers.get("Accept-Language", ""))
        self.finish(render_json(refusal, language))

    def _declared(self) -> int:
        length = self.request.headers.get("Content-Length", "0")
        return int(length) if length.isdecimal() else MAX_UPLOAD + 1

    def _drop_client(self) -> None:
        """Close without an end: the desk sees that the answer is not whole."""
        self._finished = True
        stream = getattr(self.request.connection, "stream", None)
        if stream is not None:
            stream.close()

    def write_error(self, status_code: int, **kwargs: object) -> None:
        del kwargs
        self._body_ended = True
        self._end(GateRefused("unknown_call" if status_code == 405 else "internal"))

    def on_connection_close(self) -> None:
        """The desk went away: the portal's side is closed, so a half upload is never taken as whole."""
        super().on_connection_close()
        if self._exchange is not None:
            self._exchange.abort()
        self.door.leave(self)

    def on_finish(self) -> None:
        self.door.leave(self)

    def log_exception(self, typ: object, value: object, tb: object) -> None:
        del value, tb
        kind = getattr(typ, "__name__", "unknown")
        self.house.journal.write("fault", session=self.door.desk.sid, kind=kind)


def _look_at(reading: asyncio.Task[bool]) -> None:
    """Look at the outcome of a read nobody waits for any more: the desk or the session has gone."""
    if not reading.cancelled():
        reading.exception()


class Door:
    """The listening `submit.sock` of one open session."""

    def __init__(self, house: Gatehouse, desk: Desk) -> None:
        self.desk = desk
        self._house = house
        self._calls: set[SubmitHandler] = set()
        self._server: HTTPServer | None = None
        self._inode: tuple[int, int] | None = None

    def tend(self) -> None:
        """Listen if nothing of ours stands at `submit.sock` (any more); drop calls that stalled.

        Raises OSError where the run directory is missing or not to be trusted.
        """
        if self._inode is None or submit_inode(self._house.settings.run, self.desk.sid) != self._inode:
            self._stop_listening()
            listening, self._inode = bind_submit(self._house.settings.run, self.desk.sid)
            application = Application(
                [(r".*", SubmitHandler, {"house": self._house, "door": self})],
                log_function=lambda _: None,
            )
            self._server = HTTPServer(
                application,
                max_body_size=MAX_UPLOAD + 1,
                max_header_size=16 * 1024,
                idle_connection_timeout=IDLE_SECONDS,
            )
            self._server.add_socket(listening)
        now = time.monotonic()
        for call in [call for call in self._calls if call.stalled(now)]:
            call.cut("upload_stalled")

    def enter(self, call: SubmitHandler) -> None:
        if len(self._calls) >= MAX_CALLS:
            raise GateRefused("busy")
        self._calls.add(call)

    def leave(self, call: SubmitHandler) -> None:
        self._calls.discard(call)

    def close(self, code: str) -> None:
        """The session is over: cut what is under way, stop listening, remove the socket."""
        for call in list(self._calls):
            call.cut(code)
        self._stop_listening()
        remove_submit(self._house.settings.run, self.desk.sid)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._inode = None
