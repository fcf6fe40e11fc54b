"""The distinct units of groups of rows, where the rows of one unit stand together, as extracts are sorted, or
are put together by an order that is made once.

Within one unit few rows exist, so a row is compared with the few before it instead of sorting all rows by
group and unit: whole pieces of small arrays that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Small = npt.NDArray[np.signedinteger[Any]]  # groups and categories: 16 bits where they fit, else 32
Mask = npt.NDArray[np.bool_]

STEP = 1 << 17  # rows of one piece
_MOST_ROWS = 64  # of one unit: with more, each row would be compared with too many


def small_type(count: int) -> type[np.int16] | type[np.int32]:
    """The type that numbers so many groups."""
    return np.int16 if count < 1 << 15 else np.int32


def pieces(rows: int) -> Iterator[slice]:
    """All rows, some at a time, so that nothing as long as the table is made."""
    yield from (slice(first, first + STEP) for first in range(0, rows, STEP))


def taken(values: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Some rows of a column; `rows` ascending, so that as many as there are are all of them."""
    return values if rows.size == values.size else values[rows]


@dataclass
class Runs:
    """Rows in the order of their units. `codes`: per row of the table its unit (-1: none). `order`: the rows
    with a unit, by unit; None where they stand so. `place`: of each row in that order, how many rows of its
    unit stand before it; `longest`: the most rows of one unit."""

    codes: npt.NDArray[np.int32]
    order: npt.NDArray[np.int32] | None
    place: npt.NDArray[np.uint8]
    longest: int
    _ends: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.place.size

    def ordered(self, values: npt.NDArray[Any], part: slice) -> npt.NDArray[Any]:
        """Some of the values (one per row of the table) in the order of units."""
        return values[part] if self.order is None else values[self.order[part]]

    def pieces(self) -> Iterator[slice]:
        """All rows in pieces that part no unit."""
        if not self._ends:
            ends = list(range(STEP, self.size, STEP))
            for at, end in enumerate(ends):
                near = self.place[end : end + self.longest + 1]
                ends[at] = end + int(np.argmin(near)) if near.size and (near == 0).any() else self.size
            self._ends = [0, *ends, self.size]
        for first, last in zip(self._ends, self._ends[1:], strict=False):
            if last > first:
                yield slice(first, last)

    def lags(self, cells: Small, first: int) -> npt.NDArray[np.uint8]:
        """How many rows before each row the first row of its unit in the same cell stands: 0 for that row.
        `cells`: those of one piece, which begins at the row `first`."""
        place = self.place[first : first + cells.size]
        lag = np.zeros(cells.size, dtype=np.uint8)
        for back in range(1, min(self.longest, cells.size)):
            same = cells[back:] == cells[:-back]
            same &= place[back:] >= back
            np.putmask(lag[back:], same, back)
        return lag


def runs_of(codes: npt.NDArray[np.int32]) -> Runs | None:
    """The rows by unit; None where a unit has so many rows that this would not help."""
    steps = np.diff(codes) if codes.size else codes
    sorted_so = bool((steps >= 0).all()) and (not codes.size or codes[0] >= 0)
    order: npt.NDArray[np.int32] | None = None
    if not sorted_so:
        if 0 <= codes.max(initial=-1) <= 2 * codes.size and np.bincount(codes[codes >= 0]).max() > _MOST_ROWS:
            return None
        order = np.argsort(codes, kind="stable")[np.count_nonzero(codes < 0) :].astype(np.int32)
        steps = np.diff(codes[order])
    size = codes.size if order is None else order.size
    starts = np.concatenate([[0], np.flatnonzero(steps) + 1]) if size else np.zeros(0, dtype=np.int64)
    lengths = np.diff(starts, append=size)
    longest = int(lengths.max()) if lengths.size else 1
    if longest > _MOST_ROWS:
        return None
    place = np.zeros(size, dtype=np.uint8)
    for at in range(1, longest):
        starts, lengths = starts[lengths > at], lengths[lengths > at]
        place[starts + at] = at
    return Runs(codes, order, place, longest)


Lags = npt.NDArray[np.uint8]


