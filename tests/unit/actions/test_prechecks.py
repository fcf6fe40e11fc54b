"""What a researcher is told before submitting: nothing that the data could have said."""

from __future__ import annotations

import json

import pytest

from hub.actions import prechecks
from hub.checks.findings import Finding, Place, Report, Severity, Verdict
from hub.checks.sentences import SENTENCES
from hub.documents.outputs import parse_declaration

# Rules that compare with the extract, with released numbers, or with a claim about them.
OF_THE_DATA = (
    "pseudonym", "pseudonym_like", "row_level", "column_copy", "order_statistic", "extract_unread",
    "small_units", "group_share", "dominance_one", "extreme", "percentile_units", "suppression_undone",
    "unreproduced", "false_claim", "trajectory", "residuals", "unit_like",
)  # fmt: skip


def report(*rules: str) -> Report:
    message = {"fr": "ligne 3 : 4 unités", "en": "row 3: 4 units"}
    found = tuple(
        Finding(rule, Severity.REVIEW, "row 3", message, {"cells": 4}, Place(row=2)) for rule in rules
    )
    return Report(Verdict.REVIEW, found, "text/csv", "a" * 64, {})


@pytest.mark.parametrize("rule", [*OF_THE_DATA, "a_rule_of_tomorrow", "more_of_the_same"])
def test_a_rule_of_the_data_or_an_unknown_one_is_not_told(rule: str) -> None:
    assert prechecks.advise(report(rule), limit=10) == []


def test_every_rule_that_is_told_exists() -> None:
    assert set(prechecks.SHOWN) - {prechecks.SMALL_CELLS} <= set(SENTENCES)
    assert set(OF_THE_DATA) <= set(SENTENCES)


@pytest.mark.parametrize(
    "rules", [("small_count",), ("small_integer",), ("small_count", "small_integer") * 3]
)
def test_small_cells_have_neither_number_nor_place(rules: tuple[str, ...]) -> None:
    (advice,) = prechecks.advise(report(*rules), limit=10)
    assert advice.rule == "small_cells"
    assert advice.en == "Some cells seem to count fewer than 10 units."
    assert advice.fr == "Des cellules semblent compter moins de 10 unités."


def test_each_rule_once_and_its_remedies_in_both_languages() -> None:
    told = prechecks.advise(report("many_rows", "many_rows", "small_count"), limit=5)
    assert [advice.rule for advice in told] == ["many_rows", "small_cells"]
    for advice in told:
        for remedy in advice.remedies:
            assert remedy.fr
            assert remedy.en
            assert remedy.python.startswith("t = vitrine.")
            assert remedy.r.startswith("t <- vitrine_")
            assert "{" not in remedy.python + remedy.r


@pytest.mark.parametrize(("stat", "told"), [("max", ["extremes"]), ("min", ["extremes"]), ("mean", [])])
def test_declared_extremes_are_said_to_be_the_values_of_single_units(stat: str, told: list[str]) -> None:
    output = {
        "kind": "table",
        "table": "people",
        "by": [{"variable": "region"}],
        "measures": [{"stat": stat, "of": "wage", "column": "x"}],
    }
    declaration = parse_declaration(json.dumps({"file": "a.csv", "output": output}).encode(), file="a.csv")
    advice = prechecks.advise(report(), limit=10, declaration=declaration)
    assert [one.rule for one in advice] == told
