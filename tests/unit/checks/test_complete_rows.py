"""Tables of the rows that have a value of a variable they do not name: found, and judged as of those rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from hub.checks import Verdict
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

# `half` is missing for many, `nearly` for three persons; in the region East few have a `thin`.
Make = Callable[[pl.DataFrame], pl.DataFrame]

FRAME = (
    survey()
    .filter(~pl.col("region").is_in([RARE, ALONE]))
    .with_columns(
        half=pl.when(pl.col("pid") % 5 == 0).then(None).otherwise(pl.col("wage")),
        nearly=pl.when(pl.col("pid").is_in([1_300, 1_303, 1_306])).then(None).otherwise(pl.col("wage")),
        thin=pl.when((pl.col("region") == "East") & (pl.col("pid") > 1_040))
        .then(None)
        .otherwise(pl.col("wage")),
    )
)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("gaps"))


def shares(rows: pl.DataFrame) -> pl.DataFrame:
    table = rows.group_by("region").agg(n=pl.len()).sort("region")
    return table.with_columns(percent=(100 * pl.col("n") / pl.col("n").sum()).round(2))


def cross(rows: pl.DataFrame) -> pl.DataFrame:
    wide = (
        rows.group_by("region", "sex").agg(pl.len()).sort("sex").pivot(on="sex", index="region", values="len")
    )
    return wide.sort("region")


@pytest.mark.parametrize("make", [shares, cross])
def test_groups_of_a_few_with_a_value_block(make: Make, extract: Path, tmp_path: Path) -> None:
    report = judged(extract, tmp_path, make(FRAME.drop_nulls("thin")))

    assert report.verdict is Verdict.BLOCK
    assert "small_units" in rules_of(report)


def test_two_tables_that_differ_by_those_without_a_value_do_not_pass(extract: Path, tmp_path: Path) -> None:
    text = "\n\n".join(
        "| region | n | percent |\n|---|---|---|\n"
        + "".join(f"| {a} | {b} | {c} |\n" for a, b, c in table.rows())
        for table in (shares(FRAME), shares(FRAME.drop_nulls("nearly")))
    )
    report = judged(extract, tmp_path, text, name="t.md")

    assert report.verdict is not Verdict.PASS
    assert "differing_populations" in rules_of(report)


@pytest.mark.parametrize("make", [shares, cross])
@pytest.mark.parametrize("name", ["half", "nearly"])
def test_tables_of_complete_rows_pass(make: Make, name: str, extract: Path, tmp_path: Path) -> None:
    report = judged(extract, tmp_path, make(FRAME.drop_nulls(name)))

    assert report.verdict is Verdict.PASS, [(one.rule, one.evidence) for one in report.findings]


def test_a_count_that_differs_by_one_does_not_pass(extract: Path, tmp_path: Path) -> None:
    table = cross(FRAME.drop_nulls("half")).with_columns(pl.col("F") + 1)

    assert judged(extract, tmp_path, table).verdict is Verdict.REVIEW
