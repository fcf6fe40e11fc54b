"""Submissions as their author and the auditors see them."""

from __future__ import annotations

import contextlib

from starlette.responses import Response

from hub.actions import reviews as review_actions
from hub.actions import submissions as actions
from hub.actions.ports import Unit
from hub.actions.projects import get_project
from hub.actions.withholding import withheld_of
from hub.checks import (
    Finding,
    Report,
    UnreadableReport,
    find_missing_context,
    finding_from_json,
    place_in_words,
    report_from_json,
)
from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Permission, Reach, Subject
from hub.domain.records import Submission, SubmittedFile
from hub.portal import renderings
from hub.portal.pages import Part, go, page_number, show, shown_state
from hub.portal.permissions import About, Routes, needs, refuse_members
from hub.portal.visits import CurrentVisit, Visit

_WITHDRAWABLE = (SubmissionState.SUBMITTED, SubmissionState.UNDER_REVIEW)


def register(routes: Routes) -> None:
    p = routes.portal.prefix
    reads = needs(Permission.SUBMISSION_READ, About.SUBMISSION)
    withdraws = needs(Permission.SUBMISSION_WITHDRAW, About.SUBMISSION)
    routes.add("GET", f"{p}/submissions", needs(Permission.SUBMISSION_READ, About.LISTING), show_submissions)
    routes.add("GET", f"{p}/submissions/{{id}}", reads, show_submission)
    routes.add("POST", f"{p}/submissions/{{id}}/withdraw", withdraws, withdraw)
    routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}", reads, show_file)
    routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}/image/{{k}}", reads, show_image)


def visible_submissions(unit: Unit, visit: Visit) -> list[Submission]:
    """Submissions that the visitor may read, newest first; a checker's own projects' stay hidden to them
    unless they are the author."""
    members = {project.slug: project.members for project in unit.projects.find()}
    return [
        submission
        for submission in reversed(unit.submissions.find())
        if visit.may(
            Permission.SUBMISSION_READ,
            Subject(submission.id, members.get(submission.project, frozenset()), submission.author),
        )
    ]


def show_submissions(visit: CurrentVisit) -> Response:
    """The visitor's submissions; auditors see all."""
    with visit.office.units.read() as unit:
        found = visible_submissions(unit, visit)
        part = Part(len(found), page_number(visit.request))
        rows = [(s, unit.files.find(submission=s.id)) for s in found[part.first : part.last]]
        projects = {project.slug: project for project in unit.projects.find()}
        people = {person.username: person for person in unit.people.find()}
    return show(
        visit,
        "submissions.html",
        rows=rows,
        part=part,
        projects=projects,
        people=people,
        shown_state=shown_state,
        everyones=visit.reach(Permission.SUBMISSION_READ) is Reach.ANY,
    )


def reports_of(files: tuple[SubmittedFile, ...]) -> dict[int, Report | None]:
    """Position → the checks' report; None where it cannot be read, which is never a good sign."""
    reports: dict[int, Report | None] = {}
    for file in files:
        try:
            reports[file.position] = report_from_json(dict(file.report))
        except UnreadableReport:
            reports[file.position] = None
    return reports


def changes_of(file: SubmittedFile) -> list[Finding]:
    """What rewriting changed; a change that cannot be read is left out (the report says so too)."""
    changes = []
    for raw in file.changes:
        with contextlib.suppress(UnreadableReport):
            changes.append(finding_from_json(dict(raw)))
    return changes


def show_submission(visit: CurrentVisit, id: str) -> Response:
    """One submission. Findings hold exact small counts: only who has no part in the project sees them."""
    with visit.office.units.read() as unit:
        submission = actions.get_submission(unit, id)
        subject = actions.subject_of(unit, submission)
        page = review_actions.view_submission(unit, submission, by=visit.actor)
        project = get_project(unit, submission.project)
        people = {person.username: person for person in unit.people.find()}
        older = unit.submissions.get(submission.supersedes) if submission.supersedes else None
        newer = unit.submissions.get(submission.superseded_by) if submission.superseded_by else None
    own = visit.person.username == submission.author or visit.person.username in project.members
    inside = not own and visit.reach(Permission.SUBMISSION_READ) is Reach.ANY
    return show(
        visit,
        "submission.html",
        page=page,
        submission=submission,
        project=project,
        people=people,
        older=older,
        newer=newer,
        inside=inside,
        copies=not own and visit.may(Permission.SUBMISSION_COPY, subject),
        reports=reports_of(page.files) if inside else {},
        state=shown_state(visit, submission),
        missing=_missing(visit, submission) if submission.state in _WITHDRAWABLE else [],
        withheld=_withheld(visit, page.files) if submission.state is SubmissionState.RELEASED else [],
        beside=_beside(visit, page.files) if submission.state in _WITHDRAWABLE else [],
        withdraws=submission.state in _WITHDRAWABLE and visit.may(Permission.SUBMISSION_WITHDRAW, subject),
        downloads=submission.state is SubmissionState.RELEASED
        and visit.may(Permission.RELEASE_DOWNLOAD, subject),
    )


def _missing(visit: Visit, submission: Submission) -> list[str]:
    """What the description lacks, without which nobody can approve, in the visitor's language."""
    form = {name: str(value) for name, value in submission.form.items()}
    return [one.message[visit.words.language] for one in find_missing_context(form)]


def _withheld(visit: Visit, files: tuple[SubmittedFile, ...]) -> list[str]:
    """The outputs of notebooks that did not leave with a release."""
    language = visit.words.language
    return [
        f"{file.shown_name}, {place_in_words(place, None, language)}"
        for file in files
        for place, _ in withheld_of(file)
    ]


def _beside(visit: Visit, files: tuple[SubmittedFile, ...]) -> list[tuple[str, str]]:
    """Files of the submission that tell too little apart, each with what is said of it and another: of one's
    own tables alone, so the author reads it too."""
    said = {
        (file.shown_name, one.message[visit.words.language]): None
        for file, report in zip(files, reports_of(files).values(), strict=True)
        for one in (report.findings if report is not None else ())
        if one.rule in ("differencing", "released_unknown") and "beside" in one.evidence
    }
    return list(said)


def withdraw(visit: CurrentVisit, id: str) -> Response:
    """Take one's own submission back."""
    actions.withdraw(visit.office, submission_id=id, by=visit.actor, now=visit.now)
    return go(visit, f"/submissions/{id}", "withdrawn")


def show_file(visit: CurrentVisit, id: str, n: int) -> Response:
    """A file as an auditor sees it; never to members of the project."""
    with visit.office.units.read() as unit:
        submission = actions.get_submission(unit, id)
        refuse_members(visit, actions.subject_of(unit, submission))
    shown = renderings.look(visit, id, n, page_number(visit.request) - 1)
    return show(
        visit,
        "file.html",
        submission=submission,
        shown=shown,
        changes=changes_of(shown.file),
        report=reports_of((shown.file,))[n],
        images=visit.url(f"/submissions/{id}/files/{n}/image"),
        **renderings.pointers(shown, reports_of((shown.file,))[n], visit.words.language),
    )


def show_image(visit: CurrentVisit, id: str, n: int, k: int) -> Response:
    """A picture of the page that the visitor is looking at."""
    with visit.office.units.read() as unit:
        refuse_members(visit, actions.subject_of(unit, actions.get_submission(unit, id)))
    return renderings.answer_image(visit, id, n, k)
