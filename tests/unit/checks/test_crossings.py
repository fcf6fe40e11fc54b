"""Groups merged of cells against the same groups by rows: every statistic, axis, total and filter."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hub.checks.axes import Axis
from hub.checks.extracts import open_with_index
from hub.checks.indexes import Sealed, make_index, seal_of
from hub.checks.layouts import TOTAL
from hub.checks.measures import BASES, Cube, Measure, values_of
from hub.checks.panels import Panel

UNITS = {"person": "pid", "household": "hid"}
ROWS = 30_000


@pytest.fixture(scope="module", params=["with an index", "without"])
def panel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    rng = np.random.default_rng(7)
    frame = pl.DataFrame(
        {
            "pid": np.arange(ROWS) // 2 + 1,
            "hid": rng.integers(0, 9_000, ROWS),
            "region": rng.integers(-1, 5, ROWS),
            "age": rng.integers(15, 70, ROWS),
            "sex": rng.integers(0, 2, ROWS),
            "wage": rng.lognormal(9, 1, ROWS).round(2) + 1e7,
        }
    ).with_columns(
        region=pl.when(pl.col("region") >= 0).then(pl.col("region")),
        wage=pl.when(pl.col("hid") % 11 > 0).then(pl.col("wage")),
    )
    directory = tmp_path_factory.mktemp("extract")
    frame.write_parquet(directory / "units.parquet")
    index = tmp_path_factory.mktemp("indexes") / "a"
    make_index(directory, index, UNITS)
    read = open_with_index(directory, Sealed(index, seal_of(index)))
    (part,) = read.parts
    if request.param == "without":
        part.stored = None
    return Panel(part, UNITS)


BANDS = ((15.0, 24.0, True, True), (25.0, 34.0, True, True), (40.0, float("inf"), True, False))
AXES = {
    "categories": (Axis("region", categories=(3, 0, 1)),),
    "missing as a level": (Axis("region", categories=(-1, 0, 1, 2, 3, 4)),),
    "bands": (Axis("age", bands=BANDS),),
    "two": (Axis("age", bands=BANDS), Axis("region", categories=(4, 2))),
    "three": (Axis("sex", categories=(1, 0)), Axis("region", categories=(0, -1)), Axis("age", bands=BANDS)),
}
MEASURES = [
    Measure("count"), Measure("count", "wage"), Measure("sum", "wage"), Measure("mean", "wage"),
    Measure("mean", "wage", weight="age"), Measure("sd", "wage"), Measure("variance", "wage", ddof=0),
    Measure("persons", unit="person"), Measure("households", "wage", unit="household"),
    Measure("median", "wage"), Measure("correlation", "wage", other="age"),
]  # fmt: skip


@pytest.mark.parametrize("only", [None, ("sex", 1)])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", AXES)
def test_merged_groups_are_those_of_the_rows(
    kind: str, base: str, only: tuple[str, int] | None, panel: Panel
) -> None:
    axes = AXES[kind]
    by_its_axis = only is not None and any(axis.variable == only[0] for axis in axes)
    known = panel.few_categories("sex")
    mask = np.ones(panel.rows, dtype=np.bool_) if only is None else np.equal(known.codes, only[1])
    merged, by_rows = Cube(panel, axes, only=only), Cube(panel, axes, mask)
    for wanted in range(2 ** len(axes)):
        used = tuple(bool(wanted >> at & 1) for at in range(len(axes)))
        ours, theirs = merged.groups(used, base), by_rows.groups(used, base)
        assert (ours.merged is None) == by_its_axis
        assert theirs.merged is None
        np.testing.assert_array_equal(ours.gid, theirs.gid)
        for measure in MEASURES:
            found, expected = values_of(ours, measure), values_of(theirs, measure)
            np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=str(measure))
        np.testing.assert_array_equal(ours.varying("wage") > 0, theirs.varying("wage") > 0)


@pytest.mark.parametrize("name", ["sex", "region"])
def test_groups_in_parts(name: str, panel: Panel) -> None:
    axes = AXES["bands"]
    merged, by_rows = Cube(panel, axes), Cube(panel, axes, np.ones(panel.rows, dtype=np.bool_))
    ours, theirs = (cube.groups((True,), "known").parted(name) for cube in (merged, by_rows))
    np.testing.assert_array_equal(ours.gid, theirs.gid)
    np.testing.assert_array_equal(ours.rows(), theirs.rows())
    np.testing.assert_allclose(ours.mean("wage"), theirs.mean("wage"), rtol=1e-12)


def test_a_few_groups_are_located(panel: Panel) -> None:
    axes = AXES["two"]
    merged, by_rows = Cube(panel, axes), Cube(panel, axes, np.ones(panel.rows, dtype=np.bool_))
    for cube in (merged, by_rows):
        rows, own = cube.groups((True, True), "known").located([4, 1])
        gid = by_rows.groups((True, True), "known").gid
        np.testing.assert_array_equal(rows, np.flatnonzero((gid == 4) | (gid == 1)))
        np.testing.assert_array_equal(own, np.where(gid[rows] == 4, 0, 1))


def test_too_many_cells_are_no_crossing(panel: Panel) -> None:
    assert panel.crossing(("age", "region")) is not None
    assert panel.crossing(("age", "region", "age")) is None
    assert panel.crossing(("wage",)) is None
    assert panel.crossing(("age", "region", "sex", "hid")) is None


def test_all_axes_in_total_are_one_group(panel: Panel) -> None:
    groups, number = Cube(panel, AXES["two"]).at((TOTAL, TOTAL), "all")
    assert (number, groups.rows().tolist()) == (0, [ROWS])
    assert groups.units("person").tolist() == [ROWS / 2]
