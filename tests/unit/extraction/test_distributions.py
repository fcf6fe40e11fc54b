"""Rows come back place by place in their order, however many places there are, and leave nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hub.extraction.distributions import PLACE, distributed


@given(st.lists(st.integers(0, 40), min_size=1), st.integers(1, 9), st.integers(1, 50), st.integers(1, 20))
def test_every_row_comes_back_in_its_place(
    places: list[int], piece: int, fan_out: int, piece_rows: int
) -> None:
    table = pl.DataFrame({PLACE: places, "text": [f"row {number}" for number in range(len(places))]})
    pieces = (table[start : start + piece] for start in range(0, table.height, piece))
    with tempfile.TemporaryDirectory() as staging:
        held = distributed(
            pieces, places=41, staging=Path(staging), piece_rows=piece_rows, compression="lz4",
            fan_out=fan_out,
        )  # fmt: skip
        found = list(held)
        assert list(Path(staging).iterdir()) == []
    assert [place for place, _ in found] == sorted(set(places))
    for place, rows in found:
        assert rows.equals(table.filter(pl.col(PLACE) == place).drop(PLACE))
