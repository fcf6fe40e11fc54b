"""`vitrine.regression`: a table of coefficients and the declaration from which the platform fits it again."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .declarations import TEXTS, number_text, result_path, write_result, write_text
from .extracts import ExtractTable, read_extract, require_columns, require_untouched, table_behind
from .filters import fields, matching, normalise
from .words import BadArgument, NotDeclarable

COLUMNS = {
    "term": "term", "estimate": "estimate", "se": "std_error", "statistic": "statistic", "p": "p_value",
    "low": "low", "high": "high",
}  # fmt: skip
KINDS = ("ols", "logit", "probit", "poisson")
ROBUST = ("HC0", "HC1", "HC2", "HC3", "cluster")
_NAME = r"(?:Q\(['\"](?P<quoted>[^'\"]+)['\"]\)|(?P<plain>[^\W\d]\w*))"
_FACTORS = (
    (re.compile(rf"C\(\s*{_NAME}\s*\)"), True, None),
    (re.compile(rf"(?:np\.)?log\(\s*{_NAME}\s*\)"), False, "log"),
    (re.compile(rf"I\(\s*{_NAME}\s*\*\*\s*2\s*\)"), False, "square"),
    (re.compile(rf"np\.square\(\s*{_NAME}\s*\)"), False, "square"),
    (re.compile(_NAME), False, None),
)


@dataclass(frozen=True)
class Fitted:
    """What was written: the coefficients as in the file, observations, and the declaration's content."""

    file: str
    frame: pd.DataFrame
    observations: int
    output: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.frame!r}\nn = {self.observations}. {self.file} + {self.file}.spec.json"

    def _repr_html_(self) -> str:
        html = self.frame.to_html(index=False)
        return f"{html}<p>n = {self.observations}. {self.file} + {self.file}.spec.json</p>"


def regression(  # noqa: PLR0913  (one argument per choice of the declaration)
    model: object,
    data: object = None,
    *,
    file: str | os.PathLike[str],
    kind: str | None = None,
    where: object = None,
    weight: str | None = None,
    table: str | None = None,
    cluster: str | None = None,
    digits: int = 6,
) -> Fitted:
    """Write the coefficients of a model and its declaration beside them; to a file in .txt or .tex its
    summary as statsmodels prints it.

    `model`: what statsmodels.formula.api fitted (ols, wls, logit, probit, poisson), or a formula, then with
    `data` and `kind` (ols unless told). The model is fitted again on the extract, on the rows `where` leaves
    and without rows that lack a value; NotDeclarable, and nothing written, if the coefficients differ.
    `cluster`: the type of unit (person, household, employer) by which errors of cov_type "cluster" are
    clustered.
    """
    estimates = errors = None
    covariance = "nonrobust"
    path = result_path(file, (".csv", *TEXTS) if not isinstance(model, str) else (".csv",))
    if isinstance(model, str):
        formula, kind = model, kind or "ols"
    else:
        formula, kind, weight, estimates, errors = _read_result(model, weight)
        covariance = _covariance(model, cluster, weight)
        data = data if data is not None else model.model.data.frame  # type: ignore[attr-defined]
    outcome, transform, terms, intercept = read_formula(formula)
    behind = table_behind(data, table)
    output: dict[str, Any] = {
        "kind": "regression",
        "table": behind.name,
        "model": kind,
        "outcome": outcome,
        "terms": terms,
        "intercept": intercept,
    }
    if path.suffix.lower() == ".csv":
        output["columns"] = dict(COLUMNS)
    optional = {"where": normalise(where), "weight": weight, "outcome_transform": transform}
    if covariance != "nonrobust":
        optional |= {"covariance": covariance, "cluster": cluster}
    output |= {name: value for name, value in optional.items() if value is not None}
    if cluster is not None and cluster not in behind.units:
        raise NotDeclarable("cluster", units=", ".join(behind.units))
    if path.suffix.lower() != ".csv":
        return _write_summary(model, path, output, behind, data, estimates)
    return fit_and_write(output, behind, data, file=file, digits=digits, estimates=estimates, errors=errors)


def _read_result(
    model: Any, weight: str | None
) -> tuple[str, str, str | None, Sequence[float], Sequence[float]]:
    """Formula, kind, weight, coefficients and standard errors of a fitted model."""
    fitted = getattr(model, "model", None)
    formula = getattr(fitted, "formula", None)
    kind = {"OLS": "ols", "WLS": "ols", "Logit": "logit", "Probit": "probit", "Poisson": "poisson"}.get(
        type(fitted).__name__
    )
    if formula is None or kind is None:
        raise NotDeclarable("model_kind")
    if type(fitted).__name__ == "WLS" and weight is None:
        raise BadArgument(
            "weight", fr="le nom de la variable de pondération", en="the name of the weighting variable"
        )
    return formula, kind, weight, np.asarray(model.params), np.asarray(model.bse)


