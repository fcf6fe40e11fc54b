"""ACRO's results.json: claims per cell, never its status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.checks import Verdict
from tests.unit.checks.surveys import judged, survey, written


def results(status: str = "pass", **record: Any) -> dict[str, Any]:
    one = {"uid": "output_0", "status": status, "type": "table", "properties": {}, "files": [], "outcome": {}}
    return {"version": "1.0.2", "tool": {"name": "acro"}, "results": {"output_0": {**one, **record}}}


CELLS = {"files": [{"name": "output_0_0.csv", "sdc": {"cells": {"threshold": [[0, 1], [2, 3]], "nk": []}}}]}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(survey(), tmp_path_factory.mktemp("survey"))


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        (results(**CELLS), [("output_0_0.csv", "threshold", 0, 1), ("output_0_0.csv", "threshold", 2, 3)]),
        (
            results(outcome={"F": {"North": "ok", "South": "NKCheck; PPercentCheck; "}}),
            [("output_0", "NKCheck", "South", "F"), ("output_0", "PPercentCheck", "South", "F")],
        ),
        (results(), []),
        (results(files=[{"sdc": {"cells": {"threshold": [["a", 1], 7]}}}], outcome=[1]), []),
        ({"version": "1", "results": {"a": 3}}, []),
    ],
)
def test_each_failed_cell_is_a_claim(
    value: dict[str, Any], claims: list[tuple[object, ...]], extract: Path, tmp_path: Path
) -> None:
    report = judged(extract, tmp_path, json.dumps(value), name="results.json")
    found = [one.evidence for one in report.findings if one.rule == "acro_claim"]
    assert [(e["output"], e["check"], e["row"], e["column"]) for e in found] == claims


@pytest.mark.parametrize("status", ["pass", "fail", "review"])
def test_its_status_changes_nothing(status: str, extract: Path, tmp_path: Path) -> None:
    report = judged(extract, tmp_path, json.dumps(results(status, **CELLS)), name="results.json")
    assert report.verdict is Verdict.REVIEW
