"""The administration's pages: provisioning projects, people, sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from hub.actions import extracts, people, projects
from hub.documents import parse
from hub.documents.projects import ProjectDocument
from hub.domain.errors import DocumentError, Refused
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import Permission, Role
from hub.domain.records import Project
from hub.portal import project_forms
from hub.portal.pages import go, show
from hub.portal.permissions import About, Routes, needs, status_of
from hub.portal.projects import show_managed_projects
from hub.portal.visits import CurrentVisit, Visit


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/admin"
    creates = needs(Permission.PROJECT_CREATE)
    suspends = needs(Permission.PROJECT_SUSPEND, About.PROJECT)
    ends = needs(Permission.PROJECT_END, About.PROJECT)
    manages = needs(Permission.PERSON_MANAGE)
    routes.add("GET", f"{p}/projects", creates, show_managed_projects)
    routes.add("GET", f"{p}/projects/new", creates, show_new_project)
    routes.add("POST", f"{p}/projects/new", creates, create_project)
    routes.add("POST", f"{p}/projects/{{slug}}/suspend", suspends, suspend_project)
    routes.add("POST", f"{p}/projects/{{slug}}/resume", suspends, resume_project)
    routes.add("POST", f"{p}/projects/{{slug}}/end", ends, end_project)
    routes.add("POST", f"{p}/projects/{{slug}}/move-end", ends, move_end)
    routes.add("POST", f"{p}/projects/{{slug}}/retry-extract", creates, retry_extract)
    routes.add("POST", f"{p}/projects/{{slug}}/refresh-extract", creates, refresh_extract)
    routes.add("POST", f"{p}/projects/{{slug}}/renew-pseudonyms", creates, renew_pseudonyms)
    routes.add("GET", f"{p}/people", needs(Permission.PERSON_READ), show_people)
    routes.add("POST", f"{p}/people", manages, add_person)
    routes.add("POST", f"{p}/people/{{username}}/suspend", manages, suspend_person)
    routes.add("POST", f"{p}/people/{{username}}/readmit", manages, readmit_person)
    routes.add("GET", f"{p}/sources", needs(Permission.SOURCE_READ), show_sources)


def show_new_project(visit: CurrentVisit) -> Response:
    """The empty form."""
    return _new_project_page(visit, None)


def _new_project_page(visit: Visit, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        sources = unit.sources.find()
        everyone = sorted(
            (p for p in unit.people.find() if p.state is PersonState.ACTIVE), key=lambda person: person.name
        )
    uploaded = bool(visit.value("document"))
    return show(
        visit,
        "project_new.html",
        status=status_of(error) if error else 200,
        sources=sources,
        everyone=everyone,
        tiers={
            name: title
            for name, title in visit.portal.tiers.items()
            if name in visit.office.rules.tiers and visit.office.rules.tiers[name].available
        },
        kinds={
            name: kind.title
            for name, kind in visit.office.rules.conditions.kinds.items()
            if kind.without_request
        },
        given={name: values[0] for name, values in visit.form.items() if values},
        chosen=visit.form.get("people", []),
        error=_sentence(error, visit) if error else None,
        error_field=("document" if uploaded else project_forms.field_of(error)) if error else None,
    )


def _sentence(error: Refused, visit: Visit) -> str:
    """The refusal's sentence; for the form without 'file:line', which name nothing there."""
    sentence = error.message(visit.words.language)
    if isinstance(error, DocumentError) and error.file == project_forms.FORM:
        if error.field == "slug":  # rather than the pattern that the document names
            return visit.words("admin.slug_hint")
        return sentence.partition(": ")[2].strip() or sentence
    return sentence


def create_project(visit: CurrentVisit) -> Response:
    """Create a project from the form, or from a whole document uploaded instead."""
    text = visit.value("document")
    try:
        if text:
            document = parse(ProjectDocument, text, name="projet.yaml")
        else:
            document = project_forms.read_form(visit.form)
        project = projects.create_project(
            visit.office, new=projects.project_of(document), by=visit.actor, now=visit.now
        )
    except Refused as error:
        return _new_project_page(visit, error)
    return go(visit, f"/projects/{project.slug}", "project_created")


def _change(visit: Visit, slug: str, action: Callable[..., Project], done: str) -> Response:
    action(visit.office, slug=slug, by=visit.actor, now=visit.now)
    return go(visit, f"/projects/{slug}", done)


def suspend_project(visit: CurrentVisit, slug: str) -> Response:
    """Suspend: desks close at once."""
    return _change(visit, slug, projects.suspend_project, "project_suspended")


def resume_project(visit: CurrentVisit, slug: str) -> Response:
    """Lift a suspension."""
    return _change(visit, slug, projects.resume_project, "project_resumed")


