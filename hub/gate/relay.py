"""The relay: one request of a browser to a desk, admitted step by step, streamed both ways."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING

from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import HTTPError, stream_request_body

from hub.gate.desks import Desk
from hub.gate.handlers import DeskHandler, Place
from hub.gate.identity import identify
from hub.gate.paths import Target
from hub.gate.refusals import GateRefused
from hub.gate.replies import relayed_headers, request_headers
from hub.gate.routes import Answer, Route
from hub.gate.tunnels import Tunnel, check_upgrade
from hub.gate.upstream import Exchange, UpstreamGoneError

if TYPE_CHECKING:
    from hub.gate.gatehouse import Gatehouse

PAGE_PATIENCE = 8.0  # seconds a page waits for a desk that is starting
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@stream_request_body
class RelayHandler(DeskHandler):
    """Relays the routes of the table. Every step below may refuse; what is not refused is streamed."""

    route: Route
    target: Target
    desk: Desk
    _exchange: Exchange | None = None
    _received = 0
    _cut_code: str | None = None
    _late: GateRefused | None = None
    _body_ended = False
    _client: IOStream | None = None

    def initialize(self, house: Gatehouse, place: Place) -> None:
        super().initialize(house, place)
        if place.route is None or place.target is None:
            raise HTTPError(403)
        self.route, self.target = place.route, place.target
        self.desk = house.desk_of(self.session)

    def check_xsrf_cookie(self) -> None:
        """As HubOAuth, except that module scripts, workers and fonts of static routes may be read.

        Browsers fetch those in cors mode without `_xsrf`. They cannot change anything, and pages of other
        origins get neither the SameSite cookie nor, by Cross-Origin-Resource-Policy, the answer.
        """
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        if self.route.answer is Answer.STATIC and self.request.method == "GET" and site == "same-origin":
            return
        super().check_xsrf_cookie()

    async def prepare(self) -> None:
        """1. The address asks for nothing that is refused. 2. The desk is open. 3. The person is its own.
        4. The request's body may be one. 5. The exchange with the desk begins."""
        try:
            if self.target.asks_download():
                raise GateRefused("attachment_refused")  # 1
            self.desk.check()  # 2
            if not await self._admit_person():  # 3
                return
            self.desk.check()  # the Hub may have taken its time
            length = self._admit_body()  # 4
            self.desk.enter(self)
            if self.route.answer is not Answer.SOCKET:
                await self._begin(length)  # 5
        except GateRefused as refusal:
            self._end(refusal)

    async def _admit_person(self) -> bool:
        """Whether the session's own person asks; otherwise the way to the sign-in has been answered."""
        model = await identify(self, self.hub_auth, self.session)
        if model is not None:
            self.current_user = model
            if self.request.method in _WITH_BODY or self.request.method == "DELETE":
                self._demand_xsrf()
            if self.route.answer is Answer.PAGE:
                # Reading it sets the cookie that JupyterLab repeats in its X-XSRFToken header.
                _ = self.xsrf_token
            return True
        if self.route.pattern == "api":
            # The Hub's question whether the desk is up: not before its server listens.
            (await self.desk.connect()).close()
        mode = self.request.headers.get("Sec-Fetch-Mode", "navigate")
        if self.route.answer is Answer.PAGE and mode == "navigate":
            self.redirect(self.get_login_url())
            return False
        raise GateRefused("sign_in_needed")

    def _demand_xsrf(self) -> None:
        """HubOAuth has checked it while identifying; a change is not left to that one place."""
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            raise GateRefused("sign_in_needed") from None

    def _admit_body(self) -> str | None:
        """The Content-Length to send on, or None for chunks; raises GateRefused."""
        length = self.request.headers.get("Content-Length")
        chunked = "Transfer-Encoding" in self.request.headers
        if self.request.method not in _WITH_BODY:
            if chunked or length not in {None, "0"}:
                raise GateRefused("body_refused")
            return None
        if length is None:
            return None if chunked else "0"
        if not length.isdecimal() or int(length) > self.route.max_body:
            raise GateRefused("too_large")
        return length

    async def _begin(self, length: str | None) -> None:
        patience = PAGE_PATIENCE if self.route.answer is Answer.PAGE else 0.0
        target = self.target.relayed(self.session.prefix, self.place.rest)
        headers = request_headers(self.request.headers, length)
        self._exchange, idle = await self.desk.open_exchange(self, patience=patience)
        self.desk.check()
        try:
            await self._exchange.ask(self.request.method or "GET", target, headers)
        except UpstreamGoneError:
            if not idle:
                raise GateRefused("desk_unreachable") from None
            self._exchange = Exchange(await self.desk.connect(), self)
            await self._exchange.ask(self.request.method or "GET", target, headers)

    async def data_received(self, chunk: bytes) -> None:
        """A piece of the request's body; the next is read when the desk has taken this one."""
        self._received += len(chunk)
        if self._exchange is None:
            return
        try:
            self.desk.check()
            if self._received > self.route.max_body:
                raise GateRefused("too_large")
            await self._exchange.send(chunk)
        except GateRefused as refusal:
            self._end(refusal)
        except UpstreamGoneError:
            self._end(GateRefused("desk_unreachable"))

    async def get(self) -> None:
        if self.route.answer is Answer.SOCKET:
            await self._tunnel()
        else:
            await self._answer()

    async def post(self) -> None:
        self._body_ended = True
        if self._late is not None:
            self.refuse(self._late)
            return
        self.desk.note_activity()
        await self._answer()

    async def delete(self) -> None:
        self.desk.note_activity()
        await self._answer()

    put = patch = post

    async def _answer(self) -> None:
        if self._exchange is None or self._finished:
            return
        try:
            self.desk.check()
            reusable = await self._reply(self._exchange)
        except GateRefused as refusal:
            self._end(refusal)
        except UpstreamGoneError:
            self._end(GateRefused(self._cut_code or "desk_error"))
        except StreamClosedError:
            self._end(None)
        else:
            self.desk.give_back(self._exchange, reusable=reusable)
            self._exchange = None
            if not self._finished:
                if self.route.answer is Answer.PAGE:
                    self.desk.note_activity()
                self.finish()

    async def _reply(self, exchange: Exchange) -> bool:
        """Stream the reply; a GET on an idle connection that turns out dead is asked again on a fresh one."""
        try:
            return await exchange.reply()
        except UpstreamGoneError as gone:
            if not gone.early or self.request.method != "GET" or self._cut_code is not None:
                raise
        self._exchange = Exchange(await self.desk.connect(), self)
        target = self.target.relayed(self.session.prefix, self.place.rest)
        await self._exchange.ask("GET", target, request_headers(self.request.headers, None))
        return await self._exchange.reply()

    async def on_head(self, code: int, headers: HTTPHeaders) -> None:
        """The desk's status and headers: only what the table allows goes on."""
        self.desk.check()
        name = self.place.rest[-1]
        passed = relayed_headers(
            self.route, code, headers, name=name, query=self.target.query, prefix=self.session.segments
        )
        self.set_status(code, responses[code])
        self.clear_header("Content-Type")
        for key, value in passed.items():
            self.set_header(key, value)

    async def on_chunk(self, chunk: bytes) -> None:
        """A piece of the desk's answer: counted, then sent; the next is read when the browser took this."""
        self.desk.admit_out(len(chunk))
        self.write(chunk)
        await self.flush()

    async def _tunnel(self) -> None:
        """A WebSocket: checked before the upgrade, then bytes both ways until either side or time ends it."""
        try:
            offer = check_upgrade(self.request, self.house.settings.public_url)
            target = self.target.relayed(self.session.prefix, self.place.rest)
            tunnel = await Tunnel.open(self.desk, target, offer)
        except GateRefused as refusal:
            self._end(refusal)
            return
        except StreamClosedError:
            self._end(GateRefused("desk_unreachable"))
            return
        self._client = self.detach()
        try:
            await tunnel.run(self._client)
        finally:
            self.desk.leave(self)
            self.reset_stream(self._client if tunnel.was_cut else None)

    def cut(self, code: str) -> None:
        """The session is over. An answer that has begun is broken off; one that has not says why."""
        self._cut_code = code
        if self._exchange is not None:
            self._exchange.abort()
        if self._client is not None:
            self.reset_stream(self._client)
        elif self._headers_written:
            self.reset_stream(getattr(self.request.connection, "stream", None))

    def _end(self, refusal: GateRefused | None) -> None:
        """Leave with a refusal, or without a word where an answer has already begun."""
        if self._exchange is not None:
            self._exchange.abort()
            self._exchange = None
        self.desk.leave(self)
        if self._finished:
            return
        if self.request.method in _WITH_BODY and not self._body_ended and refusal is not None:
            # An answer before the end of the upload would reach no browser: the rest is read and dropped.
            self._late = self._late or refusal
            return
        if self._headers_written or refusal is None:
            if refusal is not None:
                route = self.place.label()
                self.house.journal.write("cut", session=self.session.sid, route=route, code=refusal.code)
            self.reset_stream(getattr(self.request.connection, "stream", None))
            self._finished = True
            return
        self.refuse(refusal)

    def on_connection_close(self) -> None:
        """The browser went away: the desk's side is closed too, a half upload never looks complete."""
        super().on_connection_close()
        if self._exchange is not None:
            self._exchange.abort()
        self.desk.leave(self)

    def on_finish(self) -> None:
        self.desk.leave(self)
