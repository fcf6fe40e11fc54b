"""The form of a request and its document: two ways of writing the same content.

A field's name is the path of what it holds, with dots: `datasets.0.columns.3.level`. What the form has no
fields for stands in it as YAML and comes back as it was (hub.portal.request_filters).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.documents.dictionaries import Dictionary
from hub.domain.levels import default_level
from hub.portal.request_filters import field_of_filter, filter_of, read_number, read_where, rows, text_of

Form = Mapping[str, list[str]]
Lookup = Callable[[str], Dictionary | None]
LISTS = frozenset({"of", "units", "without", "formats"})
_TEXTS = ("slug", "title", "purpose", "kind", "tier", "starts_at", "ends_at", "destroy_by", "retain_until")
_LONGEST = 10  # parts of a name: datasets.0.where.terms.0.terms.1.terms.2.field


class Shown(dict[str, Any]):
    """A content as pages read it: what is not there is None, at every depth."""

    def __missing__(self, key: str) -> None:
        return None


def shown(value: Any) -> Any:
    """The value with every mapping in it a `Shown`."""
    if isinstance(value, dict):
        return Shown({key: shown(part) for key, part in value.items()})
    return [shown(part) for part in value] if isinstance(value, list) else value


def read_form(form: Form, lookup: Lookup) -> dict[str, Any]:
    """The content that the form holds; what is empty is left out."""
    return content_of_tree(tree_of(form), lookup)


def tree_of(form: Form) -> dict[str, Any]:
    """The fields as nested mappings by the parts of their names."""
    tree: dict[str, Any] = {}
    for name, values in form.items():
        *path, last = name.split(".")
        if len(path) >= _LONGEST or not values:
            continue
        place: Any = tree
        for part in path:
            place = place.setdefault(part, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict) and not isinstance(place.get(last), dict):
            place[last] = [v for v in values if v] if last in LISTS else _text(last, values[0])
    return tree


def _text(name: str, value: str) -> str:
    """A field's text; of YAML the blanks are kept, which may end a value."""
    text = value.replace("\r\n", "\n")
    return text.strip("\n") if name == "yaml" else text.strip()


def remove(tree: dict[str, Any], path: str) -> None:
    """Take out what stands at the path, if anything does."""
    *parents, last = path.split(".")
    place: Any = tree
    for part in parents:
        place = place.get(part) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place.pop(last, None)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def content_of_tree(tree: Mapping[str, Any], lookup: Lookup, *, blank_rows: bool = False) -> dict[str, Any]:
    """The content in the order in which people read it; rows of which nothing is filled in are left out
    unless `blank_rows`: then it is for the page alone, and holds each filter as written too (`where`)."""
    content: dict[str, Any] = {name: text_of(tree, name) for name in ("slug", "title", "purpose")}
    content["use"] = "statistical" if text_of(tree, "use") == "statistical" else ""
    content["kind"] = text_of(tree, "kind")
    content["legal_bases"] = _lines(text_of(tree, "legal_bases"))
    content["institutions"] = [_filled(row, ("name", "country")) for row in rows(tree, "institutions")]
    people = ("username", "institution", "expertise")
    content["people"] = [_filled(row, people) for row in rows(tree, "people")]
    content |= {name: text_of(tree, name) for name in _TEXTS[4:]}
    period = tree.get("period")
    content["period"] = _filled(period, ("first", "last")) if isinstance(period, dict) else {}
    shows = blank_rows
    content["populations"] = [_population(row, lookup, shows=shows) for row in rows(tree, "populations")]
    content["datasets"] = [_dataset(row, lookup, shows=shows) for row in rows(tree, "datasets")]
    chosen = tree.get("formats")
    content["formats"] = ["parquet", *(f for f in (chosen or []) if f != "parquet")]
    kept = content if blank_rows else {key: _without_empty(value) for key, value in content.items()}
    return {key: value for key, value in kept.items() if value not in ("", [], {})}


def _without_empty(value: Any) -> Any:
    return [part for part in value if part not in ("", [], {})] if isinstance(value, list) else value


def _filled(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: row.get(name) for name in names}
    return {name: value for name, value in found.items() if value}


def _population(row: Mapping[str, Any], lookup: Lookup, *, shows: bool) -> dict[str, Any]:
    content = _filled(row, ("name", "source", "unit"))
    content |= _filter(row, lookup(text_of(row, "source")), shows=shows)
    if row.get("without"):
        content["without"] = row["without"]
    sample = row.get("sample")
    if isinstance(sample, dict) and text_of(sample, "kind") in ("share", "count"):
        kind, size = text_of(sample, "kind"), text_of(sample, "size")
        content["sample"] = {kind: _share(size) if kind == "share" else read_number(size)}
        content["sample"] |= _filled(sample, ("per",))
    return content


def _filter(row: Mapping[str, Any], dictionary: Dictionary | None, *, shows: bool) -> dict[str, Any]:
    where = read_where(row.get("where"))
    found = filter_of(where, dictionary)
    return ({} if found is None else {"filter": found}) | ({"where": where} if shows else {})


def _dataset(row: Mapping[str, Any], lookup: Lookup, *, shows: bool) -> dict[str, Any]:
    content = _filled(row, ("name", "source", "of"))
    dictionary = lookup(text_of(row, "source"))
    members = text_of(row, "members")
    content |= {"members": members} if members not in ("", "chosen") else {}
    content |= _filled(row, ("households", "by", "units", "mark"))
    content |= _filter(row, dictionary, shows=shows)
    content |= _columns(row, dictionary)
    if parts := [_through(part, lookup) for part in rows(row, "through")]:
        content["through"] = parts
    return content


def _through(row: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    return _filled(row, ("source", "unit")) | _columns(row, lookup(text_of(row, "source")))


def _columns(row: Mapping[str, Any], dictionary: Dictionary | None) -> dict[str, Any]:
    columns = [_column(column, dictionary) for column in rows(row, "columns")]
    return {"columns": kept} if (kept := [column for column in columns if column]) else {}


def _column(row: Mapping[str, Any], dictionary: Dictionary | None) -> str | dict[str, str]:
    """A name alone stands for the default level."""
    variable, level, why = (text_of(row, name) for name in ("variable", "level", "justification"))
    known = dictionary.variables.get(variable) if dictionary is not None else None
    if known is not None and level and level == default_level(list(known.offered)):
        level = ""
    found = {"variable": variable, "level": level, "justification": why}
    found = {name: text for name, text in found.items() if text}
    return variable if set(found) <= {"variable"} else found


def _share(text: str) -> float | str:
    """Per cent as a share; text that is no number stays as it is, for the document to refuse."""
    try:
        return float(Decimal(text.replace(",", ".").rstrip("% \u00a0")) / 100)
    except InvalidOperation:
        return text


def sample_of(sample: Any) -> dict[str, str]:
    """A sample as the form shows it: a share in per cent."""
    empty = {"kind": "", "size": "", "per": ""}
    if not isinstance(sample, dict):
        return empty
    per = str(sample.get("per") or "")
    if "share" in sample:
        share = sample["share"]
        size = (
            f"{(Decimal(str(share)) * 100).normalize():f}" if isinstance(share, int | float) else str(share)
        )
        return {"kind": "share", "size": size, "per": per}
    return {"kind": "count", "size": str(sample.get("count", "")), "per": per} if "count" in sample else empty


def field_id(field: str) -> str:
    """The name of the form's field for a path of the document: `datasets[0].columns[1].level`."""
    plain = re.sub(r"\[(\d+)\]", r".\1", field)
    place, found, inside = plain.partition(".filter")
    return f"{place}.{field_of_filter(inside)}" if found else plain
