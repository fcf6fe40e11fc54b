"""Files as people write them who never saw the evaluation's generators: refused first, then made again."""

from __future__ import annotations

import base64
import gzip
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest

from hub.checks import Verdict
from hub.checks.delimited import delimited_parts
from hub.checks.encodings import holds_data
from hub.checks.side_by_side import models_apart
from hub.checks.tables import Bounds, Table, delimiter_of
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
SPARSE = FRAME.with_columns(pid=10**8 + pl.col("pid") * 7919)  # as registers number their units
MEANS = LARGE.group_by("region").agg(n=pl.len(), wage=pl.col("wage").mean().round(3)).sort("region")
BOUNDS = Bounds(100, 10_000)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(LARGE, tmp_path_factory.mktemp("large") / "extract")


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(SPARSE, tmp_path_factory.mktemp("sparse") / "extract")


def csv(rows: pl.DataFrame = MEANS) -> str:
    return rows.write_csv()


def ids(count: int) -> str:
    return ", ".join(str(one) for one in SPARSE.get_column("pid").unique().sort().to_list()[:count])


# What must not leave


@pytest.mark.parametrize("form", ["plain", "base64"])
def test_numbers_of_units_are_known_without_a_form(sparse: Path, tmp_path: Path, form: str) -> None:
    said = ids(6) if form == "plain" else base64.b64encode(ids(6).replace(", ", "\n").encode()).decode()
    report = judged(sparse, tmp_path, f"{csv()}Excluded: {said}\n")
    assert (report.verdict, "pseudonym" in rules_of(report)) == (Verdict.BLOCK, True)


def test_other_long_numbers_are_no_units(sparse: Path, tmp_path: Path) -> None:
    report = judged(sparse, tmp_path, f"{csv()}Compared with: 100007001, 100123456 and 101234567\n")
    assert "pseudonym" not in rules_of(report)


def test_properties_of_a_workbook_hold_no_numbers(large: Path, tmp_path: Path) -> None:
    def book(description: str) -> bytes:
        made = openpyxl.Workbook()
        for row in (MEANS.columns, *MEANS.rows()):
            made.active.append(list(row))
        made.properties.description = description
        out = io.BytesIO()
        made.save(out)
        return out.getvalue()

    assert judged(large, tmp_path, book("cases 4 and 17"), name="t.xlsx").verdict is Verdict.REVIEW
    assert judged(large, tmp_path, book("Wages by region"), name="t.xlsx").verdict is Verdict.PASS


@pytest.mark.parametrize("wrap", [lambda data: data, gzip.compress])
def test_encoded_data_is_refused(wrap: Callable[[bytes], bytes], extract: Path, tmp_path: Path) -> None:
    data = wrap(FRAME.head(60).write_csv().encode())
    for said in (base64.b64encode(data).decode(), data.hex()):
        assert holds_data(said)
        assert judged(extract, tmp_path, f"{said}\n", name="t.txt").verdict is Verdict.BLOCK
    assert not holds_data("a" * 300)


RECORDS = FRAME.select("region", "year", "sex", "wage", "age").filter(pl.col("region") == "North")[50:300:31]


def stata_list(rows: pl.DataFrame) -> str:
    lines = ["     |  " + "  ".join(f"{name:>8}" for name in rows.columns) + "  |"]
    for at, row in enumerate(rows.rows(), 1):
        lines.append(f"{at:>4}. |  " + "  ".join(f"{value!s:>8}" for value in row) + "  |")
    return ". list in 1/9\n\n     +" + "-" * 52 + "+\n" + "\n".join(lines) + "\n     +" + "-" * 52 + "+\n"


def turned(rows: pl.DataFrame) -> str:
    return "\n".join(",".join([name, *map(str, rows.get_column(name).to_list())]) for name in rows.columns)


@pytest.mark.parametrize(("make", "name"), [(stata_list, "t.log"), (turned, "t.csv")])
def test_records_are_known_listed_and_turned(
    extract: Path, tmp_path: Path, make: Callable[[pl.DataFrame], str], name: str
) -> None:
    report = judged(extract, tmp_path, make(RECORDS), name=name)
    assert (report.verdict, "trajectory" in rules_of(report)) == (Verdict.BLOCK, True)


@pytest.mark.parametrize("note", ["The highest wage is {:.3f}.", "Le salaire le plus élevé : {:.3f}"])
def test_an_extreme_in_a_sentence(large: Path, tmp_path: Path, note: str) -> None:
    report = judged(large, tmp_path, f"{csv()}{note.format(LARGE['wage'].max())}\n")
    assert (report.verdict, "extreme" in rules_of(report)) == (Verdict.BLOCK, True)
    other = judged(large, tmp_path, f"{csv()}{note.format(9.876)}\n")
    assert other.verdict is Verdict.REVIEW


