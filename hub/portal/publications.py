"""Publications: the public register, and the pages on which they are declared and decided."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.actions import publications as actions
from hub.actions.ports import Unit
from hub.checks import PdfPage, read_page_in_subprocess
from hub.domain.errors import NotFound, Refused
from hub.domain.lifecycle import PublicationState, SubmissionState
from hub.domain.permissions import Permission
from hub.domain.publications import Publication
from hub.domain.records import Project, Submission
from hub.portal import renderings
from hub.portal.pages import Part, go, page_number, show, show_plain
from hub.portal.permissions import PUBLIC, About, Routes, needs, status_of
from hub.portal.releases import disposition
from hub.portal.reviews import parse_decision
from hub.portal.visits import CurrentVisit, Visit

_WAITING = (PublicationState.REGISTERED, PublicationState.UNDER_REVIEW)
_FORM_BYTES = actions.MAX_BYTES + 1_000_000
_SIGNS = {"REGISTERED": "wait", "UNDER_REVIEW": "wait", "RETURNED": "return", "APPROVED": "ok"}


def register(routes: Routes) -> None:
    portal, p = routes.portal, routes.portal.prefix
    reads = needs(Permission.PUBLICATION_READ, About.PUBLICATION)
    writes = needs(Permission.PUBLICATION_WRITE, About.LISTING)
    declares = needs(Permission.PUBLICATION_WRITE, About.LISTING, largest_file=actions.MAX_BYTES)

    def show_public(request: Request) -> Response:
        with portal.office.units.read() as unit:
            entries = actions.public_register(unit)
        part = Part(len(entries), page_number(request))
        shown = entries[part.first : part.last]
        return show_plain(request, portal, "publications.html", public=True, entries=shown, part=part)

    routes.add("GET", f"{p}/publications", PUBLIC, show_public)
    routes.add("GET", f"{p}/manuscripts", needs(Permission.PUBLICATION_READ, About.LISTING), show_list)
    routes.add("GET", f"{p}/manuscripts/new", writes, show_form)
    routes.add("POST", f"{p}/manuscripts/new", declares, declare, max_body_size=_FORM_BYTES)
    routes.add("GET", f"{p}/manuscripts/{{id}}", reads, show_one)
    routes.add("GET", f"{p}/manuscripts/{{id}}/file", reads, download)
    routes.add("GET", f"{p}/manuscripts/{{id}}/pages/{{n}}", reads, show_picture)
    routes.add(
        "POST", f"{p}/manuscripts/{{id}}/vote", needs(Permission.PUBLICATION_REVIEW, About.PUBLICATION), vote
    )
    routes.add(
        "POST",
        f"{p}/manuscripts/{{id}}/withdraw",
        needs(Permission.PUBLICATION_WRITE, About.PUBLICATION),
        withdraw,
    )


def visible_publications(unit: Unit, visit: Visit) -> list[Publication]:
    """Publications that the visitor may read, newest first."""
    projects = {project.slug: project for project in unit.projects.find()}
    return [
        publication
        for publication in reversed(unit.publications.find())
        if visit.may(Permission.PUBLICATION_READ, projects[publication.project].subject)
    ]


def shown_state(visit: Visit, publication: Publication) -> PublicationState:
    """The state as this visitor may know it: a checker must not learn that a vote is in."""
    hidden = publication.state is PublicationState.UNDER_REVIEW and visit.reach(Permission.PUBLICATION_REVIEW)
    return PublicationState.REGISTERED if hidden else publication.state


def sign(state: PublicationState) -> str:
    """The class of the sign beside a state's word."""
    return _SIGNS.get(state.value, "off" if state is PublicationState.WITHDRAWN else "no")


def show_list(visit: CurrentVisit) -> Response:
    """The publications that the visitor may read."""
    with visit.office.units.read() as unit:
        found = visible_publications(unit, visit)
        people = {person.username: person for person in unit.people.find()}
    part = Part(len(found), page_number(visit.request))
    rows = [(one, shown_state(visit, one)) for one in found[part.first : part.last]]
    declares = visit.reach(Permission.PUBLICATION_WRITE) is not None
    return show(visit, "manuscripts.html", rows=rows, part=part, people=people, declares=declares, sign=sign)


def _choices(unit: Unit, visit: Visit) -> list[tuple[Project, list[Submission]]]:
    """The visitor's projects with their releases."""
    return [
        (project, unit.submissions.find(project=project.slug, state=SubmissionState.RELEASED))
        for project in unit.projects.find()
        if visit.person.username in project.members
        and visit.may(Permission.PUBLICATION_WRITE, project.subject)
    ]


def show_form(visit: CurrentVisit) -> Response:
    """The form to declare a manuscript; `?supersedes=` of a returned one."""
    return _form_page(visit, error=None)


def _form_page(visit: Visit, *, error: Refused | None) -> Response:
    supersedes = visit.value("supersedes") or visit.request.query_params.get("supersedes", "")
    with visit.office.units.read() as unit:
        choices = _choices(unit, visit)
        older = unit.publications.get(supersedes) if supersedes else None
    if older is not None and older.author != visit.person.username:
        older = None
    given = {name: visit.value(name) for name in ("title", "authors", "venue")}
    chosen = set(visit.form.get("releases", []))
    if older is not None and not visit.form:
        given = {"title": older.title, "authors": older.authors, "venue": older.venue}
        chosen = set(older.releases)
    return show(
        visit,
        "manuscript_new.html",
        status=status_of(error) if error else 200,
        here=visit.url("/manuscripts/new"),
        choices=choices,
        given=given,
        chosen=chosen,
        public_wanted=visit.value("public") == "yes",
        supersedes=older.id if older else "",
        most=actions.MAX_BYTES,
        error=error.message(visit.words.language) if error else None,
        error_field=error.field if error else None,
    )


