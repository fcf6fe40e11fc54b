"""A printed summary of a model against the extract: fitted again, and each of its numbers compared.

The summary is a claim. Without a declaration the names of its coefficients are the design, and its number of
observations says on which rows: those with a value of all variables, of one variable more, of one value of
another variable, or those that two conditions leave (hub.checks.parts_of_rows). What is not made again as
printed stays unexplained.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hub.checks.declared import UnreadableClaim, panel_of
from hub.checks.estimation import HETEROSCEDASTIC, Estimate, scoring_steps
from hub.checks.formula_terms import Factor, factors_of, parameter_of, present, require_formula
from hub.checks.panels import Floats, Panel
from hub.checks.parts_of_rows import parts_of
from hub.checks.regressions import Fitted, Parameter, in_one_design, named, prepared, require_binary, stacked
from hub.checks.summaries import PLAIN_NUMBER, Coefficient, Summary
from hub.checks.unit_terms import with_unit
from hub.documents.outputs import DeclaredRegression

Rows = npt.NDArray[np.int64]
_KINDS: Mapping[str, str] = MappingProxyType(
    {"OLS": "ols", "Logit": "logit", "Probit": "probit", "Poisson": "poisson", "lm": "ols"}
)
_GENERAL: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("binomial", "logit"): "logit",
        ("binomial", ""): "logit",
        ("binomial", "probit"): "probit",
        ("poisson", "log"): "poisson",
        ("poisson", ""): "poisson",
    }
)
_WORDS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "method": re.compile(r"Least Squares|MLE|IRLS"),
        "date": re.compile(
            r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d [A-Z][a-z]{2} 20\d\d|20\d\d-[01]\d-[0-3]\d)"
            r"(?: [0-2]\d:[0-5]\d)?"
        ),
        "time": re.compile(r"[0-2]\d:[0-5]\d:[0-5]\d"),
        "converged": re.compile(r"True|1\.0000"),
        "covariance": re.compile(r"nonrobust|HC[0-3]|cluster"),
    }
)  # fmt: skip
# How exactly a number is made again, up to so many digits: no digit is left in which to write something.
_RELATIVE, _USUAL_DIGITS = 1e-9, 10
_FINEST, _MOST_DIGITS = 1e-13, 14
_SIGNIFICANT: Mapping[str, int] = MappingProxyType(
    {
        "aic": 4,
        "bic": 4,
        "f": 4,
        "likelihood": 5,
        "null_likelihood": 5,
        "deviance": 4,
        "null_deviance": 4,
        "pearson": 3,
        "condition": 3,
    }
)
_MOST_VALUES = 40
_MOST_TRIED = 12
_LEAST_DIGITS = 24  # of the coefficients of a model of which the part is searched by two conditions
_MOST_CELLS = 40_000_000  # of a design: rows times coefficients


@dataclass(frozen=True)
class PrintedModel:
    """A summary that was fitted again: on which lines every number is right, and what was not made again."""

    summary: Summary
    fitted: Fitted
    outcome: Floats
    lines: frozenset[int]
    wrong: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every number of the summary was made again."""
        return not self.wrong


def prints(text: str, value: float | None, digits_printed: int | None = None) -> bool:
    """Whether `text` is what would be printed of `value`: half a unit of its last digit, nothing beside.
    `digits_printed`: significant digits of a program's format; zeros behind them are no digits."""
    if value is None or not np.isfinite(value):
        return False
    if text.startswith("<"):
        bound = text[1:].strip()
        return bound in ("2e-16", "2.2e-16") and 0 <= value < float(bound)
    if not PLAIN_NUMBER.fullmatch(text):
        return False
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _MOST_DIGITS:
        return False
    if digits_printed is not None and exponent == 0 and not any(digits[digits_printed:]):
        exponent = max(0, len(digits) - digits_printed)  # 1.629e+04, written out
    exactly = _RELATIVE if len(digits) <= _USUAL_DIGITS else _FINEST
    return bool(abs(float(number) - value) <= 0.5 * 10.0 ** int(exponent) * (1 + 1e-6) + exactly * abs(value))


def fit_printed(
    summary: Summary, panels: Sequence[Panel], declared: DeclaredRegression | None = None
) -> PrintedModel:
    """The model of a summary, fitted on the extract. Raises UnreadableClaim where no rows make its
    coefficients again, or where it names what is no variable."""
    if declared is not None:
        return _fit_declared(summary, declared, panel_of(declared.table, panels))
    problem = UnreadableClaim("summary")
    for panel in panels:
        try:
            return _fit_named(summary, panel)
        except UnreadableClaim as error:
            problem = error
    raise problem


def _kind(summary: Summary) -> str:
    model = summary.word("model") or ""
    if model in ("GLM", "glm"):
        family, link = (summary.word("family") or "").casefold(), (summary.word("link") or "").casefold()
        model_kind = _GENERAL.get((family, link))
    else:
        model_kind = _KINDS.get(model)
    if model_kind is None:
        raise UnreadableClaim(f"model: {model[:80]}")
    return model_kind


