"""A model estimated from its design: every number that statsmodels and R print in a summary of it.

Numpy and scipy alone: the child that judges files does not load a whole statistics package. The formulas are
those of statsmodels' OLS, Logit, Probit, Poisson and GLM results and of R's summary.lm and summary.glm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from hub.checks.codes import Codes
from hub.checks.declared import UnreadableClaim
from hub.checks.panels import Floats
from hub.checks.regressions import (
    derivatives,
    inverse_of,
    least_squares,
    newton,
    squared_about,
    squared_left,
)

HETEROSCEDASTIC = ("HC0", "HC1", "HC2", "HC3")
_FIRST_ROWS = 1_000  # tell of most columns that they are not constant
_TWO_LOG_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Estimate:
    """`kind`: ols, logit, probit or poisson; `covariance`: nonrobust, HC0 to HC3 or cluster, then `groups` is
    per row the position of its cluster; `normal`: tests by the normal distribution instead of Student's;
    `of_r`: as R's glm has them, from its last step of scoring, with errors by the weights before it."""

    kind: str
    design: Floats
    outcome: Floats
    covariance: str = "nonrobust"
    groups: Codes | None = None
    normal: bool = True
    of_r: bool = False

    @property
    def rows(self) -> int:
        return int(self.outcome.size)

    @property
    def parameters(self) -> int:
        return int(self.design.shape[1])

    @property
    def degrees(self) -> int:
        """Residual degrees of freedom."""
        return self.rows - self.parameters

    @cached_property
    def constant(self) -> int | None:
        """The column that is constant; None where there is none."""
        first = self.design[:_FIRST_ROWS]
        same = np.flatnonzero((first == first[0]).all(axis=0) & (first[0] != 0))
        return next((int(at) for at in same if (self.design[:, at] == first[0, at]).all()), None)

    @cached_property
    def centred(self) -> bool:
        """Whether the columns span a constant: one of them is, or all the dummies of a factor add up."""
        if self.constant is not None:
            return True
        ones = np.ones(self.rows)
        weights, *_ = np.linalg.lstsq(self.design, ones, rcond=None)
        return bool(np.abs(self.design @ weights - ones).max() < 1e-8)

    @property
    def model_degrees(self) -> int:
        return self.parameters - int(self.centred)

    @cached_property
    def squared_design(self) -> Floats:
        """Products of the columns of the design."""
        found: Floats = self.design.T @ self.design
        return found

    @cached_property
    def estimates(self) -> Floats:
        if self.kind == "ols":
            return least_squares(self.design, self.outcome, self._bread)
        if self.scored is not None:
            return self.scored.estimates
        return newton(self.kind, self.design, self.outcome)[0]

    @cached_property
    def scored(self) -> Scored | None:
        """Where R's glm ends; None of other programs' models, and where it does not end."""
        return _scored(self, of_r=True) if self.of_r else None

    @cached_property
    def left(self) -> Floats:
        """Residuals of least squares."""
        found: Floats = self.outcome - self.design @ self.estimates
        return found

    @cached_property
    def _bread(self) -> Floats:
        if self.kind == "ols":
            return inverse_of(self.squared_design)
        if self.scored is not None:
            return inverse_of(self.scored.information)
        return inverse_of(derivatives(self.kind, self.design, self.outcome, self.estimates)[1])

    @cached_property
    def covariances(self) -> Floats:
        """Covariance of the estimates."""
        if self.covariance == "nonrobust":
            return self._bread * (self.squares / self.degrees) if self.kind == "ols" else self._bread
        return self._bread @ self._meat() @ self._bread

    def _meat(self) -> Floats:
        scores = self.design * self._scores()[:, None]
        if self.covariance != "cluster":
            if self.covariance == "HC1" and self.kind == "ols":
                scores *= np.sqrt(self.rows / self.degrees)
            made: Floats = scores.T @ scores
            return made
        if self.groups is None:
            raise UnreadableClaim("cluster")
        sums = np.column_stack([np.bincount(self.groups, scores[:, at]) for at in range(self.parameters)])
        known = np.bincount(self.groups) > 0
        count = int(known.sum())
        if count < 2:
            raise UnreadableClaim("clusters")
        share = count / (count - 1) * (self.rows - 1) / self.degrees
        return np.asarray(share * (sums[known].T @ sums[known]), dtype=np.float64)

    def _scores(self) -> Floats:
        if self.kind != "ols":
            return scores_of(self.kind, self.design, self.outcome, self.estimates)
        if self.covariance not in ("HC2", "HC3"):
            return self.left
        leverage = np.einsum("ij,jk,ik->i", self.design, self._bread, self.design)
        power = 0.5 if self.covariance == "HC2" else 1.0
        found: Floats = self.left / (1 - leverage) ** power
        return found

    @cached_property
    def errors(self) -> Floats:
        found: Floats = np.sqrt(np.diag(self.covariances))
        return found

    @property
    def test_degrees(self) -> int:
        """Degrees of freedom of the tests: of clusters their number less one."""
        if self.covariance == "cluster" and self.groups is not None:
            return int(np.count_nonzero(np.bincount(self.groups))) - 1
        return self.degrees

    def column(self, role: str, tail: float = 0.025) -> Floats:
        """The printed quantity of each parameter: estimate, se, statistic, p, low, high (`tail`: beyond)."""
        from scipy import special  # files without a model start sooner

        statistic = self.estimates / self.errors
        if role in ("estimate", "se", "statistic"):
            return {"estimate": self.estimates, "se": self.errors, "statistic": statistic}[role]
        if role == "p":
            size = -np.abs(statistic)
            return 2 * (special.ndtr(size) if self.normal else special.stdtr(self.test_degrees, size))
        width = special.ndtri(1 - tail) if self.normal else special.stdtrit(self.test_degrees, 1 - tail)
        return self.estimates + (width if role == "high" else -width) * self.errors

    @cached_property
    def squares(self) -> float:
        """Sum of squared residuals."""
        return squared_left(self.design, self.outcome, self.estimates)

    @cached_property
    def moments(self) -> tuple[float, float]:
        """Skew and kurtosis of the residuals."""
        centred = self.left - self.left.mean()
        squared = centred * centred
        spread = float(squared.mean())
        skew = float(centred @ squared) / self.rows / spread**1.5
        return skew, float(squared @ squared) / self.rows / spread**2

    @cached_property
    def whole(self) -> float:
        """Sum of squares of the outcome, about its mean where the model has a constant."""
        return squared_about(self.outcome, self.outcome.mean() if self.centred else 0.0)

    @cached_property
    def likelihood(self) -> float:
        """Logarithm of the likelihood."""
        if self.kind == "ols":
            return -self.rows / 2 * (_TWO_LOG_PI + float(np.log(self.squares / self.rows)) + 1)
        return _likelihood(self.kind, self.outcome, self.design @ self.estimates)

    @cached_property
    def null_likelihood(self) -> float:
        """The same of a constant alone."""
        mean = float(self.outcome.mean())
        if self.kind == "poisson":
            return _likelihood("poisson", self.outcome, np.full(self.rows, np.log(mean)))
        ones = float(self.outcome.sum())
        return ones * float(np.log(mean)) + (self.rows - ones) * float(np.log1p(-mean))

    def means(self) -> Floats:
        """Expected outcomes of a logit or Poisson model."""
        from scipy import special

        index = self.design @ self.estimates
        found: Floats = special.expit(index) if self.kind == "logit" else np.exp(index)
        return found

    def number(self, role: str) -> float | None:
        """A number of the whole model by its role (a key of `WHOLE`); None where the model has none."""
        made = (_OF_SQUARES if self.kind == "ols" else _OF_LIKELIHOOD).get(role) or _OF_BOTH.get(role)
        if made is None:
            return None
        value = made(self)
        return value if np.isfinite(value) else None


