"""Four eyes: what the votes on a submission amount to, and who may see which vote when."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Actor, Role
from hub.domain.records import Decision, Submission, Vote


def outcome(votes: Sequence[Vote], quorum: int) -> SubmissionState:
    """The state that the votes lead to. `quorum` is at least 2 (checked where the policy is read), or 1 for a
    class that the policy names as low-risk.

    1. Fewer votes than the quorum: still under review. 2. All approve: approved, or still under review
    where they would withhold different outputs. 3. All reject: rejected. 4. Anything else goes back to the
    researcher with the comments.
    """
    if len({vote.checker for vote in votes}) < quorum:
        return SubmissionState.UNDER_REVIEW
    decisions = {vote.decision for vote in votes}
    if decisions == {Decision.APPROVE}:
        same = len({vote.withheld for vote in votes}) == 1
        return SubmissionState.APPROVED if same else SubmissionState.UNDER_REVIEW
    if decisions == {Decision.REJECT}:
        return SubmissionState.REJECTED
    return SubmissionState.RETURNED


def disputed(votes: Sequence[Vote], quorum: int) -> bool:
    """Whether enough approve to release, but not without the same outputs: each may then vote again."""
    enough = len({vote.checker for vote in votes}) >= quorum
    approved = all(vote.decision is Decision.APPROVE for vote in votes)
    return enough and approved and len({vote.withheld for vote in votes}) > 1


def decided(submission: Submission) -> bool:
    """Whether the round of review is over."""
    return submission.state in (
        SubmissionState.APPROVED,
        SubmissionState.RELEASED,
        SubmissionState.RETURNED,
        SubmissionState.REJECTED,
    )


def sees_all(viewer: Actor, *, is_decided: bool) -> bool:
    """Whether all votes and comments of a round are open to this viewer: once it is over, or to auditors
    who have no part in the review."""
    return is_decided or (Role.AUDITOR in viewer.roles and Role.CHECKER not in viewer.roles)


def visible_votes(
    submission: Submission, votes: Sequence[Vote], *, viewer: str, roles: frozenset[Role]
) -> tuple[Vote, ...]:
    """The votes this viewer may see.

    Auditors who have no part in the review see all. Until the round is over a checker sees only
    their own, and the author none; afterwards all who may read the submission see all.
    """
    if decided(submission) or (Role.AUDITOR in roles and Role.CHECKER not in roles):
        return tuple(votes)
    return tuple(vote for vote in votes if vote.checker == viewer and viewer != submission.author)
