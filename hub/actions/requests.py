"""Requests for data: written by researchers, kept version by version, frozen by hash when approved."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from hub.actions.ports import Catalogue, Office, Unit
from hub.actions.request_checks import NAME, Judgement, Problem, asked_columns, judge
from hub.documents import yaml
from hub.documents.base import parse
from hub.documents.requests import RequestDocument
from hub.domain import lifecycle
from hub.domain.errors import Conflict, IntegrityError, NotFound, Refused
from hub.domain.lifecycle import AssessmentState, RequestState
from hub.domain.permissions import Actor, Permission, Subject, require
from hub.domain.requests import DataRequest, Remark, RemarkKind, RequestVersion

EDITABLE = frozenset({RequestState.DRAFT, RequestState.RETURNED})
OPEN = frozenset(
    {RequestState.DRAFT, RequestState.SUBMITTED, RequestState.UNDER_REVIEW, RequestState.RETURNED}
)


def get_request(unit: Unit, request_id: str) -> DataRequest:
    """The request; raises NotFound `unknown_request`."""
    request = unit.requests.get(request_id)
    if request is None:
        raise NotFound("unknown_request", "There is no such request.", "Cette demande n’existe pas.")
    return request


def get_version(unit: Unit, request: DataRequest, version: int | None = None) -> RequestVersion:
    """One version of the request, the newest unless another is named; NotFound `unknown_version`."""
    number = request.version if version is None else version
    found = unit.request_versions.get(f"{request.id}/v{number}")
    if found is None:
        raise NotFound("unknown_version", "There is no such version.", "Cette version n’existe pas.")
    return found


def content_of(version: RequestVersion) -> dict[str, Any]:
    """What a version says, as plain values."""
    return dict(yaml.load(version.text, name=NAME).value)


def problems_of(version: RequestVersion) -> tuple[Problem, ...]:
    """What kept the version from being sent when it was saved."""
    return tuple(
        Problem(str(p["code"]), str(p["field"]), str(p["en"]), str(p["fr"])) for p in version.problems
    )


def document_of(version: RequestVersion) -> RequestDocument:
    """The version as a document; DocumentError where its form is not right yet."""
    return parse(RequestDocument, version.text, name=NAME)


def approved_document(unit: Unit, request: DataRequest) -> RequestDocument:
    """The frozen document; IntegrityError `request_changed` unless it is what was approved, by its hash."""
    if request.state is not RequestState.APPROVED or request.approved_version is None:
        raise Conflict(
            "request_not_approved", "This request is not approved.", "Cette demande n’est pas approuvée."
        )
    document = document_of(get_version(unit, request, request.approved_version))
    if document.digest != request.approved_sha256:
        raise IntegrityError(
            "request_changed",
            "The stored request is not the one that was approved.",
            "La demande conservée n’est pas celle qui a été approuvée.",
        )
    return document


def start_request(
    office: Office, catalogue: Catalogue, *, text: str, by: Actor, now: datetime
) -> DataRequest:
    """A new draft with its first version; the author is `by`. Raises DocumentError where it is no YAML."""
    require(office.rules.roles, by, Permission.REQUEST_WRITE, Subject(members=frozenset({by.username})))
    with office.units.write() as unit:
        number = max((request.number for request in unit.requests.find()), default=0) + 1
        judged = judge(text, unit=unit, rules=office.rules, catalogue=catalogue, now=now)
        request = DataRequest(
            id=f"r{number}",
            number=number,
            author=by.username,
            members=_members(unit, by.username, judged),
            title=_title(judged),
            state=RequestState.DRAFT,
            version=1,
            created_at=now,
            updated_at=now,
        )
        unit.requests.add(request)
        add_version(unit, request, text, judged, by=by, now=now)
    return request


def save_request(
    office: Office, catalogue: Catalogue, *, request_id: str, text: str, base: int, by: Actor, now: datetime
) -> DataRequest:
    """Save a new version of a draft or of a returned request.

    `base` is the version that the person had before them: where it is not the newest any more,
    Conflict `stale_version` and nothing is lost on either side. The same text again changes nothing.
    """
    with office.units.read() as unit:
        request = _writable(office, unit, request_id, by)
        newest = get_version(unit, request)
        if newest.text == text and newest.saved_by == by.audit_name:
            return request
    with office.units.write() as unit:
        request = _writable(office, unit, request_id, by)
        if base != request.version:
            raise Conflict(
                "stale_version",
                f"This request was saved as version {request.version} meanwhile, in another window or by "
                "another person. Compare, then enter your changes there.",
                f"Cette demande a été enregistrée entre-temps en version {request.version}, dans une autre "
                "fenêtre ou par une autre personne. Comparez, puis reportez-y vos modifications.",
                field="base",
            )
        judged = judge(text, unit=unit, rules=office.rules, catalogue=catalogue, now=now, request=request_id)
        changed = dataclasses.replace(
            request,
            version=request.version + 1,
            title=_title(judged),
            members=_members(unit, request.author, judged),
            updated_at=now,
        )
        unit.requests.save(changed)
        add_version(unit, changed, text, judged, by=by, now=now)
    return changed


def add_version(
    unit: Unit, request: DataRequest, text: str, judged: Judgement, *, by: Actor, now: datetime
) -> None:
    """Keep `text` as the request's newest version, inside the caller's transaction."""
    unit.request_versions.add(
        RequestVersion(
            id=f"{request.id}/v{request.version}",
            request=request.id,
            version=request.version,
            text=text,
            problems=tuple(problem.plain() for problem in judged.problems),
            digest=judged.digest,
            saved_by=by.audit_name,
            saved_at=now,
        )
    )
    unit.record(
        by=by,
        action="request.saved",
        object=f"request:{request.id}",
        now=now,
        details={"version": request.version, "sha256": judged.digest, "problems": len(judged.problems)},
    )


def _members(unit: Unit, author: str, judged: Judgement) -> frozenset[str]:
    people = judged.content.get("people")
    named = {
        str(applicant.get("username"))
        for applicant in (people if isinstance(people, list) else [])
        if isinstance(applicant, dict)
    }
    return frozenset({author} | {name for name in named if unit.people.get(name) is not None})


def _title(judged: Judgement) -> str:
    title = judged.content.get("title")
    return title.strip()[:300] if isinstance(title, str) else ""


def _writable(office: Office, unit: Unit, request_id: str, by: Actor) -> DataRequest:
    request = get_request(unit, request_id)
    require(office.rules.roles, by, Permission.REQUEST_WRITE, request.subject)
    if request.state not in EDITABLE:
        raise Conflict(
            "not_editable",
            "This request can no longer be changed here: it is with the data-access unit or decided.",
            "Cette demande ne peut plus être modifiée : elle est entre les mains de l’unité ou décidée.",
        )
    return request


def move_request(unit: Unit, request: DataRequest, to: RequestState, **changes: Any) -> DataRequest:
    """Move the request, inside the caller's transaction, which records the event."""
    moved = dataclasses.replace(
        request, state=lifecycle.move(lifecycle.REQUEST, request.state, to), **changes
    )
    unit.requests.save(moved)
    return moved


