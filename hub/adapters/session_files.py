"""Session files: what gate and desk are told of a session (docs/architecture.md §4).

Each is written aside and renamed, so a reader sees the old or the new one, never half. `ends_at` in the
desk's run directory is read by the desk's first process, which only ever lets it come nearer.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hub.settings import CONTROL_UID

SESSION_FILE_VERSION = 1


@dataclass(frozen=True)
class FileSessions:
    """`SessionFiles` in `sessions/` and `run/`. `owner` is the gate's uid, None to leave ownership alone."""

    sessions: Path
    run: Path
    owner: int | None = CONTROL_UID

    def open(self, session: str, content: Mapping[str, object], ends_at: datetime) -> None:
        """Make the run directory (sticky: the desk cannot remove what the gate puts there) and the file."""
        folder = self.run / session
        folder.mkdir(parents=True, exist_ok=True)
        if self.owner is not None:
            os.chown(folder, self.owner, self.owner)
        folder.chmod(0o1777)
        self._write_deadline(session, ends_at)
        body = {
            "version": SESSION_FILE_VERSION,
            "session": session,
            "state": "OPEN",
            "reason": None,
            **content,
        }
        self._write(session, {**body, "ends_at": ends_at.astimezone(UTC).isoformat()})

    def end(self, session: str, reason: str) -> None:
        content = self.read(session)
        if content is None or content.get("state") == "ENDED":
            return
        self._write(session, {**content, "state": "ENDED", "reason": reason, "hub_env": {}})
        self._write_deadline(session, datetime.now(UTC))

    def set_ends_at(self, session: str, ends_at: datetime) -> None:
        content = self.read(session)
        if content is None or content.get("state") != "OPEN":
            return
        self._write(session, {**content, "ends_at": ends_at.astimezone(UTC).isoformat()})
        self._write_deadline(session, ends_at)

    def prune(self, before: datetime) -> int:
        ended = [
            path
            for path in self.sessions.glob("*.json")
            if path.stat().st_mtime < before.timestamp()
            and (self.read(path.stem) or {}).get("state") == "ENDED"
        ]
        for path in ended:
            path.unlink(missing_ok=True)
            self.forget(path.stem)
        return len(ended)

    def open_sessions(self) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for path in self.sessions.glob("*.json"):
            content = self.read(path.stem)
            if content and content.get("state") == "OPEN":
                found[path.stem] = datetime.fromisoformat(str(content["ends_at"]))
        return found

    def read(self, session: str) -> dict[str, object] | None:
        """The session's file, or None if absent or not readable as one (then the session is closed)."""
        try:
            content = json.loads((self.sessions / f"{session}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def forget(self, session: str) -> None:
        """Remove the run directory of a desk that is gone. The session file stays, ENDED, for the pages."""
        shutil.rmtree(self.run / session, ignore_errors=True)

    def _write(self, session: str, content: Mapping[str, object]) -> None:
        self.sessions.mkdir(parents=True, exist_ok=True)
        self._replace(self.sessions / f"{session}.json", json.dumps(content, ensure_ascii=False), 0o640)

    def _write_deadline(self, session: str, ends_at: datetime) -> None:
        folder = self.run / session
        if folder.is_dir():
            with contextlib.suppress(FileNotFoundError):
                self._replace(folder / "ends_at", f"{int(ends_at.timestamp())}\n", 0o644)

    def _replace(self, target: Path, text: str, mode: int) -> None:
        aside = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            os.write(handle, text.encode("utf-8"))
            if self.owner is not None and os.geteuid() == 0:
                os.fchown(handle, self.owner, self.owner)
            os.fchmod(handle, mode)
            os.fsync(handle)
        finally:
            os.close(handle)
        aside.replace(target)
