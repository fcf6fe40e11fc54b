"""Who is alike: exact numbers for combinations of values, and the sizes of the groups they make.

A missing value counts as a value of its own: whoever knows that it is missing knows something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from hub.extraction.risk_reports import SizeClass

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

_COUNTABLE = 1 << 23  # combinations up to which a table of counts is cheaper than sorting
_LARGEST = 1 << 62
# Log-like borders of group sizes: enough to see a shape, few enough to read.
BORDERS = (1, 2, 3, 5, 10, 20, 50, 100, 1000)


@dataclass(frozen=True)
class Codes:
    """A number from 0 to `size` - 1 for each row; equal numbers are equal values."""

    numbers: Numbers
    size: int

    def dense(self) -> Codes:
        """The same groups, numbered without gaps."""
        found, inverse = np.unique(self.numbers, return_inverse=True)
        return Codes(inverse.reshape(-1), max(1, len(found)))

    def counts(self) -> Numbers:
        """For each row, how many rows are in its group."""
        if self.size > _COUNTABLE:
            dense = self.dense()
            return np.bincount(dense.numbers, minlength=dense.size)[dense.numbers]
        return np.bincount(self.numbers, minlength=self.size)[self.numbers]

    def alone(self, rows: Numbers) -> Flags:
        """For each of `rows`, whether no other row is in its group."""
        wanted = self.numbers[rows]
        if self.size <= _COUNTABLE:
            return np.asarray(np.bincount(self.numbers, minlength=self.size)[wanted] == 1)
        ordered = np.sort(self.numbers)
        first = np.searchsorted(ordered, wanted, side="left")
        return np.asarray(np.searchsorted(ordered, wanted, side="right") - first == 1)


def coded(column: pl.Series) -> Codes:
    """The values of a column as numbers; a missing value is 0."""
    if column.dtype == pl.Boolean:
        column = column.cast(pl.UInt8)
    elif column.dtype.is_float():
        column = column.fill_nan(None)  # no variable of the warehouse holds one; two would not be equal
    numbers = column.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return Codes(numbers, int(numbers.max(initial=0)) + 1)


def combined(columns: Iterable[Codes], rows: int) -> Codes:
    """The combinations of the values of several columns of `rows` rows; without columns all are alike."""
    result = Codes(np.zeros(rows, dtype=np.int64), 1)
    for column in columns:
        if result.size * column.size > _LARGEST:
            result = result.dense()
        result = Codes(result.numbers * column.size + column.numbers, result.size * column.size)
    return result


def size_classes(
    sizes: Numbers, *limits: int, borders: Sequence[int] = BORDERS, weights: Numbers | None = None
) -> tuple[SizeClass, ...]:
    """How many units (of `weights`) have a size in each class; `limits` are borders of classes, too."""
    lowers = sorted({0, *borders, *limits}) if sizes.min(initial=1) == 0 else sorted({*borders, *limits})
    found, _ = np.histogram(sizes, bins=[*lowers, np.inf], weights=weights)
    total = max(1, int(found.sum()))
    uppers: list[int | None] = [upper - 1 for _, upper in pairwise(lowers)]
    return tuple(
        SizeClass(lower=lower, upper=upper, units=int(units), share=int(units) / total)
        for lower, upper, units in zip(lowers, [*uppers, None], found, strict=True)
    )


def share(flags: Flags) -> float:
    """The share that is true; 0 of nothing."""
    return float(flags.mean()) if len(flags) else 0.0
