"""Output checking by API: the queue, one submission's report and its differences, as typed JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from hub.actions import reviews as actions
from hub.actions.approvals import missing_context, rules_to_judge
from hub.actions.comments import visible_comments
from hub.actions.deciders import deciders_of
from hub.actions.releases import to_answer
from hub.actions.submissions import get_submission
from hub.actions.withholding import written_names
from hub.checks import Report, Verdict
from hub.domain.errors import NotFound, Refused
from hub.domain.permissions import Permission
from hub.domain.records import Submission, SubmittedFile
from hub.portal import cell_facts, differences, renderings, submissions
from hub.portal.intake import released_as
from hub.portal.pages import Part, page_number, shown_state
from hub.portal.permissions import About, Routes, needs
from hub.portal.review_queue import LANES, Wanted, queue, queue_row
from hub.portal.visits import CurrentVisit, Visit


class QueueEntry(BaseModel):
    """A submission in the queue. `verdict`: the gravest of its files, null where a report cannot be read.
    `due_at`: when it should be decided; `voted`: whether the caller has voted, never whether others have."""

    id: str
    number: int
    project: str
    author: str
    what: str
    state: str
    submitted_at: datetime
    due_at: datetime | None
    overdue: bool
    age_hours: float
    files: int
    bytes: int
    verdict: Verdict | None
    voted: bool


class QueuePage(BaseModel):
    """One page of the queue, oldest first (decided ones: newest first)."""

    total: int
    page: int
    pages: int
    submissions: list[QueueEntry]


class FindingJson(BaseModel):
    """One thing a rule saw; evidence may hold exact small counts."""

    rule: str
    severity: str
    where: str
    message: dict[str, str]
    evidence: dict[str, Any]
    place: dict[str, int]


class CellJson(BaseModel):
    """A number made again from the extract. `spot`: notebook cell, output, table; rows and columns from 0."""

    spot: tuple[int | None, int | None, int | None]
    row: int
    column: int
    statistic: str
    variable: str | None
    value: float
    persons: int | None
    households: int | None
    employers: int | None
    shares: tuple[float, float] | None
    few: bool


class FileReport(BaseModel):
    """What the checks say of one file. `verdict` REVIEW and `findings` null: the report cannot be read.
    `to_answer`: rules that whoever approves must answer."""

    position: int
    name: str
    size: int
    sha256: str
    released_as: dict[str, Any] | None
    verdict: Verdict
    findings: list[FindingJson] | None
    changes: list[FindingJson]
    cells: list[CellJson]
    declaration: dict[str, Any] | None
    to_answer: list[str]


class RemarkJson(BaseModel):
    """A checker's remark; those of others only once the round is over."""

    id: str
    author: str
    file: int
    place: dict[str, int]
    text: str
    written_at: datetime


class VoteJson(BaseModel):
    """A vote; those of others only once the round is over. `confirmed`: names of controls; `withheld`: the
    outputs without which it approves, as FILE-CELL-OUTPUT."""

    checker: str
    decision: str
    comment: str
    at: datetime
    confirmed: list[str]
    withheld: list[str]


class ControlJson(BaseModel):
    """What whoever approves confirms: `name` is what a vote says, `text` the sentence by language."""

    name: str
    text: dict[str, str]


class ReviewReport(BaseModel):
    """One submission as its checker sees it. `missing_context`: fields of the form that nobody filled in,
    without which nothing can be approved. `to_judge`: rules that whoever approves must have judged;
    `controls`: what they confirm."""

    id: str
    number: int
    project: str
    author: str
    state: str
    form: dict[str, str]
    missing_context: list[str]
    submitted_at: datetime
    supersedes: str | None
    approvals_needed: int
    one_decider: str | None = Field(description="The class of the policy by which one checker is enough.")
    to_judge: list[str]
    controls: list[ControlJson]
    files: list[FileReport]
    votes: list[VoteJson]
    disputed: list[str] = Field(
        description="Outputs that some who approve withhold and others do not: nothing is decided yet."
    )
    remarks: list[RemarkJson]


