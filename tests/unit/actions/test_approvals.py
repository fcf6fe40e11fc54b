"""Nothing is approved without its context, an account of every finding, and the office's controls."""

from __future__ import annotations

import dataclasses

import pytest

from hub.actions import reviews, submissions
from hub.actions.approvals import NO_GROUNDS, Grounds, missing_context, rules_to_judge
from hub.actions.ports import Office
from hub.domain.errors import Refused
from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Decision, StagedFile, Submission
from tests import factories
from tests.factories import FORM, NOW, actor
from tests.unit.actions.test_releases import BYTES, staged

DOUBTS = (("formula", "REVIEW"), ("small_count", "BLOCK"), ("many_rows", "NOTE"))


@pytest.fixture
def session(office: Office) -> str:
    factories.add_project(office)
    return factories.open_session(office).session.id


def submit(office: Office, session: str, *files: StagedFile, **form: str) -> Submission:
    return submissions.submit(
        office,
        session_id=session,
        form={**FORM, **form},
        supersedes=None,
        files=files or (staged(BYTES, *DOUBTS), staged(b"x\n", ("hidden_content", "REVIEW"), name="b.csv")),
        now=NOW,
    )


def approve(
    office: Office, made: Submission, grounds: Grounds, decision: Decision = Decision.APPROVE
) -> Submission:
    return reviews.cast_vote(
        office,
        submission_id=made.id,
        decision=decision,
        comment="x",
        by=actor("chloe"),
        now=NOW,
        grounds=grounds,
    )


def refusal(office: Office, made: Submission, grounds: Grounds) -> tuple[str, str | None]:
    with pytest.raises(Refused) as refused:
        approve(office, made, grounds)
    assert refused.value.fr != refused.value.en
    with office.units.read() as unit:
        assert unit.votes.find() == []
        assert unit.answers.find() == []
        kept = unit.submissions.get(made.id)
    assert kept is not None
    assert kept.state is SubmissionState.SUBMITTED
    return refused.value.code, refused.value.field


def full(office: Office, made: Submission) -> Grounds:
    return factories.grounds(office, made.id, small_count="Years, not counts.")


@pytest.mark.parametrize("name", ["what", "population", "variables", "counts", "purpose"])
@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_field_that_is_missing_is_named(office: Office, session: str, name: str, text: str) -> None:
    made = submit(office, session, **{name: text})
    assert missing_context(made) == [name]
    assert refusal(office, made, full(office, made)) == ("context_missing", name)


def test_the_sentence_says_which_fields(office: Office, session: str) -> None:
    made = submit(office, session, counts="", population="")
    with pytest.raises(Refused) as refused:
        approve(office, made, full(office, made))
    assert "the population, the unweighted counts." in refused.value.en
    assert "la population, les effectifs non pondérés." in refused.value.fr


@pytest.mark.parametrize("decision", [Decision.RETURN, Decision.REJECT])
def test_without_context_it_can_be_sent_back(office: Office, session: str, decision: Decision) -> None:
    made = submit(office, session, counts="")
    assert approve(office, made, NO_GROUNDS, decision).state is SubmissionState.UNDER_REVIEW


def test_every_finding_is_accounted_for_in_every_file(office: Office, session: str) -> None:
    made = submit(office, session)
    whole = full(office, made)
    with office.units.read() as unit:
        assert rules_to_judge(unit.files.find(submission=made.id)) == ["formula", "hidden_content"]
    answered = dataclasses.replace(whole, answers={})
    assert refusal(office, made, answered) == ("answer_missing", "answer-0-small_count")
    for rule in ("formula", "hidden_content"):
        judged = dataclasses.replace(whole, judged=whole.judged - {rule})
        assert refusal(office, made, judged) == ("not_judged", f"judged-{rule}")


def test_every_control_is_confirmed_and_no_other(office: Office, session: str) -> None:
    made = submit(office, session)
    whole = full(office, made)
    assert len(whole.confirmed) >= 3
    for name in whole.confirmed:
        without = dataclasses.replace(whole, confirmed=whole.confirmed - {name})
        assert refusal(office, made, without) == ("control_missing", f"control-{name}")
    other = dataclasses.replace(whole, confirmed=whole.confirmed | {"nothing_of_the_kind"})
    assert refusal(office, made, other) == ("unknown_control", "controls")


def test_what_was_accounted_for_is_kept(office: Office, session: str) -> None:
    made = submit(office, session)
    whole = full(office, made)
    approve(office, made, whole)
    with office.units.read() as unit:
        (vote,) = unit.votes.find()
        answers = {(a.position, a.rule): a.answer for a in unit.answers.find()}
        (event,) = [e for e in unit.events() if e.action == "review.voted"]
    assert set(vote.confirmed) == whole.confirmed
    assert event.details["confirmed"] == list(vote.confirmed)
    assert answers == {
        (0, "small_count"): "Years, not counts.",
        (0, "formula"): "judged",
        (1, "hidden_content"): "judged",
    }
