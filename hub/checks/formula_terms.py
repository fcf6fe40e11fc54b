"""Names of coefficients, as statsmodels, patsy and R write them, back to columns of a design."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hub.checks.declared import UnreadableClaim
from hub.checks.panels import Floats, Panel, fold
from hub.checks.regressions import Column, constant, numbers_at
from hub.checks.runs import taken

_INTERCEPT = frozenset({"intercept", "const", "constant", "cons", "constante"})
_VARIABLE = r"(?:Q\(['\"](?P<quoted>[^'\"]+)['\"]\)|(?P<name>[^\W\d][\w.]*))"
_CONTRAST = r"(?:,\s*Treatment(?:\((?:reference=)?[^()]*\))?)?"
_LEVEL = r"\[(?:T\.)?(?P<level>[^\[\]]+)\]"
_DUMMIES = (
    re.compile(rf"C\(\s*{_VARIABLE}\s*{_CONTRAST}\s*\){_LEVEL}"),
    re.compile(rf"{_VARIABLE}{_LEVEL}"),
    re.compile(rf"(?:as\.)?factor\(\s*{_VARIABLE}\s*\)(?P<level>.+)"),
)
_FACTORS = (
    re.compile(rf"C\(\s*{_VARIABLE}\s*{_CONTRAST}\s*\)"),
    re.compile(rf"(?:as\.)?factor\(\s*{_VARIABLE}\s*\)"),
)
_NUMERIC: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(_VARIABLE), "plain"),
    (re.compile(rf"(?:np\.)?log\(\s*{_VARIABLE}\s*\)"), "log"),
    (re.compile(rf"(?:np\.)?log1p\(\s*{_VARIABLE}\s*\)"), "log1p"),
    (re.compile(rf"(?:np\.)?sqrt\(\s*{_VARIABLE}\s*\)"), "sqrt"),
    (re.compile(rf"I\(\s*{_VARIABLE}\s*(?:\*\*|\^)\s*2(?:\.0)?\s*\)"), "square"),
    (re.compile(rf"np\.square\(\s*{_VARIABLE}\s*\)"), "square"),
    (re.compile(rf"(?:np\.)?power\(\s*{_VARIABLE}\s*,\s*2\s*\)"), "square"),
)  # fmt: skip
_LEAST = MappingProxyType({"log": 0.0, "log1p": -1.0})
_MADE: MappingProxyType[str, Callable[[Floats], Floats]] = MappingProxyType(
    {"plain": lambda x: x, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "square": np.square}
)


@dataclass(frozen=True)
class Factor:
    """A variable as it enters a coefficient: as a dummy for the category `at`, or as a number `made` so.
    `at` None and `made` None: as a factor, all its levels."""

    variable: str
    at: int | None = None
    made: str | None = None


def is_intercept(name: str) -> bool:
    """Whether a coefficient is the constant."""
    return fold(name) in _INTERCEPT


def factors_of(name: str, panel: Panel) -> tuple[Factor, ...]:
    """The factors of a coefficient, () of the constant. Raises UnreadableClaim for what is foreign."""
    if is_intercept(name):
        return ()
    return tuple(_factor(part.strip(), panel) for part in _split(name, ":"))


def require_formula(terms: str, panel: Panel) -> None:
    """Raise UnreadableClaim unless each term of a formula's right side is of the extract's variables."""
    for term in _split(terms, "+-*:"):
        text = term.strip()
        if text in ("0", "1"):
            continue
        hits = [hit for pattern in (*_FACTORS, re.compile(_VARIABLE)) if (hit := pattern.fullmatch(text))]
        if hits:
            _known(hits[0], panel)
        else:
            _factor(text, panel)


def _split(text: str, marks: str) -> Iterator[str]:
    """The parts of a text between marks that are in no brackets."""
    depth, start = 0, 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character in marks and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def _factor(text: str, panel: Panel) -> Factor:
    for pattern in _DUMMIES:
        hit = pattern.fullmatch(text)
        if hit:
            name = _known(hit, panel)
            return Factor(name, at=_level(name, hit.group("level"), panel))
    for pattern, made in _NUMERIC:
        hit = pattern.fullmatch(text)
        if hit and (hit.group("quoted") or hit.group("name")) in panel.variables:
            name = _known(hit, panel)
            if not panel.is_number(name):
                raise UnreadableClaim(f"term: {text[:80]}")
            return Factor(name, made=made)
    # R joins the name of a variable and its level: "regionNorth".
    for name in sorted(panel.variables, key=len, reverse=True):
        rest = text[len(name) :]
        if rest and text.startswith(name) and not panel.is_number(name):
            return Factor(name, at=_level(name, rest, panel))
    raise UnreadableClaim(f"term: {text[:80]}")


def _known(hit: re.Match[str], panel: Panel) -> str:
    name = hit.group("quoted") or hit.group("name")
    if name not in panel.variables:  # identifiers of units are none: no effects per unit
        raise UnreadableClaim(f"variable: {name[:80]}")
    return name


def _level(name: str, text: str, panel: Panel) -> int:
    known = panel.categories(name)
    at = known.find(text.strip()) if known is not None else None
    if at is None:
        raise UnreadableClaim(f"level of {name[:80]}")
    return at


def present(name: str, panel: Panel) -> npt.NDArray[np.bool_]:
    """Which rows have a value of a variable."""
    if panel.is_complete(name):
        return np.ones(panel.rows, dtype=np.bool_)
    numbers = panel.numbers(name)
    if numbers is not None:
        return ~np.isnan(numbers)
    found: npt.NDArray[np.bool_] = ~panel.part.column(name).is_null().to_numpy()
    return found


def column_of(factor: Factor, panel: Panel, rows: npt.NDArray[np.int64]) -> Floats:
    """The values of a factor in some rows. Raises UnreadableClaim."""
    if factor.at is not None:
        known = panel.categories(factor.variable)
        if known is None:
            raise UnreadableClaim(f"categorical: {factor.variable[:80]}")
        dummy: Floats = np.equal(taken(known.codes, rows), factor.at).astype(np.float64)
        return dummy
    if factor.made is None:
        raise UnreadableClaim(f"no number: {factor.variable[:80]}")
    values = numbers_at(factor.variable, panel, rows)
    least = _LEAST.get(factor.made)
    if (least is not None and (values <= least).any()) or (factor.made == "sqrt" and (values < 0).any()):
        raise UnreadableClaim(f"{factor.made} of {factor.variable[:80]}")
    return _MADE[factor.made](values)


def parameter_of(name: str, factors: tuple[Factor, ...], panel: Panel, rows: npt.NDArray[np.int64]) -> Column:
    """The column of a design that a coefficient stands for; making it raises UnreadableClaim."""
    levels = tuple((factor.variable, factor.at) for factor in factors if factor.at is not None)
    return Column(name, levels, lambda: _product(factors, panel, rows))


def _product(factors: tuple[Factor, ...], panel: Panel, rows: npt.NDArray[np.int64]) -> Floats:
    if not factors:
        return constant(rows.size)
    values = column_of(factors[0], panel, rows)
    for factor in factors[1:]:
        values = values * column_of(factor, panel, rows)
    return values
