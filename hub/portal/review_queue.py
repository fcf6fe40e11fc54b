"""The checkers' queue: what waits, how long it has, and what a machine could make again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from hub.actions.ports import Unit
from hub.actions.projects import get_project
from hub.checks import Verdict
from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Permission, Subject
from hub.domain.records import Project, Submission, Vote
from hub.domain.reviews import decided
from hub.portal import submissions
from hub.portal.pages import Part, page_number, show
from hub.portal.permissions import About, Routes, needs
from hub.portal.visits import CurrentVisit, Visit

WAITING = (SubmissionState.SUBMITTED, SubmissionState.UNDER_REVIEW)
# `quick`: every number of every file was made again and all rules hold. Two people still decide.
LANES = ("waiting", "mine", "quick", "overdue", "decided")
_COUNTED = LANES[:4]
_NEAR = 0.75  # share of the target time from which a submission is marked as nearly due


def register(routes: Routes) -> None:
    access = needs(Permission.SUBMISSION_REVIEW, About.LISTING)
    routes.add("GET", f"{routes.portal.prefix}/review", access, show_queue)


@dataclass(frozen=True)
class QueueRow:
    """A submission in the queue. `verdict` is the worst of its files; None: a report cannot be read.
    `left`: until the target time, negative once it is over; None where it is decided."""

    submission: Submission
    project: Project
    age: timedelta
    left: timedelta | None
    near: bool
    files: int
    size: int
    verdict: Verdict | None
    mine: Vote | None


@dataclass(frozen=True)
class Wanted:
    """What the visitor wants to see of the queue."""

    lane: str = "waiting"
    project: str = ""
    verdict: str = ""


def wanted(visit: Visit) -> Wanted:
    """The filters in the address; nonsense counts as none."""
    query = visit.request.query_params
    lane, verdict = query.get("show", "waiting"), query.get("verdict", "")
    return Wanted(
        lane if lane in LANES else "waiting",
        query.get("project", ""),
        verdict if verdict in Verdict.__members__ else "",
    )


def queue(unit: Unit, visit: Visit, want: Wanted) -> list[Submission]:
    """Submissions that the visitor may check, oldest first (decided ones: newest first)."""
    found = _lanes(unit, visit, of_lane=want.lane)[want.lane]
    return [
        s
        for s in found
        if (not want.project or s.project == want.project) and (not want.verdict or s.verdict == want.verdict)
    ]


def waiting_for(unit: Unit, visit: Visit) -> int:
    """How many submissions wait for the visitor's vote."""
    return len(queue(unit, visit, Wanted("mine")))


def _lanes(unit: Unit, visit: Visit, *, of_lane: str = "waiting") -> Mapping[str, Sequence[Submission]]:
    """What the visitor may check, by lane; decided submissions only where they are asked for."""
    members = {p.slug: p.members for p in unit.projects.find()}

    def mine_to_check(found: list[Submission]) -> list[Submission]:
        return [
            s
            for s in found
            if s.project in members
            and visit.may(Permission.SUBMISSION_REVIEW, Subject(s.id, members[s.project], s.author))
        ]

    if of_lane == "decided":
        return {"decided": mine_to_check([s for s in unit.submissions.find() if decided(s)][::-1])}
    waiting = mine_to_check(
        sorted(
            (s for state in WAITING for s in unit.submissions.find(state=state)), key=lambda s: s.submitted_at
        )
    )
    voted = {vote.submission for vote in unit.votes.find(checker=visit.person.username)}
    mine = [s for s in waiting if s.id not in voted]
    target = target_of(visit)
    return {
        "waiting": waiting,
        "mine": mine,
        "quick": [s for s in mine if s.verdict == Verdict.PASS],
        "overdue": [s for s in waiting if visit.now - s.submitted_at > target],
    }


def target_of(visit: Visit) -> timedelta:
    """From submission to decision, as policies/review.yaml wants it."""
    return timedelta(hours=visit.office.rules.review.target_hours)


def queue_row(unit: Unit, visit: Visit, submission: Submission) -> QueueRow:
    """What the queue says of one submission."""
    files = tuple(unit.files.find(submission=submission.id))
    reports = submissions.reports_of(files).values()
    verdicts = [report.verdict for report in reports if report is not None]
    order = (Verdict.BLOCK, Verdict.REVIEW, Verdict.PASS)
    worst = next((v for v in order if v in verdicts), None) if len(verdicts) == len(files) else None
    age = visit.now - submission.submitted_at
    target = target_of(visit)
    waits = not decided(submission)
    return QueueRow(
        submission,
        get_project(unit, submission.project),
        age,
        target - age if waits else None,
        waits and age > _NEAR * target,
        len(files),
        sum(file.shown_size for file in files),
        worst,
        unit.votes.get(f"{submission.id}/{visit.person.username}"),
    )


def show_queue(visit: CurrentVisit) -> Response:
    """The queue, a page of it."""
    want = wanted(visit)
    with visit.office.units.read() as unit:
        found = queue(unit, visit, want)
        part = Part(len(found), page_number(visit.request))
        rows = [queue_row(unit, visit, s) for s in found[part.first : part.last]]
        lanes = _lanes(unit, visit)
        projects = sorted(p.slug for p in unit.projects.find())
        people = {person.username: person for person in unit.people.find()}
    return show(
        visit,
        "review_queue.html",
        rows=rows,
        part=part,
        want=want,
        lanes=LANES,
        counts={lane: len(lanes[lane]) for lane in _COUNTED},
        projects=projects,
        verdicts=[verdict.value for verdict in Verdict],
        people=people,
        hours=visit.office.rules.review.target_hours,
    )
