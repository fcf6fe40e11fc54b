"""Assessments: how many rows a request comes to and how risky it is, found by the extraction worker.

The portal cannot reach the data, so it asks: an assessment WAITING in the records is taken up by the
worker. Of an approved request it is made again before anything is delivered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta

from hub.actions.ports import Office, Unit
from hub.actions.projects import get_project
from hub.actions.requests import get_request, get_version
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import AssessmentState
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import Extract
from hub.domain.requests import RequestAssessment, RiskChoice

RED = "red"
# Each estimate tells a little about the data: asking again with slightly different filters must not
# become a way of counting people.
ESTIMATES_A_DAY = 20
_DIRECT = "project/"  # no request is called so


def get_assessment(unit: Unit, assessment_id: str) -> RequestAssessment:
    """The assessment of a version; NotFound `unknown_assessment`."""
    found = unit.assessments.get(assessment_id)
    if found is None:
        raise NotFound("unknown_assessment", "Nothing was estimated yet.", "Rien n’a encore été estimé.")
    return found


def ask_assessment(office: Office, *, request_id: str, by: Actor, now: datetime) -> RequestAssessment:
    """Have the newest version assessed; one that waits, runs or is done is answered as it is.

    Refused `request_incomplete` while the version has problems, `too_many_estimates` beyond so many a day.
    """
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        own = by.username in request.members
        permission = Permission.REQUEST_WRITE if own else Permission.REQUEST_REVIEW
        require(office.rules.roles, by, permission, request.subject)
        version = get_version(unit, request)
        if version.problems:
            raise Refused(
                "request_incomplete",
                "What is wrong with the request must be mended before an estimate.",
                "Corrigez d’abord ce qui ne va pas dans la demande.",
            )
        known = unit.assessments.get(version.id)
        if known is not None and known.state is not AssessmentState.FAILED:
            unit.record(by=by, action="request.estimate_seen", object=f"request:{request_id}", now=now)
            return known
        if own and _asked_since(unit, by, now - timedelta(days=1)) >= ESTIMATES_A_DAY:
            raise PermissionDenied(
                "too_many_estimates",
                f"At most {ESTIMATES_A_DAY} estimates a day.",
                f"Au plus {ESTIMATES_A_DAY} estimations par jour.",
            )
        return put_assessment(unit, request_id, version.version, by=by, now=now)


def _asked_since(unit: Unit, by: Actor, since: datetime) -> int:
    return sum(a.asked_at > since for a in unit.assessments.find(asked_by=by.audit_name))


def plan_assessment(office: Office, *, extract: Extract, version: int, by: Actor, now: datetime) -> None:
    """Have the request of a planned extract assessed again: what is reported is what will be delivered."""
    with office.units.write() as unit:
        project = get_project(unit, extract.project)
        if project.request is None:
            key = direct_key(extract)
            _put(
                unit,
                RequestAssessment(key, "", version, AssessmentState.WAITING, by.audit_name, now, now),
                by,
            )
        else:
            put_assessment(unit, project.request, version, by=by, now=now)


def direct_key(extract: Extract) -> str:
    """Under which an extract is assessed whose project has no request."""
    return f"{_DIRECT}{extract.id}"


def direct_extract(assessment: RequestAssessment) -> str | None:
    """The extract that such an assessment is of; None where it is of a request."""
    return None if assessment.request else assessment.id.removeprefix(_DIRECT)


def put_assessment(
    unit: Unit, request_id: str, version: int, *, by: Actor, now: datetime
) -> RequestAssessment:
    """Plan an assessment, inside the caller's transaction; a decision made on an older one stands only if the
    new report says the same (`finish_assessment`)."""
    key = f"{request_id}/v{version}"
    fresh = RequestAssessment(key, request_id, version, AssessmentState.WAITING, by.audit_name, now, now)
    return _put(unit, fresh, by)


def _put(unit: Unit, fresh: RequestAssessment, by: Actor) -> RequestAssessment:
    key = fresh.id
    known = unit.assessments.get(key)
    if known is None:
        unit.assessments.add(fresh)
    else:
        lifecycle.move(lifecycle.ASSESSMENT, known.state, AssessmentState.WAITING)
        if known.choice is not None:
            fresh = _decided_like(fresh, known)
        unit.assessments.save(fresh)
    kind, about = _about(fresh)
    unit.record(
        by=by,
        action=f"{kind}.estimate_asked",
        object=about,
        now=fresh.asked_at,
        details={"version": fresh.version},
    )
    return fresh


def _decided_like(fresh: RequestAssessment, known: RequestAssessment) -> RequestAssessment:
    """`fresh` with what was found and decided before, to be compared when it is found anew."""
    kept = ("result", "light", "choice", "choice_by", "choice_at", "choice_reason")
    return dataclasses.replace(fresh, **{name: getattr(known, name) for name in kept})


def _says_the_same(after: RequestAssessment, before: RequestAssessment) -> bool:
    """Whether a decision on the report `before` is one on this: the same rows, people and measures."""
    new, known = after.result or {}, before.result or {}
    return after.light == before.light and all(
        name in known and known[name] == new.get(name) for name in ("rows", "populations", "report")
    )


def _about(assessment: RequestAssessment) -> tuple[str, str]:
    """What the audit log calls it: the request or, without one, the extract."""
    extract = direct_extract(assessment)
    return (
        ("request", f"request:{assessment.request}") if extract is None else ("extract", f"extract:{extract}")
    )


def next_waiting(unit: Unit) -> RequestAssessment | None:
    """The assessment that has waited longest."""
    return min(unit.assessments.find(state=AssessmentState.WAITING), key=lambda a: a.asked_at, default=None)


def begin_assessment(office: Office, *, assessment_id: str, by: Actor, now: datetime) -> RequestAssessment:
    """WAITING → RUNNING."""
    return _move(office, assessment_id, AssessmentState.RUNNING, "assessing", by=by, now=now)


def finish_assessment(
    office: Office,
    *,
    assessment_id: str,
    result: Mapping[str, object],
    light: str,
    by: Actor,
    now: datetime,
) -> RequestAssessment:
    """RUNNING → DONE, with what was found; `light` is green, amber or red.

    A decision on the report before stands where this one says the same, and is gone where it does not.
    """
    return _move(
        office, assessment_id, AssessmentState.DONE, "assessed", by=by, now=now, result=result, light=light
    )


def fail_assessment(office: Office, *, assessment_id: str, error: Refused, by: Actor, now: datetime) -> None:
    """RUNNING → FAILED, with the refusal's code, field and sentences."""
    told = {"code": error.code, "field": error.field, "en": error.en, "fr": error.fr}
    _move(office, assessment_id, AssessmentState.FAILED, "assessment_failed", by=by, now=now, error=told)


