"""The numbers of a released table that nobody could make again, as they are remembered, and which of another
table's are nearly the same: what is changed by a few tells about these few, though nobody knows who they are.

A number is remembered by what its row and its column are headed with. These are hashes: enough to find the
same number again, under the same heads or, as one of a column or row of like numbers, under others.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.checks.panels import fold
from hub.checks.tables import Table, number_of

MAX_NUMBERS = 600  # of a table that are kept; of a larger one those whose heads hash lowest, each time
_WORD = re.compile(r"[0-9a-f]{12}")
_LONGEST = 48  # characters of a number
_LARGEST = 1_100  # its power of ten; `number_of` reads three digits of one
_LEAST = 3  # pairs of numbers that make two rows or columns nearly the same
_MOST_OF = 2 / 3  # of these pairs
_NEAR = 0.02  # by which a number may differ from one under the same label
_NEAR_COUNT = 0.1  # the same, of a count that differs by a few
_FEW = 10  # by which a count may differ from one under another
_LEAST_COUNT = 20
_TELLING = 100  # from which on a count is not the same by chance
_DIGITS = 3  # of a number that says something, and one more where its label is another
_YEARS = range(1900, 2101)
_ROUND = 1e-7
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the hashes of what its row and its column are headed with."""

    row: str
    column: str
    value: Decimal

    def to_json(self) -> list[str]:
        """Plain JSON values."""
        return [self.row, self.column, str(self.value)]


@dataclass(frozen=True, slots=True)
class Nearness:
    """How the numbers of two tables compare: `same` and `changed` have the same heads; `near` are nearly
    those of a row or column under other heads."""

    same: int = 0
    changed: int = 0
    near: int = 0

    @property
    def telling(self) -> bool:
        """Whether taking one table from the other may tell something."""
        return self.changed > 0 or self.near > 0


def numbers_of(table: Table) -> tuple[Number, ...]:
    """The numbers of a table in reading order. A row is headed by its first cell and by its words; where two
    numbers have the same heads, the place among them is part of it."""
    columns = [_hash(fold(head.strip())) for head in table.columns]
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for cells in table.rows:
        words = [fold(cell) for at, cell in enumerate(cells) if not at or number_of(cell) is None]
        row = _hash("\0".join(words))
        for at, cell in enumerate(cells):
            value = number_of(cell) if at or len(cells) == 1 else None
            if value is None or len(text := str(_canonical(value))) > _LONGEST:
                continue
            seen[row, columns[at]] += 1
            times = seen[row, columns[at]]
            named = row if times == 1 else _hash(f"{row}\0{times}")
            found.append(Number(named, columns[at], Decimal(text)))
    if len(found) > MAX_NUMBERS:
        kept = set(sorted((one.row, one.column) for one in found)[:MAX_NUMBERS])
        found = [one for one in found if (one.row, one.column) in kept]
    return tuple(found)


def numbers_from_json(raw: Any) -> tuple[Number, ...]:
    """The inverse of `Number.to_json` for all of a table; raises ValueError on anything else."""
    if not isinstance(raw, list) or len(raw) > MAX_NUMBERS:
        raise ValueError("numbers")
    found = []
    for one in raw:
        if not (isinstance(one, list) and len(one) == 3 and all(isinstance(part, str) for part in one)):
            raise ValueError("numbers")
        row, column, text = one
        if not (_WORD.fullmatch(row) and _WORD.fullmatch(column) and len(text) <= _LONGEST):
            raise ValueError("numbers")
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise ValueError("numbers") from error
        if not value.is_finite() or abs(value.adjusted()) > _LARGEST:
            raise ValueError("numbers")
        found.append(Number(row, column, value))
    return tuple(found)


def compare_numbers(new: Sequence[Number], old: Sequence[Number]) -> Nearness:
    """How the numbers of two tables compare. 1. Under the same heads. 2. Where hardly any are: the columns
    and rows of one with those of the other, under the same labels or in the same order."""
    known = {(one.row, one.column): one.value for one in old}
    pairs = [(one.value, known[one.row, one.column]) for one in new if (one.row, one.column) in known]
    changed = sum(a != b for a, b in pairs)
    fewer = min(len(new), len(old))
    if len(pairs) >= max(1, min(_LEAST, fewer)) and 2 * len(pairs) >= fewer:
        return Nearness(len(pairs) - changed, changed)
    near = max((_near(a, b) for a in _series(new) for b in _series(old)), default=0)
    return Nearness(len(pairs) - changed, changed if len(pairs) >= _LEAST else 0, near)


