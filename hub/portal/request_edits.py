"""Writing a request: one page with the dictionary beside it; every step works without a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from hub.actions import assessments
from hub.actions import requests as actions
from hub.actions.request_checks import Problem
from hub.documents import yaml
from hub.documents.dictionaries import Dictionary, Variable
from hub.domain.errors import Conflict, DocumentError, Refused
from hub.domain.levels import default_level
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import Permission, Role
from hub.portal import request_forms
from hub.portal.pages import go, show
from hub.portal.permissions import About, Routes, needs, status_of
from hub.portal.requests import dictionary_of, rounded, visible_requests
from hub.portal.risk_pages import report_of
from hub.portal.searching import find
from hub.portal.visits import CurrentVisit, Visit

_SHOWN = 60  # variables of a dictionary that the page lists at once
_BLANK: Mapping[str, Any] = {
    "institutions": [{}],
    "people": [{}],
    "populations": [{}],
    "datasets": [{}],
}


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/requests"
    starts = needs(Permission.REQUEST_WRITE, About.LISTING)
    writes = needs(Permission.REQUEST_WRITE, About.REQUEST)
    routes.add("GET", f"{p}/new", starts, show_new)
    routes.add("POST", f"{p}/new", starts, start)
    routes.add("GET", f"{p}/{{id}}/edit", writes, show_edit)
    routes.add("POST", f"{p}/{{id}}/edit", writes, edit)


def show_new(visit: CurrentVisit) -> Response:
    """Begin from nothing, from an earlier request, or from a file."""
    return _new_page(visit, None)


def _new_page(visit: Visit, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        earlier = [r for r in visible_requests(unit, visit) if visit.person.username in r.members]
    return show(
        visit,
        "request_new.html",
        status=status_of(error) if error else 200,
        earlier=earlier,
        error=error.message(visit.words.language) if error else None,
        error_field="document" if error else None,
    )


def start(visit: CurrentVisit) -> Response:
    """Make the draft and go on to its form."""
    try:
        text = _first_text(visit)
        made = actions.start_request(
            visit.office, visit.portal.catalogue, text=text, by=visit.actor, now=visit.now
        )
    except DocumentError as error:
        return _new_page(visit, error)
    return go(visit, f"/requests/{made.id}/edit", "request_started")


def _first_text(visit: Visit) -> str:
    if visit.upload is not None and visit.upload.name:
        return visit.value("document")
    copied = visit.value("copy")
    if copied:
        with visit.office.units.read() as unit:
            request = actions.get_request(unit, copied)
            if visit.person.username in request.members:
                content = actions.content_of(actions.get_version(unit, request))
                return yaml.dump({k: v for k, v in content.items() if k != "slug"})
    applicant: dict[str, yaml.Value] = {"username": visit.person.username}
    return yaml.dump({"use": "statistical", "people": [applicant], "formats": ["parquet"]})


@dataclass(frozen=True)
class ColumnField:
    """One variable of a dataset in the form."""

    variable: str
    level: str
    justification: str
    known: Variable | None

    @property
    def levels(self) -> list[str]:
        """The offered levels, from fine to coarse."""
        return [level.value for level in self.known.offered] if self.known else []

    @property
    def default(self) -> str:
        return default_level(list(self.known.offered)).value if self.known else ""

    @property
    def finer(self) -> bool:
        levels = self.levels
        return self.level in levels and levels.index(self.level) < levels.index(self.default)


@dataclass(frozen=True)
class DatasetField:
    """One dataset in the form, with the part of its source's dictionary that the page lists."""

    content: Mapping[str, Any]
    dictionary: Dictionary | None
    columns: list[ColumnField]
    where: Mapping[str, Any]
    through: str
    searched: str
    found: Mapping[str, Variable] = field(default_factory=dict)
    more: int = 0


