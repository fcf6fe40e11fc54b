"""Files as other programs and people write them: what each leaks is found, what is safe is not refused."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from hub.checks import Verdict
from tests.unit.checks.conftest import Check
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
MEANS = LARGE.group_by("region").agg(pl.len().alias("count"), pl.col("wage").mean().round(3)).sort("region")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(LARGE, tmp_path_factory.mktemp("large"))


def page(table: pl.DataFrame, more: str = "") -> str:
    """A table as pandas' to_html writes it."""
    head = "".join(f"<th>{name}</th>" for name in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in table.rows())
    table_ = f'<table border="1" class="dataframe"><thead><tr style="text-align: right;">{head}</tr></thead>'
    return f"{table_}<tbody>{rows}</tbody></table>{more}"


def test_an_identifier_in_the_name_of_a_file_blocks(check: Check, frame: pl.DataFrame) -> None:
    report = check(f"means_{frame['unit_id'][3]}.csv", "sex,n\nF,1500\nM,1500\n")

    assert report.verdict is Verdict.BLOCK
    assert "pseudonym" in rules_of(report)


@pytest.mark.parametrize("field", ["keywords", "creator", "title"])
def test_an_identifier_in_the_properties_of_a_workbook_blocks(
    check: Check, frame: pl.DataFrame, field: str
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["sex", "n"])
    book.active.append(["F", 1500])
    setattr(book.properties, field, str(frame["unit_id"][3]))
    out = io.BytesIO()
    book.save(out)

    assert "pseudonym" in rules_of(check("t.xlsx", out.getvalue()))


def test_a_page_with_one_table_is_judged_as_its_table(large: Path, tmp_path: Path) -> None:
    assert judged(large, tmp_path, page(MEANS), name="t.html").verdict is Verdict.PASS

    small = MEANS.with_columns(count=pl.Series([3, *MEANS["count"][1:]]))
    assert judged(large, tmp_path, page(small), name="t.html").verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    "more",
    ["<script>x=[1,2]</script>", "<svg></svg>", "<!-- 3.14 -->", '<p data-x="1">a</p>', "<img src='x'>"],
)
def test_a_page_with_more_than_tables_and_text_is_refused(large: Path, tmp_path: Path, more: str) -> None:
    report = judged(large, tmp_path, page(MEANS, more), name="t.html")

    assert report.verdict is Verdict.BLOCK
    assert "type_page" in rules_of(report)


def test_numbers_beside_the_table_of_a_page_are_not_passed(large: Path, tmp_path: Path) -> None:
    report = judged(large, tmp_path, page(MEANS, "<p>One of them earns 4711.25</p>"), name="t.html")

    assert report.verdict is Verdict.REVIEW


def summary(observations: int, residual: int) -> str:
    """The head of a summary as statsmodels prints it."""
    return (
        "                            OLS Regression Results\n"
        "==============================================================================\n"
        "Dep. Variable:                   wage   R-squared:                       0.246\n"
        f"No. Observations: {observations:19}   AIC:                             127.0\n"
        f"Df Residuals: {residual:23}   BIC:                             126.8\n"
        "==============================================================================\n"
        "                 coef    std err          t      P>|t|      [0.025      0.975]\n"
        "------------------------------------------------------------------------------\n"
        "Intercept     12.5301     31.450      0.398      0.711     -74.789      99.850\n"
        "age            0.7042      0.617      1.142      0.317      -1.008       2.416\n"
    )


def test_a_printed_summary_with_few_degrees_of_freedom_blocks(large: Path, tmp_path: Path) -> None:
    assert "degrees_of_freedom" in rules_of(judged(large, tmp_path, summary(11, 9), name="ols.txt"))
    assert judged(large, tmp_path, summary(1100, 1098), name="ols.txt").verdict is Verdict.REVIEW
