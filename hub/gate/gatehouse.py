"""The gate's state: which sessions there are, what passes, and the clock that ends it."""

from __future__ import annotations

import time
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from hub.gate.activity import ActivityPosts
from hub.gate.config import GateSettings
from hub.gate.desks import Desk
from hub.gate.doors import Door, Portal
from hub.gate.handlers import (
    CallbackHandler,
    ClosedHandler,
    GateHandler,
    HealthHandler,
    LogoutHandler,
    Place,
    RefusedHandler,
    RootHandler,
)
from hub.gate.identity import Identities
from hub.gate.journal import Journal
from hub.gate.meters import MeterBook
from hub.gate.paths import read_target
from hub.gate.refusals import GateRefused
from hub.gate.relay import RelayHandler
from hub.gate.routes import find_route
from hub.gate.sessions import Session, SessionTable
from hub.gate.sockets import remove_submit

TICK = 0.2  # seconds between two looks at files and clock: well within the second the end may take

_OWN: dict[tuple[str, ...], type[GateHandler]] = {
    ("",): RootHandler,
    ("oauth_callback",): CallbackHandler,
    ("logout",): LogoutHandler,
}


class Gatehouse:
    """Everything the gate knows, all of it rebuilt from files after a restart."""

    def __init__(self, settings: GateSettings, journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self.table = SessionTable(settings.sessions)
        self.meters = MeterBook(settings.meters)
        self.identities = Identities(settings)
        self.portal = Portal(settings.portal_url, settings.gate_token)
        self.activity = ActivityPosts(settings.hub_api_url, journal)
        self._desks: dict[str, Desk] = {}
        self._doors: dict[str, Door] = {}
        self._complaints: dict[str, str] = {}
        self._swept: set[str] = set()

    def desk_of(self, session: Session) -> Desk:
        """The desk of a session; a new one if the session now belongs to another person or place."""
        desk = self._desks.get(session.sid)
        if desk is not None and desk.identity == session.identity:
            return desk
        if desk is not None:
            self._close(desk, "closed")
        desk = self._desks[session.sid] = Desk(session, self.table, self.meters, self.settings)
        return desk

    def tick(self) -> None:
        """Re-read files, cut what is over, tend the submit sockets, write meters, tell the Hub."""
        self.table.refresh()
        now = time.time()
        for desk in list(self._desks.values()):
            code = desk.closed()
            if code is not None:
                self._end(desk, code)
        for session in self.table.all():
            if session.closed(now) is None:
                self._tend(session, now)
                self._swept.discard(session.sid)
            elif session.sid not in self._swept:
                # Left by a gate that was killed before the session ended.
                remove_submit(self.settings.run, session.sid)
                self._swept.add(session.sid)
        self._complain_unreadable()
        self.meters.save()

    def _tend(self, session: Session, now: float) -> None:
        desk = self.desk_of(session)
        door = self._doors.get(session.sid)
        if door is None or door.desk is not desk:
            door = self._doors[session.sid] = Door(self, desk)
        try:
            door.tend()
            self._complaints.pop(session.sid, None)
        except OSError as error:
            self._complain(session.sid, f"submit.sock: {type(error).__name__}")
        self.activity.tend(session, desk, now)

    def _end(self, desk: Desk, code: str) -> None:
        """Cut what is over. Out of bytes, the submit socket stays: results can still be handed in."""
        if code in {"bytes_limit", "meter_failed"} and self.table.closed(desk.sid, desk.identity) is None:
            cut = desk.cut(code)
            if cut:
                self.journal.write("cut", session=desk.sid, code=code, streams=cut)
            return
        self._close(desk, code)

    def _close(self, desk: Desk, code: str) -> None:
        cut = desk.cut(code)
        door = self._doors.pop(desk.sid, None)
        if door is not None:
            door.close(code)
        self._desks.pop(desk.sid, None)
        self.meters.close(desk.sid)
        self.identities.forget(desk.sid)
        self.activity.forget(desk.sid)
        self.journal.write("closed", session=desk.sid, code=code, streams=cut)

    def _complain_unreadable(self) -> None:
        for sid, why in self.table.unreadable.items():
            self._complain(sid, f"session file: {why}")

    def _complain(self, sid: str, why: str) -> None:
        """One log line for each new reason, not five a second."""
        if self._complaints.get(sid) != why:
            self._complaints[sid] = why
            self.journal.write("fault", session=sid, kind=why)

    def place(self, request: HTTPServerRequest) -> Place:
        """Where a request goes: its path read strictly, its session looked up, its route found."""
        try:
            target = read_target(request.uri or "")
        except GateRefused as refusal:
            return Place(refused=refusal.code)
        session = self.table.at(target.segments)
        if session is None:
            return Place(target=target, refused="closed" if target.segments[0] == "user" else "route_refused")
        rest = target.after(session.segments)
        if rest is None:
            return Place(session, target, refused="route_refused")
        route = find_route(request.method or "", rest)
        return Place(session, target, rest, route)

    def handler(self, request: HTTPServerRequest) -> tuple[type[RequestHandler], Place]:
        """Which handler answers a request. What is not listed is refused, whatever runs in the desk."""
        if request.uri == "/health" and request.method == "GET":
            return HealthHandler, Place()
        place = self.place(request)
        if place.session is None:
            return (ClosedHandler if place.refused == "closed" else RefusedHandler), place
        own = _OWN.get(place.rest) if request.method == "GET" else None
        if place.refused is not None or (own is None and place.route is None):
            return RefusedHandler, place
        code = place.session.closed(time.time())
        if code is not None:
            return ClosedHandler, Place(place.session, place.target, place.rest, place.route, code)
        return own or RelayHandler, place

    def close(self) -> None:
        """Write the meters; sessions go on and are found again at the next start."""
        self.meters.save(now=True)


class GateApplication(Application):
    """tornado's application with the gate's own routing."""

    def __init__(self, house: Gatehouse) -> None:
        cookie: dict[str, object] = {"samesite": "Lax"}
        if house.settings.public_url.startswith("https://"):
            cookie["secure"] = True
        super().__init__(
            [],
            cookie_secret=house.settings.cookie_secret(),
            xsrf_cookie_kwargs=cookie,
            log_function=lambda _: None,
        )
        self._house = house

    def find_handler(self, request: HTTPServerRequest, **kwargs: object) -> Any:
        """The delegate for a request."""
        del kwargs
        handler, place = self._house.handler(request)
        return self.get_handler_delegate(request, handler, {"house": self._house, "place": place})
