"""Kinds of requests: nothing may be extracted because somebody left a list empty."""

from __future__ import annotations

import pytest

from hub.documents import parse
from hub.documents.policies import ConditionsPolicy
from hub.domain.errors import DocumentError

KIND = """\
kinds:
  some-kind:
    title: {fr: "Type", en: "Kind"}
    source: "The law"
"""
ONE = '    conditions: {contract: {title: {fr: "Contrat", en: "Contract"}, per: project}}\n'


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "    conditions: {}\n",
        f"    red_report: show\n{ONE}",
        "    open_data: true\n",
        "    open_data: true\n    red_report: ignore\n    conditions: {}\n",
        f"    open_data: maybe\n{ONE}",
    ],
)
def test_an_unclear_kind_stops_the_program(rest: str) -> None:
    with pytest.raises(DocumentError):
        parse(ConditionsPolicy, KIND + rest, name="conditions.yaml")


@pytest.mark.parametrize(
    ("rest", "waits"),
    [
        (ONE, True),
        ("    open_data: true\n    conditions: {}\n", True),
        ("    open_data: true\n    red_report: show\n    conditions: {}\n", False),
    ],
)
def test_only_open_data_go_without_conditions(rest: str, waits: bool) -> None:  # a case
    (kind,) = parse(ConditionsPolicy, KIND + rest, name="conditions.yaml").kinds.values()
    assert (kind.red_report == "decide") is waits
    assert kind.conditions or kind.open_data