def end_project(visit: CurrentVisit, slug: str) -> Response:
    """End for good."""
    return _change(visit, slug, projects.end_project, "project_ended")


def parse_moment(text: str) -> datetime:
    """A date and time in UTC as a browser's field gives it; Refused `bad_date` otherwise."""
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|\+00:00)?", text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            pass  # such as 31 February: the same refusal as below
    raise Refused(
        "bad_date",
        "Give a date and a time (UTC), such as 2026-11-30 17:00.",
        "Indiquez une date et une heure (UTC), par exemple 2026-11-30 17:00.",
        field="ends_at",
    )


def move_end(visit: CurrentVisit, slug: str) -> Response:
    """Move the end of a project."""
    ends_at = parse_moment(visit.value("ends_at"))
    projects.set_project_end(visit.office, slug=slug, ends_at=ends_at, by=visit.actor, now=visit.now)
    return go(visit, f"/projects/{slug}", "end_moved")


def refresh_extract(visit: CurrentVisit, slug: str) -> Response:
    """Plan the next version of the project's extract, from the sources as they are now."""
    extracts.refresh_extract(visit.office, project=slug, by=visit.actor, now=visit.now)
    return go(visit, f"/projects/{slug}", "extract_refreshed")


def renew_pseudonyms(visit: CurrentVisit, slug: str) -> Response:
    """Give the project new pseudonyms, from its next extract on."""
    extracts.renew_pseudonyms(
        visit.office, project=slug, reason=visit.value("reason"), by=visit.actor, now=visit.now
    )
    return go(visit, f"/projects/{slug}", "pseudonyms_renewed")


def retry_extract(visit: CurrentVisit, slug: str) -> Response:
    """Plan a failed extract again, once its cause is mended."""
    extracts.retry_extract(
        visit.office, extract_id=f"{slug}/v{_version(visit.value('version'))}", by=visit.actor, now=visit.now
    )
    return go(visit, f"/projects/{slug}", "extract_planned")


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def show_people(visit: CurrentVisit) -> Response:
    """Everybody the office knows."""
    return _people_page(visit, None)


def _people_page(visit: Visit, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        everyone = sorted(unit.people.find(), key=lambda person: (person.state, person.name.casefold()))
        memberships: dict[str, list[str]] = {}
        for project in unit.projects.find():
            for username in project.members:
                memberships.setdefault(username, []).append(project.slug)
    return show(
        visit,
        "people.html",
        status=status_of(error) if error else 200,
        here=visit.url("/admin/people"),
        everyone=everyone,
        memberships=memberships,
        manages=visit.may(Permission.PERSON_MANAGE),
        roles=visit.portal.roles,
        error=error.message(visit.words.language) if error else None,
        error_field=error.field if error else None,
        given=_given(visit.form),
        chosen=visit.form.get("roles", []),
    )


def _given(form: Mapping[str, list[str]]) -> dict[str, Any]:
    return {name: (form.get(name) or [""])[0] for name in ("username", "name", "email")}


def parse_roles(names: list[str]) -> frozenset[Role]:
    """The roles named; at least one, all known."""
    try:
        roles = frozenset(Role(name) for name in names)
    except ValueError:
        roles = frozenset()
    if not roles:
        raise Refused("missing", "Choose at least one role.", "Choisissez au moins un rôle.", field="roles")
    return roles


def add_person(visit: CurrentVisit) -> Response:
    """Add a person with roles."""
    try:
        for name in ("name", "email"):
            if not 0 < len(visit.value(name)) <= 200:
                raise Refused("missing", "This is missing.", "Cette indication manque.", field=name)
        people.add_person(
            visit.office,
            username=visit.value("username"),
            name=visit.value("name"),
            email=visit.value("email"),
            roles=parse_roles(visit.form.get("roles", [])),
            by=visit.actor,
            now=visit.now,
        )
    except Refused as error:
        return _people_page(visit, error)
    return go(visit, "/admin/people", "person_added")


def suspend_person(visit: CurrentVisit, username: str) -> Response:
    """Suspend: the person's desks close at once."""
    people.set_person_state(
        visit.office, username=username, state=PersonState.SUSPENDED, by=visit.actor, now=visit.now
    )
    return go(visit, "/admin/people", "person_suspended")


def readmit_person(visit: CurrentVisit, username: str) -> Response:
    """Readmit a suspended person."""
    people.set_person_state(
        visit.office, username=username, state=PersonState.ACTIVE, by=visit.actor, now=visit.now
    )
    return go(visit, "/admin/people", "person_readmitted")


def show_sources(visit: CurrentVisit) -> Response:
    """The registered sources."""
    with visit.office.units.read() as unit:
        sources = sorted(unit.sources.find(), key=lambda source: source.name)
    return show(visit, "sources.html", sources=sources)
