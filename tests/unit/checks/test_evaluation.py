"""A small evaluation on a generated panel, with the zero as a gate; benchmarks/checks.py has real panels."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from benchmarks.output_checks.cases import Case, Draw, Make, written
from benchmarks.output_checks.panels import Panel, made_panel
from benchmarks.output_checks.safe import SAFE
from benchmarks.output_checks.unsafe import UNSAFE
from hub.checks import Report, Verdict
from hub.checks.engine import run_checks
from hub.documents.outputs import Declaration
from tests.unit.checks.samples import THRESHOLDS

VARIANTS = 3
# Kinds that only a declaration makes checkable.
DECLARED = {"regression"}


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return made_panel().written(tmp_path_factory.mktemp("evaluation"))


def cases(kind: str, make: Make, panel: Panel, *, unsafe: bool) -> list[Case]:
    found = []
    for variant in range(VARIANTS):
        draw = Draw(panel, Random(f"{kind}{variant}"))  # noqa: S311  (test data)
        tables = (make(draw) for _ in range(20))
        table = next((one for one in tables if one is not None), None)
        if table is not None:
            found.append(written(kind, table, draw, unsafe=unsafe))
    return found


def judged(case: Case, panel: Panel, tmp_path: Path, *, declared: bool = False) -> Report:
    file = tmp_path / "frozen"
    file.write_bytes(case.content)
    return run_checks(
        file,
        name=case.name,
        form=None,
        extract=panel.directory,
        thresholds=THRESHOLDS,
        units=panel.units,
        declaration=Declaration.model_validate_json(json.dumps(case.declaration)) if declared else None,
    )


@pytest.mark.parametrize("kind", UNSAFE)
def test_no_unsafe_file_passes(kind: str, panel: Panel, tmp_path: Path) -> None:
    for case in cases(kind, UNSAFE[kind], panel, unsafe=True):
        report = judged(case, panel, tmp_path)
        assert report.verdict is not Verdict.PASS, case.content.decode()[:500]


def test_most_safe_files_pass_and_none_is_blocked(panel: Panel, tmp_path: Path) -> None:
    verdicts: Counter[Verdict] = Counter()
    for kind in SAFE.keys() - DECLARED:
        for case in cases(kind, SAFE[kind], panel, unsafe=False):
            report = judged(case, panel, tmp_path)
            verdicts[report.verdict] += 1
            assert report.verdict is not Verdict.BLOCK, (kind, report.findings, case.content.decode()[:500])
    assert verdicts[Verdict.PASS] >= 0.6 * verdicts.total(), verdicts


@pytest.mark.parametrize("kind", UNSAFE)
def test_a_true_declaration_does_not_let_an_unsafe_file_pass(kind: str, panel: Panel, tmp_path: Path) -> None:
    for case in cases(kind, UNSAFE[kind], panel, unsafe=True):
        if case.declaration is not None:
            report = judged(case, panel, tmp_path, declared=True)
            assert report.verdict is not Verdict.PASS, case.content.decode()[:500]


def test_declared_files_pass(panel: Panel, tmp_path: Path) -> None:
    verdicts: Counter[Verdict] = Counter()
    for kind, make in SAFE.items():
        for case in cases(kind, make, panel, unsafe=False):
            if case.declaration is not None:
                verdicts[judged(case, panel, tmp_path, declared=True).verdict] += 1
    assert verdicts[Verdict.BLOCK] == 0
    assert verdicts[Verdict.PASS] >= 0.9 * verdicts.total(), verdicts


def test_a_false_declaration_is_blocked(panel: Panel, tmp_path: Path) -> None:
    """The counts of other rows under the declaration of all: the claim is recomputed, not believed."""
    for case in cases("means", SAFE["means"], panel, unsafe=False):
        assert case.declaration is not None
        output = {**case.declaration["output"], "where": {"field": "age", "operator": "<", "values": [40]}}
        false = Case(case.kind, True, case.name, case.content, {**case.declaration, "output": output})
        report = judged(false, panel, tmp_path, declared=True)
        assert "false_claim" in {one.rule for one in report.findings}
        assert report.verdict is Verdict.BLOCK
