"""Checkers' remarks: their own until the round is over, never the researcher's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hub.actions import comments, reviews
from hub.actions.ports import Office
from hub.domain.errors import NotFound, PermissionDenied, Refused
from hub.domain.permissions import Actor, Role
from hub.domain.records import Decision
from tests import factories
from tests.factories import NOW, actor
from tests.unit.actions.test_releases import staged, submit


@pytest.fixture
def submission(office: Office) -> str:
    factories.add_project(office, people=["ana", "rosa"])
    return submit(office, factories.open_session(office).session.id, staged()).id


def add(office: Office, submission: str, who: str | Actor, text: str = "Row 3?", **more: object) -> None:
    given: dict[str, object] = {"position": 0, "place": {"row": 2, "column": 1}, **more}
    comments.add_comment(
        office,
        submission_id=submission,
        text=text,
        by=actor(who) if isinstance(who, str) else who,
        now=NOW,
        **given,  # type: ignore[arg-type]  # tests put wrong values in on purpose
    )


def seen(office: Office, submission: str, who: str | Actor) -> list[str]:
    by = actor(who) if isinstance(who, str) else who
    with office.units.read() as unit:
        found = unit.submissions.get(submission)
        assert found is not None
        return [comment.text for comment in comments.visible_comments(office, unit, found, by=by)]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"text": "  "}, "text_missing"),
        ({"text": "x" * 4001}, "too_long"),
        ({"place": {"row": -1}}, "bad_place"),
        ({"place": {"row": 2**40}}, "bad_place"),
        ({"place": {"house": 1}}, "bad_place"),
    ],
)
def test_what_is_no_remark_is_refused(
    office: Office, submission: str, more: Mapping[str, object], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        add(office, submission, "chloe", **{"text": "x", **more})  # type: ignore[arg-type]
    assert refused.value.code == code


def test_only_checkers_without_a_part_in_the_project_remark(office: Office, submission: str) -> None:
    insider = Actor("rosa", frozenset({Role.CHECKER, Role.RESEARCHER}))
    for who in ("ana", "bob", "eve", insider):
        with pytest.raises(PermissionDenied):
            add(office, submission, who)
    with pytest.raises(NotFound):
        add(office, submission, "chloe", position=7)
    assert seen(office, submission, "chloe") == []


def test_remarks_are_private_until_the_round_is_over(office: Office, submission: str) -> None:
    add(office, submission, "chloe", "from chloe")
    add(office, submission, "denis", "from denis")
    assert seen(office, submission, "chloe") == ["from chloe"]
    assert seen(office, submission, "denis") == ["from denis"]
    assert seen(office, submission, "eve") == ["from chloe", "from denis"]
    assert seen(office, submission, "ana") == seen(office, submission, "bob") == []
    for checker in ("chloe", "denis"):
        reviews.cast_vote(
            office,
            submission_id=submission,
            decision=Decision.RETURN,
            comment="x",
            by=actor(checker),
            now=NOW,
        )
    insider = Actor("rosa", frozenset({Role.CHECKER, Role.AUDITOR}))
    assert seen(office, submission, "chloe") == ["from chloe", "from denis"]
    assert seen(office, submission, "ana") == seen(office, submission, insider) == []