def _covariance(model: Any, cluster: str | None, weight: str | None) -> str:
    """How the errors were estimated. NotDeclarable `robust` for other ways, and with weights."""
    covariance: str = getattr(model, "cov_type", "nonrobust")
    if covariance == "nonrobust" and cluster is None:
        return covariance
    if covariance not in ROBUST or weight is not None or (covariance == "cluster") == (cluster is None):
        raise NotDeclarable("robust")
    return covariance


def _write_summary(
    model: Any,
    path: Path,
    output: dict[str, Any],
    behind: ExtractTable,
    data: object,
    estimates: Sequence[float] | None,
) -> Fitted:
    """The summary as statsmodels prints it, of a model that the extract makes again."""
    rows = _rows(output, behind, data)
    _mark_categorical(output, rows)
    names, design = design_matrix(rows, output)
    result = _fit(rows, design, output)
    _require_same(np.asarray(result.params), estimates if estimates is not None else ())
    summary = model.summary()
    text = summary.as_latex() if path.suffix.lower() == ".tex" else summary.as_text()
    write_text(path, "\n".join(line.rstrip() for line in text.splitlines()) + "\n", output)
    frame = pd.DataFrame({"term": names, "estimate": np.asarray(result.params)})
    return Fitted(str(path), frame, len(rows), output)


def read_formula(formula: str) -> tuple[str, str | None, list[dict[str, Any]], bool]:
    """Outcome, its transform, terms and intercept of a formula. NotDeclarable `term` for what is foreign."""
    from patsy import ModelDesc, PatsyError

    try:
        described = ModelDesc.from_formula(formula)
    except PatsyError as error:
        raise NotDeclarable("term", term=formula) from error
    left = [factor.name() for term in described.lhs_termlist for factor in term.factors]
    if len(left) != 1:
        raise NotDeclarable("term", term=" + ".join(left) or formula)
    outcome = _factor(left[0])
    if outcome["categorical"] or outcome["transform"] not in (None, "log"):
        raise NotDeclarable("term", term=left[0])
    terms, intercept = [], False
    for term in described.rhs_termlist:
        if not term.factors:
            intercept = True
        else:
            terms.append(_term([_factor(factor.name()) for factor in term.factors], term.name()))
    return outcome["variable"], outcome["transform"], terms, intercept


def _factor(text: str) -> dict[str, Any]:
    for pattern, categorical, transform in _FACTORS:
        found = pattern.fullmatch(text)
        if found:
            name = next(value for value in found.groupdict().values() if value)
            return {"variable": name, "categorical": categorical, "transform": transform}
    raise NotDeclarable("term", term=text)


