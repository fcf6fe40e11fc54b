"""Opening and closing one's desk: asked of the Hub, watched in the records."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, RedirectResponse, Response

from hub.actions import sessions
from hub.actions.projects import get_project
from hub.domain.access import Closed, closed_because
from hub.domain.errors import PermissionDenied, Refused
from hub.domain.lifecycle import SessionState
from hub.domain.permissions import Permission, Reach
from hub.domain.records import Session
from hub.portal.pages import go, show
from hub.portal.permissions import About, Routes, needs
from hub.portal.projects import card_of, open_session, reason_in_words
from hub.portal.visits import CurrentVisit, Visit


def register(routes: Routes) -> None:
    p = routes.portal.prefix
    opens = needs(Permission.DESK_OPEN, About.PROJECT)
    stops = needs(Permission.DESK_STOP, About.PROJECT)
    routes.add("GET", f"{p}/projects/{{slug}}/desk", opens, show_desk)
    routes.add("POST", f"{p}/projects/{{slug}}/desk", opens, open_desk)
    routes.add("POST", f"{p}/projects/{{slug}}/desk/stop", stops, stop_desk)
    routes.add("GET", f"{p}/api/projects/{{slug}}/desk", opens, tell_desk, include_in_schema=True)
    routes.add("POST", f"{p}/api/projects/{{slug}}/desk", opens, start_desk, include_in_schema=True)
    routes.add("POST", f"{p}/api/projects/{{slug}}/desk/stop", stops, end_desk, include_in_schema=True)


def lab_url(session: Session) -> str:
    """The address of a desk's JupyterLab, behind the gate."""
    return f"/user/{quote(session.username, safe='')}/{quote(session.project, safe='')}/lab"


def _last_session(visit: Visit, slug: str) -> Session | None:
    with visit.office.units.read() as unit:
        mine = unit.sessions.find(project=slug, username=visit.person.username)
    return mine[-1] if mine else None


def _ask_for_desk(visit: Visit, slug: str) -> str:
    """Ask the Hub for the desk. Answers the id of the newest session before that ('' if none), so that
    whoever watches can tell the new one from an old one."""
    before = _last_session(visit, slug)
    sessions.check_desk(visit.office, slug=slug, by=visit.actor, now=visit.now)
    visit.office.desks.start(visit.person.username, slug)
    return before.id if before is not None else ""


def open_desk(visit: CurrentVisit, slug: str) -> Response:
    """Open the visitor's desk of the project, or go to it if it is open already."""
    with visit.office.units.read() as unit:
        session = open_session(unit, slug, visit.person.username)
    if session is not None and session.state is SessionState.RUNNING:
        sessions.check_desk(visit.office, slug=slug, by=visit.actor, now=visit.now)
        visit.office.desks.start(visit.person.username, slug)  # the Hub may have lost it: then it starts anew
    try:
        before = _ask_for_desk(visit, slug)
    except PermissionDenied:
        raise
    except Refused as error:
        return _desk_page(visit, slug, after="", error=error)
    if session is not None and session.id == before:
        before = ""
    return RedirectResponse(visit.url(f"/projects/{slug}/desk?after={before}"), 303)


def show_desk(visit: CurrentVisit, slug: str) -> Response:
    """The page that shows how the desk comes up and then goes there."""
    return _desk_page(visit, slug, after=visit.request.query_params.get("after", ""), error=None)


def _desk_page(visit: Visit, slug: str, *, after: str, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        card = card_of(unit, visit, get_project(unit, slug))
    told = tell(visit, slug, after)
    return show(
        visit,
        "desk.html",
        status=200 if error is None else 503 if error.code == "hub_unreachable" else 422,
        here=visit.url(f"/projects/{slug}/desk"),
        card=card,
        told=told,
        after=after,
        error=error.message(visit.words.language) if error else None,
        poll=f"{visit.url(f'/api/projects/{slug}/desk')}?after={quote(after)}",
    )


def tell(visit: Visit, slug: str, after: str) -> dict[str, Any]:
    """`{"state": none|granted|running|ended, "reason", "message", "url"}` of the newest session.

    A session called `after` is an old one and not told about.
    """
    with visit.office.units.read() as unit:
        project = get_project(unit, slug)
    closed = closed_because(visit.person, project, visit.now)
    session = _last_session(visit, slug)
    language = visit.words.language
    if closed is not None:
        return {
            "state": "ended",
            "reason": closed.value,
            "message": reason_in_words(closed.value, language),
            "url": None,
        }
    if session is None or session.id == after:
        return {"state": "none", "reason": None, "message": visit.words("desk.asked"), "url": None}
    state = {
        SessionState.GRANTED: ("granted", visit.words("desk.granted")),
        SessionState.RUNNING: ("running", visit.words("desk.running")),
        SessionState.ENDED: ("ended", reason_in_words(session.reason, language)),
    }[session.state]
    running = session.state is SessionState.RUNNING
    if running and not visit.office.desks.ready(visit.person.username, slug):
        # The desk answers, but the way there is still being laid.
        return {"state": "granted", "reason": None, "message": visit.words("desk.granted"), "url": None}
    return {
        "state": state[0],
        "reason": session.reason,
        "message": state[1],
        "url": lab_url(session) if running else None,
    }


def tell_desk(visit: CurrentVisit, slug: str, after: str = "") -> dict[str, Any]:
    """How far the visitor's desk of the project is."""
    return tell(visit, slug, after)


def start_desk(visit: CurrentVisit, slug: str) -> Response:
    """Open the visitor's desk of the project. 202: ask `GET …/desk?after=…` how far it is."""
    with visit.office.units.read() as unit:
        session = open_session(unit, slug, visit.person.username)
    before = _ask_for_desk(visit, slug)
    # A desk that is open already is not waited for.
    return JSONResponse({"after": "" if session is not None and session.id == before else before}, 202)


def _stop(visit: Visit, slug: str, username: str) -> None:
    """Close a desk: for the gate at once, then by the Hub, then in the records (as the clock does)."""
    if username != visit.person.username and visit.reach(Permission.DESK_STOP) is not Reach.ANY:
        raise PermissionDenied("not_yours", "This desk is not yours.", "Ce bureau n’est pas le vôtre.")
    with visit.office.units.read() as unit:
        session = open_session(unit, slug, username)
    if session is None:
        return
    visit.office.session_files.end(session.id, Closed.STOPPED.value)
    visit.office.desks.stop(username, slug)
    sessions.end_session(
        visit.office, session_id=session.id, reason=Closed.STOPPED.value, by=visit.actor, now=visit.now
    )


def stop_desk(visit: CurrentVisit, slug: str) -> Response:
    """Close the visitor's desk; who may stop any desk names whose."""
    username = visit.value("username") or visit.person.username
    _stop(visit, slug, username)
    own = username == visit.person.username
    return go(visit, "/" if own else f"/projects/{slug}", "desk_stopped")


def end_desk(visit: CurrentVisit, slug: str, username: str | None = None) -> dict[str, Any]:
    """Close the visitor's desk, or that of `username`."""
    _stop(visit, slug, username or visit.person.username)
    return {"state": "ended"}
