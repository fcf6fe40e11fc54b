"""The extract of a project, read column by column from its Parquet files. Never written, never whole.

Identifiers are recognised by their form in the data, not by a list: a manifest that forgot one column
would otherwise hide it from the scan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from hub.checks.indexes import Sealed, Stored, open_index
from hub.checks.runs import STEP, small_type
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
    stored: Stored | None = None
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

    @cached_property
    def height(self) -> int:
        """Rows of the table, from the footer of its file."""
        return int(pl.scan_parquet(self.path).select(pl.len()).collect().item())

    def forget(self) -> None:
        """Let go of the columns read so far."""
        self._loaded.clear()
        self._counted.clear()
        self._once.clear()

    def at(self, name: str, rows: Any) -> pl.Series:
        """Some rows of a column."""
        stored = self.stored
        if stored is None or not (told := stored.told(name)):
            return self.column(name).gather(rows)
        if told["kind"] == "wide":
            values = pl.Series(name, stored.array(name, "values")[rows])
            return values.fill_nan(None) if values.dtype.is_float() else values
        codes = stored.array(name, "units" if told["kind"] == "unit" else "codes")[rows]
        if told["kind"] == "unit":
            values = pl.Series(name, stored.array(name, "distinct")[np.maximum(codes, 0)])
        else:
            values = self.distinct(name).gather(np.maximum(codes, 0)).alias(name)
        if not (codes < 0).any():
            return values
        return pl.select(pl.when(pl.Series(codes >= 0)).then(values).otherwise(None)).to_series()

    def rows_at(self, name: str, places: Sequence[slice]) -> list[Any]:
        """For each stretch of the sorted different values of a number the rows that hold one of them."""
        stored = self.stored
        if stored is not None and stored.has(name, "before"):
            before = stored.array(name, "before")
            spans = [(int(before[one.start]), int(before[one.stop])) for one in places]
            if not stored.has(name, "order"):  # they stand so
                return [np.arange(first, last) for first, last in spans]
            order = stored.array(name, "order")
            held = [order[first:last].astype(np.int64) for first, last in spans]  # ascending of each value
            return [np.sort(h) if p.stop - p.start > 1 else h for h, p in zip(held, places, strict=True)]
        values, _ = self.ranked(name)
        owner = np.full(values.size + 1, -1, dtype=small_type(len(places)))  # 16 bits are sorted faster
        for number, one in enumerate(places):
            owner[one] = number
        if stored is not None and stored.has(name, "codes"):
            codes = stored.array(name, "codes")
            held = _among(codes, owner >= 0)
            whose = owner[codes[held]]
        else:
            held = self.rows_among(name, pl.Series(values[owner[:-1] >= 0]))
            whose = owner[np.searchsorted(values, self.column(name).gather(held).to_numpy())]
        by_owner = np.argsort(whose, kind="stable")
        ends = np.bincount(whose, minlength=len(places)).cumsum()
        rows = held[by_owner]
        return [rows[first:last] for first, last in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]

    def rows_among(self, name: str, values: pl.Series) -> Any:
        """The rows that hold one of the values, ascending."""
        if self.stored is not None and self.stored.has(name, "codes"):
            wanted = self.distinct(name).is_in(values.implode()).to_numpy()
            return _among(self.stored.array(name, "codes"), np.append(wanted, False))
        column = self.column(name)
        kept = column.is_in(values.cast(column.dtype).implode()).fill_null(value=False)
        return kept.arg_true().to_numpy().astype(np.int64)

    def ranked(self, name: str) -> tuple[Any, Any]:
        """The sorted different values of a number, and how many rows have a smaller one, then all rows."""
        return self.once(("ranked", name), lambda: self._ranked(name))

    def _ranked(self, name: str) -> tuple[Any, Any]:
        if self.stored is not None and self.stored.has(name, "before"):
            return self.stored.array(name, "distinct"), self.stored.array(name, "before")
        counted = self.counted(name).sort("value")
        rows = counted.get_column("rows").to_numpy()
        return counted.get_column("value").to_numpy(), np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)

    def _count(self, name: str) -> pl.DataFrame:
        if self.stored is not None and self.stored.has(name, "codes"):
            known, numbers = self.stored.values(name)
            distinct = pl.Series("value", known, dtype=self.schema[name])
            return pl.DataFrame([distinct, pl.Series("rows", numbers, dtype=pl.UInt32)])
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
        if self.stored is not None and self.stored.has(name, "units"):
            return pl.Series("value", self.stored.array(name, "distinct"))
        return self.counted(name).get_column("value")

    def told_apart(self, name: str) -> tuple[pl.Series, Any]:
        """The different values of one column, the missing one last, and per row which of them it is (-1: the
        last); or the column itself and None, where the index does not know them."""
        if self.stored is None or not self.stored.has(name, "codes"):
            return self.column(name), None
        values = pl.concat([self.distinct(name), pl.Series([None], dtype=self.schema[name])])
        return values, self.stored.array(name, "codes")

    def span(self, name: str) -> tuple[float, float] | None:
        """Smallest and largest value of a whole number as the footer of the file says it; None where it does
        not, so that whoever asks must look at the values."""
        if self._footer is None:
            self._footer = _spans_of(self.path, self.schema)
        return self._footer.get(name)

    def variables(self) -> list[str]:
        """Columns that are not identifiers."""
        return [name for name in self.schema if name not in self.identifiers]


def _among(codes: Any, inside: Any) -> Any:
    """The rows with one of the codes, ascending. `inside`: of each code, and of none in the last place."""
    found = [at + np.flatnonzero(inside[codes[at : at + STEP]]) for at in range(0, codes.size, STEP)]
    return np.concatenate([np.zeros(0, np.int64), *found])


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
                if part.stored is not None and part.stored.has(name, "before"):
                    inside = part.ranked(name)[0]
                    at = np.searchsorted(inside, wanted)
                    hit = inside[np.minimum(at, inside.size - 1)] == wanted if inside.size else []
                    found.update({str(one): name for one in np.array(wanted)[hit]})
                    continue
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
                if part.stored is not None and part.stored.has(name, "before"):
                    inside = part.ranked(name)[0]
                    first, last = np.searchsorted(inside, [low, high + 1])
                    if inside.size * (high - low) / 10 ** (DIGITS - 3) < _CHANCE and last > first:
                        return name
                    continue
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
    files = _files(directory)
    if _opened.get("files") != files:
        _opened.update(files=files, extract=_open(files, {}))
    extract: Extract = _opened["extract"]
    return extract


def open_with_index(directory: Path, index: Sealed) -> Extract:
    """The same with what `index` holds of it, for this run: whoever opens the extract afterwards has it too.
    Without it where it is not the index that was sealed (`hub.checks.indexes`)."""
    files = _files(directory)
    extract = _open(files, open_index(index, directory))
    _opened.update(files=files, extract=extract)
    return extract


_opened: dict[str, Any] = {}  # the extract opened last


def _files(directory: Path) -> tuple[tuple[Path, int, int], ...]:
    paths = sorted(directory.rglob("*.parquet"))
    if not paths:
        raise UnreadableExtract("no Parquet file")
    return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths)


def _open(files: tuple[tuple[Path, int, int], ...], known: Mapping[Path, Stored]) -> Extract:
    parts = []
    tags: set[str] = set()
    for path, _, _ in files:
        try:
            schema = dict(pl.read_parquet_schema(path))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise UnreadableExtract("unreadable Parquet file") from error
        if path in known:
            parts.append(Part(path, schema, known[path].identifiers, stored=known[path]))
            tags.update(known[path].tags)
            continue
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
