"""Printed tables as grids with totals, so that what they suppress can be audited.

Read from the text alone: a suppressed cell is a mark (`*`, `x`, `c`, `<10`, “suppressed”, “n.d.”…) or, in a
table that has other numbers in that column, nothing at all; a total is a row, column or code called so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.checks.findings import Finding, Severity
from hub.checks.sentences import finding
from hub.checks.suppression import MAX_CELLS, Grid, Margins, Sum, audit, audit_sums, findings_of
from hub.checks.tables import Table, number_of

_MARK = re.compile(
    r"\*+|[xc]|\.\.?|[-–—]|[<≤]\s*\d+|s|supp\.?|suppress(ed)?|supprim[ée]e?|masqu[ée]e?|redacted|\[redacted\]"
    r"|n\.?\s?d\.?|n\.?\s?a\.?|confidentiel|confidential|secret",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(grand\s+)?total(e|aux)?|totals|ensemble|all|tous|toutes|sum|somme|overall|margin|marge", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class PrintedGrid:
    """A grid of one measure with its totals. `rows` and `columns`: the printed table's row and column of each
    grid cell. `blank`: suppressed cells that are empty rather than marked."""

    grid: Grid
    margins: Margins
    places: Sequence[Sequence[tuple[int, int]]]
    blank: frozenset[tuple[int, int]]


def find_solvable(
    table: Table, *, threshold: int, slack: float = 0.0, severity: Severity = Severity.BLOCK
) -> list[Finding]:
    """A finding for each suppressed cell that the table's own totals give away (`slack`: half of the rounding
    base). REVIEW `too_many_cells` where the table is too large to be audited."""
    findings: list[Finding] = []
    seen: set[tuple[int, int]] = set()
    for printed in grids_of(table):
        if not _is_additive(printed, slack):
            continue
        try:
            bounds = audit(printed.grid, printed.margins, threshold=threshold, slack=slack)
        except ValueError:
            return [finding("too_many_cells", Severity.REVIEW, table.place, limit=MAX_CELLS)]
        for cell in bounds:
            place = printed.places[cell.row][cell.column]
            nothing = cell.high <= 1e-6 and (cell.row, cell.column) in printed.blank
            # At least `threshold`: no small number, however well it is known.
            if place in seen or nothing or cell.low >= threshold:
                continue
            seen.add(place)
            row, column = place
            rows, columns = {cell.row: row}, {cell.column: column}
            findings += findings_of([cell], table.place, rows=rows, columns=columns, severity=severity)
    others = nested_findings(
        table, list(nested_of(table)), seen, threshold=threshold, slack=slack, severity=severity
    )
    return findings + others


def nested_findings(
    table: Table,
    readings: Sequence[Nested],
    seen: set[tuple[int, int]],
    *,
    threshold: int,
    slack: float,
    severity: Severity,
) -> list[Finding]:
    """The same for numbers of which some are sums of others, for what is not seen yet."""
    findings: list[Finding] = []
    for nested in readings:
        if not adds_up(nested, slack):
            continue
        try:
            bounds = audit_sums(nested.values, nested.sums, threshold=threshold, slack=slack)
        except ValueError:
            return [finding("too_many_cells", Severity.REVIEW, table.place, limit=MAX_CELLS)]
        for cell in bounds:
            row, column = nested.places[cell.row]
            blank = not table.rows[row][column].strip()
            if cell.low < threshold and (row, column) not in seen and not (blank and cell.high <= 1e-6):
                seen.add((row, column))
                rows, columns = {cell.row: row}, {0: column}
                findings += findings_of([cell], table.place, rows=rows, columns=columns, severity=severity)
    return findings


def find_unaudited(table: Table, *, severity: Severity = Severity.REVIEW) -> list[Finding]:
    """`suppressed_margins` where a table has suppressed cells and totals that no grid of it relates to each
    other: subtotals under one label, totals that are no sums."""
    kinds = [is_number_column(table.column(c)) for c in range(len(table.columns))]
    numbers = [c for c, is_number in enumerate(kinds) if is_number]
    labels = [c for c, is_number in enumerate(kinds) if not is_number]
    totals = any(is_total(table.columns[c]) for c in numbers) or any(
        is_total(row[c]) for row in table.rows for c in labels
    )
    marked = [r[c].strip() for r in table.rows for c in numbers if r[c].strip() and value_of(r[c]) is None]
    if not totals or not marked:
        return []
    if any(_is_additive(printed, 0.0) for printed in grids_of(table)):
        return []
    if any(adds_up(nested, 0.0) for nested in nested_of(table)):
        return []
    return [finding("suppressed_margins", severity, table.place, evidence={"suppressed": len(marked)})]


def grids_of(table: Table) -> Iterator[PrintedGrid]:
    """The grids of a table: the whole, if its columns have a total column; each column alone; and, where two
    columns name the cells, the cross-table that each number column spells out."""
    kinds = [is_number_column(table.column(c)) for c in range(len(table.columns))]
    labels = [c for c, is_number in enumerate(kinds) if not is_number]
    numbers = [c for c, is_number in enumerate(kinds) if is_number]
    if not labels or not numbers or not suppresses(table, numbers):
        return
    if len(labels) == 2:
        for column in numbers:
            yield from _crossed(table, labels[0], labels[1], column)
        return
    total_rows = [r for r, row in enumerate(table.rows) if any(is_total(row[c]) for c in labels)]
    if len(total_rows) > 1:
        return  # subtotals: which belong to which is not said
    body = [r for r in range(len(table.rows)) if r not in total_rows]
    total_columns = [c for c in numbers if is_total(table.columns[c])]
    if len(total_columns) == 1:
        yield _grid(table, body, [c for c in numbers if c not in total_columns], total_rows, total_columns)
    elif total_rows:
        for column in numbers:
            yield _grid(table, body, [column], total_rows, [])


@dataclass(frozen=True, slots=True)
class Nested:
    """Numbers of one measure, those that are sums of others, and where each is printed (row, column)."""

    values: Sequence[float | None]
    sums: Sequence[Sum]
    places: Sequence[tuple[int, int]]


def nested_of(table: Table) -> Iterator[Nested]:
    """The numbers of a table of three groupings or more (label columns; with a total among the heads of the
    number columns these are one more), where labels say which lines are totals of which others."""
    kinds = [is_number_column(table.column(c)) for c in range(len(table.columns))]
    labels = [c for c, is_number in enumerate(kinds) if not is_number]
    numbers = [c for c, is_number in enumerate(kinds) if is_number]
    if len(table.rows) * len(numbers) > MAX_CELLS or not numbers or not suppresses(table, numbers):
        return
    across = sum(is_total(table.columns[c]) for c in numbers) == 1 and len(numbers) > 2
    if len(labels) + across < 3:
        return
    for columns in [numbers] if across else [[c] for c in numbers]:
        cells: dict[tuple[str, ...], tuple[int, int]] = {}
        for r, row in enumerate(table.rows):
            for c in columns:
                names = [*(row[label] for label in labels), *([table.columns[c]] if across else [])]
                cells[tuple("" if is_total(name) else f"={name.strip()}" for name in names)] = (r, c)
        if len(cells) == len(table.rows) * len(columns):  # else a combination stands twice
            yield _nested(table, cells)


def _nested(table: Table, cells: Mapping[tuple[str, ...], tuple[int, int]]) -> Nested:
    """A total is the sum of what has a name where it says total. A combination that is not listed counts as
    nobody."""
    parts: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for position, key in enumerate(cells):
        for k, name in enumerate(key):
            if name:
                parts.setdefault((k, (*key[:k], "", *key[k + 1 :])), []).append(position)
    position_of = {key: position for position, key in enumerate(cells)}
    sums = [(position_of[total], found) for (_, total), found in parts.items() if total in position_of]
    return Nested([value_of(table.rows[r][c]) for r, c in cells.values()], sums, list(cells.values()))


def adds_up(nested: Nested, slack: float) -> bool:
    """As `_is_additive`: proven by a sum without suppressed numbers, or presumed for whole numbers."""
    proven = False
    for total, parts in nested.sums:
        whole = nested.values[total]
        shown = [value for part in parts if (value := nested.values[part]) is not None]
        if whole is None:
            continue
        tolerance = slack * (len(shown) + 1) + 1e-9 * abs(whole)
        rest = whole - math.fsum(shown)
        if rest < -tolerance or (len(shown) == len(parts) and rest > tolerance):
            return False
        proven = proven or len(shown) == len(parts)
    numbers = [value for value in nested.values if value is not None]
    return bool(nested.sums) and (proven or all(value == int(value) for value in numbers))


def suppresses(table: Table, numbers: Sequence[int]) -> bool:
    return any(value_of(row[c]) is None for row in table.rows for c in numbers)


def is_number_column(cells: Sequence[str]) -> bool:
    """At least one number, and besides numbers only marks and blanks."""
    others = [cell.strip() for cell in cells if number_of(cell) is None]
    return len(others) < len(cells) and all(not cell or _MARK.fullmatch(cell) for cell in others)


def is_total(text: str) -> bool:
    return _TOTAL.fullmatch(text.strip()) is not None


def value_of(cell: str) -> float | None:
    number = number_of(cell)
    return float(number) if number is not None else None


def _grid(
    table: Table, rows: Sequence[int], columns: Sequence[int], total_rows: list[int], total_columns: list[int]
) -> PrintedGrid:
    def at(r: int, c: int) -> float | None:
        return value_of(table.rows[r][c])

    margins = Margins(
        rows=[at(r, total_columns[0]) for r in rows] if total_columns else (),
        columns=[at(total_rows[0], c) for c in columns] if total_rows else (),
        grand=at(total_rows[0], total_columns[0]) if total_rows and total_columns else None,
    )
    grid = [[at(r, c) for c in columns] for r in rows]
    places = [[(r, c) for c in columns] for r in rows]
    return PrintedGrid(grid, margins, places, _blanks(table, places))


def _blanks(table: Table, places: Sequence[Sequence[tuple[int, int]]]) -> frozenset[tuple[int, int]]:
    return frozenset(
        (i, j)
        for i, line in enumerate(places)
        for j, (r, c) in enumerate(line)
        if r >= 0 and not table.rows[r][c].strip()
    )


def _crossed(table: Table, first: int, second: int, column: int) -> Iterator[PrintedGrid]:
    found = {(row[first].strip(), row[second].strip()): r for r, row in enumerate(table.rows)}
    if len(found) < len(table.rows):
        return  # a combination that stands twice has more labels than these
    downs = list(dict.fromkeys(a for a, _ in found if not is_total(a)))
    acrosses = list(dict.fromkeys(b for _, b in found if not is_total(b)))
    total_down = next((a for a, _ in found if is_total(a)), None)
    total_across = next((b for _, b in found if is_total(b)), None)
    if (total_down is None and total_across is None) or len(downs) * len(acrosses) > MAX_CELLS:
        return

    def at(a: str | None, b: str | None) -> float | None:
        r = found.get((a or "", b or ""))
        return value_of(table.rows[r][column]) if r is not None else None

    # A combination that is not listed counts as nobody.
    grid = [[at(a, b) if (a, b) in found else 0.0 for b in acrosses] for a in downs]
    places = [[(found.get((a, b), -1), column) for b in acrosses] for a in downs]
    margins = Margins(
        rows=[at(a, total_across) for a in downs] if total_across is not None else (),
        columns=[at(total_down, b) for b in acrosses] if total_down is not None else (),
        grand=at(total_down, total_across),
    )
    yield PrintedGrid(grid, margins, places, _blanks(table, places))


def _is_additive(printed: PrintedGrid, slack: float) -> bool:
    """Whether the totals are sums of the grid: proven by a line without suppressed cells or, where every
    line has one, presumed for whole numbers that do not exceed their total. (Means have no such totals.)"""
    grid, margins = printed.grid, printed.margins
    width = len(grid[0]) if grid else 0
    lines = [(list(row), total) for row, total in zip(grid, margins.rows, strict=False)]
    lines += [([row[c] for row in grid], t) for c, t in zip(range(width), margins.columns, strict=False)]
    proven = False
    for cells, total in lines:
        if total is None:
            continue
        shown = [value for value in cells if value is not None]
        tolerance = slack * (len(shown) + 1) + 1e-9 * abs(total)
        rest = total - math.fsum(shown)
        if len(shown) == len(cells):
            if abs(rest) > tolerance:
                return False
            proven = True
        elif rest < -tolerance:
            return False
    numbers = [v for cells, total in lines for v in (*cells, total) if v is not None]
    return proven or (bool(numbers) and all(value == int(value) for value in numbers))