class FileView(BaseModel):
    """A page of a file, rendered in a confined process. `view`: its `kind` (table, text, image, notebook,
    raw, failed) and what belongs to it, as plain text and numbers; images by their number under `image`."""

    name: str
    sha256: str
    page: int
    pages: int
    view: dict[str, Any]


class OtherJson(BaseModel):
    """A file to compare with: `to` names it in the address. Shares in common from 0 to 1."""

    to: str
    submission: int
    name: str
    kind: str = Field(description="version (of the submission replaced) or release")
    columns: float | None
    labels: float | None


class DifferenceJson(BaseModel):
    """`found`: null where there is nothing to compare with; else `kind` same, table, text, image, other or
    failed, and what belongs to it (docs of hub.checks.differences_of_files)."""

    others: list[OtherJson]
    chosen: str | None
    found: dict[str, Any] | None


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/api/review"
    listing = needs(Permission.SUBMISSION_REVIEW, About.LISTING)
    checks = needs(Permission.SUBMISSION_REVIEW, About.SUBMISSION)
    routes.add("GET", p, listing, list_queue, include_in_schema=True)
    routes.add("GET", f"{p}/{{id}}", checks, tell_review, include_in_schema=True)
    routes.add("GET", f"{p}/{{id}}/files/{{n}}/differences", checks, tell_difference, include_in_schema=True)
    routes.add("GET", f"{p}/{{id}}/files/{{n}}", checks, tell_file, include_in_schema=True)
    routes.add("GET", f"{p}/{{id}}/files/{{n}}/image/{{k}}", checks, show_image)


def list_queue(visit: CurrentVisit, show: str = "waiting", project: str = "", verdict: str = "") -> QueuePage:
    """The caller's queue. `show`: waiting, mine (not voted on yet), quick (of mine, all reproduced), overdue
    or decided; `verdict`: PASS, REVIEW or BLOCK; `page` from 1."""
    if show not in LANES:
        raise Refused("bad_request", "Unknown filter.", "Filtre inconnu.", field="show")
    if verdict and verdict not in Verdict.__members__:
        raise Refused("bad_request", "Unknown verdict.", "Constat inconnu.", field="verdict")
    with visit.office.units.read() as unit:
        found = queue(unit, visit, Wanted(show, project, verdict))
        part = Part(len(found), page_number(visit.request))
        rows = [queue_row(unit, visit, one) for one in found[part.first : part.last]]
    entries = [
        QueueEntry(
            id=row.submission.id,
            number=row.submission.number,
            project=row.submission.project,
            author=row.submission.author,
            what=str(row.submission.form.get("what", "")),
            state=shown_state(visit, row.submission).value,
            submitted_at=row.submission.submitted_at,
            due_at=visit.now + row.left if row.left is not None else None,
            overdue=row.left is not None and row.left.total_seconds() < 0,
            age_hours=row.age.total_seconds() / 3600,
            files=row.files,
            bytes=row.size,
            verdict=row.verdict,
            voted=row.mine is not None,
        )
        for row in rows
    ]
    return QueuePage(total=part.total, page=part.page, pages=part.pages, submissions=entries)


