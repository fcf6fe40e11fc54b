"""What of a desk's reply reaches the browser. The desk is hostile: headers come from an allow-list.

The desk chooses a status out of a short list and the bytes of the body. Content types are the gate's,
by route; everything that steers a browser (cookies, policies, redirects elsewhere, service workers,
attachments) is dropped or refuses the reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from tornado.httputil import HTTPHeaders

from hub.gate.paths import read_target
from hub.gate.refusals import GateRefused
from hub.gate.routes import Answer, Route

CONTENT_SECURITY_POLICY = (
    "sandbox allow-scripts allow-same-origin allow-forms; default-src 'self'; "
    "script-src 'self' 'unsafe-eval' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)

SECURITY_HEADERS: Mapping[str, str] = {
    # The sandbox lacks allow-downloads, allow-popups, allow-modals and allow-top-navigation.
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

# Files whose name or query carries a hash of their content never change: the browser may keep them.
CACHED = "private, max-age=31536000, immutable"
_HASHED_NAME = re.compile(r"(?:^|\.)[0-9a-f]{16,64}\.[a-z0-9]+\Z")
_HASHED_QUERY = re.compile(r"v=[0-9a-f]{16,64}\Z")

STATIC_TYPES: Mapping[str, str] = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "ico": "image/x-icon",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
    "eot": "application/vnd.ms-fontobject",
    "wasm": "application/wasm",
}

# 206 is not among them: ranges are not asked for. 401 and 407 would ask the person for a password.
_STATUSES = frozenset({200, 201, 202, 204, 304}) | (
    {int(status) for status in HTTPStatus if status >= 400} - {401, 407}
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REQUEST_HEADERS = ("Accept", "Accept-Language", "Content-Type", "If-None-Match", "If-Modified-Since")
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,128}"\Z')


def request_headers(headers: HTTPHeaders, length: str | None) -> HTTPHeaders:
    """What the desk is told of a request: no cookie, no credential, no address of anyone.

    `Host` is `localhost`, which a Jupyter server accepts without knowing the public name.
    """
    passed = HTTPHeaders({"Host": "localhost", "Connection": "keep-alive"})
    for name in _REQUEST_HEADERS:
        if name in headers:
            passed[name] = headers[name]
    if length is not None:
        passed["Content-Length"] = length
    return passed


def static_type(name: str) -> str:
    """The content type of a static file by its suffix; GateRefused `type_refused` if it is not listed."""
    known = STATIC_TYPES.get(name.rpartition(".")[2].lower())
    if known is None or "." not in name:
        raise GateRefused("type_refused")
    return known


def is_hashed(name: str, query: tuple[str, ...]) -> bool:
    """Whether the address of a static file contains a hash of its content."""
    return bool(_HASHED_NAME.search(name)) or any(_HASHED_QUERY.match(part) for part in query)


def relayed_headers(
    route: Route,
    code: int,
    headers: HTTPHeaders,
    *,
    name: str,
    query: tuple[str, ...],
    prefix: tuple[str, ...],
) -> dict[str, str]:
    """The headers to send on for a desk's reply on `route`; raises GateRefused where nothing may pass.

    `name` is the last segment asked for. A reply with an error status whose body is not what the route
    answers raises `desk_error` with that status: the person sees the gate's page instead.
    """
    disposition = headers.get("Content-Disposition")
    if disposition is not None and disposition.strip().lower() != "inline":
        raise GateRefused("attachment_refused")
    if code in _REDIRECTS:
        return {"Location": _redirect(route, headers, prefix)}
    if code not in _STATUSES:
        raise GateRefused("reply_refused")
    passed: dict[str, str] = {}
    if code not in {204, 304}:
        passed.update(_body_headers(route, code, headers, name))
    if route.answer is Answer.STATIC and code in {200, 304}:
        etag = headers.get("Etag", "")
        if _ETAG.match(etag):
            passed["Etag"] = etag
        if is_hashed(name, query):
            passed["Cache-Control"] = CACHED
    return passed


def _body_headers(route: Route, code: int, headers: HTTPHeaders, name: str) -> dict[str, str]:
    length = headers.get("Content-Length")
    given = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    passed: dict[str, str] = {}
    if length is not None:
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise GateRefused("reply_refused")
        passed["Content-Length"] = length
    if route.answer in {Answer.STATIC, Answer.LOGO}:
        if code >= 400:
            raise GateRefused("desk_error", status=code)
        return passed | {"Content-Type": static_type(name)}
    if given == route.answer.value:
        return passed | {"Content-Type": f"{given}; charset=utf-8"}
    if code >= 400:
        raise GateRefused("desk_error", status=code)
    if length == "0" and not given:
        return passed
    raise GateRefused("type_refused")


def _redirect(route: Route, headers: HTTPHeaders, prefix: tuple[str, ...]) -> str:
    """A redirect of a page to another place of the same desk; anything else refuses the reply."""
    location = headers.get("Location", "")
    if route.answer is not Answer.PAGE:
        raise GateRefused("reply_refused")
    try:
        target = read_target(location)
    except GateRefused:
        raise GateRefused("reply_refused") from None
    rest = target.after(prefix)
    if rest is None:
        raise GateRefused("reply_refused")
    return location