def declare(visit: CurrentVisit) -> Response:
    """Declare a manuscript; what is wrong is said beside the form (the file has to be chosen again)."""
    upload = visit.upload
    releases = visit.form.get("releases", [])
    with visit.office.units.read() as unit:
        projects = {s.project for r in releases if (s := unit.submissions.get(r)) is not None}
        fallback = next((project.slug for project, _ in _choices(unit, visit)), "")
    new = actions.NewPublication(
        project=min(projects, default=fallback),
        title=visit.value("title"),
        authors=visit.value("authors"),
        venue=visit.value("venue"),
        public=visit.value("public") == "yes",
        releases=releases,
        supersedes=visit.value("supersedes") or None,
    )
    try:
        made = actions.register_publication(
            visit.office,
            visit.portal.vault,
            new=new,
            manuscript=actions.Manuscript(upload.name if upload else "", upload.content if upload else b""),
            by=visit.actor,
            now=visit.now,
        )
    except Refused as error:
        if error.field in ("title", "authors", "venue", "releases", "file"):
            return _form_page(visit, error=error)
        raise
    return go(visit, f"/manuscripts/{made.id}", "publication_declared")


def show_one(visit: CurrentVisit, id: str) -> Response:
    """One publication with its releases, and the vote."""
    return _page(visit, id, error=None)


def _page(visit: Visit, id: str, *, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        publication = actions.get_publication(unit, id)
        project = unit.projects.get(publication.project)
        votes = actions.visible_votes(unit, publication, by=visit.actor)
        releases = [s for r in publication.releases if (s := unit.submissions.get(r)) is not None]
        people = {person.username: person for person in unit.people.find()}
    assert project is not None  # noqa: S101  # a publication's project is never removed
    own = visit.person.username in project.members
    reviews = not own and visit.may(Permission.PUBLICATION_REVIEW, publication.subject(project.members))
    mine = next((v for v in votes if v.checker == visit.person.username), None)
    waiting = publication.state in _WAITING
    wanted = visit.request.query_params.get("page")
    read = _read_page(visit, id, page_number(visit.request) - 1) if wanted and error is None else None
    state = shown_state(visit, publication)
    return show(
        visit,
        "manuscript.html",
        status=status_of(error) if error else 200,
        here=visit.url(f"/manuscripts/{id}"),
        publication=publication,
        project=project,
        releases=releases,
        people=people,
        votes=votes if actions.is_decided(publication) or mine is None else [],
        mine=mine,
        inside=not own,
        state=state,
        sign=sign(state),
        votes_now=reviews and waiting and mine is None,
        withdraws=waiting and visit.person.username == publication.author,
        again=publication.state is PublicationState.RETURNED
        and publication.superseded_by is None
        and visit.person.username == publication.author,
        quorum=visit.office.rules.review.quorum,
        reads_here=bool(wanted),
        read=read,
        comment=visit.value("comment"),
        error=error.message(visit.words.language) if error else None,
        error_field=error.field if error else None,
    )


def _read_page(visit: Visit, id: str, page: int) -> PdfPage | None:
    """A page of the manuscript as a picture, drawn in a confined process; the reading is audited."""
    publication, _ = actions.read_manuscript(
        visit.office, visit.portal.vault, publication_id=id, by=visit.actor, now=visit.now
    )
    with renderings.AT_ONCE:
        read = read_page_in_subprocess(
            visit.portal.vault.path(publication.sha256), page=page, thresholds=visit.portal.thresholds
        )
    if read is not None:
        renderings.pictures_shown.keep((visit.person.username, id, 0, read.page), [read.png])
    return read


def show_picture(visit: CurrentVisit, id: str, n: int) -> Response:
    """The picture of page `n`, from 1, that the visitor looks at."""
    kept = renderings.pictures_shown.get((visit.person.username, id, 0, n - 1))
    if kept is None:
        read = _read_page(visit, id, n - 1)
        kept = [read.png] if read is not None and read.page == n - 1 else []
    if not kept:
        raise NotFound("not_found", "There is no such picture.", "Cette image n’existe pas.")
    return Response(kept[0], media_type="image/png", headers={"Content-Disposition": "inline"})


def vote(visit: CurrentVisit, id: str) -> Response:
    """The checker's vote on a manuscript."""
    try:
        publication = actions.vote_on_publication(
            visit.office,
            publication_id=id,
            decision=parse_decision(visit.value("decision")),
            comment=visit.value("comment"),
            by=visit.actor,
            now=visit.now,
        )
    except Refused as error:
        if error.field in ("comment", "decision"):
            return _page(visit, id, error=error)
        raise
    return go(visit, f"/manuscripts/{id}", "decided" if actions.is_decided(publication) else "voted")


def withdraw(visit: CurrentVisit, id: str) -> Response:
    """Take one's own manuscript back."""
    actions.withdraw_publication(visit.office, publication_id=id, by=visit.actor, now=visit.now)
    return go(visit, f"/manuscripts/{id}", "publication_withdrawn")


def download(visit: CurrentVisit, id: str) -> Response:
    """The manuscript, always as an attachment."""
    publication, content = actions.read_manuscript(
        visit.office, visit.portal.vault, publication_id=id, by=visit.actor, now=visit.now
    )
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition(publication.file_name),
            "X-Content-SHA256": publication.sha256,
        },
    )
