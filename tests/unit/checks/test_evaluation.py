"""A small evaluation on a generated panel, with the zero as a gate; benchmarks/checks.py has real panels."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from random import Random

import polars as pl
import pytest

from benchmarks.output_checks.acro import NOT_COMPARED, python_of_acro
from benchmarks.output_checks.beside import SAFE_BESIDE, UNSAFE_BESIDE
from benchmarks.output_checks.by_pandas import SAFE_BY_PANDAS
from benchmarks.output_checks.cases import Case, Draw, Make, written
from benchmarks.output_checks.leaks import UNSAFE_BY_PANDAS
from benchmarks.output_checks.models import SAFE_MODELS, UNSAFE_MODELS
from benchmarks.output_checks.panels import Panel, made_panel
from benchmarks.output_checks.queries import SAFE_QUERIES, UNSAFE_QUERIES, drawn_query
from benchmarks.output_checks.safe import SAFE as DRAWN_SAFE
from benchmarks.output_checks.unsafe import UNSAFE as DRAWN_UNSAFE
from hub.checks import Report, Verdict
from hub.checks.engine import run_checks
from hub.documents.outputs import Declaration
from tests.unit.checks.samples import THRESHOLDS

VARIANTS = 3
SAFE = {**DRAWN_SAFE, **SAFE_BY_PANDAS, **SAFE_MODELS, **SAFE_BESIDE}
UNSAFE = {**DRAWN_UNSAFE, **UNSAFE_BY_PANDAS, **UNSAFE_MODELS, **UNSAFE_BESIDE}
# Kinds that only a declaration makes checkable.
DECLARED = {"summary of a model of a part"}


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
        assert report.verdict is not Verdict.PASS, case.content[:500]


def test_most_safe_files_pass_and_none_is_blocked(panel: Panel, tmp_path: Path) -> None:
    verdicts: Counter[Verdict] = Counter()
    for kind in SAFE.keys() - DECLARED:
        for case in cases(kind, SAFE[kind], panel, unsafe=False):
            report = judged(case, panel, tmp_path)
            verdicts[report.verdict] += 1
            assert report.verdict is not Verdict.BLOCK, (kind, report.findings, case.content[:500])
    assert verdicts[Verdict.PASS] >= 0.6 * verdicts.total(), verdicts


@pytest.mark.parametrize("kind", UNSAFE)
def test_a_true_declaration_does_not_let_an_unsafe_file_pass(kind: str, panel: Panel, tmp_path: Path) -> None:
    for case in cases(kind, UNSAFE[kind], panel, unsafe=True):
        if case.declaration is not None:
            report = judged(case, panel, tmp_path, declared=True)
            assert report.verdict is not Verdict.PASS, case.content[:500]


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


def test_a_twin_column_is_not_explained_by_the_gaps_of_any_variable(panel: Panel, tmp_path: Path) -> None:
    """Seen: a table without one person passed as the count of the rows with another variable."""
    gap = panel.frame.with_columns(
        other=pl.when(pl.col(panel.person) == panel.frame[panel.person][0])
        .then(None)
        .otherwise(pl.col("age"))
    )
    own = Panel(**{**panel.__dict__, "frame": gap}).written(tmp_path / "extract")
    table = gap.group_by("married").agg(n=pl.len(), n_without=pl.col("other").count()).sort("married")
    report = judged(Case("twins", True, "t.csv", table.write_csv().encode()), own, tmp_path)
    assert report.verdict is not Verdict.PASS


@pytest.mark.parametrize("kind", UNSAFE_QUERIES)
def test_no_unsafe_output_that_acro_makes_passes(kind: str, panel: Panel, tmp_path: Path) -> None:
    query = drawn_query(UNSAFE_QUERIES[kind], panel, Random(kind))  # noqa: S311  (test data)
    if query is not None:
        name, content = query.printed()
        report = judged(Case(kind, True, name, content), panel, tmp_path)
        assert report.verdict is not Verdict.PASS, content[:500]


@pytest.mark.parametrize("kind", SAFE_QUERIES)
def test_no_safe_output_that_acro_makes_is_blocked(kind: str, panel: Panel, tmp_path: Path) -> None:
    query = drawn_query(SAFE_QUERIES[kind], panel, Random(kind))  # noqa: S311  (test data)
    assert query is not None
    name, content = query.printed()
    assert judged(Case(kind, False, name, content), panel, tmp_path).verdict is not Verdict.BLOCK


def test_where_acro_cannot_be_installed_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    assert python_of_acro(tmp_path / "bench") is None
    assert "ACRO IS NOT COMPARED" in capsys.readouterr().out
    assert set(NOT_COMPARED.values()) == {None}
