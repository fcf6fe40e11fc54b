"""Declared regressions are those of statsmodels: models, weights, transforms; and filters."""

from __future__ import annotations

import json
import warnings
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest

from hub.checks.declared import UnreadableClaim
from hub.checks.filters import UnreadableFilter, mask_of
from hub.checks.models import _few_beside
from hub.checks.panels import Panel, open_panels
from hub.checks.regressions import Column, constant, fit_declared, in_one_design, stacked
from hub.documents.outputs import DeclaredRegression, DeclaredTable
from tests.unit.checks.surveys import UNITS, survey, written

warnings.simplefilter("ignore")
FRAME = survey().with_columns(
    weight=1.0 + pl.col("age") % 3,
    children=(pl.col("age") % 4).cast(pl.Int64),
    gap=pl.when(pl.col("year") == 2002).then(None).otherwise(pl.col("wage")),
)


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return open_panels(written(FRAME, tmp_path_factory.mktemp("survey")), UNITS)[1][0]


def declared(model: str, outcome: str, *terms: dict[str, Any], **more: Any) -> DeclaredRegression:
    output = {"kind": "regression", "table": "units", "model": model, "outcome": outcome, "terms": terms,
              "columns": {"term": "term", "estimate": "coef"}, **more}  # fmt: skip
    return DeclaredRegression.model_validate_json(json.dumps(output))


WAGE: dict[str, Any] = {"variables": ("wage",)}
AGE: dict[str, Any] = {"variables": ("age",)}
SEX: dict[str, Any] = {"variables": ("sex",), "categorical": ("sex",)}
CASES: dict[str, tuple[DeclaredRegression, str]] = {
    "ols": (declared("ols", "wage", AGE, SEX), "wage ~ age + C(sex)"),
    "ols of a log": (
        declared("ols", "wage", AGE, outcome_transform="log"), "np.log(wage) ~ age"),
    "ols with a log and a square": (
        declared("ols", "income", {**WAGE, "transform": "log"}, {**AGE, "transform": "square"}),
        "income ~ np.log(wage) + I(age**2)"),
    "ols without intercept": (declared("ols", "wage", AGE, WAGE | {"variables": ("bonus",)}, intercept=False),
                              "wage ~ age + bonus - 1"),
    "wls": (declared("ols", "wage", AGE, SEX, weight="weight"), "wage ~ age + C(sex)"),
    "logit": (declared("logit", "union", AGE, WAGE), "union ~ age + wage"),
    "probit": (declared("probit", "union", AGE, SEX), "union ~ age + C(sex)"),
    "poisson": (declared("poisson", "children", WAGE, SEX), "children ~ wage + C(sex)"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_are_those_of_statsmodels(case: str, panel: Panel) -> None:
    import statsmodels.formula.api as smf

    made, formula = CASES[case]
    data = FRAME.to_pandas()
    if made.weight is not None:
        model = smf.wls(formula, data, weights=data["weight"])
    else:
        model = getattr(smf, made.model)(formula, data)
    fit = model.fit() if made.model == "ols" else model.fit(disp=0, tol=1e-12, maxiter=100)
    ours = fit_declared(made, panel)
    by_value = np.argsort(np.asarray(fit.params))
    order = np.argsort(ours.estimates)
    low, high = fit.conf_int()[0], fit.conf_int()[1]
    for role, theirs in (("estimate", fit.params), ("se", fit.bse), ("statistic", fit.tvalues),
                         ("p", fit.pvalues), ("low", low), ("high", high)):  # fmt: skip
        assert ours.column(role)[order] == pytest.approx(np.asarray(theirs)[by_value], rel=1e-6, abs=1e-9)
    assert ours.degrees == fit.df_resid


@pytest.mark.parametrize(
    "made",
    [
        declared("logit", "union", AGE, weight="weight"),
        declared("ols", "nothing", AGE),
        declared("ols", "bonus", AGE, outcome_transform="log"),  # zeros have no logarithm
        declared("ols", "wage", AGE, where={"field": "pid", "operator": "==", "values": (1_060,)}),
    ],
)
def test_what_cannot_be_made_again_is_said(made: DeclaredRegression, panel: Panel) -> None:
    with pytest.raises(UnreadableClaim):
        fit_declared(made, panel)


def filtered(where: dict[str, Any], panel: Panel) -> int:
    table = {"kind": "table", "table": "units", "by": (), "measures": ({"stat": "count", "column": "n"},)}
    condition = DeclaredTable.model_validate_json(json.dumps({**table, "where": where})).where
    assert condition is not None
    return int(mask_of(condition, panel).sum())


def where(field: str, operator: str, *values: object) -> dict[str, Any]:
    return {"field": field, "operator": operator, "values": values}


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (where("sex", "==", "F"), pl.col("sex") == "F"),
        (where("sex", "!=", "F"), pl.col("sex") != "F"),
        (where("gap", "<", 12), pl.col("gap") < 12),
        (where("gap", ">=", 12), pl.col("gap") >= 12),
        ({"not": where("gap", ">=", 12)}, ~(pl.col("gap") >= 12).fill_null(value=False)),
        (where("gap", "is missing"), pl.col("gap").is_null()),
        (where("gap", "is present"), pl.col("gap").is_not_null()),
        (where("age", "between", 30, 40), pl.col("age").is_between(30, 40)),
        (where("region", "in", "North", "East"), pl.col("region").is_in(["North", "East"])),
        (where("region", "not in", "North"), pl.col("region") != "North"),
        ({"and": (where("age", "<=", 30), where("sex", "==", "M"))},
         (pl.col("age") <= 30) & (pl.col("sex") == "M")),
        ({"or": (where("age", ">", 60), where("sex", "==", "M"))},
         (pl.col("age") > 60) | (pl.col("sex") == "M")),
    ],
)  # fmt: skip
def test_a_filter_keeps_the_rows_it_says(condition: dict[str, Any], rows: pl.Expr, panel: Panel) -> None:
    assert filtered(condition, panel) == FRAME.filter(rows).height > 0


