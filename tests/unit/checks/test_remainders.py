"""What a table leaves out may not be counted from the whole that its shares, or its grand total, are of."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.checks import Verdict
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
HIDDEN = pl.col("region").is_in([RARE, ALONE])


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


def shares(of: pl.DataFrame, by: list[str], within: list[str] | None = None) -> pl.DataFrame:
    """Counts and shares of all rows of `of`, the small regions left out of the lines."""
    table = of.group_by(by).agg(n=pl.len())
    whole = pl.col("n").sum().over(within) if within else pl.col("n").sum()
    return table.with_columns(share=(100 * pl.col("n") / whole).round(2)).filter(~HIDDEN).sort(by)


@pytest.mark.parametrize(
    ("by", "within", "columns"),
    [
        (["region"], None, ["region", "n", "share"]),
        (["region"], None, ["region", "share"]),
        (["region", "sex"], ["sex"], ["region", "sex", "n", "share"]),
        (["region", "sex"], None, ["region", "sex", "n", "share"]),
    ],
)
def test_shares_tell_the_whole_that_they_are_of(
    extract: Path, tmp_path: Path, by: list[str], within: list[str] | None, columns: list[str]
) -> None:
    report = judged(extract, tmp_path, shares(FRAME, by, within).select(columns))
    assert (report.verdict, rules_of(report) - {"share_without_base"}) == (
        Verdict.BLOCK,
        {"suppression_undone"},
    )
    twin = judged(extract, tmp_path, shares(LARGE, by, within).select(columns))
    assert (twin.verdict, rules_of(twin) - {"share_without_base"}) == (Verdict.PASS, set())


def test_shares_may_leave_out_enough_persons(extract: Path, tmp_path: Path) -> None:
    shown = shares(FRAME, ["region"]).filter(pl.col("region") != "West")
    assert judged(extract, tmp_path, shown).verdict is Verdict.PASS


def test_a_mark_in_place_of_a_share_is_left_out_too(extract: Path, tmp_path: Path) -> None:
    table = shares(FRAME, ["region"]).cast({"n": pl.String, "share": pl.String})
    marked = pl.concat([table, pl.DataFrame({"region": [RARE, ALONE], "n": ["s", "s"], "share": ["s", "s"]})])
    assert "suppression_undone" in rules_of(judged(extract, tmp_path, marked))


def test_a_grand_total_is_a_total_of_the_innermost_cells(extract: Path, tmp_path: Path) -> None:
    cells = LARGE.group_by("region", "sex").agg(n=pl.len()).sort("region", "sex")
    for of, verdict in ((FRAME, Verdict.BLOCK), (LARGE, Verdict.PASS)):
        total = pl.DataFrame({"region": ["All"], "sex": ["All"], "n": [of.height]}, schema=cells.schema)
        assert judged(extract, tmp_path, pl.concat([cells, total])).verdict is verdict
