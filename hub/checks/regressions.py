"""Regressions fitted again: design matrix, coefficients and standard errors as a declaration says.

The numbers are those of statsmodels' OLS, WLS, Logit, Probit and Poisson with ordinary standard errors,
computed with numpy alone: the child that judges files does not load a whole statistics package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.checks.codes import Codes
from hub.checks.declared import UnreadableClaim
from hub.checks.filters import UnreadableFilter, mask_of
from hub.checks.panels import Floats, Panel, fold
from hub.checks.runs import pieces, taken
from hub.checks.tables import Table, number_of
from hub.documents.outputs import DeclaredRegression, Term

MAX_PARAMETERS = 300
_MOST_CELLS = 400_000_000  # of a design: rows times parameters
_MAX_STEPS = 60
_REFINEMENTS = 2


@dataclass(frozen=True)
class Parameter:
    """A column of the design: its name, and the levels that a dummy stands for."""

    name: str
    levels: tuple[tuple[str, Any], ...]
    values: Floats


@dataclass(frozen=True)
class Column:
    """A parameter whose values are made when its place in the design is there."""

    name: str
    levels: tuple[tuple[str, Any], ...]
    make: Callable[[], Floats]


def in_one_design(columns: Sequence[Column], rows: int) -> tuple[Parameter, ...]:
    """Parameters whose values are the columns of one design: what makes them is let go of one by one. Raises
    UnreadableClaim where it would be too large."""
    if rows * len(columns) > _MOST_CELLS:
        raise UnreadableClaim("terms")
    design: Floats = np.empty((rows, len(columns)), order="F")
    for at, one in enumerate(columns):
        design[:, at] = one.make()
    return tuple(Parameter(one.name, one.levels, design[:, at]) for at, one in enumerate(columns))


def stacked(parameters: Sequence[Parameter], most: int | None = None) -> Floats:
    """The design: a column per parameter, each in one piece of memory; its first rows where `most` says."""
    whole = parameters[0].values.base
    if (
        whole is not None
        and whole.shape == (parameters[0].values.size, len(parameters))
        and all(one.values.base is whole for one in parameters)
        and all(one.values.ctypes.data == whole[:, at].ctypes.data for at, one in enumerate(parameters))
    ):
        return np.asarray(whole[:most])
    rows = parameters[0].values[:most].size
    design: Floats = np.empty((rows, len(parameters)), order="F")
    for at, one in enumerate(parameters):
        design[:, at] = one.values[:most]
    return design


def constant(rows: int) -> Floats:
    """Ones, which take no memory before they are in a design."""
    return np.broadcast_to(np.float64(1), rows)


@dataclass(frozen=True)
class Fitted:
    """A regression as made again. `rows`: positions in the panel; `parameters` in the order of the terms."""

    panel: Panel
    rows: npt.NDArray[np.int64]
    parameters: tuple[Parameter, ...]
    estimates: Floats
    errors: Floats
    degrees: int
    normal: bool  # tests by the normal distribution instead of Student's
    r_squared: float | None

    @cached_property
    def design(self) -> Floats:
        return stacked(self.parameters)

    def column(self, role: str) -> Floats:
        """The printed quantity of each parameter: estimate, se, statistic, p, low, high."""
        from scipy import special  # files without a model start sooner

        statistic = self.estimates / self.errors
        if role == "estimate":
            return self.estimates
        if role == "se":
            return self.errors
        if role == "statistic":
            return statistic
        if role == "p":
            if self.normal:
                return 2 * special.ndtr(-np.abs(statistic))
            return 2 * special.stdtr(self.degrees, -np.abs(statistic))
        width = special.ndtri(0.975) if self.normal else special.stdtrit(self.degrees, 0.975)
        return self.estimates + (width if role == "high" else -width) * self.errors


@dataclass(frozen=True)
class Prepared:
    """What a declared regression is fitted on. `kept`: rows that its filter leaves."""

    rows: npt.NDArray[np.int64]
    parameters: tuple[Parameter, ...]
    outcome: Floats
    weights: Floats | None
    kept: int


def prepared(declared: DeclaredRegression, panel: Panel) -> Prepared:
    """Rows, design and outcome of a declared regression. Raises UnreadableClaim."""
    names = [declared.outcome, *(v for term in declared.terms for v in term.variables)]
    names += [declared.weight] if declared.weight is not None else []
    for name in names:
        if name not in panel.part.schema:
            raise UnreadableClaim(f"variable: {name[:80]}")
    keep = np.ones(panel.rows, dtype=np.bool_)
    if declared.where is not None:
        try:
            keep = mask_of(declared.where, panel)
        except UnreadableFilter as error:
            raise UnreadableClaim(f"where: {error}") from error
    kept = int(keep.sum())
    for name in dict.fromkeys(names):
        if not panel.is_complete(name):
            numbers = panel.numbers(name)
            keep &= ~panel.part.column(name).is_null().to_numpy()
            keep &= ~np.isnan(numbers) if numbers is not None else True
    rows = np.flatnonzero(keep)
    outcome = numbers_at(declared.outcome, panel, rows)
    if declared.outcome_transform == "log":
        outcome = _log(outcome, declared.outcome)
    parameters = design_of(declared.terms, panel, rows, intercept=declared.intercept)
    if not parameters or len(parameters) > MAX_PARAMETERS or len(parameters) > rows.size:
        raise UnreadableClaim("terms")
    weights = numbers_at(declared.weight, panel, rows) if declared.weight is not None else None
    return Prepared(rows, parameters, outcome, weights, kept)


def fit_declared(declared: DeclaredRegression, panel: Panel) -> Fitted:
    """The declared regression on the extract. Raises UnreadableClaim."""
    return fit_prepared(declared, panel, prepared(declared, panel))


def fit_prepared(declared: DeclaredRegression, panel: Panel, ready: Prepared) -> Fitted:
    """The same of rows and design that are there. Raises UnreadableClaim."""
    return _fitted(declared, panel, ready.rows, ready.parameters, ready.outcome, ready.weights)


def _fitted(
    declared: DeclaredRegression,
    panel: Panel,
    rows: npt.NDArray[np.int64],
    parameters: tuple[Parameter, ...],
    outcome: Floats,
    weights: Floats | None,
) -> Fitted:
    design = stacked(parameters)
    degrees = rows.size - len(parameters)
    if declared.model == "ols":
        estimates, errors, r_squared = _squares(design, outcome, weights, degrees, declared.intercept)
        return Fitted(panel, rows, parameters, estimates, errors, degrees, normal=False, r_squared=r_squared)
    if weights is not None:
        raise UnreadableClaim("weight")
    estimates, errors = newton(declared.model, design, outcome)
    return Fitted(panel, rows, parameters, estimates, errors, degrees, normal=True, r_squared=None)


def design_of(
    terms: Sequence[Term], panel: Panel, rows: npt.NDArray[np.int64], *, intercept: bool
) -> tuple[Parameter, ...]:
    """The intercept, then each term; categorical variables as dummies without their smallest level."""
    found = [Column("Intercept", (), partial(constant, rows.size))] if intercept else []
    for term in terms:
        parts = [_parts(name, term, panel, rows) for name in term.variables]
        if len(found) + int(np.prod([len(part) for part in parts])) > MAX_PARAMETERS:
            raise UnreadableClaim("terms")
        for choice in product(*parts):
            levels = tuple(level for one in choice for level in one.levels)
            found.append(Column(":".join(one.name for one in choice), levels, partial(_product, choice)))
    return in_one_design(found, rows.size)


def _product(columns: Sequence[Column]) -> Floats:
    values = columns[0].make()
    for one in columns[1:]:
        values = values * one.make()
    return values


def _parts(name: str, term: Term, panel: Panel, rows: npt.NDArray[np.int64]) -> list[Column]:
    if name in term.categorical or not panel.is_number(name):
        known = panel.categories(name)
        if known is None:
            raise UnreadableClaim(f"categorical: {name[:80]}")
        codes: Codes = taken(known.codes, rows)
        present = np.unique(codes)
        return [
            Column(f"{name}[T.{_level(known.values[at])}]", ((name, at),), partial(_dummy, codes, at))
            for at in present[1:].tolist()
        ]
    read = partial(numbers_at, name, panel, rows)
    if term.transform == "log":
        return [Column(f"log({name})", (), lambda: _log(read(), name))]
    if term.transform == "square":
        return [Column(f"{name}^2", (), lambda: read() ** 2)]
    return [Column(name, (), read)]


def _dummy(codes: Codes, at: int) -> Floats:
    return np.asarray(codes == at, dtype=np.float64)


def _level(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def numbers_at(name: str, panel: Panel, rows: npt.NDArray[np.int64]) -> Floats:
    """A number in some rows; `rows` as of `taken`. Raises UnreadableClaim."""
    read = panel.reader(name)
    if read is None:
        raise UnreadableClaim(f"no number: {name[:80]}")
    return read(slice(None) if rows.size == panel.rows else rows)


def _log(values: Floats, name: str) -> Floats:
    if (values <= 0).any():
        raise UnreadableClaim(f"log of {name[:80]}")
    return np.log(values)


def _squares(
    design: Floats,
    outcome: Floats,
    weights: Floats | None,
    degrees: int,
    centred: bool,  # noqa: FBT001
) -> tuple[Floats, Floats, float | None]:
    if weights is not None:
        root = np.sqrt(weights)
        design, outcome = design * root[:, None], outcome * root
    inverse = inverse_of(design.T @ design)
    estimates = least_squares(design, outcome, inverse)
    left = squared_left(design, outcome, estimates)
    variance = left / degrees if degrees > 0 else float("nan")
    whole = squared_about(outcome, outcome.mean() if centred else 0.0)
    r_squared = 1 - left / whole if whole > 0 and weights is None else None
    return estimates, np.sqrt(variance * np.diag(inverse)), r_squared


def least_squares(design: Floats, outcome: Floats, inverse: Floats | None = None) -> Floats:
    """The coefficients of least squares: normal equations, refined until their error is that of the design
    and no longer of its square. `inverse`: of the design's squares, where it is known. Raises UnreadableClaim
    where columns are collinear."""
    inverse = inverse_of(design.T @ design) if inverse is None else inverse
    estimates: Floats = inverse @ (design.T @ outcome)
    for _ in range(_REFINEMENTS):
        scores = np.zeros(design.shape[1])
        for part in pieces(outcome.size):
            scores += design[part].T @ (outcome[part] - design[part] @ estimates)
        estimates = estimates + inverse @ scores
    return estimates


def squared_left(design: Floats, outcome: Floats, estimates: Floats) -> float:
    """The sum of the squared residuals."""
    found = 0.0
    for part in pieces(outcome.size):
        left = outcome[part] - design[part] @ estimates
        found += float(left @ left)
    return found


def squared_about(values: Floats, centre: float) -> float:
    """The sum of the squared distances from the centre."""
    found = 0.0
    for part in pieces(values.size):
        away = values[part] - centre
        found += float(away @ away)
    return found


def inverse_of(matrix: Floats) -> Floats:
    """The inverse of a symmetric matrix. Raises UnreadableClaim where columns are collinear."""
    scale = np.sqrt(np.diag(matrix))
    if (scale == 0).any():
        raise UnreadableClaim("collinear terms")
    scaled = matrix / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e13:
        raise UnreadableClaim("collinear terms")
    inverse: Floats = np.linalg.inv(scaled) / np.outer(scale, scale)
    return inverse


def require_binary(outcome: Floats) -> None:
    """Raise UnreadableClaim unless all values are 0 or 1."""
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise UnreadableClaim("outcome is not 0 or 1")


def newton(model: str, design: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Maximum likelihood by Newton's method; errors from the observed information."""
    if model in ("logit", "probit"):
        require_binary(outcome)
    estimates: Floats = np.zeros(design.shape[1])
    if model == "poisson":
        start, *_ = np.linalg.lstsq(design, np.log(np.maximum(outcome, 0) + 0.5), rcond=None)
        estimates = np.asarray(start, dtype=np.float64)
    for _ in range(_MAX_STEPS):
        gradient, information = derivatives(model, design, outcome, estimates)
        step = inverse_of(information) @ gradient
        estimates = estimates + step
        if not np.isfinite(estimates).all() or np.abs(design @ estimates).max() > 500:
            break
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(estimates).max()):
            _, information = derivatives(model, design, outcome, estimates)
            return estimates, np.sqrt(np.diag(inverse_of(information)))
    raise UnreadableClaim("the model does not converge")


