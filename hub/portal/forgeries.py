"""Forged requests: what a hostile page may make a browser send in its owner's name, and how it is refused.

The desks' pages share our origin, and whatever runs in them is hostile. Their sandbox forbids frames,
new windows and leaving the page, so what remains to them is `fetch`: hence (2) and (3).
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from hub.domain.errors import PermissionDenied

HEADER = "x-vitrine-form"
FIELD = "form_token"
_SAFE = ("GET", "HEAD")


def is_safe(request: Request) -> bool:
    """Whether the method changes nothing."""
    return request.method in _SAFE


def _forged(code: str) -> PermissionDenied:
    return PermissionDenied(
        code,
        "This request did not come from a page of the portal. Please load the page again and repeat.",
        "Cette demande ne vient pas d’une page du portail. Veuillez recharger la page et recommencer.",
    )


def refuse_foreign(request: Request, *, public_url: str) -> None:
    """(1) A changing request must say that it comes from our origin: Sec-Fetch-Site, and Origin.

    A browser sends at least one of them with every POST; a request with neither is refused.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise _forged("foreign_origin")
    if origin is not None:
        given = urlsplit(origin)
        expected = {urlsplit(public_url).netloc, request.headers.get("host", "")}
        if given.scheme not in ("http", "https") or given.netloc not in expected:
            raise _forged("foreign_origin")
    if site is None and origin is None:
        raise _forged("foreign_origin")


def refuse_script(request: Request, *, form_token: str) -> None:
    """(2) Reading by script with the cookie needs the session's token in a header, as our own scripts send.

    Pages opened by a person ('navigate') and pictures in them do not.
    """
    mode = request.headers.get("sec-fetch-mode")
    if mode in (None, "navigate"):
        return
    if mode == "no-cors" and request.headers.get("sec-fetch-dest") == "image":
        return
    require_token(request.headers.get(HEADER, ""), form_token=form_token)


def require_token(given: str, *, form_token: str) -> None:
    """(3) The session's token, from the form or the header, compared in constant time."""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), form_token.encode()):
        raise _forged("form_token")
