"""Columns that follow from others of their table: shares of a shown total, growth from line to line, an
index, differences and ratios of two columns. Who has the others can work them out; they say nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from hub.checks.explanations import Recomputed
from hub.checks.panels import Floats
from hub.checks.tables import Table, number_of
from hub.checks.wording import is_suppressed, is_total

_MOST_LEFT = 6
_MOST_KNOWN = 8
_SLACK = 1.1
_AMOUNTS = frozenset({"sum", "count", "persons", "households", "employers"})
_EXTREMES = frozenset({"min", "max"})


def left_columns(found: Recomputed) -> list[int]:
    """The columns of a table that nothing explains, where others are; none where one is explained in part,
    or too many are left."""
    sure = {
        entry.column
        for ok, one in zip(found.sure, found.layout.series, strict=True)
        if ok
        for entry in one.entries
    }
    left = {
        entry.column
        for ok, one in zip(found.sure, found.layout.series, strict=True)
        if not ok
        for entry in one.entries
        if number_of(entry.text) is not None
    }
    return sorted(left) if sure - left and not sure & left and len(left) <= _MOST_LEFT else []


def without(table: Table, columns: Sequence[int]) -> Table:
    """The table with these columns empty."""
    rows = [["" if at in columns else cell for at, cell in enumerate(row)] for row in table.rows]
    heads = ["" if at in columns else head for at, head in enumerate(table.columns)]
    return replace(table, columns=heads, rows=rows)


def follows(table: Table, columns: Sequence[int], found: Recomputed) -> bool:
    """Whether every number of these columns is what arithmetic makes of the columns that `found` explains."""
    known = _known(table, found)
    printed = {at: (word, _printed(table, at, values)) for at, (word, values) in known.items()}
    lines = [row for row in range(len(table.rows)) if not any(is_total(cell) for cell in table.rows[row])]
    return bool(known) and all(
        _made(table, at, known, lines) or _made(table, at, printed, lines) for at in columns
    )


def _printed(table: Table, at: int, values: Floats) -> Floats:
    """A column as it is printed, where it was made again: its differences are of rounded numbers."""
    numbers = [number_of(row[at]) for row in table.rows]
    return np.array(
        [
            float(n) if n is not None and not np.isnan(v) else np.nan
            for n, v in zip(numbers, values, strict=True)
        ]
    )


def _known(table: Table, found: Recomputed) -> dict[int, tuple[str, Floats]]:
    """Column → statistic and its exact values by row, NaN where none was made again."""
    known: dict[int, tuple[str, Floats]] = {}
    for fit, sure in zip(found.fits, found.sure, strict=True):
        if fit is None or not sure or fit.rounded is not None or fit.measure.statistic in _EXTREMES:
            continue
        for entry, value in zip(fit.series.entries, fit.values, strict=True):
            if number_of(entry.text) is None:
                continue
            _, values = known.setdefault(
                entry.column, (fit.measure.statistic, np.full(len(table.rows), np.nan))
            )
            values[entry.row] = value
    return dict(list(known.items())[:_MOST_KNOWN])


def _made(table: Table, at: int, known: dict[int, tuple[str, Floats]], lines: Sequence[int]) -> bool:
    return any(_prints(table, at, values) for values in _ways(known, lines))


def _ways(known: dict[int, tuple[str, Floats]], lines: Sequence[int]) -> Iterator[Floats]:
    """What the column could be: per row a number, NaN where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        for statistic, values in known.values():
            inner = values[lines]
            if statistic in _AMOUNTS and not np.isnan(inner).any():
                yield values / inner.sum()
            for base in (inner[:1], inner[-1:]):  # an index
                if base.size:
                    yield values / base[0]
                    yield values / base[0] - 1
                    yield values - base[0]
            before = np.concatenate([[np.nan], values[:-1]])
            yield values / before - 1
            yield values / before
            yield values - before
        columns = [values for _, values in known.values()]
        for one in columns:
            for other in columns:
                if one is not other:
                    yield one - other
                    yield one / other
                    yield one / other - 1
                    yield one / (one + other)


def _prints(table: Table, at: int, values: Floats) -> bool:
    """Whether the column prints these values, as they are or in percent; a line without one is empty."""
    numbers = [number_of(row[at]) for row in table.rows]
    if not any(number is not None for number in numbers):
        return False
    decimals = max(max(0, -int(n.normalize().as_tuple().exponent)) for n in numbers if n is not None)
    tolerance = 0.5 * 10.0**-decimals * _SLACK + 1e-9
    given = np.array([np.nan if number is None else float(number) for number in numbers])
    empty = np.isnan(given)
    if any(bare and not is_suppressed(row[at]) for bare, row in zip(empty, table.rows, strict=True)):
        return False
    wanted = ~np.isnan(values) & ~np.isinf(values)
    scales: tuple[Callable[[Floats], Floats], ...] = (lambda one: one, lambda one: 100 * one)
    for scale in scales:
        made = scale(values)
        whole = 100.0 if scale is scales[1] else 1.0
        # The share of a line of totals is the whole.
        near = np.abs(made - given) <= tolerance
        total = np.array([any(is_total(cell) for cell in row) for row in table.rows])
        near |= total & (np.abs(given - whole) <= tolerance)
        if bool((near | empty)[wanted | ~empty].all()) and bool((~empty & wanted).sum() * 2 >= wanted.sum()):
            return _tells(given[~empty], tolerance)
    return False


def _tells(given: Floats, tolerance: float) -> bool:
    """Whether so many digits are no chance, given how many ways there are."""
    return float(np.log10(np.maximum(1.0, np.abs(given) / (2 * tolerance))).sum()) >= 2.5
