"""Row-level data of the extract under other names, orders and precisions; aggregates left alone."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from hub.checks import Report, Severity
from hub.checks.findings import Finding
from tests.unit.checks.conftest import Check


def of_rule(report: Report, *names: str) -> list[Finding]:
    return [one for one in report.findings if one.rule in names]


def rows(frame: pl.DataFrame, count: int = 60) -> pl.DataFrame:
    return frame.drop("unit_id", "household_id").sample(count, seed=3)


def test_copied_rows(check: Check, frame: pl.DataFrame) -> None:
    (found,) = of_rule(check("t.csv", rows(frame).write_csv()), "row_level")
    assert found.severity is Severity.BLOCK
    assert found.evidence["rows"] == 60


DISGUISES = {
    "renamed": lambda f: f.rename({name: f"v{at}" for at, name in enumerate(f.columns)}),
    "other order": lambda f: f.select(reversed(f.columns)),
    "three columns": lambda f: f.select("state", "age", "wage"),
    "rounded": lambda f: f.with_columns(pl.col("benefit").round(1)),
    "as text of floats": lambda f: f.with_columns(pl.col("wage", "age").cast(pl.Float64)),
    "with a row number": lambda f: f.with_row_index("id"),
    "with a constant": lambda f: f.with_columns(year=pl.lit(2014)),
    "capitals": lambda f: f.rename(str.upper).with_columns(pl.col("SEX").str.to_lowercase()),
    "hidden among invented rows": lambda f: pl.concat(
        [f, f.with_columns(wage=-f["wage"] - 7, age=f["age"] + 500)]
    ),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_disguised_rows(check: Check, frame: pl.DataFrame, name: str) -> None:
    (found,) = of_rule(check("t.csv", DISGUISES[name](rows(frame)).write_csv()), "row_level")
    assert found.severity is Severity.BLOCK


def test_rows_shown_in_a_text(check: Check, frame: pl.DataFrame) -> None:
    text = rows(frame).write_csv(separator="|")
    markdown = "\n".join(f"|{line}|" for line in text.splitlines())
    assert of_rule(check("t.md", markdown), "row_level")


def test_a_copied_column(check: Check, frame: pl.DataFrame) -> None:
    # Values far apart: a copy is told from chance by its neighbours' absence.
    column = frame.filter(pl.col("benefit") > 5000).select("benefit").unique().head(80)
    (found,) = of_rule(check("t.csv", column.rename({"benefit": "x"}).write_csv()), "column_copy")
    assert found.severity is Severity.BLOCK


def aggregated(frame: pl.DataFrame) -> pl.DataFrame:
    big = pl.concat([frame] * 20)
    return (
        big.group_by("state", "sex").agg(n=pl.len(), mean=pl.col("wage").mean().round(0)).sort("state", "sex")
    )


def by_age(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("age").agg(n=pl.len(), mean=pl.col("wage").mean().round(2)).sort("age")


def labels(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.group_by("state")
        .agg(n=pl.len(), mean=pl.col("benefit").mean(), sd=pl.col("benefit").std())
        .sort("state")
    )


def invented(frame: pl.DataFrame) -> pl.DataFrame:
    rng = random.Random(1)  # noqa: S311  (test data)
    return pl.DataFrame(
        {
            "state": [rng.randrange(1, 52) for _ in range(200)],
            "age": [rng.randrange(18, 86) for _ in range(200)],
            "wage": [rng.randrange(0, 200_000) for _ in range(200)],
        }
    )


def test_whole_means_with_a_trailing_zero_are_not_copies(check: Check, tmp_path: Path) -> None:
    """Seen: mean wages by state, printed 397.0, were taken for a benefit paid in whole dollars."""
    rng = random.Random(2)  # noqa: S311  (test data)
    size = 20_000
    units = pl.DataFrame(
        {
            "state": [at % 51 for at in range(size)],
            # Dense among small amounts, as benefits are, and most of them rare.
            "benefit": [int(rng.expovariate(1 / 400)) for _ in range(size)],
        }
    ).with_columns(benefit=pl.when(pl.col("benefit") < 300).then(0).otherwise(pl.col("benefit")))
    folder = tmp_path / "extract"
    folder.mkdir()
    units.write_parquet(folder / "units.parquet")
    rare = units["benefit"].value_counts().filter(pl.col("count").is_between(1, 9))["benefit"].sort()
    means = rare.filter(rare < 1500).sample(51, seed=4).cast(pl.Float64)
    table = pl.DataFrame({"n": [size // 51] * 51, "mean": means})
    found = of_rule(check("t.csv", table.write_csv(), against=folder), "column_copy")
    assert found == []


@pytest.mark.parametrize("make", [aggregated, by_age, labels, invented])
def test_aggregates_and_inventions_are_not_copies(check: Check, frame: pl.DataFrame, make: object) -> None:
    assert callable(make)
    assert of_rule(check("t.csv", make(frame).write_csv()), "row_level", "column_copy") == []


def with_median(frame: pl.DataFrame) -> pl.DataFrame:
    """A median, lower than interpolated, is the value of one unit of its group."""
    median = pl.col("wage").quantile(0.5, interpolation="lower")
    return (
        frame.group_by("age", "sex").agg(n=pl.len(), p50=median).filter(pl.col("n") >= 10).sort("age", "sex")
    )


def with_maximum(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.group_by("age").agg(n=pl.len(), most=pl.col("wage").max()).filter(pl.col("n") >= 10).sort("age")
    )


def test_order_statistics_of_large_groups_are_reviewed(check: Check, frame: pl.DataFrame) -> None:
    text = with_median(frame).write_csv()
    found = of_rule(check("t.csv", text), "row_level", "column_copy", "order_statistic")
    assert [(one.rule, one.severity) for one in found] == [("order_statistic", Severity.REVIEW)]


def test_maxima_of_large_groups_are_known_for_what_they_are(check: Check, frame: pl.DataFrame) -> None:
    report = check("t.csv", with_maximum(frame).write_csv())
    assert {one.rule for one in report.findings if one.severity is Severity.BLOCK} >= {"extreme"}
    assert of_rule(report, "row_level", "column_copy") == []


def test_few_rows_are_not_judged(check: Check, frame: pl.DataFrame) -> None:
    assert of_rule(check("t.csv", rows(frame, 19).write_csv()), "row_level") == []


def test_residuals_are_reviewed(check: Check) -> None:
    rng = random.Random(1)  # noqa: S311  (test data)
    text = "resid\n" + "".join(f"{rng.gauss(0, 1):.6f}\n" for _ in range(60))
    found = of_rule(check("t.csv", text), "unit_like")
    assert [one.severity for one in found] == [Severity.REVIEW]


def test_without_an_extract_copies_are_still_reviewed(check: Check, frame: pl.DataFrame) -> None:
    report = check("t.csv", rows(frame).write_csv(), against=None)
    assert [one.rule for one in of_rule(report, "row_level", "unit_like")] == ["unit_like"]
