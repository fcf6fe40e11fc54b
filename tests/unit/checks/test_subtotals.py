"""Suppressed cells that subtotals under one label column give away."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.checks import Verdict
from hub.checks.engine import run_checks
from hub.checks.findings import Severity
from hub.checks.subtotals import find_suppressed
from hub.checks.tables import Bounds, delimited_table
from tests.unit.checks.samples import THRESHOLDS

BELOW = """group,n
Hommes 15-24,120
Hommes 25 et plus,*
Total hommes,124
Femmes 15-24,80
Femmes 25 et plus,60
Total femmes,140
Total,264
"""
ABOVE = """group,n
Total,264
Total hommes,124
15-24,120
25 et plus,*
Total femmes,140
15-24,80
25 et plus,60
"""
BY_NAME = """group,n
homme 15-24,120
femme 15-24,80
homme 25 et plus,*
femme 25 et plus,60
ensemble homme,124
ensemble femme,140
ensemble,264
"""
PARENTS = """branch,n,hours
Industry,150,6000
Food,90,3500
Steel,57,2440
Textile,x,60
Services,200,8000
Trade,120,5000
Hotels,80,3000
"""
CODES = """nace,n,women
C,150,70
C10,90,40
C24,60,30
G,204,x
G45,120,50
G55,84,x
All,354,124
"""

TOTALS = """group,men,women,total
Young A,20,40,60
Young B,x,30,34
Total young,24,70,94
Old A,50,30,80
Old B,40,20,60
Total old,90,50,140
Total,114,120,234
"""

SOLVED = {
    "below": (BELOW, {(1, 1)}),
    "above": (ABOVE, {(3, 1)}),
    "by name": (BY_NAME, {(2, 1)}),
    "the subtotal too": (BELOW.replace("Total hommes,124", "Total hommes,*"), {(1, 1)}),
    "one of two, by the other group": (
        BELOW.replace("Femmes 25 et plus,60", "Femmes 25 et plus,*").replace("femmes,140", "femmes,s"),
        {(1, 1)},
    ),
    "two that are nearly known": (
        BELOW.replace("120", "c").replace("hommes,124", "hommes,8").replace("Total,264", "Total,148"),
        {(0, 1), (1, 1)},
    ),
    "a total column": (
        TOTALS,
        {(1, 1)},
    ),
    "parents without words": (PARENTS, {(3, 1)}),
    "codes": (CODES, {(5, 2)}),
}  # fmt: skip


def findings(text: str) -> list[tuple[str, Severity, tuple[int | None, int | None]]]:
    table = delimited_table(text, Bounds(100, 10_000))
    assert table is not None
    found = find_suppressed(table, THRESHOLDS)
    return [(one.rule, one.severity, (one.place.row, one.place.column)) for one in found]


@pytest.mark.parametrize("case", SOLVED)
def test_what_subtotals_give_away_blocks(case: str) -> None:
    text, places = SOLVED[case]
    found = findings(text)

    assert {place for _, _, place in found} == places
    assert {(rule, severity) for rule, severity, _ in found} == {("suppression_solvable", Severity.BLOCK)}


HIDDEN = {
    "two in each of two groups": BELOW.replace("120", "*").replace("80", "*").replace("60", "*"),
    "two large ones": BELOW.replace("Hommes 15-24,120", "Hommes 15-24,*"),
    "no totals of the group": BELOW.replace("Total hommes,124\n", "").replace("Total,264", "Total,*"),
    "nothing suppressed": BELOW.replace("*", "4"),
}  # fmt: skip


@pytest.mark.parametrize("case", HIDDEN)
def test_what_nothing_gives_away_does_not_block(case: str) -> None:
    assert not [one for one in findings(HIDDEN[case]) if one[1] is Severity.BLOCK]


def test_means_have_no_sums_and_are_left_to_people() -> None:
    lines = ("group,mean", "Men A,12.5", "Men B,*", "Total men,11.25", "Women A,10.5", "Women B,11.5")
    text = "\n".join((*lines, "Total women,11.0", "Total,11.1", ""))

    assert [one[:2] for one in findings(text)] == [("suppressed_margins", Severity.REVIEW)]


def test_readings_that_nothing_proves_are_left_to_people() -> None:
    """Each line has something suppressed: whether subtotals stand above or below is not told."""
    text = "group,n\nTotal a,33\nx,*\ny,30\nTotal b,60\nz,*\nw,40\nTotal,120\n"

    assert {one[1] for one in findings(text)} == {Severity.REVIEW}


def test_a_file_with_a_solvable_subtotal_is_blocked(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(BELOW)
    report = run_checks(file, name="t.csv", form=None, extract=None, thresholds=THRESHOLDS)

    assert report.verdict is Verdict.BLOCK
