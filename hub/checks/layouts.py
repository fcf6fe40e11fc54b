"""How a printed table could have been made: which columns label groups, which heads do, and which cells
belong to one statistic. A table has several readings; the recomputation tells which one is true."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, product

import numpy as np

from hub.checks.axes import Axis
from hub.checks.panels import Categories, Panel, fold
from hub.checks.row_numbers import numbers_rows
from hub.checks.tables import Table, number_of
from hub.checks.wording import (
    Hint,
    bands_of,
    hint_of,
    is_missing,
    is_suppressed,
    is_total,
    statistic_of,
)

TOTAL = -1
_REST = re.compile(
    r"(?:all )?(?:the )?others?|other (?:groups?|categories)|autres?|les autres|reste|rest|sonstige|andere"
)
_QUANTILE_GROUP = re.compile(
    r"(?:d|q|p|v|decile|quintile|quartile|tercile|dixieme|quantile|dezil|quartil)? ?(?P<number>\d{1,2})"
)
_QUANTILE_GROUPS = (3, 4, 5, 10, 20)
_MOST_CUT = 12  # variables of which quantiles are computed
MAX_LAYOUTS = 40
_MAX_CANDIDATES = 6
_MAX_SPREADS = 12
_MAX_LABELS = 4
_MAX_GROUPS = 50_000  # more than any table that people read


@dataclass(frozen=True)
class Labelling:
    """A column of labels (or the heads) read as an axis: per row (or column) its level, or TOTAL."""

    axis: Axis
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """One numeric cell: where it stands, its text, and per axis its level or TOTAL."""

    row: int
    column: int
    text: str
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Series:
    """Cells that are one statistic over the groups."""

    hint: Hint
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Layout:
    """One reading of a table. `ignored`: columns that only number the rows."""

    axes: tuple[Axis, ...]
    series: tuple[Series, ...]
    labels: tuple[int, ...]
    certain: bool  # every labelling follows from a head that names its variable
    by_variables: bool = False  # rows are variables instead of groups


def layouts(table: Table, panel: Panel) -> Iterator[Layout]:
    """Readings of `table`, the likeliest first; at most 40."""
    return islice(_Reader(table, panel).layouts(), MAX_LAYOUTS)


class _Reader:
    def __init__(self, table: Table, panel: Panel) -> None:
        self.table = table
        self.panel = panel
        self.width = len(table.columns)
        self.cells = [table.column(at) for at in range(self.width)]
        self.numbering = {at for at in range(self.width) if numbers_rows(table, at)}

    def layouts(self) -> Iterator[Layout]:
        for labels in self._label_sets():
            rest = [at for at in range(self.width) if at not in labels and at not in self.numbering]
            if not rest:
                continue
            choices = [self._row_readings(at, labels) for at in labels]
            if any(not one for one in choices):
                continue
            for chosen in product(*choices):
                yield from self._with_heads(labels, chosen, rest)

    def _label_sets(self) -> Iterator[tuple[int, ...]]:
        """Columns that may be labels: those with words, and further ones from the left, most first."""
        must = [at for at in range(self.width) if self._has_words(at) and at not in self.numbering]
        if len(must) > _MAX_LABELS:
            return
        last = max(must, default=-1)
        may = [at for at in range(self.width) if at not in must and at not in self.numbering]
        may = [at for at in may if self._could_label(at)]
        leading = [
            at
            for at in may
            if at < last or all(b in must or b in may or b in self.numbering for b in range(at))
        ]
        named = [at for at in leading if self._named(at) is not None]
        sets = [tuple(sorted({*must, *named}))] if named else []
        for size in range(min(len(leading), _MAX_LABELS - len(must)), -1, -1):
            sets.append(tuple(sorted({*must, *leading[:size]})))
        sets += [tuple(sorted({*must, at})) for at in named]
        yield from dict.fromkeys(one for one in sets if len(one) <= _MAX_LABELS)

    def _has_words(self, at: int) -> bool:
        cells = self.cells[at]
        words = [c for c in cells if number_of(c) is None and not is_suppressed(c)]
        return bool(words)

    def _could_label(self, at: int) -> bool:
        numbers = [number_of(cell) for cell in self.cells[at]]
        whole = all(n is None or n == n.to_integral_value() for n in numbers)
        return whole or (at == 0 and (name := self._named(at)) is not None and self._are_values(at, name))

    def _are_values(self, at: int, name: str) -> bool:
        """Whether all labels of a column are values of a variable with few: years of schooling by halves."""
        known = self.panel.categories(name)
        cells = [cell for cell in self.cells[at] if number_of(cell) is not None]
        return known is not None and all(known.find(cell) is not None for cell in cells)

    def _named(self, at: int) -> str | None:
        """The variable that the head of a column is called after."""
        head = fold(self.table.columns[at].rsplit(" / ", maxsplit=1)[-1])  # names of columns, then of rows
        for name in self.panel.variables:
            if head and head in (fold(name), *(fold(title) for title in self.panel.titles.get(name, ()))):
                return name
        return None

    def _filled(self, at: int, labels: Sequence[int]) -> list[str]:
        """The labels of a column; an outer level is written once, above those that share it."""
        cells = list(self.cells[at])
        if at != max(labels):
            for row in range(1, len(cells)):
                if not cells[row].strip():
                    cells[row] = cells[row - 1]
        return cells

    def _row_readings(self, at: int, labels: Sequence[int]) -> list[Labelling | list[Hint]]:
        cells = self._filled(at, labels)
        statistics = [statistic_of(cell) for cell in cells]
        groups = [hit["number"] for cell in cells if (hit := _QUANTILE_GROUP.fullmatch(fold(cell)))]
        if groups[-1:] in (["4"], ["5"], ["10"], ["20"]) and len(groups) == len(cells) == int(groups[-1]):
            return list(readings_of(cells, self.table.columns[at], self._named(at), self.panel))
        if all(one.statistics for one in statistics):
            return [statistics]
        if len(labels) == 1:
            variables = [hint_of(cell, self.panel) for cell in cells]
            # A line of counts may stand over or under those of variables.
            said = [
                one.variables or statistic_of(cell).statistics
                for one, cell in zip(variables, cells, strict=True)
            ]
            if all(said) and any(one.variables for one in variables):
                return [variables]
        return list(readings_of(cells, self.table.columns[at], self._named(at), self.panel))

    def _with_heads(
        self, labels: tuple[int, ...], chosen: Sequence[Labelling | list[Hint]], rest: Sequence[int]
    ) -> Iterator[Layout]:
        rows = [one for one in chosen if isinstance(one, Labelling)]
        hints = next((one for one in chosen if isinstance(one, list)), None)
        spreads: list[tuple[Labelling, dict[int, Hint]] | None] = list(self._spreads(rest, rows))
        for spread in (*spreads, None):
            layout = self._layout(labels, rows, hints, spread, rest)
            if layout is not None:
                yield layout

    def _spreads(
        self, rest: Sequence[int], rows: Sequence[Labelling]
    ) -> Iterator[tuple[Labelling, dict[int, Hint]]]:
        """Heads that are values of one variable, with what else they say."""
        if len(rest) < 2:
            return
        for name in self._spread_variables(rest):
            if any(one.axis.variable == name for one in rows):
                continue
            found: dict[int, tuple[str, Hint]] = {}
            for at in rest:
                value = self._value_in_head(self.table.columns[at], name)
                if value is not None:
                    found[at] = value
            named = [at for at in found if not is_total(found[at][0])]
            if len(named) < 2 or len(found) < 0.6 * len(rest):
                continue
            texts = [found[at][0] for at in found]
            for reading in readings_of(texts, name, name, self.panel):
                levels = dict(zip(found, reading.levels, strict=True))
                yield (
                    Labelling(reading.axis, tuple(levels.get(at, TOTAL - 1) for at in range(self.width))),
                    {at: hint for at, (_, hint) in found.items()},
                )

    def _spread_variables(self, rest: Sequence[int]) -> list[str]:
        heads = [self.table.columns[at] for at in rest]
        numbers = _numbers_in(heads)
        found = []
        for name in self.panel.variables:
            kind = self.panel.part.schema[name]
            plain = kind.is_numeric() and name not in self.panel.labels
            low, high = self.panel.span(name) if plain and len(numbers) >= 2 else (1.0, 0.0)
            if plain and sum(low <= number <= high for number in numbers) < 2 and not self._answers(name):
                continue
            known = self.panel.categories(name) if not kind.is_nested() else None
            if known is None or len(known.values) < 2:
                continue
            hits = sum(self._value_in_head(head, name) is not None for head in heads)
            if hits >= 2 and hits >= 0.6 * len(heads):
                said = any(name in hint_of(head, self.panel).variables for head in heads)
                found.append((not said, -hits, len(known.values), name))
        return [one[-1] for one in sorted(found)][:_MAX_SPREADS]

    def _answers(self, name: str) -> bool:
        """Whether heads may say no and yes of a variable that has 0 and 1."""
        return self.panel.span(name) == (0.0, 1.0) and self.panel.answers(name)

    def _value_in_head(self, head: str, name: str) -> tuple[str, Hint] | None:
        """The value of the variable that a head names, and the rest of the head as a hint."""
        known = self.panel.categories(name)
        if known is None:
            return None
        if known.find(head) is not None or is_total(head):
            return head, Hint()
        before, _, last = head.rpartition(" ")
        if before and (said := statistic_of(last)).statistics:  # "female=0 sd"
            inner = self._value_in_head(before, name)
            if inner is not None:
                return inner[0], Hint(said.statistics, said.quantile) + inner[1]
        for mark in (" / ", "=", ": ", "_", " "):
            parts = [part.strip() for part in head.split(mark)]
            for at, part in enumerate(parts if len(parts) > 1 else ()):
                if known.find(part) is not None or (is_total(part) and mark == " / "):
                    others = mark.join(parts[:at] + parts[at + 1 :])
                    rest = hint_of(others, self.panel)
                    if mark in (" / ",) or rest.statistics or rest.variables:
                        return part, Hint(
                            rest.statistics, rest.quantile, tuple(v for v in rest.variables if v != name)
                        )
        return None

    def _layout(
        self,
        labels: tuple[int, ...],
        rows: Sequence[Labelling],
        row_hints: list[Hint] | None,
        spread: tuple[Labelling, dict[int, Hint]] | None,
        rest: Sequence[int],
    ) -> Layout | None:
        axes = (*(one.axis for one in rows), *((spread[0].axis,) if spread else ()))
        if len({axis.variable for axis in axes}) < len(axes) or math.prod(a.size for a in axes) > _MAX_GROUPS:
            return None
        keyed: dict[tuple[object, ...], list[Entry]] = {}
        hints: dict[tuple[object, ...], Hint] = {}
        seen: set[tuple[object, ...]] = set()
        for at in rest:
            level = spread[0].levels[at] if spread else None
            spreads = level is not None and level > TOTAL - 1
            head = spread[1][at] if spread and spreads else hint_of(self.table.columns[at], self.panel)
            for row, text in enumerate(self.cells[at]):
                if number_of(text) is None and not is_suppressed(text):
                    return None
                where = [one.levels[row] for one in rows]
                if spread:
                    where.append(level if spreads and level is not None else TOTAL)
                hint = head if row_hints is None else row_hints[row] + head
                alone = row_hints is not None and not rows  # else a long table: lines of one statistic
                key = (row if alone else None, None if spreads else at, hint)
                if (key, *where) in seen:
                    return None  # two cells of one group: these are no groups
                seen.add((key, *where))
                keyed.setdefault(key, []).append(Entry(row, at, text, tuple(where)))
                hints[key] = hint
        series = tuple(Series(hints[key], tuple(entries)) for key, entries in keyed.items())
        certain = all(self._named(at) is not None for at in labels) or row_hints is not None
        by_variables = row_hints is not None and not any(one.statistics for one in row_hints)
        return Layout(axes, series, labels, certain, by_variables)


def _numbers_in(heads: Sequence[str]) -> set[float]:
    """The numbers that heads, or parts of them, consist of."""
    parts = {part for head in heads for part in (head, *re.split(r"[ /=:_]+", head))}
    return {float(number) for part in parts if (number := number_of(part)) is not None}


def readings_of(cells: Sequence[str], head: str, named: str | None, panel: Panel) -> Iterator[Labelling]:
    """The variables whose values the labels could be, the likeliest first."""
    distinct = list(dict.fromkeys(c for c in cells if not is_total(c)))
    if not distinct:
        return
    said = hint_of(head, panel).variables
    names = [named] if named is not None else _likeliest(distinct, said, panel)
    found = 0
    for name in names:
        if found >= _MAX_CANDIDATES:
            return
        for axis in _axes(name, distinct, panel, bands=named is not None or name in said):
            levels = {text: at for at, text in enumerate(distinct)}
            yield Labelling(axis, tuple(TOTAL if is_total(c) else levels[c] for c in cells))
            found += 1
    if found == 0:
        for axis in _by_values(distinct, said, named, panel):
            yield Labelling(axis, tuple(TOTAL if is_total(c) else distinct.index(c) for c in cells))


def _by_values(
    distinct: Sequence[str], said: Sequence[str], named: str | None, panel: Panel
) -> Iterator[Axis]:
    """Labels that are values of no variable: groups between quantiles, and bands of any variable."""
    yield from _of_quantiles(distinct, [named] if named else said, panel)
    for name in panel.numeric[:30] if named is None else ():
        if name not in said:
            yield from _banded(name, distinct)


def _likeliest(distinct: Sequence[str], said: Sequence[str], panel: Panel) -> list[str]:
    """The variables that the head names, then those with the fewest values beside the labels. Whole numbers
    that do not reach as far as the labels are left out without being read."""
    numbers = [float(number) for text in distinct if (number := number_of(text)) is not None]
    found: list[tuple[bool, float, str]] = []
    for name in panel.variables:
        span = panel.part.span(name) if name not in panel.labels else None
        if span is None or name in said:
            found.append((name not in said, 0.0, name))
        elif numbers and span[0] <= min(numbers) and max(numbers) <= span[1]:
            found.append((True, span[1] - span[0], name))
    return [name for _, _, name in sorted(found, key=lambda one: one[:2])]


def _axes(name: str, distinct: Sequence[str], panel: Panel, *, bands: bool) -> Iterator[Axis]:
    wordy = any(number_of(text) is None for text in distinct)
    kind = panel.part.schema[name]
    plain = kind.is_numeric() and name not in panel.labels
    words = not plain or any(is_missing(text) or _REST.fullmatch(fold(text)) for text in distinct)
    words = words or (wordy and panel.answers(name))
    if not wordy or words:
        known = panel.categories(name)
        if known is not None:
            positions = [
                -1 if is_missing(text) and known.find(text) is None else known.find(text) for text in distinct
            ]
            if all(at is not None for at in positions) and len(set(positions)) == len(positions):
                yield Axis(name, categories=tuple(at for at in positions if at is not None))
            yield from _with_the_rest(name, distinct, positions, known)
    if bands and kind.is_numeric():
        yield from _banded(name, distinct)


def _with_the_rest(
    name: str, distinct: Sequence[str], positions: Sequence[int | None], known: Categories
) -> Iterator[Axis]:
    """One label that says "the others": all categories that no other label names, without and with the rows
    that have none."""
    unknown = [at for at, position in enumerate(positions) if position is None]
    named = {at for at in positions if at is not None}
    if (
        len(unknown) != 1
        or len(named) < len(positions) - 1
        or not _REST.fullmatch(fold(distinct[unknown[0]]))
    ):
        return
    rest = tuple(at for at in range(len(known.values)) if at not in named)
    for missing in ((), (-1,)) if -1 not in named else ((),):
        if rest or missing:
            yield Axis(name, merged=tuple((*rest, *missing) if at is None else (at,) for at in positions))


def _of_quantiles(distinct: Sequence[str], said: Sequence[str], panel: Panel) -> Iterator[Axis]:
    """Labels that number quantile groups, D1 to D10 or Q1 to Q5: bands between a variable's quantiles."""
    numbers = [int(hit["number"]) for text in distinct if (hit := _QUANTILE_GROUP.fullmatch(fold(text)))]
    if len(numbers) != len(distinct) or numbers != list(range(1, len(numbers) + 1)):
        return
    if len(numbers) not in _QUANTILE_GROUPS:
        return
    for name in [one for one in said if one in panel.numeric] or panel.numeric[:_MOST_CUT]:
        values = panel.numbers(name)
        if values is None or np.isnan(values).all():
            continue
        shares = np.arange(1, len(numbers)) / len(numbers)
        edges = [-math.inf, *np.nanquantile(values, shares).tolist(), math.inf]
        if all(low < high for low, high in pairwise(edges)):
            bands = tuple((low, high, False, True) for low, high in pairwise(edges))
            yield Axis(name, bands=bands)


def _banded(name: str, distinct: Sequence[str]) -> Iterator[Axis]:
    for bands in bands_of(distinct):
        yield Axis(name, bands=bands)
