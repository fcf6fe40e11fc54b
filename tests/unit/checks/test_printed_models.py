"""Printed summaries of models: what may not pass stays or blocks, what the extract makes again passes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from hub.checks import Report, Verdict
from hub.checks.panels import open_panels
from hub.checks.parts_of_rows import parts_of
from hub.checks.printed_models import prints
from hub.checks.summaries import find_summaries
from tests.unit.checks.surveys import ALONE, RARE, UNITS, judged, rules_of, survey, written

pytestmark = pytest.mark.filterwarnings("ignore")
FRAME = survey().with_columns(
    children=(pl.col("age") % 4).cast(pl.Int64),
    gap=pl.when(pl.col("year") == 2002).then(None).otherwise(pl.col("wage")),
    late=pl.when(pl.col("year") == 2003).then(None).otherwise(pl.col("bonus")),
    only=(pl.col("pid") == 1_300).cast(pl.Int64),
    old=(pl.col("age") + 0.4 * pl.col("wage") > 60).cast(pl.Int64),
)
DATA = FRAME.to_pandas()
THIS = DATA.assign(this=(DATA["pid"] == 1_300) * 1, these=(DATA["hid"] == 650) * 1)
LARGE = DATA[~DATA["region"].isin([RARE, ALONE])]
Judge = Callable[..., Report]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("models"))


@pytest.fixture
def check(extract: Path, tmp_path: Path) -> Judge:
    return lambda text, name="model.txt", **more: judged(extract, tmp_path, text, name=name, **more)


def ols(formula: str, data: pd.DataFrame = DATA, **more: Any) -> str:
    return str(smf.ols(formula, data).fit(**more).summary().as_text())


PLAIN = ols("wage ~ age + C(sex)")

UNSAFE: dict[str, Callable[[], str]] = {
    "eleven rows": lambda: ols("wage ~ age", DATA.head(11)),
    "one person": lambda: ols("wage ~ year", DATA[DATA["pid"] == 1_300]),
    "few persons, many rows": lambda: ols("wage ~ year", DATA[DATA["region"] == RARE]),
    "a filter of few persons": lambda: ols("wage ~ age + C(sex)", DATA[DATA["pid"] < 1_020]),
    "a dummy for one person": lambda: ols("wage ~ age + only"),
    "a dummy for one region": lambda: ols("wage ~ age + C(region)"),
    "a term that is one person": lambda: ols("wage ~ age + this", THIS),
    "a term that is one household": lambda: ols("wage ~ age + C(sex) + these", THIS),
    "a part of few persons": lambda: ols("wage ~ bonus", DATA[(DATA["year"] == 2001) & (DATA["age"] <= 20)]),
    "an interaction of few": lambda: ols("wage ~ C(sex):C(region)"),
    "saturated": lambda: ols("wage ~ C(region)"),
    "a mean that one person dominates": lambda: ols("income ~ C(region)", LARGE),
    "effects per person": lambda: ols("wage ~ C(pid)", DATA[DATA["pid"] < 1_120]),
    "the number of a person as a regressor": lambda: ols("wage ~ pid"),
    "two summaries that differ by two persons": lambda: PLAIN
    + "\n\n"
    + ols("wage ~ age + C(sex)", DATA[~DATA["pid"].isin([1_300, 1_303])]),
    "a logit of few": lambda: str(
        smf.logit("union ~ age", DATA[DATA["region"] == RARE]).fit(disp=0).summary()
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSAFE)
def test_what_may_not_leave_does_not_pass(kind: str, check: Judge) -> None:
    report = check(UNSAFE[kind]())

    assert report.verdict is not Verdict.PASS
    assert not report.summary["reproduced"] or report.verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("eleven rows", "degrees_of_freedom"),
        ("few persons, many rows", "degrees_of_freedom"),
        ("a dummy for one person", "dummy_units"),
        ("a dummy for one region", "dummy_units"),
        ("saturated", "saturated_model"),
        ("effects per person", "unit_series"),
    ],
)
def test_what_may_not_leave_is_blocked_by_its_rule(kind: str, rule: str, check: Judge) -> None:
    report = check(UNSAFE[kind]())

    assert report.verdict is Verdict.BLOCK
    assert rule in rules_of(report)


@pytest.mark.parametrize("term", ["this", "these"])
def test_a_term_that_no_variable_makes_is_found_to_be_one_unit(term: str, check: Judge) -> None:
    (one,) = [f for f in check(ols(f"wage ~ age + {term}", THIS)).findings if f.rule == "dummy_units"]
    assert one.evidence["term"] == term
    assert min(one.evidence["units"].values()) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda: ols("wage ~ age + half", DATA.assign(half=DATA["pid"] % 2)), id="of many"),
        pytest.param(
            lambda: ols("wage ~ age + small", DATA.assign(small=DATA["wage"] % 1 / 100)), id="a small number"
        ),
        pytest.param(lambda: _changed(r"this +(-?\d+\.\d{4})", ols("wage ~ age + this", THIS)), id="changed"),
        pytest.param(lambda: ols("wage ~ this + these", THIS), id="two"),
        pytest.param(lambda: ols("wage ~ this - 1", THIS), id="alone"),
    ],
)
def test_a_term_that_may_be_anything_is_looked_at_by_people(text: Callable[[], str], check: Judge) -> None:
    report = check(text())
    assert report.verdict is Verdict.REVIEW
    assert "dummy_units" not in rules_of(report)


def test_the_part_of_a_model_is_found_by_two_conditions(check: Judge) -> None:
    for part in (
        DATA[(DATA["year"] == 2001) & (DATA["age"] <= 44)],
        DATA[(DATA["region"] == "North") & (DATA["union"] == 0)],
        DATA[(DATA["group"] == "x") & (DATA["age"] >= 30)],
    ):
        report = check(ols("wage ~ age + C(sex)", part))
        assert report.verdict is Verdict.PASS, report.findings
        cells = [cell for cell in report.cells if cell.statistic == "regression"]
        assert [cell.persons for cell in cells] == [part["pid"].nunique()]
    few = check(ols("wage ~ age + C(sex)", DATA[(DATA["region"] == RARE) & (DATA["age"] >= 21)]))
    assert few.verdict is Verdict.BLOCK
    three = LARGE[(LARGE["year"] == 2001) & (LARGE["age"] <= 44) & (LARGE["region"] == "North")]
    assert check(ols("wage ~ age + C(sex)", three)).verdict is Verdict.REVIEW


def test_parts_have_the_size_that_is_said_and_are_few(extract: Path) -> None:
    _, (panel,) = open_panels(extract, UNITS)
    keep = np.ones(FRAME.height, dtype=np.bool_)
    size = int(((FRAME["year"] == 2001) & (FRAME["age"] <= 44)).sum())
    found = list(parts_of(panel, keep, size, ["age"]))
    assert 0 < len(found) <= 24
    assert all(rows.size == size for rows in found)
    assert list(parts_of(panel, keep, FRAME.height, ["age"])) == []
    assert list(parts_of(panel, keep, 0, ["age"])) == []


def test_a_saturated_model_keeps_the_rules_for_means(extract: Path, tmp_path: Path) -> None:
    frame = pl.from_pandas(LARGE)
    report = judged(
        written(frame, tmp_path / "large"), tmp_path, ols("income ~ C(region)", LARGE), name="m.txt"
    )

    assert "dominance_one" in rules_of(report)


def _changed(pattern: str, text: str = PLAIN) -> str:
    """The text with the last digit of a number changed."""
    hit = re.search(pattern, text)
    assert hit is not None
    digits = hit.group(1)
    at = max(index for index, one in enumerate(digits) if one.isdigit())
    other = digits[:at] + str((int(digits[at]) + 3) % 10) + digits[at + 1 :]
    return text[: hit.start(1)] + other + text[hit.end(1) :]


NUMBERS = {
    "coefficient": r"\bage +(\S+)",
    "error": r"\bage +\S+ +(\S+)",
    "statistic": r"\bage(?: +\S+){2} +(\S+)",
    "p": r"\bage(?: +\S+){3} +(\S+)",
    "low": r"\bage(?: +\S+){4} +(\S+)",
    "high": r"\bage(?: +\S+){5} +(\S+)",
    **{label: re.escape(label) + r":? +(\S+)" for label in (
        "R-squared:", "Adj. R-squared:", "F-statistic:", "Prob (F-statistic):", "Log-Likelihood:", "AIC:",
        "BIC:",
        "No. Observations:", "Df Residuals:", "Df Model:", "Omnibus:", "Prob(Omnibus):", "Skew:", "Kurtosis:",
        "Durbin-Watson:", "Jarque-Bera (JB):", "Prob(JB):", "Cond. No.",
    )},
}  # fmt: skip


@pytest.mark.parametrize("which", NUMBERS)
def test_one_changed_digit_does_not_pass(which: str, check: Judge) -> None:
    assert check(_changed(NUMBERS[which])).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("Least Squares", "Least Squares 7"),
        re.sub(r"Date: .{20}", "Date:    5.1234 and 17.2", PLAIN),
        re.sub(r"Date: .{20}", "Date:    Wed, 31 Dec 2059", PLAIN),
        re.sub(r"Date: .{20}", "Date:    Mon, 24 Nov 2020", PLAIN),
        re.sub(r"Time: +\d\d:\d\d:\d\d", "Time:        12:99:99", PLAIN),
        PLAIN + "\nThe largest wage is 31.415.",
        PLAIN + "\n[1] Standard Errors assume 31.415 of Anna",
        PLAIN.replace("age  ", "year "),
        PLAIN.replace("wage", "income"),
        PLAIN.replace("C(sex)[T.M]", "C(sex)[T.F]"),
        PLAIN.replace("nonrobust", "HC1      "),
        "\n".join(line for line in PLAIN.splitlines() if not line.startswith("C(sex)")),
        "\n".join(line for line in PLAIN.splitlines() if "Observations" not in line),
        re.sub(r"(age +-?\d+\.\d+)", r"\g<1>0417", PLAIN),  # digits that nobody printed
    ],
)
def test_what_the_extract_does_not_say_does_not_pass(text: str, check: Judge) -> None:
    assert text != PLAIN
    assert check(text).verdict is Verdict.REVIEW


def test_the_finding_names_the_numbers_that_were_not_made_again(check: Judge) -> None:
    report = check(_changed(NUMBERS["Durbin-Watson:"]))

    told = next(one for one in report.findings if one.rule == "model_numbers")
    assert told.evidence is not None
    assert told.evidence["labels"] == ["Durbin-Watson"]


def robust(kind: str, **more: Any) -> str:
    made = smf.ols("wage ~ age + C(sex)", DATA) if kind == "ols" else smf.logit("union ~ wage + C(sex)", DATA)
    return str(made.fit(**({} if kind == "ols" else {"disp": 0}), **more).summary())


def general(formula: str, family: Any) -> str:
    return str(smf.glm(formula, DATA, family=family).fit().summary())


SAFE: dict[str, Callable[[], str]] = {
    "ols": lambda: PLAIN,
    "ols on the levels of a text": lambda: ols("wage ~ sex + age"),
    "ols with another reference": lambda: ols("wage ~ C(year, Treatment(2003)) + age"),
    "ols of a log with a square": lambda: ols("np.log(wage) ~ age + I(age ** 2)"),
    "ols with products": lambda: ols("wage ~ age * C(sex)"),
    "ols without constant": lambda: ols("wage ~ age + income - 1"),
    "ols with all levels": lambda: ols("wage ~ C(sex) + age - 1"),
    "ols with missing values": lambda: ols("gap ~ age"),
    "ols on rows complete in another variable": lambda: ols("wage ~ age", DATA.dropna(subset=["late"])),
    "ols in one year": lambda: ols("wage ~ age", DATA[DATA["year"] == 2002]),
    **{f"ols {n}": lambda n=n: robust("ols", cov_type=n) for n in ("HC0", "HC1", "HC2", "HC3")},
    "ols HC1 with t": lambda: robust("ols", cov_type="HC1", use_t=True),
    "ols by person": lambda: robust("ols", cov_type="cluster", cov_kwds={"groups": DATA["pid"]}),
    "ols by household with t": lambda: robust(
        "ols", cov_type="cluster", cov_kwds={"groups": DATA["hid"]}, use_t=True),
    "logit": lambda: robust("logit"),
    "logit by employer": lambda: robust("logit", cov_type="cluster", cov_kwds={"groups": DATA["eid"]}),
    "a logit that tells many": lambda: str(smf.logit("old ~ age", DATA).fit(disp=0).summary()),
    "probit": lambda: str(smf.probit("union ~ wage", DATA).fit(disp=0).summary()),
    "poisson": lambda: str(smf.poisson("children ~ wage + C(sex)", DATA).fit(disp=0).summary()),
    "glm binomial": lambda: general("union ~ wage", sm.families.Binomial()),
    "glm poisson": lambda: general("children ~ wage", sm.families.Poisson()),
    "arrays": lambda: str(sm.OLS(DATA["wage"], sm.add_constant(DATA[["age", "income"]])).fit().summary()),
    "two models of the same rows": lambda: PLAIN + "\n\n" + ols("wage ~ age"),
    "summary2": lambda: re.sub(
        r" +$", "", str(smf.ols("wage ~ age + C(sex)", DATA).fit().summary2()), flags=re.MULTILINE),
}  # fmt: skip


def test_the_share_of_rows_that_a_model_tells_is_a_number_too(check: Judge) -> None:
    text = SAFE["a logit that tells many"]()
    assert "A fraction" in text

    assert check(_changed(r"A fraction (\S+)", text)).verdict is Verdict.REVIEW


@pytest.mark.parametrize("kind", SAFE)
def test_what_the_extract_makes_again_passes(kind: str, check: Judge) -> None:
    report = check(SAFE[kind]())

    assert report.verdict is Verdict.PASS, [(one.rule, one.evidence) for one in report.findings]


def claim(*terms: str, categorical: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A declaration of a summary."""
    named = [{"variables": [one], "categorical": [one] if one in categorical else []} for one in terms]
    return {"kind": "regression", "table": "units", "model": "ols", "outcome": "wage", "terms": named, **more}


