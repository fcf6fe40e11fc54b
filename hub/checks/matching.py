"""Printed columns against the columns of an extract: same values at the precision printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.extracts import Part
from hub.checks.tables import Table, number_of

_MAX_DECIMALS = 6
_NUMERIC_SHARE = 0.8
_SEED = 20_260_101


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
    def counts(self) -> dict[Any, int]:
        """Value → printed rows."""
        found = Counter(self.keys.to_list())
        found.pop(None, None)
        return dict(found)


Positions = npt.NDArray[np.int64]
Mapping = Sequence[tuple[Printed, str]]  # printed column → variable of the extract


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


class Matcher:
    """One Parquet file, asked about printed columns. What was computed once is kept for this file and run."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._keys: dict[tuple[str, int | None], pl.Series | None] = {}
        self._rows: dict[tuple[int, str], list[Positions]] = {}
        self._masks: dict[tuple[int, str], pl.Series] = {}

    def keys(self, name: str, decimals: int | None) -> pl.Series | None:
        """A variable as it would be printed; None when it cannot be printed so."""
        if (name, decimals) not in self._keys:
            self._keys[name, decimals] = _keys(self.part.column(name), decimals)
        return self._keys[name, decimals]

    def values(self, name: str, decimals: int | None) -> pl.Series | None:
        """The different values of a variable as it would be printed, sorted."""
        counted = self._counted_as_printed(name, decimals)
        return counted.get_column("value") if counted is not None else None

    def _counted_as_printed(self, name: str, decimals: int | None) -> pl.DataFrame | None:
        known = self.part.as_printed
        if (name, decimals) not in known:
            counted = self.part.counted(name)
            keys = _keys(counted.get_column("value"), decimals)
            known[name, decimals] = None
            if keys is not None:
                printed = pl.DataFrame({"value": keys, "rows": counted.get_column("rows")})
                printed = printed.drop_nulls("value")
                if not counted.schema["value"].is_integer():  # several values may be printed as one
                    printed = printed.group_by("value").agg(pl.col("rows").sum())
                known[name, decimals] = printed.sort("value")
        return known[name, decimals]

    def keys_at(self, column: Printed, name: str, rows: Positions) -> pl.Series | None:
        """Some rows of the variable as they would be printed; None when it cannot be printed so."""
        return _keys(self.part.column(name).gather(rows), column.decimals)

    def rows_of(self, column: Printed, name: str, most: int) -> list[Positions]:
        """For each of the first `most` printed rows the rows of the extract with its value, ascending."""
        at = (column.index, name)
        if at not in self._rows:
            keys = self.keys(name, column.decimals)
            assert keys is not None  # noqa: S101  (asked for variables that can be printed so)
            printed = column.keys.head(most)
            wanted = printed.drop_nulls().unique()
            held = keys.is_in(wanted.implode()).fill_null(value=False).arg_true()
            pairs = pl.DataFrame({"value": keys.gather(held), "row": held.cast(pl.Int64)})
            known = {
                key[0]: rows.get_column("row").to_numpy()
                for key, rows in pairs.partition_by("value", as_dict=True, maintain_order=True).items()
            }
            none = np.zeros(0, dtype=np.int64)
            self._rows[at] = [known.get(value, none) for value in printed.to_list()]
        return self._rows[at]

    def sizes(self, column: Printed, name: str, most: int) -> list[int]:
        """How many rows of the extract hold the value of each of the first printed rows."""
        wanted = column.keys.head(most).to_list()
        counted = self._counted_as_printed(name, column.decimals)
        if counted is None:
            return [0] * len(wanted)
        own = counted.filter(pl.col("value").is_in(column.keys.head(most).drop_nulls().unique().implode()))
        known = dict(own.rows())
        return [int(known.get(value, 0)) for value in wanted]

    def explained(self, column: Printed, name: str, least: int = 1) -> int:
        """How many printed rows hold a value of the variable; where these must be fewer than `least`, at most
        how many, without looking at the variable."""
        bound = self._bound(column, name)
        if bound < least:
            return bound
        values = self.values(name, column.decimals)
        if values is None or not values.len() or not column.counts:
            return 0
        if values.dtype == pl.String:
            known = values.filter(values.is_in(column.values.implode())).to_list()
            return sum(column.counts[value] for value in known)
        found = values.to_numpy()
        wanted = np.fromiter(column.counts, dtype=np.int64)
        places = np.minimum(np.searchsorted(found, wanted), found.size - 1)
        rows = np.fromiter(column.counts.values(), dtype=np.int64)
        return int(rows[found[places] == wanted].sum())

    def _bound(self, column: Printed, name: str) -> int:
        """The printed rows that the type and the span of the variable allow."""
        whole = self.part.schema[name].is_integer()
        if column.decimals is None or not whole:
            return sum(column.counts.values())
        scale = 10**column.decimals
        low, high = self.part.span(name) or (-np.inf, np.inf)
        return sum(
            rows
            for value, rows in column.counts.items()
            if value % scale == 0 and low <= value / scale <= high
        )

    def frames(self, mapping: Mapping) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The printed tuples, and those tuples of the extract of which each value is printed somewhere."""
        ours = pl.DataFrame({str(at): column.keys for at, (column, _) in enumerate(mapping)})
        theirs = {str(at): self.keys(name, column.decimals) for at, (column, name) in enumerate(mapping)}
        frame = pl.DataFrame({at: keys for at, keys in theirs.items() if keys is not None})
        keep = self._mask(*mapping[0])
        for pair in mapping[1:]:
            keep = keep & self._mask(*pair)
        return ours, frame.filter(keep)

    def _mask(self, column: Printed, name: str) -> pl.Series:
        if (column.index, name) not in self._masks:
            keys = self.keys(name, column.decimals)
            assert keys is not None  # noqa: S101  (a mapping holds explained columns only)
            self._masks[column.index, name] = keys.is_in(column.values.implode()).fill_null(value=False)
        return self._masks[column.index, name]

    def present(self, mapping: Mapping) -> int:
        """How many printed rows stand in the extract."""
        ours, theirs = self.frames(mapping)
        return ours.join(theirs.unique(), on=ours.columns, how="semi").height

    def rare(self, mapping: Mapping, fewer_than: int, *, shuffled: bool = False) -> int:
        """How many different printed tuples stand on fewer than so many rows; or would, were the printed
        columns shuffled against each other."""
        ours, theirs = self.frames(mapping)
        if shuffled:
            ours = ours.select(
                pl.col(name).shuffle(seed=_SEED + at) if at else pl.col(name)
                for at, name in enumerate(ours.columns)
            )
        counted = theirs.group_by(theirs.columns).len("rows").filter(pl.col("rows") < fewer_than)
        return ours.unique().join(counted, on=ours.columns, how="semi").height

    def groups(self, mapping: Mapping, at_least: int) -> float:
        """Share of the printed rows that name a group of their own with at least so many rows; 0.0 when
        two printed rows name the same group."""
        ours, theirs = self.frames(mapping)
        if ours.n_unique() < ours.height:
            return 0.0
        counted = theirs.group_by(theirs.columns).len("rows").filter(pl.col("rows") >= at_least)
        return ours.join(counted, on=ours.columns, how="semi").height / ours.height


def _keys(values: pl.Series, decimals: int | None) -> pl.Series | None:
    if decimals is None:
        if values.dtype.is_numeric() or values.dtype.is_nested():
            return None
        return values.cast(pl.String, strict=False).str.to_lowercase().str.strip_chars()
    if not values.dtype.is_numeric():
        return None
    if values.dtype.is_integer():
        wide = values.cast(pl.Int64, strict=False)
        limit = 10 ** (18 - decimals)
        fits = (wide > -limit) & (wide < limit)
        return pl.select(pl.when(fits).then(wide).otherwise(None) * 10**decimals).to_series()
    scaled = (values.cast(pl.Float64) * 10.0**decimals).round()
    finite = scaled.is_finite() & (scaled.abs() < 9e18)
    return pl.select(pl.when(finite).then(scaled).otherwise(None)).to_series().cast(pl.Int64)
