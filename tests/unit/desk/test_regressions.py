"""`vitrine.regression`: what cannot be declared; else the coefficients those of the researcher’s model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401  (formulas name it)
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import vitrine

from hub.documents.outputs import Declaration, parse_declaration


def declared(file: str) -> Declaration:
    return parse_declaration(Path(f"{file}.spec.json").read_bytes(), file=file)


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("wage ~ np.sqrt(age)", "term"),
        ("wage ~ age:region:sex:year", "term"),
        ("wage ~ np.log(age):sex", "term"),
        ("C(wage) ~ age", "term"),
        ("wage ~ experience", "derived"),
    ],
)
def test_what_the_platform_could_not_fit_again_is_refused(formula: str, code: str) -> None:
    with pytest.raises(vitrine.NotDeclarable) as refusal:
        vitrine.regression(formula, "people", file="m.csv")
    assert refusal.value.code == code
    assert list(Path.cwd().iterdir()) == []


def test_robust_errors_and_other_models_are_refused() -> None:
    data = vitrine.read_extract()
    for model, code in (
        (smf.ols("wage ~ age", data).fit(cov_type="HAC", cov_kwds={"maxlags": 1}), "robust"),
        (smf.ols("age ~ year", data).fit(cov_type="cluster", cov_kwds={"groups": data["age"]}), "robust"),
        (smf.quantreg("wage ~ age", data).fit(), "model_kind"),
    ):
        with pytest.raises(vitrine.NotDeclarable) as refusal:
            vitrine.regression(model, file="m.csv")
        assert refusal.value.code == code


def test_a_model_of_changed_data_is_refused() -> None:
    data = vitrine.read_extract()
    model = smf.ols("wage ~ age", data[data["wage"] < 40000]).fit()
    with pytest.raises(vitrine.NotDeclarable) as refusal:
        vitrine.regression(model, data, file="m.csv")
    assert refusal.value.code == "model_differs"


@pytest.mark.parametrize(
    ("fit", "formula"),
    [
        (smf.ols, "np.log(wage) ~ age + I(age**2) + C(region) + sex"),
        (smf.ols, "wage ~ age * sex"),
        (smf.ols, "wage ~ 0 + age"),
        (smf.logit, "employed ~ age + sex"),
        (smf.probit, "employed ~ age"),
        (smf.poisson, "employed ~ age + C(region)"),
    ],
)
def test_a_fitted_model_and_its_declaration(fit: Any, formula: str) -> None:
    data = vitrine.read_extract()
    model = fit(formula, data).fit(disp=0) if fit is not smf.ols else fit(formula, data).fit()
    written = vitrine.regression(model, file="m.csv")
    assert declared("m.csv").output.kind == "regression"
    shown = pd.read_csv("m.csv")
    assert list(shown.columns) == ["term", "estimate", "std_error", "statistic", "p_value", "low", "high"]
    assert sorted(shown["estimate"]) == pytest.approx(sorted(model.params), rel=1e-4)
    assert sorted(shown["std_error"]) == pytest.approx(sorted(model.bse), rel=1e-4)
    assert written.observations == model.nobs


def test_weights_and_a_subpopulation() -> None:
    data = vitrine.read_extract()
    part = data[data["year"] == 2014].dropna(subset=["wage"])
    model = smf.wls("wage ~ age", part, weights=part["weight"]).fit()
    vitrine.regression(model, data, file="m.csv", weight="weight", where=("year", "==", 2014))
    output = declared("m.csv").output
    assert output.weight == "weight"
    assert output.where is not None


def test_the_terms_of_the_declaration() -> None:
    vitrine.regression("np.log(wage) ~ age + C(region) + age:sex + I(age**2)", "people", file="m.csv")
    output = declared("m.csv").output
    assert output.outcome_transform == "log"
    assert [(term.variables, term.categorical, term.transform) for term in output.terms] == [
        (("age",), (), None),
        (("region",), ("region",), None),
        (("age", "sex"), ("sex",), None),
        (("age",), (), "square"),
    ]
    names = pd.read_csv("m.csv")["term"].tolist()
    assert names == ["Intercept", "age", "region[T.2]", "region[T.3]", "region[T.4]", "age:sex[T.M]", "age^2"]
