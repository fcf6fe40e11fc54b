"""More numbers made again than a checker is shown: people read what they do not see beside the cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks import Severity, Verdict
from tests.unit.checks.surveys import judged, written

PERSONS_EACH = 12


@pytest.mark.parametrize(("groups", "cut"), [(600, False), (700, True)])
def test_cells_beyond_those_told_are_said(groups: int, cut: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    persons = groups * PERSONS_EACH
    frame = pl.DataFrame(
        {
            "pid": 1_000 + 3 * np.arange(persons),
            "commune": 5_000 + np.arange(persons) // PERSONS_EACH,
            "wage": np.round(rng.normal(30, 6, persons), 3),
        }
    )
    table = frame.group_by("commune").agg(
        pl.len().alias("n"),
        pl.col("wage").mean().round(4).alias("mean_wage"),
        pl.col("wage").sum().round(3).alias("sum_wage"),
    )
    directory = written(frame, tmp_path / "communes")
    report = judged(directory, tmp_path, table.sort("commune"), units={"person": "pid"})

    found = [(one.severity, one.evidence["limit"]) for one in report.findings if one.rule == "cells_cut"]
    assert found == ([(Severity.REVIEW, 2_000)] if cut else []), report.findings
    assert (report.verdict is Verdict.PASS) is not cut
    told = report.summary["cells_reproduced"]
    assert isinstance(told, list)
    assert len(told) == min(3 * groups, 2_000)
    assert len(report.cells) == 3 * groups  # the ledger takes them all
