"""Home and projects: what a person works on, until when, and why a desk is closed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import JSONResponse, Response

from hub.actions.assessments import direct_key
from hub.actions.ports import Unit
from hub.actions.projects import get_project
from hub.actions.provisioning import waiting_for
from hub.actions.sessions import sealed_extract
from hub.domain.access import REASONS, Closed, closed_because
from hub.domain.lifecycle import ExtractState, SessionState
from hub.domain.permissions import Permission, Reach, Subject
from hub.domain.records import Extract, Project, Session, Submission
from hub.portal import requests, review_queue
from hub.portal.pages import Part, days_left, page_number, show, shown_state
from hub.portal.permissions import ANYONE_OF_THE_OFFICE, About, Routes, needs
from hub.portal.risk_pages import report_of
from hub.portal.visits import CurrentVisit, Visit

_UNFINISHED = (ExtractState.PLANNED, ExtractState.EXTRACTING)


def register(routes: Routes) -> None:
    p = routes.portal.prefix
    routes.add("GET", f"{p}/", ANYONE_OF_THE_OFFICE, show_home)
    routes.add("GET", p, ANYONE_OF_THE_OFFICE, show_home)
    routes.add("GET", f"{p}/projects", needs(Permission.PROJECT_READ, About.LISTING), show_projects)
    reads = needs(Permission.PROJECT_READ, About.PROJECT)
    routes.add("GET", f"{p}/projects/{{slug}}", reads, show_project)
    routes.add("GET", f"{p}/projects/{{slug}}/extract", reads, tell_extract)


@dataclass(frozen=True)
class ProjectCard:
    """A project as one person sees it now. `share` is the part of its time that is still to come, 0…1."""

    project: Project
    extract: Extract | None
    closed: Closed | None
    days: int
    share: float
    session: Session | None

    def reason(self, language: str) -> str:
        """Why the desk is closed, in words; empty when it is open."""
        if self.closed is None:
            return ""
        en, fr = REASONS[self.closed]
        return fr if language == "fr" else en

    @property
    def running(self) -> bool:
        return self.session is not None

    @property
    def extracting(self) -> bool:
        return self.extract is not None and self.extract.state in _UNFINISHED


def newest_extract(unit: Unit, slug: str) -> Extract | None:
    """The extract of the highest version."""
    return max(unit.extracts.find(project=slug), key=lambda extract: extract.version, default=None)


def open_session(unit: Unit, slug: str, username: str) -> Session | None:
    """The person's session of the project that has not ended, if any."""
    live = [
        s for s in unit.sessions.find(project=slug, username=username) if s.state is not SessionState.ENDED
    ]
    return live[-1] if live else None


def card_of(unit: Unit, visit: Visit, project: Project) -> ProjectCard:
    """The project as the visitor sees it."""
    closed = closed_because(visit.person, project, visit.now)
    length = (project.ends_at - project.starts_at).total_seconds()
    left = (project.ends_at - max(visit.now, project.starts_at)).total_seconds()
    return ProjectCard(
        project,
        newest_extract(unit, project.slug),
        closed,
        0 if closed is Closed.PROJECT_ENDED else days_left(visit.now, project.ends_at),
        0.0 if closed is Closed.PROJECT_ENDED else min(max(left / length, 0.0), 1.0),
        None if closed else open_session(unit, project.slug, visit.person.username),
    )


def _order(card: ProjectCard) -> tuple[bool, datetime]:
    return card.closed is Closed.PROJECT_ENDED, card.project.ends_at


def my_cards(unit: Unit, visit: Visit) -> list[ProjectCard]:
    """The visitor's own projects: those that go on first, the next to end first."""
    own = [p for p in unit.projects.find() if visit.person.username in p.members]
    return sorted((card_of(unit, visit, project) for project in own), key=_order)


def visible_projects(unit: Unit, visit: Visit) -> list[Project]:
    """All projects that the visitor may read, newest first."""
    seen = [p for p in unit.projects.find() if visit.may(Permission.PROJECT_READ, p.subject)]
    return sorted(seen, key=lambda project: project.number, reverse=True)


