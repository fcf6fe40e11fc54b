"""Tables of coefficients that say no outcome: each variable is tried as one, as each kind of model.

The names of the rows are the design, on the rows with a value of all variables. Only where every number of
the table is made again, with more digits than the tries could hit by chance, is the model known.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hub.checks.declared import UnreadableClaim
from hub.checks.estimation import HETEROSCEDASTIC, Estimate, scores_of
from hub.checks.formula_terms import Factor, factors_of, parameter_of, present
from hub.checks.panels import Floats, Panel, fold
from hub.checks.printed_models import prints
from hub.checks.regressions import Fitted, Parameter, derivatives, in_one_design, inverse_of, stacked
from hub.checks.row_numbers import numbers_rows
from hub.checks.tables import Table, number_of
from hub.checks.wording import hint_of

ESTIMATES = (
    "coef", "coefs", "coeff", "coefficient", "coefficients", "estimate", "estimates", "b", "beta", "est",
)  # fmt: skip
_HEADS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(ESTIMATES, "estimate"),
        **dict.fromkeys(("t", "z", "statistic", "statistique", "stat", "tvalue", "zvalue"), "statistic"),
        **dict.fromkeys(("t value", "z value", "t stat", "t statistic", "z statistic"), "statistic"),
        **dict.fromkeys(("p", "p value", "pvalue", "pvalues", "pval", "p valeur", "p wert"), "p"),
        **dict.fromkeys(("p t", "p z", "pr t", "pr z"), "p"),
        **dict.fromkeys(("0 025", "2 5"), "low"),
        **dict.fromkeys(("0 975", "97 5"), "high"),
    }
)  # fmt: skip
_PHRASES: Mapping[str, str] = MappingProxyType({"se": "se", "ci_low": "low", "ci_high": "high"})
_OBSERVATIONS = frozenset({"n", "nobs", "obs", "observations", "no observations", "num obs", "n obs"})
_DEGREES = frozenset({"df resid", "df residuals", "dof", "residual df"})
_EXPLAINED = frozenset({"r2", "r 2", "r squared", "r2 ols", "pseudo r2", "pseudo r squared"})
_ADJUSTED = frozenset(
    {"r squared adj", "adj r squared", "adjusted r squared", "adj r2", "adjusted r2", "r2 adj"}
)
_FEET = _OBSERVATIONS | _DEGREES | _EXPLAINED | _ADJUSTED
_SPARE_DIGITS = 4.0
_MOST_OUTCOMES = 40
# Of an extract with many rows, so many tell first of which outcomes the coefficients are not.
_MANY, _DRAWN, _SEED = 1_000_000, 200_000, 20_260_101
_MOST_TRIED = 200_000_000  # rows times coefficients, over all outcomes
_MOST_ROWS = 200
_OF_TIBBLE = 3  # significant digits that tibbles print
_PADDED = 4  # significant digits from which a number stands for itself in a column with more decimals


@dataclass(frozen=True)
class Printed:
    """`names`: row → coefficient; `roles`: column → quantity; `term`: the column of names."""

    table: Table
    names: Mapping[int, str]
    roles: Mapping[int, str]
    term: int


def read_coefficients(table: Table) -> Printed | None:
    """The table as one of coefficients, by its heads; None where it is another."""
    term = next((at for at in range(len(table.columns)) if _is_words(table, at)), None)
    if term is None or not 2 <= len(table.rows) <= _MOST_ROWS:
        return None
    roles: dict[int, str] = {}
    for at, head in enumerate(table.columns):
        if at == term or numbers_rows(table, at):
            continue
        role = _role(head)
        if role is None or role in roles.values():
            return None
        roles[at] = role
    names = {row: cells[term].strip() for row, cells in enumerate(table.rows)}
    known = set(roles.values())
    # Intervals alone have the estimates in their middle; estimates alone are some where there is a constant.
    if not ("estimate" in known and (len(known) > 1 or "(Intercept)" in names.values())) and (
        not {"low", "high"} <= known or "(Intercept)" not in names.values()
    ):
        return None
    return Printed(table, names, roles, term)


def _is_words(table: Table, at: int) -> bool:
    return all(cell.strip() and number_of(cell) is None for cell in table.column(at))


def _role(head: str) -> str | None:
    known = _HEADS.get(fold(head))
    if known is not None:
        return known
    words = hint_of(head, None).statistics
    return _PHRASES.get(words[0]) if words else None


def fit_coefficients(
    printed: Printed, panel: Panel, beside: Sequence[str] = ()
) -> tuple[Fitted, Floats] | None:
    """The model of the table and its outcome; None where none makes all of its numbers again. `beside`: names
    of coefficients of models beside it, the variables of which its rows have too."""
    feet = {row for row, name in printed.names.items() if fold(name) in _FEET}
    rows = [row for row in printed.names if row not in feet]
    try:
        factors = [factors_of(printed.names[row], panel) for row in rows]
    except UnreadableClaim:
        return None
    if len(rows) < 2 or not any(factors):
        return None
    search = _Search(printed, panel, rows, factors)
    for name in beside:
        with contextlib.suppress(UnreadableClaim):
            search.present |= {factor.variable for factor in factors_of(name, panel)}
    for estimate, kept, parameters in search.found():
        if all(_foot(printed, row, estimate) for row in feet):
            fitted = Fitted(
                panel, kept, parameters, estimate.estimates, estimate.errors, estimate.degrees,
                normal=estimate.normal, r_squared=estimate.number("r_squared"),
            )  # fmt: skip
            return fitted, estimate.outcome
    return None


def _foot(printed: Printed, row: int, estimate: Estimate) -> bool:
    """Whether a line below the coefficients says the observations or degrees of freedom."""
    name = fold(printed.names[row])
    value: float = estimate.rows if name in _OBSERVATIONS else estimate.degrees
    if name in _EXPLAINED | _ADJUSTED:
        share = estimate.number("r_squared" if name in _EXPLAINED else "adjusted")
        if share is None:
            return False
        value = share
    cells = [cell for at, cell in enumerate(printed.table.rows[row]) if at in printed.roles and cell.strip()]
    return len(cells) == 1 and prints(cells[0].strip(), float(value))


class _Search:
    def __init__(
        self, printed: Printed, panel: Panel, rows: Sequence[int], factors: Sequence[tuple[Factor, ...]]
    ) -> None:
        self.printed = printed
        self.panel = panel
        self.rows = rows
        self.factors = factors
        self.decimals = {at: _decimals(printed.table, at) for at in printed.roles}
        self.significant = {at: _is_significant(printed.table, at) for at in printed.roles}
        self.at = {role: at for at, role in printed.roles.items()}
        self.finest = self.decimals[self.at["estimate" if "estimate" in self.at else "low"]]
        self.tried = 0
        self.present: set[str] = set()  # variables of which the rows have a value, beside those of the model
        self.drawn: tuple[Floats, npt.NDArray[np.int64], Floats, Floats | None] | None = None

    def found(self) -> Iterator[tuple[Estimate, npt.NDArray[np.int64], tuple[Parameter, ...]]]:
        """Models that make every number again."""
        used = {factor.variable for factors in self.factors for factor in factors}
        keep = np.ones(self.panel.rows, dtype=np.bool_)
        for name in sorted(used | self.present):
            keep &= present(name, self.panel)
        last: tuple[npt.NDArray[np.int64], tuple[Parameter, ...], Floats, Floats] | None = None
        before: npt.NDArray[np.bool_] | None = None
        outcomes = [name for name in self.panel.numeric if name not in used][:_MOST_OUTCOMES]
        for name in outcomes:
            inside = keep & present(name, self.panel)
            if before is None or not np.array_equal(before, inside):
                before, last = inside, self._design(np.flatnonzero(inside))
            if last is None:  # a level that no row with this outcome has
                continue
            kept, parameters, design, inverse = last
            if not self._possible(name, kept, design):
                continue
            values = self.panel.numeric_reader(name)(_all_or(kept, self.panel))
            for kind, outcome in _kinds(values):
                estimate = self._estimate(kind, design, outcome, inverse, kept)
                if estimate is not None:
                    yield estimate, kept, parameters

    def _design(
        self, kept: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], tuple[Parameter, ...], Floats, Floats] | None:
        self.tried += kept.size * len(self.rows)
        if kept.size <= len(self.rows) or self.tried > _MOST_TRIED:
            return None
        names = self.printed.names
        try:
            columns = [
                parameter_of(names[row], factors, self.panel, kept)
                for row, factors in zip(self.rows, self.factors, strict=True)
            ]
            parameters = in_one_design(columns, kept.size)
            design = stacked(parameters)
            return kept, parameters, design, inverse_of(design.T @ design)
        except UnreadableClaim:
            return None

    def _estimate(
        self, kind: str, design: Floats, outcome: Floats, inverse: Floats, kept: npt.NDArray[np.int64]
    ) -> Estimate | None:
        """The estimate under the errors that are printed; None where the coefficients are others."""
        self.tried += design.size // 10
        if not self._near(kind, design, outcome, inverse):
            return None
        try:
            for covariance, groups, of_r in self._covariances(kind, kept):
                for normal in (kind != "ols", kind == "ols"):
                    made = Estimate(kind, design, outcome, covariance, groups, normal, of_r)
                    if not self._sure(made.estimates):
                        return None
                    if all(self._right(role, made.column(role)) for role in self.printed.roles.values()):
                        return made
        except (UnreadableClaim, np.linalg.LinAlgError):
            return None
        return None

    def _possible(self, name: str, kept: npt.NDArray[np.int64], design: Floats) -> bool:
        """False where some of many rows tell that the coefficients are those of no model of this outcome."""
        if kept.size <= _MANY:
            return True
        if self.drawn is None or self.drawn[0] is not design:
            self.drawn = (design, *_draw(kept, design))
        _, rows, part, inverse = self.drawn
        if inverse is None:  # a level that these rows hardly have
            return True
        outcome = self.panel.numeric_reader(name)(rows)
        whole = bool((outcome == np.floor(outcome)).all() and (outcome >= 0).all())
        kinds = [*_kinds(outcome), *([("poisson", outcome)] if whole else [])]
        return any(self._near(kind, part, values, inverse, drawn=True) for kind, values in kinds)

    def _near(
        self, kind: str, design: Floats, outcome: Floats, inverse: Floats, *, drawn: bool = False
    ) -> bool:
        """Whether the printed coefficients are about those of the outcome: one step from them is none. Of
        `drawn` rows the step may be ten times its error, whatever the variance of each row is."""
        roles = ("estimate",) if "estimate" in self.at else ("low", "high")
        cells = [self.printed.table.rows[row][self.at[role]] for role in roles for row in self.rows]
        numbers = [number_of(cell) for cell in cells]
        if any(number is None for number in numbers):
            return False
        given = np.array([float(number) for number in numbers if number is not None])
        printed = given.reshape(len(roles), len(self.rows)).mean(axis=0)
        with np.errstate(all="ignore"):
            if kind == "ols":
                step = inverse @ (design.T @ outcome) - printed
            else:
                gradient, information = derivatives(kind, design, outcome, printed)
                if not np.isfinite(information).all():
                    return False
                try:
                    inverse = inverse_of(information)
                except UnreadableClaim:
                    return False
                step = inverse @ gradient
        slack = 0.02 * np.abs(printed) + 10.0**-self.finest
        if drawn:
            scores = design * scores_of(kind, design, outcome, printed)[:, None]
            slack += 10 * np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse))
            return not bool((np.abs(step) > slack).any())
        return bool((np.abs(step) <= slack).all())

    def _covariances(
        self, kind: str, kept: npt.NDArray[np.int64]
    ) -> Iterator[tuple[str, npt.NDArray[np.int32] | None, bool]]:
        yield "nonrobust", None, False
        if kind != "ols":
            yield "nonrobust", None, True
        for one in HETEROSCEDASTIC:
            yield one, None, False
        for unit in self.panel.units:
            codes = self.panel.unit(unit)[0][kept]
            if int(codes.min()) >= 0:
                yield "cluster", codes, False

    def _right(self, role: str, values: Floats) -> bool:
        at = self.at[role]
        for row, value in zip(self.rows, values.tolist(), strict=True):
            text = self.printed.table.rows[row][at].strip().rstrip("*† ")
            if not self._prints(text, value, -1 if self.significant[at] else self.decimals[at]):
                return False
        return True

    @staticmethod
    def _prints(text: str, value: float, decimals: int) -> bool:
        own = len(text.rsplit(".", maxsplit=1)[1]) if "." in text and "e" not in text else 0
        digits = len(text.replace("-", "").replace(".", "").lstrip("0"))
        if "e" in text or text.startswith("<") or own >= decimals or digits > _PADDED:
            return prints(text, value)
        padded = text + ("." if "." not in text else "") + "0" * (decimals - own)
        return prints(padded, value)

    def _sure(self, estimates: Floats) -> bool:
        """Whether the coefficients have more digits than chance could hit."""
        tolerance = 0.5 * 10.0**-self.finest
        digits = sum(min(8.0, math.log10(max(1.0, abs(value) / tolerance))) for value in estimates.tolist())
        at = self.at.get("se")
        if at is not None:  # they depend on the outcome as well
            finest = 0.5 * 10.0 ** -self.decimals[at]
            errors = [number_of(self.printed.table.rows[row][at]) for row in self.rows]
            digits += sum(math.log10(max(1.0, abs(float(n)) / finest)) for n in errors if n is not None)
        return digits >= _SPARE_DIGITS + math.log10(4 * _MOST_OUTCOMES)


def _draw(kept: npt.NDArray[np.int64], design: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats | None]:
    """Some rows of the panel, their design, and the inverse of its squares; None where they have none."""
    at = np.sort(np.random.default_rng(_SEED).choice(kept.size, _DRAWN, replace=False))
    part = design[at]
    try:
        return kept[at], part, inverse_of(part.T @ part)
    except UnreadableClaim:
        return kept[at], part, None


def _all_or(rows: npt.NDArray[np.int64], panel: Panel) -> npt.NDArray[np.int64] | slice:
    return slice(None) if rows.size == panel.rows else rows


def _decimals(table: Table, at: int) -> int:
    numbers = [number_of(cell) for cell in table.column(at)]
    return max((max(0, -int(n.as_tuple().exponent)) for n in numbers if n is not None), default=0)


def _is_significant(table: Table, at: int) -> bool:
    """Whether each number of a column has as many digits, as R's tibbles print them: then none is padded."""
    numbers = [n for cell in table.column(at) if (n := number_of(cell)) is not None]
    digits = {len(n.as_tuple().digits) for n in numbers if n and int(n.as_tuple().exponent) < 0}
    return digits == {_OF_TIBBLE} and len({n.as_tuple().exponent for n in numbers}) > 1


def _kinds(outcome: Floats) -> Iterator[tuple[str, Floats]]:
    """The models that a variable may be the outcome of, with its values."""
    yield "ols", outcome
    if (outcome > 0).all():
        yield "ols", np.log(outcome)
    if np.isin(outcome, (0.0, 1.0)).all() and 0 < outcome.mean() < 1:
        yield "logit", outcome
        yield "probit", outcome
    elif (outcome >= 0).all() and bool((outcome == np.floor(outcome)).all()) and outcome.max() < 1_000:
        yield "poisson", outcome
