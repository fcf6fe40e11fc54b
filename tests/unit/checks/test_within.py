"""Two columns of one table may not differ by the few who have no value."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.checks import Verdict
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

WITHOUT = [1_000 + 3 * person for person in (20, 45, 71)]  # one of each of three regions
MANY = [1_000 + 3 * person for person in range(8, 8 + 4 * 12)]  # twelve of each region
FRAME = survey().with_columns(
    wage=pl.when(~pl.col("pid").is_in(WITHOUT)).then("wage"),
    bonus=pl.when(~pl.col("pid").is_in(MANY)).then((1.7 * pl.col("wage") + pl.col("age")).round(3)),
)
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


def by_region(*measures: pl.Expr) -> pl.DataFrame:
    return LARGE.group_by("region").agg(*measures).sort("region")


def having(name: str) -> pl.Expr:
    return pl.col("pid").filter(pl.col(name).is_not_null()).n_unique()


def of(name: str) -> dict[str, pl.DataFrame]:
    """Tables that count all and those with a value of `name`."""
    n, value = pl.len().alias("n"), pl.col(name)
    mean = value.mean().round(4).alias(f"{name}_mean")
    return {
        "rows": by_region(n, value.count().alias(f"n_{name}"), mean),
        "persons": by_region(
            pl.col("pid").n_unique().alias("persons"), having(name).alias(f"{name}_persons")
        ),
        "sum and mean": by_region(n, value.sum().round(3).alias(f"{name}_sum"), mean),
        "deviation and error": by_region(
            n,
            value.std().round(4).alias(f"{name}_sd"),
            (value.std() / value.count().sqrt()).round(5).alias(f"{name}_se"),
        ),
        "variables": pl.DataFrame(
            {"variable": [name, "age"], "n": [FRAME[name].count(), FRAME["age"].count()]}
        ),
    }


@pytest.mark.parametrize("shape", list(of("wage")))
def test_columns_differ_by_nobody_or_by_enough(extract: Path, tmp_path: Path, shape: str) -> None:
    report = judged(extract, tmp_path, of("wage")[shape])
    assert (report.verdict, rules_of(report)) == (Verdict.BLOCK, {"differing_populations"})
    twin = judged(extract, tmp_path, of("bonus")[shape])
    assert (twin.verdict, rules_of(twin)) == (Verdict.PASS, set())


@pytest.mark.parametrize(
    "table",
    [
        by_region(pl.len().alias("n"), pl.col("wage").mean().round(4).alias("wage_mean")),
        by_region(pl.col("wage").count().alias("n_wage"), pl.col("wage").mean().round(4).alias("wage_mean")),
        by_region(pl.len().alias("n"), pl.col("age").count().alias("n_age")),
        by_region(pl.len().alias("n"), pl.col("pid").n_unique().alias("persons")),
    ],
    ids=["all beside a mean", "those of the mean", "the same twice", "rows and persons"],
)
def test_other_columns_may_leave(extract: Path, tmp_path: Path, table: pl.DataFrame) -> None:
    assert judged(extract, tmp_path, table).verdict is Verdict.PASS


def test_the_finding_names_the_columns(extract: Path, tmp_path: Path) -> None:
    (one,) = judged(extract, tmp_path, of("wage")["rows"]).findings
    assert one.evidence["columns"] == ["n", "n_wage"]
    assert one.evidence["units"]["person"] == 1
    assert "colonnes" in one.message["fr"]
    assert "columns" in one.message["en"]
