"""Groups of rows of a panel and their statistics: what GROUP BY answers, computed once per question.

A group number per row (-1: in no group) is all there is; counts, sums, order statistics and distinct units
follow from it by counting, a piece of the rows at a time. At 25 million rows each pass counts: none is made
twice, none sorts what is sorted (extracts are by unit), and none makes another array as long as the table.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.checks.codes import Codes
from hub.checks.crossings import Merged
from hub.checks.order_statistics import ginis_of, quantiles_of
from hub.checks.panels import Floats, Panel
from hub.checks.runs import (
    STEP,
    Lags,
    Runs,
    Small,
    count_units,
    gathered,
    lags_of,
    largest_two,
    small_type,
    top_two,
    units_by_group,
)

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = slice | Ints
Amounts = Callable[[Rows], npt.NDArray[Any]]

_MOST_OUTSIDE = 0.9  # with more rows in no group, only those in groups are looked at


@dataclass
class Groups:
    """`gid`: per row its group from 0 to `count` - 1, or -1. Arrays of results have one value per group.
    `merged`: the same groups as cells of a crossing, where they are such."""

    panel: Panel
    made: Small | Callable[[], Small]
    count: int
    merged: Merged | None = None
    _memory: dict[tuple[object, ...], Floats] = field(default_factory=dict)
    _members: dict[tuple[str, str | None], tuple[npt.NDArray[np.int32], Ints]] = field(default_factory=dict)
    _tops: dict[tuple[str, str, str | None], tuple[Floats, Floats, Floats]] = field(default_factory=dict)
    _segments: dict[str, tuple[Floats, Ints]] = field(default_factory=dict)
    _lags: dict[str, Lags | None] = field(default_factory=dict)
    _without: dict[str, Small] = field(default_factory=dict)
    _having: dict[str, Groups] = field(default_factory=dict)

    @cached_property
    def gid(self) -> Small:
        """Made when the first question is asked that its crossing does not answer."""
        return self.made() if callable(self.made) else self.made

    @cached_property
    def _held(self) -> Ints | None:
        """The rows in groups, where these are so few that the others are not looked at."""
        outside = int(np.count_nonzero(self.gid < 0))
        return np.flatnonzero(self.gid >= 0) if outside > _MOST_OUTSIDE * self.gid.size else None

    def _pieces(self) -> Iterator[tuple[Rows, npt.NDArray[np.intp]]]:
        """The rows looked at, some at a time, and the place of each in a tally: 0 for none, else its group
        plus 1. Pieces stay in the processor's cache, and nothing as long as the table is made."""
        step = max(STEP, 4 * self.count)
        size = self.gid.size if self._held is None else self._held.size
        for first in range(0, size, step):
            rows: Rows = (
                slice(first, first + step) if self._held is None else self._held[first : first + step]
            )
            yield rows, np.add(self.gid[rows], 1, dtype=np.intp)

    def _tally(self, key: Hashable, amounts: Amounts | None = None) -> Floats:
        """The sum of the amounts of the rows looked at per group; without amounts the rows. `key`: what is
        summed."""
        if self.merged is not None:
            return self.merged.gathered(self.merged.crossing.total(key, amounts))
        found = np.zeros(self.count + 1)
        for rows, bins in self._pieces():
            found += np.bincount(bins, None if amounts is None else amounts(rows), self.count + 1)
        return found[1:]

    def _values(self, name: str) -> Amounts:
        """The variable in some rows."""
        return self.panel.numeric_reader(name)

    def rows(self) -> Floats:
        """Rows per group."""
        return self._kept(("rows",), lambda: self._tally("rows"))

    def tell_rows(self, rows: Floats) -> None:
        """What `rows` would find, known already."""
        self._memory["rows",] = rows

    def present(self, name: str) -> Floats:
        """Rows with a value."""
        return self._kept(("present", name), lambda: self._present(name))

    def total(self, name: str, weight: str | None = None) -> Floats:
        """Sum of the values, each times its weight."""
        return self._kept(("sum", name, weight), lambda: self._sum(name, weight))

    def mean(self, name: str, weight: str | None = None) -> Floats:
        """Mean of the values; NaN without any."""
        below = self.present(name) if weight is None else self._weights(name, weight)
        return _divide(self.total(name, weight), below)

    def variance(self, name: str, ddof: int = 1) -> Floats:
        """Variance of the values; the centre is taken out first, so that large values do not cancel."""
        return self._kept(("variance", name, ddof), lambda: self._variance(name, ddof))

    def extreme(self, name: str, *, largest: bool) -> Floats:
        """Largest or smallest value; NaN without any."""
        return self._kept(("extreme", name, largest), lambda: self._extreme(name, largest=largest))

    def varying(self, name: str) -> Floats:
        """Rows whose value is not that of another row of their group: 0 where all values are the same. Only
        of the first rows where these tell that in no group they are."""
        return self._kept(("varying", name), lambda: self._varying(name))

    def quantile(self, name: str, share: float, method: str = "linear") -> Floats:
        """The quantile at `share` by a method of numpy; NaN without values."""
        return self._kept(("quantile", name, share, method), lambda: self._quantile(name, share, method))

    def having(self, name: str) -> Groups:
        """The same groups over the rows with a value of `name`."""
        if self._where(name) is self.gid:
            return self
        if name not in self._having:
            self._having[name] = Groups(self.panel, self._where(name), self.count)
        return self._having[name]

    def parted(self, name: str) -> Groups:
        """Each group in as many as `name` has categories, in their order; rows without it are in none."""
        known = self.panel.few_categories(name)
        size = len(known.values)
        if self.merged is not None:
            wider = self.panel.wider(self.merged.crossing, name)
            if wider is not None:
                merged = self.merged.parted(wider)
                return Groups(self.panel, merged.rows, merged.count, merged)
        return Groups(self.panel, split(self.gid, known.codes, self.count, size), self.count * size)

    def gini(self, name: str) -> Floats:
        """Gini coefficient of the values; NaN without values or with a total of 0."""
        return self._kept(("gini", name), lambda: self._gini(name))

    def correlation(self, one: str, two: str) -> Floats:
        """Pearson's correlation over the rows with both values."""
        one, two = sorted((one, two))
        return self._kept(("correlation", one, two), lambda: self._correlation(one, two))

    def located(self, chosen: Sequence[int]) -> tuple[Ints, npt.NDArray[np.int8]]:
        """The rows of some groups, ascending, and which of these (at most 127) each is in."""
        label = np.full(self.count + 1, -1, dtype=np.int8)  # rows in no group have the last place
        label[list(chosen)] = np.arange(len(chosen), dtype=np.int8)
        rows, own = [np.zeros(0, np.int64)], [np.zeros(0, np.int8)]
        for part, where in self._labelled(label):
            at = np.flatnonzero(where >= 0)
            rows.append(at + part.start)
            own.append(where[at])
        return np.concatenate(rows), np.concatenate(own)

    def _labelled(self, label: npt.NDArray[np.int8]) -> Iterator[tuple[slice, npt.NDArray[np.int8]]]:
        if self.merged is not None:
            of_cells = label[self.merged.group_of]
            for part, cells in self.merged.crossing.pieces():
                yield part, of_cells[cells]
        else:
            for first in range(0, self.gid.size, STEP):
                part = slice(first, first + STEP)
                yield part, label[self.gid[part]]

    def units(self, kind: str, name: str | None = None) -> Floats:
        """Distinct units per group, of the rows with a value of `name`."""
        if name is not None and self._where(name) is self.gid:
            name = None  # no value is missing
        return self._kept(("units", kind, name), lambda: self._units(kind, name))

    def _units(self, kind: str, name: str | None) -> Floats:
        all_units = self.panel.all_units(kind)
        if all_units is not None and self.count == 1 and name is None and self.rows()[0] == self.panel.rows:
            return np.array([float(all_units)])
        where, runs = self._where(name), self.panel.runs(kind)
        if runs is not None and runs.longest == 1 and runs.size == self.gid.size:
            return self.rows() if name is None else self.present(name)
        if runs is not None:
            return count_units(runs, where, self.count, self._lags_of(kind, runs, where))
        return np.diff(self._by_group(kind, name)[1]).astype(np.float64)

    def members(self, kind: str, group: int, name: str | None = None) -> npt.NDArray[np.int32]:
        """The units of one group, sorted."""
        units, starts = self._by_group(kind, name)
        return units[starts[group] : starts[group + 1]]

    def _by_group(self, kind: str, name: str | None) -> tuple[npt.NDArray[np.int32], Ints]:
        where, runs = self._where(name), self.panel.runs(kind)
        key = (kind, None if where is self.gid else name)
        if key not in self._members:
            if runs is not None:
                lags = self._lags_of(kind, runs, where)
                self._members[key] = units_by_group(runs, where, self.count, lags)
            else:
                self._members[key] = _sorted_pairs(where, *self.panel.unit(kind), self.count)
        return self._members[key]

    def top_shares(self, kind: str, name: str, weight: str | None = None) -> tuple[Floats, Floats, Floats]:
        """Per group the shares of the largest unit and of the two largest in the sum of absolute values, and
        what is left beside them as a share of the largest (p %); weighted where the number is."""
        key = (kind, name, weight)
        if key not in self._tops:
            self._tops[key] = self._tops_of(kind, self._sizes_of(name, weight))
        return self._tops[key]

    def top_deviations(self, kind: str, name: str) -> tuple[Floats, Floats, Floats]:
        """As `top_shares`, of the squared distances from the group's mean, which a variance is made of."""
        key = (kind, name, "\0")
        if key not in self._tops:
            means, values = np.append(np.nan, self.mean(name)), self._values(name)
            self._tops[key] = self._tops_of(
                kind, lambda rows: np.square(values(rows) - means[np.add(self.gid[rows], 1, dtype=np.intp)])
            )
        return self._tops[key]

    def _tops_of(self, kind: str, amounts: Amounts) -> tuple[Floats, Floats, Floats]:
        runs = self.panel.runs(kind)
        if runs is not None:
            lags = self._lags_of(kind, runs, self.gid)
            whole, first, second = largest_two(runs, self.gid, amounts, self.count, lags)
        else:
            whole, first, second = self._largest_two_sorted(kind, amounts)
        rest = _divide(whole - first - second, first)
        return _divide(first, whole), _divide(first + second, whole), rest

    def _lags_of(self, kind: str, runs: Runs, where: Small) -> Lags | None:
        """Of the groups themselves made once: each rule asks for them."""
        if where is not self.gid:
            return lags_of(runs, where)
        if kind not in self._lags:
            self._lags[kind] = lags_of(runs, where)
        return self._lags[kind]

    def _sizes_of(self, name: str, weight: str | None) -> Amounts:
        """What a row adds to its unit: without its sign, NaN where there is no value."""
        values = self._values(name)
        if weight is None:
            return lambda rows: np.abs(values(rows))
        weights = self._values(weight)

        def weighed(rows: Rows) -> Floats:
            own = values(rows)
            return np.where(np.isnan(own), np.nan, np.abs(_without_gaps(own * weights(rows))))

        return weighed

    def _largest_two_sorted(self, kind: str, amounts: Amounts) -> tuple[Floats, Floats, Floats]:
        """By sorting all rows, where units have many rows."""
        codes, _ = self.panel.unit(kind)
        own = amounts(slice(None))
        keep = (self.gid >= 0) & (codes >= 0) & ~np.isnan(own)
        keys = codes[keep] * np.int64(max(self.count, 1)) + self.gid[keep]
        keys, sums = _run_sums(keys, own[keep])
        if keys.size and not (np.diff(keys) > 0).all():
            order = np.argsort(keys, kind="stable")
            keys, sums = _run_sums(keys[order], sums[order])
        groups = (keys % max(self.count, 1)).astype(np.intp)
        return np.bincount(groups, sums, self.count).astype(np.float64), *top_two(groups, sums, self.count)

    def _kept(self, key: tuple[object, ...], make: Callable[[], Floats]) -> Floats:
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    def _where(self, name: str | None) -> Small:
        """The groups, without the rows that have no value of `name`."""
        if name is None or self.panel.is_complete(name):
            return self.gid
        if name not in self._without:
            self._without[name] = without_rows(self.gid, self.panel.gaps(name))
        return self._without[name]

    def _present(self, name: str) -> Floats:
        if self.panel.is_complete(name):
            return self.rows()
        gaps = self.panel.gaps(name)
        return self._tally(("present", name), lambda rows: ~gaps(rows))

    def _sum(self, name: str, weight: str | None) -> Floats:
        values = self._values(name)
        key = ("sum", name, weight)
        if weight is None:
            return self._tally(key, lambda rows: _without_gaps(values(rows)))
        weights = self._values(weight)
        return self._tally(key, lambda rows: _without_gaps(values(rows) * weights(rows)))

    def _weights(self, name: str, weight: str) -> Floats:
        weights, gaps = self._values(weight), self.panel.gaps(name)
        if self.panel.reader(name) is None or self.panel.is_complete(name):
            return self._tally(("sum", weight, None), lambda rows: _without_gaps(weights(rows)))
        return self._tally(
            ("weights", name, weight),
            lambda rows: np.where(gaps(rows), 0.0, _without_gaps(weights(rows))),
        )

    def _variance(self, name: str, ddof: int) -> Floats:
        return _divide(self._squares(name), self.present(name) - ddof)

    def _squares(self, name: str) -> Floats:
        return self._kept(("squares", name), lambda: self._squared(name))

    def _squared(self, name: str) -> Floats:
        """Sum of the squared distances of the values from the mean of their group. Where groups are merged
        of cells: that of the cells, and of the means of the cells (Chan, Golub, LeVeque 1983, 2.1)."""
        if self.merged is not None:
            return self._squares_of_cells(name, self.merged)
        means, values = np.append(np.nan, self.mean(name)), self._values(name)
        found = np.zeros(self.count + 1)
        for rows, bins in self._pieces():
            away = _without_gaps(values(rows) - means[bins])
            found += np.bincount(bins, away * away, self.count + 1)
        return found[1:]

    def _squares_of_cells(self, name: str, merged: Merged) -> Floats:
        values, crossing = self._values(name), merged.crossing
        cells = Merged(crossing, np.arange(crossing.size), crossing.size)
        whole = Groups(self.panel, cells.rows, cells.count, cells)
        present, total = whole.present(name), whole.total(name)
        within = crossing.squares(name, values, present, total)
        means = np.append(np.nan, self.mean(name))[merged.group_of + 1]
        away = np.divide(total, present, out=np.zeros(crossing.size), where=present > 0) - means
        return merged.gathered(within + np.where(present > 0, np.nan_to_num(present * away * away), 0.0))

    def _correlation(self, one: str, two: str) -> Floats:
        if not (self.panel.is_complete(one) and self.panel.is_complete(two)):
            return self._correlation_with_gaps(one, two)
        squares = self._squares(one) * self._squares(two)
        return _divide(self._squares(one) if one == two else self._products(one, two), np.sqrt(squares))

    def _products(self, one: str, two: str) -> Floats:
        """Sum of the products of what two complete variables are away from their means."""
        means = [np.append(np.nan, self.mean(name)) for name in (one, two)]
        first, second = self._values(one), self._values(two)
        found = np.zeros(self.count + 1)
        for rows, bins in self._pieces():
            away = first(rows) - means[0][bins]
            away *= second(rows) - means[1][bins]
            found += np.bincount(bins, away, self.count + 1)
        return found[1:]

    def _correlation_with_gaps(self, one: str, two: str) -> Floats:
        first, second = self._values(one), self._values(two)
        sums = np.zeros((3, self.count + 1))
        for rows, bins in self._pieces():
            x, y = first(rows), second(rows)
            gaps = np.isnan(x) | np.isnan(y)
            for at, amounts in enumerate((~gaps, np.where(gaps, 0.0, x), np.where(gaps, 0.0, y))):
                sums[at] += np.bincount(bins, amounts, self.count + 1)
        means = sums[1:] / np.maximum(sums[0], 1)
        found = np.zeros((3, self.count + 1))
        for rows, bins in self._pieces():
            x, y = first(rows), second(rows)
            gaps = np.isnan(x) | np.isnan(y)
            x, y = np.where(gaps, 0.0, x - means[0][bins]), np.where(gaps, 0.0, y - means[1][bins])
            for at, amounts in enumerate((x * y, x * x, y * y)):
                found[at] += np.bincount(bins, amounts, self.count + 1)
        return _divide(found[0, 1:], np.sqrt(found[1, 1:] * found[2, 1:]))

    def _varying(self, name: str) -> Floats:
        """Until each group is seen to vary, or all rows were looked at."""
        values, still = self._values(name), self.present(name) > 0
        example, found = np.full(self.count + 1, np.nan), np.zeros(self.count + 1)
        for rows, bins in self._pieces():
            own = values(rows)
            keep = (bins > 0) & ~np.isnan(own)
            held, own = bins[keep], own[keep]
            new = np.isnan(example[held])
            if new.any():
                example[held[new]] = own[new]
            found += np.bincount(held[own != example[held]], minlength=self.count + 1)
            if (found[1:][still] > 0).all():
                break
        return found[1:]

    def _sorted(self, name: str) -> tuple[Floats, Ints]:
        """Values in the order of groups and size, and where each group begins (one more at the end)."""
        if name not in self._segments:
            read, bins, values = self._values(name), [], []
            for rows, places in self._pieces():
                own = read(rows)
                keep = (places > 0) & ~np.isnan(own)
                bins.append((places[keep] - 1).astype(self.gid.dtype))
                values.append(own[keep])
            found, starts = gathered(bins, values, self.count)
            for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
                found[first:last].sort()
            self._segments[name] = (found, starts)
        return self._segments[name]

    def _gini(self, name: str) -> Floats:
        return ginis_of(*self._sorted(name))

    def _extreme(self, name: str, *, largest: bool) -> Floats:
        return self._quantile(name, 1.0 if largest else 0.0, "lower")

    def _quantile(self, name: str, share: float, method: str) -> Floats:
        return quantiles_of(*self._sorted(name), share, method)


