"""Small counts: which cells are counts for sure, which might be, and which are not."""

from __future__ import annotations

import json

import pytest

from hub.checks import Report, Severity
from hub.checks.counts import is_count_head
from tests.unit.checks.conftest import Check
from tests.unit.checks.samples import notebook, printed, shown


def blocked_cells(report: Report) -> list[tuple[int | None, int | None]]:
    return [(one.place.row, one.place.column) for one in report.findings if one.rule == "small_count"]


def notes(report: Report) -> list[tuple[str, Severity]]:
    return [(one.rule, one.severity) for one in report.findings if one.rule != "unreproduced"]


@pytest.mark.parametrize(
    "head",
    [
        "n",
        "N",
        "Count",
        "count",
        "freq",
        "Frequency",
        "effectif",
        "Effectifs",
        "obs",
        "n_obs",
        "N obs.",
        "nobs",
        "unweighted n",
        "n (unweighted)",
        "Nombre",
        "nombre d'individus",
        "Effectif non pondéré",
        "wage / count",
        "count_persons",
        "number of households",
        "nb_individus",
        "#obs",
    ],
)
def test_heads_that_count(head: str) -> None:
    assert is_count_head(head)


@pytest.mark.parametrize(
    "head",
    [
        "number of children",
        "nb_enfants",
        "household size",
        "n_children",
        "country",
        "account",
        "mean",
        "county",
        "frequency band",
        "n %",
        "size",
        "income",
        "nation",
        "observed wage",
        "age",
        "",
    ],
)
def test_heads_that_label(head: str) -> None:
    assert not is_count_head(head)


CROSS = "sex,young,old,All\nF,100,4,104\nM,200,50,250\nAll,300,54,354\n"

