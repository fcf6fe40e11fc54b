"""The things of the house as plain values. Times are aware UTC; JSON fields are plain mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    `destroy_by` and `retain_until` are the dates of that request. `kind` is the legal ground of a project
    that an admin made directly. `key_version` goes up when the project gets new pseudonyms.
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
    kind: str | None = None
    key_version: int = 1

    @property
    def subject(self) -> Subject:
        return Subject(self.slug, self.members)

    @property
    def tag(self) -> int:
        """Two-digit mark of the project in its pseudonyms, 10…99."""
        return 10 + (self.number - 1) % 90


@dataclass(frozen=True)
class Source:
    """`variables` maps each column to its labels and whether it may be delivered. `open`: anyone may have the
    same data from their producer."""

    name: str
    title: str
    rows: int
    columns: int
    sha256: str
    dictionary_sha256: str
    registered_at: datetime
    registered_by: str
    variables: Json
    open: bool = False


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
    """`verdict`: the gravest of its files' when it was submitted (hub.checks.Verdict); it sorts the queue and
    decides nothing. None: from before it was kept."""

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
    verdict: str | None = None


@dataclass(frozen=True)
class SubmittedFile:
    """One file that may leave, made from one that was submitted (an archive or workbook gives several).

    `id` is `<submission>/<position>`. `name`, `size` and `sha256` are those of the original, kept for the
    record; `canonical_…` those of what is reviewed and released. Both lie in the vault under their SHA-256.
    Without `canonical_sha256` nothing can be released. `report`: the findings; `changes`: what rewriting did.
    """

    id: str
    submission: str
    position: int
    name: str
    size: int
    sha256: str
    media_type: str
    report: Json
    canonical_name: str | None = None
    canonical_size: int | None = None
    canonical_sha256: str | None = None
    changes: Sequence[Json] = ()

    @property
    def shown_name(self) -> str:
        """The name of what is shown: of what would leave, or of the original where nothing can."""
        return self.canonical_name or self.name

    @property
    def shown_size(self) -> int:
        """Bytes of what is shown."""
        return self.size if self.canonical_size is None else self.canonical_size

    @property
    def shown_sha256(self) -> str:
        """SHA-256 of what is shown."""
        return self.canonical_sha256 or self.sha256


@dataclass(frozen=True)
class LedgerFile:
    """The sets of persons behind the numbers of one submitted file, in one space of numbers.

    `id` is `<submission>/<position>/<k>`; `sha256` is the file of sets in the ledger; `cells` says of each
    set what it is of (table, topic, size, probe, place; see hub.checks.ledger). They count as released from
    `released_at` on. `number` and `name` are those of the submission and its file.
    """

    id: str
    submission: str
    position: int
    number: int
    name: str
    space: str
    sha256: str
    cells: tuple[Json, ...]
    released_at: datetime | None = None


@dataclass(frozen=True)
class StagedSets:
    """Sets of persons kept in the ledger for a file that no submission names yet."""

    space: str
    sha256: str
    cells: tuple[Json, ...]


class Decision(StrEnum):
    APPROVE = "APPROVE"
    RETURN = "RETURN"
    REJECT = "REJECT"


@dataclass(frozen=True)
class Vote:
    """`id` is `<submission>/<checker>`: one vote of one checker, once. `confirmed`: the controls that whoever
    approves confirms, by name. `withheld`: outputs of notebooks without which it approves, each written
    `<file>-<cell>-<output>`, in order."""

    id: str
    submission: str
    checker: str
    decision: Decision
    comment: str
    voted_at: datetime
    confirmed: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True)
class FindingAnswer:
    """How one checker answered a rule that was broken or left something to judge: `id` is
    `<submission>/<checker>/<position>/<rule>`."""

    id: str
    submission: str
    checker: str
    position: int
    rule: str
    answer: str
    answered_at: datetime


@dataclass(frozen=True)
class ReviewComment:
    """A checker's remark on a file or on one place of it (`place`: hub.checks.Place; empty: the file)."""

    id: str
    submission: str
    author: str
    position: int
    place: Json
    text: str
    written_at: datetime


@dataclass(frozen=True)
class ReleaseRecord:
    """The signed record of a release (hub.documents.releases): `id` is the submission, `content` the exact
    text that was signed with its signature."""

    id: str
    number: int
    project: str
    content: str
    sha256: str
    made_at: datetime


@dataclass(frozen=True)
class StagedFile:
    """A file frozen in the vault that no submission names yet; fields as in `SubmittedFile`, and the sets of
    persons behind its numbers."""

    name: str
    size: int
    sha256: str
    media_type: str
    report: Json
    sets: tuple[StagedSets, ...] = ()
    canonical_name: str | None = None
    canonical_size: int | None = None
    canonical_sha256: str | None = None
    changes: Sequence[Json] = ()
