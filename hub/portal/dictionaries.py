"""The public data dictionary: pages and exports that anyone may read before having access."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hub.documents.dictionaries import Dictionary, UnitType, Variable
from hub.documents.exports import dcat, ddi_codebook, table_schema
from hub.domain.errors import IntegrityError
from hub.portal import languages
from hub.portal.pages import Part, page_number, show_plain
from hub.portal.permissions import PUBLIC, Routes
from hub.portal.ports import Portal
from hub.portal.searching import LONGEST, find

_SEVERAL_LANGUAGES = {"Vary": "Accept-Language, Cookie"}


@dataclass(frozen=True)
class Found:
    """A variable that a search came upon."""

    dictionary: Dictionary
    name: str
    variable: Variable


@dataclass(frozen=True)
class Link:
    """A unit type of a source, and the names of other sources with numbers of the same register."""

    name: str
    unit: UnitType
    others: list[str]


def register(routes: Routes) -> None:
    portal = routes.portal
    p = f"{portal.prefix}/dictionary"

    def show_all(request: Request) -> Response:
        return show_sources(request, portal)

    def show_one(request: Request, source: str) -> Response:
        return show_source(request, portal, source)

    routes.add("GET", p, PUBLIC, show_all)
    routes.add("GET", f"{p}/{{source}}", PUBLIC, show_one)
    routes.add("GET", f"{p}/{{source}}/table-schema.json", PUBLIC, _export(portal, _table_schema))
    routes.add("GET", f"{p}/{{source}}/ddi.xml", PUBLIC, _export(portal, _ddi))
    routes.add("GET", f"{p}/{{source}}/dcat.jsonld", PUBLIC, _export(portal, _dcat))


def searched(request: Request) -> str:
    """What was searched for, as the page repeats it."""
    return " ".join(request.query_params.get("q", "")[:LONGEST].split())


def show_sources(request: Request, portal: Portal) -> Response:
    """All sources, or the variables of all sources in which the words occur."""
    words = searched(request)
    readable, damaged = _published(portal)
    found = [
        Found(dictionary, name, variable)
        for dictionary in readable
        for name, variable in (find(dictionary, words).items() if words else ())
    ]
    part = Part(len(found), page_number(request))
    language = languages.choose(request)
    return show_plain(
        request,
        portal,
        "dictionary.html",
        public=True,
        words=words,
        dictionaries=readable,
        damaged=[error.message(language) for error in damaged],
        found=found[part.first : part.last],
        part=part,
        direct_count=direct_count,
    )


def _published(portal: Portal) -> tuple[list[Dictionary], list[IntegrityError]]:
    """Every public dictionary, and why others cannot be shown: one bad file does not hide the rest."""
    readable, damaged = [], []
    for name in portal.catalogue.names():
        try:
            readable.append(portal.catalogue.read(name))
        except IntegrityError as error:
            damaged.append(error)
    return readable, damaged


def direct_count(variables: Iterable[Variable]) -> int:
    """How many of them are never delivered."""
    return sum(not variable.deliverable for variable in variables)


def show_source(request: Request, portal: Portal, source: str) -> Response:
    """One source with its variables, or those in which the words occur."""
    dictionary = portal.catalogue.read(source)
    words = searched(request)
    shown: Mapping[str, Variable] = find(dictionary, words)
    return show_plain(
        request,
        portal,
        "dictionary_source.html",
        public=True,
        words=words,
        dictionary=dictionary,
        shown=shown,
        direct=direct_count(dictionary.variables.values()),
        links=_links(portal, dictionary),
        schemes=portal.schemes,
    )


def _links(portal: Portal, dictionary: Dictionary) -> list[Link]:
    """Every unit type with the other public sources that can be linked by it."""
    others = [other for other in _published(portal)[0] if other.name != dictionary.name]
    return [
        Link(
            name,
            unit,
            [other.name for other in others if _names_register(other, unit.registry)],
        )
        for name, unit in dictionary.unit_types.items()
    ]


def _names_register(dictionary: Dictionary, registry: str | None) -> bool:
    return registry is not None and any(unit.registry == registry for unit in dictionary.unit_types.values())


def _export(
    portal: Portal, write: Callable[[Request, Portal, Dictionary], Response]
) -> Callable[[Request, str], Response]:
    def answer(request: Request, source: str) -> Response:
        return write(request, portal, portal.catalogue.read(source))

    return answer


def _page(portal: Portal, dictionary: Dictionary) -> str:
    return f"{portal.public_url}{portal.prefix}/dictionary/{dictionary.name}"


def _json(content: object, kind: str, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    return Response(body, media_type=kind, headers=headers)


def _table_schema(request: Request, portal: Portal, dictionary: Dictionary) -> Response:  # noqa: ARG001
    labels = languages.choose_labels(request)
    language = labels if labels in dictionary.title.translations() else languages.choose(request)
    headers = {**_SEVERAL_LANGUAGES, "Content-Language": language}
    return _json(table_schema(dictionary, language), "application/json", headers)


def _ddi(request: Request, portal: Portal, dictionary: Dictionary) -> Response:  # noqa: ARG001
    return Response(ddi_codebook(dictionary, page=_page(portal, dictionary)), media_type="application/xml")


def _dcat(request: Request, portal: Portal, dictionary: Dictionary) -> Response:  # noqa: ARG001
    return _json(dcat(dictionary, page=_page(portal, dictionary)), "application/ld+json")
