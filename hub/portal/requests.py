"""Requests for data: the list, one request with its thread, versions, differences and estimate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import JSONResponse, Response

from hub.actions import assessments, conditions, provisioning, request_reopenings, request_reviews
from hub.actions import requests as actions
from hub.actions.ports import Unit
from hub.actions.request_checks import NAME, AskedColumn, asked_columns, is_finer
from hub.documents.dictionaries import Dictionary, Variable
from hub.documents.differences import differences
from hub.domain.errors import NotFound, Refused
from hub.domain.levels import default_level
from hub.domain.lifecycle import AssessmentState, ExtractState, RequestState
from hub.domain.permissions import Permission, Reach
from hub.domain.requests import DataRequest, Remark, RequestAssessment
from hub.portal import request_words, risk_pages
from hub.portal.pages import Part, go, page_number, show
from hub.portal.permissions import About, Routes, needs
from hub.portal.releases import disposition
from hub.portal.request_forms import shown
from hub.portal.visits import CurrentVisit, Visit

FILTERS: dict[str, frozenset[RequestState]] = {
    "waiting": frozenset({RequestState.SUBMITTED, RequestState.UNDER_REVIEW}),
    "open": frozenset({RequestState.DRAFT, RequestState.RETURNED}),
    "decided": frozenset({RequestState.APPROVED, RequestState.REJECTED, RequestState.WITHDRAWN}),
    "all": frozenset(RequestState),
}


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/requests"
    reads = needs(Permission.REQUEST_READ, About.REQUEST)
    writes = needs(Permission.REQUEST_WRITE, About.REQUEST)
    routes.add("GET", p, needs(Permission.REQUEST_READ, About.LISTING), show_requests)
    routes.add("GET", f"{p}/{{id}}", reads, show_request)
    routes.add("GET", f"{p}/{{id}}/differences", reads, show_differences)
    routes.add("GET", f"{p}/{{id}}/versions/{{n}}/request.yaml", reads, download)
    routes.add("GET", f"{p}/{{id}}/estimate", reads, tell_estimate)
    routes.add("POST", f"{p}/{{id}}/estimate", reads, ask_estimate)
    routes.add("POST", f"{p}/{{id}}/send", writes, send)
    routes.add("POST", f"{p}/{{id}}/withdraw", writes, withdraw)
    routes.add("POST", f"{p}/{{id}}/remarks", reads, add_remark)


def visible_requests(unit: Unit, visit: Visit) -> list[DataRequest]:
    """The requests that the visitor may read, newest first. Others' drafts stay their authors' own."""
    return [
        request
        for request in reversed(unit.requests.find())
        if visit.may(Permission.REQUEST_READ, request.subject)
        and (request.state is not RequestState.DRAFT or visit.person.username in request.members)
    ]


def waiting_requests(unit: Unit, visit: Visit) -> int:
    """How many requests wait for an admin."""
    return sum(request.state in FILTERS["waiting"] for request in visible_requests(unit, visit))


def my_open_requests(unit: Unit, visit: Visit) -> list[DataRequest]:
    """The visitor's own requests that are not decided, newest first."""
    own = [r for r in unit.requests.find() if visit.person.username in r.members]
    return [request for request in reversed(own) if request.state in actions.OPEN]


def show_requests(visit: CurrentVisit) -> Response:
    """The visitor's requests; admins and auditors see all that were sent."""
    everyones = visit.reach(Permission.REQUEST_READ) is Reach.ANY
    which = visit.request.query_params.get("show", "")
    which = which if which in FILTERS else ("waiting" if visit.reach(Permission.REQUEST_REVIEW) else "all")
    with visit.office.units.read() as unit:
        found = [r for r in visible_requests(unit, visit) if r.state in FILTERS[which]]
        part = Part(len(found), page_number(visit.request))
        people = {person.username: person for person in unit.people.find()}
    return show(
        visit,
        "requests.html",
        rows=found[part.first : part.last],
        part=part,
        which=which,
        filters=list(FILTERS),
        people=people,
        everyones=everyones,
        writes=visit.reach(Permission.REQUEST_WRITE) is not None,
    )


@dataclass(frozen=True)
class ColumnRow:
    """One variable asked for, with what its dictionary says and what was said of it."""

    asked: AskedColumn
    variable: Variable | None
    level: str
    default: str
    finer: bool
    verdict: Remark | None
    remarks: tuple[Remark, ...]
    coarser: tuple[str, ...]


