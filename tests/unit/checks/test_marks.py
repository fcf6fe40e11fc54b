"""A mark in place of a number says that it is suppressed, not what it is."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.checks import Severity, Verdict
from hub.checks.counts import bound_of
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
COUNTS = LARGE.group_by("region").agg(n=pl.len(), persons=pl.col("pid").n_unique()).sort("region")


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


def lines(head: str, *more: str) -> str:
    rows = "".join(f"{region},{n}\n" for region, n in COUNTS.select("region", head).rows())
    return f"region,{head}\n{rows}" + "".join(f"{line}\n" for line in more)


@pytest.mark.parametrize(
    "mark", ["<10", "< 10", "≤9", "less than 10", "moins de 10", "(<10)", "s", "", "*", "<20"]
)
@pytest.mark.parametrize("head", ["n", "persons"])
def test_the_threshold_may_be_said(extract: Path, tmp_path: Path, head: str, mark: str) -> None:
    report = judged(extract, tmp_path, lines(head, f"{RARE},{mark}", f"{ALONE},{mark}"))
    assert (report.verdict, rules_of(report)) == (Verdict.PASS, set())


@pytest.mark.parametrize(
    "mark", ["<2", "<7", "< 7", "≤6", "less than 2", "fewer than 7", "moins de 7", "(<7)", "unter 7"]
)
@pytest.mark.parametrize("head", ["n", "persons"])
def test_a_smaller_number_is_a_count(extract: Path, tmp_path: Path, head: str, mark: str) -> None:
    report = judged(extract, tmp_path, lines(head, f"{RARE},{mark}"))
    assert report.verdict is Verdict.BLOCK
    assert {one.severity for one in report.findings if one.rule == "small_count"} == {Severity.BLOCK}


@pytest.mark.parametrize("mark", ["fewer than two", "1-4", "six", "±6", "6 (!)"])
def test_what_is_no_mark_is_read_by_people(extract: Path, tmp_path: Path, mark: str) -> None:
    assert judged(extract, tmp_path, lines("n", f"{RARE},{mark}")).verdict is not Verdict.PASS


def test_many_marks_and_stars_tell_cells_apart(extract: Path, tmp_path: Path) -> None:
    several = lines("n", f"{RARE},s", f"{ALONE},..", "x,c")
    assert judged(extract, tmp_path, lines("n", f"{RARE},s", f"{ALONE},c")).verdict is Verdict.PASS
    assert judged(extract, tmp_path, several).verdict is not Verdict.PASS
    report = judged(extract, tmp_path, lines("n").replace("592", "592**", 1))
    assert (report.verdict, rules_of(report)) == (Verdict.REVIEW, {"telling_marks"})


def test_bands_are_no_marks(extract: Path, tmp_path: Path) -> None:
    young = FRAME.filter(pl.col("age") < 25).height
    rest = FRAME.height - young
    assert judged(extract, tmp_path, f"age,n\n<25,{young}\n25+,{rest}\n").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("<10", 10),
        ("≤ 9", 10),
        ("moins de 7", 7),
        ("jusqu’à 4", 5),
        ("10", None),
        ("< 5 persons", None),
        ("", None),
    ],
)
def test_the_least_number_that_a_mark_excludes(text: str, bound: int | None) -> None:
    assert bound_of(text) == bound
