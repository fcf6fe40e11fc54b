"""Rows come back place by place in their order, however many places there are, and leave nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.extraction.distributions import PLACE, ahead, distributed


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


def test_long_texts_are_written_once_and_not_for_every_place(tmp_path: Path) -> None:
    rows = 20_000
    texts = [f"a text too long to be held inside a view, {number}" for number in range(rows)]
    table = pl.DataFrame({PLACE: [number % 100 for number in range(rows)], "text": texts})
    held = distributed([table], places=100, staging=tmp_path, piece_rows=rows)
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert sum(len(text) for text in texts) < written < 3 * sum(len(text) for text in texts)
    assert sum(rows.height for _, rows in held) == rows


def test_what_is_made_ahead_comes_in_its_order() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead([])) == []


def test_an_error_made_ahead_reaches_whoever_waits_and_nothing_after_it_does() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise OSError(28, "No space left on device")

    found = []
    with pytest.raises(OSError, match="No space left"):
        found.extend(ahead(pieces()))
    taken = ahead(pieces())
    assert next(taken) == 1
    with pytest.raises(OSError, match="No space left"):
        next(taken)
