"""The sessions the gate serves, as their files say at this moment.

A session is open while its file is there, readable, says OPEN, and its `ends_at` lies ahead. Everything
else is closed; there is no other source and no memory that could keep a desk open.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hub.gate.paths import split_path
from hub.gate.refusals import SENTENCES, GateRefused

VERSION = 1
MAX_FILE = 256 * 1024
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_END_REASONS = frozenset(
    {"project_ended", "project_suspended", "person_suspended", "stopped", "membership_ended"}
)
_HUB_ENV = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_OAUTH_ACCESS_SCOPES")

_Stamp = tuple[int, int, int]  # mtime in ns, inode, size


class UnreadableFileError(ValueError):
    """A session file is not what docs/architecture.md §4 says. The session is closed."""


@dataclass(frozen=True)
class Session:
    """One session file. `prefix` ends in a slash; `ends_at` is in epoch seconds."""

    sid: str
    username: str
    prefix: str
    segments: tuple[str, ...]
    ends_at: float
    is_open: bool
    reason: str | None
    tier: str
    bytes_out_limit: int
    hub_env: Mapping[str, str] = field(repr=False)
    written_ns: int = 0

    @property
    def identity(self) -> tuple[str, str]:
        """What must not change while a stream is open."""
        return self.username, self.prefix

    def closed(self, now: float) -> str | None:
        """The code of the reason why nothing passes at `now` (epoch seconds), or None if the desk is open."""
        if not self.is_open:
            return self.reason if self.reason in _END_REASONS else "closed"
        if now >= self.ends_at:
            return "time_over"
        if self.tier != "open":
            return "tier_not_served"
        return None


def _text(content: Mapping[str, object], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        raise UnreadableFileError(key)
    return value


def _hub_env(content: Mapping[str, object], *, needed: bool) -> Mapping[str, str]:
    given = content.get("hub_env")
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise UnreadableFileError("hub_env")
    if needed:
        if not all(given.get(name) for name in _HUB_ENV):
            raise UnreadableFileError("hub_env")
        scopes = json.loads(given["JUPYTERHUB_OAUTH_ACCESS_SCOPES"])
        # Without a scope to ask for, the Hub would let anyone pass who is signed in.
        if not isinstance(scopes, list) or not scopes or not all(isinstance(s, str) and s for s in scopes):
            raise UnreadableFileError("JUPYTERHUB_OAUTH_ACCESS_SCOPES")
    return given


def read_session(sid: str, text: str, written_ns: int = 0) -> Session:
    """A session from the text of its file; raises UnreadableFileError naming the key that is wrong."""
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise UnreadableFileError("JSON object")
        if content.get("version") != VERSION or content.get("session") != sid:
            raise UnreadableFileError("version or session")
        prefix = _text(content, "prefix")
        if not (prefix.startswith("/") and prefix.endswith("/") and len(prefix) > 1):
            raise UnreadableFileError("prefix")
        ends_at = datetime.fromisoformat(_text(content, "ends_at"))
        state, limit, reason = _text(content, "state"), content.get("bytes_out_limit"), content.get("reason")
        if ends_at.tzinfo is None or state not in {"OPEN", "ENDED"}:
            raise UnreadableFileError("ends_at or state")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise UnreadableFileError("bytes_out_limit")
        return Session(
            sid=sid,
            username=_text(content, "username"),
            prefix=prefix,
            segments=split_path(prefix)[:-1],
            ends_at=ends_at.timestamp(),
            is_open=state == "OPEN",
            reason=reason if isinstance(reason, str) and reason in SENTENCES else None,
            tier=_text(content, "tier"),
            bytes_out_limit=limit,
            hub_env=_hub_env(content, needed=state == "OPEN"),
            written_ns=written_ns,
        )
    except GateRefused:
        raise UnreadableFileError("prefix") from None
    except UnreadableFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError("JSON") from error


class SessionTable:
    """The session files of a folder, re-read where they changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sessions: dict[str, Session] = {}
        self._stamps: dict[str, _Stamp] = {}
        self.unreadable: dict[str, str] = {}

    def refresh(self) -> None:
        """Look at every file again. A folder that cannot be listed means no session at all."""
        try:
            with os.scandir(self._folder) as entries:
                names = {entry.name[:-5] for entry in entries if entry.name.endswith(".json")}
                sids = {name for name in names if _SID.fullmatch(name)}
        except OSError:
            sids = set()
        for sid in set(self._sessions) | set(self.unreadable) | sids:
            self.refresh_one(sid)

    def refresh_one(self, sid: str) -> None:
        """Look at one file again; it is read only if it was replaced or changed."""
        path = self._folder / f"{sid}.json"
        try:
            seen = path.stat()
        except OSError:
            self._drop(sid)
            self.unreadable.pop(sid, None)
            return
        stamp = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
        if self._stamps.get(sid) == stamp:
            return
        self._drop(sid)
        try:
            if seen.st_size > MAX_FILE:
                raise UnreadableFileError("size")
            self._sessions[sid] = read_session(sid, path.read_text(encoding="utf-8"), seen.st_mtime_ns)
            self._stamps[sid] = stamp
            self.unreadable.pop(sid, None)
        except UnreadableFileError as error:
            self.unreadable[sid] = str(error)
        except (OSError, UnicodeDecodeError) as error:
            self.unreadable[sid] = type(error).__name__

    def _drop(self, sid: str) -> None:
        self._sessions.pop(sid, None)
        self._stamps.pop(sid, None)

    def all(self) -> list[Session]:
        return list(self._sessions.values())

    def get(self, sid: str) -> Session | None:
        return self._sessions.get(sid)

    def closed(self, sid: str, identity: tuple[str, str], now: float | None = None) -> str | None:
        """The reason why the session `sid` of this person and place lets nothing pass now, or None."""
        session = self._sessions.get(sid)
        if session is None or session.identity != identity:
            return "closed"
        return session.closed(time.time() if now is None else now)

    def at(self, segments: tuple[str, ...]) -> Session | None:
        """The session a path belongs to: longest prefix first, then open before ended, then the newest.

        The files are looked at again first: a session that has just been written or ended counts.
        """
        found = self._find(segments)
        if found is not None:
            self.refresh_one(found.sid)
            found = self._find(segments)
        if found is None or not found.is_open:
            self.refresh()
            found = self._find(segments)
        return found

    def _find(self, segments: tuple[str, ...]) -> Session | None:
        below = [s for s in self._sessions.values() if segments[: len(s.segments)] == s.segments]
        return max(below, key=lambda s: (len(s.segments), s.is_open, s.written_ns), default=None)