def test_edges_of_quantile_groups_end_at_the_extreme(large: Path, tmp_path: Path) -> None:
    values = LARGE["wage"].to_numpy()
    edges = [values.min() - 0.01, *np.quantile(values, [0.25, 0.5, 0.75]), values.max()]
    rows = "".join(f'"({a:.2f}, {b:.2f}]",590\n' for a, b in pairwise(edges))
    report = judged(large, tmp_path, f"wage,n\n{rows}")
    assert (report.verdict, "extreme" in rules_of(report)) == (Verdict.BLOCK, True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("> summary(d$wage)\n   Min. 1st Qu.  Median    Mean 3rd Qu.    Max. \n{}\n", "t.txt"),
        ("    Variable |   Obs    Mean   Std. dev.   Min   Max\n-------+------\n  wage | {}\n", "t.log"),
    ],
)
def test_a_printed_summary_has_its_ends(large: Path, tmp_path: Path, text: str, name: str) -> None:
    of = LARGE["wage"]
    numbers = [of.min(), of.quantile(0.25), of.median(), of.mean(), of.quantile(0.75), of.max()]
    if name == "t.log":
        numbers = [of.len(), of.mean(), of.std(), of.min(), of.max()]
    said = "  ".join(f"{number:.4g}" for number in numbers)
    report = judged(large, tmp_path, text.format(said), name=name)
    assert (report.verdict, "extreme" in rules_of(report)) == (Verdict.BLOCK, True)


def test_a_hidden_part_is_not_found_by_chance(large: Path, tmp_path: Path) -> None:
    """Two means of two digits are those of some year, or of some age, whatever they are."""
    report = judged(large, tmp_path, "sex,mean_wage\nF,13.7\nM,14.2\n")
    assert report.verdict is Verdict.REVIEW


def test_ones_of_a_yes_or_no_are_counted(tmp_path: Path) -> None:
    rare = (pl.col("pid") < 1_021) & (pl.col("pid") > 1_000)
    frame = LARGE.with_columns(ill=pl.when(rare).then(pl.lit("yes")).otherwise(pl.lit("no")))
    place = written(frame, tmp_path / "extract")
    counts = frame.group_by("sex").agg(n=(pl.col("ill") == "yes").sum()).sort("sex")
    assert judged(place, tmp_path, counts).verdict is not Verdict.PASS


# What may leave


def test_titles_notes_and_a_second_table() -> None:
    text = (
        "Table 1. Wages\nregion,n\nEast,10\nWest,12\n\nTable 2\nsex,n\nF,10\nM,12\nSource: survey, own sums\n"
    )
    parts = delimited_parts(text, BOUNDS)
    assert [list(table.columns) for table in parts.tables] == [["region", "n"], ["sex", "n"]]
    assert parts.beside == ["Table 1. Wages", "Table 2", "Source: survey, own sums"]


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Salaires\nregion;n\nEst;1,5\nOuest;2,5\n", ";"),
        ("a,b\n1;2,3\n4;5,6\n", ","),
        ("Wages\na,b\n1,2\n", ","),
    ],
)
def test_a_title_hides_no_delimiter(text: str, mark: str) -> None:
    assert delimiter_of(text) == mark


def test_a_group_left_out_is_no_note() -> None:
    parts = delimited_parts("region,n\nEast,10\nWest,12\nAlone,\n", BOUNDS)
    assert [len(table.rows) for table in parts.tables] == [3]
    assert not parts.beside


WAGE, BY = pl.col("wage"), LARGE.group_by("region").agg(pl.col("wage").sum().alias("wage_sum")).sort("region")


def derived_tables() -> dict[str, str]:
    n = LARGE.group_by("year").agg(n=pl.len(), wage=WAGE.mean()).sort("year")
    first = n["wage"][0]
    made = {
        "share": BY.with_columns(share=(100 * pl.col("wage_sum") / pl.col("wage_sum").sum()).round(2)),
        "index": n.with_columns(index=(100 * pl.col("wage") / first).round(2), wage=WAGE.round(3)),
        "growth": n.with_columns(growth=(100 * WAGE.pct_change()).round(3), wage=WAGE.round(3)),
    }
    return {name: table.write_csv() for name, table in made.items()}


@pytest.mark.parametrize("kind", derived_tables())
def test_a_column_that_follows_from_others(large: Path, tmp_path: Path, kind: str) -> None:
    text = derived_tables()[kind]
    assert judged(large, tmp_path, text).verdict is Verdict.PASS
    cells = text.strip().rsplit(",", maxsplit=1)
    wrong = f"{cells[0]},{float(cells[1]) + 0.37:.3f}\n"
    assert judged(large, tmp_path, wrong).verdict is Verdict.REVIEW


