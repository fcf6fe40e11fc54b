"""Gates of law: the documents that must be recorded before anything is extracted for a request."""

from __future__ import annotations

import calendar
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hub.actions.ports import Office, Rules, Unit
from hub.actions.requests import approved_document, get_request, get_version
from hub.documents.base import Text, parse_all
from hub.documents.requests import RequestDocument
from hub.domain.errors import Conflict, DocumentError, NotFound, Refused
from hub.domain.lifecycle import RequestState
from hub.domain.permissions import Actor, Permission, require
from hub.domain.requests import DataRequest, RecordedCondition

_CLOSED = frozenset({RequestState.DRAFT, RequestState.REJECTED, RequestState.WITHDRAWN})


@dataclass(frozen=True)
class Need:
    """One document that the policy asks for. `about`: the institution or user name, or empty."""

    condition: str
    about: str
    title: Text
    valid_months: int | None


class Standing(StrEnum):
    MET = "met"
    EXPIRED = "expired"
    OPEN = "open"


@dataclass(frozen=True)
class Status:
    """How a need stands on one day, and the record that decides it."""

    need: Need
    standing: Standing
    record: RecordedCondition | None


@dataclass(frozen=True)
class Attachment:
    """A document's file, frozen in the vault already."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Paper:
    """The document that meets a need: its name or reference and date. `valid_until` can only shorten what
    the policy's months give."""

    document: str
    dated: date
    valid_until: date | None = None
    attachment: Attachment | None = None


def needs_of(rules: Rules, document: RequestDocument) -> list[Need]:
    """What the policy asks for this request; Refused `unknown_kind` where it knows no such kind."""
    kind = rules.conditions.kinds.get(document.kind)
    if kind is None:
        raise Refused(
            "unknown_kind",
            f"There is no kind of request “{document.kind}”.",
            f"Il n’y a pas de type de demande « {document.kind} ».",
            field="kind",
        )
    abouts = {
        "project": [""],
        "institution": [institution.name for institution in document.institutions],
        "person": [person.username for person in document.people],
    }
    return [
        Need(name, about, condition.title, condition.valid_months)
        for name, condition in kind.conditions.items()
        for about in abouts[condition.per]
    ]


def statuses(needs: Sequence[Need], recorded: Sequence[RecordedCondition], on: date) -> list[Status]:
    """How each need stands on a day: the newest record that counts decides."""
    found = []
    for need in needs:
        records = [
            record
            for record in recorded
            if (record.condition, record.about) == (need.condition, need.about) and record.revoked_at is None
        ]
        valid = [r for r in records if r.dated <= on and (r.valid_until is None or on <= r.valid_until)]
        standing = Standing.MET if valid else Standing.EXPIRED if records else Standing.OPEN
        counting = valid or records
        found.append(Status(need, standing, counting[-1] if counting else None))
    return found


def condition_statuses(rules: Rules, unit: Unit, request: DataRequest, on: date) -> list[Status]:
    """How the conditions of a request stand; none while its form is not right yet."""
    try:
        document, _ = parse_all(RequestDocument, get_version(unit, request).text, name="request.yaml")
        needs = [] if document is None else needs_of(rules, document)
    except Refused:
        return []
    return statuses(needs, unit.conditions.find(request=request.id), on)


def require_conditions(rules: Rules, unit: Unit, request: DataRequest, on: date) -> None:
    """Return only if every condition of the approved request is recorded and valid on this day.

    Raises Refused `conditions_open` naming the first that is not, `not_open` where a kind for open data is
    used for others, IntegrityError `request_changed`.
    """
    document = approved_document(unit, request)
    needs = needs_of(rules, document)
    open_data = rules.conditions.kinds[document.kind].open_data
    if open_data:
        require_open(unit, document.specification.sources)
    lacking = [
        status
        for status in statuses(needs, unit.conditions.find(request=request.id), on)
        if status.standing is not Standing.MET
    ]
    if lacking or not (needs or open_data):
        first = lacking[0].need if lacking else None
        en = f"{first.title['en']} {first.about}".strip() if first else "none is listed"
        fr = f"{first.title['fr']} {first.about}".strip() if first else "aucune n’est prévue"
        raise Refused(
            "conditions_open",
            f"Conditions are not met ({len(lacking)}): {en}.",
            f"Des conditions ne sont pas remplies ({len(lacking)}) : {fr}.",
            field="conditions",
        )


def require_open(unit: Unit, sources: Sequence[str]) -> None:
    """Return only if anyone may have these sources from their producers, as their dictionaries say; Refused
    `not_open` naming the first that is not open."""
    for name in sources:
        source = unit.sources.get(name)
        if source is None or not source.open:
            raise Refused(
                "not_open",
                f"The source {name} is not open data (access: open in its dictionary): this kind of project "
                "is not for it. Make a request of the kind that the law asks for.",
                f"La source {name} n’est pas une donnée ouverte (access: open dans son dictionnaire) : ce "
                "type de projet ne convient pas. Passez par une demande du type que la loi prévoit.",
                field="kind",
            )


