"""What leaves beside the tables of a file is judged too: keys, values, prose, names of files and sheets."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.checks import Severity, Verdict
from hub.checks.json_tables import json_parts
from hub.checks.number_words import number_words
from hub.checks.tables import Bounds
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
SAFE = LARGE.group_by("region").agg(n=pl.len(), wage_mean=pl.col("wage").mean().round(3)).sort("region")
RECORDS = SAFE.to_dicts()
BY_YEAR = LARGE.group_by("year").agg(n=pl.len()).sort("year").to_dicts()
SPLIT = {"columns": SAFE.columns, "data": [list(row) for row in SAFE.rows()]}
PRINTED = "".join(f"{r['region']:>7} {r['n']:>4}  {r['wage_mean']:.3f}\n" for r in RECORDS)
PRINTED = f" region    n  wage_mean\n{PRINTED}"
SHOWN = SAFE.columns, ["---"] * 3, *[[str(cell) for cell in row] for row in SAFE.rows()]
MARKDOWN = "".join(f"| {' | '.join(line)} |\n" for line in SHOWN)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("survey") / "extract")


SAFE_JSON: Mapping[str, Any] = {
    "records": RECORDS,
    "split": SPLIT,
    "split with an index": {**SPLIT, "index": list(range(len(RECORDS)))},
    "split with labels as its index": {
        "columns": SAFE.columns[1:],
        "index": [row["region"] for row in RECORDS],
        "data": [list(row)[1:] for row in SAFE.rows()],
    },
    "columns": SAFE.to_dict(as_series=False),
    "columns by label": {name: {row["region"]: row[name] for row in RECORDS} for name in ("n", "wage_mean")},
    "under a name": {"table": RECORDS},
    "under names of variables": {"results": {"wage_by_region": RECORDS}},
}


@pytest.mark.parametrize("name", SAFE_JSON)
def test_safe_json_passes(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, json.dumps(SAFE_JSON[name]), name="t.json")
    assert (report.verdict, rules_of(report) - {"small_integer"}) == (Verdict.PASS, set())


_INCOMES = FRAME.filter(pl.col("region") == RARE)["income"].to_list()
_PEOPLE = [
    f"{p} {r} {s} {i}" for p, r, s, i in FRAME.select("pid", "region", "sex", "income").head(400).rows()
]
UNSAFE_JSON: Mapping[str, Any] = {
    "values beside": {"table": RECORDS, **{f"rare{at}": one for at, one in enumerate(_INCOMES)}},
    "small numbers beside": {"table": RECORDS, "n_rare": 6, "sum_income_person9": 90000.25},
    "records as the index": {**SPLIT, "index": _PEOPLE},
    "numbers as the index": {**SPLIT, "index": [90000.25, 6, 1, 3]},
    "a key": {"Alone earns 90000.25": RECORDS},
    "a key over nothing": {"table": RECORDS, "Alone: six": {}},
    "a record among rows": {**SPLIT, "data": [*SPLIT["data"], {"pid": 1018, "income": 90000.25}]},
    "a list beside rows": {**SPLIT, "rare": [90000.25, 17.41, 19.2]},
    "values in a list": [RECORDS, 90000.25, "the sole one earns 17.31"],
    "one value in a list": [RECORDS, [6]],
    "far below": {"table": RECORDS, "a": {"b": {"c": {"d": {"e": {"f": {"g": [{"x": 9.25}, {"x": 1}]}}}}}}},
    "further below": [RECORDS, [[[[[[[[[[[[[[[[6]]]]]]]]]]]]]]]]],
    "a mixed list": {"meta": {"rows": BY_YEAR}, "list": [1018, "Rare", 90000.25, [3]]},
    "many tables": [*([RECORDS] * 100), [{"n": 6, "region": "Rare"}]],
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE_JSON)
def test_json_holds_nothing_beside_its_tables(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, json.dumps(UNSAFE_JSON[name]), name="t.json")
    assert report.verdict is not Verdict.PASS
    assert any(one.severity is not Severity.NOTE for one in report.findings)


@pytest.mark.parametrize("name", ["values beside", "records as the index", "a record among rows"])
def test_rows_beside_a_table_are_rows(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, json.dumps(UNSAFE_JSON[name]), name="t.json")
    assert report.verdict is Verdict.BLOCK


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "Rare", "n", "six", "90000.25", "North"]),
)
_KEYS = st.sampled_from(["x", "Rare", "n_rare", "six", "note", "6", "index", "columns", "data", "name"])


def _places(value: Any) -> Iterator[Any]:
    """Every list and object in `value`."""
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _places(part)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_can_be_added_to_json_that_passes(extract: Path, tmp_path: Path, data: st.DataObject) -> None:
    value = json.loads(json.dumps(data.draw(st.sampled_from(list(SAFE_JSON.values())))))
    place = data.draw(st.sampled_from(list(_places(value))))
    added = data.draw(st.one_of(_SCALARS, st.lists(_SCALARS, min_size=1, max_size=3)))
    if isinstance(place, list):
        place.insert(data.draw(st.integers(0, len(place))), added)
    else:
        key = data.draw(_KEYS.filter(lambda one: one not in place))
        place[key] = added
    report = judged(extract, tmp_path, json.dumps(value), name="t.json")
    assert report.verdict is not Verdict.PASS, value


def test_each_key_and_value_of_json_is_in_a_table_or_said_to_be_in_none() -> None:
    value = {"a": [{"b": 1}], "c": {"d": {"e": [[2, 3], [4]]}}, "f": 5, "g": [], "h": [[[6]], "i"]}
    parts = json_parts(value, Bounds(100, 1_000))
    cells = [cell for table in parts.tables for row in (table.columns, *table.rows) for cell in row]
    assert set("abcdefghi123456") <= {*cells, *parts.names, *parts.loose}


@pytest.mark.parametrize(
    "name",
    [
        "t.csv",
        "table_2.csv",
        "wages_v2.csv",
        "wages_2024.csv",
        "2024-05-31 wages.csv",
        "01_wages.csv",
        "fig3.csv",
    ],
)
def test_names_of_files_say_versions_and_dates(extract: Path, tmp_path: Path, name: str) -> None:
    assert judged(extract, tmp_path, SAFE, name=name).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "name",
    [
        "rare_n6_alone_income_90000.25.csv",
        "rare_6.csv",
        "06_rare.csv",
        "wages_17.csv",
        "income90000.csv",
        "six_in_rare.csv",
        "wages⑥.csv",
    ],
)
def test_names_of_files_say_no_results(extract: Path, tmp_path: Path, name: str) -> None:
    report = judged(extract, tmp_path, SAFE, name=name)
    assert (report.verdict, rules_of(report)) == (Verdict.REVIEW, {"numbers_in_name"})


def test_a_name_may_say_the_group_that_the_table_is_of(extract: Path, tmp_path: Path) -> None:
    old = (
        LARGE.filter(pl.col("union") == 1)
        .group_by("region")
        .agg(n=pl.len(), m=pl.col("wage").mean().round(3))
    )
    table = old.rename({"m": "wage_mean"}).sort("region")
    assert judged(extract, tmp_path, table, name="union_1.csv").verdict is Verdict.PASS
    assert judged(extract, tmp_path, table, name="union_16.csv").verdict is Verdict.REVIEW


def workbook(**sheets: pl.DataFrame) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, table in sheets.items():
        sheet = book.create_sheet(title)
        for row in (table.columns, *table.rows()):
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_names_of_sheets_leave_with_their_files(extract: Path, tmp_path: Path) -> None:
    years = LARGE.group_by("year").agg(n=pl.len(), wage_mean=pl.col("wage").mean().round(3)).sort("year")
    for titles, verdict in ((("means", "years"), Verdict.PASS), (("Rare 6", "17.31"), Verdict.REVIEW)):
        book = workbook(**dict(zip(titles, (SAFE, years), strict=True)))
        # Regions are of the large ones, years too: no two tables differ.
        report = judged(extract, tmp_path, book, name="t.xlsx")
        assert ("numbers_in_name" in rules_of(report)) is (verdict is Verdict.REVIEW)


_SAFE_TEXTS = {
    "alone": MARKDOWN,
    "title": f"# Results\n\nTable 1 shows means by group.\n\n{MARKDOWN}",
    "caption": f"Table 1. Mean hourly wage by region, in EUR\n\n{MARKDOWN}\nSource: own survey\n",
    "two titles": f"# Wages\n\n## By region\n\n{MARKDOWN}",
}


@pytest.mark.parametrize("name", _SAFE_TEXTS)
def test_titles_and_captions_may_stand_beside_a_table(extract: Path, tmp_path: Path, name: str) -> None:
    assert judged(extract, tmp_path, _SAFE_TEXTS[name], name="t.md").verdict is Verdict.PASS


_UNSAFE_TEXTS = [
    "In Rare there are only six persons.",
    "The sole one in the other region earns most.",
    "Rare: ⑥ persons.",
    "The richest earns ⁹⁰⁰⁰⁰.",
    "Rare: note 6. Alone: model 1, column 17.",
    "Table 16: wages",
    "Note 6",
    "Il y a six personnes dans la dernière.",
    "Dort leben vier Personen.",
    "Dort leben fünfundzwanzig.",
    "The man in Alone is in the union",
    "One person of the last region is a man",
    "Wages were drawn from the survey. The last region has a single employer of most of its people there.",
    "六",
    "\n".join(f"Line {word}" for word in ("a", "b", "c", "d", "e", "f")),
]


@pytest.mark.parametrize("text", _UNSAFE_TEXTS)
def test_sentences_beside_a_table_are_read_by_people(extract: Path, tmp_path: Path, text: str) -> None:
    for content, name in ((f"# Wages\n\n{MARKDOWN}\n{text}\n", "t.md"), (f"{PRINTED}\n\n{text}\n", "t.txt")):
        report = judged(extract, tmp_path, content, name=name)
        assert report.verdict is not Verdict.PASS
        assert any(one.severity is Severity.REVIEW for one in report.findings)


def notebook(source: str = "t", markdown: str | None = None, **more: Any) -> str:
    output = {"output_type": "stream", "name": "stdout", "text": PRINTED}
    code = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1, "source": source}
    cells = [{**code, "outputs": [output], **more}]
    if markdown is not None:
        cells.insert(0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": markdown})
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


@pytest.mark.parametrize(
    "safe",
    [notebook(), notebook("t  # by region"), notebook(markdown="# Wages"), notebook(execution_count=9025)],
)
def test_a_notebook_of_a_safe_table_passes(extract: Path, tmp_path: Path, safe: str) -> None:
    report = judged(extract, tmp_path, safe, name="t.ipynb")
    assert (report.verdict, rules_of(report) - {"blanks_normalised"}) == (Verdict.PASS, set())


@pytest.mark.parametrize(
    "unsafe",
    [
        notebook("# Alone earns ninety thousand, six in Rare"),
        notebook("x = 'the region Alone has a man'"),
        notebook("alone_earns_ninety = t"),
        notebook("n = 6"),
        notebook(markdown="Note 6: Rare. Model 1: Alone."),
        notebook(markdown="In Rare there are six."),
        notebook(attachments={"a.txt": {"text/plain": "Rare 6"}}),
        notebook(metadata={"rare": 6}),
    ],
)
def test_code_and_cells_of_a_notebook_are_read_too(extract: Path, tmp_path: Path, unsafe: str) -> None:
    assert judged(extract, tmp_path, unsafe, name="t.ipynb").verdict is not Verdict.PASS


@pytest.mark.parametrize(
    "head", ["wage_mean", "wage mean", "mean of wage (EUR)", "wage_mean in 1000 EUR", "Mean wage"]
)
def test_heads_may_say_what_they_head(extract: Path, tmp_path: Path, head: str) -> None:
    assert judged(extract, tmp_path, SAFE.rename({"wage_mean": head})).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "heads",
    [
        {"wage_mean": "wage_mean (6 in Rare)"},
        {"n": "n (of 6)", "wage_mean": "wage_mean 98"},
        {"n": "n6"},
        {"wage_mean": "wage mean, sole person of Alone earns twelve thousand"},
        {"wage_mean": "wage mean of the men and the women who live in the last of the regions of it"},
        {"wage_mean": "wage_mean ⑥"},
        {"wage_mean": "wage_mean 2"},
    ],
)
def test_heads_say_no_results(extract: Path, tmp_path: Path, heads: dict[str, str]) -> None:
    report = judged(extract, tmp_path, SAFE.rename(heads))
    assert report.verdict is Verdict.REVIEW
    assert rules_of(report) & {"numbers_in_text", "words_in_text", "unreproduced"}


def test_the_label_of_a_total_holds_no_number(extract: Path, tmp_path: Path) -> None:
    total = f"{LARGE.height},{LARGE['wage'].mean():.3f}"
    table = SAFE.write_csv()
    safe = judged(extract, tmp_path, f"{table}Total,{total}\n")
    assert judged(extract, tmp_path, f"{table}Total 6,{total}\n").verdict is not Verdict.PASS
    assert "numbers_in_text" not in rules_of(safe)


def test_a_column_without_numbers_is_no_place_for_words(extract: Path, tmp_path: Path) -> None:
    table = SAFE.with_columns(pl.lit("").alias("Alone is a man"))
    report = judged(extract, tmp_path, table)
    assert (report.verdict, rules_of(report)) == (Verdict.REVIEW, {"empty_column", "words_in_text"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in thousands of euros, per cent, two-way", []),
        ("six persons", ["six"]),
        ("R² and m³", []),
        ("x⁶", ["⁶"]),
        ("quatre-vingt-dix", ["quatre", "vingt", "dix"]),
        ("fünfundzwanzig", ["funfundzwanzig"]),
        ("one person", ["one person"]),
    ],
)
def test_numbers_without_digits(text: str, found: list[str]) -> None:
    assert number_words(text) == found


def test_what_has_no_numbers_says_so(extract: Path, tmp_path: Path) -> None:
    for content, name in (("a,b\nx,y\n", "t.csv"), ("Nothing to see.\n", "t.md")):
        report = judged(extract, tmp_path, content, name=name)
        assert (report.verdict, rules_of(report)) == (Verdict.REVIEW, {"nothing_made_again"})


def test_a_long_number_after_a_point_is_no_second_column(extract: Path, tmp_path: Path) -> None:
    """It would be counted through: a number in a head is not how many columns there are."""
    report = judged(extract, tmp_path, SAFE.rename({"wage_mean": "wage_mean 1.777679443359375"}))
    assert report.verdict is not Verdict.PASS
    twice = SAFE.with_columns(pl.col("wage_mean").alias("wage_mean.1"))
    assert "numbers_in_text" not in rules_of(judged(extract, tmp_path, twice))
