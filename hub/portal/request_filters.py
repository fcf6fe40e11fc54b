"""A filter in the form: groups of conditions, each of which may be negated.

    where.join                   all, any, not all or none of the terms
    where.terms.0.field          a condition: field, operator, values, not
    where.terms.1.join           a group within the group, with terms of its own
    where.terms.2.yaml           what the fields cannot say (a fourth level, a double negation, a value that
                                 would be read as another): it stands there as YAML and is kept

A filter is shown in fields only where these fields, read back, give the same filter: nothing is lost by
opening a request in the form and saving it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from hub.actions.request_checks import NAME
from hub.documents import yaml
from hub.documents.dictionaries import Dictionary, VariableType
from hub.domain.errors import DocumentError

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "is missing", "is present")
JOINS = ("and", "or", "not or", "not and")  # all, any, none, not all
DEEPEST = 3  # groups within groups
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_PATH = re.compile(r"(populations|datasets)\.([0-9]{1,4})\.where((?:\.terms\.[0-9]{1,4}){0,2})")


@dataclass(frozen=True)
class Condition:
    """One variable against values, as written in the form's fields."""

    field: str = ""
    operator: str = "=="
    values: str = ""
    negated: bool = False
    kind: ClassVar[str] = "condition"

    @property
    def blank(self) -> bool:
        """Nothing was written in it yet."""
        return not self.field and not self.values


@dataclass(frozen=True)
class Kept:
    """A part of a filter as YAML, or a text that is none."""

    yaml: str
    kind: ClassVar[str] = "kept"


@dataclass(frozen=True)
class Group:
    """Terms joined by one of JOINS. `explicit`: a group in the document even with a single term, which the
    whole filter is otherwise not."""

    join: str = "and"
    terms: tuple[Condition | Group | Kept, ...] = ()
    explicit: bool = False
    kind: ClassVar[str] = "group"


Node = Condition | Group | Kept


def read_where(where: object, *, depth: int = 1) -> Group:
    """The group that the form's fields hold."""
    if not isinstance(where, dict):
        return Group()
    join = where.get("join")
    return Group(
        join if join in JOINS else "and",
        tuple(_read_node(row, depth) for row in rows(where, "terms")),
        explicit=where.get("group") == "1",
    )


