"""A filter document judged against a dictionary and turned into a Polars expression."""

from __future__ import annotations

from datetime import date
from functools import reduce

import polars as pl

from hub.documents.dictionaries import Dictionary, Variable, VariableType
from hub.documents.filters import And, Comparison, Filter, Not, Operator, Or, Scalar, comparisons
from hub.domain.errors import Refused
from hub.extraction.wordings import TYPE_NAMES

_ORDERED = {VariableType.INTEGER, VariableType.FLOAT, VariableType.DATE}
_ORDERING = {Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST, Operator.BETWEEN}
_INT64 = 2**63


def check_filter(condition: Filter, dictionary: Dictionary, *, path: str) -> None:
    """Return only if every comparison makes sense; Refused naming the comparison otherwise."""
    for where, comparison in comparisons(condition, path):
        variable = dictionary.variables.get(comparison.field)
        if variable is None:
            raise Refused(
                "unknown_variable",
                f"The source has no variable {comparison.field}.",
                f"La source n’a pas de variable {comparison.field}.",
                field=where,
            )
        if not variable.deliverable:
            raise Refused(
                "direct_identifier",
                f"{comparison.field} identifies units directly; rows cannot be chosen by it.",
                f"{comparison.field} identifie directement les unités ; on ne peut pas choisir "
                "les lignes selon elle.",
                field=where,
            )
        _check_comparison(comparison, variable, where)


def _check_comparison(comparison: Comparison, variable: Variable, where: str) -> None:
    if comparison.operator in _ORDERING and variable.type not in _ORDERED:
        raise Refused(
            "operator_does_not_fit",
            f"{comparison.field} has no order; use ==, !=, in or not in.",
            f"{comparison.field} n’a pas d’ordre ; utilisez ==, !=, in ou not in.",
            field=where,
        )
    codes = None if variable.codes is None else {code.value for code in variable.codes}
    for value in comparison.values:
        if not _fits(value, variable.type):
            raise Refused(
                "value_does_not_fit",
                f"A value is not of the type of {comparison.field} ({variable.type}).",
                f"Une valeur n’est pas du type de {comparison.field} ({TYPE_NAMES[variable.type].fr}).",
                field=where,
            )
        if codes is not None and comparison.operator not in _ORDERING and value not in codes:
            raise Refused(
                "unknown_code",
                f"A value is not among the codes of {comparison.field}.",
                f"Une valeur ne figure pas parmi les codes de {comparison.field}.",
                field=where,
            )


def _fits(value: Scalar, kind: VariableType) -> bool:
    if kind is VariableType.BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind is VariableType.INTEGER:
        return isinstance(value, int) and -_INT64 <= value < _INT64
    if kind is VariableType.FLOAT:
        # Whole numbers that a double does not hold would be compared with another number.
        return isinstance(value, float) or (isinstance(value, int) and abs(value) <= 2**53)
    if kind is VariableType.DATE:
        return isinstance(value, str) and _as_date(value) is not None
    return isinstance(value, str)


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def expression(condition: Filter, dictionary: Dictionary) -> pl.Expr:
    """The filter (which `check_filter` has accepted) as an expression that is true or false, never null."""
    if isinstance(condition, And):
        return reduce(lambda one, two: one & two, (expression(term, dictionary) for term in condition.terms))
    if isinstance(condition, Or):
        return reduce(lambda one, two: one | two, (expression(term, dictionary) for term in condition.terms))
    if isinstance(condition, Not):
        return ~expression(condition.term, dictionary)
    return _comparison(condition, dictionary.variables[condition.field].type)


_DTYPES: dict[VariableType, pl.DataType] = {
    VariableType.INTEGER: pl.Int64(),
    VariableType.FLOAT: pl.Float64(),
    VariableType.STRING: pl.String(),
    VariableType.BOOLEAN: pl.Boolean(),
    VariableType.DATE: pl.Date(),
}


def dtype(kind: VariableType) -> pl.DataType:
    """How the warehouse stores a variable type."""
    return _DTYPES[kind]


def _comparison(comparison: Comparison, kind: VariableType) -> pl.Expr:
    column = pl.col(comparison.field)
    operator = comparison.operator
    if operator is Operator.MISSING:
        return column.is_null()
    if operator is Operator.PRESENT:
        return column.is_not_null()
    values = [_as_date(str(v)) if kind is VariableType.DATE else v for v in comparison.values]
    if operator in (Operator.IN, Operator.NOT_IN):
        found = column.is_in(pl.Series(values, dtype=dtype(kind)).implode())
        return (found if operator is Operator.IN else ~found).fill_null(value=False)
    bounds = [pl.lit(value, dtype=dtype(kind)) for value in values]
    if operator is Operator.BETWEEN:
        return ((column >= bounds[0]) & (column <= bounds[1])).fill_null(value=False)
    compared = {
        Operator.EQUAL: column.eq,
        Operator.NOT_EQUAL: column.ne,
        Operator.LESS: column.lt,
        Operator.AT_MOST: column.le,
        Operator.MORE: column.gt,
        Operator.AT_LEAST: column.ge,
    }[operator]
    return compared(bounds[0]).fill_null(value=False)
