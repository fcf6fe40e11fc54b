"""One person may not make up a standard deviation, a variance, an error or a correlation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks import Verdict
from hub.checks.dominance import _parts, dominance
from hub.checks.extracts import open_extract
from hub.checks.groups import Groups
from hub.checks.measures import Measure
from hub.checks.panels import Panel
from hub.checks.thresholds import Thresholds
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

# `large` of one person of North is a third of its group's sum, and nearly all of its squared deviations.
FRAME = survey().with_columns(
    large=pl.when(pl.col("pid") == 1_000 + 3 * 8).then(2_000).otherwise(pl.col("wage") + 10.0)
)
FRAME = FRAME.with_columns(
    rare=(pl.col("region") == RARE).cast(pl.Int64), often=(pl.col("sex") == "F").cast(pl.Int64)
)
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
N = pl.len().alias("n")
STATISTICS = {
    "sd": lambda name: pl.col(name).std().round(3),
    "variance": lambda name: pl.col(name).var().round(2),
    "se": lambda name: (pl.col(name).std() / pl.len().sqrt()).round(4),
}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


def table(name: str, statistic: str) -> pl.DataFrame:
    of = STATISTICS[statistic](name).alias(f"{name}_{statistic}")
    return LARGE.group_by("region").agg(N, of).sort("region")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_dispersion_is_not_that_of_one_person(extract: Path, tmp_path: Path, statistic: str) -> None:
    assert judged(extract, tmp_path, table("wage", statistic)).verdict is Verdict.PASS
    for name in ("income", "large"):
        report = judged(extract, tmp_path, table(name, statistic))
        # Amounts of which one person holds most are blocked; distances that one makes up are for people.
        verdict = Verdict.BLOCK if name == "income" else Verdict.REVIEW
        assert (report.verdict, rules_of(report)) == (verdict, {"dominance_one"})


def test_a_mean_of_the_same_values_may_leave(extract: Path, tmp_path: Path) -> None:
    """A third of a sum is less than the rule takes; nearly all of a variance is more."""
    means = (
        LARGE.group_by("region").agg(N, pl.col("large").mean().round(3).alias("large_mean")).sort("region")
    )
    assert judged(extract, tmp_path, means).verdict is Verdict.PASS


def test_the_share_of_a_unit_in_a_dispersion_is_told(extract: Path, tmp_path: Path) -> None:
    report = judged(extract, tmp_path, table("large", "sd"))
    (one,) = report.findings
    north = FRAME.filter(pl.col("region") == "North")
    away = (north["large"] - north["large"].mean()) ** 2
    share = away.filter(north["pid"] == 1_024).sum() / away.sum()
    assert one.evidence["of"] == "squared deviations"
    assert one.evidence["largest"] == pytest.approx(share, abs=1e-4)
    assert all(cell.top_shares is not None for cell in report.cells if cell.statistic == "sd")


@pytest.mark.parametrize(("other", "verdict"), [("bonus", Verdict.PASS), ("large", Verdict.REVIEW)])
def test_a_correlation_is_not_that_of_one_person(
    extract: Path, tmp_path: Path, other: str, verdict: Verdict
) -> None:
    found = np.corrcoef(FRAME["wage"], FRAME[other])[0, 1].round(4)
    lines = f"variable,wage,{other}\nwage,1.0,{found}\n{other},{found},1.0\n"
    assert judged(extract, tmp_path, lines).verdict is verdict


@pytest.mark.parametrize(("other", "passes"), [("often", True), ("rare", False)])
def test_a_correlation_is_not_about_the_few_with_a_one(
    extract: Path,
    tmp_path: Path,
    other: str,
    passes: bool,
) -> None:
    """With the means and deviations it gives the mean of those six."""
    found = np.corrcoef(FRAME["wage"], FRAME[other])[0, 1].round(4)
    lines = f"variable,wage,{other}\nwage,1.0,{found}\n{other},{found},1.0\n"
    report = judged(extract, tmp_path, lines)
    assert (report.verdict is Verdict.PASS) is passes, rules_of(report)


def test_a_dispersion_of_all_is_a_total_too(extract: Path, tmp_path: Path) -> None:
    """With the dispersions and means of all groups but one, that of all gives the one that is not shown."""
    shown = LARGE.group_by("region").agg(pl.col("wage").std().round(4).alias("wage_sd")).sort("region")
    rows = "".join(f"{region},{sd}\n" for region, sd in shown.rows())
    whole = FRAME["wage"].std()
    report = judged(extract, tmp_path, f"region,wage_sd\n{rows}All,{whole:.4f}\n")
    assert (report.verdict, rules_of(report)) == (Verdict.BLOCK, {"suppression_undone"})
    own = LARGE["wage"].std()
    assert judged(extract, tmp_path, f"region,wage_sd\n{rows}All,{own:.4f}\n").verdict is not Verdict.BLOCK


@pytest.mark.parametrize("statistic", ["mean", "sum", "sd", "se", "ci_low", "correlation"])
@pytest.mark.parametrize("seed", range(6))
def test_no_unit_passes_the_bound_that_spares_the_search(
    extract: Path, statistic: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same findings as by looking at all units, and a bound that each unit's share keeps."""
    rng = np.random.default_rng(seed)
    (part,) = open_extract(extract).parts
    panel = Panel(part, {"person": "pid"})
    groups = Groups(panel, rng.integers(-1, 5, panel.rows).astype(np.int16), 5)
    spared = 0
    for name, weight in (("wage", None), ("income", None), ("large", None), ("wage", "bonus")):
        measure = Measure(
            statistic, name, weight=weight, other="bonus" if statistic == "correlation" else None
        )
        thresholds = Thresholds(min_units=10, row_level_min_rows=20)
        bounded = [dominance(groups, at, measure, ["person"], thresholds) for at in range(5)]
        for part_of in _parts(groups, measure):
            most = np.array([part_of.most("person", at) for at in range(5)])
            held = np.nan_to_num(part_of.tops("person")[0])
            assert (held <= most * (1 + 1e-9)).all()
            spared += int((most < 0.3).sum())
        with monkeypatch.context() as patch:
            patch.setattr("hub.checks.dominance._Part.most", lambda *_: float("inf"))
            assert [dominance(groups, at, measure, ["person"], thresholds) for at in range(5)] == bounded
    assert spared or statistic == "correlation"  # there one bonus may be as large as all others
