"""Tuples of printed values as numbers, so that rows are compared with all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_LONGEST_TABLE = 1 << 22
Places = npt.NDArray[np.int64]


class Tuples:
    """Printed tuples as numbers, column by column: what begins no printed tuple is dropped where it is seen.

    `ours`: per column and printed row the place of the value among `sizes` ones, -1 for a gap."""

    def __init__(self, ours: Sequence[Places], sizes: Sequence[int]) -> None:
        whole = np.all([column >= 0 for column in ours], axis=0)
        self._sizes = sizes
        self._known: list[Places] = []
        key = ours[0][whole]
        for level, column in enumerate(ours):
            combined = key if level == 0 else key * sizes[level] + column[whole]
            known, key = np.unique(combined, return_inverse=True)
            self._known.append(known)
        self._tables = [self._table(level) for level in range(len(ours))]
        self.size = self._known[-1].size
        self.of_ours = np.full(whole.size, -1, dtype=np.int64)
        self.of_ours[whole] = key

    def _table(self, level: int) -> Places | None:
        """From a number to its place among the known ones, where that is short."""
        size = self._sizes[0] if level == 0 else self._known[level - 1].size * self._sizes[level]
        if size > _LONGEST_TABLE:
            return None
        table = np.full(size, -1, dtype=np.int64)
        table[self._known[level]] = np.arange(self._known[level].size)
        return table

    def first(self, at: Places) -> Places:
        """The numbers of the values of the first column."""
        return self._numbered(0, at)

    def next(self, level: int, key: Places, at: Places) -> Places:
        """The numbers with those of a further column; -1 for what begins no tuple, as do -1 of either."""
        found = self._numbered(level, np.maximum(key, 0) * self._sizes[level] + np.maximum(at, 0))
        return np.where((at < 0) | (key < 0), -1, found)

    def _numbered(self, level: int, combined: Places) -> Places:
        table, known = self._tables[level], self._known[level]
        if table is not None:
            return table[combined]
        if not known.size:
            return np.full(combined.size, -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(known, combined), known.size - 1)
        return np.where(known[places] == combined, places, -1)