def tell_review(visit: CurrentVisit, id: str) -> ReviewReport:
    """One submission: form, files, findings, numbers made again, and what the caller may know of votes."""
    with visit.office.units.read() as unit:
        submission = get_submission(unit, id)
        page = actions.view_submission(unit, submission, by=visit.actor)
        remarks = visible_comments(visit.office, unit, submission, by=visit.actor)
        deciders = deciders_of(visit.office, unit, submission)
        disputed = actions.disputed_outputs(visit.office, unit, submission)
    form = {name: str(value) for name, value in submission.form.items()}
    reports = submissions.reports_of(page.files)
    return ReviewReport(
        id=submission.id,
        number=submission.number,
        project=submission.project,
        author=submission.author,
        state=shown_state(visit, submission).value,
        form=form,
        missing_context=missing_context(submission),
        submitted_at=submission.submitted_at,
        supersedes=submission.supersedes,
        approvals_needed=deciders.needed,
        one_decider=deciders.one.value if deciders.one is not None else None,
        to_judge=rules_to_judge(page.files),
        controls=[
            ControlJson(name=name, text=text.translations())
            for name, text in visit.office.rules.review.controls.items()
        ],
        files=[_file_report(visit, file, reports[file.position]) for file in page.files],
        votes=[
            VoteJson(
                checker=v.checker,
                decision=v.decision.value,
                comment=v.comment,
                at=v.voted_at,
                confirmed=list(v.confirmed),
                withheld=list(v.withheld),
            )
            for v in page.votes
        ],
        disputed=list(written_names(disputed)),
        remarks=[
            RemarkJson(
                id=one.id,
                author=one.author,
                file=one.position,
                place={name: int(str(number)) for name, number in one.place.items()},
                text=one.text,
                written_at=one.written_at,
            )
            for one in remarks
        ],
    )


def _file_report(visit: Visit, file: SubmittedFile, report: Report | None) -> FileReport:
    facts = cell_facts.facts_of(report, min_units=visit.portal.thresholds.min_units)
    declaration = report.summary.get("declaration") if report is not None else None
    return FileReport(
        position=file.position,
        name=file.name,
        size=file.size,
        sha256=file.sha256,
        released_as=released_as(file),
        verdict=report.verdict if report is not None else Verdict.REVIEW,
        findings=[FindingJson(**one.to_json()) for one in report.findings] if report is not None else None,
        changes=[FindingJson(**one.to_json()) for one in submissions.changes_of(file)],
        cells=[CellJson(spot=spot, **vars(one)) for spot, cells in facts.items() for one in cells.values()],
        declaration=declaration if isinstance(declaration, dict) else None,
        to_answer=to_answer(file),
    )


def tell_file(visit: CurrentVisit, id: str, n: int) -> FileView:
    """One page of a file as its checker sees it (`page` from 1); the look is audited."""
    shown = renderings.look(visit, id, n, page_number(visit.request) - 1)
    return FileView(
        name=shown.file.shown_name,
        sha256=shown.file.shown_sha256,
        page=shown.page + 1,
        pages=shown.pages,
        view=dict(shown.view),
    )


def show_image(visit: CurrentVisit, id: str, n: int, k: int) -> Response:
    """A picture of the page `?page=` of a file, by its number in the view."""
    return renderings.answer_image(visit, id, n, k)


def tell_difference(visit: CurrentVisit, id: str, n: int, to: str | None = None) -> DifferenceJson:
    """A file's difference to another one: to that named, else to the version before, else to a release of the
    same table."""
    with visit.office.units.read() as unit:
        submission = get_submission(unit, id)
        file = _file(unit.files.get(f"{id}/{n}"))
        versions = differences.earlier_versions(unit, submission, file)
    made = _difference(visit, submission, file, to, versions)
    return DifferenceJson(
        others=[
            OtherJson(
                to=other.key,
                submission=other.submission.number,
                name=other.file.shown_name,
                kind="version" if other.version else "release",
                columns=other.columns,
                labels=other.labels,
            )
            for other in made.others
        ],
        chosen=made.chosen.key if made.chosen is not None else None,
        found=made.found,
    )


def _file(file: SubmittedFile | None) -> SubmittedFile:
    if file is None:
        raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.")
    return file


def _difference(
    visit: Visit,
    submission: Submission,
    file: SubmittedFile,
    to: str | None,
    versions: list[differences.Other],
) -> differences.Difference:
    """Both files are looked at: the look at the waiting one is audited here, at the other in `difference`."""
    actions.read_submitted_file(
        visit.office,
        visit.portal.vault,
        submission_id=submission.id,
        position=file.position,
        by=visit.actor,
        now=visit.now,
    )
    return differences.difference(visit, submission, file, wanted=to, versions=versions)
