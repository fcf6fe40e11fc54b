"""The checkers' pages: the queue, one submission with its files and findings, and the vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from hub.actions import reviews as actions
from hub.actions.comments import visible_comments
from hub.actions.ports import Unit
from hub.actions.projects import get_project
from hub.actions.releases import to_answer
from hub.actions.submissions import get_submission
from hub.checks import Severity, Verdict
from hub.domain.errors import NotFound, Refused
from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Permission, Subject
from hub.domain.records import Decision, Project, Submission, SubmittedFile, Vote
from hub.domain.reviews import decided
from hub.portal import renderings, submissions
from hub.portal.pages import Part, go, page_number, show
from hub.portal.permissions import About, Routes, needs, status_of
from hub.portal.visits import CurrentVisit, Visit

WAITING = (SubmissionState.SUBMITTED, SubmissionState.UNDER_REVIEW)
FILTERS = ("waiting", "mine", "decided")
SEVERITIES = {Severity.BLOCK: "no", Severity.REVIEW: "return", Severity.NOTE: "note"}


def register(routes: Routes) -> None:
    p = routes.portal.prefix
    checks = needs(Permission.SUBMISSION_REVIEW, About.SUBMISSION)
    routes.add("GET", f"{p}/review", needs(Permission.SUBMISSION_REVIEW, About.LISTING), show_queue)
    routes.add("GET", f"{p}/review/{{id}}", checks, show_review)
    routes.add("GET", f"{p}/review/{{id}}/files/{{n}}/image/{{k}}", checks, show_image)
    routes.add("POST", f"{p}/review/{{id}}/vote", checks, vote)


def show_image(visit: CurrentVisit, id: str, n: int, k: int) -> Response:
    """A picture of the page that the checker is looking at."""
    return renderings.answer_image(visit, id, n, k)


@dataclass(frozen=True)
class QueueRow:
    """A submission in the queue. `verdict` is the worst of its files; None: a report cannot be read."""

    submission: Submission
    project: Project
    age: timedelta
    files: int
    size: int
    verdict: Verdict | None
    mine: Vote | None


def queue(unit: Unit, visit: Visit, *, which: str, project: str = "") -> list[Submission]:
    """Submissions that the visitor may check, oldest first. `which` is one of FILTERS."""
    projects = {p.slug: p for p in unit.projects.find()}
    if which == "decided":
        found = [s for s in unit.submissions.find() if decided(s)][::-1]
    else:
        found = sorted(
            (s for state in WAITING for s in unit.submissions.find(state=state)), key=lambda s: s.submitted_at
        )
    if which == "mine":
        voted = {vote.submission for vote in unit.votes.find(checker=visit.person.username)}
        found = [s for s in found if s.id not in voted]
    return [
        s
        for s in found
        if (not project or s.project == project)
        and s.project in projects
        and visit.may(Permission.SUBMISSION_REVIEW, Subject(s.id, projects[s.project].members, s.author))
    ]


def waiting_for(unit: Unit, visit: Visit) -> int:
    """How many submissions wait for the visitor's vote."""
    return len(queue(unit, visit, which="mine"))


def queue_row(unit: Unit, visit: Visit, submission: Submission) -> QueueRow:
    """What the queue says of one submission."""
    files = tuple(unit.files.find(submission=submission.id))
    reports = submissions.reports_of(files).values()
    verdicts = [report.verdict for report in reports if report is not None]
    order = (Verdict.BLOCK, Verdict.REVIEW, Verdict.PASS)
    worst = next((v for v in order if v in verdicts), None) if len(verdicts) == len(files) else None
    return QueueRow(
        submission,
        get_project(unit, submission.project),
        visit.now - submission.submitted_at,
        len(files),
        sum(file.size for file in files),
        worst,
        unit.votes.get(f"{submission.id}/{visit.person.username}"),
    )


