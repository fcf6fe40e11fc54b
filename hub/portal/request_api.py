"""Requests by API: the same actions as the pages, by the same permissions; documents are the YAML that
`vitrine request submit` takes (JSON is YAML).

What the administration keeps on a request (the whole risk report) is not told to the people it names: they
get its light and conclusions, and rounded counts.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.actions import assessments, conditions, provisioning, request_reopenings, request_reviews
from hub.actions import requests as actions
from hub.actions.ports import Unit
from hub.actions.request_reviews import Ruling, Verdict
from hub.domain.lifecycle import ExtractState
from hub.domain.permissions import Permission
from hub.domain.requests import DataRequest, RecordedCondition, Remark, RemarkKind, RequestAssessment
from hub.portal import risk_pages
from hub.portal.permissions import About, Routes, needs
from hub.portal.projects import newest_extract
from hub.portal.requests import open_request, rounded, visible_requests
from hub.portal.visits import CurrentVisit, Visit


class VerdictBody(BaseModel):
    """What an admin says of one variable (`<dataset>.<variable>`); coarsen names the level."""

    model_config = ConfigDict(extra="forbid")
    about: str
    verdict: Annotated[RemarkKind, Field(description="accept, coarsen, refuse or ask")]
    level: str | None = None
    text: str = ""


class ReviewBody(BaseModel):
    """Verdicts on the version that was read and, where given, the decision: approve, return or reject."""

    model_config = ConfigDict(extra="forbid")
    version: int
    verdicts: list[VerdictBody] = []
    decision: str | None = None
    comment: str = ""
    accept_rest: bool = False


class ConditionBody(BaseModel):
    """A document that meets a condition; `about`: the institution or user name that it is for."""

    model_config = ConfigDict(extra="forbid")
    condition: str
    about: str = ""
    document: str
    dated: date
    valid_until: date | None = None


class RiskBody(BaseModel):
    """An admin's decision on a red report: proceed or hold."""

    model_config = ConfigDict(extra="forbid")
    version: int
    choice: str
    reason: str


class ReopenBody(BaseModel):
    """Why an approved request is opened again."""

    model_config = ConfigDict(extra="forbid")
    comment: str


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/api/requests"

    def add(method: str, path: str, access: Any, endpoint: Any, **options: Any) -> None:
        routes.add(method, f"{p}{path}", access, endpoint, include_in_schema=True, **options)

    reads = needs(Permission.REQUEST_READ, About.REQUEST)
    writes = needs(Permission.REQUEST_WRITE, About.REQUEST)
    reviews = needs(Permission.REQUEST_REVIEW, About.REQUEST)
    add("GET", "", needs(Permission.REQUEST_READ, About.LISTING), list_requests)
    add("POST", "", needs(Permission.REQUEST_WRITE, About.LISTING), start, status_code=201)
    add("GET", "/{id}", reads, tell)
    add("POST", "/{id}", writes, save)
    add("POST", "/{id}/send", writes, send)
    add("POST", "/{id}/withdraw", writes, withdraw)
    add("POST", "/{id}/reopen", reviews, reopen)
    add("POST", "/{id}/estimate", reads, estimate)
    add("POST", "/{id}/review", reviews, review)
    add("POST", "/{id}/conditions", reviews, record_condition, status_code=201)
    add("POST", "/{id}/risk", reviews, decide_risk)
    add("POST", "/{id}/provision", reviews, provision, status_code=201)
    add("GET", "/{id}/progress", reads, tell_progress)


def _brief(request: DataRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "number": request.number,
        "author": request.author,
        "title": request.title,
        "state": request.state.value,
        "version": request.version,
        "updated_at": request.updated_at.isoformat(),
        "approved_version": request.approved_version,
        "approved_sha256": request.approved_sha256,
        "project": request.project,
    }


def _told(visit: Visit, unit: Unit, request_id: str) -> dict[str, Any]:
    request = open_request(unit, visit, request_id)
    version = actions.get_version(unit, request)
    statuses = conditions.condition_statuses(visit.office.rules, unit, request, visit.now.date())
    language = visit.words.language
    return {
        **_brief(request),
        "document": version.text,
        "problems": [
            {"code": one.code, "field": one.field, "message": one.message(language)}
            for one in actions.problems_of(version)
        ],
        "remarks": [_remark(one) for one in unit.remarks.find(request=request_id)],
        "conditions": [
            {
                "condition": status.need.condition,
                "about": status.need.about,
                "title": dict(status.need.title.translations()),
                "standing": status.standing.value,
                "record": None if status.record is None else _record(status.record),
            }
            for status in statuses
        ],
        "assessment": _assessed(visit, request, unit.assessments.get(version.id)),
    }


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "about": remark.about,
        "kind": remark.kind.value,
        "level": remark.level,
        "text": remark.text,
        "version": remark.version,
        "by": remark.by,
        "at": remark.at.isoformat(),
    }


def _record(record: RecordedCondition) -> dict[str, Any]:
    return {
        "id": record.id,
        "document": record.document,
        "dated": record.dated.isoformat(),
        "valid_until": record.valid_until.isoformat() if record.valid_until else None,
        "recorded_by": record.recorded_by,
        "sha256": record.file_sha256,
    }


