"""The way out of an approval of which nothing was delivered: the people of a request withdraw it, or an admin
reopens it for changes, once it turns out that it cannot be provisioned as it was approved."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from hub.actions.ports import Office, Unit
from hub.actions.projects import expire
from hub.actions.requests import get_request, move_request
from hub.domain import lifecycle
from hub.domain.errors import Conflict, Refused
from hub.domain.lifecycle import ExtractState, ProjectState, RequestState
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import Project
from hub.domain.requests import DataRequest

_UNDELIVERED = frozenset({ExtractState.PLANNED, ExtractState.FAILED})
_OVER = frozenset({ProjectState.EXPIRED, ProjectState.CLOSED})


def can_be_undone(unit: Unit, request: DataRequest) -> bool:
    """Whether the request is approved and no extract of it was made or is being made."""
    try:
        _require_undelivered(unit, request)
    except Conflict:
        return False
    return True


def _require_undelivered(unit: Unit, request: DataRequest) -> Project | None:
    """The request's project, if there is one; Conflict `request_not_approved`, or `extract_delivered` once an
    extract was made or while one is being made."""
    if request.state is not RequestState.APPROVED:
        raise Conflict(
            "request_not_approved", "This request is not approved.", "Cette demande n’est pas approuvée."
        )
    project = None if request.project is None else unit.projects.get(request.project)
    made = [] if project is None else unit.extracts.find(project=project.slug)
    if any(extract.state not in _UNDELIVERED for extract in made):
        raise Conflict(
            "extract_delivered",
            "An extract of this request was made or is being made: the approval stands. End the project "
            "instead.",
            "Un extrait de cette demande a été établi ou est en cours : l’approbation demeure. Mettez plutôt "
            "fin au projet.",
        )
    return project


def reopen_request(office: Office, *, request_id: str, comment: str, by: Actor, now: datetime) -> DataRequest:
    """APPROVED → RETURNED, by an admin, with a reason that the people of the request read: they change it and
    send it again. A project that was made of it stays and waits; its planned extracts have failed."""
    comment = comment.strip()
    if not 0 < len(comment) <= 5000:
        raise Refused(
            "comment_missing",
            "Say why: the people of the request read this.",
            "Dites pourquoi : les personnes de la demande le liront.",
            field="comment",
        )
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
        project = _require_undelivered(unit, request)
        _fail_planned(unit, project, "request_reopened", by=by, now=now)
        moved = move_request(
            unit,
            request,
            RequestState.RETURNED,
            approved_version=None,
            approved_sha256=None,
            decided_at=now,
            decided_by=by.audit_name,
            decision_comment=comment,
            updated_at=now,
        )
        _record(unit, "request.reopened", request, by=by, now=now)
    return moved


def withdraw_approved(office: Office, *, request_id: str, by: Actor, now: datetime) -> DataRequest:
    """APPROVED → WITHDRAWN, by the people of the request; a project that was made of it ends with it."""
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_WRITE, request.subject)
        project = _require_undelivered(unit, request)
        _fail_planned(unit, project, "request_withdrawn", by=by, now=now)
        if project is not None and project.state not in _OVER:
            expire(unit, project, reason="request_withdrawn", by=by, now=now)
        moved = move_request(unit, request, RequestState.WITHDRAWN, updated_at=now)
        _record(unit, "request.withdrawn", request, by=by, now=now)
    return moved


_SENTENCES = {
    "request_reopened": "La demande est rouverte pour modification. / The request was reopened for changes.",
    "request_withdrawn": "La demande a été retirée. / The request was withdrawn.",
}


def _fail_planned(unit: Unit, project: Project | None, code: str, *, by: Actor, now: datetime) -> None:
    """What waits to be made of the plan that was approved is not made any more."""
    planned = [] if project is None else unit.extracts.find(project=project.slug, state=ExtractState.PLANNED)
    for extract in planned:
        to = lifecycle.move(lifecycle.EXTRACT, extract.state, ExtractState.FAILED)
        unit.extracts.save(
            dataclasses.replace(extract, state=to, error=_SENTENCES[code], step=None, updated_at=now)
        )
        unit.record(
            by=by, action="extract.failed", object=f"extract:{extract.id}", now=now, details={"code": code}
        )


def _record(unit: Unit, action: str, request: DataRequest, *, by: Actor, now: datetime) -> None:
    unit.record(
        by=by,
        action=action,
        object=f"request:{request.id}",
        now=now,
        details={
            "version": request.approved_version,
            "sha256": request.approved_sha256,
            "project": request.project,
        },
    )
