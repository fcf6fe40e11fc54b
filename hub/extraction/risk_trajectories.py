"""Trajectory unicity: how many people a few known month-values single out.

After de Montjoye et al., “Unique in the Crowd” (Scientific Reports 3, 1376, 2013): of a person drawn at
random, some of the (month, values) points are drawn at random and are known; the person is singled out
if nobody else has all of them. Grouping people as k-anonymity does never sees this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import sqrt

import numpy as np
import polars as pl
from pyroaring import BitMap

from hub.extraction.risk_groups import Numbers, coded, combined, share
from hub.extraction.risk_reports import KnownPoints

MAX_PEOPLE = 4_000  # the interval is then at most ±1.6 points wide
MAX_POINTS = 5_000_000  # of a larger table a random part of the months is used
_Z = 1.959964  # of a 95 % interval
_PERSON, _POINT = " person", " point"  # no column can be called this


@dataclass(frozen=True)
class Unicity:
    """The curve; how many people have any month-value, and what share of them so many; and how many of the
    months were used."""

    points: tuple[KnownPoints, ...]
    people: int
    able: dict[int, float]
    months: int
    months_used: int


def trajectory_unicity(
    frame: pl.LazyFrame,
    *,
    person: str,
    period: str,
    values: Sequence[str],
    known: Sequence[int],
    seed: bytes,
    max_people: int = MAX_PEOPLE,
    max_points: int = MAX_POINTS,
) -> Unicity:
    """The share of people singled out by each number of `known` points, the same for the same seed.

    A month where all of `values` are missing is not a point. For each number, people are drawn from those
    with at least so many points, at most `max_people` of them; all people of the table are compared with.
    """
    rows = frame.filter(
        pl.col(person).is_not_null()
        & pl.col(period).is_not_null()
        & ~pl.all_horizontal(pl.col(values).is_null())
    )
    dice = np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(seed).digest())))
    per_month = rows.group_by(period).agg(pl.len()).collect(engine="streaming").sort(period)
    months = _months(per_month, period, max(known), dice, max_points)
    if len(months) < per_month.height:
        rows = rows.filter(pl.col(period).is_in(months.implode()))
    crowd = _crowd(rows, person, period, values)
    numbers = sorted(set(known))
    curve = tuple(_tried(crowd, number, max_people, dice) for number in numbers)
    able = {number: share(np.diff(crowd.starts) >= number) for number in numbers}
    return Unicity(curve, crowd.people, able, per_month.height, len(months))


def _months(
    per_month: pl.DataFrame, period: str, needed: int, dice: np.random.Generator, max_points: int
) -> pl.Series:
    """All months, or so many at random that about `max_points` rows remain, but never too few to know."""
    total = int(per_month["len"].sum())
    if total <= max_points:
        return per_month[period]
    count = min(per_month.height, max(needed, max_points * per_month.height // total))
    return per_month[period].gather(np.sort(dice.permutation(per_month.height)[:count]))


@dataclass(frozen=True)
class _Crowd:
    """Every person's points as numbers, by person, and every point's people."""

    points: Numbers
    starts: Numbers  # of each person in `points`, and the end
    holders: np.ndarray[tuple[int], np.dtype[np.uint32]]  # people in the order of points
    point_starts: Numbers  # of each point in `holders`, and the end
    sets: dict[int, BitMap] = field(default_factory=dict)  # people of the points asked for so far

    @property
    def people(self) -> int:
        return len(self.starts) - 1

    def holding(self, points: Numbers) -> int:
        """How many people have all of some points."""
        return len(reduce(BitMap.__and__, sorted(map(self._who, points.tolist()), key=len)))

    def _who(self, point: int) -> BitMap:
        if point not in self.sets:
            holders = self.holders[self.point_starts[point] : self.point_starts[point + 1]]
            self.sets[point] = BitMap(holders)
        return self.sets[point]


def _crowd(rows: pl.LazyFrame, person: str, period: str, values: Sequence[str]) -> _Crowd:
    table = rows.select(person, period, *values).collect(engine="streaming")
    people = coded(table[person]).numbers - 1
    point = combined((coded(table[name]) for name in (period, *values)), table.height)
    del table
    point = point.dense()
    # One number per (person, point): sorted and each once, whatever order the rows came in.
    pairs = np.unique(people * point.size + point.numbers)
    people, points = pairs // point.size, pairs % point.size
    starts = np.searchsorted(people, np.arange(int(people.max(initial=-1)) + 2))
    order = np.argsort(points, kind="stable")
    holders = people[order].astype(np.uint32)
    point_starts = np.searchsorted(points[order], np.arange(point.size + 1))
    return _Crowd(points, starts, holders, point_starts)


def _tried(crowd: _Crowd, known: int, max_people: int, dice: np.random.Generator) -> KnownPoints:
    """The share of people whom `known` of their points single out."""
    able = np.flatnonzero(np.diff(crowd.starts) >= known)
    drawn = able if len(able) <= max_people else np.sort(dice.choice(able, max_people, replace=False))
    singled_out = 0
    for who in drawn:
        own = crowd.points[crowd.starts[who] : crowd.starts[who + 1]]
        singled_out += crowd.holding(dice.choice(own, known, replace=False)) == 1
    low, high = wilson(singled_out, len(drawn))
    return KnownPoints(
        known=known,
        share=singled_out / len(drawn) if len(drawn) else 0.0,
        low=low,
        high=high,
        people=len(drawn),
    )


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); everything is possible after no try."""
    if tries == 0:
        return 0.0, 1.0
    rate, square = hits / tries, _Z**2
    middle = (rate + square / (2 * tries)) / (1 + square / tries)
    half = _Z / (1 + square / tries) * sqrt(rate * (1 - rate) / tries + square / (4 * tries**2))
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))
