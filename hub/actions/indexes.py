"""What the portal keeps of an extract for its checks, and when that must go: an index holds data of the
extract, and the numbers of its persons say who is in it."""

from __future__ import annotations

from datetime import datetime

from hub.actions.clock import CLOCK
from hub.actions.ports import Office, Unit
from hub.actions.sessions import sealed_extract
from hub.checks.prepared import Indexes
from hub.domain.lifecycle import ProjectState

_OVER = frozenset({ProjectState.EXPIRED, ProjectState.CLOSED})


def remove_unneeded(office: Office, indexes: Indexes, *, now: datetime) -> list[str]:
    """Remove what is kept of every extract that no desk can submit from any more: of a project that is over,
    of a version that a newer one supersedes, of one that is expired, destroyed or unknown. Which.

    Released numbers stay in the ledger. 1. Recorded. 2. Removed. Whatever is cut short between is found again
    the next time, and recorded again.
    """
    ledger = office.checking.ledger if office.checking is not None else None
    kept = {*indexes.names(), *(ledger.extracts() if ledger is not None else ())}
    if not kept:
        return []
    with office.units.read() as unit:
        gone = sorted(name for name in kept if not _needed(unit, name, now))
    if not gone:
        return []
    with office.units.write() as unit:  # (1)
        for name in gone:
            unit.record(by=CLOCK, action="extract.index_removed", object=f"extract:{name}", now=now)
    for name in gone:  # (2)
        indexes.remove(name)
        if ledger is not None:
            ledger.forget(name)
    return gone


def _needed(unit: Unit, name: str, now: datetime) -> bool:
    extract = unit.extracts.get(name)
    project = unit.projects.get(extract.project) if extract is not None else None
    if extract is None or project is None or project.state in _OVER or now >= project.ends_at:
        return False
    newest = sealed_extract(unit, project.slug)
    return newest is not None and newest.id == name