def _dataset_field(visit: Visit, content: Any, position: int) -> DatasetField:
    content = content if isinstance(content, dict) else {}
    dictionary = dictionary_of(visit, str(content.get("source", "")))
    columns = [_column_field(column, dictionary) for column in _list(content.get("columns"))]
    searched = visit.value(f"find.{position}")
    through = content.get("through")
    chosen = {column.variable for column in columns}
    every = find(dictionary, searched) if dictionary is not None else {}
    listed = {n: v for n, v in every.items() if v.deliverable and n not in chosen}
    return DatasetField(
        content=content,
        dictionary=dictionary,
        columns=columns,
        where=request_forms.where_of(content.get("filter")),
        through=through if isinstance(through, str) else yaml.dump(through).rstrip() if through else "",
        searched=searched,
        found=dict(list(listed.items())[:_SHOWN]),
        more=max(len(listed) - _SHOWN, 0),
    )


def _column_field(column: Any, dictionary: Dictionary | None) -> ColumnField:
    asked = column if isinstance(column, dict) else {"variable": column}
    variable = str(asked.get("variable", ""))
    known = dictionary.variables.get(variable) if dictionary else None
    level = str(asked.get("level") or "")
    if not level and known is not None:
        level = default_level(list(known.offered)).value
    return ColumnField(variable, level, str(asked.get("justification") or ""), known)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def show_edit(visit: CurrentVisit, id: str) -> Response:
    """The form with the newest version in it."""
    with visit.office.units.read() as unit:
        request = actions.get_request(unit, id)
        version = actions.get_version(unit, request)
    if request.state not in actions.EDITABLE:
        return go(visit, f"/requests/{id}")
    return _edit_page(visit, id, actions.content_of(version), version.version, actions.problems_of(version))


def _edit_page(
    visit: Visit,
    id: str,
    content: Mapping[str, Any],
    base: int,
    problems: tuple[Problem, ...],
    *,
    error: Refused | None = None,
    unsaved: bool = False,
) -> Response:
    with visit.office.units.read() as unit:
        request = actions.get_request(unit, id)
        researchers = [
            p for p in unit.people.find() if p.state is PersonState.ACTIVE and Role.RESEARCHER in p.roles
        ]
        remarks = unit.remarks.find(request=id)
        assessment = unit.assessments.get(f"{id}/v{base}")
    shown = request_forms.shown({**_BLANK, **content})
    catalogue = {name: dictionary_of(visit, name) for name in visit.portal.catalogue.names()}
    errors: dict[str, list[str]] = {}
    for problem in problems:
        errors.setdefault(request_forms.field_id(problem.field), []).append(
            problem.message(visit.words.language)
        )
    return show(
        visit,
        "request_edit.html",
        status=status_of(error) if error else 200,
        here=visit.url(f"/requests/{id}/edit"),
        request=request,
        base=base,
        content=shown,
        populations=[
            (
                p,
                request_forms.where_of(p.get("filter")),
                request_forms.sample_of(p.get("sample")),
                catalogue.get(str(p.get("source", ""))),
            )
            for p in _list(shown["populations"])
            if isinstance(p, dict)
        ],
        datasets=[_dataset_field(visit, d, n) for n, d in enumerate(_list(shown["datasets"]))],
        catalogue={name: dictionary for name, dictionary in catalogue.items() if dictionary is not None},
        operators=request_forms.OPERATORS,
        researcher_options=sorted(
            ((p.username, f"{p.name} ({p.username})") for p in researchers), key=lambda option: option[1]
        ),
        **_options(visit, catalogue),
        errors=errors,
        problems=[(request_forms.field_id(p.field), p) for p in problems],
        remarks=[remark for remark in remarks if remark.version == request.version and remark.text],
        returned=request.decision_comment if request.state.value == "RETURNED" else None,
        unsaved=unsaved,
        assessment=assessment,
        report=report_of(assessment),
        rounded=rounded,
        conflict=error.message(visit.words.language) if error else None,
    )


