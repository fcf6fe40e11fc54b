"""Advice on printed models and on labels, from the file alone and with the extract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.actions import prechecks
from hub.checks import Report, Severity, Verdict
from hub.checks.engine import run_checks
from tests.unit.checks.samples import THRESHOLDS
from tests.unit.checks.surveys import rules_of
from tests.unit.checks.test_r_prints import PRINTS, judged_print

SUMMARIES = [name for name in PRINTS if "summary-lm" in name or "summary-glm" in name or "print-" in name]
PANDAS = """                            OLS Regression Results
==============================================================================
Dep. Variable:                   wage   R-squared:                       0.154
Model:                            OLS   Adj. R-squared:                  0.152
No. Observations:                ROWS   AIC:                         1.234e+04
Df Residuals:                    LEFT   BIC:                         1.236e+04
Df Model:                           3
==============================================================================
                 coef    std err          t      P>|t|      [0.025      0.975]
------------------------------------------------------------------------------
Intercept      0.2420      0.062      3.903      0.000       0.120       0.364
educ           0.1080      0.004     24.034      0.000       0.099       0.117
exper          0.0561      0.003     20.220      0.000       0.051       0.062
union          0.1777      0.017     10.344      0.000       0.144       0.211
"""


def looked_over(scratch: Path, text: str, name: str) -> Report:
    """What a precheck sees: no extract."""
    file = scratch / "frozen"
    file.write_text(text)
    return run_checks(file, name=name, form=None, extract=None, thresholds=THRESHOLDS)


def advised(scratch: Path, text: str, name: str = "model.txt") -> list[str]:
    return [one.rule for one in prechecks.advise(looked_over(scratch, text, name), limit=10)]


@pytest.mark.parametrize("name", SUMMARIES)
def test_numbers_of_a_printed_model_are_no_small_cells(name: str, tmp_path: Path) -> None:
    told = advised(tmp_path, PRINTS[name])

    assert "small_cells" not in told
    assert ("residual_ends" in told) == (" summary-lm" in name)


@pytest.mark.parametrize(
    ("rows", "left", "told"),
    [
        ("4360", "4356", []),
        ("9", "5", ["degrees_of_freedom"]),
        ("13", "9", ["degrees_of_freedom"]),
        ("9", "4356", ["degrees_of_freedom"]),  # one of the two is not true
        ("14", "10", []),
    ],
)
def test_a_model_of_few_observations_warns(rows: str, left: str, told: list[str], tmp_path: Path) -> None:
    text = PANDAS.replace("ROWS", f"{rows:>4}").replace("LEFT", f"{left:>4}")

    assert advised(tmp_path, text) == told


def test_a_model_of_r_with_few_degrees_of_freedom_warns(tmp_path: Path) -> None:
    text = PRINTS["review summary-lm-few"].replace("on 37 degrees", "on 7 degrees")

    assert "degrees_of_freedom" in advised(tmp_path, text)


def test_small_cells_beside_a_model_still_warn(tmp_path: Path) -> None:
    text = PRINTS["pass summary-glm-logit"] + "\n" + PRINTS["block xtabs"]

    assert "small_cells" in advised(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("occupation,mean\n1,3.25\n2,4.5\n3,6.75\n", []),
        ("black,union,mean\n0,1,3.25\n1,1,4.5\n0,2,6.75\n", []),
        (",black,union,n\n1,0,1,40\n2,1,1,50\n3,0,2,60\n", []),
        ("black,union,n\n0,1,40\n1,1,5\n0,2,60\n", ["small_cells"]),
        ("region,n\nNorth,4\nSouth,50\n", ["small_cells"]),
        ("region,cases seen,mean\nNorth,4,1.5\nSouth,50,2.5\n", ["small_cells"]),
        ("n,mean\n4,1.5\n50,2.5\n", ["small_cells"]),
        ("black,n\n0,4\n0,50\n", ["small_cells"]),
    ],
)
def test_codes_of_labels_are_no_small_cells(content: str, told: list[str], tmp_path: Path) -> None:
    assert advised(tmp_path, content, "t.csv") == told


def test_the_remedy_for_residuals_is_told_for_both_languages() -> None:
    remedies = prechecks.SHOWN["residual_ends"]

    assert any(
        "vitrine.regression(model" in one.python and "vitrine_regression(model" in one.r for one in remedies
    )
    assert any("coef(summary(model))" in one.r for one in remedies)


@pytest.mark.parametrize("name", ["review summary-lm", "review summary-lm-factors"])
def test_of_a_summary_of_lm_only_the_residuals_are_left_to_people(name: str, tmp_path: Path) -> None:
    directory = tmp_path / "extract"
    directory.mkdir()
    (directory / "units.parquet").symlink_to(Path(__file__).parent / "r_prints" / "wagepan.parquet")
    report = judged_print(directory, tmp_path, PRINTS[name], name)
    (finding,) = [one for one in report.findings if one.severity is not Severity.NOTE]

    assert report.verdict is Verdict.REVIEW
    assert finding.rule == "residual_ends"
    for text in finding.message.values():
        assert "vitrine_regression(model" in text
        assert "vitrine.regression(model" in text
        assert "coef(summary(model))" in text


def test_a_changed_residual_is_found(tmp_path: Path) -> None:
    directory = tmp_path / "extract"
    directory.mkdir()
    (directory / "units.parquet").symlink_to(Path(__file__).parent / "r_prints" / "wagepan.parquet")
    text = PRINTS["review summary-lm"].replace("0.3047", "0.3949")

    assert "model_numbers" in rules_of(judged_print(directory, tmp_path, text, "review summary-lm"))


def test_what_is_told_of_labels_does_not_let_a_table_pass(tmp_path: Path) -> None:
    report = looked_over(tmp_path, "black,union,mean\n0,1,3.25\n1,1,4.5\n", "t.csv")

    assert report.verdict is Verdict.REVIEW
    assert json.dumps(report.summary["reproduced"]) == "false"
