"""Writing a request: one page with the dictionary beside it; every step works without a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from hub.actions import assessments
from hub.actions import requests as actions
from hub.actions.request_checks import Problem
from hub.documents import yaml
from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Conflict, DocumentError, Refused
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import Permission, Role
from hub.portal import request_columns, request_filters, request_forms, request_words
from hub.portal.pages import go, show
from hub.portal.permissions import About, Routes, needs, status_of
from hub.portal.requests import dictionary_of, rounded, visible_requests
from hub.portal.risk_pages import report_of
from hub.portal.visits import CurrentVisit, Visit

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
class FilterField:
    """A filter in the form, and what it says in words."""

    group: request_filters.Group
    words: str | None


def _filter_field(visit: Visit, place: Mapping[str, Any], dictionary: Dictionary | None) -> FilterField:
    """The filter of a population or dataset: as it was just written, else as the document has it."""
    written, filter_ = place.get("where"), place.get("filter")
    group = (
        written
        if isinstance(written, request_filters.Group)
        else request_filters.show_filter(filter_, dictionary)
    )
    words = request_words.filter_in_words(filter_, visit.words, dictionary) if filter_ is not None else None
    return FilterField(group, words)


@dataclass(frozen=True)
class PopulationField:
    """One population in the form."""

    content: Mapping[str, Any]
    dictionary: Dictionary | None
    where: FilterField
    sample: Mapping[str, str]


def _population_field(visit: Visit, content: Any) -> PopulationField:
    content = content if isinstance(content, dict) else {}
    dictionary = dictionary_of(visit, str(content.get("source", "")))
    return PopulationField(
        content,
        dictionary,
        _filter_field(visit, content, dictionary),
        request_forms.sample_of(content.get("sample")),
    )


@dataclass(frozen=True)
class DatasetField:
    """One dataset in the form, with its joins through a unit that is not delivered and those there may be."""

    content: Mapping[str, Any]
    dictionary: Dictionary | None
    where: FilterField
    chosen: request_columns.ColumnsField
    through: list[request_columns.ThroughField]
    joins: list[request_columns.Join]


def _dataset_field(
    visit: Visit, content: Any, position: int, catalogue: Mapping[str, Dictionary | None]
) -> DatasetField:
    content = content if isinstance(content, dict) else {}
    dictionary = catalogue.get(str(content.get("source", "")))
    parts = [part for part in _list(content.get("through")) if isinstance(part, dict)]
    through = [
        request_columns.through_field(
            part, dictionary, catalogue.get(str(part.get("source", ""))), visit.value(f"find.{position}.{k}")
        )
        for k, part in enumerate(parts)
    ]
    joins = request_columns.joins(content, dictionary, catalogue) if dictionary is not None else []
    return DatasetField(
        content=content,
        dictionary=dictionary,
        where=_filter_field(visit, content, dictionary),
        chosen=request_columns.columns_field(content, dictionary, visit.value(f"find.{position}")),
        through=through,
        joins=joins,
    )


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
    populations = [_population_field(visit, p) for p in _list(shown["populations"])]
    datasets = [_dataset_field(visit, d, n, catalogue) for n, d in enumerate(_list(shown["datasets"]))]
    ids = _ids(problems, populations, datasets)
    errors: dict[str, list[str]] = {}
    for name, problem in zip(ids, problems, strict=True):
        errors.setdefault(name, []).append(problem.message(visit.words.language))
    return show(
        visit,
        "request_edit.html",
        status=status_of(error) if error else 200,
        here=visit.url(f"/requests/{id}/edit"),
        request=request,
        base=base,
        content=shown,
        populations=populations,
        names=[(str(p.content.get("name") or ""),) * 2 for p in populations],
        datasets=datasets,
        catalogue={name: dictionary for name, dictionary in catalogue.items() if dictionary is not None},
        operators=request_filters.OPERATORS,
        joins=request_filters.JOINS,
        deepest=request_filters.DEEPEST,
        researcher_options=sorted(
            ((p.username, f"{p.name} ({p.username})") for p in researchers), key=lambda option: option[1]
        ),
        **_options(visit, catalogue),
        errors=errors,
        problems=list(zip(ids, problems, strict=True)),
        remarks=[remark for remark in remarks if remark.version == request.version and remark.text],
        returned=request.decision_comment if request.state.value == "RETURNED" else None,
        unsaved=unsaved,
        assessment=assessment,
        report=report_of(assessment),
        rounded=rounded,
        conflict=error.message(visit.words.language) if error else None,
    )


def _ids(
    problems: tuple[Problem, ...], populations: list[PopulationField], datasets: list[DatasetField]
) -> list[str]:
    """The field of the page at which each problem is told; of a filter's part that is not in fields, the
    nearest around it."""
    known: set[str] = set()
    single: set[str] = set()
    groups = [(f"populations.{n}.where", part.where.group) for n, part in enumerate(populations)]
    groups += [(f"datasets.{n}.where", part.where.group) for n, part in enumerate(datasets)]
    for place, group in groups:
        known |= request_filters.places_of(group, place)
        single |= {place} if len(group.terms) == 1 else set()
    ids = []
    for problem in problems:
        name = request_forms.field_id(problem.field)
        while name not in known and ".terms." in name:
            name = name.rpartition(".terms.")[0]
        ids.append(f"{name}.terms.0" if name in single else name)
    return ids


def _options(visit: Visit, catalogue: Mapping[str, Dictionary | None]) -> dict[str, Any]:
    """What the form's lists offer, as pairs of value and word."""
    language = visit.words.language
    rules = visit.office.rules

    def units_of(dictionary: Dictionary | None) -> list[tuple[str, str]]:
        units = dictionary.unit_types if dictionary is not None else {}
        return [(name, unit.title[language]) for name, unit in units.items()]

    def in_order(options: list[tuple[str, str]], chosen: Any) -> list[tuple[str, str]]:
        """The options, those chosen first and as they were chosen: where the order means something, opening
        the form does not change it, and what is not on offer stays to be refused."""
        offered = {name: word for name, word in options if name}
        first = [str(name) for name in _list(chosen)]
        return [(name, offered.pop(name, name)) for name in dict.fromkeys(first)] + list(offered.items())

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
        "in_order": in_order,
    }