def rows(tree: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The elements of a list in the form's order."""
    part = tree.get(name)
    if not isinstance(part, dict):
        return []
    found = [(int(key), row) for key, row in part.items() if key.isdecimal() and len(key) < 5]
    return [row for _, row in sorted(found, key=lambda pair: pair[0]) if isinstance(row, dict)]


def text_of(tree: Mapping[str, Any], name: str) -> str:
    """A field's text; empty where there is none."""
    value = tree.get(name)
    return value if isinstance(value, str) else ""


def _read_node(row: Mapping[str, Any], depth: int) -> Node:
    if "yaml" in row:
        return Kept(text_of(row, "yaml"))
    if ("join" in row or "terms" in row) and depth < DEEPEST:
        return read_where(row, depth=depth + 1)
    return Condition(
        text_of(row, "field"),
        text_of(row, "operator") or "==",
        text_of(row, "values"),
        negated=row.get("not") == "1",
    )


def filter_of(where: Group, dictionary: Dictionary | None) -> Any:
    """The filter that a whole form's group says; None where it says nothing. Conditions in which nothing is
    written count for nothing; a group within that has none left stays, for the document to refuse."""
    terms = _terms(where, dictionary)
    if not terms:
        return None
    single = terms[0] if len(terms) == 1 and not where.explicit else {_word(where): terms}
    return _negated(single, negated=where.join.startswith("not"))


def _terms(group: Group, dictionary: Dictionary | None) -> list[Any]:
    found = [_document(node, dictionary) for node in group.terms]
    return [term for term in found if term is not None]


def _word(group: Group) -> str:
    return group.join.removeprefix("not ")


def _negated(document: Any, *, negated: bool) -> Any:
    return {"not": document} if negated else document


def _document(node: Node, dictionary: Dictionary | None) -> Any:
    if isinstance(node, Kept):
        return _loaded(node.yaml)
    if isinstance(node, Group):
        group = {_word(node): _terms(node, dictionary)}
        return _negated(group, negated=node.join.startswith("not"))
    if node.blank:
        return None
    values = read_values(node.values, node.field, dictionary)
    plain = {"field": node.field, "operator": node.operator} | ({"values": values} if values else {})
    return _negated(plain, negated=node.negated)


def _loaded(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return yaml.load(text, name=NAME).value
    except DocumentError:
        return text  # the document says that this is no filter; the person's text is kept


def show_filter(filter_: Any, dictionary: Dictionary | None) -> Group:
    """A filter as the form shows it."""
    if filter_ is None:
        return Group()
    negated, inner = _split(filter_)
    if isinstance(terms := _terms_of(inner), list):
        word = next(iter(inner))
        nodes = tuple(_node(term, dictionary, 2) for term in terms)
        shown = Group(f"not {word}" if negated else word, nodes, explicit=len(terms) == 1)
    elif negated and _split(inner)[0]:
        shown = Group("not and", (_node(inner, dictionary, 2),))
    else:
        shown = Group("and", (_node(filter_, dictionary, 2),))
    return shown if _same(filter_of(shown, dictionary), filter_) else Group("and", (_kept(filter_),))


def _node(term: Any, dictionary: Dictionary | None, depth: int) -> Node:
    """The term in fields, if these say the same; else as it stands. `depth`: of the group it would be."""
    negated, inner = _split(term)
    node: Node | None = None
    if isinstance(inner, dict) and "field" in inner:
        node = _condition(inner, negated=negated)
    elif isinstance(terms := _terms_of(inner), list) and depth <= DEEPEST:
        word = next(iter(inner))
        nodes = tuple(_node(part, dictionary, depth + 1) for part in terms)
        node = Group(f"not {word}" if negated else word, nodes)
    return node if node is not None and _same(_document(node, dictionary), term) else _kept(term)


def _split(term: Any) -> tuple[bool, Any]:
    """Whether a term is a negation, and what it negates (or the term itself)."""
    if isinstance(term, dict) and set(term) == {"not"}:
        return True, term["not"]
    return False, term


def _terms_of(document: Any) -> Any:
    """The terms of a group; None for anything else."""
    if isinstance(document, dict) and set(document) in ({"and"}, {"or"}):
        return next(iter(document.values()))
    return None


def _condition(term: Mapping[str, Any], *, negated: bool) -> Condition:
    values = term.get("values")
    texts = [_text(value) for value in values] if isinstance(values, list) else []
    return Condition(str(term["field"]), str(term.get("operator", "==")), "; ".join(texts), negated)


def _kept(term: Any) -> Kept:
    return Kept(term if isinstance(term, str) else yaml.dump(term).rstrip("\n"))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same(one: Any, two: Any) -> bool:
    """Whether two contents are one document: 1, 1.0 and true differ; values that there are none of may be
    left out."""
    return json.dumps(_tidy(one), sort_keys=True) == json.dumps(_tidy(two), sort_keys=True)


def _tidy(content: Any) -> Any:
    if isinstance(content, dict):
        return {k: _tidy(v) for k, v in content.items() if not (k == "values" and v == [])}
    return [_tidy(part) for part in content] if isinstance(content, list) else content


def read_values(text: str, field: str, dictionary: Dictionary | None) -> list[Any]:
    """What stands between semicolons, as the variable's type has it. A comma separates too, except inside a
    number that may have decimals."""
    known = dictionary.variables.get(field) if dictionary is not None else None
    kind = known.type if known is not None else VariableType.FLOAT
    separator = r";|,\s+" if kind is VariableType.FLOAT else r"[;,]"
    texts = [part.strip() for part in re.split(separator, text) if part.strip()]
    if kind is VariableType.BOOLEAN:
        return [{"true": True, "false": False}.get(part.lower(), part) for part in texts]
    numeric = kind in (VariableType.INTEGER, VariableType.FLOAT)
    return [read_number(part) for part in texts] if numeric else list(texts)


def read_number(text: str) -> int | float | str:
    """A number, whole if written so, with a comma or a point; text that is none stays as it is."""
    plain = text.strip().replace("\u202f", "").replace("\u00a0", "")
    if _INTEGER.fullmatch(plain):
        return int(plain)
    try:
        number = Decimal(plain.replace(",", "."))
        return float(number) if number.is_finite() and abs(number) < Decimal("1e300") else text
    except (InvalidOperation, OverflowError):
        return text


def add_to_filter(tree: dict[str, Any], path: str, *, group: bool) -> None:
    """Put an empty condition, or a group with one, at the end of the group at `path`; a path that no page
    has adds nothing."""
    found = _PATH.fullmatch(path)
    deepest = DEEPEST - 2 if group else DEEPEST - 1
    if found is None or found[3].count(".terms.") > deepest:
        return
    place = tree.get(found[1], {}).get(found[2])
    if not isinstance(place, dict):
        return
    place = place.setdefault("where", {})
    for step in found[3].split(".terms.")[1:]:
        terms = place.get("terms") if isinstance(place, dict) else None
        place = terms.get(step) if isinstance(terms, dict) else None
    if not isinstance(place, dict) or "yaml" in place or "field" in place:
        return
    terms = place.setdefault("terms", {})
    if not isinstance(terms, dict):
        return
    last = max((int(key) for key in terms if key.isdecimal()), default=-1)
    other = "and" if text_of(place, "join").endswith("or") else "or"
    terms[str(last + 1)] = {"join": other, "terms": {"0": {}}} if group else {}


def field_of_filter(inside: str) -> str:
    """The form's field for a place inside a filter: `.and.0.not.field` as `where.terms.0`."""
    steps = re.findall(r"\.(?:and|or)\.([0-9]+)", inside)[:DEEPEST]
    return "where" + "".join(f".terms.{step}" for step in steps)


def places_of(where: Group, path: str) -> set[str]:
    """The names of all the nodes that a page shows of a filter."""
    found = {path}
    for position, node in enumerate(where.terms):
        own = f"{path}.terms.{position}"
        found |= places_of(node, own) if isinstance(node, Group) else {own}
    return found
