"""The record of a release: what left, by which rules, who decided, signed so that it stands alone.

A record file is one JSON object: `record` (below) and `signature`. Signed are the bytes of `record` in
canonical form: UTF-8, keys sorted, no blanks, no escapes that JSON does not demand. So it may be printed
prettily and still holds, and a change of any value, name or order of a list does not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from hub.documents.base import Document, bad_value
from hub.documents.dictionaries import Sha256
from hub.domain.errors import Refused

FORMAT = "vitrine-release-record/1"
MAX_BYTES = 20_000_000
Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileBytes(Document):
    """Bytes by name, size and SHA-256."""

    name: str
    size: int = Field(ge=0)
    sha256: Sha256


class FindingGroup(Document):
    """The findings of one rule on one file: how many and where, never their evidence."""

    rule: str
    severity: Literal["NOTE", "REVIEW", "BLOCK"]
    count: int = Field(ge=1)
    where: tuple[str, ...]


class WithheldOutput(Document):
    """An output of a notebook that did not leave with it (cell and output from 0): a sentence stands in its
    place. `sha256`: of what it was, as canonical JSON (UTF-8, keys sorted, no blanks)."""

    cell: int = Field(ge=0)
    output: int = Field(ge=0)
    sha256: Sha256


class RecordedFile(Document):
    """One file: what was submitted, what is handed out, and what the checks said. `reviewed_sha256`: of the
    bytes that were reviewed, where some of their outputs were `withheld`."""

    position: int = Field(ge=0)
    media_type: str
    submitted: FileBytes
    released: FileBytes
    verdict: str
    findings: tuple[FindingGroup, ...]
    reviewed_sha256: Sha256 | None = None
    withheld: tuple[WithheldOutput, ...] = ()


class RecordedAnswer(Document):
    """How a checker answered a rule that was broken on a file (`file`: its position). `judged`: the rule left
    something to judge, which the checker looked at and found acceptable."""

    file: int
    rule: str
    checker: str
    answer: str
    at: AwareDatetime


class RecordedDecision(Document):
    """One vote. `confirmed`: the controls that the checker confirmed, by their names in `rules.controls`.
    `withheld`: the outputs without which it approves, as `<file>-<cell>-<output>`."""

    checker: str
    decision: Literal["APPROVE", "RETURN", "REJECT"]
    comment: str
    at: AwareDatetime
    confirmed: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


class RecordedRelease(Document):
    """Which submission was released. `form` is the description that the researcher gave."""

    number: int
    id: str
    project: str
    project_title: str
    author: str
    form: dict[str, str]
    submitted: AwareDatetime
    released: AwareDatetime


class OneDecider(Document):
    """By which class of policies/review.yaml one checker was enough, and why the office has it."""

    name: str
    reason: dict[str, str]


class AppliedRules(Document):
    """The rules in force: SHA-256 over all policy files, each rule of the checks with its severity
    (`in_force`; records made before it was kept have none), their thresholds, votes needed, and the controls
    that a checker confirms, in the office's words (language → sentence). `one_decider`: set where one vote
    was enough."""

    policies: str
    in_force: dict[str, Literal["note", "review", "block"]] = Field(default_factory=dict)
    thresholds: dict[str, Any]
    approvals_needed: int
    controls: dict[str, dict[str, str]] = Field(default_factory=dict)
    one_decider: OneDecider | None = None


class AuditHead(Document):
    """The entry of the audit log that says so."""

    seq: int
    digest: Sha256


class Record(Document):
    """The signed part. `key` is the public key (Ed25519, hexadecimal) that signs it."""

    format: Literal["vitrine-release-record/1"]
    release: RecordedRelease
    files: tuple[RecordedFile, ...] = Field(min_length=1)
    answers: tuple[RecordedAnswer, ...]
    decisions: tuple[RecordedDecision, ...] = Field(min_length=1)
    rules: AppliedRules
    software: dict[str, str]
    audit: AuditHead
    key: Hex64

    @model_validator(mode="after")
    def _decided_by_enough(self) -> Record:
        """Two at least, or the rule that says why one was enough."""
        needed = 1 if self.rules.one_decider is not None else 2
        if len({decision.checker for decision in self.decisions}) < max(needed, self.rules.approvals_needed):
            raise bad_value("fewer decided than were needed", "trop peu de personnes ont décidé")
        return self


class Signature(Document):
    """Over the canonical bytes of the record."""

    algorithm: Literal["Ed25519"]
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class SignedRecord(Document):
    """A record file."""

    record: Record
    signature: Signature


def canonical(content: object) -> bytes:
    """The bytes that are signed for plain JSON `content`; ValueError for NaN and infinities."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def signed_text(record: Record, signature: str) -> str:
    """The text of a record file."""
    content = {
        "record": record.model_dump(mode="json"),
        "signature": {"algorithm": "Ed25519", "value": signature},
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def read_record(content: bytes) -> tuple[SignedRecord, bytes]:
    """The record and the bytes that its signature is over; Refused `bad_record` for anything else.

    The bytes come from the file as it is, not from the models: what a model would mend or drop counts as
    changed. A key that stands twice is refused, since readers disagree on which one holds.
    """
    if len(content) > MAX_BYTES:
        raise _bad_record()
    try:
        raw = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        parsed = SignedRecord.model_validate_json(content)
        return parsed, canonical(raw["record"])
    except (ValueError, ValidationError, RecursionError) as error:
        raise _bad_record() from error


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _bad_record() -> Refused:
    return Refused(
        "bad_record",
        "This is not a record of a release.",
        "Ce n’est pas un procès-verbal de libération.",
        field="record",
    )
