"""Tables of coefficients that nobody declared: refused first, then found again among the variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401  (the formulas name it)
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf

from hub.checks import Report, Verdict
from tests.unit.checks.surveys import ALONE, RARE, judged, rules_of, survey, written

pytestmark = pytest.mark.filterwarnings("ignore")
FRAME = survey().with_columns(children=(pl.col("age") % 4).cast(pl.Int64))
DATA = FRAME.to_pandas()
LARGE = DATA[~DATA["region"].isin([RARE, ALONE])]
Judge = Callable[..., Report]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(FRAME, tmp_path_factory.mktemp("all"))


@pytest.fixture(params=["few rows", "as of many rows"])
def check(
    request: pytest.FixtureRequest, extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Judge:
    if request.param == "as of many rows":
        monkeypatch.setattr("hub.checks.coefficient_tables._MANY", 1_000)
        monkeypatch.setattr("hub.checks.coefficient_tables._DRAWN", 500)
        monkeypatch.setattr("hub.checks.models._MANY", 1_000)
    return lambda table, **more: judged(extract, tmp_path, table.to_csv(index=False), **more)


def table(fitted: Any, *roles: str, digits: int = 4) -> pd.DataFrame:
    """Coefficients as a researcher writes them."""
    bounds = fitted.conf_int()
    parts = {
        "coef": fitted.params, "se": fitted.bse, "t": fitted.tvalues, "p": fitted.pvalues,
        "ci_low": bounds[0], "ci_high": bounds[1],
    }  # fmt: skip
    made = pd.DataFrame({role: parts[role].round(digits) for role in roles})
    return made.rename_axis("term").reset_index()


def ols(formula: str, data: pd.DataFrame = DATA, **more: Any) -> Any:
    return smf.ols(formula, data).fit(**more)


GOOD = table(ols("wage ~ age + C(sex)"), "coef", "se", "p")


def changed(column: str, by: float) -> pd.DataFrame:
    made = GOOD.copy()
    made.loc[1, column] += by
    return made


UNSAFE = {
    "a level of few": table(ols("wage ~ C(region) + age"), "coef", "se"),
    "means of few": table(ols("wage ~ C(region)"), "coef", "se"),
    "means that one person dominates": table(ols("income ~ C(region)", LARGE), "coef", "se"),
    "effects of persons": table(ols("wage ~ C(pid)", DATA[DATA["pid"] < 1_100]), "coef", "se"),
    "a changed coefficient": changed("coef", 0.0003),
    "a changed error": changed("se", 0.0003),
    "a changed p": changed("p", 0.003),
    "a foreign column": GOOD.assign(note=[3.1415, 2.7182, 1.6180]),
    "a foreign line": pd.concat([GOOD, pd.DataFrame({"term": ["answer"], "coef": [42.1]})]),
    "a foreign count": pd.concat([GOOD, pd.DataFrame({"term": ["N"], "coef": [2399]})]),
    "coefficients alone": GOOD[["term", "coef"]],
    "rows of few": table(ols("wage ~ age", DATA[DATA["region"] == RARE]), "coef", "se"),
}


@pytest.mark.parametrize("kind", UNSAFE)
def test_what_may_not_leave_does_not_pass(kind: str, check: Judge) -> None:
    assert check(UNSAFE[kind]).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("a level of few", "dummy_units"),
        ("means of few", "saturated_model"),
        ("effects of persons", "unit_series"),
    ],
)
def test_the_rules_for_models_block(kind: str, rule: str, check: Judge) -> None:
    report = check(UNSAFE[kind])

    assert report.verdict is Verdict.BLOCK
    assert rule in rules_of(report)


SAFE = {
    "ols": GOOD,
    "with intervals": table(ols("wage ~ age + C(sex)"), "coef", "ci_low", "ci_high"),
    "of a log": table(ols("np.log(wage) ~ age + C(sex)"), "coef", "se", "t"),
    "robust": table(ols("wage ~ age + C(sex)", cov_type="HC1"), "coef", "se", "p"),
    "clustered": table(
        ols("wage ~ age + C(sex)", cov_type="cluster", cov_kwds={"groups": DATA["pid"]}), "coef", "se"),
    "logit": table(smf.logit("union ~ wage + C(sex)", DATA).fit(disp=0), "coef", "se", "p"),
    "poisson": table(smf.poisson("children ~ wage + C(sex)", DATA).fit(disp=0), "coef", "se"),
    "with its observations": pd.concat([GOOD, pd.DataFrame({"term": ["N"], "coef": [2400]})]),
    "as broom writes it": table(ols("wage ~ age + C(sex)"), "coef", "se", "t", "p", digits=7).rename(
        columns={"coef": "estimate", "se": "std.error", "t": "statistic", "p": "p.value"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAFE)
def test_what_the_extract_makes_again_passes(kind: str, check: Judge) -> None:
    report = check(SAFE[kind])

    assert report.verdict is Verdict.PASS, [(one.rule, one.evidence) for one in report.findings]


CLAIM: dict[str, Any] = {
    "kind": "regression", "table": "units", "model": "ols", "outcome": "wage",
    "terms": [{"variables": ["age"]}, {"variables": ["sex"], "categorical": ["sex"]}],
    "columns": {"term": "term", "estimate": "coef", "se": "se", "p": "p"},
}  # fmt: skip
FEW = {"field": "region", "operator": "==", "values": [RARE]}


@pytest.mark.parametrize(
    ("made", "claim"),
    [
        (GOOD.iloc[:1], CLAIM | {"outcome": "income"}),
        (GOOD.iloc[:1], CLAIM | {"covariance": "HC1"}),
        (pd.concat([GOOD.iloc[:1], GOOD.iloc[:1]]), CLAIM),
        (table(ols("wage ~ age + C(sex)", DATA[DATA["region"] == RARE]), "coef", "se", "p").iloc[:1],
         CLAIM | {"where": FEW}),
    ],
)  # fmt: skip
def test_a_part_of_the_coefficients_of_a_false_or_unsafe_claim_does_not_pass(
    made: pd.DataFrame, claim: dict[str, Any], check: Judge
) -> None:
    assert check(made, output=claim).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("made", "more"),
    [
        (GOOD.iloc[1:], {}),
        (SAFE["robust"], {"covariance": "HC1"}),
        (SAFE["robust"].iloc[:1], {"covariance": "HC1"}),
    ],
)
def test_a_declared_table_may_leave_out_coefficients(
    made: pd.DataFrame, more: dict[str, Any], check: Judge
) -> None:
    report = check(made, output=CLAIM | more)

    assert report.verdict is Verdict.PASS, [(one.rule, one.evidence) for one in report.findings]
