"""What votes amount to, and who sees them when."""

from __future__ import annotations

import itertools

import pytest

from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Role
from hub.domain.records import Decision, Submission, Vote
from hub.domain.reviews import outcome, visible_votes
from tests.factories import NOW

A, RET, REJ = Decision.APPROVE, Decision.RETURN, Decision.REJECT


def vote(checker: str, decision: Decision) -> Vote:
    return Vote(f"o1/{checker}", "o1", checker, decision, "because", NOW)


def submission(state: SubmissionState) -> Submission:
    return Submission("o1", 1, "wages", "ana", None, state, {}, NOW)


@pytest.mark.parametrize(
    ("decisions", "quorum", "state"),
    [
        ([], 2, SubmissionState.UNDER_REVIEW),
        ([A], 2, SubmissionState.UNDER_REVIEW),
        ([REJ], 2, SubmissionState.UNDER_REVIEW),
        ([A, A], 3, SubmissionState.UNDER_REVIEW),
        ([A, A], 2, SubmissionState.APPROVED),
        ([A, RET], 2, SubmissionState.RETURNED),
        ([A, REJ], 2, SubmissionState.RETURNED),
        ([RET, REJ], 2, SubmissionState.RETURNED),
        ([RET, RET], 2, SubmissionState.RETURNED),
        ([REJ, REJ], 2, SubmissionState.REJECTED),
        ([A, A, RET], 3, SubmissionState.RETURNED),
    ],
)
def test_outcome(decisions: list[Decision], quorum: int, state: SubmissionState) -> None:
    for order in itertools.permutations(decisions):
        assert outcome([vote(f"c{n}", d) for n, d in enumerate(order)], quorum) is state


def test_one_checker_twice_is_one_pair_of_eyes() -> None:
    assert outcome([vote("chloe", A), vote("chloe", A)], 2) is SubmissionState.UNDER_REVIEW


VOTES = (vote("chloe", A),)


@pytest.mark.parametrize(
    ("viewer", "roles", "state", "seen"),
    [
        ("denis", {Role.CHECKER}, SubmissionState.UNDER_REVIEW, 0),
        ("denis", {Role.CHECKER, Role.AUDITOR}, SubmissionState.UNDER_REVIEW, 0),
        ("ana", {Role.RESEARCHER}, SubmissionState.UNDER_REVIEW, 0),
        ("bob", {Role.ADMIN}, SubmissionState.UNDER_REVIEW, 0),
        ("chloe", {Role.CHECKER}, SubmissionState.UNDER_REVIEW, 1),
        ("eve", {Role.AUDITOR}, SubmissionState.UNDER_REVIEW, 1),
        ("denis", {Role.CHECKER}, SubmissionState.RETURNED, 1),
        ("ana", {Role.RESEARCHER}, SubmissionState.RELEASED, 1),
    ],
)
def test_visible_votes(viewer: str, roles: set[Role], state: SubmissionState, seen: int) -> None:
    shown = visible_votes(submission(state), VOTES, viewer=viewer, roles=frozenset(roles))
    assert len(shown) == seen