def _without_gaps(values: Floats) -> Floats:
    gaps = np.isnan(values)
    return np.where(gaps, 0.0, values) if gaps.any() else values


def _divide(above: Any, below: Any) -> Floats:
    found: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _sorted_pairs(where: Small, codes: Codes, total: int, count: int) -> tuple[npt.NDArray[np.int32], Ints]:
    """The distinct units by group, by sorting all rows: where units have many rows."""
    total = max(total, 1)
    keys: Any = np.multiply(where, total, dtype=np.int64)
    keys += codes
    keep = (where >= 0) & (codes >= 0)
    if not keep.all():
        keys = keys[keep]
    keys = keys[np.diff(keys, prepend=-1) != 0]  # the rows of one unit mostly stand together
    keys.sort()
    keys = keys[np.diff(keys, prepend=-1) != 0]
    starts = np.searchsorted(keys, np.arange(count + 1) * np.int64(total))
    return (keys % total).astype(np.int32), starts.astype(np.int64)


def without_rows(gid: Small, gaps: Amounts) -> Small:
    """The groups, without the rows that have gaps."""
    found = gid.copy()
    for first in range(0, gid.size, STEP):
        part = slice(first, first + STEP)
        np.putmask(found[part], gaps(part), -1)
    return found


def split(gid: Small, codes: Small, count: int, size: int) -> Small:
    """Each of `count` groups in `size` parts, by the code of each row; -1 where either is."""
    found = np.empty(gid.size, dtype=small_type(count * size))
    for first in range(0, gid.size, STEP):
        part = slice(first, first + STEP)
        own, by = gid[part], codes[part]
        numbered = np.multiply(own, size, dtype=np.int32) + by
        found[part] = np.where((own < 0) | (by < 0), -1, numbered)
    return found


def _run_sums(keys: Ints, amounts: Floats) -> tuple[Ints, Floats]:
    """Neighbours with the same key as one, with the sum of their amounts."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if starts.size == keys.size:
        return keys, amounts
    return keys[starts], np.add.reduceat(amounts, starts)