BLOCKED = [
    ("a count", "t.csv", "x,n\na,3\nb,40\n", [(0, 1)]),
    ("9 is below 10, 10 is not, 0 is not", "t.csv", "x,n\na,9\nb,10\nc,0\n", [(0, 1)]),
    ("semicolons", "t.csv", "x;n\na;3\nb;40\n", [(0, 1)]),
    ("tabs", "t.tsv", "x\tn\na\t3\nb\t40\n", [(0, 1)]),
    ("printed as a float", "t.csv", "x,count\na,3.0\nb,40.0\n", [(0, 1)]),
    ("in quotes and blanks", "t.csv", 'x,"n"\na," 3 "\nb,40\n', [(0, 1)]),
    ("in French", "t.csv", "sexe;effectif\nF;4\nM;1 204\n", [(0, 1)]),
    ("after a byte order mark", "t.csv", "\ufeffn,x\n3,a\n40,b\n", [(0, 0)]),
    ("a cross table by its margins", "t.csv", CROSS, [(0, 2)]),
    ("a row called count", "t.csv", ",wage,age\ncount,5,500\nmean,100.5,40.1\n", [(0, 1)]),
    ("Markdown", "t.md", "Text.\n\n| x | n |\n|---|---|\n| a | 3 |\n| b | 40 |\n", [(0, 1)]),
    ("LaTeX", "t.tex", "\\hline\nx & n \\\\ \\hline\na & 3 \\\\\nb & 40 \\\\\n", [(0, 1)]),
    ("aligned text", "t.txt", "x    n\na    3\nb   40\n", [(0, 1)]),
    ("JSON records", "t.json", json.dumps([{"x": "a", "n": 3}, {"x": "b", "n": 40}]), [(0, 1)]),
    ("JSON columns", "t.json", json.dumps({"n": {"a": 3, "b": 40}}), [(0, 1)]),
    ("JSON inside JSON", "t.json", json.dumps({"r": {"t": [{"x": "a", "n": 3}]}}), [(0, 1)]),
    ("value_counts in a notebook", "n.ipynb",
     notebook(printed("state\nWY      3\nCA    400\nName: count, dtype: int64\n")), [(0, 1)]),
    ("a printed frame", "n.ipynb", notebook(printed("   sex    n\n0    F    3\n1    M  400\n")), [(0, 2)]),
    ("a grouped frame", "n.ipynb",
     notebook(printed("       n    mean\nsex             \nF      3  100.50\nM    400  200.10\n")), [(0, 1)]),
    ("a frame with an index of two levels", "n.ipynb",
     notebook(printed("           n   mean\nstate sex\n1     F   32  410.5\n"
                      "      M    4  543.2\n2     F   25  37.1\n")),
     [(1, 2)]),
    ("a series with an index of two levels", "n.ipynb",
     notebook(printed("sex  age\nF    old    677\n     new      5\n"
                      "M    old    261\nName: count, dtype: int64\n")),
     [(1, 2)]),
    ("CSV with two heads", "t.csv", ",wage,wage\n,mean,count\ns,,\nA,47011.4,3\nB,40058.2,57\n", [(0, 2)]),
    ("heads as tuples", "t.md",
     "| s | ('wage', 'count') |\n|:--|--:|\n| a | 3 |\n| b | 57 |\n", [(0, 1)]),
    ("a frame as HTML", "n.ipynb",
     notebook(shown(text_html="<table border='1'><thead><tr><th></th><th>n</th></tr></thead><tbody>"
                              "<tr><th>F</th><td>3</td></tr><tr><th>M</th><td>400</td></tr></tbody></table>")),
     [(0, 1)]),
    ("HTML with two heads and spans", "n.ipynb",
     notebook(shown(text_html="<table><thead><tr><th></th><th colspan='2'>wage</th></tr><tr><th></th>"
                              "<th>mean</th><th>count</th></tr></thead><tr><th rowspan='2'>F</th>"
                              "<td>20.5</td><td>3</td></tr>"
                              "<tr><td>30.5</td><td>4</td></tr></table>")),
     [(0, 2), (1, 2)]),
    ("UTF-16", "t.csv", "x,n\na,3\nb,40\n".encode("utf-16"), [(0, 1)]),
    ("Arabic digits", "t.csv", "x,n\na,٣\nb,40\n", [(0, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "cells"), [row[1:] for row in BLOCKED], ids=[row[0] for row in BLOCKED]
)
def test_blocked(check: Check, name: str, content: str | bytes, cells: list[tuple[int, int]]) -> None:
    assert blocked_cells(check(name, content)) == cells


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "children,wage\n1,30100\n1,28400\n2,20000\n"),
        ("t.csv", "x,mean\na,3\nb,40\n"),
        ("t.csv", "n,x\n1,30\n2,40\n3,50\n"),  # a row number
        ("t.txt", "We kept n = 4 people.\n"),
        ("t.md", "The effectif : 7 households\n"),
    ],
)
def test_what_might_be_a_count_is_reviewed(check: Check, name: str, content: str) -> None:
    found = notes(check(name, content))
    assert ("small_integer", Severity.REVIEW) in found or ("small_integer", Severity.NOTE) in found
    assert Severity.BLOCK not in {severity for _, severity in found}


@pytest.mark.parametrize(
    "content",
    [
        "x,n\na,30\nb,40\n",
        "x,share\na,3%\nb,97%\n",
        "x,mean\na,3.5\nb,40.25\n",
        "x,n\na,<10\nb,40\n",
        "x,n\na,-3\nb,40\n",
    ],
)
def test_nothing_small_nothing_said(check: Check, content: str) -> None:
    assert [one for one in notes(check("t.csv", content)) if one[0] != "share_without_base"] == []


def test_row_labels_are_only_noted(check: Check) -> None:
    assert notes(check("t.csv", "state,n\n1,30\n2,40\n")) == [("small_integer", Severity.NOTE)]


def test_a_count_in_the_place_of_labels_is_still_blocked(check: Check) -> None:
    assert blocked_cells(check("t.csv", "n,x\n3,a\n40,b\n")) == [(0, 0)]
