"""Bytes that left each session for a browser: counted here, kept in `meters/<sid>.json`.

The file is written aside and renamed, at most once a second while bytes pass and when the session closes;
after a crash the count goes on from there. A meter that cannot be read or written closes the session.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from hub.gate.refusals import GateRefused

VERSION = 1
SAVE_EVERY = 1.0  # seconds


class Meter:
    """The count of one session, in bytes of HTTP bodies and WebSocket frames sent to the browser."""

    def __init__(self, path: Path, sid: str) -> None:
        self._path = path
        self._sid = sid
        self._saved_at = float("-inf")  # monotonic seconds
        self._saved = -1
        self._unreadable = False
        self._unwritable = False
        self.bytes_out = 0
        try:
            self.bytes_out = self._read()
            self._saved = self.bytes_out
        except FileNotFoundError:
            pass
        except (OSError, ValueError):
            self._unreadable = True

    @property
    def failed(self) -> bool:
        """A meter that could not be written works again once it can; an unreadable one waits for a person."""
        return self._unreadable or self._unwritable

    def _read(self) -> int:
        content = json.loads(self._path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("version") != VERSION:
            raise ValueError("meter")
        count = content.get("bytes_out")
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError("meter")
        return count

    def closed(self, limit: int) -> str | None:
        """Why nothing more may pass, or None."""
        if self.failed:
            return "meter_failed"
        return "bytes_limit" if self.bytes_out >= limit else None

    def admit(self, size: int, limit: int) -> None:
        """Count `size` bytes about to pass; raises GateRefused instead if they would exceed `limit`."""
        if self.failed:
            raise GateRefused("meter_failed")
        if self.bytes_out + size > limit:
            # The rest stays unusable: otherwise a desk could probe how much is left, byte by byte.
            self.bytes_out = max(self.bytes_out, limit)
            raise GateRefused("bytes_limit")
        self.bytes_out += size
        self.save()

    def save(self, *, now: bool = False) -> None:
        """Write the count if it changed and a second has passed (or `now`)."""
        clock = time.monotonic()
        due = now or clock - self._saved_at >= SAVE_EVERY
        if self._unreadable or self.bytes_out == self._saved or not due:
            return
        self._saved_at = clock
        content = {
            "version": VERSION,
            "session": self._sid,
            "bytes_out": self.bytes_out,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            aside.write_text(json.dumps(content), encoding="utf-8")
            aside.chmod(0o640)
            aside.replace(self._path)
        except OSError:
            self._unwritable = True
            return
        self._unwritable = False
        self._saved = self.bytes_out


class MeterBook:
    """The meters of all sessions the gate has met since it started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meters: dict[str, Meter] = {}

    def of(self, sid: str) -> Meter:
        """The meter of a session, read from its file the first time."""
        meter = self._meters.get(sid)
        if meter is None:
            meter = self._meters[sid] = Meter(self._folder / f"{sid}.json", sid)
        return meter

    def save(self, *, now: bool = False) -> None:
        """Write every count that is due."""
        for meter in self._meters.values():
            meter.save(now=now)

    def close(self, sid: str) -> None:
        """Write the last count of a session that ended and forget it."""
        meter = self._meters.pop(sid, None)
        if meter is not None:
            meter.save(now=True)
