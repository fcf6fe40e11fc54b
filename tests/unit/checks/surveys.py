"""A survey of persons in households and with employers, on which each rule can be broken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hub.checks import Report, Thresholds
from hub.checks.engine import run_checks
from hub.documents.outputs import Declaration
from tests.unit.checks.samples import THRESHOLDS

UNITS = {"person": "pid", "household": "hid", "employer": "eid"}
RARE, ALONE = "Rare", "Alone"


def survey(persons: int = 600, years: int = 4, seed: int = 5) -> pl.DataFrame:
    """One row per person and year. Region "Rare" has six persons, "Alone" one; all of "West" have no bonus;
    the first person of "South" earns most of it; group "x" is that of nearly all of "East"."""
    rng = np.random.default_rng(seed)
    rows = persons * years
    person = np.repeat(np.arange(persons), years)
    region = np.array(["North", "South", "East", "West"])[person % 4].astype(object)
    region[person < 6] = RARE
    region[person == 6] = ALONE
    wage = np.round(rng.lognormal(2.5, 0.5, rows), 3)
    income = np.round(rng.lognormal(3, 0.4, rows), 2)
    income[person == 9] = 90_000.25  # of South
    bonus = np.round(rng.lognormal(1, 0.5, rows), 2)
    bonus[region == "West"] = 0
    group = np.where((region == "East") & (person % 80 != 10), "x", np.array(["x", "y", "z"])[person % 3])
    return pl.DataFrame(
        {
            "pid": 1_000 + 3 * person,
            "hid": 500 + person // 2,
            "eid": 70 + person % 90,
            "region": region.astype(str),
            "group": group.astype(str),
            "sex": np.array(["F", "M"])[(person // 4) % 2],
            "year": 2001 + np.tile(np.arange(years), persons),
            "age": 20 + (person * 7) % 45,
            "union": (rng.random(rows) < 0.3).astype(int),
            "wage": wage,
            "income": income,
            "bonus": bonus,
        }
    )


def written(frame: pl.DataFrame, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(directory / "units.parquet")
    return directory


def judged(
    extract: Path,
    scratch: Path,
    content: str | bytes | pl.DataFrame,
    *,
    name: str = "t.csv",
    form: Mapping[str, str] | None = None,
    output: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = UNITS,
    thresholds: Thresholds = THRESHOLDS,
) -> Report:
    """The report on one file; `output`: its declaration without version and file."""
    file = scratch / "frozen"
    text = content.write_csv() if isinstance(content, pl.DataFrame) else content
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    declaration = None
    if output is not None:
        declaration = Declaration.model_validate_json(
            json.dumps({"version": 1, "file": name, "output": dict(output)})
        )
    return run_checks(
        file,
        name=name,
        form=form,
        extract=extract,
        thresholds=thresholds,
        units=units,
        declaration=declaration,
    )


def rules_of(report: Report) -> set[str]:
    return {one.rule for one in report.findings}
