"""Reviewing a request variable by variable, and deciding on it; an approved one is frozen by its hash."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.actions.ports import Catalogue, Office, Unit
from hub.actions.request_checks import AskedColumn, asked_columns, judge
from hub.actions.requests import (
    add_version,
    checked_text,
    content_of,
    get_request,
    get_version,
    move_request,
    put_remark,
    refuse_failed,
)
from hub.documents import yaml
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.levels import FINE_TO_COARSE, Level, default_level
from hub.domain.lifecycle import RequestState
from hub.domain.permissions import Actor, Permission, require
from hub.domain.requests import VERDICTS, DataRequest, Remark, RemarkKind

_DECISIONS = {
    "approve": RequestState.APPROVED,
    "return": RequestState.RETURNED,
    "reject": RequestState.REJECTED,
}
_REVIEWABLE = frozenset({RequestState.SUBMITTED, RequestState.UNDER_REVIEW})


@dataclass(frozen=True)
class Verdict:
    """What an admin says of one variable (`<dataset>.<variable>`); COARSEN names the level."""

    about: str
    kind: RemarkKind
    level: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Ruling:
    """What an admin decides of the version they read: approve, return or reject; `accept_rest`: variables
    without a verdict are accepted as they are asked for."""

    version: int
    decision: str
    comment: str = ""
    accept_rest: bool = False


def standing_verdicts(unit: Unit, request: DataRequest) -> dict[str, Remark]:
    """The newest verdict on each variable, unless what was asked has changed since."""
    now = {column.about: _asked(column) for column in asked_columns(content_of(get_version(unit, request)))}
    earlier: dict[int, dict[str, tuple[str, ...]]] = {}
    standing: dict[str, Remark] = {}
    for remark in unit.remarks.find(request=request.id):
        if remark.kind not in VERDICTS:
            continue
        if remark.version not in earlier:
            content = content_of(get_version(unit, request, remark.version))
            earlier[remark.version] = {column.about: _asked(column) for column in asked_columns(content)}
        if now.get(remark.about) == earlier[remark.version].get(remark.about):
            standing[remark.about] = remark
        else:
            standing.pop(remark.about, None)
    return {about: remark for about, remark in standing.items() if about in now}


def _asked(column: AskedColumn) -> tuple[str, ...]:
    return column.source, column.level or "", column.justification


def review_variables(
    office: Office,
    catalogue: Catalogue,
    *,
    request_id: str,
    version: int,
    verdicts: Sequence[Verdict],
    by: Actor,
    now: datetime,
) -> DataRequest:
    """Record what an admin says of variables; the same verdict again changes nothing.

    The first verdict moves the request to UNDER_REVIEW. Refused names the variable at fault.
    """
    with office.units.read() as unit:
        request = _reviewable(office, unit, request_id, version, by)
        if request.state is RequestState.UNDER_REVIEW and not _new(unit, request, verdicts, by):
            return request
    with office.units.write() as unit:
        request = _reviewable(office, unit, request_id, version, by)
        columns = {column.about: column for column in asked_columns(content_of(get_version(unit, request)))}
        fresh = _new(unit, request, verdicts, by)
        if request.state is RequestState.SUBMITTED:
            request = move_request(unit, request, RequestState.UNDER_REVIEW, updated_at=now)
        for verdict in fresh:
            _check_verdict(verdict, columns, catalogue)
            level = verdict.level if verdict.kind is RemarkKind.COARSEN else None
            put_remark(unit, request, verdict.about, verdict.kind, level, verdict.text, by=by, now=now)
        unit.record(
            by=by,
            action="request.reviewed",
            object=f"request:{request_id}",
            now=now,
            details={"version": version, "verdicts": len(fresh)},
        )
    return request


def _new(unit: Unit, request: DataRequest, verdicts: Sequence[Verdict], by: Actor) -> list[Verdict]:
    """Those that do not stand already in the same words."""
    standing = standing_verdicts(unit, request)

    def stands(verdict: Verdict) -> bool:
        remark = standing.get(verdict.about)
        return remark is not None and (remark.kind, remark.level, remark.text, remark.by) == (
            verdict.kind,
            verdict.level if verdict.kind is RemarkKind.COARSEN else None,
            verdict.text.strip(),
            by.audit_name,
        )

    return [
        dataclasses.replace(v, text=checked_text(v.text, needed=False)) for v in verdicts if not stands(v)
    ]


def _reviewable(office: Office, unit: Unit, request_id: str, version: int, by: Actor) -> DataRequest:
    request = get_request(unit, request_id)
    require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
    if request.state not in _REVIEWABLE:
        raise Conflict(
            "not_under_review",
            "This request is not waiting for a decision.",
            "Cette demande n’attend pas de décision.",
        )
    if request.version != version:
        raise Conflict(
            "stale_version",
            "The request has changed meanwhile. Read the new version.",
            "La demande a changé entre-temps. Lisez la nouvelle version.",
        )
    return request


def _check_verdict(verdict: Verdict, columns: dict[str, AskedColumn], catalogue: Catalogue) -> None:
    column = columns.get(verdict.about)
    if column is None or verdict.kind not in VERDICTS:
        raise NotFound(
            "unknown_column",
            "The request does not ask for this variable.",
            "La demande ne porte pas sur cette variable.",
            field=verdict.about,
        )
    if verdict.kind in (RemarkKind.REFUSE, RemarkKind.ASK) and not verdict.text:
        raise Refused(
            "comment_missing",
            f"{verdict.about}: say why, or what the question is.",
            f"{verdict.about} : dites pourquoi, ou quelle est la question.",
            field=verdict.about,
        )
    if verdict.kind is RemarkKind.COARSEN:
        offered = coarser_levels(column, catalogue)
        if verdict.level not in offered:
            raise Refused(
                "unknown_level",
                f"{verdict.about}: choose a coarser level than the one asked for.",
                f"{verdict.about} : choisissez un niveau plus grossier que celui qui est demandé.",
                field=verdict.about,
            )


def coarser_levels(column: AskedColumn, catalogue: Catalogue) -> list[Level]:
    """The levels that the dictionary offers beyond the one asked for, from fine to coarse."""
    try:
        variable = catalogue.read(column.source).variables.get(column.variable)
    except Refused:
        return []
    if variable is None:
        return []
    offered = list(variable.offered)
    asked = Level(column.level) if column.level in set(FINE_TO_COARSE) else default_level(offered)
    return [
        level
        for level in offered
        if FINE_TO_COARSE.index(level) > FINE_TO_COARSE.index(asked) and level is not Level.NONE
    ]


def decide_request(
    office: Office,
    catalogue: Catalogue,
    *,
    request_id: str,
    ruling: Ruling,
    by: Actor,
    now: datetime,
) -> DataRequest:
    """Return, reject or approve the version that the admin read.

    Approval applies the standing verdicts: coarsened variables at their new level, refused ones left
    out; the result is a new version, frozen by its hash. Refused `not_reviewed` while a variable has no
    verdict (unless `accept_rest`), `question_open` while one has a question. The same decision of the
    same person again changes nothing; another one is Conflict `already_decided`.
    """
    to = _DECISIONS.get(ruling.decision)
    if to is None:
        raise Refused(
            "decision_missing", "Choose what you decide.", "Choisissez votre décision.", field="decision"
        )
    comment = ruling.comment.strip()
    if to is not RequestState.APPROVED and not comment:
        raise Refused(
            "comment_missing",
            "Say why: the people of the request read this.",
            "Dites pourquoi : les personnes de la demande le liront.",
            field="comment",
        )
    with office.units.read() as unit:
        request = get_request(unit, request_id)
        require(office.rules.roles, by, Permission.REQUEST_REVIEW, request.subject)
        if _repeats(request, to, comment, by):
            return request
    with office.units.write() as unit:
        request = get_request(unit, request_id)
        if _repeats(request, to, comment, by):
            unit.record(by=by, action="request.decision_repeated", object=f"request:{request_id}", now=now)
            return request
        request = _reviewable(office, unit, request_id, ruling.version, by)
        if request.state is RequestState.SUBMITTED:
            request = move_request(unit, request, RequestState.UNDER_REVIEW)
        if to is RequestState.APPROVED:
            request = _freeze(
                office, catalogue, unit, request, accept_rest=ruling.accept_rest, by=by, now=now
            )
        request = move_request(
            unit,
            request,
            to,
            decided_at=now,
            updated_at=now,
            decided_by=by.audit_name,
            decision_comment=comment,
        )
        unit.record(
            by=by,
            action=f"request.{to.value.lower()}",
            object=f"request:{request_id}",
            now=now,
            details={
                "version": request.version,
                "sha256": get_version(unit, request).digest,
                "policies": office.rules.fingerprint,
            },
        )
    return request


def _repeats(request: DataRequest, to: RequestState, comment: str, by: Actor) -> bool:
    if request.state not in _DECISIONS.values():
        return False
    if (request.state, request.decided_by, request.decision_comment) == (to, by.audit_name, comment):
        return True
    raise Conflict(
        "already_decided", "This request has been decided already.", "Cette demande a déjà été décidée."
    )


def _freeze(
    office: Office,
    catalogue: Catalogue,
    unit: Unit,
    request: DataRequest,
    *,
    accept_rest: bool,
    by: Actor,
    now: datetime,
) -> DataRequest:
    newest = get_version(unit, request)
    content = content_of(newest)
    verdicts = standing_verdicts(unit, request)
    _require_reviewed(content, verdicts, accept_rest=accept_rest)
    applied = apply_verdicts(content, verdicts)
    text = newest.text if applied == content else yaml.dump(applied)
    judged = judge(text, unit=unit, rules=office.rules, catalogue=catalogue, now=now, request=request.id)
    if judged.problems or judged.document is None:
        first = judged.problems[0]
        raise Refused(
            "request_incomplete",
            f"The request as decided cannot be approved: {first.field}: {first.en}",
            f"La demande ainsi décidée ne peut être approuvée : {first.field} : {first.fr}",
            field="decision",
        )
    if text == newest.text:
        refuse_failed(unit, newest)
    else:
        request = dataclasses.replace(request, version=request.version + 1)
        add_version(unit, request, text, judged, by=by, now=now)
    return dataclasses.replace(request, approved_version=request.version, approved_sha256=judged.digest)


def _require_reviewed(content: dict[str, Any], verdicts: dict[str, Remark], *, accept_rest: bool) -> None:
    for column in asked_columns(content):
        verdict = verdicts.get(column.about)
        if verdict is None and not accept_rest:
            raise Refused(
                "not_reviewed",
                f"{column.about} has no verdict yet.",
                f"{column.about} n’a pas encore d’avis.",
                field=column.about,
            )
        if verdict is not None and verdict.kind is RemarkKind.ASK:
            raise Refused(
                "question_open",
                f"There is an open question about {column.about}.",
                f"Une question est ouverte sur {column.about}.",
                field=column.about,
            )


def apply_verdicts(content: dict[str, Any], verdicts: dict[str, Remark]) -> dict[str, Any]:
    """The content with coarsened variables at their new level and without the refused ones."""
    applied = copy.deepcopy(content)
    for dataset in applied.get("datasets", []):
        for part in (dataset, *(dataset.get("through") or ())):
            part["columns"] = [
                kept
                for column in part["columns"]
                if (kept := _applied(column, verdicts.get(f"{dataset['name']}.{_variable(column)}")))
            ]
        if dataset.get("through"):
            kept_parts = [part for part in dataset.pop("through") if part["columns"]]
            dataset.update({"through": kept_parts} if kept_parts else {})
    return applied


def _variable(column: Any) -> str:
    return str(column["variable"] if isinstance(column, dict) else column)


def _applied(column: Any, verdict: Remark | None) -> Any:
    if verdict is None or verdict.kind is RemarkKind.ACCEPT:
        return column
    if verdict.kind is RemarkKind.REFUSE:
        return None
    kept = dict(column) if isinstance(column, dict) else {"variable": column}
    return kept | {"level": verdict.level}
