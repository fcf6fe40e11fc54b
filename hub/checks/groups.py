"""Groups of rows of a panel and their statistics: what GROUP BY answers, computed once per question.

A group number per row (-1: in no group) is all there is; counts, sums, order statistics and distinct units
follow from it by counting and sorting whole arrays, which takes milliseconds at 600,000 rows. At 25 million
each pass over the rows counts, so none is made twice and none sorts what is sorted (extracts are by unit).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.checks.panels import Codes, Floats, Panel

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# How programs interpolate quantiles: R and pandas by default, SAS and Stata, and the order statistics.
QUANTILE_METHODS = ("linear", "averaged_inverted_cdf", "lower", "higher", "midpoint", "nearest")
_MOST_OUTSIDE = 0.3  # with more rows in no group, those in groups are copied out
_FIRST_ROWS = 100_000
_SHORT = 32_000


@dataclass
class Groups:
    """`gid`: per row its group from 0 to `count` - 1, or -1. Arrays of results have one value per group."""

    panel: Panel
    gid: Codes
    count: int
    _memory: dict[tuple[object, ...], Floats] = field(default_factory=dict)
    _pairs: dict[tuple[object, ...], tuple[Ints, Ints]] = field(default_factory=dict)
    _tops: dict[tuple[str, str, str | None], tuple[Floats, Floats, Floats]] = field(default_factory=dict)
    _segments: dict[str, tuple[Floats, Ints]] = field(default_factory=dict)

    @cached_property
    def _inside(self) -> tuple[Ints | slice, Ints]:
        """Which rows are looked at, and the group of each; those in no group are in the group `count`."""
        outside = self.gid < 0
        many = np.count_nonzero(outside)
        if many > _MOST_OUTSIDE * outside.size:
            rows = np.flatnonzero(~outside)
            return rows, self.gid[rows].astype(np.int64)
        bins = self.gid.astype(np.int64)
        if many:
            bins[outside] = self.count
        return slice(None), bins

    def _tally(self, amounts: Any = None) -> Floats:
        """The sum of the amounts (one per row looked at) per group; without amounts the rows."""
        found = np.bincount(self._inside[1], amounts, self.count + 1)
        return found[: self.count].astype(np.float64)

    def _values(self, name: str) -> Floats:
        """The variable in the rows looked at."""
        values = self.panel.numbers(name)
        assert values is not None  # noqa: S101  (asked for numeric variables only)
        found: Floats = values[self._inside[0]]
        return found

    def rows(self) -> Floats:
        """Rows per group."""
        return self._kept(("rows",), self._tally)

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

    def gini(self, name: str) -> Floats:
        """Gini coefficient of the values; NaN without values or with a total of 0."""
        return self._kept(("gini", name), lambda: self._gini(name))

    def correlation(self, one: str, two: str) -> Floats:
        """Pearson's correlation over the rows with both values."""
        return self._kept(("correlation", one, two), lambda: self._correlation(one, two))

    def units(self, kind: str, name: str | None = None) -> Floats:
        """Distinct units per group, of the rows with a value of `name`."""
        return self._kept(("units", kind, name), lambda: _count(self.pairs(kind, name)[0], self.count))

    def pairs(self, kind: str, name: str | None = None) -> tuple[Ints, Ints]:
        """The distinct (group, unit), sorted: two arrays."""
        where = self.gid if name is None else self._where(name)
        if where is self.gid:
            name = None  # no value is missing
        key = (kind, name)
        if key not in self._pairs:
            codes, total = self.panel.unit(kind)
            self._pairs[key] = _distinct(where, codes, total, self.count)
        return self._pairs[key]

    def members(self, kind: str, group: int, name: str | None = None) -> Ints:
        """The units of one group, sorted."""
        groups, units = self.pairs(kind, name)
        first, last = np.searchsorted(groups, [group, group + 1])
        return units[first:last]

    def top_shares(self, kind: str, name: str, weight: str | None = None) -> tuple[Floats, Floats, Floats]:
        """Per group the shares of the largest unit and of the two largest in the sum of absolute values, and
        what is left beside them as a share of the largest (p %); weighted where the number is."""
        key = (kind, name, weight)
        if key not in self._tops:
            self._tops[key] = self._top_shares(kind, name, weight)
        return self._tops[key]

    def _top_shares(self, kind: str, name: str, weight: str | None) -> tuple[Floats, Floats, Floats]:
        codes, _ = self.panel.unit(kind)
        rows, bins = self._inside
        amounts, codes = self._values(name), codes[rows]
        keep = (bins < self.count) & (codes >= 0) & ~np.isnan(amounts)
        if weight is not None:
            amounts = _without_gaps(amounts * self._values(weight))
        if not keep.all():
            bins, codes, amounts = bins[keep], codes[keep], amounts[keep]
        # By unit first: extracts are in that order, and what is nearly sorted is soon sorted.
        keys, sums = _run_sums(codes * np.int64(max(self.count, 1)) + bins, np.abs(amounts))
        if keys.size and not (np.diff(keys) > 0).all():
            order = np.argsort(keys, kind="stable")
            keys, sums = _run_sums(keys[order], sums[order])
        return _top(keys % max(self.count, 1), sums, self.count)

    def _kept(self, key: tuple[object, ...], make: object) -> Floats:
        if key not in self._memory:
            assert callable(make)  # noqa: S101
            self._memory[key] = make()
        return self._memory[key]

    def _where(self, name: str) -> Codes:
        """The groups, without the rows that have no value of `name`."""
        values = self.panel.numbers(name)
        if values is None:
            categories = self.panel.categories(name)
            if categories is None:
                return self.gid
            return np.where(categories.codes >= 0, self.gid, np.int32(-1))
        gaps = np.isnan(values)
        return np.where(gaps, np.int32(-1), self.gid) if gaps.any() else self.gid

    def _present(self, name: str) -> Floats:
        values = self.panel.numbers(name)
        if values is None:
            return _count(self._where(name), self.count)
        gaps = np.isnan(self._values(name))
        return self._tally(~gaps) if gaps.any() else self.rows()

    def _sum(self, name: str, weight: str | None) -> Floats:
        values = self._values(name)
        if weight is not None:
            values = values * self._values(weight)
        return self._tally(_without_gaps(values))

    def _weights(self, name: str, weight: str) -> Floats:
        weights = _without_gaps(self._values(weight))
        if self.panel.numbers(name) is not None:
            weights = np.where(np.isnan(self._values(name)), 0.0, weights)
        return self._tally(weights)

    def _variance(self, name: str, ddof: int) -> Floats:
        means = np.append(self.mean(name), np.nan)
        away = self._values(name) - means[self._inside[1]]
        return _divide(self._tally(_without_gaps(away * away)), self.present(name) - ddof)

    def _correlation(self, one: str, two: str) -> Floats:
        x, y = self.panel.numbers(one), self.panel.numbers(two)
        assert x is not None and y is not None  # noqa: S101, PT018
        keep = (self.gid >= 0) & ~np.isnan(x) & ~np.isnan(y)
        gid, x, y = self.gid[keep], x[keep], y[keep]
        rows = np.maximum(_count(gid, self.count), 1)
        x = x - (np.bincount(gid, x, self.count) / rows)[gid]
        y = y - (np.bincount(gid, y, self.count) / rows)[gid]
        xy, xx, yy = (np.bincount(gid, a * b, self.count) for a, b in ((x, y), (x, x), (y, y)))
        return _divide(xy, np.sqrt(xx * yy))

    def _varying(self, name: str) -> Floats:
        first = self._varying_in(name, _FIRST_ROWS)
        if (first[self.present(name) > 0] > 0).all():
            return first
        return self._varying_in(name, self.gid.size)

    def _varying_in(self, name: str, most: int) -> Floats:
        bins, values = self._inside[1][:most], self._values(name)[:most]
        keep = (bins < self.count) & ~np.isnan(values)
        gid, values = bins[keep], values[keep]
        one = np.zeros(self.count)
        one[gid] = values  # of several rows the last
        return _count(gid[values != one[gid]], self.count)

    def _sorted(self, name: str) -> tuple[Floats, Ints]:
        """Values in the order of groups and size, and where each group begins (one more at the end)."""
        if name not in self._segments:
            bins, values = self._inside[1], self._values(name)
            keep = (bins < self.count) & ~np.isnan(values)
            if not keep.all():
                bins, values = bins[keep], values[keep]
            ends = np.bincount(bins, minlength=self.count).cumsum()
            starts = np.concatenate([[0], ends]).astype(np.int64)
            if self.count < _SHORT:  # small numbers sort by radix
                values = values[np.argsort(bins.astype(np.int16), kind="stable")]
                for first, last in zip(starts[:-1].tolist(), ends.tolist(), strict=True):
                    values[first:last].sort()
            else:
                values = values[np.lexsort((values, bins))]
            self._segments[name] = (values, starts)
        return self._segments[name]

    def _gini(self, name: str) -> Floats:
        values, starts = self._sorted(name)
        sizes = np.diff(starts)
        gid = np.repeat(np.arange(self.count), sizes)
        ranks = np.arange(1, values.size + 1) - starts[gid]
        weighed = np.bincount(gid, (2 * ranks - sizes[gid] - 1) * values, self.count)
        whole = sizes * np.bincount(gid, values, self.count)
        found = np.full(self.count, np.nan)
        np.divide(weighed, whole, out=found, where=whole != 0)
        return found

    def _extreme(self, name: str, *, largest: bool) -> Floats:
        return self._quantile(name, 1.0 if largest else 0.0, "lower")

    def _quantile(self, name: str, share: float, method: str) -> Floats:
        """From the sorted values of each group: the two neighbours of the quantile's place, and their mix."""
        values, starts = self._sorted(name)
        sizes = np.diff(starts)
        filled = sizes > 0
        found = np.full(self.count, np.nan)
        if not filled.any():
            return found
        first, size = starts[:-1][filled], sizes[filled]
        if method == "averaged_inverted_cdf":
            place = size * share
            low = np.clip(np.ceil(place - 1e-9).astype(np.int64) - 1, 0, size - 1)
            whole = np.abs(place - np.round(place)) < 1e-9
            high = np.clip(low + whole, 0, size - 1)
            part = np.full(low.shape, 0.5)
        else:
            place = (size - 1) * share
            low = np.floor(place + 1e-9).astype(np.int64)
            high = np.minimum(low + 1, size - 1)
            part = {
                "linear": np.maximum(place - low, 0.0),
                "lower": np.zeros(low.shape),
                "higher": (place - low > 1e-9).astype(np.float64),
                "midpoint": np.where(place - low > 1e-9, 0.5, 0.0),
                "nearest": np.round(place - low),
            }[method]
        found[filled] = values[first + low] * (1 - part) + values[first + high] * part
        return found


