"""What R printed in a text, as the tables that it means; any other line is read as other programs print."""

from __future__ import annotations

import re
from collections import Counter

from hub.checks.findings import Place
from hub.checks.fixed_widths import Lines
from hub.checks.lists import lists_in_text
from hub.checks.model_prints import models_printed
from hub.checks.r_forms import FORMS, LONGEST, Print, Rows, paragraph
from hub.checks.tables import Bounds, Table, printed_tables, rectangular

Content = tuple[tuple[str, ...], ...]
_TITLE = re.compile(r"[^\d]*:$|'data\.frame'|Classes |tibble |Rows: |Columns: ")
_MOST_LINES = 20_000
_READ = (models_printed, *FORMS)


def tables_in_text(text: str, bounds: Bounds, place: Place) -> list[Table]:
    """The tables of a printed text, R's and others, in their order. Raises UnreadableTable."""
    lines = text.splitlines()
    found: list[Table] = []
    done = 0
    for one in [*find_prints(lines), Print(len(lines), len(lines), [])]:
        before = "\n".join(lines[done : one.first])
        for table in printed_tables(before, bounds, place) if before.strip() else ():
            found.append(_numbered(table, len(found)))
        table_of_r = rectangular(one.rows, bounds, place.within(table=len(found)), header=True)
        if table_of_r is not None and table_of_r.rows:
            found.append(table_of_r)
        done = one.end
    for table in lists_in_text(text, bounds, place):
        found.append(_numbered(table, len(found)))
    return found


def _numbered(table: Table, at: int) -> Table:
    return Table(table.columns, table.rows, table.place.within(table=at), table.ragged_rows, table.headed)


def contents_of(table: Table) -> Content:
    """Head and rows of a table, to compare."""
    return (tuple(table.columns), *(tuple(row) for row in table.rows))


def without_prints(text: str, tables: Counter[Content]) -> tuple[str, list[Rows]]:
    """The text without the prints that are among `tables` (counted down here), and the rows of these."""
    lines = text.splitlines()
    taken: list[Rows] = []
    for one in find_prints(lines):
        key = tuple(tuple(cell.strip() for cell in row) for row in one.rows)
        if tables[key] > 0:
            tables[key] -= 1
            taken.append(one.rows)
            lines[one.first : one.end] = [" ".join(one.marks), *[""] * (one.end - one.first - 1)]
    return "\n".join(lines), taken


def find_prints(lines: Lines) -> list[Print]:
    """The objects that R printed among the lines."""
    if len(lines) > _MOST_LINES or not any(lines):
        return []
    found: list[Print] = []
    at = 0
    while at < len(lines):
        one = None
        if lines[at].strip() and len(lines[at]) <= LONGEST and "\t" not in lines[at]:
            one = next((made for read in _READ if (made := read(lines, at)) is not None), None)
        if one is not None:
            found.append(one)
            at = one.end
        else:
            at = at + 1 if not lines[at].strip() or _TITLE.match(lines[at]) else paragraph(lines, at)
    return found