@dataclass(frozen=True, slots=True)
class _Series:
    """Columns, or rows, of a table that have the same labels: `values[k]` are the numbers of one, in the
    order of the labels."""

    labels: tuple[str, ...]
    values: Values


def _series(numbers: Sequence[Number]) -> Iterator[_Series]:
    """The columns and the rows that have enough numbers."""
    columns: dict[str, dict[str, float]] = defaultdict(dict)
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for one in numbers:
        value = float(one.value)
        if not math.isfinite(value):
            continue
        columns[one.column][one.row] = value
        rows[one.row][one.column] = value
    for series in (columns, rows):
        like: dict[tuple[str, ...], list[list[float]]] = defaultdict(list)
        for labelled in series.values():
            like[tuple(labelled)].append(list(labelled.values()))
        for labels, values in like.items():
            if len(labels) >= _LEAST:
                yield _Series(labels, np.array(values))


def _near(new: _Series, old: _Series) -> int:
    """How many numbers of a series are nearly those of another and not all the same; 0 where too few are."""
    where = {label: at for at, label in enumerate(old.labels)}
    common = [(at, where[label]) for at, label in enumerate(new.labels) if label in where]
    if len(common) >= _LEAST and 2 * len(common) >= min(len(new.labels), len(old.labels)):
        ours, theirs = map(list, zip(*common, strict=True))
        first, second = new.values[:, None, ours], old.values[None, :, theirs]
        said = _says_something(first) | _says_something(second)
        close = said & _is_hardly_changed(first, second)
    elif len(new.labels) == len(old.labels):
        first, second = new.values[:, None, :], old.values[None, :, :]
        said = ~_is_year(first) & ~_is_year(second)
        close = said & _is_changed_by_few(first, second)
    else:
        return 0
    counted = close.sum(axis=-1)
    enough = (counted >= _LEAST) & (counted >= _MOST_OF * said.sum(axis=-1))
    differs = (said & (first != second)).any(axis=-1)
    return int(np.where(enough & differs, counted, 0).max(initial=0))


def _is_hardly_changed(a: Values, b: Values) -> Mask:
    """Whether two numbers under one label are nearly the same, or counts that differ by a few."""
    apart = np.abs(a - b)
    few = _is_whole(a) & _is_whole(b) & (apart < _FEW)
    return np.asarray(apart <= np.where(few, _NEAR_COUNT, _NEAR) * np.maximum(np.abs(a), np.abs(b)))


def _is_changed_by_few(a: Values, b: Values) -> Mask:
    """Whether numbers under different labels are the same, or counts that differ by a few, by no chance."""
    larger = np.maximum(np.abs(a), np.abs(b))
    same = (a == b) & ((larger >= _TELLING) | _has_digits(a, _DIGITS + 1))
    whole = _is_whole(a) & _is_whole(b) & (np.minimum(a, b) >= _TELLING)
    return np.asarray(same | (whole & (np.abs(a - b) < _FEW) & (np.abs(a - b) <= _NEAR * larger)))


def _says_something(values: Values) -> Mask:
    """Whether numbers are not met everywhere, as small counts, years and short averages are."""
    counts = _is_whole(values) & (np.abs(values) >= _LEAST_COUNT) & ~_is_year(values)
    return np.asarray(counts | _has_digits(values, _DIGITS))


def _has_digits(values: Values, digits: int) -> Mask:
    """Whether numbers have decimals, and so many digits."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = np.floor(np.log10(np.abs(values)))
        scaled = values / 10.0 ** (power - digits + 2)
        return np.asarray(~_is_whole(values) & (np.abs(scaled - np.round(scaled)) > _ROUND))


def _is_whole(values: Values) -> Mask:
    return np.asarray(values == np.round(values))


def _is_year(values: Values) -> Mask:
    return np.asarray(_is_whole(values) & (values >= _YEARS.start) & (values < _YEARS.stop))


def _canonical(value: Decimal) -> Decimal:
    return value.normalize() + 0  # no −0


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
