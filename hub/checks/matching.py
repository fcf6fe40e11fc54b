"""Printed columns against the columns of an extract: same values at the precision printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.extracts import Part
from hub.checks.printed_columns import Printed, keys_of, number_keys, text_keys
from hub.checks.runs import STEP
from hub.checks.tuples import Places, Tuples

_MOST_SHARE = 0.1  # of the rows: with more, all are looked at in their order
_RARE_SHARE = 0.2  # of the rows: so many are looked at one by one
_FIRST = 4_096  # rows with a value: among them most tuples that stand in the extract at all are found
_SEED = 20_260_101


Positions = npt.NDArray[np.int64]
Rows = slice | Positions
Pair = tuple[Printed, str]  # printed column → variable of the extract
Mapping = Sequence[Pair]


class Matcher:
    """One Parquet file, asked about printed columns. What was computed once is kept for this file and run.

    A printed number is looked for among the sorted different values of a variable; rows are only looked at
    where a value was found, those of the rarest column first.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self._texts: dict[str, dict[str, int]] = {}
        self._rows: dict[tuple[int, str], Positions] = {}
        self._places_of_codes: dict[tuple[int, str], Places] = {}
        self._sizes_of: dict[tuple[int, str], Places] = {}
        self._rows_by_place: dict[tuple[int, str], dict[int, Positions]] = {}
        self._standing: dict[frozenset[tuple[int, str]], npt.NDArray[np.bool_]] = {}

    def can_print(self, column: Printed, name: str) -> bool:
        """Whether the variable is of the kind that is printed in the column."""
        kind = self.part.schema[name]
        return (
            kind.is_numeric() if column.decimals is not None else not (kind.is_numeric() or kind.is_nested())
        )

    def holds(self, name: str, decimals: int, wanted: Places) -> npt.NDArray[np.bool_]:
        """Which of the numbers are values of the variable as it would be printed."""
        first, last = self._places(name, decimals, wanted)
        return last > first

    def edges(self, name: str, decimals: int, size: int) -> tuple[Places, Places]:
        """The smallest and the largest different values as they would be printed, so many where there are."""
        values, _ = self.part.ranked(name)
        lowest = highest = np.zeros(0, dtype=np.int64)
        taken = 0
        while min(lowest.size, highest.size) < size and taken < values.size:
            taken = min(values.size, max(4 * taken, 4 * size))
            lowest = np.unique(_numbers(values[:taken], decimals))
            highest = np.unique(_numbers(values[values.size - taken :], decimals))
        return lowest[:size], highest[-size:]

    def _places(self, name: str, decimals: int, wanted: Places) -> tuple[Places, Places]:
        """Where the values printed as each number begin and end among the sorted different ones."""
        values, _ = self.part.ranked(name)
        scale = 10**decimals
        if self.part.schema[name].is_integer():
            whole = wanted // scale
            first = np.searchsorted(values, whole.astype(_type_within(values)), side="left")
            last = np.searchsorted(values, whole.astype(_type_within(values)), side="right")
            fits = (wanted % scale == 0) & (np.abs(whole) < 10 ** (18 - decimals))
            return np.where(fits, first, 0), np.where(fits, last, 0)
        near = np.abs(wanted) * 1e-9 / scale + 1e-12
        first = np.searchsorted(values, ((wanted - 0.5) / scale - near).astype(values.dtype), side="left")
        last = np.searchsorted(values, ((wanted + 0.5) / scale + near).astype(values.dtype), side="right")
        return self._narrowed(values, decimals, wanted, first, last)

    def _narrowed(
        self, values: npt.NDArray[Any], decimals: int, wanted: Places, first: Places, last: Places
    ) -> tuple[Places, Places]:
        """From both sides to the values that are printed so: printing keeps the order."""
        first, last = first.astype(np.int64), last.astype(np.int64)
        for ends, step, shift in ((first, 1, 0), (last, -1, -1)):
            open_ = np.flatnonzero(first < last)
            while open_.size:
                printed = number_keys(pl.Series(values[ends[open_] + shift]), decimals)
                open_ = open_[(printed != pl.Series(wanted[open_])).fill_null(value=True).to_numpy()]
                ends[open_] += step
                open_ = open_[first[open_] < last[open_]]
        return first, last

    def _text_rows(self, name: str) -> dict[str, int]:
        """Text as it would be printed → rows of the variable."""
        if name not in self._texts:
            counted = self.part.counted(name)
            keys = text_keys(counted.get_column("value"))
            printed = pl.DataFrame({"value": keys, "rows": counted.get_column("rows")}).drop_nulls("value")
            self._texts[name] = dict(printed.group_by("value").agg(pl.col("rows").sum()).rows())
        return self._texts[name]

    def keys_at(self, column: Printed, name: str, rows: Positions) -> pl.Series:
        """Some rows of a variable that can be printed so (`can_print`), as they would be; LookupError naming
        it where it cannot."""
        if not self.can_print(column, name):
            raise LookupError(f"{name} cannot be printed so")
        return keys_of(self.part.at(name, rows), column.decimals)

    def rows_of(self, column: Printed, name: str, most: int) -> list[Positions]:
        """For each of the first `most` printed rows the rows of the extract with its value, ascending."""
        printed = column.keys.head(most)
        wanted = printed.drop_nulls().unique().sort()
        if column.decimals is None:
            held = self._rows_of_texts(name, wanted)
            keys = self.keys_at(column, name, held)
            own = pl.DataFrame({"value": keys, "row": held}).partition_by("value", as_dict=True)
            known = {key[0]: rows.get_column("row").to_numpy() for key, rows in own.items()}
        else:
            numbers = wanted.to_numpy()
            known = dict(
                zip(wanted.to_list(), self._rows_between(name, column.decimals, numbers), strict=True)
            )
        none = np.zeros(0, dtype=np.int64)
        return [known.get(value, none) for value in printed.to_list()]

    def _rows_between(self, name: str, decimals: int, wanted: Places) -> list[Positions]:
        """Per number the rows with a value that is printed so, ascending."""
        first, last = self._places(name, decimals, wanted)
        places = [slice(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        return self.part.rows_at(name, places)

    def _rows_of_texts(self, name: str, wanted: pl.Series) -> Positions:
        values = self.part.counted(name).get_column("value")
        keys = text_keys(values)
        rows: Positions = self.part.rows_among(
            name, values.filter(keys.is_in(wanted.implode()).fill_null(value=False))
        )
        return rows

    def sizes(self, column: Printed, name: str, most: int) -> list[int]:
        """How many rows of the extract hold the value of each of the first printed rows."""
        wanted = column.keys.head(most)
        if not self.can_print(column, name):
            return [0] * wanted.len()
        if column.decimals is None:
            known = self._text_rows(name)
            return [known.get(text, 0) for text in wanted.to_list()]
        first, last = self._places(name, column.decimals, wanted.fill_null(0).to_numpy())
        before = self.part.ranked(name)[1]
        rows = np.where(wanted.is_null().to_numpy(), 0, before[last].astype(np.int64) - before[first])
        return [int(one) for one in rows]

    def explained(self, column: Printed, name: str, least: int = 1) -> int:
        """How many printed rows hold a value of the variable; where these must be fewer than `least`, at most
        how many, without looking at the variable."""
        bound = self._bound(column, name)
        if bound < least:
            return bound
        if not self.can_print(column, name) or not column.counts:
            return 0
        if column.decimals is None:
            known = self._text_rows(name)
            return sum(rows for text, rows in column.counts.items() if text in known)
        wanted = np.fromiter(column.counts, dtype=np.int64)
        rows = np.fromiter(column.counts.values(), dtype=np.int64)
        return int(rows[self.holds(name, column.decimals, wanted)].sum())

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

    def sizes_of_all(self, column: Printed, name: str) -> list[int]:
        """Rows of the extract per different printed value."""
        if column.decimals is None:
            known = self._text_rows(name)
            return [known.get(text, 0) for text in column.values.to_list()]
        first, last = self._places(name, column.decimals, column.values.to_numpy())
        before = self.part.ranked(name)[1]
        return [int(rows) for rows in before[last].astype(np.int64) - before[first]]

    def _held(self, column: Printed, name: str) -> Positions:
        """The rows with a value that is printed in the column, ascending."""
        at = (column.index, name)
        if at not in self._rows:
            if column.decimals is None:
                self._rows[at] = self._rows_of_texts(name, column.values)
            else:
                found = self._rows_between(name, column.decimals, column.values.to_numpy())
                self._rows[at] = np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
        return self._rows[at]

    def _printed_at(self, column: Printed, name: str, rows: Rows) -> Places:
        """For some rows the place of their value among the sorted printed ones; -1: it is not printed."""
        stored, wanted = self.part.stored, column.sorted_values
        if stored is not None and stored.has(name, "codes"):
            if (column.index, name) not in self._places_of_codes:
                keys = keys_of(self.part.counted(name).get_column("value"), column.decimals)
                self._places_of_codes[column.index, name] = np.append(_places_among(keys, wanted), -1)
            return self._places_of_codes[column.index, name][stored.array(name, "codes")[rows]]
        if isinstance(rows, slice):
            rows = np.arange(rows.start, min(rows.stop, self.part.height))
        return _places_among(self.keys_at(column, name, rows), wanted)

    def _found(self, ours: pl.DataFrame, mapping: Mapping, enough: int | None) -> Places:
        """For each printed tuple the rows of the extract with these values; where `enough` is given, of some
        tuples only so many. A tuple with a gap stands nowhere.

        1. Tuples with a rare value: among the rows of that value, whichever column it is in. 2. The others:
        among all rows."""
        wanted = [column.sorted_values for column, _ in mapping]
        places = [_places_among(ours.get_column(str(at)), values) for at, values in enumerate(wanted)]
        held = np.stack([self._sizes(*pair)[at] for pair, at in zip(mapping, places, strict=True)])
        if len(mapping) == 1:
            return np.asarray(held[0], dtype=np.int64)
        rarest, least = held.argmin(axis=0), held.min(axis=0)
        found = np.zeros(ours.height, dtype=np.int64)
        ascending = np.argsort(least, kind="stable")
        ascending = ascending[least[ascending] > 0]
        few = np.cumsum(least[ascending]) <= _RARE_SHARE * self.part.height
        for at in range(len(mapping)):  # (1)
            own = ascending[few][rarest[ascending[few]] == at]
            if own.size:
                found[own] = self._among_rare(mapping, places, at, own, enough)
        common = ascending[~few]
        if common.size:  # (2)
            parts = [place[common] for place in places]
            found[common] = self._among_all(mapping, parts, [one.len() for one in wanted], enough)
        return found

    def _sizes(self, column: Printed, name: str) -> Places:
        """Per sorted printed value the rows that hold it; 0 in the last place, which is that of gaps."""
        at = (column.index, name)
        if at not in self._sizes_of:
            if column.decimals is None:
                known = self._text_rows(name)
                rows = np.array([known.get(text, 0) for text in column.sorted_values.to_list()], np.int64)
            else:
                first, last = self._places(name, column.decimals, column.sorted_values.to_numpy())
                before = self.part.ranked(name)[1]
                rows = before[last].astype(np.int64) - before[first]
            self._sizes_of[at] = np.append(rows, 0)
        return self._sizes_of[at]

    def _among_rare(
        self, mapping: Mapping, places: Sequence[Places], rare: int, own: Places, enough: int | None
    ) -> Places:
        """The rows of some tuples, looked for among those with their value in one column: first among few."""
        lists = self._rows_of_values(*mapping[rare], places[rare][own])
        others = [
            (pair, place[own])
            for at, (pair, place) in enumerate(zip(mapping, places, strict=True))
            if at != rare
        ]
        if enough is None:
            return self._matching(lists, others)
        found = self._matching([one[:_FIRST] for one in lists], others)
        left = np.flatnonzero((found < enough) & (np.array([one.size for one in lists]) > _FIRST))
        if left.size:
            found[left] = self._matching(
                [lists[at] for at in left.tolist()], [(p, at[left]) for p, at in others]
            )
        return found

    def _matching(self, lists: Sequence[Positions], others: Sequence[tuple[Pair, Places]]) -> Places:
        """Of some rows per tuple those with its values in the other columns too. `others`: the place of each
        tuple's value among the sorted printed ones."""
        rows = np.concatenate(lists)
        owner = np.repeat(np.arange(len(lists)), [one.size for one in lists])
        for pair, place in others:
            if rows.size:
                same = self._printed_at(*pair, rows) == place[owner]
                rows, owner = rows[same], owner[same]
        return np.bincount(owner, minlength=len(lists))

    def _rows_of_values(self, column: Printed, name: str, at: Places) -> list[Positions]:
        """Per place among the sorted printed values the rows that hold that value."""
        known = self._rows_by_place.setdefault((column.index, name), {})
        new = np.setdiff1d(at, np.fromiter(known, dtype=np.int64, count=len(known)))
        if new.size:
            values = column.sorted_values.gather(new)
            if column.decimals is None:
                held = self._rows_of_texts(name, values)
                place = _places_among(self.keys_at(column, name, held), values)
                lists = [held[place == one] for one in range(new.size)]
            else:
                lists = self._rows_between(name, column.decimals, values.to_numpy())
            known.update(zip(new.tolist(), lists, strict=True))
        return [known[one] for one in at.tolist()]

    def _among_all(
        self, mapping: Mapping, places: Sequence[Places], sizes: Sequence[int], enough: int | None
    ) -> Places:
        """The rows of some tuples, looked for among all that may hold one."""
        levels = Tuples(places, sizes)
        counts = np.zeros(levels.size, dtype=np.int64)
        for rows in self._pieces(mapping):
            at = self._printed_at(*mapping[0], rows)
            held = at >= 0
            rows_left = np.arange(rows.start, rows.start + at.size) if isinstance(rows, slice) else rows
            rows_left, key = rows_left[held], levels.first(at[held])
            for level, pair in enumerate(mapping[1:], start=1):
                at = self._printed_at(*pair, rows_left)
                key = levels.next(level, key, at)
                held = key >= 0
                rows_left, key = rows_left[held], key[held]
            counts += np.bincount(key[key >= 0], minlength=levels.size)
            if enough is not None and (counts >= enough).all():
                break
        return counts[levels.of_ours]

    def _pieces(self, mapping: Mapping) -> Iterator[Rows]:
        """The rows that can be any of the tuples, some at a time: those of the rarest column, or all."""
        totals = [sum(self.sizes_of_all(*pair)) for pair in mapping]
        rarest = int(np.argmin(totals))
        if totals[rarest] > _MOST_SHARE * self.part.height:
            for first in range(0, self.part.height, STEP):
                yield slice(first, first + STEP)
        else:
            rows = self._held(*mapping[rarest])
            for first in range(0, rows.size, STEP):
                yield rows[first : first + STEP]

    def _ours(self, mapping: Mapping) -> pl.DataFrame:
        return pl.DataFrame({str(at): column.keys for at, (column, _) in enumerate(mapping)})

    def present(self, mapping: Mapping) -> int:
        """How many printed rows stand in the extract."""
        return int(np.count_nonzero(self._present(mapping)))

    def _present(self, mapping: Mapping) -> npt.NDArray[np.bool_]:
        """Which printed rows do: only those that do without the last column."""
        key = frozenset((column.index, name) for column, name in mapping)
        if key not in self._standing:
            ours = self._ours(mapping)
            if len(mapping) > 1:
                before = self._present(mapping[:-1])
                found = np.zeros(ours.height, dtype=np.bool_)
                found[before] = self._found(ours.filter(pl.Series(before)), mapping, 1) > 0
            else:
                found = self._found(ours, mapping, 1) > 0
            self._standing[key] = found
        return self._standing[key]

    def rare(self, mapping: Mapping, fewer_than: int, *, shuffled: bool = False) -> int:
        """How many different printed tuples stand on fewer than so many rows; or would, were the printed
        columns shuffled against each other."""
        ours = self._ours(mapping)
        if shuffled:
            ours = ours.select(
                pl.col(name).shuffle(seed=_SEED + at) if at else pl.col(name)
                for at, name in enumerate(ours.columns)
            )
        ours = ours.unique()
        rows = self._found(ours, mapping, fewer_than)
        return int(np.count_nonzero((rows > 0) & (rows < fewer_than)))

    def groups(self, mapping: Mapping, at_least: int) -> float:
        """Share of the printed rows that name a group of their own with at least so many rows; 0.0 when
        two printed rows name the same group."""
        ours = self._ours(mapping)
        if ours.n_unique() < ours.height:
            return 0.0
        return float(np.count_nonzero(self._found(ours, mapping, at_least) >= at_least) / ours.height)


def _places_among(keys: pl.Series, wanted: pl.Series) -> Places:
    """The place of each key among the sorted wanted ones; -1 where it is none of them."""
    if not wanted.len():
        return np.full(keys.len(), -1, dtype=np.int64)
    if keys.dtype == pl.String:
        known = pl.DataFrame({"key": wanted}).with_row_index("at")
        joined = pl.DataFrame({"key": keys}).join(known, on="key", how="left", maintain_order="left")
        return joined.get_column("at").cast(pl.Int64).fill_null(-1).to_numpy()
    numbers, known_numbers = keys.fill_null(0).to_numpy(), wanted.to_numpy()
    places = np.minimum(np.searchsorted(known_numbers, numbers), known_numbers.size - 1)
    hit = (known_numbers[places] == numbers) & ~keys.is_null().to_numpy()
    return np.where(hit, places, -1)


def _type_within(values: npt.NDArray[Any]) -> type[np.float64] | type[np.int64]:
    """The type in which whole numbers are looked for among the values without changing those."""
    return np.float64 if values.dtype.kind == "f" else np.int64


def _numbers(values: npt.NDArray[Any], decimals: int) -> Places:
    """Numbers as they would be printed, without those that cannot be."""
    return number_keys(pl.Series(values), decimals).drop_nulls().to_numpy()
