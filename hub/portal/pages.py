"""Pages: templates with the words, figures and buttons of one visit. Everything is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.domain.levels import default_level
from hub.domain.lifecycle import RequestState, SubmissionState
from hub.domain.permissions import Permission
from hub.domain.records import Submission
from hub.portal import languages
from hub.portal.ports import Portal
from hub.portal.visits import Visit

PAGE_SIZE = 50


@cache
def environment() -> Environment:
    """The templates. A name that a template uses and nobody gave is an error, not an empty string."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["submission_icon"] = submission_icon
    made.globals["request_icon"] = request_icon
    made.globals["default_level"] = default_level
    return made


_ICONS = {
    SubmissionState.SUBMITTED: "wait",
    SubmissionState.UNDER_REVIEW: "wait",
    SubmissionState.RETURNED: "return",
    SubmissionState.APPROVED: "ok",
    SubmissionState.RELEASED: "ok",
    SubmissionState.REJECTED: "no",
    SubmissionState.WITHDRAWN: "off",
}


def submission_icon(state: SubmissionState) -> str:
    """The class of the sign beside a state's word."""
    return _ICONS[state]


_REQUEST_ICONS = {
    RequestState.DRAFT: "note",
    RequestState.SUBMITTED: "wait",
    RequestState.UNDER_REVIEW: "wait",
    RequestState.RETURNED: "return",
    RequestState.APPROVED: "ok",
    RequestState.REJECTED: "no",
    RequestState.WITHDRAWN: "off",
}


def request_icon(state: RequestState) -> str:
    """The class of the sign beside a request's state."""
    return _REQUEST_ICONS[state]


def shown_state(visit: Visit, submission: Submission) -> SubmissionState:
    """The state as this visitor may know it.

    That a submission is under review says that a vote is in; a checker must not learn even that.
    """
    hidden = submission.state is SubmissionState.UNDER_REVIEW and visit.reach(Permission.SUBMISSION_REVIEW)
    return SubmissionState.SUBMITTED if hidden else submission.state


def show(
    visit: Visit, template: str, *, status: int = 200, here: str | None = None, **context: Any
) -> Response:
    """The page for this visit. `here` is its own address where that is not the one asked for."""
    given = {
        "visit": visit,
        "t": visit.words,
        "now": visit.now,
        "url": visit.url,
        "form_token": visit.form_token,
        "menu": _menu(visit),
        "role_titles": _role_titles(visit),
        "done": _done(visit),
        "public": False,
        **_frame(visit.request, visit.portal, here),
        **context,
    }
    return _answer(visit.request, visit.words, visit.portal, template, status, given)


def show_plain(
    request: Request,
    portal: Portal,
    template: str,
    *,
    status: int = 200,
    public: bool = False,
    **context: Any,
) -> Response:
    """A page for somebody who is not (or not yet) let in: no name, and only what anyone may see.

    `public`: a page for anyone, which offers to sign in rather than to sign out.
    """
    words = languages.Words(languages.choose(request), languages.choose_labels(request))
    given = {
        "visit": None,
        "t": words,
        "url": lambda path: f"{portal.prefix}{path}",
        "menu": [
            (f"{portal.prefix}/dictionary", "menu.dictionary"),
            (f"{portal.prefix}/publications", "menu.publications"),
        ],
        "role_titles": "",
        "done": None,
        "public": public,
        "status": status,
        **_frame(request, portal, None if request.method == "GET" else f"{portal.prefix}/"),
        **context,
    }
    return _answer(request, words, portal, template, status, given)


def _frame(request: Request, portal: Portal, here: str | None) -> dict[str, Any]:
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return {"here": here or asked, "with_query": with_query, "static": f"{portal.prefix}/static"}


def _answer(
    request: Request,
    words: languages.Words,
    portal: Portal,
    template: str,
    status: int,
    context: Mapping[str, Any],
) -> Response:
    response = HTMLResponse(environment().get_template(template).render(context), status)
    response.headers["Content-Language"] = words.language
    response.headers["Vary"] = "Accept-Language, Cookie"
    if request.query_params.get("lang") in languages.LANGUAGES:
        response.set_cookie(
            languages.COOKIE,
            words.language,
            max_age=365 * 86_400,
            path=portal.prefix,
            httponly=True,
            samesite="lax",
            secure=portal.public_url.startswith("https:"),
        )
    return response


def _menu(visit: Visit) -> list[tuple[str, str]]:
    """The pages open to these roles: address and key of the name."""
    creates, reviews = visit.may(Permission.PROJECT_CREATE), visit.reach(Permission.SUBMISSION_REVIEW)
    submits = visit.may(Permission.AUDIT_READ) or visit.reach(Permission.SUBMISSION_WITHDRAW)
    entries = (
        ("/", "menu.home", True),
        ("/admin/projects", "menu.projects", creates),
        ("/projects", "menu.projects", not creates and visit.may(Permission.PROJECT_READ)),
        ("/requests", "menu.requests", visit.reach(Permission.REQUEST_READ)),
        ("/review", "menu.review", reviews),
        # Checkers reach them from their queue.
        ("/review/statistics", "menu.statistics", not reviews and visit.may(Permission.REVIEW_STATISTICS)),
        ("/submissions", "menu.submissions", submits and visit.reach(Permission.SUBMISSION_READ)),
        ("/admin/people", "menu.people", visit.may(Permission.PERSON_READ)),
        ("/admin/sources", "menu.sources", visit.may(Permission.SOURCE_READ)),
        ("/audit", "menu.audit", visit.may(Permission.AUDIT_READ)),
        ("/manuscripts", "menu.publications", visit.reach(Permission.PUBLICATION_READ)),
        ("/dictionary", "menu.dictionary", True),
    )
    return [(visit.url(path), name) for path, name, is_open in entries if is_open]


def _role_titles(visit: Visit) -> str:
    return ", ".join(
        visit.portal.roles[role.value][visit.words.language] for role in sorted(visit.actor.roles)
    )


def _done(visit: Visit) -> str | None:
    """The sentence for what was just done, by its key in the address; unknown keys say nothing."""
    key = f"done.{visit.request.query_params.get('done', '')}"
    return visit.words(key) if visit.words.has(key) else None


def go(visit: Visit, path: str, done: str | None = None, *, part: str | None = None) -> Response:
    """After a change: show the page at `path`, at one of its parts, saying what was done."""
    address = visit.url(path) + (f"?done={done}" if done else "") + (f"#{part}" if part else "")
    return RedirectResponse(address, 303)


def with_query(address: str, **changes: object) -> str:
    """`address` with query parameters set, or removed where None."""
    parts = urlsplit(address)
    kept = [(k, v) for k, v in QueryParams(parts.query).multi_items() if k not in changes and k != "done"]
    kept += [(k, str(v)) for k, v in changes.items() if v is not None]
    return parts.path + (f"?{urlencode(kept)}" if kept else "")


def page_number(request: Request, name: str = "page") -> int:
    """The page asked for, from 1; nonsense counts as 1."""
    text = request.query_params.get(name, "1")
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 8 else 1


class Part:
    """One page of a longer list."""

    def __init__(self, total: int, page: int, size: int = PAGE_SIZE) -> None:
        self.total = total
        self.pages = max(math.ceil(total / size), 1)
        self.page = min(page, self.pages)
        self.first = (self.page - 1) * size
        self.last = min(self.first + size, total)


def days_left(now: datetime, ends_at: datetime) -> int:
    """Whole days still to come, rounded up; 0 when it is over."""
    return max(math.ceil((ends_at - now).total_seconds() / 86_400), 0)
