"""What every answer of the gate has in common, and the answers that need no desk."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.iostream import IOStream
from tornado.web import HTTPError, RequestHandler

from hub.gate import journal
from hub.gate.identity import DeskOAuth
from hub.gate.pages import choose_language, render_json, render_page
from hub.gate.paths import Target
from hub.gate.refusals import GateRefused
from hub.gate.replies import SECURITY_HEADERS
from hub.gate.routes import Answer, Route
from hub.gate.sessions import Session

if TYPE_CHECKING:
    from hub.gate.gatehouse import Gatehouse

# The Hub compares this with its own version; the gate stands in for the single-user server.
HUB_VERSION = version("jupyterhub")


@dataclass(frozen=True)
class Place:
    """Where a request goes. What could not be found is None; `refused` says what is wrong with the path."""

    session: Session | None = None
    target: Target | None = None
    rest: tuple[str, ...] = ()
    route: Route | None = None
    refused: str | None = None

    def label(self) -> str:
        """The route's name for the log."""
        return self.route.pattern if self.route is not None else journal.unlisted(self.rest)


class GateHandler(RequestHandler):
    """Security headers on every answer, refusals as pages or JSON, one log line for each refusal."""

    house: Gatehouse
    place: Place

    def initialize(self, house: Gatehouse, place: Place) -> None:
        self.house = house
        self.place = place

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)
        self.set_header("X-JupyterHub-Version", HUB_VERSION)

    def compute_etag(self) -> None:
        """No answer of the gate gets an ETag of its own: it would need the whole body."""

    def wants_page(self) -> bool:
        """Whether a person looks at the answer, rather than a script."""
        if self.place.route is not None and self.place.route.answer is not Answer.PAGE:
            return False
        mode = self.request.headers.get("Sec-Fetch-Mode")
        if mode is not None:
            return mode == "navigate"
        return "text/html" in self.request.headers.get("Accept", "")

    def refuse(self, refusal: GateRefused) -> None:
        """Answer with a refusal and log it. Cookies set on the way stay: clearing one is part of it."""
        self.house.journal.refused(
            refusal.code,
            session=self.place.session.sid if self.place.session else None,
            route=self.place.label(),
            method=self.request.method or "",
            status=refusal.status,
        )
        for name in ("Content-Length", "Content-Encoding", "Etag", "Location"):
            self.clear_header(name)
        self.set_header("Cache-Control", SECURITY_HEADERS["Cache-Control"])
        self.set_status(refusal.status)
        language = choose_language(self.request.headers.get("Accept-Language", ""))
        self.set_header("Content-Language", language)
        self.set_header("Vary", "Accept-Language")
        if self.wants_page():
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(render_page(refusal, language))
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(render_json(refusal, language))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """tornado's own errors: never its text, which could quote the request."""
        del kwargs
        if status_code == 405:
            self.refuse(GateRefused("route_refused"))
        else:
            self.refuse(GateRefused("internal", status=status_code))

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """One line without the address: tornado's own would log the query string."""
        del tb
        if isinstance(value, HTTPError):
            return
        self.house.journal.write(
            "fault",
            session=self.place.session.sid if self.place.session else None,
            route=self.place.label(),
            kind=getattr(typ, "__name__", "unknown"),
        )

    def reset_stream(self, stream: IOStream | None) -> None:
        """Close a client's connection so that bytes the kernel still holds are dropped, not sent."""
        if stream is None or stream.closed():
            return
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()


class HealthHandler(GateHandler):
    """`GET /health`: the gate runs and answers. Needs no session."""

    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish({"status": "ok"})


class RefusedHandler(GateHandler):
    """Addresses that belong to no session, have two readings, or are not in the table."""

    def prepare(self) -> None:
        self.refuse(GateRefused(self.place.refused or "route_refused"))


class ClosedHandler(GateHandler):
    """A desk that is closed. Why is told to those who had signed in to it, as their cookie shows."""

    def wants_page(self) -> bool:
        if self.request.headers.get("Sec-Fetch-Mode") is not None:
            return super().wants_page()
        return "api" not in self.place.rest[:2] and super().wants_page()

    def prepare(self) -> None:
        code = self.place.refused or "closed"
        if self.place.session is not None and not self._had_signed_in(self.place.session):
            code = "closed"
        self.refuse(GateRefused(code))

    def _had_signed_in(self, session: Session) -> bool:
        """Whether the browser holds this server's cookie with the gate's signature.

        The Hub has forgotten the server by now, so its name is derived as the Hub derives client ids.
        """
        parts = session.prefix.strip("/").split("/")[-3:]
        names = {session.hub_env.get("JUPYTERHUB_CLIENT_ID", ""), "jupyterhub-" + "-".join(parts)}
        names.add("jupyterhub-" + "-".join(quote(part, safe="") for part in session.segments[-3:]))
        return any(self.get_signed_cookie(name) is not None for name in names if name)


class DeskHandler(HubOAuthenticated, GateHandler):
    """Answers that know the session's OAuth client."""

    session: Session
    hub_auth: DeskOAuth

    def initialize(self, house: Gatehouse, place: Place) -> None:
        super().initialize(house, place)
        if place.session is None:
            raise HTTPError(404)
        self.session = place.session
        self.hub_auth = house.identities.of(place.session)


class RootHandler(DeskHandler):
    """The prefix itself leads to JupyterLab; the query goes along (the Hub adds none that matter)."""

    def get(self) -> None:
        self.redirect(self.session.prefix + "lab")


class LogoutHandler(DeskHandler):
    """Forget this server's cookie and go on to the Hub's own sign-out."""

    def get(self) -> None:
        self.hub_auth.clear_cookie(self)
        self.redirect(f"{self.hub_auth.hub_prefix}logout")


class CallbackHandler(HubOAuthCallbackHandler, DeskHandler):
    """The end of the OAuth sign-in. Whoever comes back is checked on every later request."""

    def initialize(self, house: Gatehouse, place: Place) -> None:
        DeskHandler.initialize(self, house, place)

    async def prepare(self) -> None:
        """Identify without blocking the loop; the Hub's handler then finds the answer ready."""
        await self.hub_auth.get_user(self, sync=False)

    def wants_page(self) -> bool:
        return True

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A state that is stale or foreign, a code the Hub does not know, a Hub that does not answer."""
        del kwargs
        self.refuse(GateRefused("sign_in_failed" if status_code < 502 else "hub_unreachable"))
