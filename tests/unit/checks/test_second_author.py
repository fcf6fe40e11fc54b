"""What a second author's files showed: single persons under heads of statistics, repeated values, sums that
are counts, and tables as notebooks and sorted frames write them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from hub.checks import Verdict
from hub.checks.canonical import take_in
from hub.checks.counts import label_columns
from hub.checks.row_numbers import numbers_rows
from hub.checks.tables import Table, delimiter_of
from tests.unit.checks.samples import THRESHOLDS, notebook, shown
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
PERSON = FRAME.filter(pl.col("pid") == 1_060)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("second"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(LARGE, tmp_path_factory.mktemp("second-large"))


@pytest.mark.parametrize("head", ["mean_wage", "average", "Lohn"])
def test_the_path_of_a_person_under_the_head_of_a_statistic_blocks(
    head: str, extract: Path, tmp_path: Path
) -> None:
    report = judged(extract, tmp_path, PERSON.select("year", pl.col("wage").alias(head)))

    assert report.verdict is Verdict.BLOCK
    assert "trajectory" in rules_of(report)


def test_a_person_under_the_titles_of_the_codebook_blocks(tmp_path: Path) -> None:
    directory = written(FRAME, tmp_path / "titled")
    titles = {"year": "Année", "wage": "Salaire", "income": "Revenu"}
    columns = [{"name": name, "label": {"fr": title}} for name, title in titles.items()]
    table = {"name": "units", "file": "units.parquet", "units": {"person": "pid"}, "columns": columns}
    (directory / "codebook.json").write_text(json.dumps({"tables": [table]}))
    report = judged(directory, tmp_path, PERSON.select("year", "wage", "income").rename(titles), units=None)

    assert "trajectory" in rules_of(report)


def test_a_value_printed_again_is_no_second_chance(tmp_path: Path) -> None:
    """Rounded means of large groups are small whole numbers, some of them the same: someone has these."""
    hours = pl.Series("hours", [1 + (7 * at * at + at // 3) % 397 for at in range(len(FRAME))])
    directory = written(FRAME.select("pid", "region", "year").with_columns(hours), tmp_path / "hours")
    one, two = hours[40], hours[41]
    table = pl.DataFrame({"group": list("abcdefgh"), "Mean": [one] * 7 + [two]})

    report = judged(directory, tmp_path, table, units={"person": "pid"})
    assert "trajectory" not in rules_of(report)


def test_counts_of_a_part_are_no_sums_of_its_mark(extract: Path, tmp_path: Path) -> None:
    """The rows with a 1 by region are what the sum of the 0/1 variable is: behind the hidden line of a total
    stand those with a 1."""
    rows = FRAME.with_columns(
        few=pl.when(pl.col("region") == RARE).then(pl.col("pid") < 1_012).otherwise(True)
    )
    directory = written(rows.with_columns(pl.col("few").cast(pl.Int64)), tmp_path / "part")
    counts = rows.filter("few").group_by("region").len().sort("region")
    lines = [(name, "n.d." if name in (RARE, ALONE) else str(n)) for name, n in counts.rows()]
    lines.append(("Total", str(counts["len"].sum())))
    report = judged(directory, tmp_path, "region,n\n" + "\n".join(",".join(line) for line in lines) + "\n")

    assert report.verdict is Verdict.BLOCK
    assert "suppression_undone" in rules_of(report)


def test_few_blanks_that_spell_something_are_for_people() -> None:
    said = take_in(b"a,n\nx,200   \ny,300                  \n", "t.csv", THRESHOLDS)
    padded = take_in(b"a,n  \nx,200\ny,30 \n", "t.csv", THRESHOLDS)

    assert [one.rule for one in said.doubts] == ["trailing_blanks"]
    assert not padded.doubts


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("residual\n5,2461\n-3,8552\n0,1\n", ";"),
        ("n\n1,234\n5,678\n", ","),
        ("a,b\n1,2\n3,4\n", ","),
    ],
)
def test_one_column_of_decimal_commas(text: str, mark: str) -> None:
    assert delimiter_of(text) == mark


@pytest.mark.parametrize(
    ("order", "index"), [((2, 0, 1), True), ((0, 1, 2), True), ((0, 2, 1), False), ((2, 5, 1), False)]
)
def test_the_index_of_a_sorted_frame_numbers_rows(order: tuple[int, ...], index: bool) -> None:
    labels = ["c", "a", "b"] if order != (0, 1, 2) else ["x", "z", "y"]
    rows = [[str(at), label, "40"] for at, label in zip(order, labels, strict=True)]

    assert numbers_rows(Table(["", "group", "n"], rows), 0) is index


def test_a_long_table_with_an_index_has_labels_before_its_counts() -> None:
    rows = [[str(at), str(1 + at // 3), str(9 + at % 3), "c" if at else "120"] for at in range(9)]

    assert label_columns(Table(["label", "Expérience", "Études", "Effectif"], rows)) == range(3)


def test_a_short_long_table_with_an_index_is_no_cross_table(large: Path, tmp_path: Path) -> None:
    table = ",married,N,Persons\n0,0,12000,300\n1,1,6000,290\n"
    assert judged(large, tmp_path, table).verdict is Verdict.REVIEW

    crossed = ",Austria,Italy,Spain\n0,7,3001,40\n1,2900,3000,60\n"
    assert "small_count" in rules_of(judged(large, tmp_path, crossed))


def test_a_text_that_repeats_its_page_is_read_once(large: Path, tmp_path: Path) -> None:
    means = LARGE.group_by("sex").agg(n=pl.len(), wage=pl.col("wage").mean().round(3)).sort("sex")
    named = means
    head = "".join(f"<th>{name}</th>" for name in ("", *named.columns))
    lines = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in (at, *row)) + "</tr>"
        for at, row in enumerate(named.rows())
    )
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    text = "\n".join(
        [" ".join(named.columns), *(" ".join(map(str, (at, *r))) for at, r in enumerate(named.rows()))]
    )
    output = shown(**{"text/plain": text, "text/html": html})

    report = judged(
        large, tmp_path, notebook(output, source="d.groupby('sex').mean().round(3)"), name="t.ipynb"
    )
    assert report.verdict is Verdict.PASS

    other = shown(**{"text/plain": text.replace("F", "1007"), "text/html": html})
    assert judged(large, tmp_path, notebook(other), name="t.ipynb").verdict is not Verdict.PASS


def test_a_program_may_say_how_many_decimals_its_table_has(large: Path, tmp_path: Path) -> None:
    table = LARGE.group_by("sex").agg(n=pl.len(), wage=pl.col("wage").mean().round(3)).sort("sex")
    lines = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in table.rows())
    head = "".join(f"<th>{name}</th>" for name in table.columns)
    output = shown(**{"text/html": f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"})

    for source, verdict in (
        ("d.groupby('sex').wage.mean().round(3)", Verdict.PASS),
        ("d.groupby('sex').wage.mean().round(5)", Verdict.REVIEW),
        ("d.round(3); e.round(3)", Verdict.REVIEW),
    ):
        report = judged(large, tmp_path, notebook(output, source=source), name="t.ipynb")
        assert report.verdict is verdict, source


def test_the_difference_of_printed_columns_follows(large: Path, tmp_path: Path) -> None:
    wide = LARGE.pivot("sex", index="year", values="wage", aggregate_function="mean").sort("year")
    rounded = wide.with_columns(pl.col("F", "M").round(2)).with_columns(
        gap=(pl.col("M") - pl.col("F")).round(2)
    )

    assert judged(large, tmp_path, rounded).verdict is Verdict.PASS
    wrong = rounded.with_columns(pl.col("gap") + 0.07)
    assert judged(large, tmp_path, wrong).verdict is Verdict.REVIEW


def test_a_cross_table_beside_an_index_is_one(large: Path, tmp_path: Path) -> None:
    crossed = ",Kind,0,1,2\n0,Alpha,7,3001,40\n1,Beta,2900,3000,61\n2,Gamma,2900,3000,61\n"
    assert "small_count" in rules_of(judged(large, tmp_path, crossed))


@pytest.mark.parametrize(
    ("name", "form"), [("t.txt", "{}"), ("t.txt", "  {}"), ("t.md", "| {} |"), ("t.md", "- {}")]
)
def test_values_under_each_other_are_a_column(name: str, form: str, extract: Path, tmp_path: Path) -> None:
    values = FRAME["wage"].sample(60, seed=3).to_list()
    lines = [form.format(line) for line in ("wage", *values)]
    if form.startswith("|"):
        lines.insert(1, "| --- |")
    report = judged(extract, tmp_path, "\n".join(lines) + "\n", name=name)

    assert report.verdict is Verdict.BLOCK
    short = judged(extract, tmp_path, "\n".join(lines[:15]) + "\n", name=name)
    assert short.verdict is Verdict.REVIEW


@pytest.mark.parametrize(("operator", "values"), [("==", [1_060]), ("in", [1_060, 1_063]), ("!=", [1_060])])
def test_a_declaration_that_picks_units_blocks(
    operator: str, values: list[int], extract: Path, tmp_path: Path
) -> None:
    output = {
        "kind": "table",
        "table": "units",
        "by": [{"variable": "sex"}],
        "measures": [{"stat": "count", "column": "count"}],
        "where": {"field": "pid", "operator": operator, "values": values},
    }
    report = judged(extract, tmp_path, "sex,count\nF,1200\nM,1196\n", output=output)

    assert report.verdict is Verdict.BLOCK
    assert "pseudonym" in rules_of(report)


def test_the_ends_of_bins_are_no_counts(large: Path, tmp_path: Path) -> None:
    bins = "from,to,N\n1,3,700\n3,4,900\n4,6,300\n6,7,220\n"
    assert "small_count" not in rules_of(judged(large, tmp_path, bins))

    crossed = "kind,Austria,Italy,N\nAlpha,7,3001,3008\nBeta,2900,3002,5902\n"
    assert "small_count" in rules_of(judged(large, tmp_path, crossed))


@pytest.mark.parametrize("name", ["t.txt", "t.csv"])
def test_models_side_by_side_with_adjusted_shares(name: str, large: Path, tmp_path: Path) -> None:
    from statsmodels.formula.api import ols
    from statsmodels.iolib.summary2 import summary_col

    data = LARGE.to_pandas()
    models = [ols(formula, data).fit() for formula in ("income ~ age", "income ~ age + wage")]
    shown = summary_col(
        models,
        stars=True,
        float_format="%.3f",
        model_names=["(1)", "(2)"],
        info_dict={"N": lambda one: f"{int(one.nobs)}"},
    )
    text = shown.as_text() if name == "t.txt" else shown.tables[0].to_csv()

    assert judged(large, tmp_path, text, name=name).verdict is Verdict.PASS
    wrong = text.replace(f"{int(models[0].nobs)}", "2371")
    assert judged(large, tmp_path, wrong, name=name).verdict is not Verdict.PASS
