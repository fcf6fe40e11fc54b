"""A row filter of a declaration, as a mask over a panel. A comparison with a missing value is false."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.panels import Panel
from hub.documents.filters import And, Comparison, Filter, Not, Operator, Or

Mask = npt.NDArray[np.bool_]


class UnreadableFilter(Exception):
    """The filter names no variable of the extract, or compares what cannot be compared."""


def mask_of(condition: Filter, panel: Panel) -> Mask:
    """True for each row that the filter keeps. Raises UnreadableFilter."""
    kept: Mask
    if isinstance(condition, And):
        kept = np.all([mask_of(term, panel) for term in condition.terms], axis=0)
        return kept
    if isinstance(condition, Or):
        kept = np.any([mask_of(term, panel) for term in condition.terms], axis=0)
        return kept
    if isinstance(condition, Not):
        return ~mask_of(condition.term, panel)
    if condition.field not in panel.variables:
        raise UnreadableFilter(condition.field)
    if condition.operator in (Operator.MISSING, Operator.PRESENT) and panel.is_complete(condition.field):
        return np.full(panel.rows, condition.operator is Operator.PRESENT)
    column, codes = panel.part.told_apart(condition.field)
    if column.dtype.is_float():
        column = column.fill_nan(None)
    try:
        compared = _compared(column, condition)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise UnreadableFilter(condition.field) from error
    kept = compared.fill_null(value=False).to_numpy().astype(np.bool_)
    return kept if codes is None else kept[codes]


_COMPARE: dict[Operator, Callable[[pl.Expr, list[Any]], pl.Expr]] = {
    Operator.EQUAL: lambda column, values: column == values[0],
    Operator.NOT_EQUAL: lambda column, values: column != values[0],
    Operator.LESS: lambda column, values: column < values[0],
    Operator.AT_MOST: lambda column, values: column <= values[0],
    Operator.MORE: lambda column, values: column > values[0],
    Operator.AT_LEAST: lambda column, values: column >= values[0],
    Operator.IN: lambda column, values: column.is_in(values),
    Operator.NOT_IN: lambda column, values: ~column.is_in(values),
    Operator.BETWEEN: lambda column, values: column.is_between(values[0], values[1]),
    Operator.MISSING: lambda column, _: column.is_null(),
    Operator.PRESENT: lambda column, _: column.is_not_null(),
}


def _compared(column: pl.Series, condition: Comparison) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime) and bool((column.dt.date().cast(column.dtype) == column).all()):
        column = column.dt.date()  # pandas keeps days as moments
    if column.dtype in (pl.Date, pl.Categorical, pl.Enum) or isinstance(column.dtype, pl.Datetime):
        column = column.cast(pl.String)
    made = _COMPARE[condition.operator](pl.col("x"), list(condition.values))
    return column.alias("x").to_frame().select(made).to_series()
