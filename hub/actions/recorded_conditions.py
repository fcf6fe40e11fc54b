"""The gates of law without an office: a file says what was recorded, and the same policy judges it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from hub.actions.conditions import Need, Standing, expires, needs_of, statuses
from hub.actions.ports import Rules
from hub.documents.conditions import ConditionsRecord
from hub.documents.dictionaries import Dictionary
from hub.documents.requests import RequestDocument
from hub.domain.errors import Refused
from hub.domain.requests import RecordedCondition
from hub.extraction import RiskReport


def require_recorded(
    rules: Rules,
    document: RequestDocument,
    record: ConditionsRecord,
    sources: Mapping[str, Dictionary],
    *,
    now: datetime,
) -> bool:
    """Return only if the request's conditions are recorded and valid today; whether a red risk report waits
    for a decision (it does, unless anyone may have all the data).

    1. The policy knows the kind; one for open data is for sources that are open.
    2. Where all sources are open, nothing is asked for.
    3. Every recorded document meets a need of this request and is not of the future.
    4. Every need is met today.

    Refused `unknown_kind`, `not_open`, `unknown_condition`, `date_in_future` or `conditions_open`, naming the
    field.
    """
    needs = needs_of(rules, document)  # (1)
    kind = rules.conditions.kinds[document.kind]
    closed = [name for name, dictionary in sources.items() if dictionary.access != "open"]
    if kind.open_data and closed:
        raise Refused(
            "not_open",
            f"The source {closed[0]} is not open data: the kind {document.kind} is not for it.",
            f"La source {closed[0]} n’est pas une donnée ouverte : le type {document.kind} ne convient pas.",
            field="kind",
        )
    if not closed:  # (2)
        return False
    today = now.date()
    _require_needed(record, needs, today)  # (3)
    papers = _papers(record, needs, now)
    lacking = [one.need for one in statuses(needs, papers, today) if one.standing is not Standing.MET]
    if lacking or not needs:  # (4)
        _refuse(lacking)
    return True


def _require_needed(record: ConditionsRecord, needs: list[Need], today: date) -> None:
    known = {(need.condition, need.about) for need in needs}
    for position, paper in enumerate(record.conditions):
        if (paper.condition, paper.about) not in known:
            about = f" ({paper.about})" if paper.about else ""
            raise Refused(
                "unknown_condition",
                f"This request has no condition “{paper.condition}”{about}.",
                f"Cette demande n’a pas de condition « {paper.condition} »{about}.",
                field=f"conditions[{position}].condition",
            )
        if paper.date > today:
            raise Refused(
                "date_in_future",
                f"The document of “{paper.condition}” is of a day to come.",
                f"Le document de « {paper.condition} » porte une date à venir.",
                field=f"conditions[{position}].date",
            )


def _papers(record: ConditionsRecord, needs: list[Need], now: datetime) -> list[RecordedCondition]:
    months = {(need.condition, need.about): need.valid_months for need in needs}
    return [
        RecordedCondition(
            id=f"file/{number}",
            request="file",
            condition=paper.condition,
            about=paper.about,
            document=paper.document,
            dated=paper.date,
            valid_until=expires(paper.date, months[paper.condition, paper.about], paper.valid_until),
            recorded_by="file",
            recorded_at=now,
        )
        for number, paper in enumerate(record.conditions, start=1)
    ]


def _refuse(lacking: list[Need]) -> None:
    en = "; ".join(f"{need.condition} {need.about}".strip() for need in lacking) or "none is listed"
    fr = "; ".join(f"{need.condition} {need.about}".strip() for need in lacking) or "aucune n’est prévue"
    raise Refused(
        "conditions_open",
        f"The law’s conditions of this request are not recorded ({len(lacking)}): {en}. Give the file that "
        "records them, with document and date, by --conditions.",
        f"Les conditions légales de cette demande ne sont pas enregistrées ({len(lacking)}) : {fr}. Donnez "
        "par --conditions le fichier qui les consigne, avec document et date.",
        field="conditions",
    )


def require_decided(report: RiskReport, record: ConditionsRecord, plan_sha256: str) -> None:
    """Return only if the report is not red, or the record has a decision on this very plan; Refused
    `risk_decision`, or `decision_outdated` where it is on another plan."""
    if report.light != "red":
        return
    if record.risk is None:
        raise Refused(
            "risk_decision",
            f"The risk report of the plan {plan_sha256} is red: a decision with its reason must be recorded "
            "(risk, in the file of --conditions).",
            f"Le rapport de risque du plan {plan_sha256} est au rouge : une décision motivée doit être "
            "consignée (risk, dans le fichier de --conditions).",
            field="risk",
        )
    if record.risk.plan_sha256 != plan_sha256:
        raise Refused(
            "decision_outdated",
            f"The recorded decision is on another plan than {plan_sha256}: a source, a policy or the request "
            "has changed since.",
            f"La décision consignée porte sur un autre plan que {plan_sha256} : une source, une règle ou la "
            "demande a changé depuis.",
            field="risk.plan_sha256",
        )