def resume_assessments(office: Office, *, by: Actor, now: datetime) -> None:
    """RUNNING → WAITING for all: called when the only worker starts."""
    with office.units.read() as unit:
        cut = unit.assessments.find(state=AssessmentState.RUNNING)
    for assessment in cut:
        _move(
            office,
            assessment.id,
            AssessmentState.WAITING,
            "assessment_interrupted",
            by=by,
            now=now,
            progress=0.0,
        )


def _move(
    office: Office, key: str, to: AssessmentState, action: str, *, by: Actor, now: datetime, **changes: object
) -> RequestAssessment:
    with office.units.write() as unit:
        assessment = get_assessment(unit, key)
        moved = dataclasses.replace(
            assessment,
            state=lifecycle.move(lifecycle.ASSESSMENT, assessment.state, to),
            updated_at=now,
            **changes,  # type: ignore[arg-type]  # fields of the record, named by this module alone
        )
        told: dict[str, object] = {"version": assessment.version, "light": moved.light}
        if to is AssessmentState.DONE and assessment.choice is not None:
            stands = _says_the_same(moved, assessment)
            told["decision"] = "kept" if stands else "void"
            if not stands:
                moved = dataclasses.replace(
                    moved, choice=None, choice_by=None, choice_at=None, choice_reason=None
                )
        unit.assessments.save(moved)
        kind, about = _about(assessment)
        unit.record(
            by=by,
            action=f"{kind}.{action}",
            object=about,
            now=now,
            details=told,
        )
    return moved


def decide_risk(
    office: Office, *, request_id: str, version: int, choice: str, reason: str, by: Actor, now: datetime
) -> RequestAssessment:
    """An admin's decision, with its reason, on a report whose light is red."""
    reason = reason.strip()
    if choice not in set(RiskChoice):
        raise Refused(
            "decision_missing", "Choose what you decide.", "Choisissez votre décision.", field="choice"
        )
    if not 0 < len(reason) <= 5000:
        raise Refused("comment_missing", "Say why, for the record.", "Motivez la décision.", field="reason")
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
        assessment = get_assessment(unit, f"{request_id}/v{version}")
        if assessment.state is not AssessmentState.DONE or assessment.light != RED:
            raise Conflict(
                "nothing_to_decide",
                "There is no red report to decide on.",
                "Il n’y a pas de rapport au rouge à trancher.",
            )
        if assessment.choice is RiskChoice.PROCEED:
            raise Conflict(
                "already_decided", "This was decided already.", "Ceci a déjà été décidé.", field="choice"
            )
        assessment = dataclasses.replace(
            assessment,
            choice=RiskChoice(choice),
            choice_by=by.audit_name,
            choice_at=now,
            choice_reason=reason,
        )
        unit.assessments.save(assessment)
        unit.record(
            by=by,
            action="request.risk_decided",
            object=f"request:{request_id}",
            now=now,
            details={"version": version, "choice": choice, "reason": reason},
        )
    return assessment
