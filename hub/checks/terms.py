"""The rules for regressions that are only read from a file, not fitted again.

Of a file nobody declared, the names of its coefficients are enough to see a dummy for too few units: a filter
could only make them fewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hub.checks.codes import Codes
from hub.checks.findings import Finding
from hub.checks.panels import Panel, fold
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds

_DUMMY = re.compile(r"(?:C\()?\s*([^\W\d]\w*)\s*(?:,[^)\]]*)?\)?\s*\[(?:T\.|S\.)?\s*([^\]]+?)\s*\]")
_FACTOR = re.compile(r"(?:as\.)?factor\(([^)]+)\)(.+)")
_OBSERVATIONS = re.compile(
    r"\b(?:no\.?\s*observations|num\.?\s*obs\.?|nobs|n obs|observations)\b[^\w\n]{0,40}?(\d+)", re.I
)
_DEGREES = re.compile(
    r"\b(?:df[_ .]?resid(?:uals?)?|residual df|degrees of freedom|dof|ddl)\b[^\w\n]{0,60}?(\d+)", re.I
)
_INTERCEPT = frozenset({"intercept", "const", "constant", "cons", "constante"})


def units_among(codes: Codes) -> int:
    """Distinct units of some rows."""
    seen = np.zeros(int(codes.max(initial=-1)) + 2, dtype=np.bool_)  # no unit is -1: the last place
    seen[codes] = True
    return int(np.count_nonzero(seen[:-1]))


def told_of_model(
    rule: str, thresholds: Thresholds, table: Table, evidence: Mapping[str, object], **values: Any
) -> Finding:
    """A finding on a table of coefficients."""
    return finding(rule, thresholds.severity(rule), table.place, evidence=evidence, words=None, **values)


def find_in_terms(table: Table, panels: Sequence[Panel], thresholds: Thresholds) -> Iterator[Finding]:
    """What the names of coefficients in an undeclared table give away."""
    columns = [table.column(at) for at in range(len(table.columns))]
    terms = next((cells for cells in columns if cells and number_of(cells[0]) is None), [])
    if not any(fold(term) in _INTERCEPT or _DUMMY.search(term) or _FACTOR.match(term) for term in terms):
        return
    degrees = _degrees(table)
    needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
    if degrees is not None and degrees < needed:
        yield told_of_model("degrees_of_freedom", thresholds, table, {"degrees": degrees}, limit=needed)
    for panel in panels:
        effects = [term for term in terms if _names_unit(term, panel)]
        if effects:
            evidence: dict[str, object] = {"terms": len(effects)}
            yield told_of_model("unit_series", thresholds, table, evidence)
        few = int(thresholds.limit("dummy_units", "units"))
        small = [
            (term, least)
            for term in terms
            if (least := _units_of_term(term, panel)) is not None and least < few
        ]
        for term, least in small:
            told = {"term": term[:80], "units": least}
            yield told_of_model("dummy_units", thresholds, table, told, limit=few)


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
    return min((units_among(panel.unit(kind)[0][keep]) for kind in panel.units), default=None)
