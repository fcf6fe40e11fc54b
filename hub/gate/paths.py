"""Request targets, read once and strictly: what the gate checks is what the desk is sent.

A target with two readings (empty or dot segments, encoded separators or dots, double encoding, overlong or
broken UTF-8, control characters, backslashes) is refused rather than repaired.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from hub.gate.refusals import GateRefused

MAX_TARGET = 8192  # characters; longer ones are no address of JupyterLab
_RAW_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*\Z")
_RAW_QUERY = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*\Z")  # printable, without space, quote and backslash
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN_ESCAPE = re.compile(r"%(?:2[eEfF]|5[cC]|00)")  # . / \ NUL: each has a second reading
_SECOND_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SAFE = "!$&'()*+,;=:@~"
# Credentials of the gate and the Hub; never the desk's business.
_CREDENTIALS = frozenset({"token", "_xsrf"})


@dataclass(frozen=True)
class Target:
    """A canonical request target. `segments` are decoded; a trailing slash leaves a last empty one."""

    segments: tuple[str, ...]
    query: tuple[str, ...]

    def after(self, prefix: tuple[str, ...]) -> tuple[str, ...] | None:
        """The segments below `prefix`, or None if this target is not below it."""
        if len(self.segments) <= len(prefix) or self.segments[: len(prefix)] != prefix:
            return None
        return self.segments[len(prefix) :]

    def asks_download(self) -> bool:
        """Whether the query asks the desk for an attachment."""
        return any(_name(part) == "download" for part in self.query)

    def relayed(self, prefix: str, rest: tuple[str, ...]) -> str:
        """The target to send to the desk: `prefix` as the desk knows it, `rest` re-encoded, no credential."""
        kept = [part for part in self.query if _name(part) not in _CREDENTIALS]
        path = prefix + "/".join(quote(segment, safe=_SAFE) for segment in rest)
        return path + ("?" + "&".join(kept) if kept else "")


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0]).strip().lower()


def _decode(segment: str) -> str:
    try:
        text = unquote_to_bytes(segment).decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise GateRefused("path_refused") from None
    if text in {".", ".."} or _SECOND_ESCAPE.search(text) or _CONTROL.search(text):
        raise GateRefused("path_refused")
    return text


def split_path(path: str) -> tuple[str, ...]:
    """The decoded segments of an absolute path; raises GateRefused `path_refused` if it has two readings."""
    if not _RAW_PATH.match(path) or _BROKEN_ESCAPE.search(path) or _FORBIDDEN_ESCAPE.search(path):
        raise GateRefused("path_refused")
    raw = path[1:].split("/")
    if any(not segment for segment in raw[:-1]):
        raise GateRefused("path_refused")
    return tuple(_decode(segment) for segment in raw)


def read_target(uri: str) -> Target:
    """The canonical form of a request line's target; raises GateRefused `path_refused`."""
    if len(uri) > MAX_TARGET:
        raise GateRefused("path_refused")
    path, _, query = uri.partition("?")
    if not _RAW_QUERY.match(query):
        raise GateRefused("path_refused")
    return Target(split_path(path), tuple(part for part in query.split("&") if part))
