"""Requests for data as plain values: versions, remarks, recorded conditions, assessments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hub.domain.lifecycle import AssessmentState, RequestState
from hub.domain.permissions import Subject
from hub.domain.records import Json


@dataclass(frozen=True)
class DataRequest:
    """One request. `members`: its author and the people it names. `version` is the newest one;
    `approved_version` the frozen one and `approved_sha256` the digest of its content."""

    id: str
    number: int
    author: str
    members: frozenset[str]
    title: str
    state: RequestState
    version: int
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_comment: str | None = None
    approved_version: int | None = None
    approved_sha256: str | None = None
    project: str | None = None

    @property
    def subject(self) -> Subject:
        return Subject(self.id, self.members)


@dataclass(frozen=True)
class RequestVersion:
    """One saved text of a request, never changed. `id` is `<request>/v<version>`; `text` is YAML;
    `problems` says what keeps it from being sent; `digest` is that of its content."""

    id: str
    request: str
    version: int
    text: str
    problems: tuple[Json, ...]
    digest: str
    saved_by: str
    saved_at: datetime


class RemarkKind(StrEnum):
    """What is said of a variable or of the whole: a review's verdict, or a word in the thread."""

    ACCEPT = "accept"
    COARSEN = "coarsen"
    REFUSE = "refuse"
    ASK = "ask"
    ANSWER = "answer"
    COMMENT = "comment"


VERDICTS = frozenset({RemarkKind.ACCEPT, RemarkKind.COARSEN, RemarkKind.REFUSE, RemarkKind.ASK})


@dataclass(frozen=True)
class Remark:
    """`id` is `<request>/<number>`; `about` is `<dataset>.<variable>`, or empty for the whole request;
    `level` goes with COARSEN."""

    id: str
    request: str
    version: int
    about: str
    kind: RemarkKind
    level: str | None
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class RecordedCondition:
    """A document that a gate of law asks for. `id` is `<request>/<number>`; `about` is the institution
    or user name that it is for, empty for the project. A revoked one does not count."""

    id: str
    request: str
    condition: str
    about: str
    document: str
    dated: date
    valid_until: date | None
    recorded_by: str
    recorded_at: datetime
    file_name: str | None = None
    file_sha256: str | None = None
    file_size: int | None = None
    revoked_by: str | None = None
    revoked_at: datetime | None = None


class RiskChoice(StrEnum):
    PROCEED = "proceed"
    HOLD = "hold"


@dataclass(frozen=True)
class RequestAssessment:
    """What the worker found of one version: `id` is the version's. `light` is the report's colour;
    `choice` an admin's decision on a red one, gone when it is assessed again and the report says otherwise.

    Of an extract whose project has no request, `id` is `project/<extract>`, `request` empty and `version` the
    extract's."""

    id: str
    request: str
    version: int
    state: AssessmentState
    asked_by: str
    asked_at: datetime
    updated_at: datetime
    result: Json | None = None
    light: str | None = None
    error: Json | None = None
    step: str | None = None
    progress: float = 0.0
    choice: RiskChoice | None = None
    choice_by: str | None = None
    choice_at: datetime | None = None
    choice_reason: str | None = None

    @property
    def found(self) -> Json:
        """What the worker found; empty until it is DONE: `result` may still be that of the report before, to
        which a new one is compared."""
        return self.result or {} if self.state is AssessmentState.DONE else {}
