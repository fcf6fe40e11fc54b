"""The administration's side of a request: verdicts per variable, the decision, conditions, the project."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from hub.actions import conditions, provisioning, request_reopenings
from hub.actions import request_reviews as actions
from hub.actions import requests as request_actions
from hub.actions.request_reviews import Ruling, Verdict
from hub.domain.errors import NotFound, Refused
from hub.domain.permissions import Permission
from hub.domain.requests import VERDICTS, RemarkKind
from hub.portal.pages import go, show
from hub.portal.permissions import About, Routes, needs, status_of
from hub.portal.releases import disposition
from hub.portal.requests import FILTERS, request_page
from hub.portal.risk_pages import refuse_people_of
from hub.portal.visits import CurrentVisit, Upload, Visit

LARGEST_DOCUMENT = 10_000_000  # bytes


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/requests/{{id}}"
    reviews = needs(Permission.REQUEST_REVIEW, About.REQUEST)
    records = needs(Permission.REQUEST_REVIEW, About.REQUEST, largest_file=LARGEST_DOCUMENT)
    routes.add("GET", f"{p}/review", reviews, show_review)
    routes.add("POST", f"{p}/review", reviews, review)
    # The form's other fields are short: what is beyond the file is headroom for the form's own borders.
    bounds = {"max_body_size": LARGEST_DOCUMENT + 100_000}
    routes.add("POST", f"{p}/conditions", records, record_condition, **bounds)
    routes.add("POST", f"{p}/conditions/{{k}}/revoke", reviews, revoke_condition)
    reads = needs(Permission.REQUEST_READ, About.REQUEST)
    routes.add("GET", f"{p}/conditions/{{k}}/file", reads, download_document)
    routes.add("POST", f"{p}/provision", reviews, provision)
    routes.add("POST", f"{p}/reopen", reviews, reopen)


def show_review(visit: CurrentVisit, id: str) -> Response:
    """Every variable with its justification, and the decision."""
    return _review_page(visit, id, None)


def _review_page(visit: Visit, id: str, error: Refused | None) -> Response:
    page = request_page(visit, id)
    return show(
        visit,
        "request_review.html",
        status=status_of(error) if error else 200,
        here=visit.url(f"/requests/{id}/review"),
        **page,
        open_to_review=page["request"].state in FILTERS["waiting"],
        given={name: values[0] for name, values in visit.form.items() if values},
        error=error.message(visit.words.language) if error else None,
        error_field=error.field if error else None,
    )


def _verdicts(visit: Visit) -> list[Verdict]:
    """What the form says of each variable; nothing said is no verdict."""
    found = []
    for name in visit.form:
        if not name.startswith("verdict."):
            continue
        about = name.removeprefix("verdict.")
        kind, _, level = visit.value(name).partition(":")
        if kind in {verdict.value for verdict in VERDICTS}:
            found.append(Verdict(about, RemarkKind(kind), level or None, visit.value(f"text.{about}")))
    return found


def review(visit: CurrentVisit, id: str) -> Response:
    """Record the verdicts; with a decision, decide too."""
    text = visit.value("version")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    decision = visit.value("decision")
    catalogue = visit.portal.catalogue
    try:
        if verdicts := _verdicts(visit):
            actions.review_variables(
                visit.office,
                catalogue,
                request_id=id,
                version=version,
                verdicts=verdicts,
                by=visit.actor,
                now=visit.now,
            )
        if not decision:
            return go(visit, f"/requests/{id}/review", "verdicts_saved")
        ruling = Ruling(version, decision, visit.value("comment"), visit.value("accept_rest") == "yes")
        actions.decide_request(
            visit.office, catalogue, request_id=id, ruling=ruling, by=visit.actor, now=visit.now
        )
    except Refused as error:
        if error.field is None:
            raise
        return _review_page(visit, id, error)
    return go(visit, f"/requests/{id}", "request_decided")


def _day(visit: Visit, name: str) -> date | None:
    text = visit.value(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(
            "bad_date",
            "Give a date such as 2026-01-31.",
            "Indiquez une date telle que 2026-01-31.",
            field=name,
        ) from None


def record_condition(visit: CurrentVisit, id: str) -> Response:
    """Record a document of a condition, with its file where one is given."""
    dated = _day(visit, "dated")
    if dated is None:
        raise Refused(
            "missing", "The document’s date is missing.", "La date du document manque.", field="dated"
        )
    condition, _, about = visit.value("need").partition(":")
    conditions.record_condition(
        visit.office,
        request_id=id,
        condition=condition,
        about=about,
        paper=conditions.Paper(
            visit.value("document"), dated, _day(visit, "valid_until"), _keep(visit, visit.upload)
        ),
        by=visit.actor,
        now=visit.now,
    )
    return go(visit, f"/requests/{id}", "condition_recorded")


def _keep(visit: Visit, upload: Upload | None) -> conditions.Attachment | None:
    """Freeze the file in the documents' vault."""
    if upload is None or not upload.name:
        return None
    if not 0 < len(upload.content) <= LARGEST_DOCUMENT:
        raise Refused(
            "too_large",
            "The document has at most 10 MB and is not empty.",
            "Le document compte au plus 10 Mo et n’est pas vide.",
            field="file",
        )
    with visit.portal.documents.receive() as arrival:
        arriving = arrival.open(0)
        arriving.write(upload.content)
        sha256 = arrival.freeze(arriving)
    return conditions.Attachment(upload.name[:200], sha256, len(upload.content))


def revoke_condition(visit: CurrentVisit, id: str, k: int) -> Response:
    """Take a wrong record back."""
    conditions.revoke_condition(
        visit.office, request_id=id, record_id=f"{id}/{k}", by=visit.actor, now=visit.now
    )
    return go(visit, f"/requests/{id}", "condition_revoked")


def download_document(visit: CurrentVisit, id: str, k: int) -> Response:
    """A condition's file, as an attachment, to the administration and auditors."""
    with visit.office.units.read() as unit:
        request = request_actions.get_request(unit, id)
        record = conditions.get_condition(unit, request, f"{id}/{k}")
    refuse_people_of(visit, request)
    if record.file_sha256 is None:
        raise NotFound("not_found", "There is no such document.", "Ce document n’existe pas.")
    return Response(
        visit.portal.documents.read(record.file_sha256),
        media_type="application/octet-stream",
        headers={"Content-Disposition": disposition(record.file_name or "document")},
    )


def provision(visit: CurrentVisit, id: str) -> Response:
    """Make the project of an approved request."""
    project = provisioning.provision(visit.office, request_id=id, by=visit.actor, now=visit.now)
    return go(visit, f"/projects/{project.slug}", "project_created")


def reopen(visit: CurrentVisit, id: str) -> Response:
    """Give an approved request of which nothing was delivered back to its people."""
    request_reopenings.reopen_request(
        visit.office, request_id=id, comment=visit.value("comment"), by=visit.actor, now=visit.now
    )
    return go(visit, f"/requests/{id}", "request_reopened")
