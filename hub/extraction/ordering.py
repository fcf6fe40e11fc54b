"""Rows in the order of their pseudonyms, however many there are: memory does not grow with them.

A table that is too large to be sorted in memory is first distributed over files by ranges of its first
pseudonym, a piece at a time; then each range is read, sorted and passed on. The files lie in the extract's
staging directory, hold nothing but what is delivered, and are removed as they are read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source
from pyarrow import ipc

SORTED_IN_MEMORY = 1_500_000  # rows
_PIECE = 500_000


def ordered(
    table: pl.LazyFrame,
    order: list[str],
    pseudonyms: pl.Series,
    *,
    rows: int,
    staging: Path,
    in_memory: int = SORTED_IN_MEMORY,
) -> pl.LazyFrame:
    """`table`, of about `rows` rows, sorted by `order`, missing values last. The first column of `order` has
    no others than these distinct `pseudonyms`. The result can be read once."""
    if rows <= in_memory:
        return table.sort(order, nulls_last=True)
    ranges = -(-rows // in_memory)
    edges = pseudonyms.sort().gather([len(pseudonyms) * number // ranges for number in range(1, ranges)])
    held = _distribute(table, order[0], edges, staging)

    def read(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        if predicate is not None or n_rows is not None:
            raise ValueError("the ordered table is read whole")
        for path in held:
            piece = pl.read_ipc_stream(path).sort(order, nulls_last=True)
            path.unlink()
            yield piece if with_columns is None else piece.select(with_columns)

    return register_io_source(read, schema=table.collect_schema())


def _distribute(table: pl.LazyFrame, first: str, edges: pl.Series, staging: Path) -> list[Path]:
    """One Arrow stream per range between `edges` that has any row, in the order of the ranges."""
    held: dict[int, Path] = {}
    writers: dict[int, ipc.RecordBatchStreamWriter] = {}
    with contextlib.ExitStack() as stack:
        for piece in table.collect_batches(chunk_size=_PIECE, maintain_order=False, engine="streaming"):
            place = edges.search_sorted(piece[first], side="right").alias(" range")
            parts = piece.with_columns(place).partition_by(" range", as_dict=True, include_key=False)
            for (number,), rows in parts.items():
                arrow: pa.Table = rows.to_arrow()
                if number not in writers:
                    held[number] = staging / f"range-{number:05d}.stream"
                    file = stack.enter_context(held[number].open("wb"))
                    writers[number] = stack.enter_context(ipc.new_stream(file, arrow.schema))
                writers[number].write_table(arrow)
    return [held[number] for number in sorted(held)]
