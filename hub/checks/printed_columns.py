"""The columns of a printed table as keys: whole numbers at the precision printed, or folded text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from hub.checks.tables import Table, number_of

_MAX_DECIMALS = 6
_NUMERIC_SHARE = 0.8


@dataclass(frozen=True)
class Printed:
    """A column as printed: whole numbers after scaling by ten to the `decimals`, or folded text."""

    index: int
    head: str
    keys: pl.Series
    decimals: int | None

    @cached_property
    def values(self) -> pl.Series:
        """The different values, without the empty ones."""
        return self.keys.drop_nulls().unique()

    @cached_property
    def sorted_values(self) -> pl.Series:
        """The different values, sorted."""
        return self.values.sort()

    @cached_property
    def counts(self) -> dict[Any, int]:
        """Value → printed rows."""
        found = Counter(self.keys.to_list())
        found.pop(None, None)
        return dict(found)


def print_columns(table: Table) -> list[Printed]:
    """The columns of a table that hold more than one value, the most telling first."""
    columns = [_printed(table, at) for at in range(len(table.columns))]
    telling = [(column.values.len(), column) for column in columns]
    telling.sort(key=lambda one: -one[0])
    return [column for distinct, column in telling if distinct > 1]


def _printed(table: Table, index: int) -> Printed:
    cells = table.column(index)
    numbers = [number_of(cell) for cell in cells]
    given = [number for number in numbers if number is not None]
    head = table.columns[index]
    if not given or len(given) < _NUMERIC_SHARE * sum(cell != "" for cell in cells):
        return Printed(
            index, head, pl.Series([cell.casefold() or None for cell in cells], dtype=pl.String), None
        )
    exponents = [number.as_tuple().exponent for number in given]
    decimals = min(max(0, *(-e for e in exponents if isinstance(e, int))), _MAX_DECIMALS)
    limit = 10 ** (18 - decimals)
    scaled = [round(n.scaleb(decimals)) if n is not None and abs(n) < limit else None for n in numbers]
    return Printed(index, head, pl.Series(scaled, dtype=pl.Int64), decimals)


def keys_of(values: pl.Series, decimals: int | None) -> pl.Series:
    """Values as they would be printed: with so many decimals, or as text."""
    return text_keys(values) if decimals is None else number_keys(values, decimals)


def text_keys(values: pl.Series) -> pl.Series:
    """Values as text, folded as a printed column of text is."""
    return values.cast(pl.String, strict=False).str.to_lowercase().str.strip_chars()


def number_keys(values: pl.Series, decimals: int) -> pl.Series:
    """Numbers with so many decimals, as whole numbers; null for those that cannot be."""
    if values.dtype.is_integer():
        wide = values.cast(pl.Int64, strict=False)
        limit = 10 ** (18 - decimals)
        fits = (wide > -limit) & (wide < limit)
        return pl.select(pl.when(fits).then(wide).otherwise(None) * 10**decimals).to_series()
    scaled = (values.cast(pl.Float64) * 10.0**decimals).round()
    finite = scaled.is_finite() & (scaled.abs() < 9e18)
    return pl.select(pl.when(finite).then(scaled).otherwise(None)).to_series().cast(pl.Int64)
