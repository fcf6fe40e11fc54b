"""Means of a part of the rows that their table does not name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks import Report, Severity, Verdict
from tests.unit.checks.surveys import judged, survey, written

FRAME = survey(persons=1_200).with_columns(
    job=pl.Series(np.random.default_rng(8).integers(1, 13, 1_200).repeat(4)),
    town=pl.Series(np.random.default_rng(9).integers(1, 9, 1_200).repeat(4)),
)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("parts"))


def means_of(part: pl.DataFrame, decimals: int = 3, least: int = 1) -> pl.DataFrame:
    kept = part.group_by("job").agg(
        pl.col("wage").mean().round(decimals).alias("mean_wage"), pl.col("pid").n_unique().alias("_persons")
    )
    return kept.filter(pl.col("_persons") >= least).drop("_persons").sort("job")


def small_of(report: Report) -> list[dict[str, object]]:
    return [dict(one.evidence) for one in report.findings if one.rule == "small_units"]


def test_means_of_a_few_in_a_part_that_nothing_names_are_blocked(extract: Path, tmp_path: Path) -> None:
    part = FRAME.filter((pl.col("year") == 2002) & (pl.col("town") == 3))
    table = means_of(part)
    report = judged(extract, tmp_path, table)
    assert report.verdict is Verdict.BLOCK
    units = part.group_by("job").agg(pl.col("pid", "hid", "eid").n_unique())
    few = units.filter(pl.min_horizontal("pid", "hid", "eid") < 10)
    found = small_of(report)
    assert len(found) == few.height > 0
    assert all(one["part"] == {"year": "2002", "town": "3"} for one in found)
    assert {one.severity for one in report.findings if one.rule == "small_units"} == {Severity.BLOCK}


def test_means_of_many_in_such_a_part_are_looked_at_by_people(extract: Path, tmp_path: Path) -> None:
    part = FRAME.filter((pl.col("sex") == "F") & (pl.col("union") == 0))
    report = judged(extract, tmp_path, means_of(part, least=10))
    assert report.verdict is Verdict.REVIEW
    assert small_of(report) == []


@pytest.mark.parametrize("what", ["few", "rounded", "changed", "three conditions"])
def test_what_another_part_may_give_by_chance_is_no_evidence(
    what: str, extract: Path, tmp_path: Path
) -> None:
    part = FRAME.filter((pl.col("year") == 2002) & (pl.col("town") == 3))
    table = means_of(part)
    if what == "few":
        table = table.head(3)
    elif what == "rounded":
        table = means_of(part, decimals=0)
    elif what == "changed":
        table = table.with_columns(mean_wage=pl.col("mean_wage") + (pl.col("job") == 4) * 0.013)
    else:
        table = means_of(part.filter(pl.col("union") == 0))
    report = judged(extract, tmp_path, table)
    assert small_of(report) == []
    assert report.verdict is not Verdict.PASS
