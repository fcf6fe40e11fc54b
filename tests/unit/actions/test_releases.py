"""The record of a release: signed, complete, and false as soon as anything in it is changed."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.actions import releases, reviews, submissions
from hub.actions.ports import Office
from hub.adapters.signatures import Ed25519Signer, is_signature
from hub.documents.policies import load_policies
from hub.documents.releases import Record, canonical, read_record
from hub.domain.errors import NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Decision, StagedFile, Submission
from tests import factories
from tests.factories import NOW, actor

BYTES = b"group,n\na,120\n"


def report(*rules: tuple[str, str]) -> dict[str, object]:
    findings = [
        {
            "rule": rule,
            "severity": severity,
            "where": f"row {k + 1}",
            "message": {"fr": "x", "en": "x"},
            "evidence": {"count": 3},
            "place": {},
        }
        for k, (rule, severity) in enumerate(rules)
    ]
    return {"verdict": "BLOCK" if any(s == "BLOCK" for _, s in rules) else "REVIEW", "findings": findings}


def staged(content: bytes = BYTES, *rules: tuple[str, str], name: str = "table.csv") -> StagedFile:
    size, sha256 = len(content), hashlib.sha256(content).hexdigest()
    return StagedFile(
        name,
        size,
        sha256,
        "text/csv",
        report(*rules),
        canonical_name=name,
        canonical_size=size,
        canonical_sha256=sha256,
    )


@pytest.fixture
def session(office: Office) -> str:
    factories.add_project(office, people=["ana", "rosa"])
    return factories.open_session(office).session.id


def submit(office: Office, session: str, *files: StagedFile) -> Submission:
    return submissions.submit(
        office, session_id=session, form=factories.FORM, supersedes=None, files=files, now=NOW
    )


def approve(office: Office, made: Submission, **answers: str) -> Submission:
    for checker in ("chloe", "denis"):
        made = reviews.cast_vote(
            office,
            submission_id=made.id,
            decision=Decision.APPROVE,
            comment="fine",
            by=actor(checker),
            now=NOW,
            grounds=factories.grounds(office, made.id, **answers),
        )
    return made


@pytest.fixture
def record(office: Office, session: str) -> bytes:
    rules = (("small_count", "BLOCK"), ("small_count", "BLOCK"), ("formula", "REVIEW"))
    made = submit(office, session, staged(BYTES, *rules), staged(b"b\n", name="b.txt"))
    approve(office, made, small_count="Years, not counts.")
    return releases.read_release_record(
        office, submission_id=made.id, by=actor("ana"), now=NOW
    ).content.encode()


def check(content: bytes, key: str | None = None, **files: bytes) -> list[str]:
    named = {name.replace("_", "."): data for name, data in files.items()}
    _, faults = releases.verify_record(content, named, key=key, is_signature=is_signature)
    return [fault.code for fault in faults]


OFFICE_KEY = Ed25519Signer(factories.RELEASE_KEY).public


def leaves(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from leaves(value, (*path, name))
    elif isinstance(content, list) and content:
        for position, value in enumerate(content):
            yield from leaves(value, (*path, position))
    else:
        yield path


def changed(value: Any) -> Any:
    """Another value of the same form, so that only the signature can tell."""
    if isinstance(value, bool) or value is None:
        return "x"
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return ["x"]
    if value.endswith("Z"):
        return value.replace("2026", "2027")
    swap = {"0": "1", "1": "0"}
    return swap.get(value[:1], "0") + value[1:] if value else "x"


def test_a_record_of_a_release_holds(record: bytes) -> None:
    assert check(record, OFFICE_KEY, table_csv=BYTES, b_txt=b"b\n") == []
    assert check(record) == []


def test_every_change_of_every_field_is_noticed(record: bytes) -> None:
    original = json.loads(record)
    paths = list(leaves(original))
    assert len(paths) > 50
    for path in paths:
        forged = copy.deepcopy(original)
        parent = forged
        for part in path[:-1]:
            parent = parent[part]
        parent[path[-1]] = changed(parent[path[-1]])
        assert problems(json.dumps(forged).encode()), path


def problems(content: bytes) -> list[str]:
    """Codes of what does not hold, a refusal included."""
    try:
        return check(content, OFFICE_KEY)
    except Refused as refused:
        return [refused.code]


@pytest.mark.parametrize(
    "part", ["format", "release", "files", "answers", "decisions", "rules", "software", "audit", "key"]
)
def test_a_part_that_is_missing_makes_no_record(record: bytes, part: str) -> None:
    forged = json.loads(record)
    del forged["record"][part]
    with pytest.raises(Refused) as refused:
        check(json.dumps(forged).encode())
    assert refused.value.code == "bad_record"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"record": NaN}', b'{"record": {}, "signature": {}}'],
)
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refused:
        check(content)
    assert refused.value.code == "bad_record"


def test_what_is_added_is_refused(record: bytes) -> None:
    forged = json.loads(record)
    forged["record"]["note"] = "Also released: everything."
    with pytest.raises(Refused):
        check(json.dumps(forged).encode())
    twice = record.replace(b'"record": {', b'"record": {"format": "vitrine-release-record/1",', 1)
    with pytest.raises(Refused):
        check(twice)


def test_lists_in_another_order_are_noticed(record: bytes) -> None:
    forged = json.loads(record)
    forged["record"]["files"].reverse()
    assert check(json.dumps(forged).encode(), OFFICE_KEY) == ["bad_signature"]


def test_blanks_and_the_order_of_keys_do_not_matter(record: bytes) -> None:
    content = json.loads(record)
    mixed = {"signature": content["signature"], "record": dict(reversed(content["record"].items()))}
    assert check(json.dumps(mixed, indent=4).encode(), OFFICE_KEY) == []


def test_a_record_signed_by_somebody_else_is_not_the_offices(record: bytes) -> None:
    other = Ed25519Signer(bytes(32))
    forged = json.loads(record)
    forged["record"]["key"] = other.public
    forged["signature"]["value"] = other.sign(canonical(forged["record"]))
    content = json.dumps(forged).encode()
    assert check(content) == []  # it says itself whose it is
    assert check(content, OFFICE_KEY) == ["other_key", "bad_signature"]


def test_other_files_are_named(record: bytes) -> None:
    _, faults = releases.verify_record(
        record,
        {"table.csv": BYTES + b" ", "c.csv": BYTES, "b.txt": b"b\n"},
        key=OFFICE_KEY,
        is_signature=is_signature,
    )
    assert [(fault.code, fault.en) for fault in faults] == [
        ("changed_file", "“table.csv” is not what was released"),
        ("unknown_file", "the record knows no file “c.csv”"),
    ]


def test_the_record_says_what_was_decided_and_never_the_evidence(record: bytes, office: Office) -> None:
    told = read_record(record)[0].record
    assert [(f.rule, f.severity, f.count) for f in told.files[0].findings] == [
        ("small_count", "BLOCK", 2),
        ("formula", "REVIEW", 1),
    ]
    assert {(a.file, a.rule, a.checker, a.answer) for a in told.answers} == {
        (0, "small_count", "chloe", "Years, not counts."),
        (0, "small_count", "denis", "Years, not counts."),
        (0, "formula", "chloe", "judged"),
        (0, "formula", "denis", "judged"),
    }
    assert sorted(d.checker for d in told.decisions) == ["chloe", "denis"]
    assert told.rules.policies == office.rules.fingerprint
    assert told.rules.thresholds["small_units"] == {"units": 10}
    rules = load_policies(factories.ROOT / "policies").outputs.rules
    assert told.rules.in_force == {name: rule.severity for name, rule in rules.items()}
    assert told.rules.in_force["extreme"] == "block"  # a rule without a threshold
    assert told.release.released == NOW
    controls = office.rules.review.controls
    assert [set(decision.confirmed) for decision in told.decisions] == [set(controls)] * 2
    assert told.rules.controls == {name: text.translations() for name, text in controls.items()}
    assert b"evidence" not in record
    with office.units.read() as unit:
        entries = {entry.seq: entry for entry in unit.events()}
    entry = entries[told.audit.seq]
    assert (entry.action, entry.digest) == ("submission.released", told.audit.digest)


def test_an_approval_answers_every_broken_rule(office: Office, session: str) -> None:
    made = submit(office, session, staged(BYTES, ("small_count", "BLOCK"), ("row_level", "BLOCK")))
    for answers in (
        {},
        {"small_count": "Years."},
        {"small_count": "Years.", "row_level": " "},
    ):
        with pytest.raises(Refused) as refused:
            approve(office, made, **answers)
        assert refused.value.code == "answer_missing"
    with office.units.read() as unit:
        assert unit.votes.find() == []
        assert unit.answers.find() == []
    reviews.cast_vote(
        office, submission_id=made.id, decision=Decision.RETURN, comment="no", by=actor("chloe"), now=NOW
    )


def test_a_report_that_cannot_be_read_must_be_answered(office: Office, session: str) -> None:
    broken = dataclasses.replace(staged(), report={"verdict": "PASS"})
    made = submit(office, session, broken)
    with pytest.raises(Refused) as refused:
        approve(office, made)
    assert refused.value.field == "answer-0-report_unreadable"
    assert approve(office, made, report_unreadable="Read whole by hand.").state is SubmissionState.RELEASED


def test_a_process_without_the_key_releases_nothing(office: Office, session: str) -> None:
    made = submit(office, session, staged())
    with pytest.raises(Refused) as refused:
        approve(dataclasses.replace(office, checking=None), made)
    assert refused.value.code == "cannot_release"
    with office.units.read() as unit:
        kept = unit.submissions.get(made.id)
        assert kept is not None
        assert kept.state is SubmissionState.UNDER_REVIEW
        assert unit.release_records.find() == []


def test_the_record_is_for_who_may_read_the_submission(office: Office, session: str) -> None:
    made = submit(office, session, staged())
    with pytest.raises(NotFound):
        releases.read_release_record(office, submission_id=made.id, by=actor("ana"), now=NOW)
    approve(office, made)
    for username in ("rosa", "bob"):
        with pytest.raises(PermissionDenied):
            releases.read_release_record(office, submission_id=made.id, by=actor(username), now=NOW)
    for username in ("ana", "chloe", "eve"):
        assert releases.read_release_record(office, submission_id=made.id, by=actor(username), now=NOW)


def test_the_stored_record_is_what_the_audit_log_says(office: Office, session: str, tmp_path: Path) -> None:
    made = approve(office, submit(office, session, staged()))
    stored = releases.read_release_record(office, submission_id=made.id, by=actor("eve"), now=NOW)
    with office.units.read() as unit:
        (told,) = [e for e in unit.events() if e.action == "release.recorded"]
    assert told.details["record"] == stored.sha256
    assert told.details["key"] == OFFICE_KEY


def test_a_record_needs_two_decisions() -> None:
    with pytest.raises(ValidationError):
        Record.model_validate({"decisions": []}, strict=False)