def dictionary_of(visit: Visit, name: str) -> Dictionary | None:
    """The source's public dictionary, if there is one."""
    try:
        return visit.portal.catalogue.read(name)
    except Refused:
        return None


def column_rows(unit: Unit, visit: Visit, request: DataRequest, content: dict[str, Any]) -> list[ColumnRow]:
    """Every variable asked for, in the document's order."""
    standing = request_reviews.standing_verdicts(unit, request)
    said: dict[str, list[Remark]] = {}
    for remark in unit.remarks.find(request=request.id):
        said.setdefault(remark.about, []).append(remark)
    rows = []
    for asked in asked_columns(content):
        dictionary = dictionary_of(visit, asked.source)
        variable = dictionary.variables.get(asked.variable) if dictionary else None
        offered = list(variable.offered) if variable else []
        default = default_level(offered).value if offered else ""
        rows.append(
            ColumnRow(
                asked,
                variable,
                asked.level or default,
                default,
                is_finer(offered, asked.level),
                standing.get(asked.about),
                tuple(said.get(asked.about, ())),
                tuple(level.value for level in request_reviews.coarser_levels(asked, visit.portal.catalogue)),
            )
        )
    return rows


def column_names(columns: Any) -> str:
    """The names of a list of columns, in either form."""
    listed = columns if isinstance(columns, list) else []
    return ", ".join(str(c.get("variable", "")) if isinstance(c, dict) else str(c) for c in listed)


def day_in_words(visit: Visit, text: object) -> str:
    """A date of the document as the page says it; what is no date stays as it is."""
    try:
        return visit.words.calendar_day(date.fromisoformat(str(text or "")))
    except ValueError:
        return str(text or "")


def open_request(unit: Unit, visit: Visit, request_id: str) -> DataRequest:
    """The request, unless it is somebody else's draft."""
    request = actions.get_request(unit, request_id)
    if request.state is RequestState.DRAFT and visit.person.username not in request.members:
        raise NotFound("unknown_request", "There is no such request.", "Cette demande n’existe pas.")
    return request


def request_page(visit: Visit, request_id: str) -> dict[str, Any]:
    """What every page about one request shows."""
    with visit.office.units.read() as unit:
        request = open_request(unit, visit, request_id)
        version = actions.get_version(unit, request)
        content = actions.content_of(version)
        project = unit.projects.get(request.project) if request.project else None
        versions = unit.extracts.find(project=project.slug) if project else []
        extract = max(versions, key=lambda made: made.version, default=None)
        waits = (
            provisioning.waiting_for(visit.office, unit, extract, visit.now)
            if extract is not None and extract.state is ExtractState.PLANNED
            else None
        )
        own = visit.person.username in request.members
        undone = request_reopenings.can_be_undone(unit, request)
        return {
            "request": request,
            "version": version,
            "content": shown(content),
            "problems": actions.problems_of(version),
            "rows": column_rows(unit, visit, request, content),
            "thread": [r for r in unit.remarks.find(request=request_id) if not r.about],
            "versions": list(reversed(unit.request_versions.find(request=request_id))),
            "statuses": conditions.condition_statuses(visit.office.rules, unit, request, visit.now.date()),
            "recorded": unit.conditions.find(request=request_id),
            "assessment": unit.assessments.get(version.id),
            "project": project,
            "extract": extract,
            "waits": waits.message(visit.words.language) if waits else None,
            "people": {person.username: person for person in unit.people.find()},
            "own": own,
            "edits": request.state in actions.EDITABLE
            and visit.may(Permission.REQUEST_WRITE, request.subject),
            "withdraws": (request.state in actions.OPEN or undone)
            and visit.may(Permission.REQUEST_WRITE, request.subject),
            "reopens": undone and visit.may(Permission.REQUEST_REVIEW, request.subject),
            "stale_project": project is not None
            and request.approved_sha256 is not None
            and project.request_sha256 != request.approved_sha256,
            "speaks": request.state in actions.OPEN
            and (own or visit.may(Permission.REQUEST_REVIEW, request.subject)),
            "reviews": visit.may(Permission.REQUEST_REVIEW, request.subject),
            "provisions": visit.may(Permission.PROJECT_CREATE),
            "inside": risk_pages.reads_all_of(visit, request),
            "kind": visit.office.rules.conditions.kinds.get(str(content.get("kind"))),
            "tier": visit.portal.tiers.get(str(content.get("tier"))),
            "column_names": column_names,
            "filter_words": lambda condition, source: request_words.filter_in_words(
                condition, visit.words, dictionary_of(visit, str(source))
            ),
            "sample_words": lambda sample: request_words.sample_in_words(sample, visit.words),
            "day": lambda text: day_in_words(visit, text),
            "rounded": rounded,
            **_report(visit, unit.assessments.get(version.id)),
        }


