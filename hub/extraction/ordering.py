"""Rows in the order of their pseudonyms, however many there are: memory does not grow with them.

A table that is too large to be sorted in memory is first distributed by ranges of its first pseudonym, a
piece at a time (hub.extraction.distributions); then each range is read, sorted and passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from hub.extraction.distributions import PLACE, ahead, distributed

SORTED_IN_MEMORY = 500_000  # rows
PIECE = 250_000
_SLICE = 32_768


@dataclass(frozen=True)
class Order:
    """By which columns rows are sorted, missing values last. `presorted`: rows with the same value of the
    first column follow each other in the right order already, so that only this column counts."""

    columns: tuple[str, ...]
    presorted: bool = False

    def sort(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows in this order."""
        if self.presorted:
            return rows.sort(self.columns[0], maintain_order=True)
        return rows.sort(self.columns, nulls_last=True)


def in_ranges(
    pieces: Iterable[pl.DataFrame],
    order: Order,
    pseudonyms: pl.Series,
    *,
    schema: pl.Schema,
    rows: int,
    staging: Path,
    in_memory: int = SORTED_IN_MEMORY,
) -> pl.LazyFrame:
    """The rows of all `pieces`, about so many `rows`, in this order, whose first column has no others than
    these distinct `pseudonyms`. The result can be read once."""
    first, ranges = order.columns[0], -(-rows // in_memory)
    edges = pseudonyms.sort().gather([len(pseudonyms) * number // ranges for number in range(1, ranges)])

    def place(piece: pl.DataFrame) -> pl.DataFrame:
        return piece.with_columns(edges.search_sorted(piece[first], side="right").alias(PLACE))

    # By map and not in loops, whose variables would hold what they had last.
    held = distributed(map(place, pieces), places=ranges, staging=staging, piece_rows=PIECE)

    def read(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        if predicate is not None or n_rows is not None:
            raise ValueError("the ordered table is read whole")
        for piece in ahead(map(order.sort, map(itemgetter(1), held))):
            whole = piece if with_columns is None else piece.select(with_columns)
            # In slices, so that of a stream that takes several at a time not several ranges are held.
            yield from whole.iter_slices(_SLICE)

    return register_io_source(read, schema=schema)
