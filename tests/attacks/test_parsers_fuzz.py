"""The parsers that `test_checks_fuzz` reaches by chance only: pages, printed tables and models, scripts of a
PDF, claims about files, and records. Each ends with an answer or its own refusal, whatever it is given."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.checks import (
    Verdict,
)
from hub.checks.canonical_images import active_parts
from hub.checks.engine import run_checks
from hub.documents.outputs import parse_declaration
from hub.documents.releases import read_record
from hub.domain.errors import Refused
from tests.attacks.test_checks_fuzz import JSON, survive
from tests.conftest import ROOT
from tests.unit.checks.samples import FULL_FORM, THRESHOLDS, make_frame

SOME = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(parent=SOME, max_examples=150)
PRINTS = (ROOT / "tests/unit/checks/r_prints/prints.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small_extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("extract")
    make_frame(300).write_parquet(directory / "a.parquet")
    return directory


def mixed(*words: str, size: int = 40) -> st.SearchStrategy[str]:
    """Texts of these words in any order."""
    return st.lists(st.sampled_from(words), max_size=size).map("".join)


# Files that people read.
PAGE = mixed(
    "<html>",
    "<body>",
    "<table>",
    "</table>",
    "<table><tr><td>",
    "<tr>",
    "<td>",
    "<th>",
    "</td>",
    "<td rowspan=9>",
    "<td colspan=99999>",
    "<p>",
    "n",
    "12",
    "&#0;",
    "&#x110000;",
    "&nbsp;",
    "<script>x</script>",
    "<style>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<svg>",
    "<img src='data:,1'>",
    "<a hidden>",
    "<div style='display:none'>",
    "\u202e",
    "\x00",
)
TEX = mixed(
    "\\begin{tabular}{lrr}\n",
    "\\begin{tabular}",
    "{",
    "}",
    "\\end{tabular}\n",
    " & ",
    "\\\\\n",
    "\\hline\n",
    "\\multicolumn{3}{c}{",
    "\\multicolumn{99999999}{c}{x}",
    "\\midrule",
    "\\cmidrule(lr){2-3}",
    "%",
    "$",
    "1.50",
    "3",
    "(0.02)",
    "***",
    "\\textbf{n}",
    "\\num{12}",
    "\\input{x}",
    "\n\n",
    "\\begin{table}",
    "\\caption{",
)
MARKDOWN = mixed(
    "| a | n |\n",
    "|---|---:|\n",
    "| x | 20 |\n",
    "|",
    "---",
    "\n",
    "```\n",
    "    ",
    "+---+---+\n",
    "# ",
    "12",
    "é",
    "> ",
    "<table>",
    "<td>3",
    "[x](data:,1)",
    "\t",
    "a  n\n-  -\nx  3\n",
    "===\n",
)
READ = (("t.html", PAGE), ("t.tex", TEX), ("t.md", MARKDOWN))


@MANY
@example(case=("t.html", "<table><tr><td>"))
@example(case=("t.html", "\u202e<table><tr><td>"))
@given(case=st.one_of(*(st.tuples(st.just(name), made) for name, made in READ)))
def test_pages_and_printed_tables(tmp_path: Path, small_extract: Path, case: tuple[str, str]) -> None:
    survive(tmp_path, small_extract, case[0], case[1].encode())


@MANY
@given(
    start=st.integers(0, len(PRINTS) - 1),
    length=st.integers(1, 1_500),
    changes=st.lists(
        st.tuples(
            st.integers(0, 1_500),
            st.sampled_from(["", "\n", " ", "9", "-", "(", ":", "~", "NaN", "1e999", "*"]),
        ),
        max_size=8,
    ),
)
def test_damaged_prints_of_models(
    tmp_path: Path, small_extract: Path, start: int, length: int, changes: list[tuple[int, str]]
) -> None:
    text = PRINTS[start : start + length]
    for at, instead in changes:
        text = text[: at % (len(text) + 1)] + instead + text[at % (len(text) + 1) + 1 :]
    survive(tmp_path, small_extract, "t.txt", text.encode())


ACRO = st.recursive(
    st.none() | st.integers(-3, 3) | st.sampled_from(["pass", "fail", "threshold; p-ratio", "ok", "t.csv"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["uid", "status", "files", "sdc", "cells", "outcome", "name", "threshold"]), inner
        )
    ),
    max_leaves=15,
)


@MANY
@given(results=st.dictionaries(st.text(max_size=6), ACRO, max_size=3), version=st.just("0.4.8") | st.none())
def test_claims_of_acro(
    tmp_path: Path, small_extract: Path, results: dict[str, Any], version: str | None
) -> None:
    for each in results.values():
        if isinstance(each, dict):
            each.update(uid="output_0", status="pass")
    survive(
        tmp_path, small_extract, "results.json", json.dumps({"version": version, "results": results}).encode()
    )


@given(
    data=st.binary(max_size=300)
    | mixed("/JS", "/S/Launch", "#4A", "/ObjStm>>stream\n", "x\x9c", "%").map(str.encode)
)
def test_any_bytes_sought_for_scripts(data: bytes) -> None:
    assert min(active_parts(data)) >= 0
    assert active_parts(data + b"/JavaScript ")[0] >= 1


# Claims about files.
NAMES = st.sampled_from(["age", "sex", "wage", "state", "unit_id", "nobody", "n", "", "a" * 300])
TABLE = {
    "version": 1,
    "file": "t.csv",
    "output": {
        "kind": "table",
        "table": "a",
        "by": [{"variable": "sex"}],
        "where": {"field": "age", "operator": ">", "values": [30]},
        "measures": [{"stat": "count", "column": "n"}, {"stat": "mean", "of": "wage", "column": "m"}],
        "total": "all",
    },
}
MODEL = {
    "version": 1,
    "file": "t.csv",
    "output": {
        "kind": "regression",
        "table": "a",
        "model": "ols",
        "outcome": "wage",
        "terms": [{"variables": ["age"]}, {"variables": ["sex"], "categorical": ["sex"]}],
        "columns": {"term": "term", "estimate": "coef"},
    },
}
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES
    | st.sampled_from(
        [
            "count",
            "quantile",
            "persons",
            "logit",
            "poisson",
            "cluster",
            "HC1",
            "in",
            "between",
            "log",
            "square",
        ]
    )
    | st.lists(NAMES | st.integers(0, 90), max_size=3)
    | st.just([{"variable": "age", "breaks": [18, 40, 90]}])
    | st.just({"not": {"field": "sex", "operator": "is missing", "values": []}})
    | st.just({"south": [1, 2]})
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*path, key)
        yield from places(each, (*path, key))


def changed(value: Any, changes: list[tuple[int, Any]]) -> Any:
    """The value with others put in some of its places."""
    made = copy.deepcopy(value)
    for at, instead in changes:
        ways = list(places(made))
        *way, last = ways[at % len(ways)]
        inner = made
        for key in way:
            inner = inner[key]
        inner[last] = copy.deepcopy(instead)
    return made


VARIABLES = st.sampled_from(["age", "sex", "wage", "state", "benefit", "unit_id", "household_id", "nobody"])
COMPARISON = st.builds(
    lambda field, operator, values: {"field": field, "operator": operator, "values": values},
    VARIABLES,
    st.sampled_from(["==", "!=", "<", ">=", "in", "between", "is missing"]),
    st.lists(st.integers(0, 90) | st.sampled_from(["F", "M", ""]), max_size=2),
)
WHERE = (
    st.none()
    | COMPARISON
    | COMPARISON.map(lambda one: {"not": one})
    | st.lists(COMPARISON, max_size=2).map(lambda all_of: {"and": all_of})
)
GROUPING = st.fixed_dictionaries(
    {"variable": VARIABLES},
    optional={
        "breaks": st.sampled_from([[18, 40, 90], [0, 1], [-1.5, 0.5, 1e9]]),
        "groups": st.sampled_from([{"a": ["F"]}, {"a": [1, 2], "b": [3]}, {"F": ["M"]}]),
        "column": st.sampled_from(["sex", "group"]),
        "right": st.booleans(),
    },
)
MEASURE = st.fixed_dictionaries(
    {"stat": st.sampled_from(["mean", "sum", "median", "sd", "gini", "se", "max"]), "of": VARIABLES},
    optional={"weight": VARIABLES, "column": st.sampled_from(["m", "n"])},
) | st.fixed_dictionaries(
    {"stat": st.sampled_from(["count", "persons", "share"])},
    optional={"within": st.lists(VARIABLES, max_size=1)},
)
TERM = st.builds(
    lambda variables, kind: (
        {"variables": variables, "categorical": variables} if kind else {"variables": variables}
    ),
    st.lists(VARIABLES, min_size=1, max_size=2),
    st.booleans(),
)
OUTPUT = st.fixed_dictionaries(
    {
        "kind": st.just("table"),
        "table": st.sampled_from(["a", "a", "b"]),
        "by": st.lists(GROUPING, max_size=2),
        "measures": st.lists(MEASURE, min_size=1, max_size=2),
        "where": WHERE,
    },
    optional={
        "total": st.just("all"),
        "rounding": st.integers(2, 9),
        "suppressed": st.just("x"),
        "spread": st.just(True),
    },
) | st.fixed_dictionaries(
    {
        "kind": st.just("regression"),
        "table": st.just("a"),
        "model": st.sampled_from(["ols", "logit", "probit", "poisson"]),
        "outcome": VARIABLES,
        "terms": st.lists(TERM, max_size=3),
        "where": WHERE,
        "columns": st.just({"term": "term", "estimate": "m", "se": "n"}),
    },
    optional={
        "covariance": st.sampled_from(["HC1", "HC3"]),
        "outcome_transform": st.just("log"),
        "weight": VARIABLES,
    },
)
PRINTED = st.sampled_from(
    [
        b"sex,n,m\nF,150,1000.5\nM,150,900\nall,300,950\n",
        b'group,sex,m\n"[18, 40)",F,2\na,M,x\n,,3\n',
        b"term,m,n\nIntercept,3.1,0.1\nage,0.2,0.05\nC(sex)[T.M],-1,2\n",
        b"n,m\n150,\n",
        b"sex,18,19,all\nF,1,2,3\nall,,,9\n",
    ]
)


def named(output: dict[str, Any]) -> dict[str, Any]:
    """The output with what is not said left out, and a column for each measure."""
    made = {key: value for key, value in output.items() if value is not None}
    if "measures" in made:
        made["measures"] = [{"column": f"{'nm'[at % 2]}", **one} for at, one in enumerate(made["measures"])]
    return made


@settings(parent=SOME, max_examples=200)
@given(output=OUTPUT, content=PRINTED)
def test_claims_of_declarations(
    tmp_path: Path, small_extract: Path, output: dict[str, Any], content: bytes
) -> None:
    text = json.dumps({"version": 1, "file": "t.csv", "output": named(output)})
    try:
        declaration = parse_declaration(text.encode(), file="t.csv")
    except Refused:
        return
    file = tmp_path / "object"
    file.write_bytes(content)
    report = run_checks(
        file,
        name="t.csv",
        form=FULL_FORM,
        extract=small_extract,
        thresholds=THRESHOLDS,
        declaration=declaration,
    )
    assert report.verdict in (Verdict.REVIEW, Verdict.BLOCK)


@MANY
@given(
    base=st.sampled_from([TABLE, MODEL]),
    changes=st.lists(st.tuples(st.integers(0, 60), VALUES), min_size=1, max_size=3),
)
def test_changed_declarations_are_one_or_refused(
    base: dict[str, Any], changes: list[tuple[int, Any]]
) -> None:
    try:
        declaration = parse_declaration(json.dumps(changed(base, changes)).encode(), file="t.csv")
    except Refused:
        return
    assert declaration.file == "t.csv"
    assert parse_declaration(declaration.model_dump_json(by_alias=True).encode(), file="t.csv") == declaration


@MANY
@given(content=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_are_a_declaration_or_a_record_by_chance(content: bytes) -> None:
    for read in (lambda: parse_declaration(content, file="t.csv"), lambda: read_record(content)):
        with pytest.raises(Refused):
            read()
