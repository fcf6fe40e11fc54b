"""Samples: refused where they cannot be drawn; of exact size, one inside the other, others per project."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.filters import Comparison, Operator
from hub.documents.projects import ExtractDocument, SampleDocument
from hub.documents.requests import PopulationSample
from hub.domain.errors import Refused
from hub.extraction import extract, register
from hub.extraction.keys import sample_key
from hub.extraction.linkages import keyed
from hub.extraction.samples import STRATUM, draw
from tests.unit.extraction.conftest import DICTIONARY, MASTER_KEY, NOW, plan_short

TOY = parse(Dictionary, DICTIONARY, name="toy.yaml")


def _people(number: int) -> pl.DataFrame:
    """`number` persons, three to a household, the households of two years."""
    ids = range(number)
    return pl.DataFrame(
        {
            "id": ids,
            "year": [2025 + n // 3 % 2 for n in ids],
            "house": [f"h{n // 3}" for n in ids],
            "sex": [1 + n % 2 for n in ids],
        }
    )


PEOPLE = _people(600)


def _draw(
    table: pl.DataFrame = PEOPLE,
    *,
    population: pl.DataFrame | None = None,
    project: str = "study",
    key: bytes = MASTER_KEY,
    unit: str = "person",
    **sample: object,
) -> pl.DataFrame:
    """The rows of the persons (or `unit`s) drawn from `population`, by default from `table` itself."""
    asked = PopulationSample.model_validate(sample)
    columns = keyed(TOY, unit)
    if asked.per is not None:
        columns.append(pl.col(asked.per).alias(STRATUM))
    units = (table if population is None else population).select(columns).unique()
    drawn = draw(asked, units, sample_key(key, project, unit), field="sample")
    return table.join(drawn, left_on=TOY.unit_types[unit].key, right_on=drawn.columns, how="semi")


@pytest.mark.parametrize(
    "sample",
    [
        {},
        {"share": 0.5, "count": 3},
        {"share": 0.0},
        {"share": 1.0},
        {"share": -0.1},
        {"share": float("nan")},
        {"count": 0},
        {"count": True},
        {"count": 3.0},
        {"share": 0.5, "units": "employer"},
        {"share": 0.5, "members": "all"},
        {"share": 0.5, "per": "../sex"},
        {"share": 0.5, "seed": 7},
    ],
)
def test_an_unclear_sample_is_no_document(sample: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SampleDocument.model_validate(sample)


@pytest.mark.parametrize(
    ("sample", "code", "field"),
    [
        ({"share": 0.5, "per": "pay"}, "unknown_variable", "populations[0].sample.per"),
        ({"share": 0.5, "per": "house"}, "no_strata", "populations[0].sample.per"),
        ({"share": 0.5, "per": "wage"}, "no_strata", "populations[0].sample.per"),
        ({"count": 6}, "sample_too_large", "populations[0].sample.count"),
        ({"count": 3, "per": "sex"}, "sample_too_large", "populations[0].sample.count"),
        ({"count": 5, "units": "household"}, "sample_too_large", "populations[0].sample.count"),
        ({"share": 0.01}, "sample_too_small", "populations[0].sample.share"),
        (
            {"count": 1, "per": "sex", "units": "household"},
            "unit_in_several_strata",
            "populations[0].sample.per",
        ),
    ],
)
def test_a_sample_that_cannot_be_drawn_leaves_nothing(
    dictionary: Dictionary,
    csv: Path,
    warehouse: Path,
    tmp_path: Path,
    sample: dict[str, object],
    code: str,
    field: str,
) -> None:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    request = ExtractDocument.model_validate({"source": "toy", "columns": ("year",), "sample": sample})

    def planned_and_made() -> None:
        plan = plan_short(request, warehouse)
        extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW)

    with pytest.raises(Refused) as refused:
        planned_and_made()
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not (tmp_path / "v1").exists()


def test_a_source_without_households_has_no_sample_of_them(csv: Path, warehouse: Path) -> None:
    lines = [line for line in DICTIONARY.splitlines() if "household" not in line]
    register(csv, parse(Dictionary, "\n".join(lines), name="toy.yaml"), warehouse=warehouse, now=NOW)
    request = ExtractDocument(
        source="toy", columns=("year",), sample=SampleDocument(share=0.5, units="household")
    )
    with pytest.raises(Refused) as refused:
        plan_short(request, warehouse)
    assert (refused.value.code, refused.value.field) == ("unknown_unit", "populations[0].unit")


@given(st.integers(1, 600))
def test_a_count_is_exact(count: int) -> None:
    assert _draw(count=count)["id"].n_unique() == count


@given(st.integers(2, 999), st.integers(2, 999))
def test_a_smaller_share_lies_inside_a_larger_one(one: int, two: int) -> None:
    small, large = (_draw(share=thousandths / 1000) for thousandths in sorted((one, two)))
    assert set(small["id"]) <= set(large["id"])
    assert len(large) == int(Fraction(max(one, two), 1000) * 600)  # never more than was approved


def test_the_share_is_the_one_that_was_written() -> None:
    # 0.29 × 100 is 28.999… in doubles.
    assert len(_draw(_people(100), share=0.29)) == 29
    assert (len(_draw(share=0.025)), len(_draw(share=0.05))) == (15, 30)


@given(st.permutations(range(60)))
def test_neither_the_order_of_rows_nor_chance_decides(order: list[int]) -> None:
    people = _people(60)
    assert set(_draw(people[order], count=20)["id"]) == set(_draw(people, count=20)["id"])


@pytest.mark.parametrize("other", [{"project": "study-b"}, {"key": bytes(32)}])
def test_another_project_or_key_draws_others(other: dict[str, object]) -> None:
    mine, theirs = (set(_draw(count=300, **more)["id"]) for more in ({}, other))  # type: ignore[arg-type]
    # Half of the half is expected in common: 150, standard deviation 6.
    assert 110 <= len(mine & theirs) <= 190


@given(st.integers(1, 300))
def test_strata_have_each_their_number(count: int) -> None:
    drawn = _draw(count=count, per="sex")
    assert sorted(drawn.group_by("sex").len().rows()) == [(1, count), (2, count)]


def test_a_missing_value_is_a_stratum_of_its_own() -> None:
    people = _people(90).with_columns(pl.when(pl.col("id") < 60).then(pl.col("sex")).alias("sex"))
    sizes = _draw(people, share=0.1, per="sex").group_by("sex").len()
    assert sorted(sizes["len"]) == [3, 3, 3]
    assert sizes["sex"].null_count() == 1


@given(st.integers(1, 200))
def test_a_household_comes_whole_or_not_at_all(count: int) -> None:
    drawn = _draw(count=count, unit="household")
    sizes = drawn.group_by("year", "house").len()
    assert (len(sizes), set(sizes["len"])) == (count, {3})


@pytest.mark.parametrize(("members", "sexes"), [("filtered", {1}), ("all", {1, 2})])
def test_only_whom_the_filter_leaves_is_delivered_unless_all_members_are_asked_for(
    warehouse: Path, tmp_path: Path, members: str, sexes: set[int]
) -> None:
    plain = PEOPLE.with_columns(wage=1.0, born=pl.lit(None, pl.Date), works=True)
    plain.write_parquet(tmp_path / "people.parquet")
    form = TOY.file.model_copy(update={"format": "parquet"})
    register(tmp_path / "people.parquet", TOY.model_copy(update={"file": form}), warehouse=warehouse, now=NOW)
    request = ExtractDocument.model_validate(
        {
            "source": "toy",
            "columns": ("sex",),
            "household": True,
            "filter": Comparison(field="sex", operator=Operator.EQUAL, values=(1,)),
            "sample": {"count": 50, "units": "household", "members": members},
        }
    )
    plan = plan_short(request, warehouse)
    extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / "v1", now=NOW)
    table = pl.read_parquet(tmp_path / "v1" / "toy.parquet")
    assert set(table["sex"]) == sexes
    assert table["household_id"].n_unique() == 50
    if members == "all":
        assert set(table.group_by("household_id").len()["len"]) == {3}


def test_a_sample_says_so_and_changes_no_pseudonym(
    dictionary: Dictionary, csv: Path, warehouse: Path, tmp_path: Path
) -> None:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    tables = []
    for name, sample in (("all", None), ("some", SampleDocument(count=2, units="household", per="year"))):
        request = ExtractDocument(
            source="toy",
            columns=("year",),
            household=True,
            sample=sample,
            filter=Comparison(field="year", operator=Operator.AT_LEAST, values=(2025,)),
        )
        plan = plan_short(request, warehouse)
        manifest = extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / name, now=NOW)
        drawn = None if sample is None else PopulationSample(count=2, per="year")
        assert manifest.samples == ({} if drawn is None else {"units": drawn})
        tables.append(pl.read_parquet(tmp_path / name / "toy.parquet"))
    assert tables[1].equals(tables[0].join(tables[1], on=tables[0].columns, how="semi"))
    page = (tmp_path / "some" / "codebook.html").read_text(encoding="utf-8")
    assert "nombre d’unités 2, par valeur de year" in page
    assert "number of units 2, per value of year" in page
