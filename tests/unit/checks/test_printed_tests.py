"""Tests of hypotheses as R prints them: made again, or looked at by people. The prints here are written as R
does; those that R wrote itself are among the r_prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from hub.checks import Report, Verdict
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

FRAME = survey().with_columns(
    few=(pl.col("region") == RARE).cast(pl.Int64),
    three=pl.col("pid") // 3 % 3,
    gap=pl.when(pl.col("year") == 2002).then(None).otherwise(pl.col("wage")),
)
DATA = FRAME.to_pandas()
Judge = Callable[[str], Report]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("tests"))


@pytest.fixture
def check(extract: Path, tmp_path: Path) -> Judge:
    return lambda text: judged(extract, tmp_path, text, name="tests.txt")


def p_of(value: float) -> str:
    return "p-value < 2.2e-16" if value < 2.2e-16 else f"p-value = {value:.4g}"


def t_test(of: str, by: str, *, welch: bool = True, data: pd.DataFrame = DATA) -> str:
    kept = data[[of, by]].dropna()
    low, high = sorted(kept[by].unique())
    one, two = (kept.loc[kept[by] == group, of] for group in (low, high))
    done = stats.ttest_ind(one, two, equal_var=not welch)
    interval = done.confidence_interval(0.95)
    return (
        f"\n\t{'Welch ' if welch else ''}Two Sample t-test\n\ndata:  {of} by {by}\n"
        f"t = {done.statistic:.5g}, df = {done.df:.5g}, {p_of(done.pvalue)}\n"
        f"alternative hypothesis: true difference in means between group {low} and group {high} "
        "is not equal to 0\n95 percent confidence interval:\n"
        f" {interval.low:.7f} {interval.high:.7f}\nsample estimates:\n"
        f"mean in group {low} mean in group {high} \n       {one.mean():.6f}        {two.mean():.6f} \n\n"
    )


def chi_squared(one: str, two: str, *, yates: bool = False, data: pd.DataFrame = DATA) -> str:
    done = stats.chi2_contingency(pd.crosstab(data[one], data[two]), correction=yates)
    title = " with Yates' continuity correction" if yates else ""
    return (
        f"\n\tPearson's Chi-squared test{title}\n\ndata:  table(d${one}, d${two})\n"
        f"X-squared = {done.statistic:.5g}, df = {done.dof}, {p_of(done.pvalue)}\n\n"
    )


def anova(of: str, *terms: str) -> str:
    """Each term after those before it."""
    formulas = [f"C({term[7:-1]})" if term.startswith("factor(") else term for term in terms]
    fits = [smf.ols(f"{of} ~ {' + '.join(['1', *formulas[:k]])}", DATA).fit() for k in range(len(terms) + 1)]
    rest = fits[-1]
    lines = ["Analysis of Variance Table", "", f"Response: {of}"]
    lines.append("             Df  Sum Sq Mean Sq F value    Pr(>F)    ")
    for term, before, after in zip(terms, fits, fits[1:], strict=False):
        count, own = int(before.df_resid - after.df_resid), before.ssr - after.ssr
        f = own / count / (rest.ssr / rest.df_resid)
        p = float(stats.f.sf(f, count, rest.df_resid))
        stars = "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else "." if p < 0.1 else ""
        shown = "< 2.2e-16" if p < 2.2e-16 else f"{p:.4g}"
        lines.append(f"{term} {count:4d} {own:.2f} {own / count:.3f} {f:.2f} {shown} {stars}".rstrip())
    lines.append(f"Residuals {int(rest.df_resid)} {rest.ssr:.2f} {rest.ssr / rest.df_resid:.3f}")
    lines += ["---", "Signif. codes:  0 ‘***’ 0.001 ‘**’ 0.01 ‘*’ 0.05 ‘.’ 0.1 ‘ ’ 1"]
    return "\n".join(lines) + "\n"


PASSING: dict[str, str] = {
    "t test": t_test("wage", "sex"),
    "t test of equal variances": t_test("wage", "sex", welch=False),
    "t test with gaps": t_test("gap", "union"),
    "chi-squared of two by two": chi_squared("sex", "union", yates=True),
    "chi-squared without correction": chi_squared("sex", "union"),
    "chi-squared of more": chi_squared("group", "union"),
    "anova": anova("wage", "age", "union"),
    "anova with a factor": anova("wage", "factor(three)", "age", "sex"),
    "anova of texts": anova("bonus", "group", "age"),
    "two tests": t_test("wage", "sex") + chi_squared("sex", "union"),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_what_the_extract_makes_again_passes(name: str, check: Judge) -> None:
    report = check(PASSING[name])
    assert report.verdict is Verdict.PASS, report.findings
    assert {cell.statistic for cell in report.cells} == {"regression"}


def test_the_groups_of_a_t_test_are_what_is_kept(check: Judge) -> None:
    kept = [(cell.persons, cell.value, cell.variable) for cell in check(PASSING["t test"]).cells]
    sizes = DATA.groupby("sex").agg(persons=("pid", "nunique"), rows=("pid", "size"))
    assert kept == [(int(row.persons), float(row.rows), "wage") for row in sizes.itertuples()]


REFUSED: dict[str, str] = {
    "a group of few": t_test("wage", "few"),
    "cells of few": chi_squared("region", "sex"),
    "effects of a region of few": anova("wage", "age", "region"),
    "an unknown variable": PASSING["t test"].replace("wage by sex", "salary by sex"),
    "units as groups": PASSING["t test"].replace("wage by sex", "wage by pid"),
    "a part of the rows": t_test("wage", "sex", data=DATA[DATA["year"] == 2001]),
    "groups the other way round": PASSING["t test"].replace("group F and group M", "group M and group F"),
    "one side": PASSING["t test"].replace("is not equal to 0", "is less than 0"),
    "another level": PASSING["t test"].replace("95 percent", "99 percent"),
    "a word more": PASSING["t test"].replace("sample estimates:", "sample estimates of nine persons:"),
    "a number more": PASSING["t test"].replace("sample estimates:\n", "sample estimates:\n9417 \n"),
    "other degrees": PASSING["chi-squared of more"].replace("df = 2", "df = 3"),
    "a long prefix": PASSING["chi-squared of more"].replace("d$group", "d9417x$group"),
    "fewer stars": PASSING["anova of texts"].replace("e-10 ***", "e-10 *"),
    "no stars": PASSING["anova of texts"].replace("e-10 ***", "e-10"),
    "stars without a reason": PASSING["anova"].replace("\nResiduals", " ***\nResiduals"),
    "another residual": PASSING["anova"].replace("Residuals 2397", "Residuals 2396"),
    "cut short": PASSING["t test"][:200],
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_leave_or_was_not_made_again_does_not_pass(name: str, check: Judge) -> None:
    report = check(REFUSED[name])
    assert report.verdict is not Verdict.PASS


def test_the_mean_of_a_group_that_one_person_dominates_is_blocked(tmp_path: Path) -> None:
    frame = FRAME.filter(~pl.col("region").is_in([RARE, ALONE]))
    frame = frame.with_columns(south=(pl.col("region") == "South").cast(pl.Int64))
    directory = written(frame, tmp_path / "large")
    report = judged(directory, tmp_path, t_test("income", "south", data=frame.to_pandas()), name="tests.txt")
    assert report.verdict is Verdict.BLOCK
    assert "dominance_one" in rules_of(report)


def test_digits_of_every_number_count(check: Judge) -> None:
    for name in ("t test", "chi-squared of more", "anova"):
        text = PASSING[name]
        places = [at for at, one in enumerate(text) if one.isdigit() and text[at - 1] not in "‘ (<"]
        chosen = np.random.default_rng(3).choice(len(places), size=8, replace=False)
        for at in (places[k] for k in chosen.tolist()):
            changed = text[:at] + str((int(text[at]) + 5) % 10) + text[at + 1 :]
            if "Signif" in text[max(0, text.rfind("\n", 0, at)) : at]:
                continue
            assert check(changed).verdict is not Verdict.PASS, changed