def _report(visit: Visit, assessment: RequestAssessment | None) -> dict[str, Any]:
    report = risk_pages.report_of(assessment)
    return {
        "report": report,
        "picture_names": risk_pages.picture_names(report, visit.words.language),
    }


def show_request(visit: CurrentVisit, id: str) -> Response:
    """One request, as its people, the administration and auditors see it."""
    return show(visit, "request.html", **request_page(visit, id), error=None, error_field=None)


def show_differences(visit: CurrentVisit, id: str) -> Response:
    """What differs between two versions (`?before=1&after=2`; by default the newest two)."""
    with visit.office.units.read() as unit:
        request = open_request(unit, visit, id)
        after = _version(visit.request.query_params.get("after", ""), request.version)
        before = _version(visit.request.query_params.get("before", ""), max(after - 1, 1))
        old, new = (actions.get_version(unit, request, n) for n in (before, after))
        changes = differences(actions.content_of(old), actions.content_of(new))
    return show(visit, "request_differences.html", request=request, old=old, new=new, changes=changes)


def _version(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def download(visit: CurrentVisit, id: str, n: int) -> Response:
    """One version as the YAML file that `vitrine request submit` takes."""
    with visit.office.units.read() as unit:
        request = open_request(unit, visit, id)
        version = actions.get_version(unit, request, n)
    name = f"{request.id}-v{n}-{NAME}"
    return Response(
        version.text,
        media_type="application/yaml",
        headers={"Content-Disposition": disposition(name)},
    )


def rounded(count: int) -> int:
    """A count as people outside the administration see it: two digits, and nothing below 100.

    An exact count would let a requester find out about single people by changing a filter a little.
    """
    if count < 100:
        return 0
    step = int(f"1{'0' * (len(str(count)) - 2)}")
    return round(count / step) * step


def tell_estimate(visit: CurrentVisit, id: str) -> Response:
    """How far the newest version's estimate is, for the page that waits for it."""
    with visit.office.units.read() as unit:
        request = open_request(unit, visit, id)
        found = unit.assessments.get(f"{request.id}/v{request.version}")
    return JSONResponse(
        {
            "state": found.state.value if found else "NONE",
            "progress": round(found.progress, 2) if found else 0,
            "message": visit.words(f"request.estimate_{found.state.value}") if found else "",
            "done": found is None or found.state in (AssessmentState.DONE, AssessmentState.FAILED),
        }
    )


def ask_estimate(visit: CurrentVisit, id: str) -> Response:
    """Have the newest version assessed."""
    assessments.ask_assessment(visit.office, request_id=id, by=visit.actor, now=visit.now)
    return go(visit, f"/requests/{id}", "estimate_asked")


def send(visit: CurrentVisit, id: str) -> Response:
    """Hand the newest version in."""
    try:
        actions.send_request(
            visit.office, visit.portal.catalogue, request_id=id, by=visit.actor, now=visit.now
        )
    except Refused as error:
        if error.code == "request_incomplete":
            return go(visit, f"/requests/{id}/edit", "request_incomplete")
        if error.code == "assessment_failed":
            return go(visit, f"/requests/{id}", "request_impossible")
        raise
    return go(visit, f"/requests/{id}", "request_sent")


def withdraw(visit: CurrentVisit, id: str) -> Response:
    """Take one's own request back; an approved one only by the button that says so."""
    if visit.value("approved") == "yes":
        request_reopenings.withdraw_approved(visit.office, request_id=id, by=visit.actor, now=visit.now)
    else:
        actions.withdraw_request(visit.office, request_id=id, by=visit.actor, now=visit.now)
    return go(visit, f"/requests/{id}", "request_withdrawn")


def add_remark(visit: CurrentVisit, id: str) -> Response:
    """A word in the thread, about one variable or the whole."""
    actions.add_remark(
        visit.office,
        request_id=id,
        about=visit.value("about"),
        text=visit.value("text"),
        by=visit.actor,
        now=visit.now,
    )
    return go(visit, f"/requests/{id}", "remark_added")
