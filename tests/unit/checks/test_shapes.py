"""What the shape of a table tells where no statistic explains it, and what it must not be taken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.checks import Verdict
from tests.unit.checks.surveys import UNITS, judged, rules_of, survey, written

FRAME = survey()
RNG = np.random.default_rng(11)
WAGES = FRAME["wage"].to_numpy()


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey"))


def blocks(extract: Path, scratch: Path, content: str | pl.DataFrame, name: str = "t.csv") -> set[str]:
    report = judged(extract, scratch, content, name=name)
    assert report.verdict is not Verdict.PASS
    return {one.rule for one in report.findings if one.severity.value == "BLOCK"}


def column(values: np.ndarray, name: str = "v") -> pl.DataFrame:
    return pl.DataFrame({name: np.round(values, 4)})


RECORDS = {
    "shuffled values": column(RNG.permutation(WAGES)[:80]),
    "sorted values": column(np.sort(RNG.permutation(WAGES)[:80])),
    "means of single persons": column(FRAME.group_by("pid").agg(pl.mean("wage"))["wage"].to_numpy()[:60]),
    "residuals under another name": pl.DataFrame(
        {"sex": FRAME["sex"][:60], "u": np.round(WAGES[:60] - WAGES.mean(), 4)}
    ),
    "values with noise beside labels": pl.DataFrame(
        {"region": FRAME["region"][:200], "y": np.round(WAGES[:200] + RNG.normal(0, 0.1, 200), 3)}
    ),
    "scores under the numbers of a frame": pl.DataFrame(
        {"": RNG.permutation(90_000)[:50], "PC1": np.round(RNG.normal(size=50), 5)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", RECORDS)
def test_many_lines_that_nothing_labels_are_records(extract: Path, tmp_path: Path, what: str) -> None:
    assert blocks(extract, tmp_path, RECORDS[what]) & {"residuals", "column_copy", "row_level"}


def curve(points: int = 40) -> pl.DataFrame:
    x = np.linspace(1, 30, points)
    return pl.DataFrame({"x": np.round(x, 4), "density": np.round(np.exp(-((x - 12) ** 2) / 50), 5)})


def coefficients() -> str:
    """A table of two models, each standard error below its coefficient."""
    lines = ["variable,(1),(2)"]
    for name in (f"x{n}" for n in range(15)):
        lines += [f"{name},0.{len(name)}123***,0.2{len(name)}41", ",(0.0312),(0.0511)"]
    return "\n".join(lines) + "\n"


LABELLED = {
    "a curve": curve(),
    "coefficients": coefficients(),
    "means of a long table": pl.DataFrame(
        {"a": np.repeat(np.arange(6), 5), "b": np.tile(np.arange(5), 6), "mean": np.arange(30) * 0.137 + 5}
    ),
    "names of rows": pl.DataFrame({"term": [f"t{n}" for n in range(30)], "coef": np.arange(30) * 0.0137}),
}  # fmt: skip


@pytest.mark.parametrize("what", LABELLED)
def test_lines_that_are_told_apart_are_not_taken_for_records(
    extract: Path, tmp_path: Path, what: str
) -> None:
    assert not blocks(extract, tmp_path, LABELLED[what])


def test_small_counts_of_groups_made_by_the_researcher_block(extract: Path, tmp_path: Path) -> None:
    table = 'band,F,M\n"(0, 10]",310,290\n"(10, 50]",120,7\n"(50, 90]",30,41\n'

    assert "small_count" in blocks(extract, tmp_path, table)


@pytest.mark.parametrize(
    "table",
    [
        'band,F,M\n"(0, 10]",310,290\n"(10, 50]",120,70\n"(50, 90]",30,41\n',  # none is small
        "band,median age,median tenure\na,41,7\nb,38,5\nc,52,9\n",  # heads name a statistic
        "band,F,M\na,310,290\nb,120,5\nc,30,40\n",  # rounded to 5: people judge
        "statistic,F,M\nmean,41,7\nmedian,38,5\n",
        "band,age,tenure\na,41,7\nb,38,5\n",  # a variable of the extract: a mean of it
    ],
)
def test_other_whole_numbers_are_no_small_counts(extract: Path, tmp_path: Path, table: str) -> None:
    assert "small_count" not in blocks(extract, tmp_path, table)


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (",a,b\na,1.0,1.0\nb,1.0,1.0\n", "dispersion"),
        (",a,b\na,1.0,-1.0\nb,-1.0,1.0\n", "dispersion"),
        ("g,whislo,q1,med,q3,whishi\n1,0.4,2.1,3.3,4.1,9.2\n", "extreme"),
        ("g,F,M\n1,5.31 [n=3],4.12 [n=410]\n2,5.62 [n=200],4.44 [n=380]\n", "small_count"),
    ],
)
def test_what_a_head_or_a_cell_says(extract: Path, tmp_path: Path, table: str, rule: str) -> None:
    assert rule in blocks(extract, tmp_path, table)


def test_the_first_of_a_ranking_are_extremes(extract: Path, tmp_path: Path) -> None:
    top = FRAME["income"].sort(descending=True).head(6)

    assert "extreme" in blocks(extract, tmp_path, pl.DataFrame({"rank": range(1, 7), "amount": top}))
    lower = FRAME["income"].sort(descending=True)[1:7]
    assert "extreme" not in blocks(
        extract, tmp_path, pl.DataFrame({"rank": range(1, 7), "amount": lower + 1})
    )


def test_identifiers_of_a_bare_extract_in_a_column_or_in_code_block(extract: Path, tmp_path: Path) -> None:
    rows = FRAME["pid"].value_counts().sort("pid").head(30)
    assert "pseudonym" in blocks(extract, tmp_path, rows)
    for code in ("d = d[d.pid != 1003]", 'd[d["pid"].isin([1006, 7])]', "subset(d, pid %in% c(1003, 9))"):
        assert "pseudonym" in blocks(extract, tmp_path, code + "\n", name="a.py")
    assert not blocks(extract, tmp_path, "d = d[d.age != 1003]\nn = d.pid.nunique() > 1003\n", name="a.py")
    assert not blocks(extract, tmp_path, "d = d[d.pid != 999999]\n", name="a.py")
    assert UNITS["person"] == "pid"


def test_a_table_of_counts_per_person_number_is_not_taken_for_identifiers(
    extract: Path, tmp_path: Path
) -> None:
    assert "pseudonym" not in rules_of(judged(extract, tmp_path, "pid,n\n1,300\n2,400\n"))


def two_tables(first: list[int], second: list[int]) -> str:
    parts = []
    for counts in (first, second):
        rows = "\n".join(f"| {label} | {n} |" for label, n in zip("ab", counts, strict=True))
        parts.append(f"| band | n |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


@pytest.mark.parametrize(
    ("second", "near"),
    [([410, 297], True), ([401, 300], True), ([410, 300], False), ([390, 260], False), ([404, 270], False)],
)
def test_two_tables_that_differ_by_a_few_units_block(
    extract: Path, tmp_path: Path, second: list[int], *, near: bool
) -> None:
    found = blocks(extract, tmp_path, two_tables([410, 300], second), name="t.md")

    assert ("differing_populations" in found) is near


def test_labels_are_not_the_smallest_of_a_column_of_row_numbers(tmp_path: Path) -> None:
    extract = written(FRAME.with_row_index("rownames", offset=1), tmp_path / "extract")
    table = "code,share of something\n1,0.31\n2,0.27\n3,0.42\n"

    assert not blocks(extract, tmp_path, table)


def test_codes_of_a_state_that_comes_next_are_no_small_counts(extract: Path, tmp_path: Path) -> None:
    """Moves of which nobody knows from when to when: the codes are labels, and the counts are large."""
    rows = [[a, b, 400 + 17 * a + 31 * b] for a in range(4) for b in range(4)]
    table = pl.DataFrame(rows, schema=["three", "next_three", "n"], orient="row")
    frame = FRAME.with_columns(three=pl.col("pid") // 3 % 4)
    directory = written(frame, tmp_path / "three")
    assert blocks(directory, tmp_path, table) == set()
    assert "small_count" in blocks(directory, tmp_path, table.rename({"next_three": "those", "n": "these"}))
