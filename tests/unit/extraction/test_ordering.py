"""Tables ordered in ranges are the same as tables sorted at once, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.extraction import deliveries, extract, ordering, register
from hub.extraction.ordering import Order, in_ranges
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned


@given(
    st.lists(st.tuples(st.integers(1, 30), st.one_of(st.none(), st.integers(0, 5))), min_size=1),
    st.integers(1, 40),
)
def test_ranges_give_the_order_of_one_sort(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int | None]], in_memory: int
) -> None:
    staging = tmp_path_factory.mktemp("staging")
    table = pl.DataFrame(rows, schema={"id": pl.Int64, "x": pl.Int64}, orient="row")
    pieces = (table[start : start + 7] for start in range(0, table.height, 7))
    made = in_ranges(
        pieces, Order(("id", "x")), table["id"].unique(), schema=table.schema, rows=table.height,
        staging=staging, in_memory=in_memory,
    ).collect()  # fmt: skip
    assert made.equals(table.sort("id", "x", nulls_last=True))
    assert list(staging.iterdir()) == []


def test_what_is_in_order_already_keeps_it() -> None:
    rows = pl.DataFrame({"id": [2, 2, 1, 1], "x": [5, None, 9, 3]})
    assert Order(("id",), presorted=True).sort(rows)["x"].to_list() == [9, 3, 5, None]


TEXTS = {
    "raw key": "units: [person], columns: [month, age, sex]",
    "several units": "units: [person, household], columns: [month, age]",
    "household first": "units: [household, person], columns: [month, age]",
    "without the month": "units: [person], columns: [age, sex]",
    "joined": "units: [person], columns: [month, age], "
    "through: [{source: atlas, unit: sector, columns: [rent]}]",
}


@pytest.fixture(scope="module", params=[1, 10**9], ids=["buckets", "plain"])
def warehouse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("large")
    warehouse = directory / "warehouse"
    warehouse.mkdir()
    for content, table in ((registers.PERSONS, registers.persons()), (registers.ATLAS, registers.atlas())):
        dictionary = parse(Dictionary, content, name="d.yaml")
        table.write_parquet(directory / "given.parquet")
        register(
            directory / "given.parquet", dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES,
            bucketed_from=request.param if dictionary.name == "persons" else 10**9,
        )  # fmt: skip
    return warehouse


@pytest.mark.parametrize("text", TEXTS)
def test_large_tables_are_delivered_as_small_ones(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The way of large tables, made to be taken by 1,200 rows, writes the same file."""
    plan = planned(
        warehouse,
        "populations: [{name: all, source: persons, unit: person}]\n"
        f"datasets: [{{name: people, source: persons, of: [all], {TEXTS[text]}}}]",
    )

    def made(name: str) -> pl.DataFrame:
        extract(
            plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / name, now=NOW,
            schemes=SCHEMES, areas=LIMITS,
        )  # fmt: skip
        assert not list((tmp_path / name).glob("*.stream"))
        return pl.read_parquet(tmp_path / name / "people.parquet")

    small = made("small")
    monkeypatch.setattr(deliveries, "SORTED_IN_MEMORY", 100)
    monkeypatch.setattr(deliveries, "PIECE", 50)
    monkeypatch.setattr(ordering.in_ranges, "__kwdefaults__", {"in_memory": 100})
    large = made("large")
    assert large.equals(small)
    assert set(small["person_id"].value_counts()["count"]) == {3}
    if "month" in small.columns:
        assert set(small["month"]) == set(registers.MONTHS)
