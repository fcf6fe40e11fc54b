"""From a printed table back to the extract: which grouping and which statistics make the same numbers.

A reading of the table (`layouts`) is tried over all rows, then over the rows of one value of another
variable. A series of numbers counts as reproduced when all its cells are what would be printed, and when
that explains more digits than the number of guesses could hit by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hub.checks.axes import Axis
from hub.checks.candidates import candidates, taught, weights_of
from hub.checks.explanations import Filter, Fit, Recomputed
from hub.checks.layouts import TOTAL, Layout, Series, layouts
from hub.checks.measures import BASES, Cube, Measure, Printed, printed, values_of
from hub.checks.panels import Panel, fold
from hub.checks.probes import could_count_units, probe_of
from hub.checks.tables import Table

_SPARE_DIGITS = 2.0
_SAID_DIGITS = 3.0  # of series whose heads name their statistic
_MANY_CELLS = 4
_PARTLY = 0.8
_MAX_FILTER_VARIABLES = 20
_MAX_FILTER_VALUES = 40
_MAX_FILTERED = 6
_PROBED = frozenset({"mean", "sum", "sd", "median"})
_MOST_PROBED = 8
_MAX_SAID = 6  # values that a title names
_TELLING_WORD = 4
_MAX_TEACHERS = 4
# Rows looked at for guesses that no head suggests, per table: about a second. More rows, fewer guesses.
# What is not found within it stays unexplained, which is a REVIEW.
_BUDGET = 140_000_000
_LEAST_TRIED = 10
_LEAST_COST = 50_000  # of a guess that a few rows refuted: what it takes beside looking at rows
_COUNTED_ONCE = 10  # guesses at counts and shares that the same counted groups answer
_LAYOUT_SHARE = 6  # of many readings one may use up a sixth of what is left
_LEVELS = frozenset({"mean", "median", "quantile", "sd", "se", "ci_low", "ci_high", "gini", "correlation"})
_MAX_FAILED = 4  # series of one reading that no guess explains, before the others are not guessed at


class Search:
    """Tables of one file against one panel; what one table taught helps the next."""

    def __init__(self, panel: Panel, context: str = "") -> None:
        self.panel = panel
        self.context = context
        self.tried = 0
        self.spent = 0
        self.readings = 1  # still to be tried
        self._cube: tuple[Layout, Cube] | None = None
        self._spreads: dict[str, float] = {}

    def explain(self, table: Table) -> Recomputed | None:
        """The best explanation of `table`; None when no reading of it explains anything."""
        best: Recomputed | None = None
        self.spent = 0
        readings = [
            layout
            for layout in layouts(table, self.panel)
            if any(entry_given(series) for series in layout.series)
        ]
        for at, layout in enumerate(readings):
            self.readings = len(readings) - at
            found = self.read(layout, None)
            if best is None or found.score > best.score or (found.complete and not best.complete):
                best = found
            if found.complete:
                return found
        for layout in readings[:_MAX_FILTERED]:
            for where in self._filters(layout):
                found = self.read(layout, where)
                if best is None or found.complete or found.score > best.score + 1:
                    best = found
                if found.complete:
                    return found
        return best if best is not None and best.score > 0 else None

    def read(self, layout: Layout, where: Filter | None) -> Recomputed:
        """What explains one reading of a table, over the rows of the filter."""
        cube = cube_over(self.panel, layout.axes, where)
        fits: list[Fit | None] = []
        base = BASES[0]
        budget = max(_BUDGET, _LEAST_TRIED * self.panel.rows)
        limit = self.spent + (budget - self.spent) // min(_LAYOUT_SHARE, self.readings)
        for series in layout.series:
            failed = sum(fit is None for fit in fits)
            fit = self._fit(layout, series, cube, base, limit if failed < _MAX_FAILED else -1)
            if fit is not None and fit.rounded and where is not None and where.position is None:
                fit = None  # the gaps of some variable explain exact numbers only: they are many
            if fit is not None:
                base = fit.measure.base  # the totals of one table hold the same rows
            fits.append(fit)
        found = Recomputed(self.panel, layout, cube, fits, where, self.tried)
        found.sure = self._sure(found)
        if not found.complete:
            self._teach(found)
        if where is not None and not self._tells_apart(found, where):
            found.sure = [False] * len(fits)
        return found

    def _tells_apart(self, found: Recomputed, where: Filter) -> bool:
        """Whether the numbers could only be of the rows of a filter that nothing names: the means of many
        groups lie close together, so that only what tells them apart counts."""
        if any(word in f" {fold(self.context)} " for word in _names_of(where.variable, self.panel)):
            return True
        told = 0.0
        for fit in found.fits:
            if fit is None or not fit.complete:
                continue
            name = fit.measure.variable
            if name is None or fit.measure.statistic not in _LEVELS or fit.rounded is not None:
                told += fit.digits
                continue
            spread = float(self._whole(name)) * fit.measure.scale
            numbers = printed(fit.series.entries)
            given = {
                (round(value, 9), 2 * tolerance)
                for value, tolerance in zip(
                    numbers.values[numbers.given].tolist(),
                    numbers.tolerance[numbers.given].tolist(),
                    strict=True,
                )
            }
            told += sum(math.log10(max(1.0, spread / width)) for _, width in given)
        return told >= math.log10(max(found.tried, 1)) + _SPARE_DIGITS

    def _whole(self, name: str) -> float:
        """The standard deviation of a variable over all rows."""
        if name not in self._spreads:
            numbers = self.panel.numbers(name)
            self._spreads[name] = float(np.nanstd(numbers)) if numbers is not None else 0.0
        return self._spreads[name]

    def _teach(self, found: Recomputed) -> None:
        """Series whose heads name no variable, by that of their neighbours: `n` beside a mean of wages counts
        the rows with a wage. Together they must explain more than chance."""
        names: dict[str, bool] = {}
        for fit, sure in zip(found.fits, found.sure, strict=True):
            if fit is not None and fit.complete and fit.measure.variable and fit.measure.other is None:
                names[fit.measure.variable] = names.get(fit.measure.variable, False) or sure
        for name in sorted(names, key=lambda one: not names[one])[:_MAX_TEACHERS]:
            learnt = {
                at: fit
                for at, sure in enumerate(found.sure)
                if not sure and (fit := self._learn(found, at, name)) is not None
            }
            together = sum(fit.digits for fit in learnt.values())
            needed = _SPARE_DIGITS if names[name] else math.log10(max(found.tried, 1)) + _SPARE_DIGITS + 1
            if learnt and together >= needed:
                for at, fit in learnt.items():
                    found.fits[at], found.sure[at] = fit, True

    def _learn(self, found: Recomputed, at: int, name: str) -> Fit | None:
        series, own = found.layout.series[at], found.fits[at]
        numbers = printed(series.entries)
        guesses = taught(found.layout, series, numbers, self.panel, name)
        if own is not None and own.complete and own.measure.variable == name:
            # One cell of few digits is any of a hundred guesses: it teaches only what its head says.
            said = own.said or replace(own.measure, base=BASES[0]) in guesses
            return own if said or own.digits >= _SPARE_DIGITS + 1 else None
        bases = BASES if any(TOTAL in entry.levels for entry in series.entries) else BASES[:1]
        for measure in guesses:
            for base in bases:
                fit = self._match(series, replace(measure, base=base), numbers, found.cube, said=False)
                if fit.complete and fit.digits >= math.log10(len(guesses)) + _SPARE_DIGITS:
                    return fit
        return None

    def _fit(self, layout: Layout, series: Series, cube: Cube, base: str, limit: int) -> Fit | None:
        numbers = printed(series.entries)
        if not numbers.given.any():
            return Fit(series, Measure("count"), numbers.values, ~numbers.given, 0.0, said=True, rounded=None)
        totals = any(TOTAL in entry.levels for entry in series.entries)
        bases = sorted(BASES, key=lambda one: one != base) if totals else (base,)
        best: Fit | None = None
        for measure, said in candidates(layout, series, numbers, self.panel):
            if not said and self.spent > limit:
                break
            self.tried += 1
            # Counts of rows are known once one of them is; the others are first tried on a few rows.
            probe = None if said or measure.variable is None else probe_of(cube, series, numbers)
            if probe is not None and not probe.allows(measure):
                self.spent += max(_LEAST_COST, 2 * probe.rows)
                continue
            cost = self.panel.rows if measure.variable is not None else self.panel.rows // _COUNTED_ONCE
            self.spent += 0 if said else cost + 20 * len(series.entries)
            # A share has a whole that is not printed: of the groups shown, or of all.
            for one in dict.fromkeys((*bases, *BASES)) if measure.statistic == "share" else bases:
                tried = replace(measure, base=one)
                if not could_count_units(cube, tried, series, numbers, _PARTLY):
                    continue
                fit = self._match(series, tried, numbers, cube, said=said)
                if fit.complete:
                    return fit
                enough = fit.matched.sum() - (~numbers.given).sum() >= _PARTLY * numbers.given.sum()
                if enough and (best is None or fit.matched.sum() > best.matched.sum()):
                    best = fit
        return best

    def _match(self, series: Series, measure: Measure, numbers: Printed, cube: Cube, *, said: bool) -> Fit:
        values = cube.values(measure, series.entries)
        precision = self.panel.precision(measure.variable) if measure.variable else 1e-9
        best: tuple[int, npt.NDArray[np.bool_], bool, bool] | None = None
        for rounded, loose in ((False, False), (True, False), (False, True)):
            if (rounded and numbers.base is None) or (loose and numbers.loose is None):
                continue
            matched = numbers.matches(values, precision, rounded=rounded, loose=loose) > 0
            if best is None or matched.sum() > best[0]:
                best = (int(matched.sum()), matched, rounded, loose)
        assert best is not None  # noqa: S101  (the first way is always tried)
        _, matched, rounded, loose = best
        return Fit(
            series,
            measure,
            values,
            matched | ~numbers.given,
            numbers.digits(rounded=rounded, loose=loose),
            said,
            numbers.base if rounded else None,
        )

    def _sure(self, found: Recomputed) -> list[bool]:
        """Which series are explained beyond chance: alone, or with others whose heads name them."""
        needed = math.log10(max(found.tried, 1)) + _SPARE_DIGITS
        said = sum(fit.digits for fit in found.fits if fit is not None and fit.said and fit.complete)
        pooled = sum(fit.digits for fit in found.fits if fit is not None and fit.complete) >= needed + 2
        # Labels and heads that say what a table is, and many cells of one number: people per year of a panel.
        cells = sum(len(one.entries) for one in found.layout.series)
        least = _SAID_DIGITS - (1.0 if found.layout.certain and cells >= _MANY_CELLS else 0.0)
        sure = []
        for fit in found.fits:
            if fit is None:
                sure.append(False)
            elif fit.said and (said >= min(needed, least) or (pooled and found.layout.certain)):
                sure.append(fit.complete)
            else:
                sure.append(fit.complete and fit.digits >= needed)
        if any(sure):  # the grouping is known: what a head says of it, and prints, is so
            sure = [
                one or (fit is not None and fit.said and fit.complete)
                for one, fit in zip(sure, found.fits, strict=True)
            ]
        return sure

    def _filters(self, layout: Layout) -> Iterator[Filter]:
        """Values of other variables that a title names, and those whose rows have the counts (or the first
        mean) that are printed."""
        yield from self._said_filters(layout)
        named = dict.fromkeys(
            v for one in layout.series for v in one.hint.variables if v in self.panel.numeric
        )
        gaps = [name for name in named if not self.panel.is_complete(name)]
        if gaps and len(named) > 1:  # the rows that lack none of the variables of the table
            yield Filter(gaps[0], None, tuple(gaps[1:]))
        probes = _probes(layout, self.panel)
        for name in self._filter_variables(layout) if probes else ():
            known = self.panel.categories(name)
            if known is None or not 2 <= len(known.values) <= _MAX_FILTER_VALUES:
                continue
            for series, measure, numbers in probes:
                self.tried += len(known.values)
                for position in self._fitting(layout, series, measure, numbers, name):
                    yield Filter(name, position)
        for series, measure, numbers in probes:
            if measure == Measure("count"):
                yield from self._known_rows(layout, series, numbers)

    def _said_filters(self, layout: Layout) -> Iterator[Filter]:
        """The values that the words beside the table name: "(1982)", "only union: yes"."""
        words = fold(self.context).split()
        found = 0
        for name in self._filter_variables(layout) if words else ():
            known = self.panel.categories(name)
            if known is None or not 2 <= len(known.values) <= _MAX_FILTER_VALUES:
                continue
            named = any(word in f" {' '.join(words)} " for word in _names_of(name, self.panel))
            numbers = ((f"{number:g}", position) for number, position in known.numbers.items())
            for text, position in dict.fromkeys((*known.texts.items(), *numbers)):
                said = f" {fold(text)} " in f" {' '.join(words)} "
                if said and (named or len(fold(text)) >= _TELLING_WORD) and found < _MAX_SAID:
                    found += 1
                    yield Filter(name, position)

    def _known_rows(self, layout: Layout, series: Series, numbers: Printed) -> Iterator[Filter]:
        """Variables whose rows with a value have the counts that are printed: tables are often of the rows
        that lack nothing, as the one before them was."""
        places = [at for at, entry in enumerate(series.entries) if TOTAL not in entry.levels]
        if not places:
            return
        cube = self._whole_cube(layout)
        groups, _ = cube.at(series.entries[places[0]].levels, "known")
        at = [cube.number(series.entries[place].levels) for place in places]
        part = Printed(numbers.values[places], numbers.tolerance[places], None, numbers.base, numbers.whole)
        probe = probe_of(cube, series, numbers)
        for name in self._filter_variables(layout):
            if name not in self.panel.numeric:
                continue
            self.tried += 1
            if probe is not None and not probe.allows(Measure("count", name)):
                continue
            values = groups.present(name)[at]
            if (values == groups.rows()[at]).all():
                continue
            if ((part.matches(values, 1e-9, rounded=False) > 0) | ~part.given).all():
                yield Filter(name, None)

    def _whole_cube(self, layout: Layout) -> Cube:
        """The groups of a layout over all rows: one for all filters that are tried on it."""
        if self._cube is None or self._cube[0] is not layout:
            self._cube = (layout, Cube(self.panel, layout.axes))
        return self._cube[1]

    def _filter_variables(self, layout: Layout) -> list[str]:
        used = {axis.variable for axis in layout.axes} | set(weights_of(self.panel))
        names = [name for name in self.panel.variables if name not in used]
        words = self.context.casefold()
        names.sort(key=lambda name: name.casefold() not in words)
        return names[:_MAX_FILTER_VARIABLES]

    def _fitting(
        self, layout: Layout, series: Series, measure: Measure, numbers: Printed, name: str
    ) -> Iterator[int]:
        """Values of `name` under which the measure prints the series: one grouping for all of them."""
        known = self.panel.few_categories(name)
        size = len(known.values)
        cube = self._whole_cube(layout)
        entries = [entry for entry in series.entries if TOTAL not in entry.levels]
        given = [at for at, entry in enumerate(series.entries) if TOTAL not in entry.levels]
        if not entries:
            return
        groups, _ = cube.at(entries[0].levels, "known")
        if groups.count * size > 200_000:
            return
        probe = probe_of(cube, series, numbers)
        if probe is not None and not probe.allows_within(measure, name):
            return
        counted = values_of(groups.parted(name), measure).reshape(groups.count, size)
        rows = [cube.at(entry.levels, "known")[1] for entry in entries]
        part = Printed(numbers.values[given], numbers.tolerance[given], None, numbers.base, numbers.whole)
        for position in range(size):
            values = counted[rows, position]
            for rounded in (False, True) if numbers.base else (False,):
                matched = part.matches(values, 1e-9, rounded=rounded) > 0
                if (matched | ~part.given).all():
                    yield position
                    break


def _names_of(name: str, panel: Panel) -> list[str]:
    """How a text may call a variable, between blanks."""
    return [f" {fold(one)} " for one in (name, *panel.titles.get(name, ()))]


def cube_over(panel: Panel, axes: tuple[Axis, ...], where: Filter | None) -> Cube:
    """The groups of the axes over the rows that a filter keeps."""
    if where is None:
        return Cube(panel, axes)
    if where.position is None:
        return Cube(panel, axes, where.mask(panel))
    return Cube(panel, axes, only=(where.variable, where.position))


def entry_given(series: Series) -> bool:
    """Whether a series holds a number at all."""
    return bool(printed(series.entries).given.any())


def _probes(layout: Layout, panel: Panel) -> list[tuple[Series, Measure, Printed]]:
    """The series that tells filters apart best: counts (of rows, or of those with a value that another head
    names), else the mean of a variable that a head names."""
    counted = dict.fromkeys(v for one in layout.series for v in one.hint.variables if v in panel.numeric)
    options: list[tuple[bool, float, Series, list[Measure], Printed]] = []
    for series in layout.series:
        numbers = printed(series.entries)
        if not numbers.given.any():
            continue
        digits = numbers.digits(rounded=False)
        if numbers.whole and ("count" in series.hint.statistics or not series.hint.statistics):
            counts = [Measure("count"), *(Measure("count", name) for name in list(counted)[:3])]
            options.append((True, digits, series, counts, numbers))
        said = set(series.hint.statistics)
        if not said <= _PROBED or series.hint.weighted:
            continue
        statistic = next(iter(said), "mean")
        named = [name for name in series.hint.variables if name in panel.numeric]
        if not named and said and layout.axes:  # "sd" alone: of the first variables that could be meant
            named = [name for name in panel.numeric if name not in {axis.variable for axis in layout.axes}]
            measures = [Measure(statistic, name) for name in named[:_MOST_PROBED]]
            options.append((False, digits - _SPARE_DIGITS, series, measures, numbers))
        for name in named if series.hint.variables else ():
            options.append((False, digits, series, [Measure(statistic, name)], numbers))
    if not options:
        return []
    _, digits, series, measures, numbers = max(options, key=lambda one: (one[0], one[1]))
    return [(series, measure, numbers) for measure in measures] if digits >= _SPARE_DIGITS else []
