"""What a search finds, what it leaves to people when its budget is over, and proofs that rows are records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.output_checks.panels import Panel as Drawn
from benchmarks.output_checks.panels import _write_scaled, made_panel
from hub.checks import Verdict, recompute
from hub.checks.extracts import open_extract
from hub.checks.layouts import layouts
from hub.checks.measures import Cube, Measure, printed, values_of
from hub.checks.order_statistics import QUANTILE_METHODS
from hub.checks.panels import Panel
from hub.checks.probes import probe_of
from hub.checks.tables import Table
from tests.unit.checks.surveys import judged, rules_of

ROWS = 30_000


def taxes(rows: int = ROWS, seed: int = 9) -> pl.DataFrame:
    """Tax units as CPS has them: whole amounts of which most are zero, and many small whole numbers."""
    rng = np.random.default_rng(seed)
    wages = np.where(rng.random(rows) < 0.35, 0, rng.lognormal(10.2, 0.8, rows)).round().astype(int)
    return pl.DataFrame(
        {
            "pid": np.arange(rows) + 10,
            "state": rng.integers(1, 52, rows),
            "age": rng.integers(18, 86, rows),
            "status": rng.choice([1, 2, 3, 4], rows, p=[0.4, 0.4, 0.05, 0.15]),
            "size": rng.choice(range(1, 9), rows, p=[0.3, 0.3, 0.15, 0.15, 0.05, 0.03, 0.015, 0.005]),
            "wages": wages,
            "interest": np.where(rng.random(rows) < 0.7, 0, rng.lognormal(5, 2, rows)).round().astype(int),
            "benefit": np.where(rng.random(rows) < 0.9, 0, rng.integers(1, 3_000, rows)),
        }
    )


FRAME = taxes()


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("taxes")
    FRAME.write_parquet(directory / "units.parquet")
    return directory


def verdict(table: pl.DataFrame, extract: Path, tmp_path: Path) -> tuple[Verdict, set[str]]:
    report = judged(extract, tmp_path, table, units={"person": "pid"})
    return report.verdict, rules_of(report)


NAMES = ["age", "state", "status", "size", "wages"]
RECORDS = FRAME.filter(pl.col("wages") > 0).sample(9, seed=4).select(NAMES)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(RECORDS, id="named"),
        pytest.param(FRAME.sample(40, seed=2).drop("pid").rename(lambda name: f"v{len(name)}{name[0]}"),
                     id="other heads"),
        pytest.param(
            FRAME.sample(12, seed=3).select(*NAMES, "interest"), id="zeros"
        ),
    ],
)  # fmt: skip
def test_a_few_records_are_proven(table: pl.DataFrame, extract: Path, tmp_path: Path) -> None:
    found, rules = verdict(table, extract, tmp_path)
    assert found is Verdict.BLOCK
    assert rules & {"trajectory", "row_level"}


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(
            FRAME.group_by("state", "status").agg(pl.col("wages").quantile(0.5, "lower"), n=pl.len() + 1)
            .filter(pl.col("n") >= 150).sort("state", "status").drop("n"), id="medians of large groups",
        ),
        pytest.param(
            FRAME.filter(pl.col("benefit") == 0).group_by("status")
            .agg(a=pl.col("wages").quantile(0.4, "lower"), b=pl.col("wages").quantile(0.6, "lower"))
            .sort("status"), id="two percentiles of a subset",
        ),
        pytest.param(
            pl.DataFrame({"age": range(20, 60), "state": [1 + a % 51 for a in range(40)],
                          "value": [(a * 977) % 5_000 for a in range(40)]}), id="no data at all",
        ),
        pytest.param(pl.DataFrame({"threshold": [1_000 * at for at in range(1, 41)]}), id="a list of limits"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_not_blocked_as_one(table: pl.DataFrame, extract: Path, tmp_path: Path) -> None:
    _, rules = verdict(table, extract, tmp_path)
    assert not rules & {"trajectory", "row_level", "column_copy"}


@pytest.mark.parametrize("count", [60, 200])
def test_a_copied_column_is_proven_among_dense_values(count: int, extract: Path, tmp_path: Path) -> None:
    """Most small amounts have neighbours in the extract, the large ones have none: together no chance."""
    column = FRAME.select("wages").sample(count, seed=8)
    assert verdict(column, extract, tmp_path)[0] is Verdict.BLOCK


def test_numbers_near_those_of_the_extract_are_no_copy(extract: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    near = FRAME["wages"].sample(200, seed=8).to_numpy() + rng.integers(1, 9, 200)
    rules = verdict(pl.DataFrame({"x": near}), extract, tmp_path)[1]
    assert not rules & {"column_copy", "row_level"}  # many numbers that nothing labels, but no copy


@pytest.mark.parametrize("count", [5, 12])
@pytest.mark.parametrize("head", ["wages", "x"])
def test_the_largest_values_are_proven_however_few(
    head: str, count: int, extract: Path, tmp_path: Path
) -> None:
    top = FRAME["wages"].sort(descending=True).head(count)
    table = pl.DataFrame({"rank": range(1, count + 1), head: top})
    found, rules = verdict(table, extract, tmp_path)
    assert found is Verdict.BLOCK
    assert "column_copy" in rules


def test_values_of_many_are_no_extremes(extract: Path, tmp_path: Path) -> None:
    """The highest ages: each is that of hundreds of persons."""
    table = pl.DataFrame({"age": range(74, 86), "x": [0.5 + at / 7 for at in range(12)]})
    assert "column_copy" not in verdict(table, extract, tmp_path)[1]


def test_predictions_that_units_share_are_predictions(extract: Path, tmp_path: Path) -> None:
    fitted = [round(1_000.123 + at * 17.3456, 5) for at in range(50)] * 2
    found, rules = verdict(pl.DataFrame({"fitted": fitted[:80]}), extract, tmp_path)
    assert found is Verdict.BLOCK
    assert "residuals" in rules


def unnamed(groups: pl.DataFrame) -> pl.DataFrame:
    return groups.rename(dict(zip(groups.columns, ["a", "b", "c", "d"], strict=False)))


MEANS = FRAME.group_by("status", "size").agg(pl.len(), pl.col("wages").mean().round(3)).sort("status", "size")


def test_small_groups_are_proven_under_heads_that_say_nothing(extract: Path, tmp_path: Path) -> None:
    few = MEANS.filter(pl.col("len") < 40)
    found, rules = verdict(unnamed(few), extract, tmp_path)
    assert (found, "small_units" in rules) == (Verdict.BLOCK, bool((few["len"] < 10).any()))


def test_a_search_that_is_over_is_a_review(
    extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never PASS, never BLOCK, for what nobody had the time to explain."""
    safe = unnamed(FRAME.group_by("status").agg(pl.col("wages").mean().round(3)).sort("status"))
    assert verdict(safe, extract, tmp_path)[0] is Verdict.PASS
    monkeypatch.setattr(recompute, "_BUDGET", -1)
    monkeypatch.setattr(recompute, "_LEAST_TRIED", 0)
    found, rules = verdict(safe, extract, tmp_path)
    assert found is Verdict.REVIEW
    assert "unreproduced" in rules


