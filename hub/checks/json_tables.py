"""Tables in parsed JSON, and what no table holds: every key and value is either in one or said to be loose.

Records, columns, pandas' `split`, lists and objects of plain values become tables. What would stand beside
them (a number beside a table, a row that is none) becomes a table of its own, so that the rules read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.checks.findings import Place
from hub.checks.tables import Bounds, Table, number_of, rectangular

_MOST_TABLES = 100
_DEEPEST = 12

Block = list[list[str]]


@dataclass
class JsonParts:
    """`names`: the keys under which tables stand. `loose`: keys and values in no table."""

    tables: list[Table] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)


def json_parts(value: Any, bounds: Bounds) -> JsonParts:
    """All of parsed JSON. Raises `UnreadableTable` as soon as a table passes a bound."""
    parts = JsonParts()
    for block in _blocks(value, parts, depth=0):
        table = None
        if len(parts.tables) < _MOST_TABLES:
            table = rectangular(block, bounds, Place(table=len(parts.tables)))
        if table is not None and table.rows:
            parts.tables.append(table)
        else:
            parts.loose += [cell for line in block for cell in line]
    return parts


def _blocks(value: Any, parts: JsonParts, depth: int) -> Iterator[Block]:
    """The lines of each table in `value`; what is too deep for any is loose."""
    if depth > _DEEPEST:
        parts.loose += _all_of(value)
    elif isinstance(value, dict):
        yield from _of_object(value, parts, depth)
    elif isinstance(value, list):
        yield from _of_list(value, parts, depth)
    else:
        yield [["value"], [_cell(value)]]


def _of_list(value: list[Any], parts: JsonParts, depth: int) -> Iterator[Block]:
    if value and all(isinstance(row, dict) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        if names:
            yield [names, *[[_cell(row.get(name)) for name in names] for row in value]]
    elif value and all(isinstance(row, list) and _is_flat(row) for row in value):
        yield [[_cell(cell) for cell in row] for row in value]
    else:
        plain = [part for part in value if not isinstance(part, dict | list)]
        if plain:
            yield [["value"], *[[_cell(part)] for part in plain]]
        for part in value:
            if isinstance(part, dict | list):
                yield from _blocks(part, parts, depth + 1)


def _of_object(value: dict[str, Any], parts: JsonParts, depth: int) -> Iterator[Block]:
    members = list(value.values())
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        yield from _of_split(value, parts, depth)
    elif members and all(isinstance(part, dict) and _is_flat(part.values()) for part in members):
        columns = {str(k): {str(i): c for i, c in part.items()} for k, part in value.items()}
        yield _lines(columns) if _are_groups(columns) else _columns(columns)
    elif members and all(isinstance(part, list) and _is_flat(part) for part in members):
        yield _columns({k: {str(i): c for i, c in enumerate(part)} for k, part in value.items()})
    else:
        yield from _of_members(value, parts, depth)


def _of_members(value: dict[str, Any], parts: JsonParts, depth: int) -> Iterator[Block]:
    """Plain values as one table, lists of them side by side where nothing but these is there, and each other
    member under its name."""
    plain = {k: part for k, part in value.items() if not isinstance(part, dict | list)}
    lists = {k: part for k, part in value.items() if isinstance(part, list) and _is_flat(part)}
    others = {k: part for k, part in value.items() if k not in plain}
    if lists and len(lists) == len(others):
        yield _columns({k: {str(i): c for i, c in enumerate(part)} for k, part in lists.items()})
        others = {}
    if plain:
        yield [["key", "value"], *[[str(k), _cell(part)] for k, part in plain.items()]]
    for name, part in others.items():
        (parts.names if part else parts.loose).append(str(name))
        yield from _blocks(part, parts, depth + 1)


def _of_split(value: dict[str, Any], parts: JsonParts, depth: int) -> Iterator[Block]:
    """Head and rows apart, as pandas' `split` writes them, the index as the first columns."""
    rows = [row for row in value["data"] if isinstance(row, list)]
    others = {k: part for k, part in value.items() if k not in ("columns", "data")}
    index = _index_of(others.get("index"), len(rows)) if len(rows) == len(value["data"]) else None
    if index is not None:
        del others["index"]
    names = [""] * len(index[0]) if index else []
    head = [*names, *(_cell(name) for name in value["columns"])]
    lines = [[*own, *map(_cell, row)] for own, row in zip(index or [[]] * len(rows), rows, strict=True)]
    yield [head, *lines]
    left = [row for row in value["data"] if not isinstance(row, list)]
    if left:
        yield from _of_list(left, parts, depth + 1)
    if others:
        yield from _of_members(others, parts, depth + 1)


def _index_of(index: Any, rows: int) -> list[list[str]] | None:
    """The labels of each row; None where there is not one for each."""
    if not isinstance(index, list) or len(index) != rows or not rows:
        return None
    if _is_flat(index):
        return [[_cell(part)] for part in index]
    if all(isinstance(part, list) and _is_flat(part) and len(part) == len(index[0]) for part in index):
        return [[_cell(level) for level in part] for part in index]
    return None


def _all_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield str(name)
            yield from _all_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from _all_of(part)
    else:
        yield _cell(value)


def _is_flat(values: Iterable[Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in values)


def _columns(columns: dict[str, dict[str, Any]]) -> Block:
    index = list(dict.fromkeys(key for part in columns.values() for key in part))
    rows = [[key, *[_cell(part.get(key)) for part in columns.values()]] for key in index]
    return [["", *columns], *rows]


def _are_groups(columns: dict[str, dict[str, Any]]) -> bool:
    """Whether the outer names are numbers and the inner ones are words: then these head the columns."""
    inner = {name for part in columns.values() for name in part}
    return all(number_of(name) is not None for name in columns) and all(
        number_of(name) is None for name in inner
    )


def _lines(rows: dict[str, dict[str, Any]]) -> Block:
    names = list(dict.fromkeys(name for part in rows.values() for name in part))
    return [["", *names], *[[key, *[_cell(part.get(name)) for name in names]] for key, part in rows.items()]]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