def derivatives(model: str, design: Floats, outcome: Floats, estimates: Floats) -> tuple[Floats, Floats]:
    """Gradient and observed information of the likelihood."""
    from scipy import special

    index = design @ estimates
    if model == "logit":
        mean = special.expit(index)
        score, weight = outcome - mean, mean * (1 - mean)
    elif model == "poisson":
        mean = np.exp(index)
        score, weight = outcome - mean, mean
    else:
        sign = 2 * outcome - 1
        score = sign * np.exp(-(index**2) / 2) / np.sqrt(2 * np.pi) / special.ndtr(sign * index)
        weight = score * (score + index)
    return design.T @ score, (design * weight[:, None]).T @ design


def printed_parameters(table: Table, fitted: Fitted, term_column: int) -> dict[int, int]:
    """Row of the table → parameter, by name as several programs write it, or else by position."""
    names: dict[str, int] = {}
    for at, one in enumerate(fitted.parameters):
        for name in named(one):
            names.setdefault(name, at)
    cells = table.column(term_column)
    by_name = {row: names[key] for row, cell in enumerate(cells) if (key := _key(cell)) in names}
    if len(set(by_name.values())) == len(fitted.parameters):
        return by_name
    if not by_name and len(cells) >= len(fitted.parameters):
        return {row: row for row in range(len(fitted.parameters))}
    return by_name


