"""A submitted file as plain values for the templates, made in a confined process.

The looking is audited once per page of a file; its pictures are kept for a short while, for that person
only, so that loading them needs neither a second process nor a second entry.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from hub.actions.reviews import read_submitted_file
from hub.checks import Finding, Place, Report, Severity, Verdict, place_in_words, render_in_subprocess
from hub.domain.errors import NotFound
from hub.domain.records import SubmittedFile
from hub.portal.pages import page_number
from hub.portal.visits import Visit

ROWS_PER_PAGE = 100
_KEPT = 64
AT_ONCE = threading.BoundedSemaphore(2)  # a rendering takes a core; more at once only wait for each other


@dataclass(frozen=True)
class Shown:
    """One page of a file. `page` counts from 0; every image in `view` has its number under `image`."""

    file: SubmittedFile
    page: int
    pages: int
    view: Mapping[str, Any]


class _Pictures:
    """The pictures of the pages shown last: (person, submission, file, page) → PNG bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, int, int], list[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, key: tuple[str, str, int, int], pictures: list[bytes]) -> None:
        with self._lock:
            self._kept[key] = pictures
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def get(self, key: tuple[str, str, int, int]) -> list[bytes] | None:
        with self._lock:
            return self._kept.get(key)


pictures_shown = _Pictures()


def look(visit: Visit, submission_id: str, position: int, page: int) -> Shown:
    """One page of a file, its bytes verified and the look audited. Raises what `read_submitted_file` does."""
    file, _ = read_submitted_file(
        visit.office,
        visit.portal.vault,
        submission_id=submission_id,
        position=position,
        by=visit.actor,
        now=visit.now,
    )
    with AT_ONCE:
        rendering = render_in_subprocess(
            visit.portal.vault.path(file.shown_sha256),
            name=file.shown_name,
            thresholds=visit.portal.thresholds,
            page=page,
            rows_per_page=ROWS_PER_PAGE,
        )
    view = rendering["view"]
    pictures: list[bytes] = []
    for image in list(_images(view)):
        image["image"] = len(pictures)
        pictures.append(_png(image.pop("png_base64", "")))
    pictures_shown.keep((visit.person.username, submission_id, position, int(rendering["page"])), pictures)
    return Shown(file, int(rendering["page"]), int(rendering["pages"]), view)


def _images(view: Any) -> Iterator[dict[str, Any]]:
    """Every image in a view, in the order it is shown."""
    if isinstance(view, dict):
        if view.get("kind") == "image":
            yield view
        for value in view.values():
            yield from _images(value)
    elif isinstance(view, list):
        for value in view:
            yield from _images(value)


def _png(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def answer_image(visit: Visit, submission_id: str, position: int, number: int) -> Response:
    """One picture of the page `?page=` that the visitor looks at; rendered anew where it is not kept."""
    page = page_number(visit.request) - 1
    key = (visit.person.username, submission_id, position, page)
    pictures = pictures_shown.get(key)
    if pictures is None:
        look(visit, submission_id, position, page)
        pictures = pictures_shown.get(key) or []
    if not 0 <= number < len(pictures) or not pictures[number].startswith(b"\x89PNG\r\n\x1a\n"):
        raise NotFound("not_found", "There is no such picture.", "Cette image n’existe pas.")
    return Response(pictures[number], media_type="image/png", headers={"Content-Disposition": "inline"})


def marks(
    report: Report | None, *, cell: int | None = None, output: int | None = None, table: int | None = None
) -> dict[Any, Finding]:
    """Where findings point in a table or text: (row, column), (row, None), (None, column), ('line', n)."""
    found: dict[Any, Finding] = {}
    for finding in report.findings if report else ():
        place = finding.place
        if place.cell != cell or (output is not None and place.output not in (None, output)):
            continue
        if table is not None and place.table not in (None, table):
            continue
        if place.line is not None:
            found.setdefault(("line", place.line), finding)
        elif place.row is not None or place.column is not None:
            found.setdefault((place.row, place.column), finding)
    return found


def anchor(shown: Shown, finding: Finding) -> tuple[int, str] | None:
    """The page (from 1) and the mark on it that a finding points to; None where it points to no one place."""
    place, view = finding.place, shown.view
    if view["kind"] == "notebook":
        first = view["first_cell"]
        if place.cell is None or not first <= place.cell < first + len(view["cells"]):
            return None
        return shown.page + 1, _in_notebook(view["cells"][place.cell - first], place)
    if place.cell is not None:
        return None
    if view["kind"] == "text" and place.line is not None:
        return place.line // ROWS_PER_PAGE + 1, f"l-{place.line}"
    if view["kind"] != "table" or (place.row is None and place.column is None):
        return None
    if place.row is None:
        return shown.page + 1, f"h-{place.column}"
    mark = f"r-{place.row}" if place.column is None else f"c-{place.row}-{place.column}"
    return place.row // ROWS_PER_PAGE + 1, mark


def _in_notebook(cell: Mapping[str, Any], place: Place) -> str:
    """The mark in a cell of a notebook: on the printed number, else on the output, else on the cell."""
    if place.output is None:
        return f"cell-{place.cell}"
    own = [n for n, at in enumerate(cell.get("places", ())) if at[0] == place.output]
    for n in own if place.row is not None and place.column is not None else ():
        shown, table = cell["outputs"][n], cell["places"][n][1]
        if shown["kind"] == "table" and table == (place.table or 0) and place.row in _rows_of(shown):
            return f"n-{place.cell}-{place.output}-{table}-{place.row}-{place.column}"
    return f"output-{place.cell}-{place.output}" if own else f"cell-{place.cell}"


def _rows_of(table: Mapping[str, Any]) -> range:
    first = int(table["first_row"])
    return range(first, first + len(table["rows"]))


def findings_in(report: Report | None, cell: int, output: int) -> list[Finding]:
    """What was found in one output of a notebook."""
    findings = report.findings if report is not None else ()
    return [one for one in findings if (one.place.cell, one.place.output) == (cell, output)]


def verdict_in(report: Report | None, cell: int, output: int) -> Verdict | None:
    """The verdict on one output of a notebook: the gravest of what was found in it. PASS only where the whole
    notebook passes; None: nothing was found in it, and what is said of the file may still concern it."""
    severities = {one.severity for one in findings_in(report, cell, output)}
    if Severity.BLOCK in severities:
        return Verdict.BLOCK
    if Severity.REVIEW in severities:
        return Verdict.REVIEW
    return Verdict.PASS if report is not None and report.verdict is Verdict.PASS else None


def pointers(shown: Shown, report: Report | None, language: str) -> dict[str, Any]:
    """What the templates need to lead from a finding to its place and back."""
    findings = report.findings if report else ()

    def place(finding: Finding) -> str:
        return place_in_words(finding.place, finding.evidence.get("column"), language)

    return {
        "place": place,
        "marks": marks,
        "found_in": lambda cell, output: findings_in(report, cell, output),
        "verdict_in": lambda cell, output: verdict_in(report, cell, output),
        "anchor": lambda finding: anchor(shown, finding),
        "marked_cells": {f.place.cell for f in findings if f.place.cell is not None},
    }
