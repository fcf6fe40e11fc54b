"""Rows of the extract in a table of any length: the few records of some persons, or the path of one.

The printed columns are read as variables of the extract (by their heads, or by their values). A table shows
records when its rows stand in the extract on fewer rows than a cell needs units, although chance, given how
common each value is, would hardly put one there; when all rows are those of the same person; or when some of
its rows name, whichever column is left out, fewer rows than a cell needs units, and together are no chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.findings import Finding
from hub.checks.matching import Matcher
from hub.checks.panels import Panel, fold
from hub.checks.printed_columns import Printed, print_columns
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

_MOST_ROWS = 60
_MATCHED = 0.9
_CHANCE = 1e-3
_TWICE_CHANCE = 0.05
_MAX_COLUMNS = 8
_MAX_OPTIONS = 3
_MAX_HELD = 40_000_000  # rows of the extract behind the rarest column: with more nothing is rare
_SPARE_DIGITS = 4.0
_LEAST_NAMED = 3
_MOST_TURNED = 60  # lines of a table that may be columns
_SHIFTS = 8
_CORRELATED = 10.0  # values of one row go together: this much likelier than chance alone


@dataclass(frozen=True)
class _Column:
    """A printed column as a variable of the extract, one of so many it could be. `sizes`: the rows of the
    extract with the value of each printed row."""

    name: str
    printed: Printed
    sizes: tuple[int, ...]
    options: int = 1


Rows = npt.NDArray[np.int64]


def find_unit_rows(
    table: Table, panel: Panel, explained: frozenset[int], thresholds: Thresholds
) -> Iterator[Finding]:
    """`trajectory` when the table shows records. `explained`: columns that a statistic reproduces."""
    matcher = Matcher(panel.part)
    turned = _turned(table, panel) if not explained else None
    for one in (table, turned) if turned is not None else (table,):
        found = _find(one, explained, panel, matcher, thresholds)
        if found is not None:
            columns, rows = found
            evidence = {"columns": columns, "of_rows": len(one.rows)}
            yield finding(
                "trajectory",
                thresholds.severity("trajectory"),
                table.place,
                rows=rows,
                limit=thresholds.min_units,
                columns=", ".join(columns),
                evidence=evidence,
            )
            return


def _find(
    table: Table, explained: frozenset[int], panel: Panel, matcher: Matcher, thresholds: Thresholds
) -> tuple[list[str], int] | None:
    """The variables that the columns of records are, and how many records there are."""
    least = int(thresholds.limit("trajectory", "rows"))
    if len(table.rows) < least or len(table.rows) > thresholds.max_rows:
        return None
    columns = _columns(table)
    printed = [column for column in columns if column.index not in explained]
    for choice in _choices(printed, panel, matcher):
        found = _records(choice, panel, matcher, thresholds) if choice else None
        if found is not None:
            return [column.name for column in choice], found
    named = _named(columns, panel, matcher) if not explained else []
    if len(named) >= _LEAST_NAMED and all(
        fold(head) == "" or any(column.printed.index == at for column in named) or _same(table.column(at))
        for at, head in enumerate(table.columns)
    ):
        found = _as_named(named, table, matcher)
        if found is not None:
            return [column.name for column in named], found
    return None


def _same(cells: Sequence[str]) -> bool:
    return len(set(cells)) == 1


def _turned(table: Table, panel: Panel) -> Table | None:
    """The table with its lines as columns, where the lines are called after variables."""
    lines = [*([list(table.columns)] if table.headed else []), *(list(row) for row in table.rows)]
    names = {fold(name) for name in panel.variables}
    called = sum(fold(line[0]) in names for line in lines)
    if called < _LEAST_NAMED or called < _MATCHED * (len(lines) - 1) or len(lines) > _MOST_TURNED:
        return None
    columns = list(zip(*lines, strict=True))
    return Table(list(columns[0]), [list(row) for row in columns[1:]], table.place)


def _as_named(columns: Sequence[_Column], table: Table, matcher: Matcher) -> int | None:
    """How many rows are records: all columns are called after variables and say no statistic, each row stands
    in the extract, and would not if the rarest column were moved against the others. Where no two rows have
    the same labels, and one column alone has numbers, it may be a statistic of groups."""
    joint = _joint(columns, matcher)
    if joint is None or any(not hit.size for hit in joint):
        return None
    rarest = min(columns, key=lambda one: sum(one.sizes))
    others = [one for one in columns if one is not rarest]
    labels = list(zip(*(one.printed.keys.to_list() for one in others), strict=True))
    telling = [one for one in columns if len(set(one.printed.keys.to_list())) * 2 > len(table.rows)]
    twice = len(set(labels)) < len(labels)  # lines of groups have labels of their own
    if not twice and len(telling) < 2:
        return None
    keys = rarest.printed.keys
    matched = tried = 0
    for shift in range(1, min(_SHIFTS, keys.len() - 1) + 1):
        moved = replace(rarest.printed, keys=pl.concat([keys[shift:], keys[:shift]]))
        found = _joint([*others, replace(rarest, printed=moved)], matcher)
        different = [at for at in range(len(joint)) if at < keys.len() and moved.keys[at] != keys[at]]
        matched += sum(found[at].size > 0 for at in different) if found is not None else len(different)
        tried += len(different)
    if not tried:
        return None
    chance = ((matched + 0.5) / (tried + 1)) ** len(joint)
    return len(joint) if chance < (_TWICE_CHANCE if twice else _CHANCE) else None


def _choices(printed: Sequence[Printed], panel: Panel, matcher: Matcher) -> Iterator[list[_Column]]:
    """The columns as their heads say; then, unless the heads are true for all of them, by their values."""
    named = _named(printed, panel, matcher)
    if len(named) >= 2:
        yield named
    true = sum(np.count_nonzero(one.sizes) >= _MATCHED * len(one.sizes) for one in named)
    if true < max(2, len(printed)):
        rest = [one for one in printed if all(one is not column.printed for column in named)]
        if named and rest:
            yield _by_values(rest, panel, matcher, named)
        yield _by_values(printed, panel, matcher)


def _columns(table: Table) -> list[Printed]:
    """The columns with numbers or words, without those that only number the rows."""
    found = []
    for column in print_columns(table):
        keys = column.keys.to_list()
        if keys not in (list(range(len(keys))), list(range(1, len(keys) + 1))):
            found.append(column)
    return found[:_MAX_COLUMNS]


def _named(printed: Sequence[Printed], panel: Panel, matcher: Matcher) -> list[_Column]:
    names = {fold(title): name for name in panel.variables for title in panel.titles.get(name, ())}
    names |= {fold(name): name for name in panel.variables}
    found = []
    for column in printed:
        name = names.get(fold(column.head))
        if name is not None and matcher.can_print(column, name):
            found.append(_Column(name, column, tuple(matcher.sizes(column, name, _MOST_ROWS))))
    return found


def _by_values(
    printed: Sequence[Printed], panel: Panel, matcher: Matcher, named: Sequence[_Column] = ()
) -> list[_Column]:
    """Columns under other heads, beside those that are named: the variables that hold the values, those that
    are rarest first."""
    found = list(named)
    for column in printed:
        if column.decimals is None and column.values.len() < 2:
            continue
        best: tuple[int, _Column] | None = None
        for option in _options(column, panel, matcher, {one.name for one in found}):
            joint = _joint([*found, option], matcher)
            matched = sum(row.size > 0 for row in joint) if joint is not None else 0
            if matched >= _MATCHED * len(option.sizes) and (best is None or matched > best[0]):
                best = (matched, option)
        if best is not None:
            found.append(best[1])
    return found


def _options(column: Printed, panel: Panel, matcher: Matcher, taken: set[str]) -> list[_Column]:
    """The variables that hold the values, those whose values are rarest first."""
    found = []
    needed = math.ceil(_MATCHED * sum(column.counts.values()))
    for name in panel.variables:
        if name not in taken and matcher.explained(column, name, needed) >= needed:
            sizes = matcher.sizes(column, name, _MOST_ROWS)
            found.append((float(np.mean(sizes)), name, tuple(sizes)))
    found.sort()
    return [_Column(name, column, sizes, len(found)) for _, name, sizes in found[:_MAX_OPTIONS]]


def _joint(columns: Sequence[_Column], matcher: Matcher) -> list[Rows] | None:
    """Per printed row the rows of the extract with its values in all columns: those of the column with the
    rarest values, of which each further column keeps some. None where no column has rare values."""
    first, *others = sorted(columns, key=lambda one: sum(one.sizes))
    if sum(first.sizes) > _MAX_HELD:
        return None
    found = []
    for at, held in enumerate(matcher.rows_of(first.printed, first.name, _MOST_ROWS)):
        rows = held
        for column in others:
            own = column.printed.keys[at]
            if own is None:
                rows = rows[:0]
            elif rows.size:
                theirs = matcher.keys_at(column.printed, column.name, rows)
                rows = rows[(theirs == own).fill_null(value=False).to_numpy()]
        found.append(rows)
    return found


def _records(
    columns: Sequence[_Column], panel: Panel, matcher: Matcher, thresholds: Thresholds
) -> int | None:
    """How many rows are records of the extract; None when it may be chance."""
    joint = _joint(columns, matcher)
    if joint is None:
        return None
    if panel.units:
        kind = "person" if "person" in panel.units else next(iter(panel.units))
        same = _same_person(columns, joint, panel.unit(kind)[0], thresholds)
        if same is not None:
            return same
    if len(columns) < 3:
        return None
    # Without any one of its columns the table must still be records: a label beside a median is none.
    parts = [[one for one in columns if one is not out] for out in columns]
    without = [(part, _joint(part, matcher)) for part in parts]
    if all(_unlikely(part, found, panel.rows, thresholds) for part, found in without):
        return sum(hit.size > 0 for hit in joint)
    return _few_records(columns, joint, [found for _, found in without], panel, thresholds)


def _few_records(
    columns: Sequence[_Column],
    joint: Sequence[Rows],
    without: Sequence[Sequence[Rows] | None],
    panel: Panel,
    thresholds: Thresholds,
) -> int | None:
    """Rows whose values, whichever column is left out, stand on fewer rows than a cell needs units: they are
    records, or numbers of groups that are too small. Nearly all rows of the table must be in the extract, and
    these rows together no chance, given how many variables each column could have been."""
    if sum(hit.size > 0 for hit in joint) < _MATCHED * len(joint) or any(one is None for one in without):
        return None
    digits = []
    for at, hit in enumerate(joint):
        few = all(0 < rows[at].size < thresholds.min_units for rows in without if rows is not None)
        own = _digits(columns, at, panel.rows) - float(np.log10(_CORRELATED * hit.size)) if hit.size else 0.0
        if few and own > 0:
            digits.append(own)
    needed = _SPARE_DIGITS + sum(float(np.log10(max(one.options, 1))) for one in columns)
    enough = len(digits) >= thresholds.limit("trajectory", "rows") and sum(digits) >= needed
    return len(digits) if enough else None


def _digits(columns: Sequence[_Column], at: int, total: int) -> float:
    """How improbable one row is: digits of one over the rows that chance would put there."""
    shares = [max(column.sizes[at], 1) / total for column in columns]
    return -float(np.log10(float(total)) + np.sum(np.log10(shares)))


def _same_person(
    columns: Sequence[_Column], joint: Sequence[Rows], person: npt.NDArray[np.int32], thresholds: Thresholds
) -> int | None:
    """All rows are those of the same few persons, and chance would not find such a person, given how many
    variables each column could have been. A row printed twice is no second chance."""
    total = int(person.max()) + 1
    shared: Rows | None = None
    expected = float(total) * math.prod(max(one.options, 1) for one in columns)
    guessed = any(one.options > 1 or fold(one.printed.head) != fold(one.name) for one in columns)
    matched = 0
    seen: set[tuple[object, ...]] = set()
    inside = np.zeros(total + 1, dtype=np.bool_)  # the last place: rows of nobody
    for at, hit in sorted(enumerate(joint), key=lambda one: len(one[1])):
        inside[:] = False
        inside[person[hit]] = True
        size = int(np.count_nonzero(inside[:-1]))
        if not size:
            continue
        matched += 1
        keys = tuple(one.printed.keys[at] for one in columns)
        if keys not in seen:
            expected *= size / total * (_CORRELATED if seen and guessed else 1.0)
        seen.add(keys)
        shared = np.flatnonzero(inside[:-1]) if shared is None else shared[inside[shared]]
        if not shared.size:
            return None
    if shared is None or matched < max(_MATCHED * len(joint), thresholds.limit("trajectory", "rows")):
        return None
    few = 0 < shared.size < thresholds.min_units
    return matched if few and expected < _CHANCE else None


def _unlikely(
    columns: Sequence[_Column], joint: Sequence[Rows] | None, total: int, thresholds: Thresholds
) -> bool:
    """Whether nearly all rows stand on a few rows of the extract where chance expects almost none."""
    rare = 0
    for at, hit in enumerate(joint or ()):
        expected = float(total) * float(np.prod([column.sizes[at] / total for column in columns]))
        rare += 0 < hit.size < thresholds.min_units and expected < 0.3 * hit.size
    return joint is not None and rare >= _MATCHED * len(joint)