def edit(visit: CurrentVisit, id: str) -> Response:
    """Save, send, estimate; or add, remove and search without saving anything."""
    do = visit.value("do") or "save"
    tree = request_forms.tree_of(visit.form)
    base = visit.value("base")
    version = int(base) if base.isascii() and base.isdigit() and len(base) < 6 else 0
    if do.startswith("remove:"):
        request_forms.remove(tree, do.removeprefix("remove:"))
    if do.startswith(("add:", "group:")):
        verb, _, path = do.partition(":")
        request_filters.add_to_filter(tree, path, group=verb == "group")
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
    if where[0] != "datasets" or len(where) < 3 or not where[1].isdecimal():
        return
    rows = content.get(where[0], [])
    position = int(where[1])
    if position >= len(rows):
        return
    row = tree.get(where[0], {}).get(where[1], {})
    row = row if isinstance(row, dict) else {}
    if len(where) == 3 and where[2] == "columns":
        _add_columns(rows[position], names or request_filters.text_of(row, "add"))
    elif len(where) == 3 and where[2] == "through":
        source, _, unit = request_filters.text_of(row, "join").partition(":")
        if source and unit:
            rows[position].setdefault("through", []).append({"source": source, "unit": unit})
    elif len(where) == 5 and where[2] == "through" and where[4] == "columns":
        parts = rows[position].get("through", [])
        parted = row.get("through", {})
        typed = parted.get(where[3], {}) if isinstance(parted, dict) else {}
        if where[3].isdecimal() and int(where[3]) < len(parts) and isinstance(typed, dict):
            _add_columns(parts[int(where[3])], names or request_filters.text_of(typed, "add"))


def _add_columns(place: dict[str, Any], typed: str) -> None:
    """Variables by name, each once, at the end of those asked for."""
    known = {c if isinstance(c, str) else c.get("variable") for c in place.get("columns", [])}
    fresh = [name for name in typed.replace(",", " ").replace(";", " ").split() if name not in known]
    if fresh:
        place.setdefault("columns", []).extend(dict.fromkeys(fresh))
