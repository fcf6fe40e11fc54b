"""The rules over reproduced numbers: units, dominance, shares, extremes, percentiles, totals.

All of it needs the explanation of a table (`recompute`): a number nobody could make again has no units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pyroaring import BitMap

from hub.checks.cells import Cell
from hub.checks.dominance import AMOUNTS, DISPERSIONS, INTERVALS, dominance
from hub.checks.edges import find_edges
from hub.checks.explanations import Fit, Recomputed
from hub.checks.findings import Finding, Place, Severity
from hub.checks.groups import Groups, split
from hub.checks.kinds import is_area
from hub.checks.layouts import TOTAL, Entry
from hub.checks.marks import find_marks
from hub.checks.measures import Measure, printed, values_of
from hub.checks.panels import Floats
from hub.checks.remainders import COUNTS, Remainders
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds
from hub.checks.within import find_within

_SHARES_OF_BINARY = AMOUNTS | DISPERSIONS
_OF_AMOUNTS = AMOUNTS | DISPERSIONS | {"median", "quantile"}
_ORDERED = frozenset({"median", "quantile"})
_TELLING = frozenset({"sum", "mean", "median", "quantile", "min", "max", "gini"}) | INTERVALS
_EMPLOYERS = 3  # of an area: SDAP (maps)
MAX_CELLS = 5_000  # of a table; one with more counts as not known (hub.checks.headings)

_FEW_VALUES = 100  # of a variable at the precision of a number


class Judge:
    """One explained table against the rules."""

    def __init__(self, found: Recomputed, table: Table, thresholds: Thresholds) -> None:
        self.found = found
        self.table = table
        self.thresholds = thresholds
        self.kinds = list(found.panel.units)
        self.person = "person" if "person" in self.kinds else next(iter(self.kinds), None)
        self._halves: dict[tuple[int, str], Groups] = {}  # the groups of the keys live in the cube
        self.remainders = Remainders(found, self.kinds, thresholds.min_units)
        self._with_units = True
        self._sets: dict[tuple[object, ...], BitMap] = {}

    def findings(self) -> list[Finding]:
        """Every rule broken by a reproduced number."""
        found: list[Finding] = []
        for fit, sure in zip(self.found.fits, self.found.sure, strict=True):
            if fit is None or not self._believed(fit, sure=sure):
                continue
            for at, entry in enumerate(fit.series.entries):
                if fit.matched[at] and not np.isnan(printed_value(fit, at)):
                    found += self._judge(fit, entry, at)
            if fit.measure.statistic in COUNTS or fit.measure.statistic == "share":
                found += self._group_shares(fit)
            found += self._totals(fit)
        found += find_marks(self.found, self.table, self.thresholds)
        found += find_edges(self.found, self.table, self.thresholds)
        return [*found, *find_within(self.found, self.table, self.thresholds)]

    def _believed(self, fit: Fit, *, sure: bool) -> bool:
        """Whether the match is evidence: beyond chance, or all but a few cells of a long column."""
        named = (
            fit.measure.statistic in ("min", "max") and fit.measure.statistic in fit.series.hint.statistics
        )
        return (
            sure
            or (fit.complete and fit.said and named)
            or (not fit.complete and fit.digits >= 2 * (6 + np.log10(max(self.found.tried, 1))))
        )

    def _severity(self, fit: Fit, rule: str, *, printed_small: bool = True) -> Severity:
        severity = self.thresholds.severity(rule)
        if rule == "extreme" and self._is_label(fit):
            return Severity.REVIEW
        if severity is Severity.BLOCK and fit.rounded and not printed_small:
            return Severity.REVIEW  # a rounded number does not say how few they are
        return severity

    def _is_label(self, fit: Fit) -> bool:
        """Whether a number under no head of an extreme, of no group, is one of few values of its variable: a
        year, say, which is the first one by chance."""
        name = fit.measure.variable
        if name is None or self.found.layout.axes or fit.measure.statistic in fit.series.hint.statistics:
            return False
        low, high = self.found.panel.span(name)
        width = 2 * float(np.nanmin(printed(fit.series.entries).tolerance))
        return (high - low) / max(width, 1e-12) < _FEW_VALUES

    def _place(self, entry: Entry) -> Place:
        return self.table.place.within(row=entry.row, column=entry.column)

    def _head(self, entry: Entry) -> str:
        return str(self.table.columns[entry.column])[:80]

    def _judge(self, fit: Fit, entry: Entry, at: int) -> Iterator[Finding]:
        measure = fit.measure
        groups, number = self.found.cube.at(entry.levels, measure.base)
        rows = _counted(groups, measure)[number]
        if rows == 0:
            if measure.statistic in (*COUNTS, "share"):
                yield self._finding("empty_cell", fit, entry, {})
            return
        few = self._units(groups, number, measure)
        small = {kind: n for kind, n in few.items() if n < self.thresholds.min_units}
        if small:
            yield self._small(fit, entry, small, printed_value(fit, at))
            yield from self._area(fit, entry, few)
            return
        yield from self._same(fit, entry, groups, number)
        yield from self._of_statistic(fit, entry, at, few, rows)

    def _of_statistic(
        self, fit: Fit, entry: Entry, at: int, few: dict[str, int], rows: float
    ) -> Iterator[Finding]:
        """The rules that a statistic has of its own, where enough units are behind it."""
        measure = fit.measure
        groups, number = self.found.cube.at(entry.levels, measure.base)
        if measure.statistic == "share":
            yield from self._base(fit, entry)
        binary = measure.variable is not None and self._is_binary(measure.variable)
        if binary and measure.statistic in _SHARES_OF_BINARY:
            yield from self._binary(fit, entry, groups, number, str(measure.variable))
        if measure.statistic == "correlation" and measure.other not in (None, measure.variable):
            for name, other in ((measure.variable, measure.other), (measure.other, measure.variable)):
                if self._is_binary(str(name)):  # with a rare 1 it tells the mean of those few
                    yield from self._binary(fit, entry, groups.having(str(other)), number, str(name))
        if not binary and measure.variable is not None:
            yield from self._dominance(fit, entry, groups, number)
        if measure.statistic in ("min", "max") and not self._otherwise(fit):
            yield self._finding("extreme", fit, entry, {}, statistic=measure.statistic)
        if measure.statistic in _ORDERED:
            yield from self._percentile(fit, entry, few)
        if measure.statistic in DISPERSIONS or measure.statistic == "correlation":
            yield from self._dispersion(fit, entry, rows, fit.values[at])

    def _units(self, groups: Groups, number: int, measure: Measure) -> dict[str, int]:
        if measure.other is not None:
            both = _with_both(groups, measure)
            return {kind: int(both.units(kind, measure.other)[number]) for kind in self.kinds}
        return {kind: int(groups.units(kind, measure.variable)[number]) for kind in self.kinds}

    def _area(self, fit: Fit, entry: Entry, units: Mapping[str, int]) -> Iterator[Finding]:
        """An area with fewer than three employers."""
        axes = zip(self.found.layout.axes, entry.levels, strict=True)
        names = [axis.variable for axis, level in axes if level != TOTAL]
        titles = self.found.panel.titles
        if units.get("employer", _EMPLOYERS) < _EMPLOYERS and any(
            is_area(name, titles.get(name, ())) for name in names
        ):
            evidence = {"employers": units["employer"]}
            yield self._finding("map", fit, entry, evidence, limit=self.thresholds.min_units)

    def _same(self, fit: Fit, entry: Entry, groups: Groups, number: int) -> Iterator[Finding]:
        """A sum of zeros, or a mean of equal values, says the value of everyone. (0/1 has its own rule.)"""
        name = fit.measure.variable
        if name is None or fit.measure.statistic not in _TELLING or self._is_binary(name):
            return
        if groups.varying(name)[number] == 0:
            yield self._finding("same_value", fit, entry, {})

    def _small(self, fit: Fit, entry: Entry, small: dict[str, int], value: float) -> Finding:
        visible = 0 < value < self.thresholds.min_units and fit.measure.statistic in COUNTS
        severity = self._severity(
            fit, "small_units", printed_small=visible or fit.measure.statistic not in COUNTS
        )
        kinds = ", ".join(small)
        if fit.rounded and not visible and fit.measure.statistic in COUNTS:
            limit = self.thresholds.min_units
            return self._finding("rounded_small", fit, entry, {"units": small}, limit=limit)
        return finding(
            "small_units",
            severity,
            self._place(entry),
            limit=self.thresholds.min_units,
            kinds=kinds,
            evidence={**self._evidence(fit, entry), "units": small},
        )

    def _finding(
        self, rule: str, fit: Fit, entry: Entry, evidence: Mapping[str, object], **values: Any
    ) -> Finding:
        return finding(
            rule,
            self._severity(fit, rule),
            self._place(entry),
            evidence={**self._evidence(fit, entry), **evidence},
            **values,
        )

    def _evidence(self, fit: Fit, entry: Entry) -> dict[str, object]:
        measure = fit.measure
        groups = {
            axis.variable: axis.words(self.found.panel, level)[:80]
            for axis, level in zip(self.found.layout.axes, entry.levels, strict=True)
            if level != TOTAL
        }
        return {
            "column": self._head(entry),
            "statistic": measure.statistic,
            **({"variable": measure.variable} if measure.variable else {}),
            "group": groups,
        }

    def _base(self, fit: Fit, entry: Entry) -> Iterator[Finding]:
        """The whole that a share is of needs as many units; so does what is left of it."""
        outer = tuple(
            level if axis in fit.measure.within else TOTAL for axis, level in enumerate(entry.levels)
        )
        groups, number = self.found.cube.at(outer, fit.measure.base)
        few = {kind: int(groups.units(kind)[number]) for kind in self.kinds}
        small = {kind: n for kind, n in few.items() if n < self.thresholds.min_units}
        if small:
            yield self._finding("small_share", fit, entry, {"units": small}, limit=self.thresholds.min_units)

    def _is_binary(self, name: str) -> bool:
        known = self.found.panel.categories(name)
        return known is not None and (set(known.values) <= {0, 1} or self.found.panel.answers(name))

    def _binary(self, fit: Fit, entry: Entry, groups: Groups, number: int, name: str) -> Iterator[Finding]:
        """The mean of 0 and 1 is a share: those with a 1 are its numerator, those with a 0 the rest."""
        sides = self._sides(groups, name)
        for wanted in (1, 0):
            at = 2 * number + wanted
            units = {kind: int(sides.units(kind)[at]) for kind in self.kinds}
            least = min(units.values(), default=0)
            if 0 < least < self.thresholds.min_units:
                counted = fit.measure.statistic == "sum"  # of ones: how many there are
                said = wanted == 1 and (counted or "share" in fit.series.hint.statistics)
                rule = "small_share" if said else "binary_mean"
                yield self._finding(rule, fit, entry, {"units": units}, limit=self.thresholds.min_units)
                return
            if least == 0 and not sides.rows()[at]:
                yield self._finding(
                    "binary_mean", fit, entry, {"units": units}, limit=self.thresholds.min_units
                )
                return

    def _sides(self, groups: Groups, name: str) -> Groups:
        """Each group in two: those with a 0, then those with a 1."""
        key = (id(groups), name)
        if key not in self._halves:
            known = self.found.panel.few_categories(name)
            one = known.numbers.get(1.0)
            ones = np.array(
                [*(at == one for at in range(len(known.values))), -1], dtype=np.int16
            )  # -1: missing
            gid = split(groups.gid, ones[known.codes], groups.count, 2)
            self._halves[key] = Groups(groups.panel, gid, 2 * groups.count)
        return self._halves[key]

    def _dominance(self, fit: Fit, entry: Entry, groups: Groups, number: int) -> Iterator[Finding]:
        broken = dominance(groups, number, fit.measure, self.kinds, self.thresholds)
        if broken is not None:
            percent = round(100 * broken.share)
            found = self._finding(broken.rule, fit, entry, broken.evidence, percent=percent)
            yield found if broken.sure else replace(found, severity=Severity.REVIEW)

    def _otherwise(self, fit: Fit) -> bool:
        """Whether the numbers are a median or a mean too: an extreme that all values share says nothing."""
        if set(fit.series.hint.statistics) & {"min", "max"}:
            return False
        numbers = printed(fit.series.entries)
        for statistic in ("mean", "median"):
            values = self.found.cube.values(replace(fit.measure, statistic=statistic), fit.series.entries)
            if (numbers.matches(values, 1e-9, rounded=False) > 0)[numbers.given].all():
                return True
        return False

    def _percentile(self, fit: Fit, entry: Entry, units: dict[str, int]) -> Iterator[Finding]:
        share = fit.measure.quantile or 0.5
        tail = min(share, 1 - share) + 1e-9
        words = (("p1", 0.0), ("p5", 0.05), ("decile", 0.1), ("quartile", 0.25), ("median", 0.5))
        word = [name for name, least in words if tail >= least][-1]
        needed = int(self.thresholds.limit("percentile_units", word))
        small = {kind: n for kind, n in units.items() if n < needed}
        if small:
            yield self._finding("percentile_units", fit, entry, {"units": small}, limit=needed)

    def _dispersion(self, fit: Fit, entry: Entry, rows: float, value: float) -> Iterator[Finding]:
        needed = int(self.thresholds.limit("dispersion", "degrees_of_freedom"))
        correlated = fit.measure.statistic == "correlation" and fit.measure.variable != fit.measure.other
        perfect = abs(value) > 1 - 1e-9 if correlated else value == 0
        if rows - 1 < needed or perfect:
            yield self._finding("dispersion", fit, entry, {"rows": int(rows)}, limit=needed)

    def _group_shares(self, fit: Fit) -> Iterator[Finding]:
        """No cell holds more than 90 % of its row or column (of the whole, where there is one grouping)."""
        axes = len(self.found.layout.axes)
        limit = self.thresholds.limit("group_share", "share")
        # Beside means the counts only say how many stand behind them: people judge.
        pure = all(f is not None and f.measure.statistic in (*COUNTS, "share") for f in self.found.fits)
        for at, entry in enumerate(fit.series.entries):
            used = [axis for axis, level in enumerate(entry.levels) if level != TOTAL]
            if not fit.matched[at] or not used or len(used) < axes:
                continue
            groups, number = self.found.cube.at(entry.levels, fit.measure.base)
            cell = groups.rows()[number]
            for axis in used:
                known = self.found.panel.categories(self.found.layout.axes[axis].variable)
                if known is not None and len(known.values) < 2:
                    continue  # nothing else to be
                outer = tuple(TOTAL if a == axis else level for a, level in enumerate(entry.levels))
                whole, position = self.found.cube.at(outer, "known")
                total = whole.rows()[position]
                if total > 0 and cell / total > limit:
                    rule = "group_share" if axes > 1 and pure else "population_share"
                    share = {"share": round(float(cell / total), 4)}
                    yield self._finding(rule, fit, entry, share, percent=round(100 * limit))
                    break

    def _totals(self, fit: Fit) -> Iterator[Finding]:
        """What a total holds beside the printed cells of its line must be nobody, or enough units."""
        if self.person is None:
            return
        for entry, units in self.remainders.of(fit):
            limit = self.thresholds.min_units
            yield self._finding("suppression_undone", fit, entry, {"units": units}, limit=limit)

    def cells(self, *, with_units: bool = True) -> list[Cell]:
        """Every reproduced number with its units, as the ledger keeps them; at most 5,000, which is more than
        `judge` lets pass."""
        self._with_units = with_units
        found: list[Cell] = []
        for fit, sure in zip(self.found.fits, self.found.sure, strict=True):
            if fit is None or not sure:
                continue
            for at, entry in enumerate(fit.series.entries):
                if not np.isnan(printed_value(fit, at)) and len(found) < MAX_CELLS:
                    found.append(self._cell(fit, entry, float(fit.values[at])))
        return found

    def _cell(self, fit: Fit, entry: Entry, value: float) -> Cell:
        measure = fit.measure
        groups, number = self.found.cube.at(entry.levels, measure.base)
        units = self._units(groups, number, measure)
        shares = None
        if measure.statistic in _OF_AMOUNTS and self.person is not None and measure.variable is not None:
            one, two, _ = groups.top_shares(self.person, measure.variable, measure.weight)
            shares = (float(np.nan_to_num(one[number])), float(np.nan_to_num(two[number])))
        return Cell(
            entry.row,
            entry.column,
            self.found.panel.name,
            measure.statistic,
            measure.variable,
            value if np.isfinite(value) else 0.0,
            units.get(self.person) if self.person is not None else None,
            units.get("household"),
            units.get("employer"),
            shares,
            self._members(groups, number, measure.variable),
            self.table.place,
        )

    def _members(self, groups: Groups, number: int, name: str | None) -> BitMap | None:
        """The persons of a group; one set for all the statistics of a cell."""
        if self.person is None or not self._with_units:
            return None
        key = (id(groups), number, name)
        if key not in self._sets:
            self._sets[key] = BitMap(groups.members(self.person, number, name).astype(np.uint32))
        return self._sets[key]


def printed_value(fit: Fit, at: int) -> float:
    """The number as printed; NaN where it is suppressed."""
    return float(printed(fit.series.entries[at : at + 1]).values[0])


def _counted(groups: Groups, measure: Measure) -> Floats:
    if measure.other is not None:
        return _with_both(groups, measure).present(measure.other)
    return values_of(groups, Measure("count", measure.variable))


def _with_both(groups: Groups, measure: Measure) -> Groups:
    """The groups over the rows with both variables of a correlation."""
    return groups.having(str(measure.variable))
