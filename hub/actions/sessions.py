"""Sessions: the grant behind each open desk."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from datetime import datetime

from hub.actions.ports import Office, TierRules, Unit
from hub.actions.projects import get_project
from hub.domain import lifecycle
from hub.domain.access import Closed, closed_because, require_open
from hub.domain.errors import NotFound, Refused
from hub.domain.lifecycle import ExtractState, SessionState
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import Extract, Person, Project, Session


@dataclass(frozen=True)
class Grant:
    """All that a desk's container is made from, and nothing else."""

    session: Session
    person: Person
    project: Project
    extract: Extract
    tier: TierRules


def sealed_extract(unit: Unit, slug: str) -> Extract | None:
    """The newest sealed extract of a project, if any."""
    sealed = [e for e in unit.extracts.find(project=slug) if e.state is ExtractState.SEALED]
    return max(sealed, key=lambda extract: extract.version, default=None)


def _allowed(office: Office, unit: Unit, slug: str, by: Actor, now: datetime) -> Grant:
    """Everything that must hold for a desk; raises the refusal. The Grant's session is not stored yet."""
    project = get_project(unit, slug)
    person = unit.people.get(by.username)
    require_open(person, project, now)
    require(office.rules.roles, by, Permission.DESK_OPEN, project.subject)
    tier = office.rules.tiers.get(project.tier)
    extract = sealed_extract(unit, slug)
    if tier is None or not tier.available or extract is None or person is None:
        raise Refused(
            "extract_not_ready",
            "The data of this project are not ready yet.",
            "Les données de ce projet ne sont pas encore prêtes.",
        )
    session = Session(
        id="s" + os.urandom(10).hex(),
        project=slug,
        username=by.username,
        state=SessionState.GRANTED,
        granted_at=now,
        ends_at=project.ends_at,
        fingerprint=office.rules.fingerprint,
    )
    return Grant(session, person, project, extract, tier)


def check_desk(office: Office, *, slug: str, by: Actor, now: datetime) -> None:
    """Return only if `by` may open a desk of the project now; raise the reason otherwise."""
    with office.units.read() as unit:
        _allowed(office, unit, slug, by, now)


def grant_session(office: Office, *, slug: str, by: Actor, now: datetime) -> Grant:
    """Grant `by` a new session of the project; an older open one of theirs there is ended first."""
    with office.units.write() as unit:
        grant = _allowed(office, unit, slug, by, now)
        for older in unit.sessions.find(project=slug, username=by.username):
            if older.state is not SessionState.ENDED:
                _end(unit, older, "stopped", by=by, now=now)
                office.session_files.end(older.id, "stopped")
        unit.sessions.add(grant.session)
        unit.record(
            by=by,
            action="session.granted",
            object=f"session:{grant.session.id}",
            now=now,
            details={
                "project": slug,
                "extract": grant.extract.id,
                "tier": grant.tier.name,
                "ends_at": grant.session.ends_at.isoformat(),
                "policies": office.rules.fingerprint,
            },
        )
    return grant


def _get(unit: Unit, session_id: str) -> Session:
    session = unit.sessions.get(session_id)
    if session is None:
        raise NotFound("unknown_session", "There is no such session.", "Cette session n’existe pas.")
    return session


def start_session(office: Office, *, session_id: str, container: str, by: Actor, now: datetime) -> Session:
    """Note that the desk runs, after its container was inspected and found equal to the grant."""
    with office.units.write() as unit:
        session = _get(unit, session_id)
        running = dataclasses.replace(
            session,
            state=lifecycle.move(lifecycle.SESSION, session.state, SessionState.RUNNING),
            started_at=now,
            container=container,
        )
        unit.sessions.save(running)
        unit.record(
            by=by,
            action="session.started",
            object=f"session:{session_id}",
            now=now,
            details={"project": session.project, "container": container},
        )
    return running


def refuse_container(
    office: Office, *, session_id: str, differences: list[str], by: Actor, now: datetime
) -> None:
    """Record that a created container was not what the grant says; it was destroyed unstarted."""
    with office.units.write() as unit:
        session = _get(unit, session_id)
        unit.record(
            by=by,
            action="session.container_refused",
            object=f"session:{session_id}",
            now=now,
            details={"differences": differences},
        )
        _end(unit, session, Closed.START_FAILED, by=by, now=now)
    office.session_files.end(session_id, Closed.START_FAILED)


def end_session(
    office: Office,
    *,
    session_id: str,
    reason: str,
    by: Actor,
    now: datetime,
    details: dict[str, object] | None = None,
) -> None:
    """Note that a desk is gone (idempotent), and close it for the gate.

    `stopped` becomes the reason why the desk would be closed now, if there is one: a desk that the Hub
    stops because its project ended says so.
    """
    with office.units.read() as unit:
        session = _get(unit, session_id)
        if reason == Closed.STOPPED:
            project = get_project(unit, session.project)
            reason = closed_because(unit.people.get(session.username), project, now) or reason
    office.session_files.end(session_id, reason)
    if session.state is SessionState.ENDED:
        return
    with office.units.write() as unit:
        session = _get(unit, session_id)
        if session.state is SessionState.ENDED:
            unit.record(by=by, action="session.end_repeated", object=f"session:{session_id}", now=now)
            return
        _end(unit, session, reason, by=by, now=now, details=details)


def _end(
    unit: Unit,
    session: Session,
    reason: str,
    *,
    by: Actor,
    now: datetime,
    details: dict[str, object] | None = None,
) -> None:
    unit.sessions.save(
        dataclasses.replace(
            session,
            state=lifecycle.move(lifecycle.SESSION, session.state, SessionState.ENDED),
            ended_at=now,
            reason=reason,
        )
    )
    unit.record(
        by=by,
        action="session.ended",
        object=f"session:{session.id}",
        now=now,
        details={"project": session.project, "reason": reason, **(details or {})},
    )
