"""The JSON API: the same actions as the pages, by the same permissions.

With the browser's cookie every call carries the session's form token in `X-Vitrine-Form`; with a Hub
API token in `Authorization` it does not.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.actions import comments, extracts, projects, reviews, statistics, submissions
from hub.actions.approvals import Grounds
from hub.actions.sessions import sealed_extract
from hub.actions.withholding import parse_names
from hub.checks import Report
from hub.documents import parse
from hub.documents.projects import ProjectDocument
from hub.domain.access import closed_because
from hub.domain.permissions import Permission, Reach
from hub.domain.records import Project, ReviewComment, Submission
from hub.portal import projects as project_pages
from hub.portal import reviews as review_pages
from hub.portal import submissions as submission_pages
from hub.portal.admin import parse_moment
from hub.portal.audit import find_events
from hub.portal.intake import released_as
from hub.portal.pages import shown_state
from hub.portal.permissions import ANYONE_OF_THE_OFFICE, About, Routes, needs
from hub.portal.visits import CurrentVisit, Visit

_MOST = 500


class AnswerBody(BaseModel):
    """Why a broken rule does not stand in the way. `file`: its position, from 0."""

    model_config = ConfigDict(extra="forbid")
    file: int
    rule: str
    answer: str


class CommentBody(BaseModel):
    """A remark on a file, or on a place of it (numbers from 0: cell, output, table, row, column, line)."""

    model_config = ConfigDict(extra="forbid")
    file: int
    text: str
    place: dict[str, int] = {}


class VoteBody(BaseModel):
    """A checker's vote. An approval answers every rule of `to_answer`, judges every one of `to_judge` and
    confirms every one of `controls` (GET /review/{id} lists them)."""

    model_config = ConfigDict(extra="forbid")
    decision: Annotated[str, Field(description="APPROVE, RETURN or REJECT")]
    comment: str = ""
    answers: list[AnswerBody] = []
    judged: list[str] = []
    controls: list[str] = []
    withhold: Annotated[
        list[str],
        Field(description="outputs of notebooks without which it is approved, as FILE-CELL-OUTPUT, from 0"),
    ] = []


class EndBody(BaseModel):
    """A new end of a project, in UTC."""

    model_config = ConfigDict(extra="forbid")
    ends_at: Annotated[str, Field(description="such as 2026-11-30T17:00:00Z")]


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/api"

    def add(method: str, path: str, access: Any, endpoint: Any, **options: Any) -> None:
        routes.add(method, f"{p}{path}", access, endpoint, include_in_schema=True, **options)

    def tell_schema() -> Response:
        """This API as an OpenAPI document."""
        return JSONResponse(routes.app.openapi())

    project = About.PROJECT
    submission = About.SUBMISSION
    routes.add("GET", f"{p}/openapi.json", ANYONE_OF_THE_OFFICE, tell_schema)
    add("GET", "/me", ANYONE_OF_THE_OFFICE, tell_me)
    add("GET", "/projects", needs(Permission.PROJECT_READ, About.LISTING), list_projects)
    add("POST", "/projects", needs(Permission.PROJECT_CREATE), create_project, status_code=201)
    add("GET", "/projects/{slug}", needs(Permission.PROJECT_READ, project), tell_project)
    add("POST", "/projects/{slug}/suspend", needs(Permission.PROJECT_SUSPEND, project), suspend_project)
    add("POST", "/projects/{slug}/resume", needs(Permission.PROJECT_SUSPEND, project), resume_project)
    add("POST", "/projects/{slug}/end", needs(Permission.PROJECT_END, project), end_project)
    add("POST", "/projects/{slug}/refresh-extract", needs(Permission.PROJECT_CREATE), refresh_extract)
    add("POST", "/projects/{slug}/move-end", needs(Permission.PROJECT_END, project), move_end)
    add("GET", "/submissions", needs(Permission.SUBMISSION_READ, About.LISTING), list_submissions)
    add("GET", "/submissions/{id}", needs(Permission.SUBMISSION_READ, submission), tell_submission)
    add("POST", "/submissions/{id}/withdraw", needs(Permission.SUBMISSION_WITHDRAW, submission), withdraw)
    add("POST", "/review/{id}/vote", needs(Permission.SUBMISSION_REVIEW, submission), vote)
    checks = needs(Permission.SUBMISSION_REVIEW, submission)
    add("GET", "/review/{id}/comments", checks, list_comments)
    add("POST", "/review/{id}/comments", checks, add_comment, status_code=201)
    add("GET", "/review-statistics", needs(Permission.REVIEW_STATISTICS), tell_statistics)
    add("GET", "/audit", needs(Permission.AUDIT_READ), list_events)


def tell_me(visit: CurrentVisit) -> dict[str, Any]:
    """Who the caller is here, and what their roles are."""
    return {
        "username": visit.person.username,
        "name": visit.person.name,
        "roles": sorted(visit.actor.roles),
        "form_token": visit.form_token or None,
    }


def _project_json(visit: Visit, project: Project) -> dict[str, Any]:
    closed = closed_because(visit.person, project, visit.now)
    return {
        "slug": project.slug,
        "number": project.number,
        "title": project.title,
        "purpose": project.purpose,
        "tier": project.tier,
        "state": project.state.value,
        "people": sorted(project.members),
        "starts_at": project.starts_at.isoformat(),
        "ends_at": project.ends_at.isoformat(),
        "desk_closed_because": closed.value if closed else None,
    }


def list_projects(visit: CurrentVisit) -> dict[str, Any]:
    """The projects that the caller may see, newest first."""
    with visit.office.units.read() as unit:
        return {"projects": [_project_json(visit, p) for p in project_pages.visible_projects(unit, visit)]}


def tell_project(visit: CurrentVisit, slug: str) -> dict[str, Any]:
    """One project with the state of its newest extract, and the version that a desk opened now has."""
    with visit.office.units.read() as unit:
        project = projects.get_project(unit, slug)
        extract = project_pages.newest_extract(unit, slug)
        mounted = sealed_extract(unit, slug)
    told = None
    if extract is not None:
        told = {
            "id": extract.id,
            "state": extract.state.value,
            "step": extract.step,
            "progress": extract.progress,
            "manifest": extract.manifest,
        }
    return {
        **_project_json(visit, project),
        "extract": told,
        "mounted": None
        if mounted is None
        else {"version": mounted.version, "since": mounted.updated_at.isoformat()},
    }


def refresh_extract(visit: CurrentVisit, slug: str) -> dict[str, Any]:
    """Plan the next version of a project's extract, from the sources as they are now; desks have the one
    before until it is sealed."""
    extracts.refresh_extract(visit.office, project=slug, by=visit.actor, now=visit.now)
    return tell_project(visit, slug)


async def create_project(visit: CurrentVisit, request: Request) -> Response:
    """Create a project from a project document (JSON or YAML)."""
    text = (await request.body()).decode("utf-8", "replace")
    document = parse(ProjectDocument, text, name="projet")
    project = projects.create_project(
        visit.office, new=projects.project_of(document), by=visit.actor, now=visit.now
    )
    return JSONResponse(_project_json(visit, project), 201)


def suspend_project(visit: CurrentVisit, slug: str) -> dict[str, Any]:
    """Suspend a project: its desks close at once."""
    return _project_json(
        visit, projects.suspend_project(visit.office, slug=slug, by=visit.actor, now=visit.now)
    )


def resume_project(visit: CurrentVisit, slug: str) -> dict[str, Any]:
    """Lift a suspension."""
    return _project_json(
        visit, projects.resume_project(visit.office, slug=slug, by=visit.actor, now=visit.now)
    )


def end_project(visit: CurrentVisit, slug: str) -> dict[str, Any]:
    """End a project for good."""
    return _project_json(visit, projects.end_project(visit.office, slug=slug, by=visit.actor, now=visit.now))


def move_end(visit: CurrentVisit, slug: str, body: Annotated[EndBody, Body()]) -> dict[str, Any]:
    """Move the end of a project."""
    project = projects.set_project_end(
        visit.office, slug=slug, ends_at=parse_moment(body.ends_at), by=visit.actor, now=visit.now
    )
    return _project_json(visit, project)


def _report_json(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {"verdict": "REVIEW", "findings": None}
    return {"verdict": report.verdict.value, "findings": [f.to_json() for f in report.findings]}


def _submission_json(visit: Visit, page: reviews.SubmissionPage, *, inside: bool) -> dict[str, Any]:
    """As the visitor may know it: findings and voters' names only for those outside the project."""
    submission = page.submission
    reports = submission_pages.reports_of(page.files) if inside else {}
    return {
        "id": submission.id,
        "number": submission.number,
        "project": submission.project,
        "author": submission.author,
        "state": shown_state(visit, submission).value,
        "form": dict(submission.form),
        "submitted_at": submission.submitted_at.isoformat(),
        "supersedes": submission.supersedes,
        "superseded_by": submission.superseded_by,
        "files": [
            {
                "position": f.position,
                "name": f.name,
                "size": f.size,
                "sha256": f.sha256,
                "released_as": released_as(f),
                **(
                    {"report": _report_json(reports[f.position]), "changes": list(f.changes)}
                    if inside
                    else {}
                ),
            }
            for f in page.files
        ],
        "votes": [
            {
                "decision": v.decision.value,
                "comment": v.comment,
                "at": v.voted_at.isoformat(),
                **({"checker": v.checker} if inside else {}),
            }
            for v in page.votes
        ],
    }


