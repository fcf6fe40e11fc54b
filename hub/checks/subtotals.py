"""Subtotals under one label column: which lines are sums of which others, and what they give away.

Nothing says so but words ("Total, men"), order (a subtotal stands above or below its lines) and the numbers
themselves. Each way in which a table could be read is tried; one that the numbers contradict is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hub.checks.findings import Finding, Severity
from hub.checks.grids import (
    Nested,
    adds_up,
    find_solvable,
    find_unaudited,
    is_number_column,
    is_total,
    nested_findings,
    suppresses,
    value_of,
)
from hub.checks.panels import fold
from hub.checks.suppression import MAX_CELLS, Sum
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

_WORDS = (
    r"(?:grand )?totals?|totaux|total general|sub ?totals?|sous tota(?:l|ux)|ensemble|overall|insgesamt|"
    r"summe|zwischensumme|all|tous|toutes"
)
_FIRST = re.compile(rf"(?:{_WORDS})\b")
_LAST = re.compile(rf"\b(?:{_WORDS})$")
_GRAND = re.compile(r"(?:grand )?totals?|total general|totaux|ensemble|overall|insgesamt|all|tous|toutes")
_MOST_ROWS = 2_000
_LEAST_PARTS, _MOST_PARTS = 2, 60
_LEAST_SHOWN = 20  # a sum of smaller numbers may be one by chance
Structure = Mapping[int, tuple[int, ...]]  # row of a total → the rows that it is the sum of


def find_suppressed(table: Table, thresholds: Thresholds) -> list[Finding]:
    """Suppressed cells that totals and subtotals of the table give away, or that none could be audited."""
    severity = thresholds.severity("suppression_solvable")
    readings = list(subtotals_of(table))
    if not readings:
        found = find_solvable(table, threshold=thresholds.min_units, severity=severity)
        return [*found, *find_unaudited(table, severity=thresholds.severity("suppressed_margins"))]
    readings = [nested for nested in readings if adds_up(nested, 0.0)]
    if not readings:
        return find_unaudited(table, severity=thresholds.severity("suppressed_margins"))
    told = [
        {(one.place.row, one.place.column): one for one in _told(table, nested, thresholds, severity)}
        for nested in [one for one in readings if _is_proven(one)] or readings
    ]
    # Of several ways to read a table only one is true: what not all of them tell is for people.
    return [
        one if all(place in other for other in told) else replace(one, severity=Severity.REVIEW)
        for place, one in {place: one for found in told for place, one in found.items()}.items()
    ]


def _told(table: Table, nested: Nested, thresholds: Thresholds, severity: Severity) -> list[Finding]:
    return nested_findings(
        table, [nested], set(), threshold=thresholds.min_units, slack=0.0, severity=severity
    )


def subtotals_of(table: Table) -> Iterator[Nested]:
    """The numbers of a table with one label column, in each way in which its lines can be sums of others."""
    numbers = [c for c in range(len(table.columns)) if is_number_column(table.column(c))]
    labels = [c for c in range(len(table.columns)) if c not in numbers]
    if len(labels) != 1 or not numbers or len(table.rows) > _MOST_ROWS or not suppresses(table, numbers):
        return
    if len(table.rows) * len(numbers) > MAX_CELLS:
        return
    names = [fold(row[labels[0]]) for row in table.rows]
    totals = [r for r, name in enumerate(names) if _FIRST.match(name) or _LAST.search(name)]
    tried = ((_below(names, totals), 2), (_above(names, totals), 2), (_by_name(names, totals), 1))
    found = [
        structure for structure, least in (*tried, (_by_sums(table, numbers), 1)) if len(structure) >= least
    ]
    for at, structure in enumerate(found):
        others = [*found[:at], *(one for one in found[at + 1 :] if one != structure)]
        if not any(structure.items() <= one.items() for one in others):
            yield _nested(table, numbers, structure)


def _below(names: Sequence[str], totals: Sequence[int]) -> Structure:
    """Each subtotal stands below its lines; one without lines of its own is the sum of those before it."""
    found: dict[int, list[int]] = {}
    lines: list[int] = []
    open_totals: list[int] = []
    for row in range(len(names)):
        if row not in totals:
            lines.append(row)
        elif lines:
            found[row], lines = lines, []
            open_totals.append(row)
        elif len(open_totals) > 1:
            found[row], open_totals = open_totals, [row]
    return {row: tuple(parts) for row, parts in found.items()}


def _above(names: Sequence[str], totals: Sequence[int]) -> Structure:
    """Each subtotal stands above its lines; one without lines of its own is the sum of those below it."""
    last = len(names) - 1
    mirrored = _below(names[::-1], [last - row for row in totals])
    return {last - row: tuple(sorted(last - part for part in parts)) for row, parts in mirrored.items()}


def _by_name(names: Sequence[str], totals: Sequence[int]) -> Structure:
    """A subtotal is the sum of the lines that have its words ("total homme": "homme 15 24", …); what says
    nothing but total is the sum of all lines."""
    lines = [row for row in range(len(names)) if row not in totals]
    found: dict[int, tuple[int, ...]] = {}
    for row in totals:
        words = set(re.sub(rf"\b(?:{_WORDS}|of|de|des|du|les|the|sub|sous)\b", " ", names[row]).split())
        parts = [line for line in lines if words <= set(names[line].split())]
        grand = len(totals) > 1 and _GRAND.fullmatch(names[row])
        if len(parts) >= _LEAST_PARTS and (words or grand):
            found[row] = tuple(parts)
    return found


def _by_sums(table: Table, numbers: Sequence[int]) -> Structure:
    """Lines that are, in a column without suppressed cells, the sum of the lines below them, whatever they
    are called; and a total of all, which is the sum of these."""
    summed = {row: _summed(table, numbers, row) for row in range(len(table.rows))}
    found = {row: parts for row, parts in summed.items() if parts}
    tops = [one for one in found if not any(one in parts for parts in found.values())]
    grand = [r for r, line in enumerate(table.rows) if any(is_total(cell) for cell in line)]
    if len(grand) == 1 and grand[0] not in found and len(tops) >= _LEAST_PARTS:
        covered = {part for parts in found.values() for part in parts}
        found[grand[0]] = tuple(r for r in range(len(table.rows)) if r not in covered and r != grand[0])
    return found


def _summed(table: Table, numbers: Sequence[int], row: int) -> tuple[int, ...]:
    """The fewest lines below that a line is the sum of; none where it is of none."""
    rest = {c: whole for c in numbers if (whole := value_of(table.rows[row][c])) is not None}
    large = {c: whole for c, whole in rest.items() if whole >= _LEAST_SHOWN}
    hidden: set[int] = set()  # columns with a suppressed number among the lines
    for part in range(row + 1, min(len(table.rows), row + 1 + _MOST_PARTS)):
        for column in rest:
            value = value_of(table.rows[part][column])
            if value is None:
                hidden.add(column)
            else:
                rest[column] -= value
        spare = {c: 1e-9 * abs(large.get(c, 0.0)) + 1e-9 for c in rest}
        if any(left < -spare[c] for c, left in rest.items()):
            return ()
        met = [c for c in rest if c not in hidden and rest[c] <= spare[c]]
        if (
            part - row >= _LEAST_PARTS
            and len(met) == len(rest) - len(hidden)
            and any(c in large for c in met)
        ):
            return tuple(range(row + 1, part + 1))
    return ()


def _nested(table: Table, numbers: Sequence[int], structure: Structure) -> Nested:
    """All number columns under the same structure; a total among their heads is one more sum in each line."""
    place = {(r, c): at for at, (r, c) in enumerate((r, c) for c in numbers for r in range(len(table.rows)))}
    sums: list[Sum] = [
        (place[total, c], [place[part, c] for part in parts])
        for c in numbers
        for total, parts in structure.items()
    ]
    across = [c for c in numbers if is_total(table.columns[c])]
    if len(across) == 1 and len(numbers) > 2:
        others = [c for c in numbers if c != across[0]]
        sums += [(place[r, across[0]], [place[r, c] for c in others]) for r in range(len(table.rows))]
    return Nested([value_of(table.rows[r][c]) for r, c in place], sums, list(place))


def _is_proven(nested: Nested) -> bool:
    """Whether one of the sums has no suppressed number and is not small."""
    return any(
        (whole := nested.values[total]) is not None
        and whole >= _LEAST_SHOWN
        and all(nested.values[part] is not None for part in parts)
        for total, parts in nested.sums
    )