def _count(gid: Codes | Ints, count: int) -> Floats:
    return np.bincount(gid[gid >= 0], minlength=count).astype(np.float64)


def _without_gaps(values: Floats) -> Floats:
    gaps = np.isnan(values)
    return np.where(gaps, 0.0, values) if gaps.any() else values


def _divide(above: Any, below: Any) -> Floats:
    found: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _distinct(where: Codes, codes: Codes, total: int, count: int) -> tuple[Ints, Ints]:
    total = max(total, 1)
    short = total * count < 2**31  # half as much to sort
    keys: Any = where * np.int32(total) if short else where.astype(np.int64) * total
    keys += codes
    keep = (where >= 0) & (codes >= 0)
    if not keep.all():
        keys = keys[keep]
    keys = keys[np.diff(keys, prepend=-1) != 0]  # the rows of one unit mostly stand together
    keys.sort()
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return (keys // total).astype(np.int64), (keys % total).astype(np.int64)


def _run_sums(keys: Ints, amounts: Floats) -> tuple[Ints, Floats]:
    """Neighbours with the same key as one, with the sum of their amounts."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if starts.size == keys.size:
        return keys, amounts
    return keys[starts], np.add.reduceat(amounts, starts)


def _top(groups: Ints, sums: Floats, count: int) -> tuple[Floats, Floats, Floats]:
    whole = np.bincount(groups, sums, count) if groups.size else np.zeros(count)
    first, second, largest = np.zeros(count), np.zeros(count), np.full(count, -1)
    np.maximum.at(first, groups, sums)
    at = np.flatnonzero(sums == first[groups])
    largest[groups[at]] = at  # one of them, where several are as large
    others = sums.copy()
    others[largest[largest >= 0]] = 0.0
    np.maximum.at(second, groups, others)
    return _divide(first, whole), _divide(first + second, whole), _divide(whole - first - second, first)