def send_request(
    office: Office, catalogue: Catalogue, *, request_id: str, by: Actor, now: datetime
) -> DataRequest:
    """Hand the newest version in; Refused `request_incomplete` naming the first field while there are
    problems. What was right when it was saved is judged again."""
    with office.units.write() as unit:
        request = _writable(office, unit, request_id, by)
        version = get_version(unit, request)
        judged = judge(
            version.text, unit=unit, rules=office.rules, catalogue=catalogue, now=now, request=request_id
        )
        if judged.problems or judged.document is None:
            first = judged.problems[0]
            raise Refused("request_incomplete", first.en, first.fr, field=first.field)
        refuse_failed(unit, version)
        request = move_request(unit, request, RequestState.SUBMITTED, submitted_at=now, updated_at=now)
        unit.record(
            by=by,
            action="request.submitted",
            object=f"request:{request_id}",
            now=now,
            details={"version": version.version, "sha256": version.digest},
        )
    return request


def refuse_failed(unit: Unit, version: RequestVersion) -> None:
    """Refused `assessment_failed`, with the worker's reason, where this version was tried and found to be
    impossible (an empty population, a sample larger than it); another estimate may be asked for."""
    found = unit.assessments.get(version.id)
    if found is not None and found.state is AssessmentState.FAILED:
        told = found.error or {}
        raise Refused(
            "assessment_failed",
            f"Nothing could be extracted for this request: {told.get('en', '')}",
            f"Rien ne pourrait être extrait pour cette demande : {told.get('fr', '')}",
            field=str(told.get("field") or "") or None,
        )


def withdraw_request(office: Office, *, request_id: str, by: Actor, now: datetime) -> DataRequest:
    """Take a request back that is not decided yet (an approved one: `request_reopenings`)."""
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_WRITE, request.subject)
        if request.state not in OPEN:
            raise Conflict(
                "request_decided",
                "This request has been decided meanwhile.",
                "Cette demande a été décidée entre-temps.",
            )
        request = move_request(unit, request, RequestState.WITHDRAWN, updated_at=now)
        unit.record(by=by, action="request.withdrawn", object=f"request:{request_id}", now=now)
    return request


def add_remark(office: Office, *, request_id: str, about: str, text: str, by: Actor, now: datetime) -> Remark:
    """A word in the thread: an answer of the people of the request, or a comment of an admin."""
    text = checked_text(text)
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        own = by.username in request.members
        require(
            office.rules.roles,
            by,
            Permission.REQUEST_WRITE if own else Permission.REQUEST_REVIEW,
            request.subject,
        )
        if request.state not in OPEN:
            raise Conflict("request_decided", "This request has been decided.", "Cette demande est décidée.")
        asked = {column.about for column in asked_columns(content_of(get_version(unit, request)))}
        if about and about not in asked:
            raise NotFound(
                "unknown_column",
                "The request does not ask for this variable.",
                "La demande ne porte pas sur cette variable.",
                field="about",
            )
        kind = RemarkKind.ANSWER if own else RemarkKind.COMMENT
        return put_remark(unit, request, about, kind, None, text, by=by, now=now)


def checked_text(text: str, *, needed: bool = True) -> str:
    """A remark's text; Refused `missing` or `too_long`."""
    text = text.strip()
    if needed and not text:
        raise Refused("missing", "Write something.", "Écrivez quelque chose.", field="text")
    if len(text) > 5000:
        raise Refused("too_long", "The text is too long.", "Le texte est trop long.", field="text")
    return text


def put_remark(
    unit: Unit,
    request: DataRequest,
    about: str,
    kind: RemarkKind,
    level: str | None,
    text: str,
    *,
    by: Actor,
    now: datetime,
) -> Remark:
    """Add to the thread, inside the caller's transaction."""
    number = len(unit.remarks.find(request=request.id)) + 1
    remark = Remark(
        f"{request.id}/{number}",
        request.id,
        request.version,
        about[:200],
        kind,
        level,
        text,
        by.audit_name,
        now,
    )
    unit.remarks.add(remark)
    unit.record(
        by=by,
        action=f"request.{kind.value}",
        object=f"request:{request.id}",
        now=now,
        details={"about": remark.about, "version": request.version, "level": level},
    )
    return remark