def _tell(visit: Visit, submission: Submission) -> dict[str, Any]:
    with visit.office.units.read() as unit:
        subject = submissions.subject_of(unit, submission)
        page = reviews.view_submission(unit, submission, by=visit.actor)
    own = visit.person.username in (subject.members | {submission.author})
    inside = not own and visit.reach(Permission.SUBMISSION_READ) is Reach.ANY
    return _submission_json(visit, page, inside=inside)


def list_submissions(visit: CurrentVisit) -> dict[str, Any]:
    """The newest submissions that the caller may read."""
    with visit.office.units.read() as unit:
        found = submission_pages.visible_submissions(unit, visit)[:_MOST]
    return {"submissions": [_tell(visit, submission) for submission in found]}


def tell_submission(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """One submission."""
    with visit.office.units.read() as unit:
        submission = submissions.get_submission(unit, id)
    return _tell(visit, submission)


def withdraw(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """Take one's own submission back."""
    return _tell(visit, submissions.withdraw(visit.office, submission_id=id, by=visit.actor, now=visit.now))


def vote(visit: CurrentVisit, id: str, body: Annotated[VoteBody, Body()]) -> dict[str, Any]:
    """Vote on a submission, once."""
    submission = reviews.cast_vote(
        visit.office,
        submission_id=id,
        decision=review_pages.parse_decision(body.decision),
        comment=body.comment,
        grounds=Grounds(
            answers={(one.file, one.rule): one.answer for one in body.answers},
            judged=frozenset(body.judged),
            confirmed=frozenset(body.controls),
            withheld=parse_names(body.withhold),
        ),
        withholder=review_pages.withholder_of(visit),
        by=visit.actor,
        now=visit.now,
    )
    return _tell(visit, submission)


def list_comments(visit: CurrentVisit, id: str) -> dict[str, Any]:
    """The checkers' remarks that the caller may read: their own until the round is over."""
    with visit.office.units.read() as unit:
        found = comments.visible_comments(
            visit.office, unit, submissions.get_submission(unit, id), by=visit.actor
        )
    return {"comments": [_comment_json(comment) for comment in found]}


def add_comment(visit: CurrentVisit, id: str, body: Annotated[CommentBody, Body()]) -> dict[str, Any]:
    """Remark on a file of a submission."""
    made = comments.add_comment(
        visit.office,
        submission_id=id,
        position=body.file,
        place=body.place,
        text=body.text,
        by=visit.actor,
        now=visit.now,
    )
    return _comment_json(made)


def _comment_json(comment: ReviewComment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "file": comment.position,
        "place": dict(comment.place),
        "text": comment.text,
        "author": comment.author,
        "at": comment.written_at.isoformat(),
    }


def tell_statistics(visit: CurrentVisit) -> dict[str, Any]:
    """Workload and turnaround of output checking in the last twelve weeks; hours, and shares from 0 to 1."""
    return dataclasses.asdict(statistics.review_statistics(visit.office, by=visit.actor, now=visit.now))


def list_events(
    visit: CurrentVisit, before: int | None = None, object: str = "", actor: str = "", action: str = ""
) -> dict[str, Any]:
    """The audit log, newest first; `next` is what to give as `before` for older entries."""
    entries, following = find_events(visit, before=before, object=object, actor=actor, action=action)
    return {
        "entries": [
            {
                "seq": e.seq,
                "at": e.at.isoformat(),
                "actor": e.actor,
                "action": e.action,
                "object": e.object,
                "details": dict(e.details),
                "digest": e.digest,
            }
            for e in entries
        ],
        "next": following,
    }