def _assessed(visit: Visit, request: DataRequest, found: RequestAssessment | None) -> dict[str, Any] | None:
    """What the worker found: exact counts and every measure for the office, the rest for its people."""
    if found is None:
        return None
    inside = risk_pages.reads_all_of(visit, request)
    counts = found.found.get("rows")
    rows = counts if isinstance(counts, dict) else {}
    report = risk_pages.report_of(found)
    told: dict[str, Any] = {
        "version": found.version,
        "state": found.state.value,
        "progress": found.progress,
        "light": found.light if found.found else None,
        "rows": {name: int(count) if inside else rounded(int(count)) for name, count in rows.items()},
        "conclusions": [] if report is None else list(report.conclusions(visit.words.language)),
        "choice": found.choice.value if found.choice else None,
    }
    if inside and report is not None:
        told["report"] = report.model_dump(mode="json")
    return told


def list_requests(visit: CurrentVisit) -> dict[str, Any]:
    """The requests that the caller may read, newest first."""
    with visit.office.units.read() as unit:
        return {"requests": [_brief(request) for request in visible_requests(unit, visit)]}


def tell(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """One request: its newest document, what is wrong with it, remarks, conditions and estimate."""
    with visit.office.units.read() as unit:
        return _told(visit, unit, id)


async def start(visit: CurrentVisit, request: Request) -> Response:
    """A new draft from a request document; `problems` says what keeps it from being sent."""
    text = (await request.body()).decode("utf-8", "replace")
    made = actions.start_request(
        visit.office, visit.portal.catalogue, text=text, by=visit.actor, now=visit.now
    )
    with visit.office.units.read() as unit:
        return JSONResponse(_told(visit, unit, made.id), 201)


async def save(visit: CurrentVisit, request: Request, id: str, base: int) -> dict[str, Any]:
    """A new version of a draft or of a returned request; `base` is the version that it was made from."""
    text = (await request.body()).decode("utf-8", "replace")
    actions.save_request(
        visit.office,
        visit.portal.catalogue,
        request_id=id,
        text=text,
        base=base,
        by=visit.actor,
        now=visit.now,
    )
    return tell(visit, id)


def send(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """Hand the newest version in."""
    actions.send_request(visit.office, visit.portal.catalogue, request_id=id, by=visit.actor, now=visit.now)
    return tell(visit, id)


def withdraw(visit: CurrentVisit, id: str, *, approved: bool = False) -> dict[str, Any]:
    """Take one's own request back; `approved=true` says that an approved one is meant, of which nothing was
    delivered."""
    act = request_reopenings.withdraw_approved if approved else actions.withdraw_request
    act(visit.office, request_id=id, by=visit.actor, now=visit.now)
    return tell(visit, id)


def reopen(visit: CurrentVisit, id: str, body: Annotated[ReopenBody, Body()]) -> dict[str, Any]:
    """Give an approved request of which nothing was delivered back to its people, with the reason."""
    request_reopenings.reopen_request(
        visit.office, request_id=id, comment=body.comment, by=visit.actor, now=visit.now
    )
    return tell(visit, id)


def estimate(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """Have the newest version counted and its risk measured."""
    assessments.ask_assessment(visit.office, request_id=id, by=visit.actor, now=visit.now)
    return tell_progress(visit, id)


def review(visit: CurrentVisit, id: str, body: Annotated[ReviewBody, Body()]) -> dict[str, Any]:
    """Say something of single variables; with a decision, decide too."""
    verdicts = [Verdict(one.about, one.verdict, one.level, one.text) for one in body.verdicts]
    catalogue = visit.portal.catalogue
    if verdicts:
        request_reviews.review_variables(
            visit.office,
            catalogue,
            request_id=id,
            version=body.version,
            verdicts=verdicts,
            by=visit.actor,
            now=visit.now,
        )
    if body.decision is not None:
        ruling = Ruling(body.version, body.decision, body.comment, body.accept_rest)
        request_reviews.decide_request(
            visit.office, catalogue, request_id=id, ruling=ruling, by=visit.actor, now=visit.now
        )
    return tell(visit, id)


def record_condition(visit: CurrentVisit, id: str, body: Annotated[ConditionBody, Body()]) -> dict[str, Any]:
    """Record the document of one condition (its file is given on the page)."""
    made = conditions.record_condition(
        visit.office,
        request_id=id,
        condition=body.condition,
        about=body.about,
        paper=conditions.Paper(body.document, body.dated, body.valid_until),
        by=visit.actor,
        now=visit.now,
    )
    return _record(made)


def decide_risk(visit: CurrentVisit, id: str, body: Annotated[RiskBody, Body()]) -> dict[str, Any]:
    """Decide on a red report, with the reason."""
    assessments.decide_risk(
        visit.office,
        request_id=id,
        version=body.version,
        choice=body.choice,
        reason=body.reason,
        by=visit.actor,
        now=visit.now,
    )
    return tell_progress(visit, id)


def provision(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """Make the project of an approved request whose conditions are met; its extraction starts by itself."""
    provisioning.provision(visit.office, request_id=id, by=visit.actor, now=visit.now)
    return tell_progress(visit, id)


def tell_progress(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """How far the estimate and the extraction are, and what the extraction waits for."""
    with visit.office.units.read() as unit:
        request = open_request(unit, visit, id)
        found = unit.assessments.get(f"{request.id}/v{request.version}")
        extract = newest_extract(unit, request.project) if request.project else None
        waits = (
            provisioning.waiting_for(visit.office, unit, extract, visit.now)
            if extract is not None and extract.state is ExtractState.PLANNED
            else None
        )
    return {
        **_brief(request),
        "assessment": _assessed(visit, request, found),
        "extract": None
        if extract is None
        else {
            "id": extract.id,
            "state": extract.state.value,
            "step": extract.step,
            "progress": extract.progress,
            "waits_for": None if waits is None else waits.code,
            "message": None if waits is None else waits.message(visit.words.language),
        },
    }
