"""The combinations of a few categorical variables, over which amounts are summed once.

Tables by bands of age, by five-year bands and by some values of age are all sums of the cells by single
ages: what is counted for one reading of a printed table answers the others without looking at rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from hub.checks.runs import STEP, Floats, Small, small_type

MOST_CELLS = 400_000
_MOST_MERGED = 4
LEAST_ROWS_PER_CELL = 8
Rows = slice | npt.NDArray[np.int64]
Amounts = Callable[[Rows], npt.NDArray[Any]]
_Made = TypeVar("_Made")


@dataclass
class Crossing:
    """`codes`: per variable and row the category (-1: missing); `shape`: per variable one more than it has
    categories, as the missing ones come first. Cells are numbered in that order (C order of `shape`)."""

    codes: Sequence[Small]
    shape: tuple[int, ...]
    names: tuple[str, ...]
    _sums: dict[Hashable, Floats] = field(default_factory=dict)
    _merged: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Cells."""
        return int(np.prod(self.shape, dtype=np.int64))

    def pieces(self) -> Iterator[tuple[slice, npt.NDArray[np.intp]]]:
        """The rows in pieces that stay in the processor's cache, and the cell of each."""
        step = max(STEP, 4 * self.size)
        for first in range(0, self.codes[0].size, step):
            rows = slice(first, first + step)
            cells = np.add(self.codes[0][rows], 1, dtype=np.intp)
            for codes, size in zip(self.codes[1:], self.shape[1:], strict=True):
                cells *= size
                cells += codes[rows]
                cells += 1
            yield rows, cells

    def tell(self, key: Hashable, sums: Floats) -> None:
        """What `total` would find under `key`, known already."""
        self._sums[key] = sums

    def total(self, key: Hashable, amounts: Amounts | None = None) -> Floats:
        """The sum of the amounts of the rows of each cell (without amounts: the rows), kept under `key`."""
        if key not in self._sums:
            found = np.zeros(self.size)
            for rows, cells in self.pieces():
                found += np.bincount(cells, None if amounts is None else amounts(rows), self.size)
            self._sums[key] = found
        return self._sums[key]

    def once(self, merged: Hashable, make: Callable[[], _Made]) -> _Made:
        """What was made of the same cells for another reading of the table: of the last few."""
        made: _Made = self._merged.pop(merged) if merged in self._merged else make()
        self._merged[merged] = made
        if len(self._merged) > _MOST_MERGED:
            del self._merged[next(iter(self._merged))]
        return made

    def squares(self, name: str, values: Amounts, present: Floats, total: Floats) -> Floats:
        """The sum of the squared distances of the values from the mean of their cell. `values`: NaN where
        missing; `present`, `total`: of each cell."""
        key = ("squares", name)
        if key not in self._sums:
            means = np.divide(total, present, out=np.zeros(self.size), where=present > 0)

            def away(rows: Rows, cells: npt.NDArray[np.intp]) -> Floats:
                distance = values(rows) - means[cells]
                distance *= distance
                known: Floats = np.nan_to_num(distance, copy=False)
                return known

            found = np.zeros(self.size)
            for rows, cells in self.pieces():
                found += np.bincount(cells, away(rows, cells), self.size)
            self._sums[key] = found
        return self._sums[key]


@dataclass(frozen=True)
class Merged:
    """Groups that are whole cells of a crossing. `group_of`: per cell its group, or -1."""

    crossing: Crossing
    group_of: npt.NDArray[np.int64]
    count: int

    def gathered(self, of_cells: Floats) -> Floats:
        """Per group the sum of what its cells have."""
        return np.bincount(self.group_of + 1, of_cells, self.count + 1)[1:].astype(np.float64)

    def rows(self) -> Small:
        """Per row its group, or -1."""
        label = self.group_of.astype(small_type(self.count))
        found = np.empty(self.crossing.codes[0].size, dtype=label.dtype)
        for rows, cells in self.crossing.pieces():
            found[rows] = label[cells]
        return found

    def parted(self, wider: Crossing) -> Merged:
        """Each group in parts by the categories of one further variable, the last of `wider`; those without
        it are in none."""
        size = wider.shape[-1] - 1
        by = np.arange(-1, size)
        parts = self.group_of[:, None] * size + by[None, :]
        parts[(self.group_of < 0), :] = -1
        parts[:, 0] = -1
        return Merged(wider, parts.reshape(-1), self.count * size)
