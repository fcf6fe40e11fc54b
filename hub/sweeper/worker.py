"""The extraction worker: assesses requests and makes planned extracts, one after another, in a process of
its own."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from hub import extraction
from hub.actions import assessments, extracts, requests
from hub.actions.ports import Office
from hub.actions.projects import get_project
from hub.actions.provisioning import assessment_of, require_extractable
from hub.documents.classes import ClassSchemes
from hub.documents.manifests import Manifest
from hub.documents.policies import AreaLimits, RiskThresholds
from hub.documents.requests import ExtractSpecification
from hub.domain.errors import IntegrityError, Refused
from hub.domain.lifecycle import ExtractState
from hub.domain.permissions import Actor
from hub.domain.records import Extract, Project
from hub.domain.requests import RequestAssessment
from hub.extraction.maps import read_map
from hub.extraction.plans import DeliveredLevels
from hub.extraction.registers import write_register

WORKER = Actor("extraction", system=True)
PAUSE = 1.0
log = logging.getLogger("vitrine.extraction")


@dataclass(frozen=True)
class Rooms:
    """Where extraction reads and writes, by which class schemes and limits for undelivered areas;
    `master_key` never leaves this process. `ledger`: where the numbers of units go (registers)."""

    warehouse: Path
    extracts: Path
    master_key: bytes
    schemes: ClassSchemes = field(default_factory=dict)
    areas: AreaLimits | None = None
    thresholds: RiskThresholds | None = None
    maps: Path | None = None
    ledger: Path | None = None


def work(office: Office, rooms: Rooms, *, rounds: int | None = None) -> None:
    """Assess and make whatever waits, then wait for more (or stop after `rounds`).

    What somebody asked to see comes before what is delivered; an extract of a request is assessed first.
    """
    extracts.resume_interrupted(office, by=WORKER, now=datetime.now(UTC))
    assessments.resume_assessments(office, by=WORKER, now=datetime.now(UTC))
    done = 0
    while rounds is None or done < rounds:
        busy = _next(office, rooms)
        done += 1
        if rounds is None and not busy:
            time.sleep(PAUSE)


def _next(office: Office, rooms: Rooms) -> bool:
    """Do the next thing; whether there was one."""
    now = datetime.now(UTC)
    with office.units.read() as unit:
        waiting = assessments.next_waiting(unit)
        planned = extracts.next_planned(office, unit, now)
        unassessed = extracts.next_unassessed(office, unit, now)
    if waiting is not None:
        assess(office, rooms, waiting.id)
    elif unassessed is not None:
        extract, version = unassessed
        assessments.plan_assessment(office, extract=extract, version=version, by=WORKER, now=now)
    elif planned is not None:
        make(office, rooms, planned.id)
    return bool(waiting or unassessed or planned)


def assess(office: Office, rooms: Rooms, assessment_id: str) -> None:
    """Count and judge what one version of a request, or an extract without one, comes to; nothing is
    delivered. An extract without a request that cannot be assessed has failed: an admin plans it again."""
    begun = assessments.begin_assessment(
        office, assessment_id=assessment_id, by=WORKER, now=datetime.now(UTC)
    )
    direct = assessments.direct_extract(begun)
    try:
        plan = _assessed_plan(office, rooms, begun)
        if rooms.thresholds is None:
            raise Refused(
                "no_thresholds", "No limits of risk are set.", "Aucune limite de risque n’est fixée."
            )
        found = extraction.assess(
            plan,
            warehouse=rooms.warehouse,
            master_key=rooms.master_key,
            thresholds=rooms.thresholds,
            schemes=rooms.schemes,
            areas=rooms.areas,
            progress=lambda step, share: office.units.note_assessing(
                assessment_id, step=step, share=share, now=datetime.now(UTC)
            ),
        )
    except Refused as refused:
        log.error("%s cannot be assessed: %s", assessment_id, refused.code)
        assessments.fail_assessment(
            office, assessment_id=assessment_id, error=refused, by=WORKER, now=datetime.now(UTC)
        )
        if direct is not None:
            _fail(office, direct, refused)
        return
    assessments.finish_assessment(
        office,
        assessment_id=assessment_id,
        result={
            "plan_sha256": plan.digest,
            "rows": found.rows,
            "populations": {
                name: {"drawn": size.drawn, "of": size.of} for name, size in found.populations.items()
            },
            "report": found.report.model_dump(mode="json"),
        },
        light=found.report.light.value,
        by=WORKER,
        now=datetime.now(UTC),
    )
    log.info("%s assessed", assessment_id)


def _assessed_plan(office: Office, rooms: Rooms, assessment: RequestAssessment) -> extraction.ExtractPlan:
    direct = assessments.direct_extract(assessment)
    with office.units.read() as unit:
        if direct is not None:
            extract = extracts.get_extract(unit, direct)
            return _plan(office, rooms, extract, get_project(unit, extract.project))
        request = requests.get_request(unit, assessment.request)
        document = requests.document_of(requests.get_version(unit, request, assessment.version))
        project = None if request.project is None else get_project(unit, request.project)
        newest = 0 if project is None else max(e.version for e in unit.extracts.find(project=project.slug))
    specification, sha256 = document.specification, document.digest
    return _planned(office, rooms, specification, document.slug, sha256, project, newest)


def _plan(office: Office, rooms: Rooms, extract: Extract, project: Project) -> extraction.ExtractPlan:
    specification = extraction.read_specification(extract.plan, warehouse=rooms.warehouse)
    sha256 = project.request_sha256
    return _planned(office, rooms, specification, project.slug, sha256, project, extract.version)


def _before(office: Office, project: Project, version: int) -> DeliveredLevels | None:
    """The levels of the newest sealed version before this one that has the same pseudonyms."""
    with office.units.read() as unit:
        found = [
            extract
            for extract in unit.extracts.find(project=project.slug, state=ExtractState.SEALED)
            if extract.version < version
        ]
    if not found:
        return None
    newest = max(found, key=lambda extract: extract.version)
    try:
        manifest = Manifest.model_validate_json(json.dumps(newest.manifest))
    except ValidationError:
        raise IntegrityError(
            "manifest_damaged",
            f"What version {newest.version} delivered is not recorded: nothing can be put beside it.",
            f"Ce que la version {newest.version} a livré n’est pas consigné : rien ne peut y être joint.",
            field="extract",
        ) from None
    if manifest.pseudonyms.key_version != project.key_version:
        return None
    return {
        dataset: {name: column.level for name, column in columns.items()}
        for dataset, columns in manifest.levels.items()
    }


def _planned(
    office: Office,
    rooms: Rooms,
    specification: ExtractSpecification,
    slug: str,
    request_sha256: str | None,
    project: Project | None,
    version: int,
) -> extraction.ExtractPlan:
    """`project`: None while there is only a request."""
    return extraction.plan_extract(
        specification,
        project=slug,
        policy_fingerprint=office.rules.fingerprint,
        warehouse=rooms.warehouse,
        schemes=rooms.schemes,
        areas=rooms.areas,
        tag=None if project is None else project.tag,
        key_version=1 if project is None else project.key_version,
        request_sha256=request_sha256,
        before=None if project is None else _before(office, project, version),
    )


def _fail(office: Office, extract_id: str, refused: Refused) -> None:
    log.error("%s failed: %s", extract_id, refused.code)
    extracts.fail_extract(
        office,
        extract_id=extract_id,
        code=refused.code,
        sentence=f"{refused.fr} / {refused.en}",
        by=WORKER,
        now=datetime.now(UTC),
    )


def make(office: Office, rooms: Rooms, extract_id: str) -> None:
    """Make one extract; a refusal is recorded with its sentence, for the admin to read."""
    extract, project = extracts.begin_extract(office, extract_id=extract_id, by=WORKER, now=datetime.now(UTC))
    try:
        manifest = _manifest(office, rooms, extract, project)
        _register(rooms, extract, project)
    except Refused as refused:
        _fail(office, extract_id, refused)
        return
    extracts.seal_extract(office, extract_id=extract_id, manifest=manifest, by=WORKER, now=datetime.now(UTC))
    log.info("%s sealed", extract_id)


def _manifest(office: Office, rooms: Rooms, extract: Extract, project: Project) -> Mapping[str, object]:
    """Extract, or take what an earlier run had sealed when it was cut before saying so.

    Conditions and decisions are looked at once more: they may have been revoked since the extract was begun.
    """
    with office.units.read() as unit:
        require_extractable(office, unit, extract, datetime.now(UTC))
        assessment = assessment_of(unit, project, extract)
    into = rooms.extracts / extract.id
    if into.exists():
        return extraction.verify_extract(into).model_dump(mode="json")
    plan = _plan(office, rooms, extract, project)
    if assessment is not None and assessment.found.get("plan_sha256") != plan.digest:
        raise Refused(
            "report_outdated",
            "A source or a policy has changed since the risk report. Plan the extract again.",
            "Une source ou une règle a changé depuis le rapport de risque. Relancez l’extraction.",
        )
    into.parent.mkdir(parents=True, exist_ok=True)
    made = extraction.extract(
        plan,
        warehouse=rooms.warehouse,
        schemes=rooms.schemes,
        areas=rooms.areas,
        master_key=rooms.master_key,
        into=into,
        maps=None if rooms.maps is None else rooms.maps / f"{extract.id}.map",
        now=datetime.now(UTC),
        progress=lambda step, share: office.units.note_progress(
            extract.id, step=step, share=share, now=datetime.now(UTC)
        ),
    )
    return made.model_dump(mode="json")


def _register(rooms: Rooms, extract: Extract, project: Project) -> None:
    """Number the units that the project's map names, for the ledger; after an interruption once more."""
    if rooms.maps is None or rooms.ledger is None:
        return
    path = rooms.maps / f"{extract.id}.map"
    _, units = read_map(path, project=project.slug, master_key=rooms.master_key)
    write_register(units, extract=extract.id, master_key=rooms.master_key, into=rooms.ledger)