def _fit_named(summary: Summary, panel: Panel) -> PrintedModel:
    kind = _kind(summary)
    outcome = factors_of(summary.word("outcome") or "", panel)
    if len(outcome) != 1 or outcome[0].made is None:
        raise UnreadableClaim("outcome")
    names = [one.term for one in summary.coefficients]
    if len(set(names)) < len(names):
        raise UnreadableClaim("terms")
    terms, unknown = _read_terms(names, panel, kind)
    used = {factor.variable for factors in (outcome, *terms.values()) for factor in factors}
    keep = np.ones(panel.rows, dtype=np.bool_)
    for name in sorted(used):
        keep &= present(name, panel)
    at = {one.term: place for place, one in enumerate(summary.coefficients)}
    for rows in _candidates(summary, panel, keep, used):
        if rows.size * len(terms) > _MOST_CELLS:
            raise UnreadableClaim("terms")
        try:
            columns = [parameter_of(name, terms[name], panel, rows) for name in terms]
            parameters = dict(zip(terms, in_one_design(columns, rows.size), strict=True))
            values = parameter_of("outcome", outcome, panel, rows).make()
        except UnreadableClaim:
            continue
        for whole in with_unit(summary, panel, rows, parameters, values, unknown):
            ready = _Claim(panel, rows, tuple(whole[name] for name in names), values, kind, at, panel.rows)
            with contextlib.suppress(UnreadableClaim):
                return _compared(summary, ready, None)
    raise UnreadableClaim("observations")


def _read_terms(
    names: Sequence[str], panel: Panel, kind: str
) -> tuple[dict[str, tuple[Factor, ...]], str | None]:
    """What each term is made from, and the one term of least squares that no variable makes, which may be
    the dummy of a unit. Raises UnreadableClaim where there are more."""
    terms: dict[str, tuple[Factor, ...]] = {}
    unknown = None
    for name in names:
        try:
            terms[name] = tuple(factors_of(name, panel))
        except UnreadableClaim:
            if unknown is not None or kind != "ols" or len(names) < 2:
                raise
            unknown = name
    return terms, unknown


def _candidates(
    summary: Summary, panel: Panel, keep: npt.NDArray[np.bool_], used: set[str]
) -> Iterator[Rows]:
    """Sets of as many rows as the summary says, the likeliest first."""
    wanted = _observations(summary, int(keep.sum()))
    if int(keep.sum()) == wanted:
        yield np.flatnonzero(keep)
        return
    tried = 0
    others = [name for name in panel.variables if name not in used]
    for name in others:
        more = keep & present(name, panel)
        if int(more.sum()) == wanted and tried < _MOST_TRIED:
            tried += 1
            yield np.flatnonzero(more)
    for name in others:
        known = panel.categories(name)
        if known is None or not 2 <= len(known.values) <= _MOST_VALUES:
            continue
        counts = np.bincount(known.codes[keep & (known.codes >= 0)], minlength=len(known.values))
        for at in np.flatnonzero(counts == wanted).tolist():
            if tried < _MOST_TRIED:
                tried += 1
                yield np.flatnonzero(keep & (known.codes == at))
    # Of so many parts one makes a few rounded numbers again by chance.
    said = sum(char.isdigit() for one in summary.coefficients for text in one.cells.values() for char in text)
    if said >= _LEAST_DIGITS:
        yield from parts_of(panel, keep, wanted, sorted(used))


def _observations(summary: Summary, known: int) -> int:
    """How many rows the summary says; `known`: those with a value of its variables, where it says none."""
    said = summary.number("observations")
    if said is not None and said.isdecimal() and len(said) < 12:
        return int(said)
    degrees = summary.number("degrees")
    if summary.of_r and degrees is not None:
        return int(degrees) + len(summary.coefficients)
    if summary.of_r and not summary.numbers:  # a model printed itself says none
        return known
    raise UnreadableClaim("observations")


def _fit_declared(summary: Summary, declared: DeclaredRegression, panel: Panel) -> PrintedModel:
    if declared.weight is not None:
        raise UnreadableClaim("weight")
    ready = prepared(declared, panel)
    if summary.word("model") is not None and _kind(summary) != declared.model:
        raise UnreadableClaim("model")
    if ready.rows.size * len(ready.parameters) > _MOST_CELLS:
        raise UnreadableClaim("terms")
    names = {key: at for at, one in reversed(list(enumerate(ready.parameters))) for key in named(one)}
    at: dict[str, int] = {}
    for one in summary.coefficients:
        place = next(
            (names[key] for key in named(Parameter(one.term, (), np.zeros(1))) if key in names), None
        )
        if place is None or place in at.values():
            raise UnreadableClaim(f"term: {one.term[:80]}")
        at[one.term] = place
    claim = _Claim(panel, ready.rows, ready.parameters, ready.outcome, declared.model, at, ready.kept)
    return _compared(summary, claim, declared)


