"""What keeps a request from being sent: its form, and what people, dictionaries and policies say of it.

Everything that is wrong is named at once, each with its field; a draft may have any number of problems.
The extraction judges the same again, and more, with the data beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from hub.actions.ports import Catalogue, Rules, Unit
from hub.documents import yaml
from hub.documents.base import parse_all
from hub.documents.dictionaries import Dictionary
from hub.documents.filters import Comparison
from hub.documents.requests import RequestDocument
from hub.domain.errors import DocumentError, Refused
from hub.domain.levels import FINE_TO_COARSE, Level, choose_level, default_level
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import Role
from hub.extraction.filtering import check_filter
from hub.extraction.linkages import linked_unit
from hub.extraction.soundness import refusals

NAME = "request.yaml"
LONGEST = 200_000  # characters of a request's text


@dataclass(frozen=True)
class Problem:
    """Something that must be mended before the request is sent. `field` is a path in the document."""

    code: str
    field: str
    en: str
    fr: str

    def message(self, language: str) -> str:
        return self.fr if language.startswith("fr") else self.en

    def plain(self) -> dict[str, object]:
        """As it is stored."""
        return {"code": self.code, "field": self.field, "en": self.en, "fr": self.fr}


@dataclass(frozen=True)
class Judgement:
    """`document` is there when the form is right; the request can be sent when `problems` is empty too."""

    content: Mapping[str, Any]
    document: RequestDocument | None
    problems: tuple[Problem, ...]
    digest: str


@dataclass(frozen=True)
class AskedColumn:
    """One variable of a dataset, at a level. `about` is `<dataset>.<variable>`; `path` its place."""

    about: str
    dataset: str
    source: str
    variable: str
    level: str | None
    justification: str
    path: str


def judge(
    text: str, *, unit: Unit, rules: Rules, catalogue: Catalogue, now: datetime, request: str | None = None
) -> Judgement:
    """Read and judge a request's text; DocumentError where it is no YAML, Refused `too_long`.

    `request` is the id of the request that the text belongs to, whose own project may have its name.
    """
    if len(text) > LONGEST:
        raise Refused("too_long", "The request is too long.", "La demande est trop longue.", field="document")
    document, refusals = parse_all(RequestDocument, text, name=NAME)
    content = yaml.load(text, name=NAME).value
    dictionaries: dict[str, Dictionary | None] = {}
    told = list(_sources(content, catalogue, dictionaries))
    empty = {problem.field for problem in told if problem.code == "empty_group"}
    problems = _without_echoes([_of_form(refusal) for refusal in refusals])
    problems = [problem for problem in problems if problem.field not in empty]
    problems += _people(content, unit)
    problems += _office(content, unit, rules, now, request)
    problems += told
    problems += _open_only(content, rules, dictionaries)
    problems += [] if told else _undeliverable(document, dictionaries)
    digest = document.digest if document is not None else hashlib.sha256(text.encode()).hexdigest()
    return Judgement(content, document, tuple(dict.fromkeys(problems)), digest)


def _of_form(error: DocumentError) -> Problem:
    """A refusal of the form, without the place in a file that the person may never have seen."""
    where = error.file if error.line is None else f"{error.file}:{error.line}"
    en, fr = error.en.removeprefix(f"{where}: "), error.fr.removeprefix(f"{where} : ")
    if error.code == "missing_key":
        en, fr = "This is missing.", "Cette indication manque."
    if not error.key:  # a rule about several fields: the sentence names them itself
        en, fr = en.removeprefix("“”: "), fr.removeprefix("«  » : ")
    if ".filter" in (error.key or ""):  # told beside the condition that it is about
        en, fr = en.removeprefix(f"“{error.key}”: "), fr.removeprefix(f"« {error.key} » : ")
    return Problem(error.code, error.key or "", en, fr)


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """A list is also said to be too short when what is in it is wrong: only the latter is told."""
    inside = {problem.field.rpartition("[")[0] for problem in problems if "[" in problem.field}
    inside |= {field.partition("[")[0] for field in inside}
    return [p for p in problems if p.code != "bad_value" or p.field not in inside]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _people(content: Mapping[str, Any], unit: Unit) -> Iterator[Problem]:
    for position, applicant in enumerate(_list(content.get("people"))):
        username = applicant.get("username") if isinstance(applicant, dict) else None
        if not isinstance(username, str):
            continue
        person = unit.people.get(username)
        if person is None or Role.RESEARCHER not in person.roles or person.state is not PersonState.ACTIVE:
            yield Problem(
                "unknown_person",
                f"people[{position}].username",
                f"“{username}” is not an active researcher known to the data-access unit.",
                f"« {username} » n’est pas connue de l’unité comme personne de recherche active.",
            )


def _office(
    content: Mapping[str, Any], unit: Unit, rules: Rules, now: datetime, request: str | None
) -> Iterator[Problem]:
    kind, tier, slug = content.get("kind"), content.get("tier"), content.get("slug")
    if isinstance(kind, str) and kind not in rules.conditions.kinds:
        yield Problem(
            "unknown_kind",
            "kind",
            f"There is no kind of request “{kind}”.",
            f"Il n’y a pas de type de demande « {kind} ».",
        )
    if isinstance(tier, str) and (tier not in rules.tiers or not rules.tiers[tier].available):
        yield Problem(
            "unknown_tier",
            "tier",
            f"The display “{tier}” is not available here.",
            f"L’affichage « {tier} » n’est pas disponible ici.",
        )
    taken = unit.projects.get(slug) if isinstance(slug, str) else None
    if taken is not None and (request is None or taken.request != request):
        yield Problem(
            "duplicate_slug",
            "slug",
            "There is already a project with this short name.",
            "Un projet porte déjà ce nom court.",
        )
    kept = None if request is None else unit.requests.get(request)
    if isinstance(slug, str) and kept is not None and kept.project not in (None, slug):
        yield Problem(
            "slug_fixed",
            "slug",
            f"The project of this request exists already: keep its short name “{kept.project}”.",
            f"Le projet de cette demande existe déjà : gardez son nom court « {kept.project} ».",
        )
    ends_at = content.get("ends_at")
    if isinstance(ends_at, str) and len(ends_at) == 10 and ends_at < now.date().isoformat():
        yield Problem(
            "end_in_past",
            "ends_at",
            f"The project would end on {ends_at}, which is past: nothing could be delivered. Choose a day to "
            "come for ends_at, and for destroy_by that day or a later one.",
            f"Le projet prendrait fin le {ends_at}, date déjà passée : rien ne pourrait être remis. "
            "Choisissez pour ends_at un jour à venir et pour destroy_by ce jour ou un jour postérieur.",
        )


def _sources(
    content: Mapping[str, Any], catalogue: Catalogue, known: dict[str, Dictionary | None]
) -> Iterator[Problem]:
    """What the dictionaries say: sources, unit types, filters, columns and levels."""

    def dictionary(place: object, field: str, key: str = "source") -> Iterator[Problem]:
        name = place.get(key) if isinstance(place, dict) else None
        if not isinstance(name, str) or name in known:
            pass
        else:
            try:
                known[name] = catalogue.read(name)
            except Refused:
                known[name] = None
        if isinstance(name, str) and known[name] is None:
            yield Problem(
                "unknown_source",
                f"{field}.{key}",
                f"The source “{name}” has no public dictionary.",
                f"La source « {name} » n’a pas de dictionnaire public.",
            )

    for position, population in enumerate(_list(content.get("populations"))):
        field = f"populations[{position}]"
        yield from dictionary(population, field)
        yield from _population(population, field, known)
    for position, dataset in enumerate(_list(content.get("datasets"))):
        field = f"datasets[{position}]"
        yield from dictionary(dataset, field)
        yield from dictionary(dataset, field, "households")
        for number, part in enumerate(_list(dataset.get("through")) if isinstance(dataset, dict) else ()):
            yield from dictionary(part, f"{field}.through[{number}]")
        yield from _dataset(dataset, field, known)
    for column in asked_columns(content):
        source = known.get(column.source)
        if source is not None:
            yield from _column(column, source)


def _open_only(
    content: Mapping[str, Any], rules: Rules, known: Mapping[str, Dictionary | None]
) -> Iterator[Problem]:
    """A kind for open data is for sources that anyone may have."""
    kind = rules.conditions.kinds.get(str(content.get("kind")))
    if kind is None or not kind.open_data:
        return
    for name, source in known.items():
        if source is not None and source.access != "open":
            yield Problem(
                "not_open",
                "kind",
                f"The source “{name}” is not open data: this kind of request is not for it.",
                f"La source « {name} » n’est pas une donnée ouverte : ce type de demande ne convient pas.",
            )


def _undeliverable(
    document: RequestDocument | None, known: Mapping[str, Dictionary | None]
) -> Iterator[Problem]:
    """What the extraction would refuse when it plans, of a document whose names are all in dictionaries:
    months that a source lacks, units without a link."""
    found = {name: source for name, source in known.items() if source is not None}
    if document is not None:
        for refused in refusals(document, found):
            yield Problem(refused.code, refused.field or "", refused.en, refused.fr)


def _unit_of(place: Mapping[str, Any], key: str) -> list[str]:
    value = place.get(key)
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def _population(population: object, field: str, known: Mapping[str, Dictionary | None]) -> Iterator[Problem]:
    if not isinstance(population, dict):
        return
    source = known.get(str(population.get("source")))
    if source is None:
        return
    yield from _units(population, field, "unit", source)
    yield from _filter(population.get("filter"), f"{field}.filter", source)
    sample = population.get("sample")
    per = sample.get("per") if isinstance(sample, dict) else None
    if isinstance(per, str):
        yield from _named(per, f"{field}.sample.per", source)


def _dataset(dataset: object, field: str, known: Mapping[str, Dictionary | None]) -> Iterator[Problem]:
    if not isinstance(dataset, dict):
        return
    source = known.get(str(dataset.get("source")))
    if source is not None:
        yield from _units(dataset, field, "units", source)
        yield from _filter(dataset.get("filter"), f"{field}.filter", source)
    yield from _through(dataset.get("through"), dataset, f"{field}.through", known)


def _units(place: Mapping[str, Any], field: str, key: str, source: Dictionary) -> Iterator[Problem]:
    for name in _unit_of(place, key):
        if name not in source.unit_types:
            offered = ", ".join(source.unit_types)
            yield Problem(
                "unknown_unit",
                f"{field}.{key}",
                f"“{source.name}” has no unit “{name}”, but: {offered}.",
                f"« {source.name} » n’a pas d’unité « {name} », mais : {offered}.",
            )


def _through(
    parts: object, dataset: Mapping[str, Any], field: str, known: Mapping[str, Dictionary | None]
) -> Iterator[Problem]:
    """A unit by which something is joined is one of both sources, and is not delivered itself."""
    near = known.get(str(dataset.get("source")))
    for position, part in enumerate(_list(parts)):
        if not isinstance(part, dict) or near is None or not isinstance(part.get("unit"), str):
            continue
        unit, where = part["unit"], f"{field}[{position}].unit"
        unknown = list(_units(part, f"{field}[{position}]", "unit", near))
        yield from unknown
        if unit in _unit_of(dataset, "units"):
            yield Problem(
                "unit_delivered",
                where,
                f"“{unit}” is delivered itself: its attributes would tell which one it is.",
                f"« {unit} » est remise elle-même : ses attributs diraient de laquelle il s’agit.",
            )
        far = known.get(str(part.get("source")))
        if far is not None and not unknown:
            yield from _refusal(partial(linked_unit, far, near, unit, field=where))


def _refusal(judge_it: Callable[[], object]) -> Iterator[Problem]:
    """What the extraction would refuse, as a problem."""
    try:
        judge_it()
    except Refused as refused:
        yield Problem(refused.code, refused.field or "", refused.en, refused.fr)


def _filter(condition: object, field: str, source: Dictionary) -> Iterator[Problem]:
    if not isinstance(condition, dict):
        return
    for word in ("and", "or"):
        if condition.get(word) == []:
            yield Problem(
                "empty_group",
                f"{field}.{word}",
                "This group of conditions is empty: add a condition to it or remove it.",
                "Ce groupe de conditions est vide : ajoutez-y une condition ou enlevez-le.",
            )
        for position, term in enumerate(_list(condition.get(word))):
            yield from _filter(term, f"{field}.{word}[{position}]", source)
    if "not" in condition:
        yield from _filter(condition["not"], f"{field}.not", source)
    if isinstance(condition.get("field"), str):
        found = list(_named(condition["field"], f"{field}.field", source))
        yield from found or _comparison(condition, field, source)


def _comparison(condition: Mapping[str, Any], field: str, source: Dictionary) -> Iterator[Problem]:
    """Whether the operator suits the variable and the values are of its type and among its codes."""
    try:
        comparison = Comparison.model_validate_json(json.dumps(condition), by_alias=True, by_name=False)
    except ValidationError:
        return  # the form has said so
    yield from _refusal(partial(check_filter, comparison, source, path=field))


def _named(name: str, field: str, source: Dictionary) -> Iterator[Problem]:
    """A variable that may be filtered on: it exists and identifies nobody directly."""
    variable = source.variables.get(name)
    if not name:
        yield Problem("no_variable", field, "Choose a variable.", "Choisissez une variable.")
    elif variable is None:
        yield Problem(
            "unknown_column",
            field,
            f"“{source.name}” has no variable “{name}”.",
            f"« {source.name} » n’a pas de variable « {name} ».",
        )
    elif not variable.deliverable:
        yield Problem(
            "direct_identifier",
            field,
            f"“{name}” identifies units directly: nothing can be chosen by it.",
            f"« {name} » identifie directement les unités : on ne peut rien choisir selon elle.",
        )


def _column(column: AskedColumn, source: Dictionary) -> Iterator[Problem]:
    variable = source.variables.get(column.variable)
    if variable is None or not variable.deliverable:
        yield Problem(
            "unknown_column",
            column.path,
            f"“{source.name}” has no variable “{column.variable}” that may be delivered.",
            f"« {source.name} » n’a pas de variable « {column.variable} » qui puisse être remise.",
        )
        return
    if column.level is not None and column.level not in set(FINE_TO_COARSE):
        return  # the form has said so
    asked = None if column.level is None else Level(column.level)
    try:
        choose_level(
            list(variable.offered), asked, column.justification, name=column.variable, field=column.path
        )
    except Refused as refused:
        yield Problem(refused.code, refused.field or column.path, refused.en, refused.fr)


def asked_columns(content: Mapping[str, Any]) -> Iterator[AskedColumn]:
    """Every variable asked for, in the document's order, as far as the content is readable."""
    for position, dataset in enumerate(_list(content.get("datasets"))):
        if not isinstance(dataset, dict):
            continue
        parts = [(dataset, f"datasets[{position}]")]
        parts += [
            (part, f"datasets[{position}].through[{number}]")
            for number, part in enumerate(_list(dataset.get("through")))
            if isinstance(part, dict)
        ]
        for part, field in parts:
            for number, column in enumerate(_list(part.get("columns"))):
                asked = column if isinstance(column, dict) else {"variable": column}
                level = asked.get("level")
                yield AskedColumn(
                    about=f"{dataset.get('name', '')}.{asked.get('variable', '')}",
                    dataset=str(dataset.get("name", "")),
                    source=str(part.get("source", "")),
                    variable=str(asked.get("variable", "")),
                    level=level if isinstance(level, str) else None,
                    justification=str(asked.get("justification") or ""),
                    path=f"{field}.columns[{number}]",
                )


def is_finer(offered: list[Level], level: str | None) -> bool:
    """Whether `level` is finer than what a dictionary gives by default."""
    if level is None or level not in set(FINE_TO_COARSE) or not offered:
        return False
    return FINE_TO_COARSE.index(Level(level)) < FINE_TO_COARSE.index(default_level(offered))