def _term(factors: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    transforms = [factor["transform"] for factor in factors if factor["transform"]]
    if len(factors) > 3 or (transforms and len(factors) > 1):
        raise NotDeclarable("term", term=name)
    term: dict[str, Any] = {
        "variables": [factor["variable"] for factor in factors],
        "categorical": [factor["variable"] for factor in factors if factor["categorical"]],
    }
    if transforms:
        term["transform"] = transforms[0]
    return term


def fit_and_write(
    output: dict[str, Any],
    behind: ExtractTable,
    data: object,
    *,
    file: str | os.PathLike[str],
    digits: int = 6,
    estimates: Sequence[float] | None = None,
    errors: Sequence[float] | None = None,
) -> Fitted:
    """Fit what `output` declares on the extract, compare with what the researcher has, write both files."""
    path = result_path(file)
    if output["model"] not in KINDS:
        raise NotDeclarable("model_kind")
    rows = _rows(output, behind, data)
    _mark_categorical(output, rows)
    names, design = design_matrix(rows, output)
    groups = None
    if output.get("covariance") == "cluster":
        groups = read_extract(behind.name, [behind.units[output["cluster"]]]).loc[rows.index].iloc[:, 0]
    result = _fit(rows, design, output, groups)
    if estimates is not None:
        _require_same(np.asarray(result.params), estimates)
    if errors is not None:
        _require_same(np.asarray(result.bse), errors)
    bounds = np.asarray(result.conf_int())
    parts = [result.params, result.bse, result.tvalues, result.pvalues, bounds[:, 0], bounds[:, 1]]
    cells = [[number_text(float(value), digits=digits) for value in np.asarray(part)] for part in parts]
    lines = [[name, *(part[place] for part in cells)] for place, name in enumerate(names)]
    write_result(path, list(COLUMNS.values()), lines, output)
    return Fitted(str(path), pd.DataFrame(lines, columns=list(COLUMNS.values())), len(rows), output)


def _rows(output: Mapping[str, Any], behind: ExtractTable, data: object) -> pd.DataFrame:
    """The columns of the model in the rows that the filter leaves and that lack no value."""
    where = output.get("where")
    used = [output["outcome"], *([output["weight"]] if "weight" in output else [])]
    used += [name for term in output["terms"] for name in term["variables"]]
    filtered = list(dict.fromkeys(fields(where)))
    require_columns(behind, [*used, *filtered])
    rows = read_extract(behind.name, [*used, *filtered])
    chosen = rows[matching(rows, where)]
    require_untouched(data, rows, chosen, behind)
    complete: pd.DataFrame = chosen[list(dict.fromkeys(used))].dropna()
    return complete


def _mark_categorical(output: dict[str, Any], rows: pd.DataFrame) -> None:
    """Texts and codes enter as dummies whether or not the formula says C()."""
    for term in output["terms"]:
        for name in term["variables"]:
            numeric = pd.api.types.is_numeric_dtype(rows[name].dtype) and not pd.api.types.is_bool_dtype(
                rows[name].dtype
            )
            if not numeric and name not in term["categorical"]:
                term["categorical"] = [*term["categorical"], name]


def design_matrix(rows: pd.DataFrame, output: Mapping[str, Any]) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Names and columns of the parameters: intercept, then each term, dummies without the smallest level."""
    names, columns = (["Intercept"], [np.ones(len(rows))]) if output["intercept"] else ([], [])
    for term in output["terms"]:
        parts = [_columns(rows[name], name, term) for name in term["variables"]]
        for choice in product(*parts):
            names.append(":".join(name for name, _ in choice))
            columns.append(np.multiply.reduce([column for _, column in choice]))
    return names, np.column_stack(columns) if columns else np.empty((len(rows), 0))


def _columns(column: pd.Series, name: str, term: Mapping[str, Any]) -> list[tuple[str, np.ndarray[Any, Any]]]:
    if name in term["categorical"]:
        values = (
            column.astype(column.cat.categories.dtype)
            if isinstance(column.dtype, pd.CategoricalDtype)
            else column
        )
        levels = sorted(values.unique())
        return [
            (f"{name}[T.{_level(level)}]", (values == level).to_numpy(dtype="float64"))
            for level in levels[1:]
        ]
    numbers = column.to_numpy(dtype="float64")
    transform = term.get("transform")
    if transform == "log":
        if (numbers <= 0).any():
            raise BadArgument(
                "log", fr=f"« {name} » n’est pas partout positif", en=f"“{name}” is not positive throughout"
            )
        return [(f"log({name})", np.log(numbers))]
    return [(f"{name}^2", numbers**2)] if transform == "square" else [(name, numbers)]


def _level(level: Any) -> str:
    if isinstance(level, float | np.floating) and level == int(level):
        return str(int(level))
    return str(level)


def _fit(
    rows: pd.DataFrame,
    design: np.ndarray[Any, Any],
    output: Mapping[str, Any],
    groups: pd.Series | None = None,
) -> Any:
    import statsmodels.api as sm

    outcome = rows[output["outcome"]].to_numpy(dtype="float64")
    if output.get("outcome_transform") == "log":
        if (outcome <= 0).any():
            name = output["outcome"]
            raise BadArgument(
                "log", fr=f"« {name} » n’est pas partout positif", en=f"“{name}” is not positive throughout"
            )
        outcome = np.log(outcome)
    if "weight" in output:
        if output["model"] != "ols":
            raise BadArgument("weight", fr="avec ols seulement", en="with ols only")
        return sm.WLS(outcome, design, weights=rows[output["weight"]].to_numpy(dtype="float64")).fit()
    if output["model"] == "ols":
        return sm.OLS(outcome, design).fit(**_errors(output, groups))
    kinds = {"logit": sm.Logit, "probit": sm.Probit, "poisson": sm.Poisson}
    return kinds[output["model"]](outcome, design).fit(disp=0, **_errors(output, groups))


def _errors(output: Mapping[str, Any], groups: pd.Series | None) -> dict[str, Any]:
    """How the errors are estimated, as statsmodels is told it."""
    covariance = output.get("covariance", "nonrobust")
    if covariance == "nonrobust":
        return {}
    if groups is None:
        return {"cov_type": covariance}
    return {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(groups)[0]}}


def _require_same(made: np.ndarray[Any, Any], given: Sequence[float]) -> None:
    """The same numbers in any order, to six digits."""
    wanted = np.asarray(given, dtype="float64")
    if len(made) != len(wanted) or not np.allclose(np.sort(made), np.sort(wanted), rtol=1e-5, atol=1e-9):
        raise NotDeclarable("model_differs")