def require_open_kind(rules: Rules, unit: Unit, kind: str | None, sources: Sequence[str]) -> None:
    """Return only if a project of this kind needs no request: the kind is one for open data that leaves
    nothing to record or decide, and all its sources are open."""
    found = None if kind is None else rules.conditions.kinds.get(kind)
    if found is None or not found.without_request:
        names = ", ".join(name for name, one in rules.conditions.kinds.items() if one.without_request)
        raise Refused(
            "needs_request",
            f"Only projects on open data ({names or 'no kind'}) are made without a request. All others come "
            "from an approved request, whose conditions are recorded: see Requests.",
            f"Seuls les projets sur des données ouvertes ({names or 'aucun type'}) se créent sans demande. "
            "Les autres viennent d’une demande approuvée dont les conditions sont enregistrées : voir "
            "Demandes.",
            field="kind",
        )
    require_open(unit, sources)


def record_condition(
    office: Office,
    *,
    request_id: str,
    condition: str,
    about: str,
    paper: Paper,
    by: Actor,
    now: datetime,
) -> RecordedCondition:
    """Record one document of a request that was sent and not refused."""
    document, dated, attachment = paper.document.strip(), paper.dated, paper.attachment
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
        if request.state in _CLOSED:
            raise Conflict(
                "wrong_state",
                "Conditions are recorded for requests that were sent and not refused.",
                "Les conditions s’enregistrent pour des demandes envoyées et non refusées.",
            )
        need = _need(office, unit, request, condition, about)
        _check_dates(document, dated, paper.valid_until, now)
        record = RecordedCondition(
            id=f"{request_id}/{len(unit.conditions.find(request=request_id)) + 1}",
            request=request_id,
            condition=condition,
            about=about,
            document=document,
            dated=dated,
            valid_until=expires(dated, need.valid_months, paper.valid_until),
            recorded_by=by.audit_name,
            recorded_at=now,
            file_name=attachment.name if attachment else None,
            file_sha256=attachment.sha256 if attachment else None,
            file_size=attachment.size if attachment else None,
        )
        unit.conditions.add(record)
        unit.record(
            by=by,
            action="request.condition_recorded",
            object=f"request:{request_id}",
            now=now,
            details={
                "condition": condition,
                "about": about,
                "document": document,
                "dated": dated.isoformat(),
                "valid_until": record.valid_until.isoformat() if record.valid_until else None,
                "sha256": record.file_sha256,
            },
        )
    return record


def _need(office: Office, unit: Unit, request: DataRequest, condition: str, about: str) -> Need:
    try:
        document, _ = parse_all(RequestDocument, get_version(unit, request).text, name="request.yaml")
    except DocumentError:
        document = None
    needs = [] if document is None else needs_of(office.rules, document)
    for need in needs:
        if (need.condition, need.about) == (condition, about):
            return need
    raise NotFound(
        "unknown_condition",
        f"This request has no condition “{condition}”" + (f" for “{about}”." if about else "."),
        f"Cette demande n’a pas de condition « {condition} »" + (f" pour « {about} »." if about else "."),
        field="condition",
    )


def _check_dates(document: str, dated: date, valid_until: date | None, now: datetime) -> None:
    if not 0 < len(document) <= 300:
        raise Refused(
            "missing",
            "Name the document or give its reference (at most 300 characters).",
            "Nommez le document ou donnez sa référence (300 caractères au plus).",
            field="document",
        )
    if dated > now.date():
        raise Refused(
            "date_in_future",
            "The document is dated in the future.",
            "Le document porte une date future.",
            field="dated",
        )
    if valid_until is not None and valid_until < dated:
        raise Refused(
            "end_before_start",
            "The validity ends before the document’s date.",
            "La validité prend fin avant la date du document.",
            field="valid_until",
        )


def expires(dated: date, months: int | None, valid_until: date | None) -> date | None:
    """The last day on which a document counts: the earlier of what the policy's months and the document say;
    None for as long as the project runs."""
    limit = None if months is None else _months_later(dated, months)
    return min((day for day in (limit, valid_until) if day is not None), default=None)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def revoke_condition(
    office: Office, *, request_id: str, record_id: str, by: Actor, now: datetime
) -> RecordedCondition:
    """Take back a record that was wrong; it stays readable and counts no more."""
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
        record = get_condition(unit, request, record_id)
        if record.revoked_at is not None:
            raise Conflict("revoked", "This record was revoked already.", "Cette mention est déjà révoquée.")
        record = dataclasses.replace(record, revoked_at=now, revoked_by=by.audit_name)
        unit.conditions.save(record)
        unit.record(
            by=by,
            action="request.condition_revoked",
            object=f"request:{request_id}",
            now=now,
            details={"condition": record.condition, "about": record.about, "record": record.id},
        )
    return record


def get_condition(unit: Unit, request: DataRequest, record_id: str) -> RecordedCondition:
    """A recorded condition of this request; NotFound otherwise."""
    record = unit.conditions.get(record_id)
    if record is None or record.request != request.id:
        raise NotFound("not_found", "There is no such record.", "Cette mention n’existe pas.")
    return record
