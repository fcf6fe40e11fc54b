"""Files made to get a small group, a person or raw values past the checks: none of them passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hub.checks import Verdict
from hub.checks.canonical import take_in
from tests.unit.checks.samples import THRESHOLDS
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey().with_columns(
    w=pl.when(pl.col("pid") == 1_120).then(9_000.0).otherwise(1.0 + pl.col("age") % 3),
    hired=(pl.col("pid") % 240 == 1_060 % 240).cast(pl.Int64),
)
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
N = pl.len().alias("n")
Table = tuple[pl.DataFrame | str, Mapping[str, Any]]


def agg(by: str | list[str], *more: pl.Expr, of: pl.DataFrame = LARGE) -> pl.DataFrame:
    return of.group_by(by).agg(*more).sort(by)


def mean(name: str = "wage", digits: int = 3) -> pl.Expr:
    return pl.col(name).mean().round(digits).alias(f"mean_{name}")


def rounded(base: int) -> pl.Expr:
    return ((pl.len() / base).round() * base).cast(pl.Int64).alias("n")


def with_total(table: pl.DataFrame, **total: object) -> pl.DataFrame:
    return pl.concat([table, pl.DataFrame(total, schema=table.schema)])


def declared(by: list[str], measures: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    output = {
        "kind": "table",
        "table": "units",
        "by": [{"variable": one} for one in by],
        "measures": measures,
    }
    return {"output": {**output, **more}}


def weighted() -> pl.DataFrame:
    """The sum of weighted wages of a group in which one person has nearly all the weight."""
    return agg("region", (pl.col("wage") * pl.col("w")).sum().round(2).alias("sum_wage"))


def smuggled() -> pl.DataFrame:
    """True means, with a person's wages in the decimals that nobody would look at."""
    table = agg("region", pl.col("wage").mean().alias("m"))
    hidden = FRAME.filter(pl.col("pid") == 1_060)["wage"].to_list()
    cells = [f"{m:.8f}{round(h * 1000) % 100_000:05d}" for m, h in zip(table["m"], hidden, strict=True)]
    return pl.DataFrame({"region": table["region"], "mean_wage": cells})


def two_tables() -> str:
    """Counts by region and sex without the smallest cell, and counts by region, in one file."""
    parts = agg(["region", "kind"], N, of=kinds()).filter(pl.col("n") >= 60)
    whole = agg("region", N, of=kinds())
    lines = []
    for table in (parts, whole):
        rows = [table.columns, ["---"] * table.width, *[[str(c) for c in row] for row in table.rows()]]
        lines.append("\n".join("| " + " | ".join(row) + " |" for row in rows))
    return "\n\n".join(lines) + "\n"


def kinds() -> pl.DataFrame:
    """A kind that six persons of North have and everybody else has not."""
    odd = LARGE.filter(pl.col("region") == "North")["pid"].unique().sort().to_list()[:6]
    return LARGE.with_columns(kind=pl.when(pl.col("pid").is_in(odd)).then(pl.lit("odd"))
                              .when(pl.col("age") < 40).then(pl.lit("a")).otherwise(pl.lit("b")))  # fmt: skip


