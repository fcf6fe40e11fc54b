"""Releases: their signed record, and its verification without the platform."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import hub
from hub.actions.deciders import Deciders
from hub.actions.ports import Checking, Office, Unit
from hub.actions.projects import get_project
from hub.actions.submissions import get_submission, subject_of
from hub.actions.withholding import reviewed_sha256, withheld_of
from hub.documents import releases as documents
from hub.domain.audit import AuditEntry
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import ReleaseRecord, Submission, SubmittedFile

UNREADABLE = "report_unreadable"
JUDGED = "judged"  # the answer to a rule that left something to judge: looked at and acceptable


def require_checking(office: Office) -> Checking:
    """What a decision needs; Refused `cannot_release` in a process that has no ledger and no key."""
    if office.checking is None:
        raise Refused(
            "cannot_release",
            "This process cannot release anything: it has no key for the record.",
            "Ce service ne peut rien libérer : il n’a pas la clé du procès-verbal.",
        )
    return office.checking


def released_bytes(file: SubmittedFile) -> documents.FileBytes:
    """What is handed out for a file: its canonical bytes. The one place that says so."""
    if file.canonical_name is None or file.canonical_size is None or file.canonical_sha256 is None:
        raise Conflict("not_released", "This is not released.", "Ceci n’est pas libéré.")
    return documents.FileBytes(
        name=file.canonical_name, size=file.canonical_size, sha256=file.canonical_sha256
    )


def findings_of(
    file: SubmittedFile, without: Collection[tuple[int, int]] = ()
) -> list[documents.FindingGroup]:
    """The findings of a stored report, by rule, gravest first. A report that cannot be read is one finding
    that blocks (`report_unreadable`). `without`: outputs (cell, output) whose own findings are left out."""
    listed = file.report.get("findings")
    groups: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], list[str]] = {}
    for finding in listed if isinstance(listed, list) else [None]:
        told: Mapping[str, object] = finding if isinstance(finding, Mapping) else {}
        if without and _output_of(told) in without:
            continue
        key = (str(told.get("rule")), str(told.get("severity")))
        if key[1] not in ("NOTE", "REVIEW", "BLOCK") or "rule" not in told:
            key = (UNREADABLE, "BLOCK")
        groups[key] += 1
        if "where" in told:
            where.setdefault(key, []).append(str(told["where"]))
    order = ["BLOCK", "REVIEW", "NOTE"]
    return [
        documents.FindingGroup.model_validate(
            {"rule": rule, "severity": severity, "count": count, "where": where.get((rule, severity), [])},
            strict=False,
        )
        for (rule, severity), count in sorted(groups.items(), key=lambda g: (order.index(g[0][1]), g[0][0]))
    ]


def _output_of(told: Mapping[str, object]) -> tuple[object, object]:
    place = told.get("place")
    return (place.get("cell"), place.get("output")) if isinstance(place, Mapping) else (None, None)


def to_answer(file: SubmittedFile, without: Collection[tuple[int, int]] = ()) -> list[str]:
    """The rules broken on a file, which whoever approves must answer; `without` outputs that do not leave."""
    return [group.rule for group in findings_of(file, without) if group.severity == "BLOCK"]


def to_judge(file: SubmittedFile, without: Collection[tuple[int, int]] = ()) -> list[str]:
    """The rules that leave something to judge on a file, beyond those that are broken on it."""
    broken = to_answer(file, without)
    groups = findings_of(file, without)
    return [g.rule for g in groups if g.severity == "REVIEW" and g.rule not in broken]


def record_release(
    unit: Unit,
    office: Office,
    submission: Submission,
    *,
    told: AuditEntry,
    deciders: Deciders,
    by: Actor,
    now: datetime,
) -> ReleaseRecord:
    """Make, sign and store the record of a submission that is released in this transaction.

    `told` is the audit entry that says so: the record names it, and the rule by which one decider was enough.
    """
    checking = require_checking(office)
    record = _record(unit, office, checking, submission, told=told, deciders=deciders, now=now)
    signature = checking.signer.sign(documents.canonical(record.model_dump(mode="json")))
    text = documents.signed_text(record, signature)
    made = ReleaseRecord(
        submission.id,
        submission.number,
        submission.project,
        text,
        hashlib.sha256(text.encode()).hexdigest(),
        now,
    )
    unit.release_records.add(made)
    unit.record(
        by=by,
        action="release.recorded",
        object=f"submission:{submission.id}",
        now=now,
        details={"number": submission.number, "record": made.sha256, "key": checking.signer.public},
    )
    return made


def _record(
    unit: Unit,
    office: Office,
    checking: Checking,
    submission: Submission,
    *,
    told: AuditEntry,
    deciders: Deciders,
    now: datetime,
) -> documents.Record:
    files = sorted(unit.files.find(submission=submission.id), key=lambda f: f.position)
    content: dict[str, Any] = {
        "format": documents.FORMAT,
        "release": {
            "number": submission.number,
            "id": submission.id,
            "project": submission.project,
            "project_title": get_project(unit, submission.project).title,
            "author": submission.author,
            "form": {name: str(value) for name, value in submission.form.items()},
            "submitted": submission.submitted_at,
            "released": now,
        },
        "files": [_recorded_file(file) for file in files],
        "answers": [
            {
                "file": a.position,
                "rule": a.rule,
                "checker": a.checker,
                "answer": a.answer,
                "at": a.answered_at,
            }
            for a in unit.answers.find(submission=submission.id)
        ],
        "decisions": [
            {
                "checker": v.checker,
                "decision": v.decision.value,
                "comment": v.comment,
                "confirmed": list(v.confirmed),
                "withheld": list(v.withheld),
                "at": v.voted_at,
            }
            for v in unit.votes.find(submission=submission.id)
        ],
        "rules": {
            "policies": office.rules.fingerprint,
            "in_force": dict(checking.severities),
            "thresholds": dict(checking.thresholds),
            "approvals_needed": deciders.needed,
            **_one_decider(office, deciders),
            "controls": {name: text.translations() for name, text in office.rules.review.controls.items()},
        },
        "software": {"name": "vitrine", "version": hub.__version__},
        "audit": {"seq": told.seq, "digest": told.digest},
        "key": checking.signer.public,
    }
    return documents.Record.model_validate(content, strict=False)


def _one_decider(office: Office, deciders: Deciders) -> dict[str, Any]:
    if deciders.one is None:
        return {}
    reason = office.rules.review.one_decider[deciders.one].reason
    return {"one_decider": {"name": deciders.one.value, "reason": reason.translations()}}


def _recorded_file(file: SubmittedFile) -> dict[str, Any]:
    return {
        "position": file.position,
        "media_type": file.media_type,
        "submitted": {"name": file.name, "size": file.size, "sha256": file.sha256},
        "released": released_bytes(file),
        "verdict": str(file.report.get("verdict", "")),
        "findings": findings_of(file),
        "reviewed_sha256": reviewed_sha256(file),
        "withheld": [
            {"cell": place.cell, "output": place.output, "sha256": sha256}
            for place, sha256 in withheld_of(file)
        ],
    }


def read_release_record(office: Office, *, submission_id: str, by: Actor, now: datetime) -> ReleaseRecord:
    """The record of a release, for whoever may read the submission; reading it is audited.

    NotFound `not_released` where there is none.
    """
    with office.units.read() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.SUBMISSION_READ, subject_of(unit, submission))
        record = unit.release_records.get(submission_id)
    if record is None:
        raise NotFound("not_released", "This is not released.", "Ceci n’est pas libéré.")
    with office.units.write() as unit:
        unit.record(
            by=by,
            action="release.record_read",
            object=f"submission:{submission_id}",
            now=now,
            details={"record": record.sha256},
        )
    return record


@dataclass(frozen=True)
class Fault:
    """One thing about a record that does not hold; `code` is stable."""

    code: str
    en: str
    fr: str


def verify_record(
    content: bytes,
    files: Mapping[str, bytes],
    *,
    key: str | None,
    is_signature: Callable[[bytes, str, str], bool],
) -> tuple[documents.Record, Sequence[Fault]]:
    """What does not hold of a record file and of `files` (name → bytes) that should be of its release.

    1. It is a record (Refused `bad_record` otherwise). 2. It names the key that is trusted (`key`; None:
    the caller must compare `record.key` with the office's). 3. The signature is that key's over exactly this
    record. 4. Each file is one that was released under its name.
    """
    signed, signed_bytes = documents.read_record(content)  # (1)
    record = signed.record
    faults = []
    if key is not None and record.key != key:  # (2)
        faults.append(
            Fault(
                "other_key",
                "the record names another key than the one given",
                "le procès-verbal nomme une autre clé que celle donnée",
            )
        )
    if not is_signature(signed_bytes, signed.signature.value, key or record.key):  # (3)
        faults.append(
            Fault(
                "bad_signature",
                "the signature is not that of this record: something in it was changed",
                "la signature n’est pas celle de ce procès-verbal : quelque chose y a été changé",
            )
        )
    released = {file.released.name: file.released for file in record.files}
    for name, data in files.items():  # (4)
        expected = released.get(name)
        if expected is None:
            faults.append(
                Fault(
                    "unknown_file",
                    f"the record knows no file “{name}”",
                    f"le procès-verbal ne connaît aucun fichier « {name} »",
                )
            )
        elif (len(data), hashlib.sha256(data).hexdigest()) != (expected.size, expected.sha256):
            faults.append(
                Fault(
                    "changed_file",
                    f"“{name}” is not what was released",
                    f"« {name} » n’est pas ce qui a été libéré",
                )
            )
    return record, faults
