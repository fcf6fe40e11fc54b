"""Columns of one table that count nearly the same people: all, and those with a value. Their difference
shows the few who have none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hub.checks.explanations import Fit, Recomputed
from hub.checks.findings import Finding, Place, Severity
from hub.checks.groups import Groups, without_rows
from hub.checks.measures import UNIT_KINDS, printed
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

_ROWS = "rows"
_SPREADS = frozenset({"sd", "variance"})
_ERRORS = frozenset({"se", "ci_low", "ci_high"})


@dataclass(frozen=True)
class _Counted:
    """A number of rows, or of units, that the cells of a series tell. `of`: those with a value of this."""

    kind: str
    of: str | None
    fit: Fit


def find_within(found: Recomputed, table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """`differing_populations` for a cell of which two columns, one after the other taken away, leave 1 to 9
    units; the first of each pair of columns."""
    for one, two in combinations(_counted(found), 2):
        if one.kind != two.kind or one.of == two.of:
            continue
        few = _first_few(found, one, two, thresholds.min_units)
        if few is None:
            continue
        (row, column), units = few
        severity = thresholds.severity("differing_populations")
        rounded = one.fit.rounded or two.fit.rounded
        place: Place = table.place.within(row=row, column=column)
        evidence = {"columns": [_head(table, each.fit) for each in (one, two)], "units": units}
        yield finding(
            "differing_populations",
            Severity.REVIEW if rounded else severity,
            place,
            limit=thresholds.min_units,
            evidence=evidence,
        )


def _head(table: Table, fit: Fit) -> str:
    return str(table.columns[fit.series.entries[0].column])[:80]


def _counted(found: Recomputed) -> list[_Counted]:
    """What the series count, or tell by a sum and its mean, or a deviation and its error."""
    told: list[_Counted] = []
    fits = [fit for fit, sure in zip(found.fits, found.sure, strict=True) if fit is not None and sure]
    by_variable: dict[str, dict[str, Fit]] = {}
    for fit in fits:
        measure = fit.measure
        if measure.weight is not None or measure.other is not None:
            continue
        if measure.statistic == "count" and measure.unit is None:
            told.append(_Counted(_ROWS, measure.variable, fit))
        elif measure.statistic in UNIT_KINDS:
            told.append(_Counted(measure.unit or UNIT_KINDS[measure.statistic], measure.variable, fit))
        elif measure.variable is not None:
            by_variable.setdefault(measure.variable, {}).setdefault(measure.statistic, fit)
    for name, statistics in by_variable.items():
        said = set(statistics)
        if {"sum", "mean"} <= said:
            told.append(_Counted(_ROWS, name, statistics["sum"]))
        elif said & _SPREADS and said & _ERRORS:
            told.append(_Counted(_ROWS, name, statistics[next(iter(said & _SPREADS))]))
    return told


def _first_few(
    found: Recomputed, one: _Counted, two: _Counted, least: int
) -> tuple[tuple[int, int], dict[str, int]] | None:
    """The first cell of the two series at the same place whose people differ by some but too few."""
    given = {
        entry.levels: entry
        for entry, shown, matched in zip(
            two.fit.series.entries, printed(two.fit.series.entries).given, two.fit.matched, strict=True
        )
        if shown and matched
    }
    shown = printed(one.fit.series.entries).given & one.fit.matched
    for entry in np.array(range(len(one.fit.series.entries)))[shown].tolist():
        own = one.fit.series.entries[entry]
        if own.levels not in given:
            continue
        groups, number = found.cube.at(own.levels, one.fit.measure.base)
        units = _few(groups, number, one, two, least)
        if units is not None:
            return (own.row, own.column), units
    return None


def _few(groups: Groups, number: int, one: _Counted, two: _Counted, least: int) -> dict[str, int] | None:
    """The units in whom two nested sets of rows differ; None where they are none, or enough, or the sets
    only cross."""
    apart = [
        side for side in (_only(groups, one.of, two.of), _only(groups, two.of, one.of)) if side is not None
    ]
    held = [side for side in apart if side.rows()[number]]
    if len(held) != 1:
        return None
    kinds = list(groups.panel.units)
    if one.kind == _ROWS:
        units = {kind: int(held[0].units(kind)[number]) for kind in kinds}
    else:
        units = {one.kind: abs(_units(groups, number, one) - _units(groups, number, two))}
    few = {kind: count for kind, count in units.items() if 0 < count < least}
    return few or None


def _units(groups: Groups, number: int, counted: _Counted) -> int:
    return int(groups.units(counted.kind, counted.of)[number])


def _only(groups: Groups, having: str | None, without: str | None) -> Groups | None:
    """The groups over the rows with a value of one variable and none of another; None where all have it."""
    panel = groups.panel
    if without is None or panel.is_complete(without):
        return None
    own = groups if having is None or panel.is_complete(having) else groups.having(having)
    gaps = panel.gaps(without)
    return Groups(panel, without_rows(own.gid, lambda rows: ~gaps(rows)), groups.count)
