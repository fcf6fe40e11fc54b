"""Rows in the order of their pseudonyms, however many there are: memory does not grow with them.

A table that is too large to be sorted in memory is first distributed over files by ranges of its first
pseudonym, a piece at a time; then each range is read, sorted and passed on. The files lie in the extract's
staging directory, hold nothing but what is delivered, and are removed as they are read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source
from pyarrow import ipc

SORTED_IN_MEMORY = 1_000_000  # rows
PIECE = 500_000


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
    ranges = -(-rows // in_memory)
    edges = pseudonyms.sort().gather([len(pseudonyms) * number // ranges for number in range(1, ranges)])
    held = _distribute(pieces, order.columns[0], edges, staging)

    def read(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        if predicate is not None or n_rows is not None:
            raise ValueError("the ordered table is read whole")
        for path in held:
            piece = order.sort(pl.read_ipc_stream(path))
            path.unlink()
            yield piece if with_columns is None else piece.select(with_columns)

    return register_io_source(read, schema=schema)


def _distribute(pieces: Iterable[pl.DataFrame], first: str, edges: pl.Series, staging: Path) -> list[Path]:
    """One Arrow stream per range between `edges` that has any row, in the order of the ranges."""
    held: dict[int, Path] = {}
    writers: dict[int, ipc.RecordBatchStreamWriter] = {}
    newest = pl.CompatLevel.newest()  # texts as they are, not copied
    with contextlib.ExitStack() as stack:
        for piece in pieces:
            place = edges.search_sorted(piece[first], side="right").alias(" range")
            parts = piece.with_columns(place).partition_by(" range", as_dict=True, include_key=False)
            for (number,), rows in parts.items():
                arrow: pa.Table = rows.to_arrow(compat_level=newest)
                if number not in writers:
                    held[number] = staging / f"range-{number:05d}.stream"
                    file = stack.enter_context(held[number].open("wb"))
                    writers[number] = stack.enter_context(ipc.new_stream(file, arrow.schema))
                writers[number].write_table(arrow)
    return [held[number] for number in sorted(held)]
