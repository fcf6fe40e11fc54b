"""What a check says: findings, the verdict that follows from them, and their JSON.

The reader of the JSON is strict: a member or key it does not know raises `UnreadableReport`, and whoever
catches that treats the file as REVIEW. An unknown word is never a PASS.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from hub.checks.cells import Cell

REPORT_VERSION = 1

E = TypeVar("E", bound=StrEnum)


class Verdict(StrEnum):
    """What the engine thinks of a file. It never releases: four eyes decide whatever it says.

    PASS means that every number of the file was reproduced from the extract and all rules hold.
    """

    PASS = "PASS"  # noqa: S105  (a verdict, not a password)
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"


class Severity(StrEnum):
    """NOTE: good to know. REVIEW: the checker must judge. BLOCK: a rule is broken, with evidence."""

    NOTE = "NOTE"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"


class UnreadableReport(ValueError):
    """The JSON is not a report of this version."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file. All numbers count from 0; rows are data rows, as in `TableView.rows`.

    `cell` and `output` are those of a notebook; `table` counts the tables of the file, or of the output.
    """

    cell: int | None = None
    output: int | None = None
    table: int | None = None
    row: int | None = None
    column: int | None = None
    line: int | None = None

    def within(self, **more: int | None) -> Place:
        """This place with some numbers filled in."""
        numbers = {name: getattr(self, name) for name in self.__slots__}
        return Place(**{**numbers, **more})

    def is_in_any(self, tables: Iterable[Place]) -> bool:
        """Whether this place is in one of the tables, not in a line of text."""
        return self.line is None and any(
            (table.cell, table.output, table.table or 0) == (self.cell, self.output, self.table or 0)
            for table in tables
        )

    def to_json(self) -> dict[str, int]:
        """Only the numbers that are set."""
        numbers = {name: getattr(self, name) for name in self.__slots__}
        return {name: number for name, number in numbers.items() if number is not None}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule saw.

    `where` is for people and for logs ("row 3, column n"; rows from 1); `place` is the same for programs.
    `message` has the keys `fr` and `en` and says what to do. Evidence is for checkers: it may hold exact
    small counts, so it is not shown to the researcher.
    """

    rule: str
    severity: Severity
    where: str
    message: Mapping[str, str]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default_factory=Place)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "where": self.where,
            "message": dict(self.message),
            "evidence": dict(self.evidence),
            "place": self.place.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks say of one file. `sha256` is None when the bytes were not read to the end.

    `cells`: the numbers made again from the extract, with their units; for the ledger, not stored here.
    """

    verdict: Verdict
    findings: Sequence[Finding]
    media_type: str
    sha256: str | None
    summary: Mapping[str, Any]
    cells: Sequence[Cell] = ()

    def with_findings(self, more: Iterable[Finding]) -> Report:
        """This report with more findings, and the verdict that follows."""
        findings = (*self.findings, *more)
        verdict = verdict_of(findings, reproduced=self.summary.get("reproduced") is True)
        return replace(self, findings=findings, verdict=verdict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as stored beside a submission."""
        return {
            "version": REPORT_VERSION,
            "verdict": self.verdict.value,
            "findings": [finding.to_json() for finding in self.findings],
            "media_type": self.media_type,
            "sha256": self.sha256,
            "summary": dict(self.summary),
        }


def verdict_of(findings: Iterable[Finding], *, reproduced: bool = False) -> Verdict:
    """BLOCK when a rule says so; PASS when every number was reproduced and nothing is left to judge; REVIEW
    otherwise."""
    severities = {finding.severity for finding in findings}
    if Severity.BLOCK in severities:
        return Verdict.BLOCK
    if reproduced and severities <= {Severity.NOTE}:
        return Verdict.PASS
    return Verdict.REVIEW


def dump_report(report: Report) -> str:
    """One line of strict JSON (no NaN), readable by `load_report`."""
    return json.dumps(report.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def load_report(text: str | bytes) -> Report:
    """The report in `text`; raises `UnreadableReport` on anything unexpected."""
    try:
        return report_from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UnreadableReport("not a report") from error


def report_from_json(raw: Any) -> Report:
    """The report in parsed JSON; raises `UnreadableReport` on an unknown key, member or type."""
    keys = {"version", "verdict", "findings", "media_type", "sha256", "summary"}
    _require(isinstance(raw, dict) and set(raw) == keys, "keys of the report")
    _require(raw["version"] == REPORT_VERSION, "version")
    _require(isinstance(raw["findings"], list), "findings")
    _require(isinstance(raw["media_type"], str), "media_type")
    _require(raw["sha256"] is None or isinstance(raw["sha256"], str), "sha256")
    _require(isinstance(raw["summary"], dict), "summary")
    findings = tuple(finding_from_json(finding) for finding in raw["findings"])
    verdict = _member(Verdict, raw["verdict"])
    # A report that contradicts its own findings did not come from this room.
    reproduced = raw["summary"].get("reproduced") is True
    _require(verdict is verdict_of(findings, reproduced=reproduced), "verdict")
    return Report(verdict, findings, raw["media_type"], raw["sha256"], raw["summary"])


def finding_from_json(raw: Any) -> Finding:
    """The finding in parsed JSON; raises `UnreadableReport` on an unknown key, member or type."""
    keys = {"rule", "severity", "where", "message", "evidence", "place"}
    _require(isinstance(raw, dict) and set(raw) == keys, "keys of a finding")
    _require(isinstance(raw["rule"], str) and isinstance(raw["where"], str), "rule or where")
    message = raw["message"]
    _require(isinstance(message, dict) and set(message) == {"fr", "en"}, "message")
    _require(all(isinstance(text, str) for text in message.values()), "message")
    _require(isinstance(raw["evidence"], dict), "evidence")
    place = raw["place"]
    _require(isinstance(place, dict) and set(place) <= set(Place.__slots__), "place")
    _require(all(type(number) is int for number in place.values()), "place")
    severity = _member(Severity, raw["severity"])
    return Finding(raw["rule"], severity, raw["where"], message, raw["evidence"], Place(**place))


def _member(kind: type[E], value: Any) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise UnreadableReport(f"unknown {kind.__name__}") from error


def _require(condition: object, what: str) -> None:
    if not condition:
        raise UnreadableReport(f"unexpected {what}")
