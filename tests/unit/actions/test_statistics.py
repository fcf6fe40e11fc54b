"""Figures of output checking: right, and blind like the votes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import reviews, submissions
from hub.actions.ports import Office
from hub.actions.statistics import SAMPLED, ReviewStatistics, SampledRelease, draw, review_statistics
from hub.domain.errors import PermissionDenied
from hub.domain.records import Decision
from tests import factories
from tests.factories import NOW, actor
from tests.unit.actions.test_releases import staged

A, RET = Decision.APPROVE, Decision.RETURN


@pytest.fixture
def session(office: Office) -> str:
    factories.add_project(office)
    return factories.open_session(office).session.id


def submit(office: Office, session: str, name: str, *, hours_ago: float) -> str:
    made = submissions.submit(
        office,
        session_id=session,
        form={**factories.FORM, "what": name},
        supersedes=None,
        files=[staged(name.encode(), name=f"{name}.csv")],
        now=NOW + timedelta(hours=100 - hours_ago),
    )
    return made.id


def decide(office: Office, submission: str, decision: Decision, *checkers: str) -> None:
    for checker in checkers or ("chloe", "denis"):
        reviews.cast_vote(
            office,
            submission_id=submission,
            decision=decision,
            comment="x",
            by=actor(checker),
            now=NOW + timedelta(hours=100),
            grounds=factories.grounds(office, submission),
        )


def figures(office: Office, who: str = "eve") -> ReviewStatistics:
    return review_statistics(office, by=actor(who), now=NOW + timedelta(hours=100), weeks=3)


def test_researchers_do_not_read_them(office: Office) -> None:
    with pytest.raises(PermissionDenied):
        figures(office, "ana")


def test_nothing_decided_yet(office: Office, session: str) -> None:
    submit(office, session, "a", hours_ago=80)
    submit(office, session, "b", hours_ago=10)
    found = figures(office)
    assert (found.waiting, found.overdue, found.target_hours) == (2, 1, 72)
    assert found.all.count == 0
    assert found.all.median_hours is found.returned is found.within_target is None


def test_turnaround_by_outcome_and_verdict(office: Office, session: str) -> None:
    for name, hours, decision in (("a", 10, A), ("b", 20, A), ("c", 90, RET)):
        decide(office, submit(office, session, name, hours_ago=hours), decision)
    found = figures(office)
    assert (found.all.count, found.all.median_hours, found.all.p90_hours) == (3, 20, 90)
    assert found.within_target == pytest.approx(2 / 3)
    assert found.returned == pytest.approx(1 / 3)
    assert {name: one.count for name, one in found.outcomes.items()} == {"RELEASED": 2, "RETURNED": 1}
    assert {name: one.count for name, one in found.verdicts.items()} == {"REVIEW": 3}
    assert [(one.checker, dict(one.votes)) for one in found.checkers] == [
        ("chloe", {"APPROVE": 2, "RETURN": 1}),
        ("denis", {"APPROVE": 2, "RETURN": 1}),
    ]
    assert sum(week.submitted for week in found.weeks) == 3
    assert found.weeks[-1].decided == 3
    assert len(found.weeks) == 3


def test_a_vote_of_an_unfinished_round_changes_no_figure(office: Office, session: str) -> None:
    waiting = submit(office, session, "a", hours_ago=10)
    before = figures(office, "denis")
    decide(office, waiting, A, "chloe")
    assert figures(office, "denis") == before


def test_releases_are_drawn_to_be_read_again(office: Office, session: str) -> None:
    assert figures(office).sample == []
    made = [submit(office, session, f"t{n}", hours_ago=10) for n in range(SAMPLED + 2)]
    returned = submit(office, session, "returned", hours_ago=10)
    for one in made:
        decide(office, one, Decision.APPROVE)
    decide(office, returned, Decision.RETURN)
    sample = figures(office).sample
    assert len({one.submission for one in sample}) == SAMPLED
    assert {one.submission for one in sample} < set(made)
    assert [one.number for one in sample] == sorted(one.number for one in sample)
    assert figures(office).sample == sample
    assert {tuple(one.checkers) for one in sample} == {("chloe", "denis")}
    assert figures(office).alone == 0


def test_another_week_draws_others() -> None:
    released = [SampledRelease(f"o{n}", n, "wages", NOW, "PASS", ["chloe"]) for n in range(200)]
    weeks = [NOW.date() + timedelta(weeks=n) for n in range(20)]
    drawn = [tuple(one.number for one in draw(released, since=week)) for week in weeks]
    assert len(set(drawn)) == len(weeks)
    assert len({number for numbers in drawn for number in numbers}) > 50
