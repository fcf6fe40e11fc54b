"""A delivered folder is read in pieces of a bounded number of rows, all of them once and in their order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hub.extraction.files import open_file


@given(st.lists(st.integers(1, 60), min_size=1, max_size=3), st.integers(1, 25), st.integers(1, 30))
def test_slices_are_all_rows_once_in_their_order_and_never_more_than_asked(
    sizes: list[int], group: int, rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        start = 0
        for number, size in enumerate(sizes):
            table = pl.DataFrame({"n": range(start, start + size)})
            table.write_parquet(directory / f"{number}.parquet", row_group_size=group)
            start += size
        delivered = open_file(directory, "parquet")
        with delivered.table(directory) as whole:
            found = [part.collect() for part in delivered.slices(whole, rows)]
    assert pl.concat(found)["n"].to_list() == list(range(start))
    assert max(part.height for part in found) <= rows
