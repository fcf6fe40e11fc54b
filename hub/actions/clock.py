"""What the clock does, twice a second: ends what is over, and says so to gate and desk.

The gate's and the desk's own deadlines hold without this; this is what makes a suspension, a
membership that ended or a desk the Hub still lists come true everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.actions import projects, sessions
from hub.actions.ports import Office, Unit
from hub.domain.access import Closed, closed_because
from hub.domain.errors import Refused
from hub.domain.lifecycle import ProjectState, SessionState
from hub.domain.permissions import Actor
from hub.domain.records import Session

CLOCK = Actor("clock", system=True)
START_LIMIT = timedelta(minutes=3)
LIVE = (SessionState.GRANTED, SessionState.RUNNING)


@dataclass
class Sweep:
    """What one sweep did: projects ended, sessions closed, desks that could not be stopped yet."""

    projects_ended: list[str] = field(default_factory=list)
    sessions_closed: list[str] = field(default_factory=list)
    not_stopped: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        return not (self.projects_ended or self.sessions_closed or self.not_stopped)


def end_due_projects(office: Office, *, now: datetime) -> list[str]:
    """Mark projects whose time is over as EXPIRED."""
    with office.units.read() as unit:
        due = [
            project.slug
            for project in unit.projects.find()
            if now >= project.ends_at and project.state not in (ProjectState.EXPIRED, ProjectState.CLOSED)
        ]
    for slug in due:
        with office.units.write() as unit:
            projects.expire(unit, projects.get_project(unit, slug), reason="time_over", by=CLOCK, now=now)
    return due


def _reason(unit: Unit, session: Session, now: datetime) -> Closed | None:
    """Why the session must end, if it must. One that was granted but never started was interrupted."""
    if session.state is SessionState.GRANTED and now - session.granted_at > START_LIMIT:
        return Closed.STOPPED
    project = unit.projects.get(session.project)
    if project is None:
        return Closed.STOPPED
    return closed_because(unit.people.get(session.username), project, now)


def sweep(office: Office, *, now: datetime) -> Sweep:
    """End what is over. A Hub that does not answer is tried again at the next sweep; gate and desk are
    closed first in any case, and the session only counts as ended when the Hub has let go of it."""
    done = Sweep(projects_ended=end_due_projects(office, now=now))
    with office.units.read() as unit:
        live = [s for state in LIVE for s in unit.sessions.find(state=state)]
        verdicts = [(session, _reason(unit, session, now)) for session in live]
    known = office.session_files.open_sessions()
    for session, reason in verdicts:
        if reason is None:
            if session.id in known and known[session.id] != session.ends_at:
                office.session_files.set_ends_at(session.id, session.ends_at)
            continue
        office.session_files.end(session.id, reason.value)
        try:
            office.desks.stop(session.username, session.project)
        except Refused:
            done.not_stopped.append(session.id)
            continue
        sessions.end_session(office, session_id=session.id, reason=reason.value, by=CLOCK, now=now)
        done.sessions_closed.append(session.id)
    _close_orphans(office, set(known), {session.id for session in live})
    return done


def _close_orphans(office: Office, known: set[str], live: set[str]) -> None:
    """A session file that no live session stands behind is closed: nobody granted it."""
    for session_id in known - live:
        with office.units.read() as unit:
            session = unit.sessions.get(session_id)
        if session is None or session.state is SessionState.ENDED:
            office.session_files.end(session_id, Closed.STOPPED.value)