@pytest.mark.parametrize(
    "measure",
    [
        *(
            Measure(word, "wages")
            for word in ("mean", "sum", "sd", "variance", "min", "max", "gini", "count")
        ),
        *(Measure("quantile", "wages", quantile=0.9, method=one) for one in QUANTILE_METHODS),
        Measure("mean", "wages", weight="interest"),
        Measure("persons", "wages", unit="person"),
        Measure("correlation", "wages", other="interest"),
    ],
    ids=str,
)
def test_a_few_groups_never_refute_the_true_measure(measure: Measure, extract: Path) -> None:
    (part,) = open_extract(extract).parts
    panel = Panel(part, {"person": "pid"})
    table = Table(("state", "x"), [[str(at), "1"] for at in range(1, 52)])
    layout = next(one for one in layouts(table, panel) if one.axes[0].variable == "state")
    cube = Cube(panel, layout.axes)
    (series,) = layout.series
    values = values_of(cube.groups((True,), "known"), measure)
    told = Table(("state", "x"), [[str(at + 1), f"{value:.4f}"] for at, value in enumerate(values)])
    (series,) = next(one for one in layouts(told, panel) if one.axes[0].variable == "state").series
    probe = probe_of(cube, series, printed(series.entries))
    assert probe is not None
    assert 0 < probe.rows <= 0.1 * ROWS
    assert probe.allows(measure)
    assert not probe.allows(Measure("mean", "age"))


def test_a_scaled_panel_has_more_persons_and_the_same_zeros(tmp_path: Path) -> None:
    made = made_panel()
    panel = Drawn(**{**made.__dict__, "amounts": ("wage", "hours")})
    path = tmp_path / "units.parquet"
    _write_scaled(panel, path, 25_000)
    scaled = pl.read_parquet(path)
    copies = -(-25_000 // panel.frame.height)
    assert scaled.height == 25_000
    assert scaled.schema == panel.frame.schema
    assert scaled["pid"].n_unique() > (copies - 1) * panel.frame["pid"].n_unique()
    assert scaled.head(panel.frame.height).equals(panel.frame)
    assert scaled["hours"].tail(100).is_in(panel.frame["hours"].implode()).all()  # no amounts: not moved
    assert not scaled["wage"].tail(100).is_in(panel.frame["wage"].implode()).all()