HEADLESS = "\n".join(PLAIN.splitlines()[12:18])
ONE_ROW = "\n".join(line for line in HEADLESS.splitlines() if not line.startswith(("C(sex)", "Intercept")))
SEX: dict[str, Any] = {"categorical": ("sex",)}
YOUNG = {"field": "age", "operator": "<", "values": [40]}
PART = DATA[(DATA["age"] < 40) & (DATA["sex"] == "F") & (DATA["bonus"] > 2)]
PART_CLAIM = {"and": [YOUNG, {"field": "sex", "operator": "==", "values": ["F"]},
                      {"field": "bonus", "operator": ">", "values": [2]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (HEADLESS, claim("income", "sex", **SEX)),
        (HEADLESS, claim("age", "sex", **SEX, where=YOUNG)),
        (HEADLESS, claim("age", "sex", **SEX, covariance="HC1")),
        (ONE_ROW.replace("0.784", "0.785"), claim("age", "sex", **SEX)),
        (HEADLESS, claim("age", "pid", categorical=("pid",))),
        (ols("wage ~ age", DATA[DATA["region"] == RARE]),
         claim("age", where={"field": "region", "operator": "==", "values": [RARE]})),
        (PLAIN, claim("age", "sex", **SEX, table="nothing")),
    ],
)  # fmt: skip
def test_a_false_or_unsafe_declaration_does_not_pass(text: str, output: dict[str, Any], check: Judge) -> None:
    assert check(text, output=output).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (HEADLESS, claim("age", "sex", **SEX)),
        (ONE_ROW, claim("age", "sex", **SEX)),
        (ols("wage ~ age", PART), claim("age", where=PART_CLAIM)),
        (robust("ols", cov_type="cluster", cov_kwds={"groups": DATA["hid"]}),
         claim("age", "sex", **SEX, covariance="cluster", cluster="household")),
    ],
)  # fmt: skip
def test_a_declaration_says_what_a_part_of_a_summary_is_of(
    text: str, output: dict[str, Any], check: Judge
) -> None:
    report = check(text, output=output)

    assert report.verdict is Verdict.PASS, [(one.rule, one.evidence) for one in report.findings]


