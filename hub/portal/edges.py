"""What every answer of the portal has: security headers, and an end to unknown errors."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("vitrine.portal")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ATTACHED = (
    "sandbox; default-src 'none'; frame-ancestors 'none'"  # of files: even opened, nothing in them runs
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Sets the headers above on every answer, and no-store on everything that is not a static file."""

    def __init__(self, app: ASGIApp, static: str) -> None:
        self.app = app
        self.static = static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if headers.get("Content-Disposition", "").startswith("attachment"):
                    headers["Content-Security-Policy"] = ATTACHED
                kept = scope["path"].startswith(self.static) and message["status"] in (200, 304)
                headers["Cache-Control"] = "public, max-age=3600" if kept else "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers)


class UnknownErrors:
    """The outermost edge: an error nobody expected becomes a page with a number, and a log line that
    says where it happened but not with which data (an exception's text may quote records)."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, str], Awaitable[Response]]) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception as error:  # noqa: BLE001  # the edge of the program
            number = secrets.token_hex(4)
            log.error("error %s in %s %s: %s", number, scope["method"], _route(scope), describe(error))
            if not started:
                response = await self.answer(Request(scope), number)
                await response(scope, receive, send)


def _route(scope: Scope) -> str:
    """The route's pattern, not the address: an address may hold what somebody typed."""
    return str(getattr(scope.get("route"), "path", "?"))


def describe(error: BaseException) -> str:
    """The error's type and where it came from, innermost last, without its text."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {places}"
