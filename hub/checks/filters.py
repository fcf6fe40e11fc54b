"""A row filter of a declaration, as a mask over a panel. A comparison with a missing value is false."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.panels import Panel
from hub.documents.filters import And, Comparison, Filter, Not, Operator, Or

Mask = npt.NDArray[np.bool_]


class UnreadableFilter(Exception):
    """The filter names a column that is not there, or compares what cannot be compared."""


def mask_of(condition: Filter, panel: Panel) -> Mask:
    """True for each row that the filter keeps. Raises UnreadableFilter."""
    if isinstance(condition, And):
        return np.logical_and.reduce([mask_of(term, panel) for term in condition.terms])
    if isinstance(condition, Or):
        return np.logical_or.reduce([mask_of(term, panel) for term in condition.terms])
    if isinstance(condition, Not):
        return ~mask_of(condition.term, panel)
    if condition.field not in panel.part.schema:
        raise UnreadableFilter(condition.field)
    column = panel.part.column(condition.field)
    if column.dtype.is_float():
        column = column.fill_nan(None)
    try:
        kept = _compared(column, condition)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise UnreadableFilter(condition.field) from error
    return kept.fill_null(value=False).to_numpy().astype(np.bool_)


def _compared(column: pl.Series, condition: Comparison) -> pl.Series:
    operator = condition.operator
    if operator is Operator.MISSING:
        return column.is_null()
    if operator is Operator.PRESENT:
        return column.is_not_null()
    if column.dtype in (pl.Date, pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    values: list[Any] = list(condition.values)
    if operator in (Operator.IN, Operator.NOT_IN):
        found = column.is_in(pl.Series(values, dtype=_common(column, values)).implode())
        return found if operator is Operator.IN else ~found
    if operator is Operator.BETWEEN:
        return (column >= values[0]) & (column <= values[1])
    value = values[0]
    match operator:
        case Operator.EQUAL:
            return column == value
        case Operator.NOT_EQUAL:
            return column != value
        case Operator.LESS:
            return column < value
        case Operator.AT_MOST:
            return column <= value
        case Operator.MORE:
            return column > value
        case _:
            return column >= value


def _common(column: pl.Series, values: list[Any]) -> Any:
    """Integers are compared with integers unless one of the values is not whole."""
    if column.dtype.is_integer() and any(isinstance(v, float) and v != int(v) for v in values):
        return pl.Float64
    return column.dtype