@pytest.mark.parametrize("text", [ONE_ROW, ols("wage ~ age", PART)])
def test_without_a_declaration_that_part_is_looked_at_by_people(text: str, check: Judge) -> None:
    assert check(text).verdict is Verdict.REVIEW


def notebook(summary: Any) -> str:
    data = {"text/plain": f"<class 'statsmodels.iolib.summary.Summary'>\n\"\"\"\n{summary.as_text()}\n\"\"\"",
            "text/html": summary.as_html(), "text/latex": summary.as_latex()}  # fmt: skip
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    cell = {"cell_type": "code", "id": "a1", "metadata": {}, "execution_count": 1, "source": "m.summary()",
            "outputs": [output]}  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})


WRITTEN: dict[str, tuple[str, Callable[[Any], str]]] = {
    "latex": ("model.tex", lambda summary: summary.as_latex()),
    "csv": ("model.csv", lambda summary: summary.as_csv()),
    "html": ("model.html", lambda summary: f"<html><body>{summary.as_html()}</body></html>"),
    "notebook": ("model.ipynb", notebook),
    "markdown": ("model.md", lambda summary: f"# Wages\n\nTable 1\n\n```\n{summary.as_text()}\n```\n"),
}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("kind", ["ols", "logit"])
def test_every_form_of_a_summary_is_read(form: str, kind: str, check: Judge) -> None:
    made = smf.ols("wage ~ age + C(sex)", DATA) if kind == "ols" else smf.logit("union ~ age + wage", DATA)
    name, write = WRITTEN[form]
    text = write(made.fit(**({} if kind == "ols" else {"disp": 0})).summary())

    assert check(text, name).verdict is Verdict.PASS
    wrong = text.replace("0.975]", "0.975]", 1)
    hit = re.search(r"(?<![\d.])-?\d+\.\d{4}(?!\d)", wrong)
    assert hit is not None
    digits = hit.group()
    other = digits[:-1] + str((int(digits[-1]) + 3) % 10)
    assert check(wrong[: hit.start()] + other + wrong[hit.end() :], name).verdict is not Verdict.PASS


