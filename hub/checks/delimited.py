"""A delimited text as people write it: titles above its tables, notes below them, several tables one after
the other.

A line that has fewer cells than its table stands beside it: before a head it is a title, after the last row
a note. What is said there leaves as text and is judged as text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.checks.findings import Place
from hub.checks.tables import (
    Bounds,
    Table,
    UnreadableTable,
    delimited_rows,
    delimiter_of,
    number_of,
    rectangular,
)

_MOST_TABLES = 40
_MOST_HEADS = 3
_LEAST_NOTE = 4  # words of a note


@dataclass(frozen=True, slots=True)
class Parts:
    """The tables of a delimited text and the lines beside them."""

    tables: list[Table] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


def delimited_parts(text: str, bounds: Bounds, *, delimiter: str | None = None) -> Parts:
    """The tables in a CSV or TSV text, and the lines that belong to none. A text that has no lines beside a
    table is that table, however ragged. Raises `UnreadableTable`."""
    mark = delimiter if delimiter is not None else delimiter_of(text)
    rows, cells = [], 0
    for row in delimited_rows(text, mark):
        cells += len(row)
        if len(row) > bounds.max_columns:
            raise UnreadableTable("too_wide")
        if cells > bounds.max_cells:
            raise UnreadableTable("too_many_cells")
        rows.append([cell.strip() for cell in row])
    parts = Parts()
    for block in _blocks(rows):
        first, last = _body(block)
        if len(block) == 1 < len(rows) and not any(number_of(cell) is not None for cell in block[0]):
            first = last = 1  # a title over a head of another width
        parts.beside.extend(f"{mark} ".join(filter(None, row)) for row in [*block[:first], *block[last:]])
        table = rectangular(block[first:last], bounds, Place(table=len(parts.tables)))
        if table is not None:
            parts.tables.append(table)
    return parts


def _blocks(rows: Sequence[list[str]]) -> list[list[list[str]]]:
    """The rows of each table with the lines over it: a table ends where a line with one cell stands over a
    head, and where a head of another width does."""
    starts = [0]
    for at in range(1, len(rows) - 1):
        if len(starts) >= _MOST_TABLES or at <= starts[-1]:
            continue
        named = len(rows[at]) > 1 and at <= starts[-1] + _MOST_HEADS  # an index below its heads
        over = _is_line(rows[at]) and not _is_line(rows[at - 1]) and not named
        over = over and _heads(rows, at + 1, starts[-1])
        wider = len(rows[at]) != len(rows[at - 1]) and not _is_line(rows[at]) and not _is_line(rows[at - 1])
        if over or (wider and _is_head(rows[at]) and len(rows[at + 1]) == len(rows[at]) > 1):
            starts.append(at)
    return [list(rows[a:b]) for a, b in zip(starts, [*starts[1:], len(rows)], strict=True)]


def _heads(rows: Sequence[list[str]], at: int, start: int) -> bool:
    """Whether a head stands at `at`, below further lines or none, with numbers in the table above."""
    while at < len(rows) and _is_line(rows[at]):
        at += 1
    if at + 1 >= len(rows) or not _is_head(rows[at]):
        return False
    above = any(number_of(cell) is not None for row in rows[start:at] for cell in row[1:])
    return above and len(rows[at + 1]) == len(rows[at])


def _is_line(row: Sequence[str]) -> bool:
    """Whether a row is one text alone."""
    return bool(row) and bool(row[0]) and not any(row[1:]) and number_of(row[0]) is None


def _is_head(row: Sequence[str]) -> bool:
    """Whether a row could head a table: words, years or codes beside its first cell."""
    if len(row) < 2 or not any(row[1:]) or number_of(row[0]) is not None:
        return False
    numbers = [number_of(cell) for cell in row[1:]]
    return all(n is None or n == n.to_integral_value() for n in numbers)


def _body(block: Sequence[list[str]]) -> tuple[int, int]:
    """Where the table of a block begins and ends."""
    widths = Counter(len(row) for row in block if not _is_line(row))
    if not widths:
        return 0, len(block)
    width = max(widths, key=lambda one: (widths[one], one))
    if width < 2:
        return 0, len(block)
    first, last = 0, len(block)
    while first < last - 1 and _is_beside(block[first], width):
        first += 1
    while last > first + 1 and _is_note(block[last - 1], width):
        last -= 1
    return (first, last) if last - first > 1 else (0, len(block))


def _is_note(row: Sequence[str], width: int) -> bool:
    """Whether a last line stands beside the table, and is not that of a group whose number is left out."""
    if len(row) == width and any(row[1:]):  # "Source: survey, own sums"
        return ":" in row[0] and all(number_of(cell) is None for cell in row)
    bare = len(row) == width and len(row[0].split()) < _LEAST_NOTE and ":" not in row[0]
    return _is_beside(row, width) and not bare


def _is_beside(row: Sequence[str], width: int) -> bool:
    """Whether a row is no row of a table of this width: one text alone, or a sentence that has the delimiter
    in it."""
    if _is_line(row):
        return True
    return (
        len(row) < width and not any(number_of(cell) is not None for cell in row) and len(row[0].split()) > 1
    )