def scores_of(kind: str, design: Floats, outcome: Floats, estimates: Floats) -> Floats:
    """Derivative of each row's likelihood (least squares: the residual) by its index."""
    from scipy import special

    index = design @ estimates
    if kind == "ols":
        return outcome - index
    if kind == "logit":
        found: Floats = outcome - special.expit(index)
    elif kind == "poisson":
        found = outcome - np.exp(index)
    else:
        sign = 2 * outcome - 1
        found = sign * np.exp(-(index**2) / 2 - special.log_ndtr(sign * index)) / np.sqrt(2 * np.pi)
    return found


def _likelihood(kind: str, outcome: Floats, index: Floats) -> float:
    from scipy import special

    if kind == "poisson":
        return float(np.sum(outcome * index - np.exp(index) - special.gammaln(outcome + 1)))
    signed = (2 * outcome - 1) * index
    if kind == "logit":
        return float(-np.logaddexp(0, -signed).sum())
    return float(special.log_ndtr(signed).sum())


def _f(model: Estimate) -> float:
    if model.model_degrees < 1:
        return float("nan")
    if model.covariance == "nonrobust":
        return (model.whole - model.squares) / model.model_degrees / (model.squares / model.degrees)
    if model.centred and model.constant is None:
        return float("nan")
    kept = [at for at in range(model.parameters) if at != model.constant]
    chosen = model.estimates[kept]
    return float(chosen @ inverse_of(model.covariances[np.ix_(kept, kept)]) @ chosen) / len(kept)


