"""What the actions need of the world, by role. Adapters provide it; bootstrap wires it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, TypeVar

from hub.checks.cells import Cell
from hub.checks.findings import Finding, Severity
from hub.checks.indexes import Sealed
from hub.checks.placed import NumberedTable
from hub.documents.base import Text
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import ConditionsPolicy, LowRisk, LowRiskClass
from hub.domain.audit import AuditEntry, Head
from hub.domain.permissions import Actor, RolePermissions
from hub.domain.publications import Publication, PublicationVote
from hub.domain.records import (
    Decision,
    Extract,
    FindingAnswer,
    LedgerFile,
    Person,
    Project,
    ReleaseRecord,
    ReviewComment,
    Session,
    Source,
    StagedSets,
    Submission,
    SubmittedFile,
    Vote,
)
from hub.domain.requests import DataRequest, RecordedCondition, Remark, RequestAssessment, RequestVersion

T = TypeVar("T")


class Records(Protocol[T]):
    """The stored records of one kind, by their key."""

    def get(self, key: str) -> T | None:
        """The record, or None."""

    def find(self, **equal: object) -> list[T]:
        """Records whose fields equal these, in the order they were added."""

    def add(self, record: T) -> None:
        """Store a new record; raises Conflict `duplicate` if its key is taken."""

    def save(self, record: T) -> None:
        """Replace the record of the same key; raises NotFound if there is none."""


class Unit(Protocol):
    """One transaction. A writing unit is alone: writing units run one after another."""

    @property
    def people(self) -> Records[Person]: ...

    @property
    def projects(self) -> Records[Project]: ...

    @property
    def sources(self) -> Records[Source]: ...

    @property
    def extracts(self) -> Records[Extract]: ...

    @property
    def requests(self) -> Records[DataRequest]: ...

    @property
    def request_versions(self) -> Records[RequestVersion]: ...

    @property
    def remarks(self) -> Records[Remark]: ...

    @property
    def conditions(self) -> Records[RecordedCondition]: ...

    @property
    def assessments(self) -> Records[RequestAssessment]: ...

    @property
    def sessions(self) -> Records[Session]: ...

    @property
    def submissions(self) -> Records[Submission]: ...

    @property
    def files(self) -> Records[SubmittedFile]: ...

    @property
    def votes(self) -> Records[Vote]: ...

    @property
    def ledger_files(self) -> Records[LedgerFile]: ...

    @property
    def answers(self) -> Records[FindingAnswer]: ...

    @property
    def release_records(self) -> Records[ReleaseRecord]: ...

    @property
    def comments(self) -> Records[ReviewComment]: ...

    @property
    def publications(self) -> Records[Publication]: ...

    @property
    def publication_votes(self) -> Records[PublicationVote]: ...

    def record(
        self,
        *,
        by: Actor,
        action: str,
        object: str,
        now: datetime,
        details: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        """Append an audit event to the chain in this transaction."""

    def events(
        self, *, newest: int | None = None, before: int | None = None, object: str | None = None
    ) -> Iterator[AuditEntry]:
        """Audit entries in order of seq; with `newest`, the last so many (below seq `before`)."""


class Units(Protocol):
    """Begins transactions."""

    def write(self) -> AbstractContextManager[Unit]:
        """A writing unit: commits if it recorded an event, else raises; rolls back on error."""

    def read(self) -> AbstractContextManager[Unit]:
        """A reading unit: always rolled back."""

    def note_progress(self, extract_id: str, *, step: str, share: float, now: datetime) -> None:
        """Show how far an extraction is. No decision and no state, hence no audit event."""

    def note_assessing(self, assessment_id: str, *, step: str, share: float, now: datetime) -> None:
        """Show how far an assessment is; like `note_progress`, without an audit event."""

    def head(self) -> Head | None:
        """The end of the audit chain as known outside the database."""


class ArrivingFile(Protocol):
    """One file being received; `size` counts the bytes so far."""

    size: int

    def write(self, chunk: bytes) -> None:
        """Append bytes; they are hashed as they come."""


class Arrival(Protocol):
    """A submission on its way in; leaving the block removes whatever was not frozen."""

    def __enter__(self) -> Arrival: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def open(self, position: int) -> ArrivingFile:
        """Begin to receive the file at this position."""

    def freeze(self, file: ArrivingFile) -> str:
        """Move a received file to its place in the vault; answer its SHA-256."""

    def settle(self, file: ArrivingFile) -> tuple[Path, str]:
        """Where a received file lies until the block is left, and its SHA-256. Nothing of it is kept."""


class OutputVault(Protocol):
    """Frozen bytes by their SHA-256."""

    def receive(self) -> Arrival:
        """Begin to receive a submission."""

    def read(self, sha256: str) -> bytes:
        """The bytes, verified; raises IntegrityError if they are not what was frozen, NotFound if absent."""

    def path(self, sha256: str) -> Path:
        """Where the frozen bytes lie, for a checking process to read."""


@dataclass(frozen=True, slots=True)
class ExtractFiles:
    """A sealed extract for the ledger: `name` is `<project>/v<n>`; with its index, where it has one. `units`:
    unit type → column, where no dictionary says so."""

    name: str
    directory: Path
    index: Sealed | None = None
    units: Mapping[str, str] = field(default_factory=dict)


class Ledger(Protocol):
    """Sets of persons behind numbers, in the checker zone only. Numbers of persons are those of a *space*:
    a register of units (hub.extraction.registers), or the extract alone where it has none.

    None of its answers needs memory for sets: they are worked on in processes of their own. Whatever cannot
    be read, or answered within their limits, raises IntegrityError `ledger_damaged`."""

    def aside(self) -> AbstractContextManager[IO[bytes]]:
        """An open file for sets on their way, without a name: nothing of it is left, whatever happens."""

    def number(self, extract: ExtractFiles) -> Mapping[str, NumberedTable]:
        """The extract's tables that have persons, with the numbers of these and what they belong to; found at
        the first call, and kept while extract and register stay as they are."""

    def place(
        self,
        tables: Mapping[str, NumberedTable],
        cells: Sequence[Cell],
        sets: IO[bytes],
        released: Mapping[str, Sequence[LedgerFile]],
        beside: Mapping[str, Sequence[LedgerFile]],
        *,
        min_units: int,
        severity: Severity,
    ) -> tuple[list[StagedSets], list[Finding]]:
        """Keep the sets behind a file's numbers (`sets`, as a check wrote them) as numbers, per space; and
        what they tell with the `released` ones of their spaces and those `beside` them, of the submission's
        other files (number SAME_SUBMISSION). The same again changes nothing."""

    def differ(
        self, new: LedgerFile, released: Sequence[LedgerFile], *, min_units: int
    ) -> list[tuple[int, bool, bool]]:
        """Of which releases a submission's numbers differ by too few units: their numbers, whether they
        measure the same, and whether it is sure."""

    def verify(self, file: LedgerFile) -> None:
        """Raise unless the sets of a file are those that were kept."""

    def extracts(self) -> list[str]:
        """The extracts whose persons' numbers are kept."""

    def forget(self, extract: str) -> None:
        """Remove what is kept of an extract that is gone, but not what was released from it."""


