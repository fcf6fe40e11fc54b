"""Values of a column as positions among its sorted different ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.runs import STEP, Small

Codes = npt.NDArray[np.int32]
_MOST_STEPS = 100_000  # whole numbers within so many are looked up


def too_many_at_first(column: pl.Series) -> bool:
    """Whether the first rows of a float tell that it is no category."""
    return column.dtype.is_float() and column.head(2_000).n_unique() > 1_000


def unit_codes(column: pl.Series) -> tuple[Codes, npt.NDArray[Any]]:
    """Per row the position of its unit among the sorted distinct ones (-1 missing), and these."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.null_count() == 0 and column.is_sorted():
        codes = column.rle_id().cast(pl.Int32).to_numpy()
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        return codes, column.gather(first).to_numpy()
    distinct = column.drop_nulls().unique().sort()
    return positions(column, distinct), distinct.to_numpy()


def positions(column: pl.Series, distinct: pl.Series, kind: type[np.signedinteger[Any]] = np.int32) -> Any:
    """Per row the position in `distinct` (sorted, no nulls), in numbers of that type; -1 for null."""
    if column.dtype.is_integer() and distinct.len():
        low, high = int(distinct[0]), int(distinct[-1])
        if high - low < max(_MOST_STEPS, 4 * column.len()) and high < 2**62:
            return _looked_up(column, distinct, low, high, kind)
    if column.dtype.is_numeric() and column.null_count() == 0:
        found = np.searchsorted(distinct.to_numpy(), column.to_numpy())
        return found.astype(kind)
    frame = pl.DataFrame({"value": column})
    known = pl.DataFrame({"value": distinct}).with_row_index("at")
    joined = frame.join(known, on="value", how="left", maintain_order="left")
    return joined.get_column("at").cast(pl.Int32).fill_null(-1).to_numpy().astype(kind)


def _looked_up(
    column: pl.Series, distinct: pl.Series, low: int, high: int, kind: type[np.signedinteger[Any]]
) -> Small:
    """The same by a list of all whole numbers from the smallest to the largest value."""
    places = np.full(high - low + 1, -1, dtype=kind)
    places[(distinct.cast(pl.Int64) - low).to_numpy()] = np.arange(distinct.len(), dtype=kind)
    found = np.empty(column.len(), dtype=kind)
    for first in range(0, column.len(), STEP):
        piece = column[first : first + STEP]
        steps = (
            (piece.cast(pl.Int64) - low).fill_null(0) if piece.null_count() else piece.cast(pl.Int64) - low
        )
        found[first : first + STEP] = places[steps.to_numpy()]
        if piece.null_count():
            found[first : first + STEP][piece.is_null().to_numpy()] = -1
    return found