def show_queue(visit: CurrentVisit) -> Response:
    """The queue, oldest first."""
    which = visit.request.query_params.get("show", "waiting")
    which = which if which in FILTERS else "waiting"
    project = visit.request.query_params.get("project", "")
    with visit.office.units.read() as unit:
        found = queue(unit, visit, which=which, project=project)
        part = Part(len(found), page_number(visit.request))
        rows = [queue_row(unit, visit, s) for s in found[part.first : part.last]]
        projects = sorted(p.slug for p in unit.projects.find())
        people = {person.username: person for person in unit.people.find()}
    return show(
        visit,
        "review_queue.html",
        rows=rows,
        part=part,
        which=which,
        filters=FILTERS,
        project=project,
        projects=projects,
        people=people,
        decided=decided,
    )


def show_review(visit: CurrentVisit, id: str) -> Response:
    """One submission with one of its files (`?file=`), rendered, and the vote."""
    return _review_page(visit, id, error=None)


def _review_page(visit: Visit, id: str, *, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        submission = get_submission(unit, id)
        page = actions.view_submission(unit, submission, by=visit.actor)
        project = get_project(unit, submission.project)
        people = {person.username: person for person in unit.people.find()}
        older = unit.submissions.get(submission.supersedes) if submission.supersedes else None
        remarks = visible_comments(visit.office, unit, submission, by=visit.actor)
    position = _file_wanted(visit, page.files)
    shown = renderings.look(visit, id, position, page_number(visit.request) - 1)
    reports = submissions.reports_of(page.files)
    return show(
        visit,
        "review.html",
        status=status_of(error) if error else 200,
        here=visit.url(f"/review/{id}?file={position}&page={shown.page + 1}"),
        page=page,
        submission=submission,
        project=project,
        people=people,
        older=older,
        shown=shown,
        report=reports[position],
        reports=reports,
        position=position,
        changes=submissions.changes_of(shown.file),
        images=visit.url(f"/review/{id}/files/{position}/image"),
        mine=next((v for v in page.votes if v.checker == visit.person.username), None),
        is_decided=decided(submission),
        open_to_vote=submission.state in WAITING,
        quorum=visit.office.rules.review.quorum,
        error=error.message(visit.words.language) if error else None,
        error_field=error.field if error else None,
        chosen=visit.value("decision"),
        comment=visit.value("comment"),
        to_answer=[(file, to_answer(file)) for file in page.files],
        answers=answers_of(visit.form),
        remarks=remarks,
        **renderings.pointers(reports[position], visit.words.language),
    )


def _file_wanted(visit: Visit, files: tuple[SubmittedFile, ...]) -> int:
    text = visit.request.query_params.get("file") or visit.value("file") or "0"
    if not text.isascii() or not text.isdigit() or int(text) >= len(files):
        raise NotFound("not_found", "There is no such file.", "Ce fichier n'existe pas.")
    return int(text)


def answers_of(form: Mapping[str, list[str]]) -> dict[tuple[int, str], str]:
    """The answers to broken rules in a form: fields `answer-<position>-<rule>`."""
    answers: dict[tuple[int, str], str] = {}
    for name, values in form.items():
        word, _, rest = name.partition("-")
        position, _, rule = rest.partition("-")
        if word == "answer" and position.isascii() and position.isdigit() and len(position) < 6:
            answers[int(position), rule] = values[0]
    return answers


def parse_decision(text: str) -> Decision:
    """The decision named; Refused `decision_missing` for anything else."""
    try:
        return Decision(text.upper())
    except ValueError:
        raise Refused(
            "decision_missing", "Choose what you decide.", "Choisissez votre décision.", field="decision"
        ) from None


def vote(visit: CurrentVisit, id: str) -> Response:
    """The checker's vote; what is missing is said beside the form, with the comment kept."""
    try:
        submission = actions.cast_vote(
            visit.office,
            submission_id=id,
            decision=parse_decision(visit.value("decision")),
            comment=visit.value("comment"),
            answers=answers_of(visit.form),
            by=visit.actor,
            now=visit.now,
        )
    except Refused as error:
        if error.field in ("comment", "decision") or error.code == "answer_missing":
            return _review_page(visit, id, error=error)
        raise
    return go(visit, f"/review/{id}", "decided" if decided(submission) else "voted")
