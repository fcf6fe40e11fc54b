"""The levels that a table is grouped by: categories of a variable, merged ones, or bands of a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hub.checks.panels import Panel
from hub.checks.runs import STEP, Floats, Mask, Small, small_type
from hub.checks.wording import Band


@dataclass(frozen=True)
class Axis:
    """A grouping by one variable: each level is the position of a category (-1: missing), those of several
    (`merged`, none in two levels), or a band."""

    variable: str
    categories: tuple[int, ...] | None = None
    bands: tuple[Band, ...] | None = None
    merged: tuple[tuple[int, ...], ...] | None = None

    @property
    def size(self) -> int:
        return len(self.categories or self.merged or self.bands or ())

    def members(self) -> tuple[tuple[int, ...], ...]:
        """The positions of the categories of each level; of bands none."""
        return self.merged or tuple((at,) for at in self.categories or ())

    def _of_positions(self, count: int) -> Small:
        """The level of a missing value, then of each of `count` categories, or -1."""
        level = np.full(count + 1, -1, dtype=small_type(self.size))
        if self.categories is not None:
            level[np.array(self.categories, dtype=np.int64) + 1] = np.arange(self.size)
        for at, positions in enumerate(self.merged or ()):
            level[np.array(positions) + 1] = at
        return level

    def levels(self, panel: Panel) -> Small:
        """Per row of the panel its level, or -1."""
        if self.bands is None:
            known = panel.few_categories(self.variable)
            return np.roll(self._of_positions(len(known.values)), -1)[known.codes]
        read, bands = panel.numeric_reader(self.variable), self.bands or ()
        found = np.full(panel.rows, -1, dtype=small_type(len(bands)))
        for first in range(0, panel.rows, STEP):
            part = slice(first, first + STEP)
            found[part] = _in_bands(read(part), bands)
        return found

    def rows_told(self, panel: Panel) -> Floats | None:
        """Rows of each band, where an index knows them without a look at the rows."""
        stored = panel.part.stored
        if self.bands is None or panel.is_part or stored is None or not stored.has(self.variable, "before"):
            return None
        values, before = panel.part.ranked(self.variable)
        spans = [
            (
                int(np.searchsorted(values, low, "left" if lower else "right")),
                int(np.searchsorted(values, high, "right" if upper else "left")),
            )
            for low, high, lower, upper in self.bands
        ]
        in_order = sorted(spans)
        if any(last < first for first, last in spans) or any(a[1] > b[0] for a, b in pairwise(in_order)):
            return None  # a value in two bands belongs to the last
        return np.array([int(before[last]) - int(before[first]) for first, last in spans], dtype=np.float64)

    def levels_of_categories(self, panel: Panel) -> tuple[Small, Mask] | None:
        """The level of a missing value and of each category, or -1; and which of them are no known value.
        None where the variable has too many categories, or bands of what is no number."""
        known = panel.categories(self.variable)
        if known is None:
            return None
        if self.bands is None:
            level = self._of_positions(len(known.values))
            return level, np.arange(level.size) == 0
        if not all(isinstance(value, int | float) for value in known.values):
            return None
        values = np.array([np.nan, *(float(value) for value in known.values)])
        values[np.isinf(values)] = np.nan
        return _in_bands(values, self.bands or ()), np.isnan(values)

    def words(self, panel: Panel, level: int) -> str:
        """The level as text, for evidence."""
        if self.bands is None:
            known = panel.categories(self.variable)
            values = known.values if known is not None else ()
            return ", ".join("missing" if at < 0 else str(values[at]) for at in self.members()[level])
        low, high, _, _ = (self.bands or ())[level]
        return f"{low:g} to {high:g}"


def _in_bands(values: Floats, bands: Sequence[Band]) -> Small:
    """The band of each value, the last where several hold it, or -1."""
    found = np.full(values.size, -1, dtype=small_type(len(bands)))
    for at, (low, high, lower, upper) in enumerate(bands):
        above = values >= low if lower else values > low
        found[above & (values <= high if upper else values < high)] = at
    return found
