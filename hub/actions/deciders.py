"""How many checkers decide a submission: as many as the office's policy says, and one alone where it is of a
class that the policy names as low-risk. No machine ever decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from hub.actions.ports import Office, Unit
from hub.actions.projects import get_project
from hub.checks import Report, UnreadableReport, Verdict, report_from_json
from hub.documents.policies import LowRisk, LowRiskClass
from hub.domain.records import Submission, SubmittedFile

_TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class Deciders:
    """`needed`: votes that decide. `one`: the class of policies/review.yaml by which one is enough."""

    needed: int
    one: LowRiskClass | None = None


def deciders_of(office: Office, unit: Unit, submission: Submission) -> Deciders:
    """How many decide this submission. One alone only where all of this holds of one named class:

    1. Every file was reproduced (PASS) and its report can be read; REVIEW and BLOCK are never low-risk.
    2. Every file is of the class's kind, and may leave. 3. The project is shown in one of its tiers. 4. There
    are no more files and bytes than it allows. 5. The submission is not of the sample that takes all.
    """
    rules = office.rules.review
    files = unit.files.find(submission=submission.id)
    reports = _passed(files)  # (1)
    if reports is not None:
        tier = get_project(unit, submission.project).tier
        for name, limits in rules.one_decider.items():
            if (
                all(_is_of(name, file, report) for file, report in zip(files, reports, strict=True))  # (2)
                and tier in limits.tiers  # (3)
                and _small(files, limits)  # (4)
                and not in_sample(submission.id, limits.sample)  # (5)
            ):
                return Deciders(1, name)
    return Deciders(rules.quorum)


def in_sample(submission_id: str, share: float) -> bool:
    """Whether a submission is among the `share` of its class that takes all checkers. Its id is random, so
    nobody can choose; it stays what it was, so nobody can try again."""
    drawn = int.from_bytes(hashlib.sha256(submission_id.encode()).digest()[:8], "big")
    return drawn < share * 2**64


def _passed(files: Sequence[SubmittedFile]) -> list[Report] | None:
    reports = []
    for file in files:
        try:
            report = report_from_json(dict(file.report))
        except UnreadableReport:
            return None
        if report.verdict is not Verdict.PASS:
            return None
        reports.append(report)
    return reports or None


def _is_of(name: LowRiskClass, file: SubmittedFile, report: Report) -> bool:
    ending = PurePosixPath(file.canonical_name or "").suffix.lower()
    if file.canonical_sha256 is None or ending not in _TABLES:
        return False
    return name is LowRiskClass.TABLE or _declared(report) == _KINDS[name]


_KINDS = {LowRiskClass.DECLARED_TABLE: "table", LowRiskClass.DECLARED_REGRESSION: "regression"}


def _declared(report: Report) -> str | None:
    declaration = report.summary.get("declaration")
    output = declaration.get("output") if isinstance(declaration, dict) else None
    return str(output.get("kind")) if isinstance(output, dict) else None


def _small(files: Sequence[SubmittedFile], limits: LowRisk) -> bool:
    return len(files) <= limits.max_files and sum(f.canonical_size or 0 for f in files) <= limits.max_bytes
