"""From an approved request to a project, and what an extract waits for before it is made."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, time, timedelta

from hub.actions.assessments import RED, direct_key
from hub.actions.conditions import require_conditions, require_open_kind
from hub.actions.ports import Office, Unit
from hub.actions.projects import NewProject, add_project, get_project, replace_project, sources_of
from hub.actions.requests import approved_document, get_request
from hub.domain.errors import Conflict, IntegrityError, Refused
from hub.domain.lifecycle import AssessmentState
from hub.domain.permissions import OFFICE, Actor, Permission, require
from hub.domain.records import Extract, Project
from hub.domain.requests import RequestAssessment, RiskChoice


def provision(office: Office, *, request_id: str, by: Actor, now: datetime) -> Project:
    """Make the project of an approved request whose conditions are met, and plan its extract.

    People, display, dates, plan and the request's hash are those of the frozen version. Once only, unless the
    request was reopened and approved again with other content: its project, of which nothing was delivered,
    then takes that.
    """
    require(office.rules.roles, by, Permission.PROJECT_CREATE, OFFICE)
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
        document = approved_document(unit, request)
        before = None if request.project is None else get_project(unit, request.project)
        if before is not None and before.request_sha256 == document.digest:
            raise Conflict(
                "provisioned",
                "The project of this request exists already.",
                "Le projet de cette demande existe déjà.",
            )
        require_conditions(office.rules, unit, request, now.date())
        new = NewProject(
            slug=document.slug,
            title=document.title,
            purpose=document.purpose,
            tier=document.tier.value,
            people=[person.username for person in document.people],
            starts_at=datetime.combine(document.starts_at, time.min, UTC),
            ends_at=datetime.combine(document.ends_at, time.min, UTC) + timedelta(days=1),
            plan=document.specification.model_dump(mode="json", by_alias=True),
            request=request.id,
            request_sha256=document.digest,
            destroy_by=document.destroy_by,
            retain_until=document.retain_until,
        )
        if before is None:
            project = add_project(office, unit, new, by=by, now=now)
        else:
            project = replace_project(office, unit, before, new, by=by, now=now)
        unit.requests.save(dataclasses.replace(request, project=project.slug, updated_at=now))
        unit.record(
            by=by,
            action="request.provisioned",
            object=f"request:{request.id}",
            now=now,
            details={"project": project.slug, "sha256": document.digest},
        )
    return project


def assessment_of(unit: Unit, project: Project, extract: Extract) -> RequestAssessment | None:
    """The assessment of the version that the project came from; without a request, of the extract itself."""
    if project.request is None:
        return unit.assessments.get(direct_key(extract))
    request = unit.requests.get(project.request)
    if request is None or request.approved_version is None:
        return None
    return unit.assessments.get(f"{request.id}/v{request.approved_version}")


def require_extractable(office: Office, unit: Unit, extract: Extract, now: datetime) -> None:
    """Return only if the extract may be made now.

    1. A project without a request is of a kind for open data, and its sources are open still.
    2. The request is approved and frozen; the project's hash and the extract's plan are those of the
       frozen version.
    3. Every condition of its kind is recorded and valid today.
    4. It was assessed since the extract was planned, and a red report has a decision to proceed, unless the
       kind only shows it.
    """
    project = get_project(unit, extract.project)
    if project.request is None:  # (1)
        require_open_kind(office.rules, unit, project.kind, sources_of(extract.plan))
        _require_assessed(office, assessment_of(unit, project, extract), extract, project.kind or "")
        return
    request = get_request(unit, project.request)
    document = approved_document(unit, request)  # (2)
    plan = document.specification.model_dump(mode="json", by_alias=True)
    plans = (dict(project.plan), dict(extract.plan))
    if document.digest != project.request_sha256 or plans != (plan, plan):
        raise IntegrityError(
            "request_changed",
            "The project’s plan is not that of the approved request.",
            "Le plan du projet n’est pas celui de la demande approuvée.",
        )
    require_conditions(office.rules, unit, request, now.date())  # (3)
    _require_assessed(office, assessment_of(unit, project, extract), extract, document.kind)  # (4)


def _require_assessed(
    office: Office, assessment: RequestAssessment | None, extract: Extract, kind: str
) -> None:
    if (
        assessment is None
        or assessment.state in (AssessmentState.WAITING, AssessmentState.RUNNING)
        or assessment.asked_at < extract.planned_at
    ):
        raise Refused(
            "assessment_missing",
            "The risk report is not made yet.",
            "Le rapport de risque n’est pas encore établi.",
        )
    if assessment.state is AssessmentState.FAILED:
        told = assessment.error or {}
        raise Refused("assessment_failed", str(told.get("en", "")), str(told.get("fr", "")))
    waits = office.rules.conditions.kinds[kind].red_report == "decide"
    if waits and assessment.light == RED and assessment.choice is not RiskChoice.PROCEED:
        raise Refused(
            "risk_decision",
            "The risk report is red: an administrator’s recorded decision is needed.",
            "Le rapport de risque est au rouge : une décision motivée de l’administration est nécessaire.",
        )


def waiting_for(office: Office, unit: Unit, extract: Extract, now: datetime) -> Refused | None:
    """Why the extract cannot be made yet; None when it can."""
    try:
        require_extractable(office, unit, extract, now)
    except Refused as refused:
        return refused
    return None