def of_r(fitted: Any, call: str, names: dict[str, str], feet: str, *, residuals: str = "") -> str:
    """What R prints of the same model."""
    t = "t" if fitted.use_t else "z"
    lines = [f"{'':12} Estimate Std. Error {t} value Pr(>|{t}|)    "]
    for name in fitted.params.index:
        p = "<2e-16 ***" if fitted.pvalues[name] < 2e-16 else f"{fitted.pvalues[name]:.3g}"
        numbers = f"{fitted.params[name]:.5f} {fitted.bse[name]:.5f} {fitted.tvalues[name]:.3f}"
        lines.append(f"{names.get(name, name):12} {numbers} {p}")
    legend = "Signif. codes:  0 ‘***’ 0.001 ‘**’ 0.01 ‘*’ 0.05 ‘.’ 0.1 ‘ ’ 1"
    body = "\n".join(lines)
    return f"\nCall:\n{call}\n\n{residuals}Coefficients:\n{body}\n---\n{legend}\n\n{feet}\n"


def lm_of_r(data: pd.DataFrame = DATA, residuals: str = "") -> str:
    fitted = smf.ols("wage ~ age + C(sex)", data).fit()
    feet = (
        f"Residual standard error: {fitted.mse_resid**0.5:.4g} on {fitted.df_resid:.0f} degrees of freedom\n"
        f"Multiple R-squared:  {fitted.rsquared:.4g},\tAdjusted R-squared:  {fitted.rsquared_adj:.4g} \n"
        f"F-statistic: {fitted.fvalue:.4g} on 2 and {fitted.df_resid:.0f} DF,  p-value: {fitted.f_pvalue:.4g}"
    )
    names = {"Intercept": "(Intercept)", "C(sex)[T.M]": "sexM"}
    return of_r(fitted, "lm(formula = wage ~ age + sex, data = d)", names, feet, residuals=residuals)