def _p_of_f(model: Estimate) -> float:
    from scipy import special

    return float(special.fdtrc(model.model_degrees, model.test_degrees, _f(model)))


def _moment(model: Estimate, power: int) -> float:
    """Skew (3) or kurtosis (4) of the residuals."""
    return model.moments[power - 3]


def _bera(model: Estimate) -> float:
    skew, kurtosis = _moment(model, 3), _moment(model, 4)
    return model.rows / 6 * (skew**2 + (kurtosis - 3) ** 2 / 4)


def _omnibus(model: Estimate) -> float:
    """D'Agostino and Pearson's test of the residuals, as scipy.stats.normaltest."""
    n = model.rows
    y = _moment(model, 3) * np.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    beta = 3 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w = -1 + np.sqrt(2 * (beta - 1))
    delta, alpha = 1 / np.sqrt(0.5 * np.log(w)), np.sqrt(2 / (w - 1))
    of_skew = delta * np.arcsinh(y / alpha)
    mean = 3 * (n - 1) / (n + 1)
    spread = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    x = (_moment(model, 4) - mean) / np.sqrt(spread)
    root = 6 * (n**2 - 5 * n + 2) / ((n + 7) * (n + 9))
    root *= np.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    a = 6 + 8 / root * (2 / root + np.sqrt(1 + 4 / root**2))
    base = 1 + x * np.sqrt(2 / (a - 4))
    third = np.sign(base) * ((1 - 2 / a) / abs(base)) ** (1 / 3) if base else 0.0
    of_kurtosis = (1 - 2 / (9 * a) - third) / np.sqrt(2 / (9 * a))
    return float(of_skew**2 + of_kurtosis**2)


def _condition(model: Estimate) -> float:
    values = np.linalg.eigvalsh(model.squared_design)
    return float(np.sqrt(values[-1] / values[0])) if values[0] > 0 else float("nan")


def _p_of_likelihoods(model: Estimate) -> float:
    from scipy import special

    return float(special.chdtrc(model.model_degrees, 2 * (model.likelihood - model.null_likelihood)))


def _pearson(model: Estimate) -> float:
    mean = model.means()
    spread = mean * (1 - mean) if model.kind == "logit" else mean
    return float(np.sum((model.outcome - mean) ** 2 / spread))


def _separated(model: Estimate) -> float:
    """Share of the rows whose outcome is expected to be what it is, to four decimals."""
    from scipy import special

    index = model.design @ model.estimates
    expected = special.ndtr(index) if model.kind == "probit" else special.expit(index)
    return float(np.count_nonzero(np.abs(model.outcome - expected) < 1e-4)) / model.rows


def _deviance(model: Estimate, likelihood: float) -> float:
    if model.kind != "poisson":
        return -2 * likelihood
    from scipy import special

    own = special.xlogy(model.outcome, model.outcome) - model.outcome - special.gammaln(model.outcome + 1)
    return 2 * (float(own.sum()) - likelihood)


def _adjusted(model: Estimate) -> float:
    return 1 - (model.squares / model.degrees) / (model.whole / (model.rows - int(model.centred)))


