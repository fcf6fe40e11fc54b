"""Groups against GROUP BY: the same statistics, whether or not rows stand by unit and values are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks.extracts import open_extract
from hub.checks.groups import Groups
from hub.checks.panels import Panel

UNITS = {"person": "pid", "household": "hid"}


def frame(*, by_unit: bool, rows: int = 5_000) -> pl.DataFrame:
    rng = np.random.default_rng(11)
    made = pl.DataFrame(
        {
            "pid": np.sort(rng.integers(0, 900, rows)) * 7 + 100,
            "hid": rng.integers(0, 400, rows),
            "region": rng.integers(-1, 6, rows),
            "wage": rng.lognormal(2, 1, rows).round(3),
            "hours": rng.integers(0, 60, rows),
        }
    )
    gaps = rng.random((rows, 2)) < 0.1
    made = made.with_columns(
        region=pl.when(pl.col("region") >= 0).then(pl.col("region")),
        wage=pl.when(pl.lit(pl.Series(~gaps[:, 0]))).then(pl.col("wage")),
        hid=pl.when(pl.lit(pl.Series(~gaps[:, 1]))).then(pl.col("hid")),
    )
    return made if by_unit else made.sample(fraction=1.0, shuffle=True, seed=1)


@pytest.fixture(params=["by unit", "shuffled", "few rows in groups"])
def grouped(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Groups, pl.DataFrame]:
    """The groups by region, and the rows that are in one."""
    rows = frame(by_unit=request.param != "shuffled")
    rows.write_parquet(tmp_path / "units.parquet")
    (part,) = open_extract(tmp_path).parts
    panel = Panel(part, UNITS)
    known = panel.categories("region")
    assert known is not None
    gid = known.codes.copy()
    if request.param == "few rows in groups":
        gid[rows["hours"].to_numpy() < 45] = -1
        rows = rows.filter(pl.col("hours") >= 45)
    return Groups(panel, gid, len(known.values)), rows.drop_nulls("region")


def expected(rows: pl.DataFrame, value: pl.Expr) -> np.ndarray:
    found = rows.group_by("region").agg(value.alias("x")).sort("region")
    return found["x"].cast(pl.Float64).to_numpy()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", pl.len()),
        ("present", pl.col("wage").count()),
        ("total", pl.col("wage").sum()),
        ("mean", pl.col("wage").mean()),
        ("variance", pl.col("wage").var()),
        ("median", pl.col("wage").quantile(0.5, "linear")),
        ("p90", pl.col("wage").quantile(0.9, "linear")),
        ("largest", pl.col("wage").max()),
        ("persons", pl.col("pid").n_unique()),
        ("households", pl.col("hid").drop_nulls().n_unique()),
        ("persons with a wage", pl.col("pid").filter(pl.col("wage").is_not_null()).n_unique()),
    ],
)
def test_a_statistic_is_that_of_group_by(
    name: str, value: pl.Expr, grouped: tuple[Groups, pl.DataFrame]
) -> None:
    groups, rows = grouped
    found = {
        "rows": groups.rows,
        "present": lambda: groups.present("wage"),
        "total": lambda: groups.total("wage"),
        "mean": lambda: groups.mean("wage"),
        "variance": lambda: groups.variance("wage"),
        "median": lambda: groups.quantile("wage", 0.5),
        "p90": lambda: groups.quantile("wage", 0.9),
        "largest": lambda: groups.extreme("wage", largest=True),
        "persons": lambda: groups.units("person"),
        "households": lambda: groups.units("household"),
        "persons with a wage": lambda: groups.units("person", "wage"),
    }[name]()
    np.testing.assert_allclose(found, expected(rows, value), rtol=1e-12)


@pytest.mark.parametrize("unit", UNITS)
def test_the_shares_of_the_largest_units(unit: str, grouped: tuple[Groups, pl.DataFrame]) -> None:
    groups, rows = grouped
    sums = (
        rows.drop_nulls(["wage", UNITS[unit]])
        .group_by("region", UNITS[unit])
        .agg(pl.col("wage").sum())
        .group_by("region")
        .agg(one=pl.col("wage").top_k(1).sum(), two=pl.col("wage").top_k(2).sum(), all=pl.col("wage").sum())
        .sort("region")
    )
    one, two, rest = groups.top_shares(unit, "wage")
    np.testing.assert_allclose(one, (sums["one"] / sums["all"]).to_numpy())
    np.testing.assert_allclose(two, (sums["two"] / sums["all"]).to_numpy())
    np.testing.assert_allclose(rest, ((sums["all"] - sums["two"]) / sums["one"]).to_numpy())


def test_two_units_as_large_as_each_other_are_the_largest_two(tmp_path: Path) -> None:
    """Of equal amounts one is the largest and the other the second: both count."""
    rows = pl.DataFrame({"pid": [1, 2, 3], "region": [1, 1, 1], "wage": [4.0, 4.0, 2.0]})
    rows.write_parquet(tmp_path / "units.parquet")
    (part,) = open_extract(tmp_path).parts
    groups = Groups(Panel(part, {"person": "pid"}), np.zeros(3, dtype=np.int32), 1)
    one, two, rest = groups.top_shares("person", "wage")
    assert (one[0], two[0], rest[0]) == (0.4, 0.8, 0.5)


def test_a_group_of_equal_values_is_seen_after_the_first_rows(tmp_path: Path) -> None:
    """Of rows that are not looked at nothing is concluded: only of groups that vary in the first ones."""
    late = pl.DataFrame(
        {
            "pid": range(200_000),
            "region": [1, 2] * 100_000,
            "wage": [1.0 + at % 5 if at % 2 else 3.0 for at in range(200_000)],
        }
    )
    late.write_parquet(tmp_path / "units.parquet")
    (part,) = open_extract(tmp_path).parts
    gid = (late["region"].to_numpy() - 1).astype(np.int32)
    varying = Groups(Panel(part, {"person": "pid"}), gid, 2).varying("wage")
    assert varying[0] == 0
    assert varying[1] > 0


def test_the_footer_spans_whole_numbers_only(tmp_path: Path) -> None:
    """A footer may leave out NaN: floats are looked at. So is a column without any value."""
    pl.DataFrame(
        {"a": [5, -3, None], "b": [1.0, float("nan"), 2.0], "c": pl.Series([None] * 3, dtype=pl.Int64)}
    ).write_parquet(tmp_path / "units.parquet")
    (part,) = open_extract(tmp_path).parts
    assert part.span("a") == (-3.0, 5.0)
    assert part.span("b") is None
    assert part.span("c") is None
    panel = Panel(part, {})
    assert [panel.span(name) for name in "abc"] == [(-3.0, 5.0), (1.0, 2.0), (0.0, 0.0)]


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int64, pl.UInt64, pl.Float64, pl.String, pl.Boolean])
def test_positions_of_values(kind: pl.DataType, tmp_path: Path) -> None:
    given = [True, None, False, True] if kind == pl.Boolean else [100, None, 20, 100]
    column = pl.Series("x", given).cast(kind)
    pl.DataFrame([column]).write_parquet(tmp_path / "units.parquet")
    (part,) = open_extract(tmp_path).parts
    known = Panel(part, {}).categories("x")
    assert known is not None
    assert [known.values[at] if at >= 0 else None for at in known.codes] == column.to_list()
    assert dict(part.counted("x").rows()) == dict(column.drop_nulls().value_counts().rows())


def test_negative_values_of_a_narrow_type(tmp_path: Path) -> None:
    """The distance of two Int8 does not fit into one."""
    pl.DataFrame({"x": pl.Series([-120, 120, None], dtype=pl.Int8)}).write_parquet(tmp_path / "units.parquet")
    (part,) = open_extract(tmp_path).parts
    known = Panel(part, {}).categories("x")
    assert known is not None
    assert known.codes.tolist() == [0, 1, -1]
