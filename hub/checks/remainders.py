"""What is left of a total beside the cells that a table prints: nobody, or enough units.

A total is printed, or follows from a share: a count and its share give the whole that the share is of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hub.checks.dominance import DISPERSIONS, INTERVALS
from hub.checks.explanations import Fit, Recomputed
from hub.checks.groups import Groups, Mask
from hub.checks.layouts import TOTAL, Entry
from hub.checks.measures import printed

COUNTS = frozenset({"count", "persons", "households", "employers"})
_ADDED = COUNTS | {"sum", "share", "mean"} | INTERVALS | DISPERSIONS  # what parts of a total say of the rest
_Used = tuple[bool, ...]


@dataclass
class Remainders:
    """The totals of one explained table. `least`: units below which a rest tells too much."""

    found: Recomputed
    kinds: list[str]
    least: int
    _left: dict[tuple[int, _Used, _Used, str], tuple[Groups, Mask]] = field(default_factory=dict)

    def of(self, fit: Fit) -> Iterator[tuple[Entry, dict[str, int]]]:
        """The totals of a series beside whose printed parts there are a few units, and how many; each whole
        once."""
        if fit.measure.statistic not in _ADDED:
            return
        told: set[tuple[int, ...]] = set()
        given = printed(fit.series.entries).given
        for at, entry in enumerate(fit.series.entries):
            if not given[at] or not fit.matched[at]:
                continue
            whole = self._whole(fit, entry)
            if TOTAL not in whole or whole in told:
                continue
            units = self._few(fit, whole)
            if units is not None:
                told.add(whole)
                yield entry, units

    def _whole(self, fit: Fit, entry: Entry) -> tuple[int, ...]:
        """The levels of the total that a cell prints, or that its share is of."""
        if fit.measure.statistic != "share":
            return entry.levels
        return tuple(level if at in fit.measure.within else TOTAL for at, level in enumerate(entry.levels))

    def _few(self, fit: Fit, whole: tuple[int, ...]) -> dict[str, int] | None:
        """Units of the rest of a total, where they are some but too few."""
        used = tuple(level != TOTAL for level in whole)
        number, name = self.found.cube.number(whole), fit.measure.variable
        for inner in self._patterns(fit):
            if inner == used or any(a and not b for a, b in zip(used, inner, strict=True)):
                continue
            rest, parts = self._rest(fit, used, inner)
            if name is not None and fit.measure.statistic == "sum":
                rest = self._ones(rest, name)
            if not parts[number] or not (rest.rows() if name is None else rest.present(name))[number]:
                continue
            units = {kind: int(rest.units(kind, name)[number]) for kind in self.kinds}
            if min(units.values(), default=0) < self.least:
                return units
        return None

    def _ones(self, rest: Groups, name: str) -> Groups:
        """Of a 0/1 variable those with a 1: their number is its sum."""
        panel = self.found.panel
        known = panel.categories(name)
        if known is None or not set(known.values) <= {0, 1}:
            return rest
        few = panel.few_categories(name)
        ones = np.equal(few.codes, few.numbers.get(1.0, -2))
        return Groups(panel, np.where(ones, rest.gid, rest.gid.dtype.type(-1)), rest.count)

    def _patterns(self, fit: Fit) -> list[_Used]:
        return list(
            dict.fromkeys(
                tuple(level != TOTAL for level in entry.levels)
                for one in self._alike(fit)
                for entry in one.series.entries
            )
        )

    def _alike(self, fit: Fit) -> list[Fit]:
        """The series whose cells are parts of the totals of `fit`: of a share the counts beside it too."""
        if fit.measure.statistic != "share":
            return [fit]
        return [
            one
            for one in self.found.fits
            if one is not None and (one is fit or one.measure.statistic in (*COUNTS, "share"))
        ]

    def _rest(self, fit: Fit, used: _Used, inner: _Used) -> tuple[Groups, Mask]:
        """What is left of all totals of a kind beside their printed parts; which of them have any."""
        key = (id(fit), used, inner, fit.measure.base)
        if key in self._left:
            return self._left[key]
        cube, base = self.found.cube, fit.measure.base
        groups, parted = cube.groups(used, base), cube.groups(inner, base)
        parts = np.zeros(groups.count, dtype=np.bool_)
        told = np.zeros(parted.count + 1, dtype=np.bool_)  # rows in no group have the last place
        for one in self._alike(fit):
            given = printed(one.series.entries).given
            for at, other in enumerate(one.series.entries):
                if given[at] and tuple(level != TOTAL for level in other.levels) == inner:
                    outer = (level if kept else TOTAL for level, kept in zip(other.levels, used, strict=True))
                    parts[cube.number(tuple(outer))] = True
                    told[cube.number(other.levels)] = True
        left = np.where(told[parted.gid], groups.gid.dtype.type(-1), groups.gid)
        self._left[key] = Groups(groups.panel, left, groups.count), parts
        return self._left[key]
