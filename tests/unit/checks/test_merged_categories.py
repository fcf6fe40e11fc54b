"""Declared tables of merged categories: what reads as something else is refused, the rest is made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hub.checks import Report, Verdict
from hub.checks.axes import Axis
from hub.checks.panels import open_panels
from hub.documents.outputs import parse_declaration
from hub.domain.errors import Refused
from tests.unit.checks.samples import FULL_FORM
from tests.unit.checks.surveys import ALONE, RARE, UNITS, judged, rules_of, survey, written

FRAME = survey()
LARGE = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
COAST = {"Coast": ["North", "West"]}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(LARGE, tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("small"))


def merged(groups: dict[str, list[Any]], by: str = "region", of: pl.DataFrame = LARGE) -> pl.DataFrame:
    """Count and mean wage by group; codes in none stand for themselves."""
    names = {str(code): label for label, codes in groups.items() for code in codes}
    group = pl.col(by).cast(pl.String).replace(names)
    table = of.group_by(group.alias(by)).agg(n=pl.len(), mean=pl.col("wage").mean().round(4))
    return table.sort(by)


def output(groups: dict[str, list[Any]], by: str = "region", **more: Any) -> dict[str, Any]:
    measures = [{"stat": "count", "column": "n"}, {"stat": "mean", "of": "wage", "column": "mean"}]
    grouping = {"variable": by, "groups": groups}
    return {"kind": "table", "table": "units", "by": [grouping], "measures": measures, **more}


def report(extract: Path, scratch: Path, table: pl.DataFrame, said: dict[str, Any]) -> Report:
    return judged(extract, scratch, table, form=FULL_FORM, output=said)


@pytest.mark.parametrize(
    ("groups", "by"),
    [
        (COAST, "region"),
        ({"Coast": ["North", "West"], "Inland": ["South", "East"]}, "region"),
        ({"early": [2001, 2002], "late": [2003, 2004]}, "year"),
        ({"2001-2002": [2001, 2002]}, "year"),
        ({"North": ["North", "West"]}, "region"),  # named after one of its own
    ],
)
def test_merged_categories_are_made_again(
    large: Path, tmp_path: Path, groups: dict[str, list[Any]], by: str
) -> None:
    said = report(large, tmp_path, merged(groups, by), output(groups, by))
    assert said.findings == ()
    assert said.verdict is Verdict.PASS
    persons = {cell.persons for cell in said.cells}
    assert len(said.cells) == 2 * merged(groups, by).height
    assert min(persons, default=0) >= 100  # type: ignore[type-var]


@pytest.mark.parametrize(
    "claimed",
    [
        {"Coast": ["North", "South"]},  # another group than was printed
        {"Coast": ["North", "West", "East"]},
        {"Coast": ["North"]},
        {"Coast": ["North", "West"], "East": ["South"]},  # named like a code that is not in it
        {"Coast": ["North", "West"], "coast ": ["East"]},  # two of one name
        {"Coast": ["nowhere"]},
        {"Shore": ["North", "West"]},  # the label that is printed is not declared
    ],
)
def test_a_false_claim_does_not_pass(large: Path, tmp_path: Path, claimed: dict[str, list[Any]]) -> None:
    said = report(large, tmp_path, merged(COAST), output(claimed))
    assert said.verdict is not Verdict.PASS
    assert rules_of(said) & {"false_claim", "unread_claim"}


def test_a_code_beside_its_own_group_is_refused(large: Path, tmp_path: Path) -> None:
    table = pl.concat([merged(COAST), merged({}).filter(pl.col("region") == "North")])
    said = report(large, tmp_path, table, output(COAST))
    assert "unread_claim" in rules_of(said)
    assert said.verdict is not Verdict.PASS


def test_few_units_in_a_group_are_blocked(small: Path, tmp_path: Path) -> None:
    groups = {"elsewhere": [RARE, ALONE]}  # seven persons
    said = report(small, tmp_path, merged(groups, of=FRAME), output(groups))
    assert said.verdict is Verdict.BLOCK
    assert "small_units" in rules_of(said)


def test_numbers_do_not_leave_in_the_names_of_groups(large: Path, tmp_path: Path) -> None:
    groups = {"Coast 48213377": ["North", "West"]}
    said = report(large, tmp_path, merged(groups), output(groups))
    assert said.verdict is not Verdict.PASS
    assert "numbers_in_text" in rules_of(said)


def test_both_ways_to_count_know_merged_categories(large: Path) -> None:
    _, (panel,) = open_panels(large, UNITS)
    known = panel.categories("region")
    assert known is not None
    groups = tuple(tuple(at for at in map(known.find, names) if at is not None) for names in COAST.values())
    axis = Axis("region", merged=groups)
    both = axis.levels_of_categories(panel)
    assert both is not None
    assert np.array_equal(axis.levels(panel), both[0][np.asarray(known.codes).astype(int) + 1])
    assert int((axis.levels(panel) == 0).sum()) == LARGE["region"].is_in(["North", "West"]).sum()


@pytest.mark.parametrize(
    "grouping",
    [
        {"groups": {}},
        {"groups": {"a": []}},
        {"groups": {"": ["x"]}},
        {"groups": {"a": ["x"], "b": ["x"]}},
        {"groups": {"a": ["x", "x"]}},
        {"groups": {"a": [1], "b": ["1"]}},
        {"groups": {"a": [None]}},
        {"groups": {"a": [["x"]]}},
        {"groups": {"a": "x"}},
        {"groups": {f"g{k}": [k] for k in range(201)}},
        {"groups": {"a": list(range(1_001))}},
        {"groups": {"a": ["x"]}, "breaks": [0, 1]},
    ],
)
def test_groups_that_mean_nothing_are_refused(grouping: dict[str, Any]) -> None:
    said = {"version": 1, "file": "t.csv", "output": {**output({"a": ["x"]})}}
    parse_declaration(json.dumps(said).encode(), file="t.csv")
    said["output"]["by"] = [{"variable": "region", **grouping}]  # type: ignore[index]
    with pytest.raises(Refused) as refused:
        parse_declaration(json.dumps(said).encode(), file="t.csv")
    assert refused.value.code == "bad_declaration"