def _key(text: str) -> str:
    plain = re.sub(r"(\d)\.0\]", r"\1]", text)  # levels of a float column
    return fold(plain.replace("C(", "").replace("[T.", " ").replace("factor(", ""))


def named(one: Parameter) -> list[str]:
    """How programs write the name of a parameter, folded."""
    if one.name in ("Intercept", "const", "(Intercept)"):
        return ["intercept", "const", "constant", "cons", "constante"]
    plain = _key(one.name)
    joined = _key(one.name.replace("[T.", "").replace("]", ""))
    return [plain, joined, _key(one.name.replace("log(", "np log(")), _key(one.name.replace("^2", " 2"))]


def summary_value(label: str, fitted: Fitted) -> float | None:
    """What a line below the coefficients says: observations, degrees of freedom, R²."""
    words = fold(label)
    if words in ("n", "nobs", "obs", "observations", "no observations", "num obs", "n obs"):
        return float(fitted.rows.size)
    if words in ("df resid", "df residuals", "dof", "degrees of freedom", "residual df"):
        return float(fitted.degrees)
    if words in ("r2", "r squared", "rsquared", "r 2", "r²") and fitted.r_squared is not None:
        return fitted.r_squared
    return None


def differs(text: str, value: float, decimals: int) -> bool:
    """Whether a printed number is not what would be printed of `value`."""
    number = number_of(text)
    if number is None:
        return True
    exponent = number.as_tuple().exponent
    own = max(0, -exponent) if isinstance(exponent, int) else decimals
    if len(number.as_tuple().digits) >= 4:
        tolerance = 0.5 * 10.0**-own
    else:  # "0.5" may be 0.500 of a column with three decimals, or six digits without the zeros
        tolerance = max(0.5 * 10.0 ** -max(own, decimals), 1e-5 * abs(value))
    return not abs(float(number) - value) <= tolerance * 1.01 + 2e-6 * abs(value)
