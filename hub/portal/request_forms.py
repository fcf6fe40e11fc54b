"""The form of a request and its document: two ways of writing the same content.

A field's name is the path of what it holds, with dots: `datasets.0.columns.3.level`. What the form has no
fields for (nested filters, joins through an undelivered unit) stands in it as YAML and comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.actions.request_checks import NAME
from hub.documents import yaml
from hub.documents.dictionaries import Dictionary, VariableType
from hub.domain.errors import DocumentError
from hub.domain.levels import default_level

Form = Mapping[str, list[str]]
Lookup = Callable[[str], Dictionary | None]
LISTS = frozenset({"of", "units", "without", "formats"})
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "is missing", "is present")
_TEXTS = ("slug", "title", "purpose", "kind", "tier", "starts_at", "ends_at", "destroy_by", "retain_until")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")


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
        if len(path) > 6 or not values:
            continue
        place: Any = tree
        for part in path:
            place = place.setdefault(part, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict) and not isinstance(place.get(last), dict):
            place[last] = (
                [v for v in values if v] if last in LISTS else values[0].strip().replace("\r\n", "\n")
            )
    return tree


def remove(tree: dict[str, Any], path: str) -> None:
    """Take out what stands at the path, if anything does."""
    *parents, last = path.split(".")
    place: Any = tree
    for part in parents:
        place = place.get(part) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place.pop(last, None)


def _rows(tree: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The elements of a list in the form's order."""
    part = tree.get(name)
    if not isinstance(part, dict):
        return []
    found = [(int(key), row) for key, row in part.items() if key.isdecimal() and len(key) < 5]
    return [row for _, row in sorted(found, key=lambda pair: pair[0]) if isinstance(row, dict)]


def _text(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name)
    return value if isinstance(value, str) else ""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def content_of_tree(tree: Mapping[str, Any], lookup: Lookup, *, blank_rows: bool = False) -> dict[str, Any]:
    """The content in the order in which people read it; rows of which nothing is filled in are left out
    unless `blank_rows`."""
    content: dict[str, Any] = {name: _text(tree, name) for name in ("slug", "title", "purpose")}
    content["use"] = "statistical" if _text(tree, "use") == "statistical" else ""
    content["kind"] = _text(tree, "kind")
    content["legal_bases"] = _lines(_text(tree, "legal_bases"))
    content["institutions"] = [_filled(row, ("name", "country")) for row in _rows(tree, "institutions")]
    people = ("username", "institution", "expertise")
    content["people"] = [_filled(row, people) for row in _rows(tree, "people")]
    content |= {name: _text(tree, name) for name in _TEXTS[4:]}
    period = tree.get("period")
    content["period"] = _filled(period, ("first", "last")) if isinstance(period, dict) else {}
    content["populations"] = [_population(row, lookup) for row in _rows(tree, "populations")]
    content["datasets"] = [_dataset(row, lookup) for row in _rows(tree, "datasets")]
    chosen = tree.get("formats")
    content["formats"] = ["parquet", *(f for f in (chosen or []) if f != "parquet")]
    kept = content if blank_rows else {key: _without_empty(value) for key, value in content.items()}
    return {key: value for key, value in kept.items() if value not in ("", [], {})}


def _without_empty(value: Any) -> Any:
    return [part for part in value if part not in ("", [], {})] if isinstance(value, list) else value


def _filled(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: row.get(name) for name in names}
    return {name: value for name, value in found.items() if value}


