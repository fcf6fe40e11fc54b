"""Means of a part of the rows that a table does not name: two conditions that make all its numbers again,
though nothing in it says so. What they tell about a few is evidence, and no reason to let the table pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
import numpy.typing as npt

from hub.checks.axes import Axis
from hub.checks.findings import Finding
from hub.checks.layouts import TOTAL, Entry, Layout, layouts
from hub.checks.measures import Printed, printed
from hub.checks.panels import Floats, Panel
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.terms import units_among
from hub.checks.thresholds import Thresholds

Codes = npt.NDArray[np.int64]
_MOST_READINGS = 4
_LEAST_CELLS = 4
_MOST_VALUES = 40  # of a variable that a condition is about
_MOST_PARTS = 12  # that make the same numbers again: those of one, more or less
_MOST_WORK = 60_000_000  # rows counted, over all pairs of variables
_BY_CHANCE = 1e-4  # how many parts may be expected to make the numbers again that are not the one


@dataclass(frozen=True)
class _Part:
    """The rows (of all) that two conditions leave, and what the conditions are."""

    rows: Codes
    conditions: dict[str, str]


def find_hidden_part(table: Table, panels: Sequence[Panel], thresholds: Thresholds) -> Iterator[Finding]:
    """`small_units` for each mean of an unexplained table that is of too few units: in every part of the rows
    that makes all its numbers again, where none does by chance."""
    for panel in panels:
        for layout in islice(layouts(table, panel), _MOST_READINGS):
            name = _variable_of(layout)
            if name is None or not panel.units:
                continue
            (axis,), (series,) = layout.axes, layout.series
            numbers = printed(series.entries)
            totals = any(one.levels[0] == TOTAL for one in series.entries)
            if int(numbers.given.sum()) < _LEAST_CELLS or totals or numbers.whole:
                continue
            parts = _parts_of(panel, axis, name, series.entries, numbers)
            if parts:
                yield from _few(table, panel, axis, series.entries, parts, thresholds)
                return


def _variable_of(layout: Layout) -> str | None:
    """What a table of means by one variable is of."""
    if len(layout.axes) != 1 or len(layout.series) != 1 or not layout.certain or layout.by_variables:
        return None
    hint = layout.series[0].hint
    means = set(hint.statistics) <= {"mean"} and not hint.weighted
    return hint.variables[0] if means and len(hint.variables) == 1 else None


def _parts_of(panel: Panel, axis: Axis, name: str, entries: Sequence[Entry], numbers: Printed) -> list[_Part]:
    values = panel.numbers(name)
    if values is None:
        return []
    level = axis.levels(panel).astype(np.int64)
    rows = np.flatnonzero((level >= 0) & ~np.isnan(values))
    level, values = level[rows], values[rows]
    others = _coded(panel, rows, (axis.variable, name))
    groups = [one.levels[0] for one in entries]
    found: list[_Part] = []
    expected = work = 0.0
    for (one, first), (two, second) in combinations(others.items(), 2):
        work += rows.size
        if work > _MOST_WORK:
            break
        means, sizes = _means(level, values, first, second, max(groups) + 1)
        right, chance = _right(means[groups], sizes[groups], numbers)
        expected += chance
        for a, b in right:
            kept = rows[(first == a) & (second == b)]
            found.append(_Part(kept, {one: _word(panel, one, a), two: _word(panel, two, b)}))
    return found if len(found) <= _MOST_PARTS and expected < _BY_CHANCE else []


def _coded(panel: Panel, rows: Codes, without: Sequence[str]) -> dict[str, Codes]:
    found = {}
    for name in panel.variables:
        known = panel.categories(name) if name not in without else None
        if known is not None and 2 <= len(known.values) <= _MOST_VALUES:
            found[name] = known.codes[rows].astype(np.int64)
    return found


def _means(level: Codes, values: Floats, first: Codes, second: Codes, groups: int) -> tuple[Floats, Codes]:
    """The mean and the rows of each group (first axis) in each part (the others)."""
    shape = (groups, int(first.max(initial=-1)) + 1, int(second.max(initial=-1)) + 1)
    known = (first >= 0) & (second >= 0) & (level < groups)
    keys = np.ravel_multi_index((level[known], first[known], second[known]), shape)
    sizes = np.bincount(keys, minlength=int(np.prod(shape)))
    sums = np.bincount(keys, values[known], minlength=int(np.prod(shape)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (sums / sizes).reshape(shape), sizes.reshape(shape)


def _right(means: Floats, sizes: Codes, numbers: Printed) -> tuple[list[tuple[int, int]], float]:
    """The parts of which every printed number is the mean, and how many could be so by chance: of the parts,
    the share that each number is right in, all together."""
    given = np.flatnonzero(numbers.given)
    near = np.zeros(means.shape, dtype=np.bool_)
    near[given] = np.abs(means[given] - numbers.values[given, None, None]) <= (
        numbers.tolerance[given, None, None] * (1 + 1e-6) + 1e-9 * np.abs(means[given])
    )
    with np.errstate(invalid="ignore"):
        there = sizes > 0
        shares = ((near & there)[given].sum(axis=(1, 2)) + 1) / (there[given].sum(axis=(1, 2)) + 1)
    parts = int(there.any(axis=0).sum())
    right = np.argwhere((near & there)[given].all(axis=0))
    return [(int(a), int(b)) for a, b in right], float(parts * np.prod(shares))


def _few(
    table: Table,
    panel: Panel,
    axis: Axis,
    entries: Sequence[Entry],
    parts: Sequence[_Part],
    thresholds: Thresholds,
) -> Iterator[Finding]:
    levels = axis.levels(panel)
    for entry in entries:
        told = []
        for part in parts:
            own = part.rows[levels[part.rows] == entry.levels[0]]
            units = {kind: units_among(panel.unit(kind)[0][own]) for kind in panel.units}
            told.append({kind: count for kind, count in units.items() if 0 < count < thresholds.min_units})
        small = told[0]
        if all(told):
            evidence = {"units": small, "part": parts[0].conditions}
            yield finding(
                "small_units",
                thresholds.severity("small_units"),
                table.place.within(row=entry.row, column=entry.column),
                limit=thresholds.min_units,
                kinds=", ".join(small),
                evidence=evidence,
            )


def _word(panel: Panel, name: str, at: int) -> str:
    known = panel.categories(name)
    return str(known.values[at])[:80] if known is not None else "?"
