"""Standard errors, intervals, cells of several numbers, cumulated columns: refused first, then made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hub.checks import Report, Verdict
from hub.checks.wording import hint_of
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
SD, N = pl.col("wage").std(), pl.len()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(LARGE, tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("small"))


def means(frame: pl.DataFrame = LARGE, of: str = "wage", by: str = "region") -> pl.DataFrame:
    """Count, mean, standard error and interval by group, unrounded."""
    error = pl.col(of).std() / pl.len().sqrt()
    mean = pl.col(of).mean()
    table = frame.group_by(by).agg(
        n=pl.len(), mean=mean, se=error, ci_low=mean - 1.96 * error, ci_high=mean + 1.96 * error
    )
    return table.sort(by)


def pairs(table: pl.DataFrame, form: str, by: str = "region") -> pl.DataFrame:
    """The table with a mean and what belongs to it in one cell."""
    rows = [
        (row[by], form.format(m=row["mean"], s=row["se"], a=row["ci_low"], b=row["ci_high"], n=row["n"]))
        for row in table.rows(named=True)
    ]
    return pl.DataFrame(rows, schema=[by, "wage"], orient="row")


def cumulated(frame: pl.DataFrame, *, plain: bool, by: str = "region", share: bool = False) -> pl.DataFrame:
    table = frame.group_by(by).agg(n=pl.len()).sort(by).with_columns(cum_n=pl.col("n").cum_sum())
    if share:
        table = table.with_columns(cum_percent=(100 * pl.col("cum_n") / pl.col("n").sum()).round(2))
    return table if plain else table.drop("n")


def rounded(table: pl.DataFrame, digits: int = 3) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Float64).round(digits))


UNSAFE = {
    "errors of a few": rounded(means(FRAME)).select("region", "mean", "se"),
    "intervals of a few": rounded(means(FRAME)).select("region", "ci_low", "ci_high"),
    "cells of a few": pairs(means(FRAME), "{m:.3f} ({s:.3f})"),
    "intervals in cells of a few": pairs(means(FRAME), "{m:.3f} [{a:.3f}, {b:.3f}]"),
    "cumulated small counts": cumulated(FRAME, plain=False),
    "cumulated beside suppressed": cumulated(FRAME, plain=True).with_columns(
        n=pl.when(pl.col("n") < 50).then(pl.lit("<10")).otherwise(pl.col("n").cast(pl.String))),
    "a mean that one person dominates": rounded(means(LARGE, "income")).select("region", "ci_low", "ci_high"),
    "errors of zeros": rounded(means(LARGE, "bonus")).select("region", "mean", "se"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSAFE)
def test_what_a_few_are_behind_does_not_pass(kind: str, small: Path, tmp_path: Path) -> None:
    report = judged(small, tmp_path, UNSAFE[kind])

    assert report.verdict is not Verdict.PASS


@pytest.mark.parametrize(
    "kind", ["errors of a few", "cells of a few", "intervals in cells of a few", "cumulated small counts"]
)
def test_the_units_behind_them_are_counted(kind: str, small: Path, tmp_path: Path) -> None:
    report = judged(small, tmp_path, UNSAFE[kind])

    assert report.verdict is Verdict.BLOCK
    assert "small_units" in rules_of(report)


def wrong(table: pl.DataFrame, column: str, by: float) -> pl.DataFrame:
    """One number of a column changed."""
    at = pl.int_range(pl.len()) == 1
    return table.with_columns(pl.when(at).then(pl.col(column) + by).otherwise(pl.col(column)).alias(column))


@pytest.mark.parametrize(
    "table",
    [
        wrong(means().with_columns(pl.col("mean", "se").round(3)).drop("ci_low", "ci_high"), "se", 0.01),
        wrong(cumulated(LARGE, plain=True), "cum_n", 3),
        wrong(cumulated(LARGE, plain=True, share=True), "cum_percent", 0.03),
        pairs(means(), "{m:.3f} ({s:.2f}7)"),
        pairs(means(), "{m:.3f} [{a:.3f}, {s:.3f}]"),
    ],
)
def test_a_number_that_is_not_so_does_not_pass(table: pl.DataFrame, large: Path, tmp_path: Path) -> None:
    assert judged(large, tmp_path, table).verdict is Verdict.REVIEW


SAFE = {
    "errors": rounded(means()).drop("ci_low", "ci_high"),
    "errors without counts": rounded(means()).select("region", "mean", "se"),
    "intervals": rounded(means()).drop("se"),
    "errors and intervals": rounded(means()),
    "errors under another name": rounded(means()).rename({"se": "std_err", "mean": "mean_wage"}),
    "intervals in French": rounded(means()).drop("se").rename({"ci_low": "IC inf", "ci_high": "IC sup"}),
    "errors in cells": pairs(means(), "{m:.3f} ({s:.3f})"),
    "errors after a sign": pairs(means(), "{m:.2f} ± {s:.2f}"),
    "intervals in cells": pairs(means(), "{m:.3f} [{a:.3f}, {b:.3f}]"),
    "intervals in round brackets": pairs(means(), "{m:.3f} ({a:.3f}; {b:.3f})"),
    "counts in cells": pairs(means(), "{m:.3f} ({n})"),
    "cumulated counts": cumulated(LARGE, plain=True),
    "cumulated counts alone": cumulated(LARGE, plain=False),
    "cumulated shares": cumulated(LARGE, plain=True, share=True),
    "running totals without a name": cumulated(LARGE, plain=True).rename({"cum_n": "upto"}),
}


@pytest.mark.parametrize("kind", SAFE)
def test_what_follows_from_the_extract_passes(kind: str, large: Path, tmp_path: Path) -> None:
    report = judged(large, tmp_path, SAFE[kind])

    assert report.verdict is Verdict.PASS, [(one.rule, one.evidence) for one in report.findings]


def declared(*measures: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "table", "table": "units", "by": [{"variable": "region"}], "measures": measures}


def of(stat: str) -> dict[str, Any]:
    return {"stat": stat, "of": "wage", "column": stat}


@pytest.mark.parametrize("quantile", ["normal", "student"])
def test_declared_errors_and_intervals(quantile: str, large: Path, tmp_path: Path) -> None:
    from scipy import stats

    table = means()
    width = stats.norm.ppf(0.975) if quantile == "normal" else stats.t.ppf(0.975, table["n"].to_numpy() - 1)
    half = np.asarray(width) * table["se"].to_numpy()
    made = table.with_columns(ci_low=table["mean"] - half, ci_high=table["mean"] + half).drop("n")
    output = declared(of("mean"), of("se"), of("ci_low"), of("ci_high"))

    assert judged(large, tmp_path, rounded(made, 4), output=output).verdict is Verdict.PASS
    assert "false_claim" in rules_of(
        judged(large, tmp_path, rounded(wrong(made, "ci_low", 0.01), 4), output=output)
    )


@pytest.mark.parametrize(
    ("head", "statistic"),
    [
        ("se", "se"), ("std_err", "se"), ("Std. Error", "se"), ("erreur-type", "se"), ("std", "sd"),
        ("standard deviation", "sd"), ("ci_low", "ci_low"), ("CI 95% lower", "ci_low"),
        ("ci95_high", "ci_high"),
        ("lower", "ci_low"), ("IC sup", "ci_high"), ("upper limit", "ci_high"), ("low", None), ("high", None),
        ("max", "max"), ("ic_max", "max"), ("selected", None),
    ],
)  # fmt: skip
def test_words_for_errors_and_intervals(head: str, statistic: str | None) -> None:
    assert next(iter(hint_of(head, None).statistics), None) == statistic


def report_of(extract: Path, scratch: Path, text: str) -> Report:
    return judged(extract, scratch, text, name="t.md")


def test_cells_of_a_report_in_markdown(large: Path, tmp_path: Path) -> None:
    rows = pairs(means(), "{m:.2f} ({s:.3f})").rows()
    text = "| region | mean wage (se) |\n|---|---|\n" + "".join(f"| {a} | {b} |\n" for a, b in rows)

    assert report_of(large, tmp_path, text).verdict is Verdict.PASS
    assert report_of(large, tmp_path, text + "\nThe best earned 31.415.\n").verdict is Verdict.REVIEW