@dataclass(frozen=True)
class _Claim:
    """What a summary may be of. `at`: term → parameter; `kept`: rows before those without a value went."""

    panel: Panel
    rows: Rows
    parameters: tuple[Parameter, ...]
    outcome: Floats
    kind: str
    at: Mapping[str, int]
    kept: int


def _compared(summary: Summary, claim: _Claim, declared: DeclaredRegression | None) -> PrintedModel:
    """The estimate under each covariance that the summary may mean, compared; the best one."""
    if claim.kind in ("logit", "probit"):
        require_binary(claim.outcome)
    if len(claim.parameters) >= claim.rows.size:
        raise UnreadableClaim("terms")
    design = stacked(claim.parameters)
    normal = summary.normal if summary.normal is not None else claim.kind != "ols"
    best: tuple[Estimate, frozenset[int], tuple[str, ...]] | None = None
    for covariance, groups in _covariances(summary, claim.panel, claim.rows, declared):
        estimate = Estimate(claim.kind, design, claim.outcome, covariance, groups, normal, summary.of_r)
        if not all(
            prints(one.cells["estimate"], float(estimate.estimates[claim.at[one.term]]))
            for one in summary.coefficients
        ):
            raise UnreadableClaim("coefficients")
        lines, wrong = _told(summary, estimate, claim)
        if best is None or len(wrong) < len(best[2]):
            best = (estimate, lines, wrong)
    if best is None:
        raise UnreadableClaim("covariance")
    estimate, lines, wrong = best
    fitted = Fitted(
        claim.panel, claim.rows, claim.parameters, estimate.estimates, estimate.errors, estimate.degrees,
        normal=normal, r_squared=estimate.number("r_squared"),
    )  # fmt: skip
    return PrintedModel(summary, fitted, claim.outcome, lines, wrong)


def _covariances(
    summary: Summary, panel: Panel, rows: Rows, declared: DeclaredRegression | None
) -> Iterator[tuple[str, npt.NDArray[np.int32] | None]]:
    said = summary.word("covariance")
    if declared is not None and said is None:
        said = declared.covariance
    said = said or "nonrobust"
    if said == "nonrobust" or said in HETEROSCEDASTIC:
        yield said, None
    elif said == "cluster":
        for kind in panel.units:
            if declared is not None and declared.cluster is not None and declared.cluster != kind:
                continue
            codes = panel.unit(kind)[0][rows]
            if codes.size and int(codes.min()) >= 0:
                yield "cluster", codes


def _told(summary: Summary, estimate: Estimate, claim: _Claim) -> tuple[frozenset[int], tuple[str, ...]]:
    """The lines that are wholly right, and the labels of the numbers and words that are not."""
    bad: dict[int, list[str]] = {}
    for one in summary.coefficients:
        for role in _wrong_cells(one, estimate, claim.at[one.term], summary.tail):
            bad.setdefault(one.line, []).append(f"{one.term[:60]} {role}")
    for number in summary.numbers:
        if not _is_right(number.role, number.label, number.text, estimate, summary, claim.kept):
            bad.setdefault(number.line, []).append(number.label)
    for role, (line, text) in summary.words.items():
        if not _is_word(role, text, estimate, summary, claim.panel):
            bad.setdefault(line, []).append(role)
    wrong = tuple(label for labels in bad.values() for label in labels)
    return frozenset(summary.lines - set(bad)), wrong


def _wrong_cells(one: Coefficient, estimate: Estimate, at: int, tail: float) -> list[str]:
    return [
        role for role, text in one.cells.items() if not prints(text, float(estimate.column(role, tail)[at]))
    ]


def _is_right(role: str, label: str, text: str, estimate: Estimate, summary: Summary, kept: int) -> bool:
    if role == "deleted":  # rows without a value; the rules for counts have the say over few of them
        return prints(text, float(kept - estimate.rows)) and kept - estimate.rows >= 10
    if role == "iterations":
        return text == str(scoring_steps(estimate, of_r=summary.of_r))
    if "(uncentered)" in label and estimate.centred:
        return False
    return prints(text, estimate.number(role), _SIGNIFICANT.get(role))


def _is_day(text: str) -> bool:
    """Whether a date is one that has been, under its own day of the week."""
    for form, size in (("%a, %d %b %Y", 16), ("%Y-%m-%d", 10)):
        try:
            day = datetime.strptime(text[:size], form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return day.strftime(form) == text[:size] and day <= datetime.now(UTC) + timedelta(days=1)
    return False


def _is_word(role: str, text: str, estimate: Estimate, summary: Summary, panel: Panel) -> bool:
    if role in _WORDS:
        return bool(_WORDS[role].fullmatch(text)) and (role != "date" or _is_day(text))
    if role == "iterations":
        return text == str(scoring_steps(estimate, of_r=summary.of_r))
    if role == "outcome":
        try:
            return len(factors_of(text, panel)) == 1
        except UnreadableClaim:
            return False
    if role == "terms":
        try:
            require_formula(text, panel)
        except UnreadableClaim:
            return False
    return True  # model, family, link: they chose what was fitted
