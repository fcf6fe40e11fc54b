"""Two tables of one file: their difference is counted in households and employers too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks import Severity
from hub.checks.numbering import persons_of_panel
from hub.checks.panels import open_panels
from hub.checks.persons import relations
from tests.unit.checks.surveys import UNITS, judged, written

PEOPLE = 800
K = np.arange(PEOPLE)


def frame(home: int, staff: int) -> pl.DataFrame:
    """800 persons in two regions. The first `home` live together, all others alone; the first `staff` work
    for one employer, all others for one of a hundred. `part` leaves the first twelve out."""
    region = np.where(K < 400, "North", "South")
    return pl.DataFrame(
        {
            "pid": 1_000 + 3 * K,
            "hid": 5_000 + np.maximum(K - home + 1, 0),
            "eid": 70 + np.where(staff > K, 0, 1 + K % 100),
            "region": region,
            "part": [None if k < 12 else r for k, r in enumerate(region.tolist())],
            "age": 20 + (K * 7) % 45,
        }
    )


def two_tables(people: pl.DataFrame) -> str:
    """Counts by `region` and by `part` in one text."""
    tables = []
    for name in ("region", "part"):
        counted = people.drop_nulls(name).group_by(name).agg(n=pl.len()).sort(name)
        rows = "\n".join(f"| {label} | {n} |" for label, n in counted.iter_rows())
        tables.append(f"| {name} | n |\n|---|---|\n{rows}\n")
    return "\n".join(tables)


@pytest.mark.parametrize(
    ("home", "staff", "unit"),
    [(13, 0, "household"), (12, 0, "household"), (1, 12, "employer"), (1, 300, "employer"), (1, 0, None)],
)
def test_twelve_persons_of_one_household_or_employer_are_the_difference(
    tmp_path: Path, home: int, staff: int, unit: str | None
) -> None:
    people = frame(home, staff)
    report = judged(written(people, tmp_path / "extract"), tmp_path, two_tables(people), name="t.md")
    found = [one for one in report.findings if one.rule == "differing_populations"]
    assert [(one.severity, one.evidence["unit_type"]) for one in found] == (
        [] if unit is None else [(Severity.BLOCK, unit)]
    )


def test_everybody_belongs_to_each_unit_once(tmp_path: Path) -> None:
    """Over months a person has several employers, and some have none."""
    months = pl.concat([frame(13, 0).with_columns(eid=pl.col("eid") + 7 * (K % 5) * m) for m in range(3)])
    months = months.with_columns(eid=pl.when(pl.col("pid") % 7 > 0).then("eid")).sample(
        fraction=1.0, shuffle=True, seed=2
    )
    directory = written(months, tmp_path / "extract")
    (directory / "manifest.json").write_text(
        '{"pseudonyms": {"columns": {"person": "pid", "household": "hid", "employer": "eid"}}}'
    )
    _, (panel,) = open_panels(directory)
    persons, made = persons_of_panel(panel), relations(panel)
    assert persons is not None
    assert set(panel.units) == set(UNITS)
    for kind, column in (("household", "hid"), ("employer", "eid")):
        units = months[column].drop_nulls().unique().sort()
        said = sorted((persons[p], units[int(u)]) for p, u in zip(*made[kind], strict=True))
        assert said == sorted(months.select("pid", column).drop_nulls().unique().iter_rows())