def test_quantile_groups(large: Path, tmp_path: Path) -> None:
    edges = np.quantile(LARGE["wage"].to_numpy(), [0.25, 0.5, 0.75])
    group = np.searchsorted(edges, LARGE["wage"].to_numpy(), side="left") + 1
    made = LARGE.with_columns(quartile=pl.Series(group)).group_by("quartile")
    rows = made.agg(n=pl.len(), mean=WAGE.mean().round(3)).sort("quartile")
    assert (
        judged(large, tmp_path, rows.with_columns(pl.format("Q{}", "quartile").alias("quartile"))).verdict
        is Verdict.PASS
    )


def test_the_other_groups_in_one_line(large: Path, tmp_path: Path) -> None:
    sums = LARGE.group_by("region").agg(n=pl.len()).sort("region").rows()
    rest = sum(n for _, n in sums[2:])
    text = "region,n\n" + "".join(f"{name},{n}\n" for name, n in sums[:2])
    assert judged(large, tmp_path, f"{text}Others,{rest}\n").verdict is Verdict.PASS
    assert judged(large, tmp_path, f"{text}Others,{rest - 5}\n").verdict is not Verdict.PASS


def test_stata_tabulates(large: Path, tmp_path: Path) -> None:
    counts = LARGE.group_by("region").agg(n=pl.len()).sort("region").rows()
    total, run, lines = LARGE.height, 0, []
    for name, n in counts:
        run += n
        lines.append(f"{name:>12} | {n:>10,} {100 * n / total:>11.2f} {100 * run / total:>11.2f}")
    rule = "-------------+-----------------------------------"
    head = ". tabulate region\n\n      region |      Freq.     Percent        Cum."
    text = "\n".join([head, rule, *lines, rule, f"       Total | {total:>10,}      100.00", ""])
    assert judged(large, tmp_path, text, name="t.log").verdict is Verdict.PASS


def test_no_and_yes_are_zero_and_one(large: Path, tmp_path: Path) -> None:
    rows = (
        LARGE.group_by("region", "union")
        .agg(WAGE.mean().round(3))
        .pivot("union", index="region")
        .sort("region")
    )
    rows = rows.select("region", pl.col("0").alias("union: no"), pl.col("1").alias("union: yes"))
    assert judged(large, tmp_path, rows).verdict is Verdict.PASS


def test_a_title_says_how_many_and_which(large: Path, tmp_path: Path) -> None:
    part = LARGE.filter(pl.col("year") == 2002)
    shares = part.group_by("region").agg(pct=(100 * (pl.col("sex") == "F").mean()).round(1)).sort("region")
    rows = part.group_by("region").agg(n=pl.len(), wage=WAGE.mean().round(3)).sort("region")
    text = f"# Wages in 2002, N = {part.height}\n\n| region | n | wage |\n|---|---|---|\n"
    text += "".join(f"| {a} | {b} | {c} |\n" for a, b, c in rows.rows())
    assert judged(large, tmp_path, text, name="t.md").verdict is Verdict.PASS
    wrong = text.replace(f"N = {part.height}", f"N = {part.height - 3}")
    assert judged(large, tmp_path, wrong, name="t.md").verdict is Verdict.REVIEW
    assert shares.height == rows.height


def test_models_side_by_side_are_told_apart() -> None:
    rows = [
        ["Intercept", "1.429***", "-0.121*"], ["", "(0.020)", "(0.066)"],
        ["age", "0.034***", "0.057***"], ["", "(0.003)", "(0.003)"],
        ["union", "", "0.161"], ["", "", "(0.029)"], ["Observations", "4,360", "4,360"],
    ]  # fmt: skip
    first, second = models_apart(Table(["", "(1)", "(2)"], rows))
    assert first.rows == [
        ["Intercept", "1.429", "0.020"],
        ["age", "0.034", "0.003"],
        ["Observations", "4360", ""],
    ]
    assert [row[0] for row in second.rows] == ["Intercept", "age", "union", "Observations"]
    assert models_apart(Table(["region", "n"], [["East", "12"], ["West", "13"]])) == []


def test_days_kept_as_moments(tmp_path: Path) -> None:
    born = LARGE.with_columns(born=pl.datetime(1960 + pl.col("pid") % 5, 1, 1))
    place = written(born, tmp_path / "extract")
    counts = born.group_by("born").agg(n=pl.len()).sort("born")
    rows = "".join(f"{day:%Y-%m-%d},{n}\n" for day, n in counts.rows())
    assert judged(place, tmp_path, f"born,n\n{rows}").verdict is Verdict.PASS
    where = {"field": "born", "operator": ">=", "values": ["1962-01-01"]}
    output = {
        "kind": "table", "table": "units", "by": [{"variable": "region"}], "where": where,
        "measures": [{"stat": "count", "column": "n"}],
    }  # fmt: skip
    later = born.filter(pl.col("born").dt.year() >= 1962).group_by("region").agg(n=pl.len()).sort("region")
    assert judged(place, tmp_path, later, output=output).verdict is Verdict.PASS