Number = Callable[[Estimate], float]
_OF_BOTH: Mapping[str, Number] = MappingProxyType(
    {
        "observations": lambda m: float(m.rows),
        "degrees": lambda m: float(m.degrees),
        "model_degrees": lambda m: float(m.model_degrees),
        "likelihood": lambda m: m.likelihood,
        "aic": lambda m: 2 * (m.parameters - m.likelihood),
        "bic": lambda m: np.log(m.rows) * m.parameters - 2 * m.likelihood,
    }
)
_OF_SQUARES: Mapping[str, Number] = MappingProxyType(
    {
        "r_squared": lambda m: 1 - m.squares / m.whole,
        "adjusted": _adjusted,
        "f": _f,
        "p_of_f": _p_of_f,
        "omnibus": _omnibus,
        "p_of_omnibus": lambda m: float(np.exp(-_omnibus(m) / 2)),
        "skew": lambda m: _moment(m, 3),
        "kurtosis": lambda m: _moment(m, 4),
        "durbin_watson": lambda m: float(np.sum(np.diff(m.left) ** 2)) / m.squares,
        "jarque_bera": _bera,
        "p_of_jarque_bera": lambda m: float(np.exp(-_bera(m) / 2)),
        "condition": _condition,
        "residual_error": lambda m: float(np.sqrt(m.squares / m.degrees)),
        "scale": lambda m: m.squares / m.degrees,
        "residual_0": lambda m: float(m.left.min()),
        "residual_25": lambda m: float(np.quantile(m.left, 0.25)),
        "residual_50": lambda m: float(np.median(m.left)),
        "residual_75": lambda m: float(np.quantile(m.left, 0.75)),
        "residual_100": lambda m: float(m.left.max()),
    }
)
_OF_LIKELIHOOD: Mapping[str, Number] = MappingProxyType(
    {
        "null_likelihood": lambda m: m.null_likelihood,
        "pseudo_r_squared": lambda m: 1 - m.likelihood / m.null_likelihood,
        "cox_snell": lambda m: float(-np.expm1((m.null_likelihood - m.likelihood) * 2 / m.rows)),
        "p_of_likelihoods": _p_of_likelihoods,
        "deviance": lambda m: _deviance(m, m.likelihood),
        "null_deviance": lambda m: _deviance(m, m.null_likelihood),
        "null_degrees": lambda m: float(m.rows - 1),
        "pearson": _pearson,
        "separated": _separated,
        "scale": lambda _: 1.0,
    }
)
WHOLE = frozenset({*_OF_BOTH, *_OF_SQUARES, *_OF_LIKELIHOOD})
_MOST_STEPS = 100


def scoring_steps(model: Estimate, *, of_r: bool) -> int | None:
    """Steps of Fisher scoring that statsmodels' GLM or R's glm takes; None where it is neither's model."""
    scored = _scored(model, of_r=of_r) if model.kind != "probit" or of_r else None
    return scored.steps if scored is not None else None


@dataclass(frozen=True)
class Scored:
    """The end of Fisher scoring: after so many steps; `information`: by the weights of the last one."""

    steps: int
    estimates: Floats
    information: Floats


def _scored(model: Estimate, *, of_r: bool) -> Scored | None:
    if model.kind == "ols":
        return None
    outcome = model.outcome
    if model.kind != "poisson":
        mean = (outcome + 0.5) / 2
    else:
        mean = outcome + 0.1 if of_r else (outcome + outcome.mean()) / 2
    index = _index(model.kind, mean)
    before = _deviance(model, _likelihood(model.kind, outcome, index))
    for step in range(1, _MOST_STEPS):
        mean, slope, variance = _expected(model.kind, index)
        root = slope / np.sqrt(variance)
        weighted = model.design * root[:, None]
        estimates = least_squares(weighted, (index + (outcome - mean) / slope) * root)
        index = model.design @ estimates
        now = _deviance(model, _likelihood(model.kind, outcome, index))
        if not np.isfinite(now):
            return None
        if abs(now - before) <= 1e-8 * (abs(now) + 0.1 if of_r else 1.0):
            return Scored(step, estimates, weighted.T @ weighted)
        before = now
    return None


def _index(kind: str, mean: Floats) -> Floats:
    from scipy import special

    made = {"logit": special.logit, "probit": special.ndtri, "poisson": np.log}[kind]
    return np.asarray(made(mean), dtype=np.float64)


def _expected(kind: str, index: Floats) -> tuple[Floats, Floats, Floats]:
    """The expected outcomes, their slopes over the index, and their variances."""
    from scipy import special

    if kind == "poisson":
        mean = np.exp(index)
        return mean, mean, mean
    if kind == "logit":
        mean = special.expit(index)
        return mean, mean * (1 - mean), mean * (1 - mean)
    mean = special.ndtr(index)
    return mean, np.exp(-(index**2) / 2) / np.sqrt(2 * np.pi), mean * (1 - mean)
