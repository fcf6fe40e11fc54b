"""The rules for regressions: those fitted again from a declaration, and those only read from a file.

Of a file nobody declared, the names of its coefficients are enough to see a dummy for too few units: a filter
could only make them fewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.checks.declared import UnreadableClaim, panel_of
from hub.checks.findings import Finding
from hub.checks.panels import Codes, Floats, Panel, fold
from hub.checks.regressions import Fitted, differs, fit_declared, printed_parameters, summary_value
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds
from hub.documents.outputs import DeclaredRegression

_DUMMY = re.compile(r"(?:C\()?\s*([^\W\d]\w*)\s*(?:,[^)\]]*)?\)?\s*\[(?:T\.|S\.)?\s*([^\]]+?)\s*\]")
_FACTOR = re.compile(r"(?:as\.)?factor\(([^)]+)\)(.+)")
_OBSERVATIONS = re.compile(
    r"\b(?:no\.?\s*observations|num\.?\s*obs\.?|nobs|n obs|observations)\b[^\w\n]{0,40}?(\d+)", re.I
)
_DEGREES = re.compile(
    r"\b(?:df[_ .]?resid(?:uals?)?|residual df|degrees of freedom|dof|ddl)\b[^\w\n]{0,60}?(\d+)", re.I
)
_INTERCEPT = frozenset({"intercept", "const", "constant", "cons", "constante"})


@dataclass(frozen=True)
class ModelCheck:
    """A declared regression against its file: numbers that differ, and rows that nobody declared."""

    fitted: Fitted
    wrong: tuple[tuple[int, int], ...]
    unexplained: tuple[tuple[int, int], ...]
    right: int


def check_declared(table: Table, declared: DeclaredRegression, panels: Sequence[Panel]) -> ModelCheck:
    """Fit the declaration and compare every number of the table. Raises UnreadableClaim."""
    fitted = fit_declared(declared, panel_of(declared.table, panels))
    heads = [one.strip() for one in table.columns]
    roles = {}
    for role, head in declared.columns.items():
        if head.strip() not in heads:
            raise UnreadableClaim(f"column: {head[:80]}")
        roles[role] = heads.index(head.strip())
    if "term" not in roles or "estimate" not in roles:
        raise UnreadableClaim("columns: term, estimate")
    rows = printed_parameters(table, fitted, roles["term"])
    if len(set(rows.values())) < len(fitted.parameters):
        raise UnreadableClaim("terms are missing")
    wrong, unexplained, right = [], [], 0
    at_role = {at: role for role, at in roles.items()}
    for row, cells in enumerate(table.rows):
        for at, text in enumerate(cells):
            if at == roles["term"] or (number_of(text) is None and not text.strip()):
                continue
            expected = _expected(fitted, rows.get(row), at_role.get(at), cells[roles["term"]])
            if expected is None:
                unexplained.append((row, at))
            elif differs(text, expected, _decimals(table, at)):
                wrong.append((row, at))
            else:
                right += 1
    return ModelCheck(fitted, tuple(wrong), tuple(unexplained), right)


def _expected(fitted: Fitted, parameter: int | None, role: str | None, label: str) -> float | None:
    if parameter is None:
        return summary_value(label, fitted)
    return float(fitted.column(role)[parameter]) if role is not None else None


def _decimals(table: Table, at: int) -> int:
    numbers = [number_of(text) for text in table.column(at)]
    exponents = [n.as_tuple().exponent for n in numbers if n is not None]
    return max((-e for e in exponents if isinstance(e, int)), default=0)


def find_in_fitted(check: ModelCheck, table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """Degrees of freedom, levels of few units, saturation, one unit, effects per unit."""
    fitted, panel = check.fitted, check.fitted.panel
    kinds = {kind: panel.unit(kind) for kind in panel.units}
    inside = {kind: codes[fitted.rows] for kind, (codes, _) in kinds.items()}
    units = {kind: _distinct(codes) for kind, codes in inside.items()}
    needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
    least = min([fitted.rows.size, *units.values()]) - len(fitted.parameters)
    evidence = {"observations": int(fitted.rows.size), "units": units, "parameters": len(fitted.parameters)}
    if min(units.values(), default=2) < 2:
        yield _found("unit_series", thresholds, table, evidence)
    elif least < needed:
        yield _found("degrees_of_freedom", thresholds, table, evidence, limit=needed)
    few = int(thresholds.limit("dummy_units", "units"))
    for one in fitted.parameters:
        counts = _both_sides(one.values, inside)
        if counts and min(counts.values()) < few:
            told = {"term": one.name[:80], "units": counts}
            yield _found("dummy_units", thresholds, table, told, limit=few)
    cells, codes = np.unique(fitted.design.round(9), axis=0, return_inverse=True)
    if len(cells) <= len(fitted.parameters):
        smallest = min(
            (_distinct(unit[codes.ravel() == at]) for unit in inside.values() for at in range(len(cells))),
            default=0,
        )
        if smallest < thresholds.min_units:
            yield _found("saturated_model", thresholds, table, {"groups": len(cells), "units": smallest})


def _both_sides(values: Floats, inside: Mapping[str, Codes]) -> dict[str, int]:
    """Units behind the usual value of a regressor and behind all others; only where it is like a dummy."""
    distinct, codes, rows = np.unique(values, return_inverse=True, return_counts=True)
    if distinct.size < 2:
        return {}
    usual = int(rows.argmax())
    if distinct.size > 2 and rows[usual] < values.size / 2:
        return {}
    other = codes.ravel() != usual
    sides = (other, ~other) if distinct.size == 2 else (other,)
    return {kind: min(_distinct(unit[side]) for side in sides) for kind, unit in inside.items()}


def _distinct(codes: Codes) -> int:
    return int(np.unique(codes[codes >= 0]).size)


def _found(
    rule: str, thresholds: Thresholds, table: Table, evidence: Mapping[str, object], **values: Any
) -> Finding:
    return finding(rule, thresholds.severity(rule), table.place, evidence=evidence, words=None, **values)


def find_in_terms(table: Table, panels: Sequence[Panel], thresholds: Thresholds) -> Iterator[Finding]:
    """What the names of coefficients in an undeclared table give away."""
    terms = table.column(0) if table.columns else []
    if not any(fold(term) in _INTERCEPT or _DUMMY.search(term) or _FACTOR.match(term) for term in terms):
        return
    degrees = _degrees(table)
    needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
    if degrees is not None and degrees < needed:
        yield _found("degrees_of_freedom", thresholds, table, {"degrees": degrees}, limit=needed)
    for panel in panels:
        effects = [term for term in terms if _names_unit(term, panel)]
        if effects:
            evidence: dict[str, object] = {"terms": len(effects)}
            yield _found("unit_series", thresholds, table, evidence)
        few = int(thresholds.limit("dummy_units", "units"))
        small = [
            (term, least)
            for term in terms
            if (least := _units_of_term(term, panel)) is not None and least < few
        ]
        for term, least in small:
            told = {"term": term[:80], "units": least}
            yield _found("dummy_units", thresholds, table, told, limit=few)


def find_in_summary(text: str, thresholds: Thresholds) -> int | None:
    """Degrees of freedom that a printed summary of a model names, when they are too few."""
    needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
    found = [int(hit.group(1)) for hit in _DEGREES.finditer(text)]
    few = [number for number in found if number < needed]
    return few[0] if few and _OBSERVATIONS.search(text) else None


def _degrees(table: Table) -> int | None:
    """Residual degrees of freedom as the table says, or observations less coefficients."""
    observations, coefficients = None, 0
    for row in table.rows:
        numbers = [number_of(cell) for cell in row[1:]]
        value = next((n for n in numbers if n is not None), None)
        words = fold(row[0])
        if value is None:
            continue
        if words in ("df resid", "df residuals", "dof", "degrees of freedom", "residual df", "ddl"):
            return int(value)
        if words in ("n", "nobs", "obs", "observations", "no observations", "num obs", "n obs"):
            observations = int(value)
        elif words not in ("r2", "r squared", "rsquared", "adj r squared", "f", "aic", "bic"):
            coefficients += 1
    return observations - coefficients if observations is not None else None


def _names_unit(term: str, panel: Panel) -> bool:
    columns = {fold(column) for column in (*panel.units.values(), *panel.part.identifiers)}
    pairs = [hit.group(1) for hit in _DUMMY.finditer(term)]
    factor = _FACTOR.match(term)
    pairs += [factor.group(1)] if factor else []
    return any(fold(name) in columns for name in pairs)


def _units_of_term(term: str, panel: Panel) -> int | None:
    """The least number of distinct units behind the dummies of a term in the whole extract."""
    pairs = [(hit.group(1), hit.group(2)) for hit in _DUMMY.finditer(term)]
    factor = _FACTOR.match(term)
    pairs += [(factor.group(1).strip(), factor.group(2))] if factor else []
    if not pairs:
        return None
    keep = np.ones(panel.rows, dtype=np.bool_)
    for name, level in pairs:
        variable = next((one for one in panel.variables if fold(one) == fold(name)), None)
        known = panel.categories(variable) if variable is not None else None
        at = known.find(level) if known is not None else None
        if known is None or at is None:
            return None
        keep &= known.codes == at
    if not keep.any():
        return None  # no such rows: a level of something else
    return min((_distinct(panel.unit(kind)[0][keep]) for kind in panel.units), default=None)
