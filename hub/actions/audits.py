"""Reading the audit log and verifying its chain."""

from __future__ import annotations

from hub.actions.ports import Office, Units
from hub.domain import audit
from hub.domain.audit import AuditEntry, ChainFault
from hub.domain.permissions import OFFICE, Actor, Permission, require


def verify_chain(units: Units, key: bytes) -> tuple[int, ChainFault | None]:
    """How many entries hold, and the first that does not (see hub.domain.audit.verify)."""
    head = units.head()  # read first: entries added meanwhile only make the chain longer
    with units.read() as unit:
        return audit.verify(key, unit.events(), head)


def read_events(
    office: Office, *, by: Actor, newest: int = 200, before: int | None = None, object: str | None = None
) -> list[AuditEntry]:
    """The newest entries, latest first."""
    require(office.rules.roles, by, Permission.AUDIT_READ, OFFICE)
    with office.units.read() as unit:
        return list(unit.events(newest=newest, before=before, object=object))[::-1]
