"""Projects: provisioning, suspending, ending. Whatever closes a project closes its desks at once."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from hub.actions.conditions import require_open_kind
from hub.actions.people import get_person
from hub.actions.ports import Office, Unit
from hub.documents.projects import ProjectDocument
from hub.documents.requests import ExtractSpecification
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.levels import Level, choose_level
from hub.domain.lifecycle import ExtractState, ProjectState
from hub.domain.permissions import OFFICE, Actor, Permission, require
from hub.domain.records import Extract, Project, Source

_SLUG = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,29}")


@dataclasses.dataclass(frozen=True)
class NewProject:
    """What an admin gives; `plan` is the extract specification, already parsed and strict.

    `request` and what follows it are there when the project comes from an approved request, `kind` when it
    comes from none.
    """

    slug: str
    title: str
    purpose: str
    tier: str
    people: Sequence[str]
    starts_at: datetime
    ends_at: datetime
    plan: Mapping[str, object]
    request: str | None = None
    request_sha256: str | None = None
    destroy_by: date | None = None
    retain_until: date | None = None
    kind: str | None = None


def project_of(document: ProjectDocument) -> NewProject:
    """What the action takes, from a strict document."""
    return NewProject(
        slug=document.slug,
        title=document.title,
        purpose=document.purpose,
        tier=document.tier.value,
        people=document.people,
        starts_at=document.start,
        ends_at=document.end,
        plan=document.extract.model_dump(mode="json", by_alias=True),
        kind=document.kind,
    )


def get_project(unit: Unit, slug: str) -> Project:
    """The project; raises NotFound `unknown_project`."""
    project = unit.projects.get(slug)
    if project is None:
        raise NotFound("unknown_project", "There is no such project.", "Ce projet n’existe pas.")
    return project


def _check(
    office: Office, unit: Unit, new: NewProject, now: datetime, *, replaces: Project | None = None
) -> None:
    """Refuse what cannot become a project, or what is to replace one, naming the field."""
    if not _SLUG.fullmatch(new.slug):
        raise Refused(
            "bad_slug",
            "The short name is 1 to 30 small letters, digits or single hyphens and begins with a letter.",
            "Le nom court comporte 1 à 30 minuscules, chiffres ou tirets simples et commence par une lettre.",
            field="slug",
        )
    taken = unit.projects.get(new.slug)
    if taken is not None and (replaces is None or replaces.slug != taken.slug):
        raise Conflict(
            "duplicate_slug",
            "There is already a project with this short name.",
            "Un projet porte déjà ce nom court.",
            field="slug",
        )
    if not new.title.strip():
        raise Refused("missing", "The title is missing.", "Le titre manque.", field="title")
    if new.ends_at <= new.starts_at:
        raise Refused(
            "end_before_start",
            "The end must be later than the start.",
            "La fin doit être postérieure au début.",
            field="ends_at",
        )
    if new.ends_at <= now:
        raise Refused("end_in_past", "The end is in the past.", "La fin est déjà passée.", field="ends_at")
    tier = office.rules.tiers.get(new.tier)
    if tier is None or not tier.available:
        raise Refused(
            "unknown_tier",
            f"The display tier '{new.tier}' is not available here.",
            f"Le niveau d’affichage « {new.tier} » n’est pas disponible ici.",
            field="tier",
        )
    if not new.people:
        raise Refused(
            "missing",
            "A project needs at least one person.",
            "Un projet doit compter au moins une personne.",
            field="people",
        )
    for username in new.people:
        get_person(unit, username)
    if new.request is None:  # an approved request was judged with its dictionaries and conditions
        _check_plan(unit, new.plan)
        require_open_kind(office.rules, unit, new.kind, sources_of(new.plan))


def sources_of(plan: Mapping[str, object]) -> tuple[str, ...]:
    """The sources that a stored plan reads, in its long or short form (hub.documents.projects)."""
    if "datasets" not in plan:
        return (str(plan.get("source", "")),)
    text = json.dumps(dict(plan))
    return ExtractSpecification.model_validate_json(text, by_alias=True, by_name=False).sources


def _check_plan(unit: Unit, plan: Mapping[str, object]) -> None:
    """The source is registered and may deliver these columns; the extraction checks all of it again."""
    name = str(plan.get("source", ""))
    source = unit.sources.get(name)
    if source is None:
        raise Refused(
            "unknown_source",
            f"The source '{name}' is not registered.",
            f"La source « {name} » n’est pas enregistrée.",
            field="extract.source",
        )
    columns = plan.get("columns")
    for position, column in enumerate(columns if isinstance(columns, list | tuple) else ()):
        _check_column(source, column, f"extract.columns[{position}]")


def _check_column(source: Source, column: object, field: str) -> None:
    """A column is a name, or a mapping with the variable, a level and the reason for it."""
    asked: Mapping[str, object] = column if isinstance(column, Mapping) else {"variable": column}
    name = str(asked.get("variable"))
    variable = source.variables.get(name)
    if not isinstance(variable, Mapping) or not variable.get("deliverable"):
        raise Refused(
            "unknown_column",
            f"The source has no column '{name}' that may be delivered.",
            f"La source n’a pas de colonne « {name} » qui puisse être remise.",
            field="extract.columns",
        )
    level = asked.get("level")
    try:
        # Sources registered before there were levels have none recorded: they deliver values as they are.
        offered = [Level(word) for word in variable.get("levels", [Level.RAW])]
        wanted = None if level is None else Level(str(level))
    except ValueError:
        raise Refused(
            "unknown_level",
            f"There is no such level for '{name}'.",
            f"Il n’y a pas de tel niveau pour « {name} ».",
            field=f"{field}.level",
        ) from None
    choose_level(offered, wanted, str(asked.get("justification") or ""), name=name, field=field)


def create_project(office: Office, *, new: NewProject, by: Actor, now: datetime) -> Project:
    """Create a project and plan its extract. Raises Refused or Conflict naming the field."""
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    with office.units.write() as unit:
        return add_project(office, unit, new, by=by, now=now)


def add_project(office: Office, unit: Unit, new: NewProject, *, by: Actor, now: datetime) -> Project:
    """Add the project and plan its extract, inside the caller's transaction and by its permission."""
    _check(office, unit, new, now)
    number = max((p.number for p in unit.projects.find()), default=0) + 1
    project = Project(
        slug=new.slug,
        number=number,
        title=new.title.strip(),
        purpose=new.purpose.strip(),
        tier=new.tier,
        state=ProjectState.APPROVED,
        members=frozenset(new.people),
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        plan=new.plan,
        created_at=now,
        created_by=by.audit_name,
        request=new.request,
        request_sha256=new.request_sha256,
        destroy_by=new.destroy_by,
        retain_until=new.retain_until,
        kind=new.kind,
    )
    unit.projects.add(project)
    origin = (
        {"source": str(new.plan.get("source")), "kind": new.kind}
        if new.request is None
        else {"request": new.request, "sha256": new.request_sha256}
    )
    unit.record(
        by=by,
        action="project.created",
        object=f"project:{new.slug}",
        now=now,
        details={
            "people": sorted(new.people),
            "tier": new.tier,
            "starts_at": new.starts_at.isoformat(),
            "ends_at": new.ends_at.isoformat(),
            **origin,
            "policies": office.rules.fingerprint,
        },
    )
    plan_version(unit, new.slug, 1, new.plan, by=by, now=now)
    return project


