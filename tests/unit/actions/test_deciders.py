"""One checker alone decides only what the policy names, and never what leaves anything to examine."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from hub.actions import releases, reviews, submissions
from hub.actions.deciders import deciders_of, in_sample
from hub.actions.ports import Office
from hub.documents.base import Text
from hub.documents.policies import LowRisk, LowRiskClass, Tier
from hub.documents.releases import Record, read_record
from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Decision, StagedFile, Submission
from tests import factories
from tests.factories import FORM, NOW, actor
from tests.unit.actions.test_releases import staged

DECLARED = LowRiskClass.DECLARED_TABLE
LIMITS = LowRisk(
    reason=Text(fr="Données publiques.", en="Public data."),
    tiers=(Tier.OPEN,),
    max_files=2,
    max_bytes=1000,
    sample=0.0,
)


def finding(severity: str) -> dict[str, Any]:
    return {
        "rule": "many_rows", "severity": severity, "where": "", "message": {"fr": "x", "en": "x"},
        "evidence": {}, "place": {},
    }  # fmt: skip


def passed(kind: str | None = "table", verdict: str = "PASS", **changes: Any) -> StagedFile:
    """A file that was reproduced from a declaration of this kind (None: without one)."""
    declaration = {"declaration": {"output": {"kind": kind}}} if kind else {}
    found = {"PASS": [finding("NOTE")], "REVIEW": [finding("REVIEW")], "BLOCK": [finding("BLOCK")]}[verdict]
    report = {
        "version": 1, "verdict": verdict, "findings": found, "media_type": "text/csv", "sha256": None,
        "summary": {"reproduced": True, **declaration},
    }  # fmt: skip
    return dataclasses.replace(staged(), report=report, **changes)


@pytest.fixture
def session(office: Office) -> str:
    factories.add_project(office)
    return factories.open_session(office).session.id


def with_class(office: Office, name: LowRiskClass = DECLARED, **changes: Any) -> Office:
    limits = LIMITS.model_copy(update=changes)
    review = dataclasses.replace(office.rules.review, one_decider={name: limits})
    return dataclasses.replace(office, rules=dataclasses.replace(office.rules, review=review))


def submit(office: Office, session: str, *files: StagedFile) -> Submission:
    return submissions.submit(
        office, session_id=session, form=FORM, supersedes=None, files=files or [passed()], now=NOW
    )


def needed(office: Office, made: Submission) -> int:
    with office.units.read() as unit:
        return deciders_of(office, unit, made).needed


def vote(office: Office, made: Submission, decision: Decision = Decision.APPROVE) -> Submission:
    return reviews.cast_vote(
        office,
        submission_id=made.id,
        decision=decision,
        comment="x",
        by=actor("chloe"),
        now=NOW,
        grounds=factories.grounds(office, made.id, many_rows="Fine."),
    )


def test_the_policy_as_it_comes_names_no_class(office: Office, session: str) -> None:
    assert office.rules.review.one_decider == {}
    made = submit(office, session)
    assert needed(office, made) == 2
    assert vote(office, made).state is SubmissionState.UNDER_REVIEW


OTHERS: dict[str, list[StagedFile]] = {
    "something to examine": [passed(verdict="REVIEW")],
    "a broken rule": [passed(verdict="BLOCK")],
    "one of two to examine": [passed(), passed(verdict="REVIEW", name="b.csv")],
    "a report that cannot be read": [dataclasses.replace(passed(), report={"verdict": "PASS"})],
    "a PASS that contradicts itself": [
        dataclasses.replace(passed(), report={**passed().report, "summary": {"reproduced": False}})
    ],
    "no declaration": [passed(None)],
    "another kind": [passed("regression")],
    "no table": [passed(canonical_name="a.png")],
    "nothing to release": [passed(canonical_name=None, canonical_size=None, canonical_sha256=None)],
    "too many files": [passed(name=f"{n}.csv") for n in range(3)],
    "too many bytes": [passed(canonical_size=600), passed(name="b.csv", canonical_size=600)],
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_not_of_the_class_takes_all(office: Office, session: str, case: str) -> None:
    named = with_class(office)
    made = submit(named, session, *OTHERS[case])
    assert needed(named, made) == 2


@pytest.mark.parametrize("changes", [{"tiers": (Tier.SEALED,)}, {"sample": 0.999999999}])
def test_another_tier_and_the_sample_take_all(office: Office, session: str, changes: dict[str, Any]) -> None:
    named = with_class(office, **changes)
    made = submit(named, session)
    assert needed(named, made) == 2
    assert vote(named, made).state is SubmissionState.UNDER_REVIEW


def test_the_sample_is_its_share() -> None:
    drawn = sum(in_sample(f"o{n:020x}", 0.1) for n in range(5_000))
    assert 400 < drawn < 600
    assert not any(in_sample(f"o{n}", 0.0) for n in range(100))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (DECLARED, passed()),
        (LowRiskClass.DECLARED_REGRESSION, passed("regression")),
        (LowRiskClass.TABLE, passed(None)),
    ],
)
def test_one_approval_releases_and_the_record_says_by_which_rule(
    office: Office, session: str, name: LowRiskClass, file: StagedFile
) -> None:
    named = with_class(office, name)
    made = vote(named, submit(named, session, file))
    assert made.state is SubmissionState.RELEASED
    stored = releases.read_release_record(named, submission_id=made.id, by=actor("eve"), now=NOW)
    told = read_record(stored.content.encode())[0].record
    assert told.rules.approvals_needed == 1
    assert told.rules.one_decider is not None
    assert told.rules.one_decider.name == name.value
    assert told.rules.one_decider.reason == {"fr": "Données publiques.", "en": "Public data."}
    assert [decision.checker for decision in told.decisions] == ["chloe"]
    with named.units.read() as unit:
        said = {e.action: e.details.get("one_decider") for e in unit.events(object=f"submission:{made.id}")}
    assert said["submission.approved"] == said["submission.released"] == name.value


def test_one_may_send_back_too(office: Office, session: str) -> None:
    named = with_class(office)
    assert vote(named, submit(named, session), Decision.RETURN).state is SubmissionState.RETURNED


def test_a_record_with_one_decision_and_no_rule_is_none(office: Office, session: str) -> None:
    named = with_class(office)
    made = vote(named, submit(named, session))
    stored = releases.read_release_record(named, submission_id=made.id, by=actor("eve"), now=NOW)
    raw = json.loads(stored.content)["record"]
    raw["rules"]["one_decider"] = None
    with pytest.raises(ValueError, match="fewer decided"):
        Record.model_validate_json(json.dumps(raw))
