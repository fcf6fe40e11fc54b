"""Files as other programs and people write them: what each leaks is found, what is safe is not refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from hub.checks import Verdict
from hub.checks.panels import open_panels
from hub.checks.regressions import fit_declared, printed_parameters
from hub.checks.tables import Table
from hub.documents.outputs import DeclaredRegression
from tests.unit.checks.conftest import Check
from tests.unit.checks.surveys import ALONE, RARE, UNITS, judged, rules_of, survey, written

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


COUNTS = FRAME.group_by("region", "year").agg(pl.len().alias("n")).sort("region", "year")


def cross(small: bool) -> list[list[str]]:
    """Counts of region by year as rows of text; `small`: with the regions of few persons."""
    frame = COUNTS if small else COUNTS.filter(~pl.col("region").is_in([RARE, ALONE]))
    wide = frame.pivot(on="year", index="region", values="n")
    return [[str(name) for name in wide.columns], *[[str(cell) for cell in row] for row in wide.rows()]]


def as_printed(rows: list[list[str]]) -> str:
    """As pandas prints a cross table: the columns' name heads the first line, the index' name the second."""
    lines = [["year", *rows[0][1:]], ["region", *[""] * (len(rows[0]) - 1)], *rows[1:]]
    return "\n".join("  ".join(cell.ljust(6) for cell in line) for line in lines) + "\n"


def as_latex(rows: list[list[str]]) -> str:
    """As pandas writes it to LaTeX: every number with six decimals."""
    lines = [["year", *(f"{c}.000000" for c in rows[0][1:])], ["region", *[""] * (len(rows[0]) - 1)]]
    lines += [[row[0], *(f"{c}.000000" for c in row[1:])] for row in rows[1:]]
    body = "\n".join(" & ".join(line) + r" \\" for line in lines)
    return "\\begin{tabular}{lrrrr}\n\\toprule\n" + body + "\n\\bottomrule\n\\end{tabular}\n"


@pytest.mark.parametrize(("name", "write"), [("t.txt", as_printed), ("t.tex", as_latex)])
@pytest.mark.parametrize(("small", "verdict"), [(True, Verdict.BLOCK), (False, Verdict.PASS)])
def test_a_cross_table_of_two_names_is_read(
    tmp_path: Path, name: str, write: Callable[[list[list[str]]], str], *, small: bool, verdict: Verdict
) -> None:
    extract = written(FRAME if small else LARGE, tmp_path / "extract")

    assert judged(extract, tmp_path, write(cross(small)), name=name).verdict is verdict


def as_pivot(rows: list[list[str]]) -> str:
    """Means as pandas writes a pivot table of lists: three lines of heads."""
    lines = [["", *["wage"] * (len(rows[0]) - 1)], ["year", *rows[0][1:]]]
    lines += [["region", *[""] * (len(rows[0]) - 1)], *rows[1:]]
    return "\n".join(",".join(line) for line in lines) + "\n"


def test_a_pivot_table_with_three_lines_of_heads_is_read(large: Path, tmp_path: Path) -> None:
    means = LARGE.group_by("region", "year").agg(pl.col("wage").mean().round(3)).sort("region", "year")
    wide = means.pivot(on="year", index="region", values="wage")
    rows = [[str(name) for name in wide.columns], *[[str(cell) for cell in row] for row in wide.rows()]]

    assert judged(large, tmp_path, as_pivot(rows)).verdict is Verdict.PASS


def test_a_printed_series_with_two_levels_is_read(tmp_path: Path) -> None:
    means = FRAME.group_by("region", "year").agg(pl.col("wage").mean()).sort("region", "year")
    lines, last = ["region  year"], ""
    for region, year, value in means.rows():
        lines.append(f"{'' if region == last else region:8}{year}    {value:.6f}")
        last = region
    extract = written(FRAME, tmp_path / "extract")

    assert "small_units" in rules_of(judged(extract, tmp_path, "\n".join(lines) + "\n", name="log.txt"))


def test_a_long_table_is_judged_statistic_by_statistic(large: Path, tmp_path: Path) -> None:
    long = MEANS.cast({"count": pl.Float64}).rename({"wage": "mean"})
    long = long.unpivot(index="region", on=["count", "mean"])

    assert judged(large, tmp_path, long).verdict is Verdict.PASS


def test_single_cells_that_match_by_chance_are_no_evidence(large: Path, tmp_path: Path) -> None:
    # Nothing of this is in the extract; one cell of one digit is the minimum of something.
    table = "group,variable,value\n1,count,241\n2,count,52\n3,count,252\n1,mean,4.5\n2,mean,7.3\n3,mean,7.1\n"

    assert judged(large, tmp_path, table).verdict is Verdict.REVIEW


def test_lists_of_different_lengths_are_columns(large: Path, tmp_path: Path) -> None:
    bins = '{"variable": "wage", "edges": [0, 10, 20, 30], "counts": [700, 60, 3]}'

    assert "small_count" in rules_of(judged(large, tmp_path, bins, name="hist.json"))


def test_the_few_at_risk_in_a_life_table_block(large: Path, tmp_path: Path) -> None:
    table = "Time,Surv prob,Surv prob SE,num at risk,num events\n1,0.9,0.02,120,12\n2,0.85,0.03,6,1\n"

    assert "small_count" in rules_of(judged(large, tmp_path, table))


def test_levels_of_a_float_column_are_found_by_name(large: Path) -> None:
    declared = DeclaredRegression.model_validate(
        {
            "kind": "regression", "table": "units", "model": "ols", "outcome": "wage",
            "terms": ({"variables": ("union",), "categorical": ("union",)}, {"variables": ("age",)}),
            "columns": {"term": "term", "estimate": "coef"},
        }
    )  # fmt: skip
    _, panels = open_panels(large, UNITS)
    fitted = fit_declared(declared, panels[0])
    order = ["C(union)[T.1.0]", "Intercept", "age"]
    table = Table(["term", "coef"], [[name, "0"] for name in order])

    assert [fitted.parameters[printed_parameters(table, fitted, 0)[row]].name for row in range(3)] == [
        "union[T.1]", "Intercept", "age",
    ]  # fmt: skip


def test_bands_are_found_however_their_edges_are_padded(large: Path, tmp_path: Path) -> None:
    edges = [20.0, 32.5, 45.0, 65.0]
    bands = [f"[{a}, {b})" for a, b in pairwise(edges)]
    counts = [LARGE.filter(pl.col("age").is_between(a, b, closed="left")).height for a, b in pairwise(edges)]
    by = [{"variable": "age", "breaks": edges, "column": "age"}]
    output = {
        "kind": "table", "table": "units", "by": by, "measures": [{"stat": "count", "column": "count"}],
    }  # fmt: skip

    table = pl.DataFrame({"age": bands, "count": counts})
    assert judged(large, tmp_path, table, output=output).verdict is Verdict.PASS
    wrong = table.with_columns(count=pl.col("count") + 20)
    assert "false_claim" in rules_of(judged(large, tmp_path, wrong, output=output))


def test_commas_between_semicolons_are_decimal(large: Path, tmp_path: Path) -> None:
    rows = ["region;Effectif;Moyenne", *(f"{r};{n};{m:.3f}".replace(".", ",") for r, n, m in MEANS.rows())]

    assert judged(large, tmp_path, "\n".join(rows) + "\n").verdict is Verdict.PASS