CASES: Mapping[str, Callable[[], Table]] = {
    "raw wages as labels": lambda: (agg("wage", N).head(40), {}),
    "raw wages as labels with rounded counts": lambda: (
        agg("wage", N).head(40).with_columns(n=pl.lit(0)), {}),
    "a wage in a head": lambda: (agg("region", N).rename({"n": "n (wage 3212.75)"}), {}),
    "a wage in a row label": lambda: (
        pl.DataFrame({"": ["mean wage 3212.75", "mean age 57.25"],
                      "value": [round(LARGE["wage"].mean(), 3), round(LARGE["age"].mean(), 3)]}), {}),
    "one person with many rows": lambda: (agg("region", N, of=FRAME), {}),
    "mean of one person": lambda: (agg("region", mean(), of=FRAME), {}),
    "mean of one person, suppressed, with the total": lambda: (
        with_total(agg("region", N, mean()), region=["Total"], n=[FRAME.height],
                   mean_wage=[round(FRAME["wage"].mean(), 3)]), {}),
    "means alone with the mean of all": lambda: (
        with_total(agg("region", mean()), region=["Total"], mean_wage=[round(FRAME["wage"].mean(), 3)]), {}),
    "sums with the sum of all": lambda: (
        with_total(agg("region", pl.col("wage").sum().round(3).alias("sum_wage")), region=["All"],
                   sum_wage=[round(FRAME["wage"].sum(), 3)]), {}),
    "rounded to 5": lambda: (agg("region", rounded(5), of=FRAME), {}),
    "rounded to 100": lambda: (agg("region", rounded(100), of=FRAME), {}),
    "weighted counts of a few": lambda: (
        agg("region", pl.col("w").sum().round(3).alias("weighted_n"), of=FRAME), {}),
    "weighted sum of one": lambda: (
        weighted(),
        declared(["region"], [{"stat": "sum", "of": "wage", "weight": "w", "column": "sum_wage"}])),
    "filter on one person": lambda: (
        agg("region", N, of=FRAME.filter(pl.col("pid") != 1_060)),
        declared(["region"], [{"stat": "count", "column": "n"}],
                 where={"field": "pid", "operator": "!=", "values": [1060]})),
    "thin filter": lambda: (
        agg("sex", mean(), N, of=FRAME.filter((pl.col("age") == 41) & (pl.col("region") == "North"))),
        declared(["sex"], [{"stat": "count", "column": "n"},
                           {"stat": "mean", "of": "wage", "column": "mean_wage"}],
                 where={"and": [{"field": "age", "operator": "==", "values": [41]},
                                {"field": "region", "operator": "==", "values": ["North"]}]})),
    "mean of pseudonyms": lambda: (
        agg("region", pl.col("pid").mean().round(3).alias("m")),
        declared(["region"], [{"stat": "mean", "of": "pid", "column": "m"}])),
    "median of a few": lambda: (
        agg("age", pl.col("wage").median().round(3).alias("median_wage")), {}),
    "p99 of a region": lambda: (
        agg("region", pl.col("wage").quantile(0.99, "linear").round(3).alias("p99 wage")),
        declared(["region"], [{"stat": "quantile", "of": "wage", "quantile": 0.99, "column": "p99 wage"}])),
    "few employers": lambda: (agg("eid_class", N, mean(), of=employers()), {"own": employers}),
    "few households": lambda: (agg("block", N, mean(), of=households()), {"own": households}),
    "all of a group, long": lambda: (agg(["region", "group"], N).filter(pl.col("n") >= 100), {}),
    "all of a group, within a filter": lambda: (
        agg("group", N, of=LARGE.filter((pl.col("region") == "East") & (pl.col("group") == "x"))),
        declared(["group"], [{"stat": "count", "column": "n"}],
                 where={"field": "region", "operator": "==", "values": ["East"]})),
    "zero cells": lambda: ("region,group,n\nEast,z,0\nNorth,x,{}\n".format(
        LARGE.filter((pl.col("region") == "North") & (pl.col("group") == "x")).height), {}),
    "a sum of zeros": lambda: (agg("region", pl.col("bonus").sum().round(2).alias("sum_bonus")), {}),
    "mean of a rare 0/1": lambda: (agg("region", mean("hired", 5)), {}),
    "sum of a rare 0/1": lambda: (agg("region", pl.col("hired").sum().alias("sum_hired"), N), {}),
    "deviation of a rare 0/1": lambda: (
        agg("region", pl.col("hired").std().round(6).alias("sd_hired"), N),
        declared(["region"], [{"stat": "sd", "of": "hired", "column": "sd_hired"},
                              {"stat": "count", "column": "n"}])),
    "maximum called level": lambda: (agg("region", pl.col("wage").max().alias("level wage"), N), {}),
    "maximum declared as p99.9": lambda: (
        agg("region", pl.col("wage").quantile(0.9999, "higher").alias("q")),
        declared(["region"], [{"stat": "quantile", "of": "wage", "quantile": 0.9999, "column": "q"}])),
    "counts without one person beside counts": lambda: (
        agg("sex", N).with_columns(again=agg("sex", N, of=LARGE.filter(pl.col("pid") != 1_060))["n"]), {}),
    "a table and its parts": lambda: (two_tables(), {"own": kinds, "name": "t.md"}),
    "one year of one person": lambda: (
        FRAME.filter(pl.col("pid") == 1_060).select("year", "age", "wage"), {}),
    "words alone": lambda: (FRAME.select("region", "group", "sex").head(30), {}),
}  # fmt: skip


def employers() -> pl.DataFrame:
    """Classes of persons who all work for three employers."""
    return LARGE.with_columns(eid_class=(pl.col("eid") // 3))


def households() -> pl.DataFrame:
    """Blocks of sixteen persons in eight households."""
    return LARGE.with_columns(block=(pl.col("pid") - 1_000) // 48, eid=1 + pl.col("pid") % 400)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey"))


@pytest.mark.parametrize("case", CASES)
def test_it_does_not_pass(case: str, extract: Path, tmp_path: Path) -> None:
    content, more = CASES[case]()
    options = dict(more)
    own = options.pop("own", None)
    where = written(own(), tmp_path / "own") if own else extract
    report = judged(where, tmp_path, content, **options)
    assert report.verdict is not Verdict.PASS, content
    # Nobody would be helped by a REVIEW that gives no reason; words without numbers need none.
    assert rules_of(report) - {"share_without_base"} or case == "words alone"


def test_wages_in_the_last_decimals_do_not_leave() -> None:
    """The rewritten file has no more digits than can be compared."""
    hidden = [f"{round(wage * 1000) % 100_000:05d}" for wage in FRAME.filter(pl.col("pid") == 1_060)["wage"]]
    (part,) = take_in(smuggled().write_csv().encode(), "t.csv", THRESHOLDS).parts
    assert not any(one in part.data.decode() for one in hidden)


@pytest.mark.parametrize("by", ["region", "sex", "year"])
def test_the_same_without_the_trick_passes(by: str, extract: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    digits = int(rng.integers(2, 5))
    table = agg(by, N, mean("wage", digits), of=LARGE if by == "region" else FRAME)
    report = judged(extract, tmp_path, table)
    assert report.verdict is Verdict.PASS, report.findings


def test_sums_rounded_to_whole_numbers_and_printed_with_a_zero_pass(extract: Path, tmp_path: Path) -> None:
    table = agg("region", N, pl.col("wage").sum().round(0).alias("sum_wage"))
    assert ".0\n" in table.write_csv()
    report = judged(extract, tmp_path, table)
    assert report.verdict is Verdict.PASS, report.findings
    near = table.with_columns(
        pl.when(pl.col("region") == "North").then(2.0).otherwise(0.0) + pl.col("sum_wage")
    )
    assert judged(extract, tmp_path, near).verdict is not Verdict.PASS
