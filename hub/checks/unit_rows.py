"""Rows of the extract in a table of any length: the few records of some persons, or the path of one.

The printed columns are read as variables of the extract (by their heads, or by their values). A table shows
records when its rows stand in the extract on fewer rows than a cell needs units, although chance, given how
common each value is, would hardly put one there; or when all rows are those of the same person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.checks.findings import Finding
from hub.checks.matching import Matcher, Placed, Printed, print_columns
from hub.checks.panels import Panel, fold
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

_MOST_ROWS = 60
_MATCHED = 0.9
_CHANCE = 1e-3
_MAX_COLUMNS = 8
_MAX_OPTIONS = 3


@dataclass(frozen=True)
class _Column:
    """A printed column as a variable of the extract."""

    name: str
    placed: Placed


def find_unit_rows(
    table: Table, panel: Panel, explained: frozenset[int], thresholds: Thresholds
) -> Iterator[Finding]:
    """`trajectory` when the table shows records. `explained`: columns that a statistic reproduces."""
    least = int(thresholds.limit("trajectory", "rows"))
    if len(table.rows) < least or len(table.rows) > thresholds.max_rows:
        return
    printed = [column for column in _columns(table) if column.index not in explained]
    named = _named(printed, panel)
    for choice in _choices(named, printed, panel):
        found = _records(choice, panel, thresholds, min(len(table.rows), _MOST_ROWS)) if choice else None
        if found is not None:
            evidence = {"columns": [column.name for column in choice], "of_rows": len(table.rows)}
            yield finding(
                "trajectory",
                thresholds.severity("trajectory"),
                table.place,
                rows=found,
                limit=thresholds.min_units,
                columns=", ".join(column.name for column in choice),
                evidence=evidence,
            )
            return


def _choices(named: list[_Column], printed: Sequence[Printed], panel: Panel) -> Iterator[list[_Column]]:
    """The columns as their heads say; then, unless the heads are true for all of them, by their values."""
    if len(named) >= 2:
        yield named
    true = sum(np.count_nonzero(one.placed.sizes) >= _MATCHED * len(one.placed.sizes) for one in named)
    if true < max(2, len(printed)):
        yield _by_values(printed, panel)


def _columns(table: Table) -> list[Printed]:
    """The columns with numbers or words, without those that only number the rows."""
    found = []
    for column in print_columns(table):
        keys = column.keys.to_list()
        if keys not in (list(range(len(keys))), list(range(1, len(keys) + 1))):
            found.append(column)
    return found[:_MAX_COLUMNS]


def _named(printed: Sequence[Printed], panel: Panel) -> list[_Column]:
    names = {fold(name): name for name in panel.variables}
    matcher = Matcher(panel.part)
    found = []
    for column in printed:
        name = names.get(fold(column.head))
        placed = matcher.placed(column, name, _MOST_ROWS) if name is not None else None
        if name is not None and placed is not None:
            found.append(_Column(name, placed))
    return found


def _by_values(printed: Sequence[Printed], panel: Panel) -> list[_Column]:
    """Columns under other heads: the variables that hold the values, those that are rarest first."""
    matcher = Matcher(panel.part)
    found: list[_Column] = []
    for column in printed:
        if column.decimals is None and column.values.len() < 2:
            continue
        best: tuple[int, _Column] | None = None
        for name in _options(column, panel, matcher, {one.name for one in found})[:_MAX_OPTIONS]:
            placed = matcher.placed(column, name, _MOST_ROWS)
            if placed is None:
                continue
            option = _Column(name, placed)
            rows = _joint([*found, option])
            matched = sum(row.size > 0 for row in rows)
            if matched >= _MATCHED * len(rows) and (best is None or matched > best[0]):
                best = (matched, option)
        if best is not None:
            found.append(best[1])
    return found


def _options(column: Printed, panel: Panel, matcher: Matcher, taken: set[str]) -> list[str]:
    """The variables that hold the values, those whose values are rarest first."""
    found = []
    for name in panel.variables:
        if name not in taken and matcher.explained(column, name) >= _MATCHED * sum(column.counts.values()):
            found.append((float(np.mean(matcher.sizes(column, name, _MOST_ROWS))), name))
    return [name for _, name in sorted(found)]


def _joint(columns: Sequence[_Column]) -> list[npt.NDArray[np.int64]]:
    """Per printed row the rows of the extract with its values in all columns: those of the column with the
    rarest values, of which each further column keeps some."""
    ordered = sorted(columns, key=lambda one: sum(one.placed.sizes))
    joint = ordered[0].placed.rows()
    for column in ordered[1:]:
        placed = column.placed
        joint = [
            rows[placed.codes[rows] == code] if code >= 0 else rows[:0]
            for rows, code in zip(joint, placed.wanted, strict=True)
        ]
    return joint


def _records(columns: Sequence[_Column], panel: Panel, thresholds: Thresholds, rows: int) -> int | None:
    """How many rows are records of the extract; None when it may be chance."""
    joint = _joint(columns)
    person = (
        panel.unit("person" if "person" in panel.units else next(iter(panel.units)))[0]
        if panel.units
        else None
    )
    if person is not None:
        same = _same_person(joint, person, thresholds, rows)
        if same is not None:
            return same
    if len(columns) < 3:
        return None
    # Without any one of its columns the table must still be records: a label beside a median is none.
    for left_out in range(len(columns)):
        part = [column for at, column in enumerate(columns) if at != left_out]
        if not _unlikely(part, panel.rows, thresholds, rows):
            return None
    return sum(hit.size > 0 for hit in joint)


def _same_person(
    joint: Sequence[npt.NDArray[np.int64]], person: npt.NDArray[np.int32], thresholds: Thresholds, rows: int
) -> int | None:
    """All rows are those of the same few persons, and chance would not find such a person."""
    total = int(person.max()) + 1
    shared: npt.NDArray[np.int32] | None = None
    expected = float(total)
    matched = 0
    for hit in sorted(joint, key=len):
        own = np.unique(person[hit])
        own = own[own >= 0]
        if not own.size:
            continue
        matched += 1
        expected *= own.size / total
        shared = own if shared is None else np.intersect1d(shared, own, assume_unique=True)
        if not shared.size:
            return None
    if shared is None or matched < max(_MATCHED * rows, thresholds.limit("trajectory", "rows")):
        return None
    few = 0 < shared.size < thresholds.min_units
    return matched if few and expected < _CHANCE else None


def _unlikely(columns: Sequence[_Column], total: int, thresholds: Thresholds, rows: int) -> bool:
    """Whether nearly all rows stand on a few rows of the extract where chance expects almost none."""
    joint = _joint(columns)
    rare = 0
    for at, hit in enumerate(joint):
        expected = float(total) * float(np.prod([column.placed.sizes[at] / total for column in columns]))
        rare += 0 < hit.size < thresholds.min_units and expected < 0.3 * hit.size
    return rare >= _MATCHED * rows