def show_home(visit: CurrentVisit) -> Response:
    """What matters to each of the visitor's roles."""
    opens_desks = visit.reach(Permission.DESK_OPEN) is not None
    with visit.office.units.read() as unit:
        cards = my_cards(unit, visit) if opens_desks else []
        waiting = review_queue.waiting_for(unit, visit) if visit.reach(Permission.SUBMISSION_REVIEW) else None
        failed = (
            [e for e in unit.extracts.find(state=ExtractState.FAILED) if e.error]
            if visit.may(Permission.PROJECT_CREATE)
            else []
        )
        projects = visible_projects(unit, visit)
        waiting_requests = requests.waiting_requests(unit, visit)
        my_requests = requests.my_open_requests(unit, visit)
    return show(
        visit,
        "home.html",
        waiting_requests=waiting_requests,
        my_requests=my_requests,
        asks=visit.reach(Permission.REQUEST_WRITE) is not None,
        opens_desks=opens_desks,
        cards=cards,
        waiting=waiting,
        failed=failed,
        projects=projects,
        tiers=visit.portal.tiers,
        reads_audit=visit.may(Permission.AUDIT_READ),
        manages=visit.may(Permission.PROJECT_CREATE),
    )


def show_projects(visit: CurrentVisit) -> Response:
    """The projects that the visitor may see."""
    return _project_list(visit, manages=False)


def show_managed_projects(visit: CurrentVisit) -> Response:
    """All projects, for those who provision them."""
    return _project_list(visit, manages=True)


def _project_list(visit: Visit, *, manages: bool) -> Response:
    with visit.office.units.read() as unit:
        projects = visible_projects(unit, visit)
        part = Part(len(projects), page_number(visit.request))
        shown = projects[part.first : part.last]
        extracts = {project.slug: newest_extract(unit, project.slug) for project in shown}
    return show(
        visit,
        "projects.html",
        projects=shown,
        extracts=extracts,
        part=part,
        manages=manages,
        tiers=visit.portal.tiers,
    )


def show_project(visit: CurrentVisit, slug: str) -> Response:
    """One project: its time, people, extract, desks and submissions, as far as the visitor may see them."""
    with visit.office.units.read() as unit:
        project = get_project(unit, slug)
        everything = visit.reach(Permission.PROJECT_READ) is Reach.ANY
        sessions = (
            unit.sessions.find(project=slug)
            if everything
            else unit.sessions.find(project=slug, username=visit.person.username)
        )
        people = [unit.people.get(username) for username in sorted(project.members)]
        submissions = project_submissions(unit, visit, project)
        card = card_of(unit, visit, project)
        causes = (
            failure_causes(unit, sessions) if visit.may(Permission.PROJECT_SUSPEND, project.subject) else {}
        )
        extracts = sorted(unit.extracts.find(project=slug), key=lambda e: e.version, reverse=True)
        waits = waiting_extracts(unit, visit, extracts)
        direct = everything and project.request is None and bool(extracts)
        assessed = unit.assessments.get(direct_key(extracts[0])) if direct else None
        mounted = sealed_extract(unit, slug)
        editions = new_editions(unit, extracts[0]) if extracts else []
    newest = sorted(sessions, key=lambda s: s.granted_at, reverse=True)
    return show(
        visit,
        "project.html",
        card=card,
        project=project,
        people=[person for person in people if person is not None],
        extracts=extracts,
        waits=waits,
        reads_request=visit.may(Permission.REQUEST_READ, project.subject),
        sessions=newest[:20],
        causes=causes,
        reason_in_words=reason_in_words,
        more_sessions=max(len(newest) - 20, 0),
        bytes_out={s.id: bytes_out(visit, s) for s in newest[:20]},
        submissions=submissions[:20],
        more_submissions=max(len(submissions) - 20, 0),
        tier=visit.portal.tiers.get(project.tier),
        opens=visit.may(Permission.DESK_OPEN, project.subject),
        stops=visit.reach(Permission.DESK_STOP),
        suspends=visit.may(Permission.PROJECT_SUSPEND, project.subject),
        ends=visit.may(Permission.PROJECT_END, project.subject),
        retries=visit.may(Permission.PROJECT_CREATE),
        kind=visit.office.rules.conditions.kinds.get(project.kind or ""),
        report=report_of(assessed),
        mounted=mounted,
        mounts_older=mounted is not None
        and card.session is not None
        and card.session.granted_at < mounted.updated_at,
        editions=editions,
        renews=visit.may(Permission.PROJECT_CREATE)
        and bool(extracts)
        and extracts[0].state is ExtractState.SEALED
        and visit.now < project.ends_at,
        shown_state=shown_state,
    )