def _population(row: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    content = _filled(row, ("name", "source", "unit"))
    dictionary = lookup(_text(row, "source"))
    if (filter_ := _filter(row.get("where"), dictionary)) is not None:
        content["filter"] = filter_
    if row.get("without"):
        content["without"] = row["without"]
    sample = row.get("sample")
    if isinstance(sample, dict) and _text(sample, "kind") in ("share", "count"):
        kind, size = _text(sample, "kind"), _text(sample, "size")
        content["sample"] = {kind: _share(size) if kind == "share" else _number(size)}
        content["sample"] |= _filled(sample, ("per",))
    return content


def _dataset(row: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    content = _filled(row, ("name", "source", "of"))
    dictionary = lookup(_text(row, "source"))
    members = _text(row, "members")
    content |= {"members": members} if members not in ("", "chosen") else {}
    content |= _filled(row, ("households", "by", "units", "mark"))
    if (filter_ := _filter(row.get("where"), dictionary)) is not None:
        content["filter"] = filter_
    columns = [_column(column, dictionary) for column in _rows(row, "columns")]
    content |= {"columns": kept} if (kept := [column for column in columns if column]) else {}
    if through := _text(row, "through"):
        content["through"] = _yaml_list(through)
    return content


def _column(row: Mapping[str, Any], dictionary: Dictionary | None) -> str | dict[str, str]:
    """A name alone stands for the default level."""
    variable, level, why = (_text(row, name) for name in ("variable", "level", "justification"))
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


def _number(text: str) -> int | float | str:
    plain = text.strip().replace("\u202f", "").replace("\u00a0", "")
    if _INTEGER.fullmatch(plain):
        return int(plain)
    try:
        return float(Decimal(plain.replace(",", ".")))
    except (InvalidOperation, OverflowError):
        return text


def _filter(where: object, dictionary: Dictionary | None) -> Any:
    """The rows joined by all or any; YAML, where there is some, instead of the rows."""
    if not isinstance(where, dict):
        return None
    if text := _text(where, "yaml"):
        try:
            return yaml.load(text, name=NAME).value
        except DocumentError:
            return text  # the document says that this is no filter; the person's text is kept
    terms = [_comparison(row, dictionary) for row in _rows(where, "rows") if row.get("field")]
    if len(terms) < 2:
        return terms[0] if terms else None
    return {"or" if _text(where, "join") == "or" else "and": terms}


def _comparison(row: Mapping[str, Any], dictionary: Dictionary | None) -> dict[str, Any]:
    field, operator = _text(row, "field"), _text(row, "operator")
    known = dictionary.variables.get(field) if dictionary is not None else None
    numeric = known is None or known.type in (VariableType.INTEGER, VariableType.FLOAT)
    texts = [part.strip() for part in re.split(r"[;,]", _text(row, "values")) if part.strip()]
    values: list[Any] = [_number(text) if numeric else text for text in texts]
    if known is not None and known.type is VariableType.BOOLEAN:
        values = [{"true": True, "false": False}.get(text.lower(), text) for text in texts]
    return {"field": field, "operator": operator or "=="} | ({"values": values} if values else {})


def _yaml_list(text: str) -> Any:
    try:
        indented = "\n".join(f"  {line}" for line in text.split("\n"))
        return yaml.load(f"through:\n{indented}\n", name=NAME).value["through"]
    except DocumentError:
        return text


def where_of(filter_: Any) -> dict[str, Any]:
    """A filter as the form shows it: rows where they can say it, else YAML."""
    empty: dict[str, Any] = {"join": "and", "rows": [], "yaml": ""}
    if filter_ is None:
        return empty
    if isinstance(filter_, str):
        return empty | {"yaml": filter_}
    for join in ("and", "or"):
        terms = filter_.get(join) if isinstance(filter_, dict) and set(filter_) == {join} else None
        if isinstance(terms, list) and terms and all(_simple(term) for term in terms):
            return empty | {"join": join, "rows": [_row(term) for term in terms]}
    if _simple(filter_):
        return empty | {"rows": [_row(filter_)]}
    return empty | {"yaml": yaml.dump(filter_).rstrip("\n")}


def _simple(term: Any) -> bool:
    return isinstance(term, dict) and "field" in term and set(term) <= {"field", "operator", "values"}


def _row(term: Mapping[str, Any]) -> dict[str, str]:
    values = term.get("values")
    texts = [_value(value) for value in values] if isinstance(values, list) else []
    return {
        "field": str(term["field"]),
        "operator": str(term.get("operator", "==")),
        "values": "; ".join(texts),
    }


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
    plain = re.sub(r"\.filter\b.*", ".where", plain)
    return re.sub(r"\.through\b.*", ".through", plain)
