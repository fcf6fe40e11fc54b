"""An extract's table as arrays: values, categories, the units behind each row, and what its codes are called.

Everything is read once per run, and only the columns that somebody asks for.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.codebooks import labels_of, table_of, titles_of, units_of
from hub.checks.codes import Codes, positions, too_many_at_first, unit_codes
from hub.checks.crossings import LEAST_ROWS_PER_CELL, MOST_CELLS, Crossing
from hub.checks.extracts import Extract, Part, UnreadableExtract, open_extract
from hub.checks.indexes import Stored
from hub.checks.runs import STEP, Mask, Runs, Small, runs_of
from hub.checks.tables import number_of

Floats = npt.NDArray[np.float64]
Rows = slice | npt.NDArray[np.int64]

_MOST_ANSWERS = 2_000_000  # rows of which texts are looked at as answers
MAX_CATEGORIES = 3_000  # so that 16 bits number them
_ENDS = 100
_MOST_LEVELS = 8
_CODEBOOK = "codebook.json"
_MANIFEST = "manifest.json"


@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Small letters without accents; every other mark is one blank."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


_NO_YES = (
    frozenset({"0", "no", "non", "nein", "false", "faux", "n", "falsch"}),
    frozenset({"1", "yes", "oui", "ja", "true", "vrai", "y", "o", "wahr"}),
)


def _answer(values: Sequence[Any], texts: dict[str, int], numbers: dict[float, int]) -> None:
    """How else the answers no and yes, or 0 and 1, are written, where a variable has just these."""
    if len(values) != len(_NO_YES):
        return
    plain = [fold(f"{value:g}" if isinstance(value, float) else str(value)) for value in values]
    for order in ((0, 1), (1, 0)):
        if all(plain[at] in _NO_YES[answer] for at, answer in enumerate(order)):
            for at, answer in enumerate(order):
                numbers.setdefault(float(answer), at)
                for word in _NO_YES[answer]:
                    if len(word) > 1:
                        texts.setdefault(word, at)


@dataclass(frozen=True)
class Categories:
    """A variable as categories: per row the position of its value (-1 missing), and how it is written."""

    values: tuple[Any, ...]
    texts: Mapping[str, int]
    numbers: Mapping[float, int]
    make: Callable[[], Small]

    @cached_property
    def codes(self) -> Small:
        """Only computed for the variables that a table is grouped by; most are just looked at."""
        return self.make()

    def find(self, cell: str) -> int | None:
        """The position of the value that `cell` names."""
        number = number_of(cell)
        if number is not None:
            at = self.numbers.get(float(number))
            if at is not None:
                return at
        return self.texts.get(cell.strip().casefold(), self.texts.get(fold(cell) or "\0"))


@dataclass
class Panel:
    """One table of the extract. `units`: unit type → column, as in codebook, manifest or `--unit`."""

    is_part: ClassVar[bool] = False  # whether these are some rows of another panel
    part: Part
    units: Mapping[str, str]
    labels: Mapping[str, Mapping[Any, tuple[str, ...]]] = field(default_factory=dict)
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    period: str | None = None
    _numbers: dict[str, Floats | None] = field(default_factory=dict)
    _categories: dict[str, Categories | None] = field(default_factory=dict)
    _levels: dict[Hashable, Small] = field(default_factory=dict)
    _crossings: dict[tuple[str, ...], Crossing] = field(default_factory=dict)
    _rows: int | None = None

    @property
    def name(self) -> str:
        return self.part.path.stem

    @property
    def rows(self) -> int:
        """Rows of the table, from the footer of its file."""
        if self._rows is None:
            self._rows = int(pl.scan_parquet(self.part.path).select(pl.len()).collect().item())
        return self._rows

    @property
    def variables(self) -> list[str]:
        """Columns that are not identifiers of units."""
        hidden = {*self.units.values(), *self.part.identifiers}
        return [name for name in self.part.schema if name not in hidden]

    @property
    def numeric(self) -> list[str]:
        """Variables that can be summed: numbers, and answers that are yes or no."""
        strings = self.part.schema
        return [
            name
            for name in self.variables
            if self.is_number(name) or (strings[name] == pl.String and self.answers(name))
        ]

    def answers(self, name: str) -> bool:
        """Whether a variable has two values that are the answers no and yes, or 0 and 1."""
        texts = self.part.schema[name] == pl.String
        if texts and (self.part.stored is not None or self.rows > _MOST_ANSWERS):
            return False  # they would have to be read to know
        known = self.categories(name)
        return known is not None and len(known.values) == len(_NO_YES) and {0.0, 1.0} <= set(known.numbers)

    def precision(self, name: str) -> float:
        """Relative error of one stored value: programs that keep single precision print its noise. Tight
        otherwise, for what is not compared could carry a message in the last decimals."""
        return 1e-6 if self.part.schema[name] == pl.Float32 else 1e-12

    def is_number(self, name: str) -> bool:
        """Whether `numbers` has the variable."""
        kind = self.part.schema[name]
        return kind.is_numeric() or kind == pl.Boolean

    def numbers(self, name: str) -> Floats | None:
        """The variable as floats, NaN where missing; None when it is no number."""
        if name not in self._numbers:
            self._numbers[name] = self._read_numbers(name)
        return self._numbers[name]

    def _read_numbers(self, name: str) -> Floats | None:
        kind = self.part.schema[name]
        if kind == pl.String and self.answers(name):
            known = self.few_categories(name)
            said: Floats = np.where(known.codes == known.numbers[1.0], 1.0, 0.0)
            return np.where(known.codes < 0, np.nan, said)
        if not self.is_number(name):
            return None
        if self.part.stored is not None and (read := _stored_reader(self.part.stored, name)) is not None:
            return read(slice(None))
        values: Floats = self.part.column(name).cast(pl.Float64, strict=False).to_numpy()
        if not kind.is_integer() and np.isinf(values).any():
            values = np.where(np.isinf(values), np.nan, values)
        return values

    def reader(self, name: str) -> Callable[[Rows], Floats] | None:
        """The variable in some rows, as `numbers`, without more memory than these take."""
        kind = self.part.schema[name]
        stored = self.part.stored
        if stored is not None and (made := _stored_reader(stored, name)) is not None:
            return made
        if name not in self._numbers and (kind.is_integer() or kind in (pl.Float32, pl.Float64)):
            column = self.part.column(name)
            if column.null_count() == 0 and (kind.is_integer() or self.is_complete(name)):
                whole = column.to_numpy()
                return lambda rows: whole[rows].astype(np.float64)
        values = self.numbers(name)
        return None if values is None else lambda rows: values[rows]

    def numeric_reader(self, name: str) -> Callable[[Rows], Floats]:
        """`reader` of a variable that is known to be a number; LookupError naming it where it is none."""
        read = self.reader(name)
        if read is None:
            raise LookupError(f"{name} is no number")
        return read

    def is_complete(self, name: str) -> bool:
        """Whether each row has a value: a number, or one of the categories."""
        told = self.part.stored.told(name) if self.part.stored is not None else None
        if told is not None and "complete" in told:
            return bool(told["complete"])
        return self.part.once(("complete", name), lambda: self._is_complete(name))

    def _is_complete(self, name: str) -> bool:
        kind = self.part.schema[name]
        if kind.is_float():
            column = self.part.column(name)
            return column.null_count() == 0 and bool(column.is_finite().all())
        if kind.is_numeric() or kind == pl.Boolean or self.categories(name) is not None:
            return self.part.column(name).null_count() == 0
        return True

    def gaps(self, name: str) -> Callable[[Rows], Mask]:
        """Which of some rows have no value."""
        read = self.reader(name)
        if read is not None:
            return lambda rows: np.isnan(read(rows))
        known = self.categories(name)
        if known is None:
            return lambda rows: np.zeros(np.arange(self.rows)[rows].size, dtype=np.bool_)
        codes = known.codes
        return lambda rows: codes[rows] < 0

    def span(self, name: str) -> tuple[float, float]:
        """Smallest and largest value of a number; zeros where it has none."""
        told = self.part.stored.told(name) if self.part.stored is not None else None
        if told is not None and "span" in told:
            return (told["span"][0], told["span"][1])
        return self.part.once(("span", name), lambda: self._span(name))

    def _span(self, name: str) -> tuple[float, float]:
        known = self.part.span(name) if self.part.schema[name] != pl.String else None
        if known is not None:
            return known
        values = self.numbers(name)
        if values is None or np.isnan(values).all():
            return (0.0, 0.0)
        return (float(np.fmin.reduce(values)), float(np.fmax.reduce(values)))

    def ends(self, name: str) -> tuple[Floats, Floats]:
        """The largest and the smallest values of a number, at most 100 each, largest first."""
        told = self.part.stored.told(name) if self.part.stored is not None else None
        if told is not None and "top" in told:
            return np.array(told["top"]), np.array(told["bottom"])
        return self.part.once(("ends", name), lambda: self._ends(name))

    def _ends(self, name: str) -> tuple[Floats, Floats]:
        read = self.reader(name)
        top = bottom = np.empty(0)
        if read is None:
            return top, bottom
        for first in range(0, self.rows, STEP):
            own = read(slice(first, first + STEP))
            own = own[~np.isnan(own)] if not self.is_complete(name) else own
            full = top.size == _ENDS
            top = np.sort(np.concatenate([top, own[own > top[0]] if full else own]))[-_ENDS:]
            bottom = np.sort(np.concatenate([bottom, own[own < bottom[-1]] if full else own]))[:_ENDS]
        return top[::-1], bottom[::-1]

    def categories(self, name: str) -> Categories | None:
        """The variable as categories; None when it has more than 3,000."""
        if name not in self._categories:
            self._categories[name] = self._read_categories(name)
        return self._categories[name]

    def few_categories(self, name: str) -> Categories:
        """`categories` of a variable that is known to have few; LookupError naming it where it has more."""
        found = self.categories(name)
        if found is None:
            raise LookupError(f"{name} has too many categories")
        return found

    def _read_categories(self, name: str) -> Categories | None:
        made = self._coded(name)
        if made is None:
            return None
        distinct, make = made
        values = tuple(distinct.to_list())
        texts: dict[str, int] = {}
        numbers: dict[float, int] = {}
        for at, value in enumerate(values):
            if isinstance(value, int | float):
                numbers.setdefault(float(value), at)
        for at, value in enumerate(values):
            for text in self._written(name, value):
                texts.setdefault(text.strip().casefold(), at)
                texts.setdefault(fold(text) or "\0\0", at)
        _answer(values, texts, numbers)
        return Categories(values, texts, numbers, make)

    def _coded(self, name: str) -> tuple[pl.Series, Callable[[], Small]] | None:
        """The sorted values, and how the code of each row is found."""
        stored = self.part.stored
        if stored is not None and (told := stored.told(name)) is not None and told["kind"] != "unit":
            if told["kind"] != "codes" or not told["categories"]:
                return None
            return self.part.distinct(name), lambda: stored.array(name, "codes")
        column = self.part.column(name)
        if column.dtype.is_nested() or too_many_at_first(column):
            return None
        column = column.fill_nan(None) if column.dtype.is_float() else column
        distinct = self.part.distinct(name)
        if distinct.len() > MAX_CATEGORIES:
            return None
        if column.dtype in (pl.Categorical, pl.Enum):
            column, distinct = column.cast(pl.String), distinct.cast(pl.String)
        distinct = distinct.sort()
        return distinct, lambda: positions(column, distinct, np.int16)

    def _written(self, name: str, value: Any) -> list[str]:
        # A number is found by its value, however it is written.
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        found = [*([] if plain else [str(value)]), *self.labels.get(name, {}).get(value, ())]
        if isinstance(value, bool):
            found += ["yes", "oui", "ja"] if value else ["no", "non", "nein"]
        if isinstance(value, date):
            day = value.date() if isinstance(value, datetime) else value
            if not isinstance(value, datetime) or value.time() == time():
                found += [day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}"]
                found += [f"{day:%Y-%m}", f"{day:%m/%Y}"] if day.day == 1 else []
        return found

    def unit(self, kind: str) -> tuple[Codes, int]:
        """Per row the position of its unit among the sorted distinct units (-1 missing), and their number."""
        return self.part.once(("unit", self.units[kind]), lambda: self._unit(self.units[kind]))

    def all_units(self, kind: str) -> int | None:
        """How many units all the rows have; None of a part of the rows, where that is not known."""
        return None if self.is_part else self.unit(kind)[1]

    def _unit(self, name: str) -> tuple[Codes, int]:
        stored = self.part.stored
        if stored is not None and stored.has(name, "units"):
            return stored.array(name, "units"), int(stored.columns[name]["total"])
        codes, distinct = unit_codes(self.part.column(name))
        return codes, int(distinct.size)

    def levels(self, axis: Hashable, make: Callable[[Panel], Small]) -> Small:
        """What an axis makes of the rows, kept for the readings of a table that share it: the last few."""
        if axis in self._levels:
            self._levels[axis] = self._levels.pop(axis)
        else:
            self._levels[axis] = make(self)
            if len(self._levels) > _MOST_LEVELS:
                del self._levels[next(iter(self._levels))]
        return self._levels[axis]

    def crossing(self, names: tuple[str, ...]) -> Crossing | None:
        """The combinations of the categories of some variables, kept for all that asks for them; None where
        one of them has too many, or they together have for so many rows; and for a part of the rows."""
        if self.is_part:
            return None
        if names not in self._crossings:
            known = [self.categories(name) for name in names]
            shape = tuple(len(one.values) + 1 for one in known if one is not None)
            most = min(MOST_CELLS, self.rows // LEAST_ROWS_PER_CELL)
            if (
                not names
                or len(shape) < len(names)
                or len(set(names)) < len(names)
                or math.prod(shape) > most
            ):
                return None
            made = Crossing([one.codes for one in known if one is not None], shape, names)
            if (rows := self._rows_told(names)) is not None:
                made.tell("rows", rows)
            self._crossings[names] = made
        return self._crossings[names]

    def _rows_told(self, names: tuple[str, ...]) -> Floats | None:
        """The rows of each cell of a crossing, where the index has them."""
        stored = self.part.stored
        if stored is None or any(not stored.has(name, "codes") for name in names):
            return None
        if len(names) == 1:
            rows = stored.values(names[0])[1]
            return np.array([self.rows - sum(rows), *rows], dtype=np.float64)
        pair = stored.rows_of_pair(*names) if len(names) == 2 else None
        return pair.astype(np.float64).reshape(-1) if pair is not None else None

    def wider(self, crossing: Crossing, name: str) -> Crossing | None:
        """A crossing with one further variable."""
        return self.crossing((*crossing.names, name))

    def runs(self, kind: str) -> Runs | None:
        """The rows by unit; None where units have many rows."""
        return self.part.once(("runs", self.units[kind]), lambda: self._runs(self.units[kind]))

    def _runs(self, name: str) -> Runs | None:
        stored = self.part.stored
        if stored is None or not stored.has(name, "units"):
            return runs_of(self._unit(name)[0])
        if not stored.has(name, "place"):
            return None
        order = stored.array(name, "order") if stored.has(name, "order") else None
        longest = int(stored.columns[name]["longest"])
        return Runs(stored.array(name, "units"), order, stored.array(name, "place"), longest)


def _stored_reader(stored: Stored, name: str) -> Callable[[Rows], Floats] | None:
    told = stored.told(name)
    if told is None or "span" not in told:
        return None
    if told["kind"] == "codes":
        codes = stored.array(name, "codes")
        numbers = np.array([*(float(value) for value in stored.values(name)[0]), np.nan])
        return lambda rows: numbers[codes[rows]]
    values = stored.array(name, "values")
    return lambda rows: values[rows].astype(np.float64)


def open_panels(directory: Path, units: Mapping[str, str] | None = None) -> tuple[Extract, list[Panel]]:
    """The extract and its tables. Units come from `units` (type → column), then the codebook, then the
    manifest, then the form of the identifiers. Raises `UnreadableExtract`."""
    extract = open_extract(directory)
    codebook = _json_beside(directory, _CODEBOOK)
    manifest = _json_beside(directory, _MANIFEST)
    panels = []
    for part in extract.parts:
        described = table_of(codebook, part.path.name)
        panels.append(
            Panel(
                part,
                units_of(part, units or {}, described, manifest),
                labels_of(described),
                titles_of(described),
                described.get("period") if isinstance(described.get("period"), str) else None,
            )
        )
    return extract, panels


def _json_beside(directory: Path, name: str) -> dict[str, Any]:
    path = directory / name
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableExtract(f"unreadable {name}") from error
    return content if isinstance(content, dict) else {}