def new_editions(unit: Unit, extract: Extract) -> list[str]:
    """The sources of a sealed extract that were given a new edition since it was made."""
    listed = (extract.manifest or {}).get("sources")
    found = []
    for one in listed if isinstance(listed, list) else []:
        source = unit.sources.get(one["name"])
        hashes = (one["file_sha256"], one["dictionary_sha256"])
        if source is not None and (source.sha256, source.dictionary_sha256) != hashes:
            found.append(source.name)
    return found


def tell_extract(visit: CurrentVisit, slug: str) -> Response:
    """How far a project's newest extract is, and what it waits for, for the pages that wait for it."""
    with visit.office.units.read() as unit:
        extract = newest_extract(unit, get_project(unit, slug).slug)
        planned = extract is None or extract.state is ExtractState.PLANNED
        waits = (
            waiting_for(visit.office, unit, extract, visit.now) if extract is not None and planned else None
        )
    state = ExtractState.PLANNED if extract is None else extract.state
    said = visit.words(f"extract.{state.value}")
    return JSONResponse(
        {
            "state": state.value,
            "progress": round(extract.progress, 2) if extract else 0,
            "waits": waits.code if waits else None,
            "message": f"{said}. {waits.message(visit.words.language)}" if waits else said,
            "done": state not in _UNFINISHED,
        }
    )


def waiting_extracts(unit: Unit, visit: Visit, extracts: list[Extract]) -> dict[str, str]:
    """Extract → why it cannot be made yet, in words."""
    reasons = {
        extract.id: waiting_for(visit.office, unit, extract, visit.now)
        for extract in extracts
        if extract.state is ExtractState.PLANNED
    }
    return {key: reason.message(visit.words.language) for key, reason in reasons.items() if reason}


def reason_in_words(reason: str | None, language: str) -> str | None:
    """The sentence for a session's reason code; a code we do not know is told as 'closed'."""
    if reason is None:
        return None
    known = reason if reason in set(Closed) else Closed.STOPPED
    en, fr = REASONS[Closed(known)]
    return fr if language == "fr" else en


def failure_causes(unit: Unit, sessions: list[Session]) -> dict[str, str]:
    """Session → why its desk could not be opened, for those who can mend it."""
    causes = {}
    for session in sessions:
        if session.reason == Closed.START_FAILED.value:
            for entry in unit.events(object=f"session:{session.id}"):
                told = entry.details.get("message") or entry.details.get("differences")
                if told:
                    causes[session.id] = str(told)
    return causes


def project_submissions(unit: Unit, visit: Visit, project: Project) -> list[Submission]:
    """Submissions of the project that the visitor may read, newest first."""
    return [
        submission
        for submission in reversed(unit.submissions.find(project=project.slug))
        if visit.may(Permission.SUBMISSION_READ, Subject(submission.id, project.members, submission.author))
    ]


def bytes_out(visit: Visit, session: Session) -> int | None:
    """Bytes that the gate counted out of a session; None where it has counted none yet."""
    try:
        text = (visit.portal.meters / f"{session.id}.json").read_text(encoding="utf-8")
        counted = json.loads(text)["bytes_out"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return counted if isinstance(counted, int) else None
