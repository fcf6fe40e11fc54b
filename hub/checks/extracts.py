"""The extract of a project, read column by column from its Parquet files. Never written, never whole.

Identifiers are recognised by their form in the data, not by a list: a manifest that forgot one column
would otherwise hide it from the scan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from hub.domain.pseudonyms import DIGITS, has_valid_check_digit

_Made = TypeVar("_Made")
_LOWEST, _HIGHEST = 10 ** (DIGITS - 1), 10**DIGITS - 1
_SAMPLE = 1_000
_CHANCE = 0.01
_MOST_STEPS = 1_000_000  # whole numbers within so many are counted by their place


class UnreadableExtract(Exception):
    """No Parquet file, or one that cannot be read."""


@dataclass
class Part:
    """One Parquet file: its columns, and which of them hold identifiers.

    `as_printed`: the different values of a column at so many decimals with their rows, kept by who asks.
    """

    path: Path
    schema: dict[str, pl.DataType]
    identifiers: tuple[str, ...] = ()
    as_printed: dict[tuple[str, int | None], pl.DataFrame | None] = field(default_factory=dict)
    _once: dict[tuple[str, str], Any] = field(default_factory=dict)
    _loaded: dict[str, pl.Series] = field(default_factory=dict)
    _counted: dict[str, pl.DataFrame] = field(default_factory=dict)
    _footer: dict[str, tuple[float, float]] | None = None

    def column(self, name: str) -> pl.Series:
        """One column, read once per run."""
        if name not in self._loaded:
            self._loaded[name] = _read(pl.scan_parquet(self.path).select(name)).get_column(name)
        return self._loaded[name]

    def once(self, key: tuple[str, str], make: Callable[[], _Made]) -> _Made:
        """What follows from a column of this file alone, made once per run."""
        if key not in self._once:
            self._once[key] = make()
        made: _Made = self._once[key]
        return made

    def counted(self, name: str) -> pl.DataFrame:
        """The different values of one column ("value") with their rows ("rows"), in no order, without nulls
        and NaN."""
        if name not in self._counted:
            self._counted[name] = self._count(name)
        return self._counted[name]

    def _count(self, name: str) -> pl.DataFrame:
        column = self.column(name).alias("value")
        span = self.span(name)
        if column.dtype.is_integer() and span is not None and span[1] - span[0] < _MOST_STEPS:
            steps = column.drop_nulls().cast(pl.Int64) - int(span[0])
            rows = np.bincount(steps.to_numpy())
            at = np.flatnonzero(rows)
            values = pl.Series("value", at + int(span[0])).cast(column.dtype)
            return pl.DataFrame([values, pl.Series("rows", rows[at])])
        column = column.fill_nan(None) if column.dtype.is_float() else column
        return column.value_counts(name="rows").drop_nulls("value")

    def distinct(self, name: str) -> pl.Series:
        """The different values of one column, in no order, without nulls and NaN."""
        return self.counted(name).get_column("value")

    def span(self, name: str) -> tuple[float, float] | None:
        """Smallest and largest value of a whole number as the footer of the file says it; None where it does
        not, so that whoever asks must look at the values."""
        if self._footer is None:
            self._footer = _spans_of(self.path, self.schema)
        return self._footer.get(name)

    def variables(self) -> list[str]:
        """Columns that are not identifiers."""
        return [name for name in self.schema if name not in self.identifiers]


@dataclass
class Extract:
    """All Parquet files of one extract directory, and the tags of the identifiers in them."""

    parts: list[Part]
    tags: frozenset[str]

    def known(self, tokens: Iterable[str]) -> dict[str, str]:
        """Token → identifier column, for those tokens that are identifiers of this extract."""
        wanted = sorted({int(token) for token in tokens})
        found: dict[str, str] = {}
        if not wanted:
            return found
        numbers = pl.Series(wanted, dtype=pl.Int64)
        for part in self.parts:
            for name in part.identifiers:
                column = part.column(name)
                if column.dtype == pl.String:
                    column = column.cast(pl.Int64, strict=False)
                hits = numbers.filter(numbers.is_in(column.cast(pl.Int64, strict=False).implode()))
                found.update({str(hit): name for hit in hits})
        return found

    def between(self, low: int, high: int) -> str | None:
        """The identifier column with a value from `low` to `high`, where chance would hardly put one."""
        for part in self.parts:
            for name in part.identifiers:
                values = part.distinct(name)
                if values.dtype == pl.String:
                    values = values.cast(pl.Int64, strict=False)
                likely = values.len() * (high - low) / 10 ** (DIGITS - 3)
                if likely < _CHANCE and bool(values.is_between(low, high).any()):
                    return name
        return None


def open_extract(directory: Path) -> Extract:
    """The extract in `directory`; reads footers and a few values. Raises `UnreadableExtract`. Within one
    process files that have not changed since are opened once, and each of their columns read once."""
    paths = sorted(directory.rglob("*.parquet"))
    if not paths:
        raise UnreadableExtract("no Parquet file")
    return _open(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


@lru_cache(maxsize=1)
def _open(files: tuple[tuple[Path, int, int], ...]) -> Extract:
    parts = []
    tags: set[str] = set()
    for path, _, _ in files:
        try:
            schema = dict(pl.read_parquet_schema(path))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise UnreadableExtract("unreadable Parquet file") from error
        samples = {name: _sample(path, name) for name, kind in schema.items() if _may_identify(kind)}
        identifiers = tuple(name for name, values in samples.items() if _identifies(values))
        tags.update(values[0][:2] for name, values in samples.items() if name in identifiers)
        parts.append(Part(path, schema, identifiers))
    return Extract(parts, frozenset(tags))


def _spans_of(path: Path, schema: Mapping[str, pl.DataType]) -> dict[str, tuple[float, float]]:
    """Whole numbers only: a footer may leave NaN out of the span of a float, or not."""
    import pyarrow.parquet as pq

    try:
        footer = pq.ParquetFile(path).metadata
    except (OSError, ValueError) as error:
        raise UnreadableExtract("unreadable Parquet file") from error
    spans: dict[str, list[tuple[float, float]]] = {}
    for group in range(footer.num_row_groups):
        for at in range(footer.num_columns):
            column = footer.row_group(group).column(at)
            name, said = column.path_in_schema, column.statistics
            if name not in schema or not schema[name].is_integer():
                continue
            if said is not None and said.has_min_max:
                spans.setdefault(name, []).append((float(said.min), float(said.max)))
            elif said is None or said.null_count != column.num_values:
                spans.setdefault(name, []).append((math.nan, math.nan))
    found = {}
    for name, parts in spans.items():
        if not any(math.isnan(low) for low, _ in parts):
            found[name] = (min(low for low, _ in parts), max(high for _, high in parts))
    return found


def _may_identify(kind: pl.DataType) -> bool:
    return kind in (pl.Int64, pl.UInt64, pl.Float64, pl.String)


def _sample(path: Path, name: str) -> list[str]:
    column = _read(pl.scan_parquet(path).select(name).drop_nulls().head(_SAMPLE)).get_column(name)
    if column.dtype == pl.Float64:
        whole = column.filter((column >= _LOWEST) & (column <= _HIGHEST))
        return [str(int(value)) for value in whole] if whole.len() == column.len() else [""]
    return [str(value) for value in column]


def _identifies(values: list[str]) -> bool:
    return bool(values) and all(has_valid_check_digit(value) for value in values)


def _read(frame: pl.LazyFrame) -> pl.DataFrame:
    try:
        return frame.collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnreadableExtract("unreadable Parquet file") from error