@pytest.mark.parametrize(
    "condition", [where("pid", "==", 1_060), where("nothing", "==", 1), where("sex", "<", 3)]
)
def test_a_filter_on_no_variable_or_of_another_kind_is_refused(
    condition: dict[str, Any], panel: Panel
) -> None:
    with pytest.raises(UnreadableFilter):
        filtered(condition, panel)


def test_the_parameters_of_one_design_are_its_columns() -> None:
    rows = 500
    columns = [
        Column(str(at), (), partial(np.full, rows, float(at)))
        if at
        else Column("0", (), partial(constant, rows))
        for at in range(4)
    ]
    parameters = in_one_design(columns, rows)
    design = stacked(parameters)
    assert all(np.shares_memory(design, one.values) for one in parameters)
    assert design[0].tolist() == [1.0, 1.0, 2.0, 3.0]
    np.testing.assert_array_equal(stacked(parameters, 3), design[:3])
    for others in (parameters[::-1], parameters[:2], [parameters[0], *parameters[:3]]):
        np.testing.assert_array_equal(stacked(others), np.column_stack([one.values for one in others]))
    with pytest.raises(UnreadableClaim):
        in_one_design(columns, 200_000_000)


@pytest.mark.parametrize("many", [10, 1_000_000])  # rows from which the usual value is looked for among some
@pytest.mark.parametrize("longest", [1, 400])
@pytest.mark.parametrize(
    ("other", "found"),
    [
        ([1.0] * 3, {"person": 3}), ([1.0] * 30, {}), ([1.0, 2.0, 3.0], {"person": 3}),
        ([1.0] * 150 + [2.0] * 150, {}), ([], {}),
    ],
)  # fmt: skip
def test_few_units_beside_the_usual_value_of_a_regressor(
    other: list[float], found: dict[str, int], longest: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.checks.models._MANY", many)
    values = np.zeros(400)
    values[50 : 50 + len(other)] = other
    inside = {"person": np.arange(400, dtype=np.int32)}
    assert _few_beside(values, inside, 10, longest) == found
    assert _few_beside(values[::-1].copy(), inside, 10, longest) == found
    with_one = np.where(values == 0, 1.0, 0.0)  # a dummy for all but a few
    assert _few_beside(with_one, inside, 10, longest) == found
