"""States and the moves between them, as tables; diagrams in docs/lifecycles.md are generated from these."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from hub.domain.errors import Conflict


class PersonState(StrEnum):
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class ProjectState(StrEnum):
    APPROVED = "APPROVED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


class ExtractState(StrEnum):
    PLANNED = "PLANNED"
    EXTRACTING = "EXTRACTING"
    SEALED = "SEALED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    DESTROYING = "DESTROYING"
    DESTROYED = "DESTROYED"


class RequestState(StrEnum):
    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class AssessmentState(StrEnum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class SessionState(StrEnum):
    GRANTED = "GRANTED"
    RUNNING = "RUNNING"
    ENDED = "ENDED"


class SubmissionState(StrEnum):
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    WITHDRAWN = "WITHDRAWN"


class PublicationState(StrEnum):
    REGISTERED = "REGISTERED"
    UNDER_REVIEW = "UNDER_REVIEW"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


S = TypeVar("S", bound=StrEnum)

PERSON: Mapping[PersonState, frozenset[PersonState]] = {
    PersonState.ACTIVE: frozenset({PersonState.SUSPENDED}),
    PersonState.SUSPENDED: frozenset({PersonState.ACTIVE}),
}
PROJECT: Mapping[ProjectState, frozenset[ProjectState]] = {
    ProjectState.APPROVED: frozenset({ProjectState.ACTIVE, ProjectState.EXPIRED}),
    ProjectState.ACTIVE: frozenset({ProjectState.SUSPENDED, ProjectState.EXPIRED}),
    ProjectState.SUSPENDED: frozenset({ProjectState.ACTIVE, ProjectState.EXPIRED}),
    ProjectState.EXPIRED: frozenset({ProjectState.CLOSED}),
    ProjectState.CLOSED: frozenset(),
}
EXTRACT: Mapping[ExtractState, frozenset[ExtractState]] = {
    ExtractState.PLANNED: frozenset({ExtractState.EXTRACTING, ExtractState.FAILED}),
    ExtractState.EXTRACTING: frozenset({ExtractState.SEALED, ExtractState.FAILED, ExtractState.PLANNED}),
    ExtractState.FAILED: frozenset({ExtractState.PLANNED}),
    ExtractState.SEALED: frozenset({ExtractState.EXPIRED}),
    ExtractState.EXPIRED: frozenset({ExtractState.DESTROYING}),
    ExtractState.DESTROYING: frozenset({ExtractState.DESTROYED}),
    ExtractState.DESTROYED: frozenset(),
}
REQUEST: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.DRAFT: frozenset({RequestState.SUBMITTED, RequestState.WITHDRAWN}),
    RequestState.SUBMITTED: frozenset({RequestState.UNDER_REVIEW, RequestState.WITHDRAWN}),
    RequestState.UNDER_REVIEW: frozenset(
        {RequestState.RETURNED, RequestState.APPROVED, RequestState.REJECTED, RequestState.WITHDRAWN}
    ),
    RequestState.RETURNED: frozenset({RequestState.SUBMITTED, RequestState.WITHDRAWN}),
    # Only while nothing was delivered of it (actions/request_reopenings.py).
    RequestState.APPROVED: frozenset({RequestState.RETURNED, RequestState.WITHDRAWN}),
    RequestState.REJECTED: frozenset(),
    RequestState.WITHDRAWN: frozenset(),
}
ASSESSMENT: Mapping[AssessmentState, frozenset[AssessmentState]] = {
    AssessmentState.WAITING: frozenset({AssessmentState.RUNNING}),
    AssessmentState.RUNNING: frozenset(
        {AssessmentState.DONE, AssessmentState.FAILED, AssessmentState.WAITING}
    ),
    AssessmentState.DONE: frozenset({AssessmentState.WAITING}),
    AssessmentState.FAILED: frozenset({AssessmentState.WAITING}),
}
SESSION: Mapping[SessionState, frozenset[SessionState]] = {
    SessionState.GRANTED: frozenset({SessionState.RUNNING, SessionState.ENDED}),
    SessionState.RUNNING: frozenset({SessionState.ENDED}),
    SessionState.ENDED: frozenset(),
}
SUBMISSION: Mapping[SubmissionState, frozenset[SubmissionState]] = {
    SubmissionState.SUBMITTED: frozenset({SubmissionState.UNDER_REVIEW, SubmissionState.WITHDRAWN}),
    SubmissionState.UNDER_REVIEW: frozenset(
        {
            SubmissionState.RETURNED,
            SubmissionState.APPROVED,
            SubmissionState.REJECTED,
            SubmissionState.WITHDRAWN,
        }
    ),
    SubmissionState.APPROVED: frozenset({SubmissionState.RELEASED}),
    SubmissionState.RETURNED: frozenset(),
    SubmissionState.REJECTED: frozenset(),
    SubmissionState.RELEASED: frozenset(),
    SubmissionState.WITHDRAWN: frozenset(),
}

PUBLICATION: Mapping[PublicationState, frozenset[PublicationState]] = {
    PublicationState.REGISTERED: frozenset({PublicationState.UNDER_REVIEW, PublicationState.WITHDRAWN}),
    PublicationState.UNDER_REVIEW: frozenset(
        {
            PublicationState.RETURNED,
            PublicationState.APPROVED,
            PublicationState.REJECTED,
            PublicationState.WITHDRAWN,
        }
    ),
    PublicationState.RETURNED: frozenset(),
    PublicationState.APPROVED: frozenset(),
    PublicationState.REJECTED: frozenset(),
    PublicationState.WITHDRAWN: frozenset(),
}

TABLES: Mapping[str, Mapping[StrEnum, frozenset[StrEnum]]] = {
    "Person": PERSON,  # type: ignore[dict-item]  # Mapping is invariant in its key; read-only here
    "Project": PROJECT,  # type: ignore[dict-item]
    "Extract": EXTRACT,  # type: ignore[dict-item]
    "Request": REQUEST,  # type: ignore[dict-item]
    "Assessment": ASSESSMENT,  # type: ignore[dict-item]
    "Session": SESSION,  # type: ignore[dict-item]
    "Submission": SUBMISSION,  # type: ignore[dict-item]
    "Publication": PUBLICATION,  # type: ignore[dict-item]
}


def move(table: Mapping[S, frozenset[S]], now: S, to: S) -> S:
    """Return `to` if the table allows the move from `now`; raise Conflict `wrong_state` otherwise."""
    if to not in table[now]:
        raise Conflict(
            "wrong_state",
            f"This is {now.value}; it cannot become {to.value}.",
            f"L’état actuel est {now.value} ; le passage à {to.value} n’est pas possible.",
        )
    return to


def diagrams() -> str:
    """The tables above as Mermaid state diagrams (docs/lifecycles.md)."""
    parts = ["# Lifecycles", "", "Generated by `vitrine docs`; do not edit.", ""]
    for name, table in TABLES.items():
        first = next(iter(table))
        lines = [f"## {name}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
        for state, targets in table.items():
            lines += [f"    {state} --> {target}" for target in sorted(targets)]
            if not targets:
                lines.append(f"    {state} --> [*]")
        parts += [*lines, "```", ""]
    return "\n".join(parts)
