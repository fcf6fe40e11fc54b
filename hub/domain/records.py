"""The things of the house as plain values. Times are aware UTC; JSON fields are plain mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hub.domain.lifecycle import (
    ExtractState,
    PersonState,
    ProjectState,
    SessionState,
    SubmissionState,
)
from hub.domain.permissions import Role, Subject

Json = Mapping[str, object]


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    email: str
    roles: frozenset[Role]
    state: PersonState
    created_at: datetime


@dataclass(frozen=True)
class Project:
    """`plan` is the extract specification as approved; `ended_reason` is a stable code.

    `request` names the request that the project came from and `request_sha256` its approved content;
    `destroy_by` and `retain_until` are the dates of that request.
    """

    slug: str
    number: int
    title: str
    purpose: str
    tier: str
    state: ProjectState
    members: frozenset[str]
    starts_at: datetime
    ends_at: datetime
    plan: Json
    created_at: datetime
    created_by: str
    ended_reason: str | None = None
    request: str | None = None
    request_sha256: str | None = None
    destroy_by: date | None = None
    retain_until: date | None = None

    @property
    def subject(self) -> Subject:
        return Subject(self.slug, self.members)

    @property
    def tag(self) -> int:
        """Two-digit mark of the project in its pseudonyms, 10…99."""
        return 10 + (self.number - 1) % 90


@dataclass(frozen=True)
class Source:
    """`variables` maps each column to its labels and whether it may be delivered."""

    name: str
    title: str
    rows: int
    columns: int
    sha256: str
    dictionary_sha256: str
    registered_at: datetime
    registered_by: str
    variables: Json


@dataclass(frozen=True)
class Extract:
    """`id` is `<project>/v<version>`, also its place under `extracts/`. `progress` is 0…1."""

    id: str
    project: str
    version: int
    state: ExtractState
    plan: Json
    manifest: Json | None
    error: str | None
    step: str | None
    progress: float
    planned_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Session:
    """One open desk. `fingerprint` is the SHA-256 of the policies it was granted under."""

    id: str
    project: str
    username: str
    state: SessionState
    granted_at: datetime
    ends_at: datetime
    fingerprint: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    container: str | None = None


@dataclass(frozen=True)
class Submission:
    id: str
    number: int
    project: str
    author: str
    session: str | None
    state: SubmissionState
    form: Json
    submitted_at: datetime
    supersedes: str | None = None
    superseded_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class SubmittedFile:
    """`id` is `<submission>/<position>`; `sha256` its place in the vault; `report` the findings."""

    id: str
    submission: str
    position: int
    name: str
    size: int
    sha256: str
    media_type: str
    report: Json


class Decision(StrEnum):
    APPROVE = "APPROVE"
    RETURN = "RETURN"
    REJECT = "REJECT"


@dataclass(frozen=True)
class Vote:
    """`id` is `<submission>/<checker>`: one vote of one checker, once."""

    id: str
    submission: str
    checker: str
    decision: Decision
    comment: str
    voted_at: datetime


@dataclass(frozen=True)
class StagedFile:
    """A file frozen in the vault that no submission names yet."""

    name: str
    size: int
    sha256: str
    media_type: str
    report: Json