def replace_project(
    office: Office, unit: Unit, project: Project, new: NewProject, *, by: Actor, now: datetime
) -> Project:
    """Give a project of which nothing was delivered what its request says now, and plan its next extract,
    inside the caller's transaction and by its permission. Conflict `project_ended` where it is over."""
    _refuse_if_over(project, now)
    _check(office, unit, new, now, replaces=project)
    changed = dataclasses.replace(
        project,
        title=new.title.strip(),
        purpose=new.purpose.strip(),
        tier=new.tier,
        members=frozenset(new.people),
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        plan=new.plan,
        request_sha256=new.request_sha256,
        destroy_by=new.destroy_by,
        retain_until=new.retain_until,
    )
    unit.projects.save(changed)
    unit.record(
        by=by,
        action="project.replaced",
        object=f"project:{project.slug}",
        now=now,
        details={
            "people": sorted(new.people),
            "tier": new.tier,
            "starts_at": new.starts_at.isoformat(),
            "ends_at": new.ends_at.isoformat(),
            "request": new.request,
            "sha256": new.request_sha256,
            "policies": office.rules.fingerprint,
        },
    )
    newest = max(extract.version for extract in unit.extracts.find(project=project.slug))
    plan_version(unit, project.slug, newest + 1, new.plan, by=by, now=now)
    return changed


