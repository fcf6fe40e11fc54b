"""Extracts: planned with a project, made by the extraction worker, sealed for good."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from hub.actions.ports import Office, Unit
from hub.actions.projects import get_project
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound
from hub.domain.lifecycle import ExtractState, ProjectState
from hub.domain.permissions import OFFICE, Actor, Permission, require
from hub.domain.records import Extract, Project, Source


def get_extract(unit: Unit, extract_id: str) -> Extract:
    """The extract; raises NotFound `unknown_extract`."""
    extract = unit.extracts.get(extract_id)
    if extract is None:
        raise NotFound("unknown_extract", "There is no such extract.", "Cette extraction n'existe pas.")
    return extract


def _move(unit: Unit, extract: Extract, state: ExtractState, now: datetime, **changes: object) -> Extract:
    to = lifecycle.move(lifecycle.EXTRACT, extract.state, state)
    moved = dataclasses.replace(extract, state=to, updated_at=now, **changes)  # type: ignore[arg-type]
    unit.extracts.save(moved)
    return moved


def next_planned(unit: Unit) -> Extract | None:
    """The extract that has waited longest, if any."""
    return min(
        unit.extracts.find(state=ExtractState.PLANNED), key=lambda extract: extract.planned_at, default=None
    )


def begin_extract(office: Office, *, extract_id: str, by: Actor, now: datetime) -> tuple[Extract, Project]:
    """PLANNED → EXTRACTING."""
    with office.units.write() as unit:
        extract = _move(unit, get_extract(unit, extract_id), ExtractState.EXTRACTING, now, error=None)
        unit.record(by=by, action="extract.begun", object=f"extract:{extract_id}", now=now)
        return extract, get_project(unit, extract.project)


def resume_interrupted(office: Office, *, by: Actor, now: datetime) -> list[str]:
    """EXTRACTING → PLANNED for all: called when the only worker starts, so whatever it was doing was cut."""
    with office.units.read() as unit:
        cut = unit.extracts.find(state=ExtractState.EXTRACTING)
    if not cut:
        return []
    with office.units.write() as unit:
        for extract in unit.extracts.find(state=ExtractState.EXTRACTING):
            _move(unit, extract, ExtractState.PLANNED, now, step=None, progress=0.0)
            unit.record(by=by, action="extract.interrupted", object=f"extract:{extract.id}", now=now)
    return [extract.id for extract in cut]


def seal_extract(
    office: Office, *, extract_id: str, manifest: Mapping[str, object], by: Actor, now: datetime
) -> None:
    """EXTRACTING → SEALED, and the project becomes ACTIVE if it was only waiting for its data."""
    with office.units.write() as unit:
        extract = _move(
            unit,
            get_extract(unit, extract_id),
            ExtractState.SEALED,
            now,
            manifest=manifest,
            step=None,
            progress=1.0,
        )
        unit.record(
            by=by,
            action="extract.sealed",
            object=f"extract:{extract_id}",
            now=now,
            details={"manifest": dict(manifest)},
        )
        project = get_project(unit, extract.project)
        if project.state is ProjectState.APPROVED and now < project.ends_at:
            state = lifecycle.move(lifecycle.PROJECT, project.state, ProjectState.ACTIVE)
            unit.projects.save(dataclasses.replace(project, state=state))
            unit.record(by=by, action="project.activated", object=f"project:{project.slug}", now=now)


def fail_extract(
    office: Office, *, extract_id: str, code: str, sentence: str, by: Actor, now: datetime
) -> None:
    """EXTRACTING → FAILED, with a public sentence that says what to do."""
    with office.units.write() as unit:
        _move(unit, get_extract(unit, extract_id), ExtractState.FAILED, now, error=sentence, step=None)
        unit.record(
            by=by, action="extract.failed", object=f"extract:{extract_id}", now=now, details={"code": code}
        )


def retry_extract(office: Office, *, extract_id: str, by: Actor, now: datetime) -> None:
    """FAILED → PLANNED, by an admin who mended the cause."""
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    with office.units.write() as unit:
        _move(unit, get_extract(unit, extract_id), ExtractState.PLANNED, now, error=None, progress=0.0)
        unit.record(by=by, action="extract.planned", object=f"extract:{extract_id}", now=now)


def refresh_extract(office: Office, *, project: str, by: Actor, now: datetime) -> Extract:
    """Plan the next version of a project's extract from the same plan; the old one stays as it is.

    Refused with Conflict while the newest version is not sealed.
    """
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    with office.units.write() as unit:
        found = get_project(unit, project)
        versions = unit.extracts.find(project=project)
        newest = max(versions, key=lambda extract: extract.version, default=None)
        if newest is None or newest.state is not ExtractState.SEALED or now >= found.ends_at:
            raise Conflict(
                "nothing_to_refresh",
                "Only a sealed extract of a running project can be refreshed.",
                "Seul un extrait scellé d’un projet en cours peut être actualisé.",
            )
        version = newest.version + 1
        made = dataclasses.replace(
            newest,
            id=f"{project}/v{version}",
            version=version,
            state=ExtractState.PLANNED,
            manifest=None,
            error=None,
            step=None,
            progress=0.0,
            planned_at=now,
            updated_at=now,
        )
        unit.extracts.add(made)
        unit.record(by=by, action="extract.planned", object=f"extract:{made.id}", now=now)
        return made


def note_source(office: Office, *, source: Source, by: Actor, now: datetime) -> None:
    """Record a source whose file was checked and moved into the warehouse."""
    require(office.rules.roles, by, Permission.SOURCE_REGISTER, OFFICE)
    with office.units.write() as unit:
        if unit.sources.get(source.name) is None:
            unit.sources.add(source)
        else:
            unit.sources.save(source)
        unit.record(
            by=by,
            action="source.registered",
            object=f"source:{source.name}",
            now=now,
            details={"rows": source.rows, "columns": source.columns, "sha256": source.sha256},
        )
