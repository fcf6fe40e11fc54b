"""Each row finds the place of its unit, whatever the pieces and groups, and nothing stays on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.extraction.distributions import PLACE
from hub.extraction.placements import first_repeated, placed

ROWS = 60


def _table() -> pl.DataFrame:
    numbers = [number * 7 % 11 for number in range(ROWS)]
    return pl.DataFrame({"nr": numbers, "kind": [f"kind {n % 3}" for n in numbers], "x": range(ROWS)})


def _places_of(units: pl.DataFrame) -> pl.Series:
    assert units.is_unique().all()
    return units.select((pl.col("nr") * pl.col("nr") + 1).cast(pl.UInt32)).to_series()


def test_a_file_that_became_shorter_between_two_readings_is_no_source(tmp_path: Path) -> None:
    table = _table()
    found = placed(
        table.iter_slices(7), [table.select("nr")[:20]], _places_of, names=["nr"], rows=20, staging=tmp_path
    )
    with pytest.raises(OSError, match="changed"):
        list(found)
    assert list(tmp_path.iterdir()) == []


def test_a_file_whose_units_are_others_at_the_second_reading_is_no_source(tmp_path: Path) -> None:
    table = _table()
    keys = [table.select(pl.col("nr") + 100)]
    found = placed(
        table.iter_slices(7), keys, _places_of, names=["nr"], rows=ROWS, staging=tmp_path, group_rows=2
    )
    with pytest.raises(OSError, match="changed"):
        list(found)


@given(
    st.integers(1, ROWS),
    st.integers(1, ROWS),
    st.integers(1, 2 * ROWS),
    st.sampled_from([["nr"], ["kind", "nr"]]),
)
def test_each_row_finds_the_place_of_its_unit(piece: int, keys: int, group: int, names: list[str]) -> None:
    table = _table()
    with tempfile.TemporaryDirectory() as staging:
        pieces = placed(
            table.iter_slices(piece),
            table.select(names).iter_slices(keys),
            _places_of,
            names=names,
            rows=ROWS,
            staging=Path(staging),
            group_rows=group,
        )
        found = pl.concat(pieces)
        assert list(Path(staging).iterdir()) == []
    assert found.drop(PLACE).equals(table)
    assert found[PLACE].to_list() == [nr * nr + 1 for nr in table["nr"]]
    assert found.schema[PLACE] == pl.UInt32


def test_units_are_reckoned_a_group_at_a_time(tmp_path: Path) -> None:
    seen: list[int] = []

    def places_of(units: pl.DataFrame) -> pl.Series:
        seen.append(units.height)
        return _places_of(units)

    table = pl.DataFrame({"nr": range(10_000)})
    found = placed([table], [table], places_of, names=["nr"], rows=10_000, staging=tmp_path, group_rows=100)
    assert sum(piece.height for piece in found) == sum(seen) == 10_000
    assert len(seen) == 100
    assert max(seen) < 200


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ([(1, "a"), (1, "b"), (2, "a")], None),
        ([(1, "a"), (2, "b"), (1, "a")], 3),
        ([(n, "a") for n in range(50)] + [(49, "a"), (3, "a"), (3, "a")], 51),
        ([(1, None), (2, "a"), (1, None)], 3),
    ],
)
@pytest.mark.parametrize(("piece", "group"), [(1, 1), (7, 5), (100, 1000)])
def test_the_first_row_that_repeats_an_earlier_one(
    tmp_path: Path, rows: list[tuple[int, str | None]], row: int | None, piece: int, group: int
) -> None:
    table = pl.DataFrame(rows, schema={"nr": pl.Int64, "kind": pl.String}, orient="row")
    found = first_repeated(
        table.iter_slices(piece), ["nr", "kind"], rows=table.height, staging=tmp_path, group_rows=group
    )
    assert found == row
    assert list(tmp_path.iterdir()) == []