def plan_version(
    unit: Unit, slug: str, version: int, plan: Mapping[str, object], *, by: Actor, now: datetime
) -> Extract:
    """Plan one version of a project's extract, inside the caller's transaction."""
    planned = Extract(
        id=f"{slug}/v{version}",
        project=slug,
        version=version,
        state=ExtractState.PLANNED,
        plan=plan,
        manifest=None,
        error=None,
        step=None,
        progress=0.0,
        planned_at=now,
        updated_at=now,
    )
    unit.extracts.add(planned)
    unit.record(by=by, action="extract.planned", object=f"extract:{planned.id}", now=now)
    return planned


def _close_desks(office: Office, unit: Unit, slug: str, reason: str) -> None:
    for session in unit.sessions.find(project=slug):
        if session.ended_at is None:
            office.session_files.end(session.id, reason)


def suspend_project(office: Office, *, slug: str, by: Actor, now: datetime) -> Project:
    """Suspend a project: its desks close at once, nothing is lost."""
    return _set_state(office, slug, ProjectState.SUSPENDED, "project_suspended", by=by, now=now)


def resume_project(office: Office, *, slug: str, by: Actor, now: datetime) -> Project:
    """Lift a suspension; people may open desks again."""
    return _set_state(office, slug, ProjectState.ACTIVE, None, by=by, now=now)


def _set_state(
    office: Office, slug: str, state: ProjectState, reason: str | None, *, by: Actor, now: datetime
) -> Project:
    with office.units.write() as unit:
        project = get_project(unit, slug)
        require(office.rules.roles, by, Permission.PROJECT_SUSPEND, project.subject)
        if state is ProjectState.ACTIVE and project.state is not ProjectState.SUSPENDED:
            raise Conflict("wrong_state", "This project is not suspended.", "Ce projet n’est pas suspendu.")
        changed = dataclasses.replace(project, state=lifecycle.move(lifecycle.PROJECT, project.state, state))
        unit.projects.save(changed)
        verb = "resumed" if reason is None else "suspended"
        unit.record(by=by, action=f"project.{verb}", object=f"project:{slug}", now=now)
    if reason is not None:
        with office.units.read() as unit:
            _close_desks(office, unit, slug, reason)
    return changed


def set_project_end(office: Office, *, slug: str, ends_at: datetime, by: Actor, now: datetime) -> Project:
    """Move a project's end, earlier or later but never into the past (`end_project` ends it now)."""
    if ends_at <= now:
        raise Refused("end_in_past", "The end is in the past.", "La fin est déjà passée.", field="ends_at")
    with office.units.write() as unit:
        project = get_project(unit, slug)
        require(office.rules.roles, by, Permission.PROJECT_END, project.subject)
        _refuse_if_over(project, now)
        if ends_at <= project.starts_at:
            raise Refused(
                "end_before_start",
                "The end must be later than the start.",
                "La fin doit être postérieure au début.",
                field="ends_at",
            )
        changed = dataclasses.replace(project, ends_at=ends_at)
        unit.projects.save(changed)
        for session in unit.sessions.find(project=slug):
            if session.ended_at is None:
                unit.sessions.save(dataclasses.replace(session, ends_at=ends_at))
        unit.record(
            by=by,
            action="project.end_moved",
            object=f"project:{slug}",
            now=now,
            details={"from": project.ends_at.isoformat(), "to": ends_at.isoformat()},
        )
        sessions = [s for s in unit.sessions.find(project=slug) if s.ended_at is None]
    for session in sessions:
        office.session_files.set_ends_at(session.id, ends_at)
    return changed


def end_project(office: Office, *, slug: str, by: Actor, now: datetime) -> Project:
    """End a project now, for good: its desks close at once and no new one opens."""
    with office.units.write() as unit:
        project = get_project(unit, slug)
        require(office.rules.roles, by, Permission.PROJECT_END, project.subject)
        changed = expire(unit, project, reason="ended_early", by=by, now=now)
    with office.units.read() as unit:
        _close_desks(office, unit, slug, "project_ended")
    return changed


def expire(unit: Unit, project: Project, *, reason: str, by: Actor, now: datetime) -> Project:
    """Mark a project as over, inside the caller's transaction."""
    changed = dataclasses.replace(
        project,
        state=lifecycle.move(lifecycle.PROJECT, project.state, ProjectState.EXPIRED),
        ends_at=min(project.ends_at, now),
        ended_reason=reason,
    )
    unit.projects.save(changed)
    unit.record(
        by=by, action="project.ended", object=f"project:{project.slug}", now=now, details={"reason": reason}
    )
    return changed


def _refuse_if_over(project: Project, now: datetime) -> None:
    if project.state in (ProjectState.EXPIRED, ProjectState.CLOSED) or now >= project.ends_at:
        raise Conflict("project_ended", "This project has ended.", "Ce projet est terminé.")