class ReleaseSigner(Protocol):
    """The office's key for records of releases. `public` is its public half, in hexadecimal."""

    @property
    def public(self) -> str: ...

    def sign(self, content: bytes) -> str:
        """The Ed25519 signature, in hexadecimal."""


class Catalogue(Protocol):
    """Public dictionaries of the registered sources: never a row, a count or a range of the data."""

    def publish(self, dictionary: Dictionary) -> None:
        """Make or replace the public dictionary of a source; Refused `not_published` where that fails."""

    def names(self) -> list[str]:
        """The published sources, in alphabetical order."""

    def read(self, name: str) -> Dictionary:
        """The public dictionary; NotFound `unknown_source`, IntegrityError `dictionary_damaged`."""


class SessionFiles(Protocol):
    """What gate and desk are told of a session, outside the database (docs/architecture.md §4)."""

    def end(self, session: str, reason: str) -> None:
        """Close the session for the gate and the desk's own deadline, at once. Absent file: nothing to do."""

    def set_ends_at(self, session: str, ends_at: datetime) -> None:
        """Move the end; the desk's own deadline can only come nearer."""

    def prune(self, before: datetime) -> int:
        """Remove the files of sessions that ended before this moment; how many."""

    def open_sessions(self) -> dict[str, datetime]:
        """Open session ids with the end that the gate knows."""


class Desks(Protocol):
    """The Hub's polite way to start and stop a desk."""

    def start(self, username: str, project: str) -> None:
        """Ask the Hub to open the desk. Raises Refused `desk_refused` or `hub_unreachable`."""

    def ready(self, username: str, project: str) -> bool:
        """Whether the Hub's proxy leads to the desk already. Raises Refused `hub_unreachable`."""

    def stop(self, username: str, project: str) -> None:
        """Ask the Hub to stop the desk; an absent one is fine. Raises Refused `hub_unreachable`."""


@dataclass(frozen=True)
class ReviewRules:
    """A submission is decided by `quorum` different checkers (at least two); some votes need a comment.
    `controls`: what whoever approves confirms, by name. `one_decider`: classes that one checker decides
    alone (hub.actions.deciders). `target_hours`: from submission to decision."""

    quorum: int
    comment_needed_for: frozenset[Decision]
    target_hours: int
    controls: Mapping[str, Text]
    one_decider: Mapping[LowRiskClass, LowRisk]


@dataclass(frozen=True)
class TierRules:
    """Limits of a desk of one display tier: bytes, cores, processes, bytes out per session."""

    name: str
    memory_bytes: int
    cpus: float
    pids: int
    bytes_out_limit: int
    available: bool


@dataclass(frozen=True)
class SubmissionRules:
    """What may be submitted at all: bytes per submission, number of files, file name endings; and how many
    files a desk may have looked over before submitting, per hour."""

    max_bytes: int
    max_files: int
    types: Sequence[str]
    prechecks_per_hour: int


@dataclass(frozen=True)
class Rules:
    """The office's policies as the actions use them; `fingerprint` is their SHA-256."""

    roles: RolePermissions
    review: ReviewRules
    tiers: Mapping[str, TierRules]
    submissions: SubmissionRules
    conditions: ConditionsPolicy
    fingerprint: str


@dataclass(frozen=True)
class Checking:
    """What deciding needs beside the records: the ledger, the signer, and the rules in force (`severities`,
    by rule) with their thresholds; among them `min_units`, and what it means to differ from a release by
    fewer (`differencing`)."""

    ledger: Ledger
    signer: ReleaseSigner
    thresholds: Mapping[str, object]
    min_units: int
    differencing: Severity = Severity.BLOCK
    severities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Office:
    """All that an action needs: where records live, the rules in force, and the outside.

    `checking` is the portal's: a process without it cannot release anything.
    """

    units: Units
    rules: Rules
    session_files: SessionFiles
    desks: Desks
    checking: Checking | None = None