def glm_of_r() -> str:
    data = DATA.dropna(subset=["late"])
    fitted = smf.glm("union ~ late + C(year)", data, family=sm.families.Binomial()).fit()
    rows, degrees = int(fitted.nobs), int(fitted.df_resid)
    feet = (
        "(Dispersion parameter for binomial family taken to be 1)\n\n"
        f"    Null deviance: {fitted.null_deviance:.1f}  on {rows - 1}  degrees of freedom\n"
        f"Residual deviance: {fitted.deviance:.1f}  on {degrees}  degrees of freedom\n"
        f"  ({len(DATA) - rows} observations deleted due to missingness)\n"
        f"AIC: {fitted.aic:.1f}\n\nNumber of Fisher Scoring iterations: 4"
    )
    names = {f"C(year)[T.{year}]": f"factor(year){year}" for year in (2002, 2004)}
    call = "glm(formula = union ~ late + factor(year), family = binomial, \n    data = d)"
    return of_r(fitted, call, {"Intercept": "(Intercept)", **names}, feet)


EXTREMES = (
    "Residuals:\n    Min      1Q  Median      3Q     Max \n-11.331  -5.034  -1.732   3.081  56.234 \n\n"
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (lm_of_r(), Verdict.PASS),
        (glm_of_r(), Verdict.PASS),
        (lm_of_r(residuals=EXTREMES), Verdict.REVIEW),  # the residuals of single units
        (lm_of_r().replace("data = d", "data = d, subset = pid != 1300"), Verdict.BLOCK),
        (lm_of_r().replace("wage ~ age + sex", "wage ~ age + 3.1415"), Verdict.REVIEW),
        (lm_of_r().replace(" DF,", "9 DF,"), Verdict.REVIEW),
        (glm_of_r().replace("iterations: 4", "iterations: 7"), Verdict.REVIEW),
        (glm_of_r().replace("(600 observations", "(601 observations"), Verdict.REVIEW),
        (lm_of_r(DATA[DATA["region"] == RARE]), Verdict.BLOCK),
    ],
)
def test_the_summaries_of_r_are_read(text: str, verdict: Verdict, check: Judge) -> None:
    report = check(text)

    assert report.verdict is verdict, [(one.rule, one.evidence) for one in report.findings]


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("0.053", 0.0534, True),
        ("0.053", 0.0536, False),
        ("6080.", 6080.4, True),
        ("6080.", 6081.0, False),
        ("1.389e+05", 138_949.0, True),
        ("1.389e+05", 139_000.0, False),
        ("<2e-16", 1e-17, True),
        ("<2e-16", 1e-15, False),
        ("<0.5", 0.1, False),
        ("007.1", 7.1, False),
        ("7.1", float("nan"), False),
        ("7.1", None, False),
        ("7.100000000000000", 7.1, False),
    ],
)
def test_a_number_is_what_would_be_printed(text: str, value: float | None, right: bool) -> None:
    assert prints(text, value) is right


@pytest.mark.parametrize(
    "line",
    ["age  " + "  ".join(["1" * 40] * 6) + "x", "1 " * 5_000, "a" * 100_000, "lm(formula = " + "~ a" * 300],
)
def test_hostile_lines_are_read_at_once(line: str) -> None:
    head = PLAIN.splitlines()[:14]
    start = time.perf_counter()
    find_summaries([*head, *[line] * 50])

    assert time.perf_counter() - start < 2


def test_rows_of_the_extract_beside_a_summary_still_block(check: Judge) -> None:
    rows = "\n".join(
        "  ".join(str(cell) for cell in row) for row in FRAME.select("wage", "income", "bonus").rows()[:40]
    )

    assert check(f"{PLAIN}\n{rows}\n").verdict is Verdict.BLOCK
    lines = PLAIN.splitlines()
    inside = "\n".join([*lines[:17], *rows.splitlines(), *lines[17:]])
    assert check(inside).verdict is Verdict.BLOCK
