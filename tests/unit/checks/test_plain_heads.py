"""What heads of unexplained tables say outright, and cross tables of counts too small to be explained."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.checks import Severity, Verdict
from hub.checks.findings import Finding
from hub.checks.panels import open_panels
from hub.checks.plain_heads import find_outright
from hub.checks.tables import Bounds, delimited_table
from hub.checks.wording import hint_of
from tests.unit.checks.samples import THRESHOLDS
from tests.unit.checks.surveys import ALONE, RARE, UNITS, judged, rules_of, survey, written

FRAME = survey()


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey"))


def told(text: str) -> list[Finding]:
    table = delimited_table(text, Bounds(100, 10_000))
    assert table is not None
    return list(find_outright(table, frozenset(), THRESHOLDS))


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("group,mean,min\na,1.5,0.25\nb,2.5,0.5\n", ["extreme"]),
        ("group,wage_max\na,1.5\nb,2.5\n", ["extreme"]),
        (",wage\nmean,1.5\nMax.,99.25\n", ["extreme"]),
        ("stat,wage\nmean,1.5\nminimum,0.25\n", ["extreme"]),
        ("group,min,max\na,18,25\nb,26,40\n", []),  # edges of bands
        ("group,minutes\na,1.5\nb,2.5\n", []),
        ("group,share\nminors,0.25\nothers,0.75\n", []),
        ("age,cumulated\n20,20\n21,26\n22,40\n23,90\n", ["small_count"]),
        ("age,n_cum\n20,3\n21,26\n22,40\n23,90\n", ["small_count"]),
        ("age,cumulative\n20,20\n21,40\n22,60\n23,90\n", []),
        ("age,cumulated hours\n20,20\n21,26\n22,40\n23,90\n", []),
        ("age,cumulated\n20,20\n21,16\n22,40\n23,90\n", []),
    ],
)
def test_heads(text: str, rules: list[str]) -> None:
    assert [one.rule for one in told(text)] == rules
    assert all(one.severity is Severity.BLOCK for one in told(text))


def test_counts_of_a_hidden_subset_run_together_block(extract: Path, tmp_path: Path) -> None:
    part = FRAME.filter(pl.col("wage") > 28.7, pl.col("pid") % 7 != 3)
    table = part.group_by("age").len().sort("age").with_columns(cumulated=pl.col("len").cum_sum()).drop("len")
    report = judged(extract, tmp_path, table)

    assert report.verdict is Verdict.BLOCK
    assert "small_count" in rules_of(report)


def test_a_cross_table_of_few_persons_blocks(extract: Path, tmp_path: Path) -> None:
    few = FRAME.filter(pl.col("region").is_in([RARE, ALONE]))
    table = (
        few.group_by("region", "year")
        .len()
        .sort("year")
        .pivot("year", index="region", values="len")
        .sort("region")
    )
    assert table.select(pl.col(pl.UInt32).max()).row(0)[0] < 10
    report = judged(extract, tmp_path, table)

    assert report.verdict is Verdict.BLOCK
    assert "small_units" in rules_of(report)


def test_a_cross_table_of_other_numbers_is_not_taken_for_counts(extract: Path, tmp_path: Path) -> None:
    table = "region,2001,2002,2003,2004\nRare,6,5,6,6\nAlone,1,1,1,1\n"

    assert "small_units" not in rules_of(judged(extract, tmp_path, table))


def test_a_head_names_a_variable_whose_name_is_within_another(tmp_path: Path) -> None:
    frame = FRAME.with_columns(ln_wage=pl.col("wage").log())
    _, (panel,) = open_panels(written(frame, tmp_path / "log"), UNITS)

    assert set(hint_of("corr wage ln_wage", panel).variables) == {"wage", "ln_wage"}
    assert hint_of("mean ln_wage", panel).variables == ("ln_wage",)
