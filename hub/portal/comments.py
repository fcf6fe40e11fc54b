"""The checkers' remarks: the form beside the file."""

from __future__ import annotations

from starlette.responses import Response

from hub.actions import comments as actions
from hub.domain.errors import Refused
from hub.domain.permissions import Permission
from hub.portal.pages import go
from hub.portal.permissions import About, Routes, needs
from hub.portal.visits import CurrentVisit, Visit

_PLACES = ("cell", "output", "table", "row", "column")


def register(routes: Routes) -> None:
    checks = needs(Permission.SUBMISSION_REVIEW, About.SUBMISSION)
    routes.add("POST", f"{routes.portal.prefix}/review/{{id}}/comments", checks, add)


def add(visit: CurrentVisit, id: str) -> Response:
    """Remark on the file `file`; `row` and `column`, counted from 1 as on the page, name a cell, in a
    notebook together with `cell`, `output` and `table`."""
    position = _number(visit, "file") or 0
    place = {name: n - 1 for name in _PLACES if (n := _number(visit, name)) is not None}
    actions.add_comment(
        visit.office,
        submission_id=id,
        position=position,
        place=place,
        text=visit.value("text"),
        by=visit.actor,
        now=visit.now,
    )
    return go(visit, f"/review/{id}?file={position}&done=remarked#remarks")


def _number(visit: Visit, name: str) -> int | None:
    text = visit.value(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused("bad_place", "There is no such place.", "Cet endroit n’existe pas.", field=name)
    return int(text)