def lags_of(runs: Runs, where: Small) -> Lags | None:
    """`Runs.lags` of all rows in their order by unit; None where no unit has two. `where`: per row of the
    table its group, or -1."""
    if runs.longest == 1:
        return None
    found = np.zeros(runs.size, dtype=np.uint8)
    for part in runs.pieces():
        found[part] = runs.lags(runs.ordered(where, part), part.start)
    return found


def count_units(runs: Runs, where: Small, count: int, lags: Lags | None) -> Floats:
    """Distinct units per group; `where`: per row of the table its group, or -1; `lags`: `lags_of` these."""
    found = np.zeros(count + 1)
    for part in runs.pieces():
        cells = runs.ordered(where, part)
        if lags is not None:
            cells = cells[lags[part] == 0]
        found += np.bincount(np.add(cells, 1, dtype=np.intp), minlength=count + 1)
    return found[1:]


def units_by_group(
    runs: Runs, where: Small, count: int, lags: Lags | None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """The distinct units of each group, sorted, group after group; and where each begins, and the end."""
    kept_cells, kept_units = [], []
    for part in runs.pieces():
        cells, units = runs.ordered(where, part), runs.ordered(runs.codes, part)
        keep = cells >= 0
        if lags is not None:
            keep &= lags[part] == 0
        kept_cells.append(cells[keep])
        kept_units.append(units[keep])
    if not kept_cells:
        return np.zeros(0, dtype=np.int32), np.zeros(count + 1, dtype=np.int64)
    return gathered(kept_cells, kept_units, count)


def gathered(
    cells: list[Small], values: list[npt.NDArray[Any]], count: int
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Pieces of values as one array, group after group, in each as they came; and where each begins."""
    starts = np.zeros(count + 1, dtype=np.int64)
    for piece in cells:
        starts[1:] += np.bincount(piece, minlength=count)
    np.cumsum(starts, out=starts)
    found = np.empty(int(starts[-1]), dtype=values[0].dtype if values else np.float64)
    free = starts[:-1].copy()
    for piece, own in zip(cells, values, strict=True):
        by_cell = np.argsort(piece, kind="stable")
        sizes = np.bincount(piece, minlength=count)
        own_starts = np.cumsum(sizes) - sizes
        held = piece[by_cell]
        found[np.arange(piece.size) + (free - own_starts)[held]] = own[by_cell]
        free += sizes
    return found, starts


def largest_two(
    runs: Runs,
    where: Small,
    amounts: Callable[[npt.NDArray[Any] | slice], Floats],
    count: int,
    lags: Lags | None,
) -> tuple[Floats, Floats, Floats]:
    """Per group the sum of all amounts, that of the unit with the largest and that of the second. `amounts`:
    of some rows of the table, none below 0; those that are NaN add nothing. `lags`: `lags_of` the groups."""
    whole, first, second = np.zeros(count), np.zeros(count), np.zeros(count)
    for part in runs.pieces():
        rows = part if runs.order is None else runs.order[part]
        own = amounts(rows)
        cells = where[rows]
        if np.isnan(own).any():
            own = np.where(np.isnan(own), 0.0, own)
        if lags is not None:
            own = np.bincount(np.arange(cells.size) - lags[part], own, cells.size).astype(np.float64)
        keep = cells >= 0
        groups, sums = cells[keep].astype(np.intp), own[keep]
        whole += np.bincount(groups, sums, count)
        large = sums > second[groups]  # the others change nothing
        one, two = top_two(groups[large], sums[large], count)
        second = np.maximum(np.minimum(first, one), np.maximum(second, two))
        first = np.maximum(first, one)
    return whole, first, second


def top_two(groups: npt.NDArray[np.intp], sums: Floats, count: int) -> tuple[Floats, Floats]:
    """The largest and the second of the sums of each group (0 where there is none)."""
    first, second, largest = np.zeros(count), np.zeros(count), np.full(count, -1)
    np.maximum.at(first, groups, sums)
    at = np.flatnonzero(sums == first[groups])
    largest[groups[at]] = at  # one of them, where several are as large
    others = sums.copy()
    others[largest[largest >= 0]] = 0.0
    np.maximum.at(second, groups, others)
    return first, second
