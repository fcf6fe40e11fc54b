"""The report's JSON: exact there and back, refused when anything is unknown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hub.checks import (
    Place,
    Report,
    Severity,
    Thresholds,
    UnreadableReport,
    Verdict,
    dump_report,
    load_report,
    place_in_words,
)
from hub.checks.problem_words import in_french
from hub.checks.sentences import SENTENCES, finding
from tests.conftest import ROOT

REPORT = Report(
    Verdict.BLOCK,
    (
        finding(
            "small_count", Severity.BLOCK, Place(table=0, row=2, column=1), limit=10, evidence={"column": "n"}
        ),
        finding("missing_context", Severity.REVIEW, field="the purpose"),
    ),
    "text/csv",
    "0" * 64,
    {"bytes": 12},
)


def changed(**values: Any) -> dict[str, Any]:
    return {**REPORT.to_json(), **values}


def with_finding(**values: Any) -> dict[str, Any]:
    first, *rest = REPORT.to_json()["findings"]
    return changed(findings=[{**first, **values}, *rest])


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        changed(verdict="CLEAR"),
        changed(verdict="pass"),
        changed(verdict="PASS"),
        changed(verdict="REVIEW"),
        changed(version=2),
        changed(surprise=1),
        changed(findings={}),
        changed(sha256=3),
        changed(summary=[]),
        with_finding(severity="LOW"),
        with_finding(severity=None),
        with_finding(surprise=1),
        with_finding(message={"fr": "x"}),
        with_finding(message={"fr": "x", "en": 1}),
        with_finding(place={"row": "3"}),
        with_finding(place={"row": True}),
        with_finding(place={"sheet": 1}),
        with_finding(evidence=None),
    ],
)
def test_an_unknown_report_is_refused(raw: Any) -> None:
    with pytest.raises(UnreadableReport):
        load_report(json.dumps(raw))


@pytest.mark.parametrize("text", ["", "{", "NaN", b"\xff\xfe", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(UnreadableReport):
        load_report(text)


def test_a_report_survives_the_journey() -> None:
    assert load_report(dump_report(REPORT)) == REPORT


def test_where_is_said_in_both_languages() -> None:
    assert REPORT.findings[0].where == "row 3, column n"
    assert place_in_words(REPORT.findings[0].place, "n", "fr-LU") == "ligne 3, colonne n"
    assert place_in_words(Place(), None, "fr") == "fichier"


@pytest.mark.parametrize("rule", sorted(SENTENCES))
def test_each_sentence_has_the_same_blanks_in_both_languages(rule: str) -> None:
    import string

    french, english = (
        {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in SENTENCES[rule]
    )
    assert french == english


@pytest.mark.parametrize(
    "values",
    [
        {"min_units": 0},
        {"row_level_min_rows": 0},
        {"row_level_min_columns": 1},
        {"min_units": 2.5},
        {"max_bytes": -1},
    ],
)
def test_a_threshold_that_switches_a_rule_off_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Thresholds(**{"min_units": 10, "row_level_min_rows": 20, **values})


@pytest.mark.parametrize(
    ("rule", "values", "one", "more"),
    [
        ("unreproduced", {"cells": 1}, "1 nombre n’a pas été retrouvé", "2 nombres n’ont pas été retrouvés"),
        ("numbers_in_text", {"count": 1}, "1 nombre du texte n’est", "2 nombres du texte ne sont"),
        ("not_a_number", {"cells": 1}, "1 cellule contient", "2 cellules contiennent"),
        ("false_claim", {"cells": 1}, "1 nombre diffère", "2 nombres diffèrent"),
        (
            "small_integer",
            {"cells": 1, "limit": 10},
            "1 nombre entier de cette colonne est inférieur",
            "2 nombres",
        ),
    ],
)
def test_one_and_several_are_said_apart(rule: str, values: dict[str, int], one: str, more: str) -> None:
    assert one in finding(rule, Severity.REVIEW, **values).message["fr"]
    name = next(iter(values))
    assert more in finding(rule, Severity.REVIEW, **{**values, name: 2}).message["fr"]


def test_one_number_was_not_made_again() -> None:
    said = finding("unreproduced", Severity.REVIEW, cells=1).message["en"]
    assert said.startswith("1 number was not made again from the extract: a checker must judge it.")


def test_a_printed_zero_is_not_an_empty_cell() -> None:
    message = finding("empty_cell", Severity.REVIEW).message
    assert "vaut zéro" in message["fr"]
    assert "is zero" in message["en"]


def test_the_units_of_a_median_are_those_of_the_policy() -> None:
    told = {"rows": 30, "columns": "wage", "median": 25}
    message = finding("order_statistic", Severity.REVIEW, **told).message
    assert "demande 25 unités" in message["fr"]
    assert "needs 25 units" in message["en"]


def said_by_parsers() -> list[str]:
    """Every fixed text with which a parser of hostile files says what is wrong."""
    texts = "".join(path.read_text() for path in sorted((ROOT / "hub" / "checks").glob("*.py")))
    raised = re.findall(r'(?:ArchiveProblem|Malformed\w+)\(f?"([^"]+)"', texts)
    hidden = (ROOT / "hub" / "checks" / "canonical_workbooks.py").read_text()
    given = re.findall(r'problem=f?"([^"]+)"', texts) + re.findall(r'\), "([a-z ]+)"\),\n', hidden)
    given += re.findall(r'name=f?"([^"]+)"', hidden)
    return sorted({re.sub(r"\{[^}]*\}", "7", one) for one in (*raised, *given)})


@pytest.mark.parametrize("said", said_by_parsers())
def test_what_a_parser_says_has_its_french(said: str) -> None:
    assert in_french(said) != said


def test_a_sentence_is_in_one_language_and_groups_digits() -> None:
    told = finding("archive_limit", Severity.BLOCK, problem="more than 200 files")
    assert "plus de 200 fichiers" in told.message["fr"]
    assert told.evidence["problem"] == "more than 200 files"
    large = finding("too_large", Severity.BLOCK, size=2_000_000_000, limit=16_000_000)
    assert "16\u202f000\u202f000" in large.message["fr"]
    assert "16,000,000" in large.message["en"]
    assert large.evidence["limit"] == 16_000_000


def test_a_name_that_a_researcher_chose_is_said_as_it_is() -> None:
    assert in_french("metadata.widgets") == "metadata.widgets"
