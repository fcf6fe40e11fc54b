"""The auditors' page: the log, newest first, and whether its chain holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.responses import Response

from hub.actions.audits import read_events
from hub.domain.audit import AuditEntry, ChainFault
from hub.domain.permissions import Permission
from hub.portal.pages import PAGE_SIZE, show
from hub.portal.permissions import Routes, needs
from hub.portal.visits import CurrentVisit, Visit

_BATCH, _MOST_READ = 500, 50_000
_FRESH = timedelta(seconds=60)


def register(routes: Routes) -> None:
    chain = _Chain(routes.portal.verify_chain)

    def show_audit(visit: CurrentVisit) -> Response:
        """The log with its filters, and the state of the chain."""
        again = visit.request.query_params.get("verify") == "1"
        return _audit_page(visit, chain.state(visit.now, again=again))

    routes.add("GET", f"{routes.portal.prefix}/audit", needs(Permission.AUDIT_READ), show_audit)


class _Chain:
    """The chain's last verification: it reads the whole log, so one page a minute does it for all."""

    def __init__(self, verify: Callable[[], tuple[int, ChainFault | None]]) -> None:
        self._verify = verify
        self._lock = threading.Lock()
        self._last: tuple[datetime, int, ChainFault | None] | None = None

    def state(self, now: datetime, *, again: bool) -> tuple[datetime, int, ChainFault | None]:
        """When it was verified, how many entries hold, and the first that does not."""
        with self._lock:
            if again or self._last is None or now - self._last[0] > _FRESH:
                count, fault = self._verify()
                self._last = (now, count, fault)
            return self._last


def find_events(
    visit: Visit, *, before: int | None, object: str, actor: str, action: str, most: int = PAGE_SIZE
) -> tuple[list[AuditEntry], int | None]:
    """The newest entries below seq `before` that contain these words, and where to go on (None: no more).

    Stops after _MOST_READ entries read; then the second value says where, even if nothing was found.
    """
    found: list[AuditEntry] = []
    read = 0
    while read < _MOST_READ:
        batch = read_events(visit.office, by=visit.actor, newest=_BATCH, before=before)
        for entry in batch:
            if object in entry.object and actor in entry.actor and action in entry.action:
                found.append(entry)
                if len(found) == most:
                    return found, entry.seq if entry.seq > 1 else None
        if len(batch) < _BATCH:
            return found, None
        before, read = batch[-1].seq, read + len(batch)
    return found, before


def _audit_page(visit: Visit, chain: tuple[datetime, int, ChainFault | None]) -> Response:
    query = visit.request.query_params
    wanted = {name: query.get(name, "").strip()[:200] for name in ("object", "actor", "action")}
    text = query.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
    entries, following = find_events(
        visit, before=before, object=wanted["object"], actor=wanted["actor"], action=wanted["action"]
    )
    return show(
        visit,
        "audit.html",
        entries=entries,
        following=following,
        before=before,
        wanted=wanted,
        filtered=any(wanted.values()),
        verified_at=chain[0],
        verified=chain[1],
        fault=chain[2],
    )
