"""The risk report: all of it for the administration, its conclusions for the people of the request."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.responses import Response

from hub.actions import assessments
from hub.actions.requests import get_request
from hub.domain.errors import NotFound, PermissionDenied
from hub.domain.permissions import Permission, Reach
from hub.domain.requests import DataRequest, RequestAssessment
from hub.extraction.risks import RiskReport, pictures
from hub.portal.pages import go
from hub.portal.permissions import About, Routes, needs
from hub.portal.visits import CurrentVisit, Visit


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/requests/{{id}}/risk"
    reviews = needs(Permission.REQUEST_REVIEW, About.REQUEST)
    routes.add("POST", p, reviews, decide)
    routes.add("GET", f"{p}/{{n}}/{{name}}.svg", needs(Permission.REQUEST_READ, About.REQUEST), show_picture)


def report_of(assessment: RequestAssessment | None) -> RiskReport | None:
    """The report that the worker stored; None where there is none that can be read."""
    raw = assessment.found.get("report") if assessment is not None else None
    if not isinstance(raw, dict):
        return None
    try:
        return RiskReport.model_validate(raw, strict=False)
    except ValidationError:
        return None


def reads_all_of(visit: Visit, request: DataRequest) -> bool:
    """Whether the visitor reads requests for the office, and is none of the people whom this one names."""
    return visit.reach(Permission.REQUEST_READ) is Reach.ANY and visit.person.username not in request.members


def refuse_people_of(visit: Visit, request: DataRequest) -> None:
    """What the administration keeps on a request is not for the people whom it names."""
    if not reads_all_of(visit, request):
        raise PermissionDenied(
            "own_request",
            "This is for the administration and auditors.",
            "Ceci est réservé à l’administration et à l’audit.",
        )


def show_picture(visit: CurrentVisit, id: str, n: int, name: str) -> Response:
    """One picture of the report of version `n`; not for the people of the request themselves."""
    with visit.office.units.read() as unit:
        refuse_people_of(visit, get_request(unit, id))
        report = report_of(unit.assessments.get(f"{id}/v{n}"))
    drawn = pictures(report, visit.words.language) if report is not None else {}
    if name not in drawn:
        raise NotFound("not_found", "There is no such picture.", "Cette image n’existe pas.")
    return Response(drawn[name], media_type="image/svg+xml")


def picture_names(report: RiskReport | None, language: str) -> list[str]:
    """The names of the report's pictures, in its order."""
    return list(pictures(report, language)) if report is not None else []


def decide(visit: CurrentVisit, id: str) -> Response:
    """An admin's decision on a red report."""
    version = visit.value("version")
    assessments.decide_risk(
        visit.office,
        request_id=id,
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 6 else 0,
        choice=visit.value("choice"),
        reason=visit.value("reason"),
        by=visit.actor,
        now=visit.now,
    )
    return go(visit, f"/requests/{id}", "risk_decided")
