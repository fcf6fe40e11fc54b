"""Extracts: planned with a project, made by the extraction worker, sealed for good."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from hub.actions.ports import Office, Unit
from hub.actions.projects import get_project, plan_version
from hub.actions.provisioning import assessment_of, require_extractable, waiting_for
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.lifecycle import AssessmentState, ExtractState, ProjectState
from hub.domain.permissions import OFFICE, Actor, Permission, require
from hub.domain.records import Extract, Project, Source

_UNDER_WAY = frozenset({AssessmentState.WAITING, AssessmentState.RUNNING})


def get_extract(unit: Unit, extract_id: str) -> Extract:
    """The extract; raises NotFound `unknown_extract`."""
    extract = unit.extracts.get(extract_id)
    if extract is None:
        raise NotFound("unknown_extract", "There is no such extract.", "Cette extraction n’existe pas.")
    return extract


def _move(unit: Unit, extract: Extract, state: ExtractState, now: datetime, **changes: object) -> Extract:
    to = lifecycle.move(lifecycle.EXTRACT, extract.state, state)
    moved = dataclasses.replace(extract, state=to, updated_at=now, **changes)  # type: ignore[arg-type]
    unit.extracts.save(moved)
    return moved


def next_planned(office: Office, unit: Unit, now: datetime) -> Extract | None:
    """The extract that has waited longest among those that may be made now, if any."""
    for extract in sorted(unit.extracts.find(state=ExtractState.PLANNED), key=lambda e: e.planned_at):
        if waiting_for(office, unit, extract, now) is None:
            return extract
    return None


def next_unassessed(office: Office, unit: Unit, now: datetime) -> tuple[Extract, int] | None:
    """A planned extract that waits for nothing but its risk report, with the version of the request (or,
    where there is none, of the extract) that is to be assessed: the report is of the data as they are when
    they are delivered."""
    for extract in sorted(unit.extracts.find(state=ExtractState.PLANNED), key=lambda e: e.planned_at):
        reason = waiting_for(office, unit, extract, now)
        if reason is None or reason.code != "assessment_missing":
            continue
        project = get_project(unit, extract.project)
        assessment = assessment_of(unit, project, extract)
        if assessment is not None and assessment.state in _UNDER_WAY:
            continue
        if project.request is None:
            return extract, extract.version
        request = unit.requests.get(project.request)
        if request is not None and request.approved_version is not None:
            return extract, request.approved_version
    return None


def begin_extract(office: Office, *, extract_id: str, by: Actor, now: datetime) -> tuple[Extract, Project]:
    """PLANNED → EXTRACTING; Refused while a condition, the risk report or a decision on it is lacking."""
    with office.units.write() as unit:
        extract = get_extract(unit, extract_id)
        project = get_project(unit, extract.project)
        require_extractable(office, unit, extract, now)
        extract = _move(unit, extract, ExtractState.EXTRACTING, now, error=None)
        unit.record(by=by, action="extract.begun", object=f"extract:{extract_id}", now=now)
        return extract, project


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
    """EXTRACTING (or PLANNED, where it cannot even be assessed) → FAILED, with a public sentence that says
    what to do."""
    with office.units.write() as unit:
        _move(unit, get_extract(unit, extract_id), ExtractState.FAILED, now, error=sentence, step=None)
        unit.record(
            by=by, action="extract.failed", object=f"extract:{extract_id}", now=now, details={"code": code}
        )


def retry_extract(office: Office, *, extract_id: str, by: Actor, now: datetime) -> None:
    """FAILED → PLANNED, by an admin who mended the cause; what needs a risk report is assessed again."""
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    with office.units.write() as unit:
        extract = get_extract(unit, extract_id)
        _move(unit, extract, ExtractState.PLANNED, now, error=None, progress=0.0, planned_at=now)
        unit.record(by=by, action="extract.planned", object=f"extract:{extract_id}", now=now)


def refresh_extract(office: Office, *, project: str, by: Actor, now: datetime) -> Extract:
    """Plan the next version of a project's extract from the same plan; the old one stays as it is.

    Refused with Conflict while the newest version is not sealed.
    """
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    with office.units.write() as unit:
        return _plan_next(unit, get_project(unit, project), by=by, now=now)


def _plan_next(unit: Unit, project: Project, *, by: Actor, now: datetime) -> Extract:
    versions = unit.extracts.find(project=project.slug)
    newest = max(versions, key=lambda extract: extract.version, default=None)
    if newest is None or newest.state is not ExtractState.SEALED or now >= project.ends_at:
        raise Conflict(
            "nothing_to_refresh",
            "Only a sealed extract of a running project can be refreshed.",
            "Seul un extrait scellé d’un projet en cours peut être actualisé.",
        )
    return plan_version(unit, project.slug, newest.version + 1, newest.plan, by=by, now=now)


def renew_pseudonyms(office: Office, *, project: str, reason: str, by: Actor, now: datetime) -> Extract:
    """Give a project new pseudonyms, from its next extract on, which is planned: after some leaked, say.

    The maps of the versions before stay for the trustee; old pseudonyms are still known by the project's tag
    and check digit; samples stay the same. Refused `missing` without a reason, and as `refresh_extract`.
    """
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    reason = reason.strip()
    if not 0 < len(reason) <= 2000:
        raise Refused(
            "missing",
            "Say why the project needs new pseudonyms (at most 2,000 characters).",
            "Dites pourquoi le projet a besoin de nouveaux pseudonymes (2 000 caractères au plus).",
            field="reason",
        )
    with office.units.write() as unit:
        found = get_project(unit, project)
        made = _plan_next(unit, found, by=by, now=now)
        changed = dataclasses.replace(found, key_version=found.key_version + 1)
        unit.projects.save(changed)
        unit.record(
            by=by,
            action="project.pseudonyms_renewed",
            object=f"project:{project}",
            now=now,
            details={"key_version": changed.key_version, "from": made.id, "reason": reason},
        )
        return made


def note_map_opened(
    office: Office, *, project: str, sha256: str, units: int, reason: str, by: Actor, now: datetime
) -> None:
    """Record, before anything is shown, that the holder of the master key opens a project's map: which (by
    its hash), of how many units, and why. Refused `missing` without a reason."""
    reason = reason.strip()
    if not 0 < len(reason) <= 2000:
        raise Refused(
            "missing",
            "Say why the map is opened (at most 2,000 characters).",
            "Dites pourquoi la table est ouverte (2 000 caractères au plus).",
            field="reason",
        )
    with office.units.write() as unit:
        unit.record(
            by=by,
            action="map.opened",
            object=f"project:{project}",
            now=now,
            details={"sha256": sha256, "units": units, "reason": reason},
        )


def note_source(office: Office, *, source: Source, by: Actor, now: datetime) -> None:
    """Record a source whose file was checked and moved into the warehouse, for the first time or as a new
    edition of what it was."""
    require(office.rules.roles, by, Permission.SOURCE_REGISTER, OFFICE)
    with office.units.write() as unit:
        known = unit.sources.get(source.name)
        before: dict[str, object] = {}
        if known is None:
            unit.sources.add(source)
        else:
            unit.sources.save(source)
            hashes = (known.sha256, known.dictionary_sha256)
            if hashes != (source.sha256, source.dictionary_sha256):
                before = {"before": {"sha256": hashes[0], "dictionary_sha256": hashes[1], "rows": known.rows}}
        unit.record(
            by=by,
            action="source.replaced" if before else "source.registered",
            object=f"source:{source.name}",
            now=now,
            details={"rows": source.rows, "columns": source.columns, "sha256": source.sha256, **before},
        )
