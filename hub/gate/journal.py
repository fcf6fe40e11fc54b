"""The gate's log: one JSON object per line on standard output.

Never tokens, cookies, query strings, file names or bodies: an unlisted path is logged by its first
segment only, and only if that looks like a route's name.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

_ROUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,31}")


class Journal:
    """Writes log lines. `event` is one of `refused`, `cut`, `opened`, `closed`, `fault`, `started`."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stdout

    def write(self, event: str, **fields: str | int | None) -> None:
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "from": "gate", "event": event}
        self._out.write(json.dumps({**line, **{k: v for k, v in fields.items() if v is not None}}) + "\n")
        self._out.flush()

    def refused(self, code: str, *, session: str | None, route: str, method: str, status: int) -> None:
        """One refusal, with the reason's code."""
        self.write("refused", code=code, session=session, route=route, method=method, status=status)


def unlisted(rest: tuple[str, ...]) -> str:
    """How a route that is not in the table is named in the log."""
    first = rest[0] if rest else ""
    return f"unlisted:{first}" if _ROUTE_NAME.fullmatch(first) else "unlisted"