def _options(visit: Visit, catalogue: Mapping[str, Dictionary | None]) -> dict[str, Any]:
    """What the form's lists offer, as pairs of value and word."""
    language = visit.words.language
    rules = visit.office.rules

    def units_of(dictionary: Dictionary | None) -> list[tuple[str, str]]:
        units = dictionary.unit_types if dictionary is not None else {}
        return [(name, unit.title[language]) for name, unit in units.items()]

    return {
        "kinds_options": [(name, kind.title[language]) for name, kind in rules.conditions.kinds.items()],
        "tier_options": [
            (name, title[language])
            for name, title in visit.portal.tiers.items()
            if name in rules.tiers and rules.tiers[name].available
        ],
        "source_options": [
            (name, f"{dictionary.title[language]} ({name})")
            for name, dictionary in catalogue.items()
            if dictionary is not None
        ],
        "units_of": units_of,
    }


def edit(visit: CurrentVisit, id: str) -> Response:
    """Save, send, estimate; or add, remove and search without saving anything."""
    do = visit.value("do") or "save"
    tree = request_forms.tree_of(visit.form)
    base = visit.value("base")
    version = int(base) if base.isascii() and base.isdigit() and len(base) < 6 else 0
    if do.startswith("remove:"):
        request_forms.remove(tree, do.removeprefix("remove:"))
    saves = do in ("save", "send", "estimate")
    content = request_forms.content_of_tree(
        tree, lambda name: dictionary_of(visit, name), blank_rows=not saves
    )
    if do.startswith("add:"):
        _add(content, tree, do.removeprefix("add:"))
    if not saves:
        return _edit_page(visit, id, content, version, (), unsaved=True)
    return _save(visit, id, content, version, do)


def _save(visit: Visit, id: str, content: dict[str, Any], base: int, do: str) -> Response:
    office, catalogue = visit.office, visit.portal.catalogue
    try:
        request = actions.save_request(
            office,
            catalogue,
            request_id=id,
            text=yaml.dump(content),
            base=base,
            by=visit.actor,
            now=visit.now,
        )
    except Conflict as error:
        if error.code == "stale_version":
            return _edit_page(visit, id, content, base, (), error=error, unsaved=True)
        raise
    with office.units.read() as unit:
        complete = not actions.get_version(unit, request).problems
    if do == "save" or not complete:
        done = "request_saved" if complete else "request_saved_incomplete"
        return go(visit, f"/requests/{id}/edit", done)
    if do == "estimate":
        assessments.ask_assessment(office, request_id=id, by=visit.actor, now=visit.now)
        return go(visit, f"/requests/{id}/edit", "estimate_asked", part="estimate")
    actions.send_request(office, catalogue, request_id=id, by=visit.actor, now=visit.now)
    return go(visit, f"/requests/{id}", "request_sent")


def _add(content: dict[str, Any], tree: Mapping[str, Any], path: str) -> None:
    """Put an empty row, or variables, at the end of a list; an unknown path adds nothing."""
    parts, _, names = path.partition(":")
    where = parts.split(".")
    if where[0] in ("institutions", "people", "populations", "datasets") and len(where) == 1:
        content.setdefault(where[0], []).append({})
        return
    if where[0] not in ("populations", "datasets") or len(where) != 3 or not where[1].isdecimal():
        return
    rows = content.get(where[0], [])
    position = int(where[1])
    if position >= len(rows):
        return
    if where[2] == "where":
        _add_term(rows[position])
    elif where[2] == "columns":
        row = tree.get(where[0], {}).get(where[1], {})
        typed = names or (row.get("add", "") if isinstance(row, dict) else "")
        known = {c if isinstance(c, str) else c.get("variable") for c in rows[position].get("columns", [])}
        fresh = [name for name in typed.replace(",", " ").replace(";", " ").split() if name not in known]
        rows[position].setdefault("columns", []).extend(dict.fromkeys(fresh))


def _add_term(place: dict[str, Any]) -> None:
    blank = {"field": "", "operator": "=="}
    filter_ = place.get("filter")
    if isinstance(filter_, dict) and set(filter_) in ({"and"}, {"or"}):
        next(iter(filter_.values())).append(blank)
    elif isinstance(filter_, dict) and "field" in filter_:
        place["filter"] = {"and": [filter_, blank]}
    elif filter_ is None:
        place["filter"] = blank
