"""A declared table made again: the declaration says grouping, filter and statistics, nothing is searched.

What it says is a claim. A number that differs is `false_claim`; columns that it does not name stay
unexplained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from hub.checks.axes import Axis
from hub.checks.explanations import Fit, Recomputed
from hub.checks.filters import Mask, UnreadableFilter, mask_of
from hub.checks.layouts import TOTAL, Entry, Layout, Series
from hub.checks.measures import BASES, INTERVALS, UNIT_KINDS, Cube, Measure, Printed, printed
from hub.checks.number_words import number_words
from hub.checks.order_statistics import QUANTILE_METHODS
from hub.checks.panels import Categories, Panel, fold
from hub.checks.row_numbers import numbers_rows
from hub.checks.tables import Table, number_of
from hub.checks.transitions import NEXT, Moves, moves_of
from hub.checks.wording import Band, Hint, is_missing, is_suppressed, is_total
from hub.documents.outputs import DeclaredTable, Grouping
from hub.documents.outputs import Measure as DeclaredMeasure


class UnreadableClaim(Exception):
    """The declaration does not fit the table or the extract; the text says where."""


def recompute_declared(table: Table, declared: DeclaredTable, panels: Sequence[Panel]) -> Recomputed:
    """The table as declared. `sure` is whether each measure holds. Raises UnreadableClaim."""
    panel = panel_of(declared.table, panels)
    try:
        mask = mask_of(declared.where, panel) if declared.where is not None else None
        mask = None if mask is not None and mask.all() else mask
    except UnreadableFilter as error:
        raise UnreadableClaim(f"where: {error}") from error
    if declared.time is not None:
        panel, mask = _moves(declared.time, panel, mask), None
    reading = _Reading(table, declared, panel)
    layout = reading.layout()
    cube = Cube(panel, layout.axes, mask)
    fits: list[Fit | None] = []
    for series, measure in zip(layout.series, reading.measures(), strict=False):
        fits.append(_fit(series, measure, reading, cube, declared))
    fits += [None] * (len(layout.series) - len(fits))
    found = Recomputed(panel, layout, cube, fits, None, 1)
    found.sure = [fit is not None and fit.complete for fit in fits]
    return found


def _moves(time: str, panel: Panel, keep: Mask | None) -> Moves:
    """The pairs of rows that a declared table of transitions is of."""
    moves = moves_of(panel, time, keep=keep) if time in panel.variables else None
    if moves is None:
        raise UnreadableClaim(f"time: {time[:80]}")
    return moves


def _name_of(one: Grouping) -> str:
    return NEXT + one.variable if one.next else one.variable


def panel_of(name: str, panels: Sequence[Panel]) -> Panel:
    """The table of the extract with this name; raises UnreadableClaim."""
    for panel in panels:
        if fold(name) in (fold(panel.name), fold(panel.part.path.name)):
            return panel
    raise UnreadableClaim(f"table: {name[:80]}")


class _Reading:
    """Which columns of the printed table hold what the declaration names."""

    def __init__(self, table: Table, declared: DeclaredTable, panel: Panel) -> None:
        self.table = table
        self.declared = declared
        self.panel = panel
        for one in declared.by:
            self._known(_name_of(one))
        for measure in declared.measures:
            for name in (measure.of, measure.weight, *(measure.within or ())):
                if name is not None:
                    self._known(name)

    def _known(self, name: str) -> None:
        if name not in self.panel.variables:  # identifiers group, filter and measure nobody
            raise UnreadableClaim(f"variable: {name[:80]}")

    def _column(self, head: str) -> int:
        heads = [one.strip() for one in self.table.columns]
        if head.strip() in heads:
            return heads.index(head.strip())
        folded = [fold(one) for one in heads]
        if folded.count(fold(head)) == 0:  # names of columns, then of rows, in one cell
            folded = [fold(one.rsplit(" / ", maxsplit=1)[-1]) for one in heads]
        if folded.count(fold(head)) == 1:
            return folded.index(fold(head))
        raise UnreadableClaim(f"column: {head[:80]}")

    def is_total(self, text: str) -> bool:
        if self.declared.total is not None:
            return text.strip().casefold() == self.declared.total.strip().casefold()
        return is_total(text)

    def layout(self) -> Layout:
        """Axes in the order of `by`; one series per measure, then one per column that nobody declared."""
        by = list(self.declared.by)
        spread = by.pop() if self.declared.spread and by else None
        labels = [self._label_column(one) for one in by]
        columns = [self.table.column(at) for at in labels]
        rows = [self._levels(one, cells) for one, cells in zip(by, columns, strict=True)]
        width = len(self.table.columns)
        rest = [at for at in range(width) if at not in labels and not numbers_rows(self.table, at)]
        axes = [axis for axis, _ in rows]
        if spread is not None:
            return self._spread(spread, axes, rows, labels, rest)
        series, claimed = [], []
        for measure in self.declared.measures:
            at = self._column(measure.column)
            claimed.append(at)
            series.append(
                replace(self._series(at, [levels for _, levels in rows]), hint=Hint((measure.stat,)))
            )
        for at in rest:
            if at not in claimed and any(number_of(cell) is not None for cell in self.table.column(at)):
                series.append(self._series(at, [levels for _, levels in rows]))
        return Layout(tuple(axes), tuple(series), tuple(labels), certain=True)

    def _label_column(self, one: Grouping) -> int:
        if one.column is not None:
            return self._column(one.column)
        return self._column(f"next_{one.variable}" if one.next else one.variable)

    def _series(self, at: int, rows: Sequence[Sequence[int]]) -> Series:
        entries = [
            Entry(row, at, text, tuple(levels[row] for levels in rows))
            for row, text in enumerate(self.table.column(at))
        ]
        return Series(Hint(), tuple(self._readable(entries)))

    def _readable(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        for entry in entries:
            mark = self.declared.suppressed
            own = mark is not None and entry.text.strip() == mark.strip() and _is_mark(mark)
            if number_of(entry.text) is None and not own and not is_suppressed(entry.text):
                raise UnreadableClaim(f"row {entry.row + 1}")
            yield replace(entry, text="") if own and not is_suppressed(entry.text) else entry

    def _spread(
        self,
        spread: Grouping,
        axes: list[Axis],
        rows: Sequence[tuple[Axis, tuple[int, ...]]],
        labels: Sequence[int],
        rest: Sequence[int],
    ) -> Layout:
        axis, levels = self._levels(spread, [self.table.columns[at] for at in rest])
        entries = [
            Entry(row, at, text, (*(own[row] for _, own in rows), level))
            for at, level in zip(rest, levels, strict=True)
            for row, text in enumerate(self.table.column(at))
        ]
        series = Series(Hint(), tuple(self._readable(entries)))
        return Layout((*axes, axis), (series,), tuple(labels), certain=True)

    def _levels(self, one: Grouping, cells: Sequence[str]) -> tuple[Axis, tuple[int, ...]]:
        """The axis of a grouping and the level of each label (an outer label is written once)."""
        filled = list(cells)
        for row in range(1, len(filled)):
            filled[row] = filled[row] if filled[row].strip() else filled[row - 1]
        distinct = list(dict.fromkeys(cell for cell in filled if not self.is_total(cell)))
        axis = self._banded(one, distinct) if one.breaks is not None else self._valued(one, distinct)
        levels = tuple(TOTAL if self.is_total(cell) else distinct.index(cell) for cell in filled)
        return axis, levels

    def _valued(self, one: Grouping, distinct: Sequence[str]) -> Axis:
        known = self.panel.categories(_name_of(one))
        if known is None:
            raise UnreadableClaim(f"by: {one.variable[:80]}")
        if one.groups is not None:
            return merged_axis(one, known, distinct)
        positions: list[int] = []
        for text in distinct:
            at = known.find(text)
            if at is None and not is_missing(text):
                raise UnreadableClaim(f"label of {one.variable[:80]}")
            positions.append(-1 if at is None else at)
        if len(set(positions)) < len(positions):
            raise UnreadableClaim(f"label of {one.variable[:80]}")
        return Axis(_name_of(one), categories=tuple(positions))

    def _banded(self, one: Grouping, distinct: Sequence[str]) -> Axis:
        if not self.panel.is_number(_name_of(one)):
            raise UnreadableClaim(f"by: {one.variable[:80]}")
        breaks = one.breaks or ()
        bands: dict[str, Band] = {}
        for at, (low, high) in enumerate(pairwise(breaks)):
            band = (low, high, not one.right, one.right)
            named = f"({low:g}, {high:g}]" if one.right else f"[{low:g}, {high:g})"
            bands[fold_label(one.labels[at] if one.labels else named)] = band
        try:
            return Axis(_name_of(one), bands=tuple(bands[fold_label(text)] for text in distinct))
        except KeyError as error:
            raise UnreadableClaim(f"label of {one.variable[:80]}") from error

    def measures(self) -> list[DeclaredMeasure]:
        """The measures in the order of the series."""
        return list(self.declared.measures)


def merged_axis(one: Grouping, known: Categories, distinct: Sequence[str]) -> Axis:
    """The axis of a grouping with merged codes, one level per label. Raises UnreadableClaim where a label
    could be read as something else: two groups of one name or with one code, a group named like a code that
    is not in it, a code beside its own group, or what names neither."""
    named: dict[str, tuple[int, ...]] = {}
    taken: set[int] = set()
    for label, codes in (one.groups or {}).items():
        found = {at for code in codes if (at := known.find(str(code))) is not None}
        alone = known.find(label)
        if fold_label(label) in named or taken & found or (alone is not None and alone not in found):
            raise UnreadableClaim(f"groups of {one.variable[:80]}")
        taken |= found
        named[fold_label(label)] = tuple(sorted(found))
    levels = []
    for text in distinct:
        positions = named.get(fold_label(text))
        if positions is None:
            at = known.find(text)
            if at in taken or (at is None and not is_missing(text)):
                raise UnreadableClaim(f"label of {one.variable[:80]}")
            positions = (-1 if at is None else at,)
        levels.append(positions)
    if len(set(levels)) < len(levels) or not all(levels):
        raise UnreadableClaim(f"label of {one.variable[:80]}")
    return Axis(_name_of(one), merged=tuple(levels))


def fold_label(text: str) -> str:
    """A label without blanks and capitals, and its numbers without zeros at their end: "[8.87,11)" for
    "[8.87, 11.0)", as pandas writes it."""
    plain = "".join(text.casefold().split())
    return re.sub(r"(\d+)\.(\d*?)0*(?!\d)", lambda hit: hit[1] + (f".{hit[2]}" if hit[2] else ""), plain)


def _fit(
    series: Series, measure: DeclaredMeasure, reading: _Reading, cube: Cube, declared: DeclaredTable
) -> Fit:
    numbers = printed(series.entries)
    base = declared.rounding
    numbers = replace(numbers, base=base) if base is not None else replace(numbers, base=None)
    best: Fit | None = None
    for one in _variants(measure, reading):
        of_shown = one.statistic == "share" or any(TOTAL in entry.levels for entry in series.entries)
        for rows in BASES if of_shown else BASES[:1]:
            fit = _match(series, replace(one, base=rows), numbers, cube, rounded=base is not None)
            if fit.complete:
                return fit
            if best is None or fit.matched.sum() > best.matched.sum():
                best = fit
    if best is None:
        raise UnreadableClaim(f"measure: {measure.stat}")
    return best


def _variants(measure: DeclaredMeasure, reading: _Reading) -> Iterator[Measure]:
    """The ways in which a program may have computed the same statistic."""
    panel = reading.panel
    if measure.of is not None and not panel.is_number(measure.of):
        raise UnreadableClaim(f"of: {measure.of[:80]}")
    if measure.weight is not None and not panel.is_number(measure.weight):
        raise UnreadableClaim(f"weight: {measure.weight[:80]}")
    names = [one.variable for one in reading.declared.by]
    if measure.stat == "share":
        try:
            within = tuple(names.index(name) for name in measure.within or ())
        except ValueError as error:
            raise UnreadableClaim("within") from error
        for scale in (100.0, 1.0):
            yield Measure("share", within=within, scale=scale, weight=measure.weight)
    elif measure.stat == "persons":
        kinds = [UNIT_KINDS["persons"]] if "person" in panel.units else list(panel.units)[:1]
        yield from (Measure("persons", unit=kind) for kind in kinds)
    elif measure.stat in ("median", "quantile"):
        for method in QUANTILE_METHODS:
            yield Measure(measure.stat, measure.of, quantile=measure.quantile or 0.5, method=method)
    else:
        yield from _ways(measure)


def _ways(measure: DeclaredMeasure) -> Iterator[Measure]:
    """How programs compute a statistic of one variable."""
    if measure.stat in ("ci_low", "ci_high"):
        yield from (Measure(measure.stat, measure.of, method=method) for method in INTERVALS)
    elif measure.stat in ("sd", "variance", "se"):
        yield from (Measure(measure.stat, measure.of, ddof=ddof) for ddof in (1, 0))
    else:
        yield Measure(measure.stat, measure.of, weight=measure.weight)


def _match(series: Series, measure: Measure, numbers: Printed, cube: Cube, *, rounded: bool) -> Fit:
    values = cube.values(measure, series.entries)
    precision = cube.panel.precision(measure.variable) if measure.variable else 1e-9
    matched = numbers.matches(values, precision, rounded=rounded) > 0
    # An empty group has no mean: its cell may be empty, but no number.
    return Fit(
        series,
        measure,
        np.nan_to_num(values),
        matched | ~numbers.given,
        numbers.digits(rounded=rounded),
        said=True,
        rounded=numbers.base if rounded else None,
    )


def _is_mark(text: str) -> bool:
    """Whether a declared mark is one word that is no number, in whatever way."""
    plain = text.strip().casefold()
    return re.fullmatch(r"[^\W\d_]{4,12}", plain) is not None and not (
        number_words(plain) or re.fullmatch(r"[ivxlcdm]+", plain)
    )
