"""Workload and turnaround of output checking, for the head of the unit.

Votes count once their round is over, and submissions under review count as waiting: the figures never tell
a checker that another has voted.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.actions.ports import Office, Unit
from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import OFFICE, Actor, Permission, require
from hub.domain.records import Submission
from hub.domain.reviews import decided

WAITING = (SubmissionState.SUBMITTED, SubmissionState.UNDER_REVIEW)
_VERDICTS = ("BLOCK", "REVIEW", "PASS")


@dataclass(frozen=True)
class Turnaround:
    """How many, and the hours from submission to decision: median and the ninth decile (None if none)."""

    count: int
    median_hours: float | None
    p90_hours: float | None


@dataclass(frozen=True)
class Week:
    """A week by its Monday: how many came, how many were decided."""

    monday: date
    submitted: int
    decided: int


@dataclass(frozen=True)
class CheckerWork:
    """One checker's votes of finished rounds, by decision, and their hours from submission to vote."""

    checker: str
    votes: Mapping[str, int]
    turnaround: Turnaround


@dataclass(frozen=True)
class SampledRelease:
    """A release to be read again: by its submission, its verdict when it came, and who decided."""

    submission: str
    number: int
    project: str
    decided_at: datetime
    verdict: str
    checkers: Sequence[str]


@dataclass(frozen=True)
class ReviewStatistics:
    """Shares are 0 to 1, None where nothing was decided. `overdue`: waiting longer than `target_hours`.
    `alone`: releases that one checker decided. `sample`: releases drawn at random, the same all week."""

    since: date
    target_hours: int
    weeks: Sequence[Week]
    waiting: int
    overdue: int
    all: Turnaround
    within_target: float | None
    returned: float | None
    outcomes: Mapping[str, Turnaround]
    verdicts: Mapping[str, Turnaround]
    checkers: Sequence[CheckerWork]
    alone: int
    sample: Sequence[SampledRelease]


SAMPLED = 5


def review_statistics(office: Office, *, by: Actor, now: datetime, weeks: int = 12) -> ReviewStatistics:
    """The figures of the last `weeks` weeks, the present one included."""
    require(office.rules.roles, by, Permission.REVIEW_STATISTICS, OFFICE)
    first = _monday(now.date()) - timedelta(weeks=weeks - 1)
    with office.units.read() as unit:
        submissions = unit.submissions.find()
        finished = [s for s in submissions if decided(s) and s.decided_at and s.decided_at.date() >= first]
        verdicts = {s.id: _verdict(unit, s) for s in finished}
        checkers = _checkers(unit, finished)
        released = [
            _released(unit, s, verdicts[s.id]) for s in finished if s.state is SubmissionState.RELEASED
        ]
    waiting = [s for s in submissions if s.state in WAITING]
    target = timedelta(hours=office.rules.review.target_hours)
    hours = {s.id: _hours(s, s.decided_at or now) for s in finished}
    returned = sum(s.state is SubmissionState.RETURNED for s in finished)
    outcomes = sorted({s.state.value for s in finished})
    return ReviewStatistics(
        since=first,
        target_hours=office.rules.review.target_hours,
        weeks=_weeks(submissions, finished, first, weeks),
        waiting=len(waiting),
        overdue=sum(now - s.submitted_at > target for s in waiting),
        all=_turnaround(hours.values()),
        within_target=_share(sum(h * 3600 <= target.total_seconds() for h in hours.values()), len(finished)),
        returned=_share(returned, len(finished)),
        outcomes={
            name: _turnaround(hours[s.id] for s in finished if s.state.value == name) for name in outcomes
        },
        verdicts={
            name: _turnaround(hours[s.id] for s in finished if verdicts[s.id] == name)
            for name in (*_VERDICTS, "UNREADABLE")
            if name in verdicts.values()
        },
        checkers=checkers,
        alone=sum(len(one.checkers) == 1 for one in released),
        sample=draw(released, since=first),
    )


def draw(released: Sequence[SampledRelease], *, since: date) -> list[SampledRelease]:
    """At most SAMPLED of them, in the order of their numbers. Ids are random, so everyone is as likely as
    another and nobody can steer it; with another `since`, which changes every Monday, others are drawn."""

    def lot(one: SampledRelease) -> str:
        return hashlib.sha256(f"{since.isoformat()}:{one.submission}".encode()).hexdigest()

    return sorted(sorted(released, key=lot)[:SAMPLED], key=lambda one: one.number)


def _released(unit: Unit, submission: Submission, verdict: str) -> SampledRelease:
    votes = unit.votes.find(submission=submission.id)
    return SampledRelease(
        submission.id,
        submission.number,
        submission.project,
        submission.decided_at or submission.submitted_at,
        verdict,
        sorted({vote.checker for vote in votes}),
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _hours(submission: Submission, until: datetime) -> float:
    return (until - submission.submitted_at).total_seconds() / 3600


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _turnaround(hours: Iterable[float]) -> Turnaround:
    ordered = sorted(hours)
    if not ordered:
        return Turnaround(0, None, None)
    return Turnaround(len(ordered), _quantile(ordered, 0.5), _quantile(ordered, 0.9))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _verdict(unit: Unit, submission: Submission) -> str:
    """The worst verdict of the automatic checks on its files."""
    found = {str(file.report.get("verdict")) for file in unit.files.find(submission=submission.id)}
    if not found <= set(_VERDICTS) or not found:
        return "UNREADABLE"
    return next(verdict for verdict in _VERDICTS if verdict in found)


def _weeks(
    submissions: Sequence[Submission], finished: Sequence[Submission], first: date, weeks: int
) -> list[Week]:
    came = Counter(_monday(s.submitted_at.date()) for s in submissions)
    done = Counter(_monday(s.decided_at.date()) for s in finished if s.decided_at)
    mondays = [first + timedelta(weeks=k) for k in range(weeks)]
    return [Week(monday, came[monday], done[monday]) for monday in mondays]


def _checkers(unit: Unit, finished: Sequence[Submission]) -> list[CheckerWork]:
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    hours: dict[str, list[float]] = defaultdict(list)
    for submission in finished:
        for vote in unit.votes.find(submission=submission.id):
            votes[vote.checker][vote.decision.value] += 1
            hours[vote.checker].append(_hours(submission, vote.voted_at))
    return [CheckerWork(name, dict(votes[name]), _turnaround(hours[name])) for name in sorted(votes)]
