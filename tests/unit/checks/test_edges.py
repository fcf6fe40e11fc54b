"""The edges of bands are no values of single persons."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hub.checks import Verdict
from tests.unit.checks.surveys import judged, rules_of, survey, written

FRAME = survey().to_pandas()
LOW, HIGH = float(FRAME["wage"].min()), float(FRAME["wage"].max())


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(survey(), tmp_path_factory.mktemp("survey") / "extract")


def bands(edges: list[float], *, right: bool = True, name: str = "wage") -> str:
    """Counts by bands, closed at one side as `cut` does it; the last has both ends."""
    cut = pd.cut(FRAME[name], edges, right=right, include_lowest=right, precision=6)
    counts = cut.value_counts(sort=False)
    rows = "".join(
        f'"{"(" if right else "["}{a}, {b}{"]" if right else ")"}",{n}\n'
        for a, b, n in zip(edges, edges[1:], counts, strict=False)
    )
    return f"{name},n\n{rows}"


@pytest.mark.parametrize(
    "edges",
    [
        [0, 8, 12, 20, HIGH],
        [round(LOW - 0.001 * (HIGH - LOW), 3), 8, 12, 20, 200],
        [0, 8, 12, round(HIGH, 1)],
    ],
    ids=["to the largest", "as cut begins", "to the largest, rounded"],
)
def test_an_extreme_is_no_edge(extract: Path, tmp_path: Path, edges: list[float]) -> None:
    report = judged(extract, tmp_path, bands(edges))
    assert report.verdict is not Verdict.PASS
    assert rules_of(report) & {"extreme", "unreproduced"}


def test_the_income_of_one_person_is_no_edge(extract: Path, tmp_path: Path) -> None:
    report = judged(extract, tmp_path, bands([0, 15, 20, 30, 90_000.25], name="income"))
    assert (report.verdict, rules_of(report)) == (Verdict.BLOCK, {"extreme"})


def test_edges_that_part_the_range_evenly_say_its_ends(extract: Path, tmp_path: Path) -> None:
    """The outer bins are left out: two edges still tell the width, and with it both ends."""
    width = (HIGH - LOW) / 12
    inner = [round(LOW + at * width, 3) for at in range(1, 5)]
    report = judged(extract, tmp_path, bands(inner))
    assert report.verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("edges", "name"),
    [([0, 8, 12, 20, 200], "wage"), ([0, 7.5, 12.5, 20, 100], "wage"), ([19, 29, 64], "age")],
)
def test_edges_that_people_choose_pass(extract: Path, tmp_path: Path, edges: list[float], name: str) -> None:
    report = judged(extract, tmp_path, bands(edges, name=name))
    assert (report.verdict, rules_of(report)) == (Verdict.PASS, set())
