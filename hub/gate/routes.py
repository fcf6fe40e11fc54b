"""What passes to a desk: every route and method JupyterLab needs, each with its reason. Nothing else does.

Patterns are matched on decoded segments below the session's prefix. `*` is one segment, `**` one or more,
`{id}` an identifier, `{uuid}` a UUID. Left out on purpose, because they hand files over as they are:
`files`, `nbconvert`, `api/nbconvert`, `view`, `custom`, `api/config`, `lsp`, `proxy`, kernelspec resources
other than logos, the extension manager, `api/shutdown`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Answer(enum.Enum):
    """What kind of body a route may answer with."""

    PAGE = "text/html"
    JSON = "application/json"
    STATIC = "by suffix"
    LOGO = "image by suffix"
    SOCKET = "WebSocket"


MIB = 1024 * 1024
GET = ("GET",)


@dataclass(frozen=True)
class Route:
    """One row: a pattern, its methods, what it answers, the largest request body, and why it is open."""

    pattern: str
    methods: tuple[str, ...]
    answer: Answer
    reason: str
    max_body: int = MIB


ROUTES: tuple[Route, ...] = (
    # Pages
    Route("lab", GET, Answer.PAGE, "JupyterLab itself"),
    Route("lab/tree/**", GET, Answer.PAGE, "JupyterLab with a file or folder open"),
    Route("lab/workspaces/{id}", GET, Answer.PAGE, "JupyterLab in a named layout"),
    Route("lab/workspaces/{id}/tree/**", GET, Answer.PAGE, "a named layout with a file open"),
    Route("doc", GET, Answer.PAGE, "simple interface: the address after switching to it"),
    Route("doc/tree/**", GET, Answer.PAGE, "simple interface with a file open"),
    Route("doc/workspaces/{id}", GET, Answer.PAGE, "simple interface in a named layout"),
    Route("doc/workspaces/{id}/tree/**", GET, Answer.PAGE, "simple interface, named layout, a file open"),
    # Static parts
    Route("static/lab/**", GET, Answer.STATIC, "JupyterLab's scripts, styles and fonts"),
    Route("static/favicons/*", GET, Answer.STATIC, "icons of the browser tab, idle and busy"),
    Route("static/favicon.ico", GET, Answer.STATIC, "icon of the browser tab"),
    Route("lab/extensions/**", GET, Answer.STATIC, "prebuilt extensions, among them the output check"),
    Route("lab/api/themes/**", GET, Answer.STATIC, "styles, fonts and images of a theme"),
    Route("kernelspecs/{kernel}/{logo}", GET, Answer.LOGO, "the kernel's picture in the launcher"),
    # JupyterLab's own API
    Route("lab/api/settings", GET, Answer.JSON, "list of settings, read at start"),
    Route("lab/api/settings/**", ("GET", "PUT"), Answer.JSON, "one plugin's settings", 4 * MIB),
    Route("lab/api/translations", GET, Answer.JSON, "list of languages"),
    Route("lab/api/translations/{id}", GET, Answer.JSON, "the interface in French and other languages"),
    Route("lab/api/workspaces", GET, Answer.JSON, "list of layouts"),
    Route("lab/api/workspaces/**", ("GET", "PUT", "DELETE"), Answer.JSON, "one layout", 4 * MIB),
    # Jupyter server API
    Route("api", GET, Answer.JSON, "version; the Hub asks here whether the desk is up"),
    Route("api/status", GET, Answer.JSON, "whether the desk is up and busy"),
    Route("api/me", GET, Answer.JSON, "name shown in the interface"),
    Route("api/kernelspecs", GET, Answer.JSON, "which kernels there are"),
    Route("api/kernelspecs/{id}", GET, Answer.JSON, "one kernel's description"),
    Route("api/kernels", ("GET", "POST"), Answer.JSON, "running kernels; start one"),
    Route("api/kernels/{uuid}", ("GET", "DELETE"), Answer.JSON, "one kernel; shut it down"),
    Route("api/kernels/{uuid}/interrupt", ("POST",), Answer.JSON, "stop a running cell"),
    Route("api/kernels/{uuid}/restart", ("POST",), Answer.JSON, "restart a kernel"),
    Route("api/kernels/{uuid}/channels", GET, Answer.SOCKET, "run cells and see their output"),
    Route("api/sessions", ("GET", "POST"), Answer.JSON, "notebooks and their kernels"),
    Route("api/sessions/{uuid}", ("GET", "PATCH", "DELETE"), Answer.JSON, "one notebook's kernel"),
    Route("api/contents", ("GET", "POST"), Answer.JSON, "the home folder; a new file in it", 16 * MIB),
    Route(
        "api/contents/**",
        ("GET", "PUT", "POST", "PATCH", "DELETE"),
        Answer.JSON,
        "open, save, upload, rename, copy, delete, checkpoints and trust; shown in the page, never attached",
        256 * MIB,
    ),
    Route("api/terminals", ("GET", "POST"), Answer.JSON, "terminals; start one"),
    Route("api/terminals/{id}", ("GET", "DELETE"), Answer.JSON, "one terminal; close it"),
    Route("terminals/websocket/{id}", GET, Answer.SOCKET, "type into a terminal and see its output"),
    Route("api/events/subscribe", GET, Answer.SOCKET, "notice of kernels and files that changed"),
    # The output-check extension's server part
    Route("vitrine/session", GET, Answer.JSON, "banner: project, tier, time left; limits of a submission"),
    Route("vitrine/submissions", ("GET", "POST"), Answer.JSON, "panel of submissions; submit one"),
    Route("vitrine/prechecks", ("POST",), Answer.JSON, "what a file lacks, before it is submitted"),
    Route("vitrine/mendings", ("POST",), Answer.JSON, "a table mended as a new file of the desk"),
    Route("vitrine/submissions/{id}/withdraw", ("POST",), Answer.JSON, "withdraw one's own submission"),
)

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_WILD: dict[str, re.Pattern[str]] = {
    "*": re.compile(r"[^/]+"),
    "{id}": re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"),
    "{uuid}": re.compile(_UUID),
    "{kernel}": re.compile(r"python3|ir|xpython"),
    "{logo}": re.compile(r"logo-(?:32x32|64x64)\.png|logo-svg\.svg"),
}


def _matches(pattern: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    if pattern[-1] == "**":
        pattern = pattern[:-1]
        if len(segments) <= len(pattern):
            return False
        segments = segments[: len(pattern)]
    if len(pattern) != len(segments):
        return False
    return all(
        wild.fullmatch(given) if (wild := _WILD.get(wanted)) else wanted == given
        for wanted, given in zip(pattern, segments, strict=True)
    )


_BY_FIRST: dict[str, list[tuple[tuple[str, ...], Route]]] = {}
for _route in ROUTES:
    _parts = tuple(_route.pattern.split("/"))
    _BY_FIRST.setdefault(_parts[0], []).append((_parts, _route))


def find_route(method: str, rest: tuple[str, ...]) -> Route | None:
    """The route that opens `method` on these decoded segments, or None: refused."""
    slash = len(rest) > 1 and not rest[-1]
    segments = rest[:-1] if slash else rest
    for pattern, route in _BY_FIRST.get(segments[0], ()):
        if _matches(pattern, segments):
            if slash and route.answer not in {Answer.PAGE, Answer.JSON}:
                return None
            return route if method in route.methods else None
    return None
