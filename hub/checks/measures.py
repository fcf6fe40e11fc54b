"""One statistic over the groups of a table, and whether it prints what the table says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.checks.axes import Axis
from hub.checks.crossings import Merged
from hub.checks.groups import Groups, split
from hub.checks.layouts import TOTAL, Entry
from hub.checks.panels import Floats, Panel
from hub.checks.runs import Small
from hub.checks.tables import number_of

UNIT_KINDS = {"persons": "person", "households": "household", "employers": "employer"}
_Pattern = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[tuple[int, ...]]]
_TWICE_ROUNDED = 1.1  # 64014.449 is 64014.45 and then 64014.5
_LEAST_PADDED = 3  # numbers that all end in a zero
_PADDED, _PADDING = 6, 2  # decimals printed, and how many of them are zeros in every number
BASES = ("known", "printed", "all")


@dataclass(frozen=True)
class Measure:
    """`statistic`: a word of `hub.documents.outputs.Statistic`, "correlation", or "households", "employers".
    `within`: axes whose levels the base of a share has in common; `scale`: what the value is times.
    `base`: which rows a total holds: those with all labels known, with a printed label, or all."""

    statistic: str
    variable: str | None = None
    quantile: float | None = None
    method: str = "linear"
    weight: str | None = None
    within: tuple[int, ...] = ()
    scale: float = 1.0
    base: str = "known"
    unit: str | None = None  # shares of distinct units instead of rows
    other: str | None = None  # the second variable of a correlation
    ddof: int = 1


@dataclass
class Cube:
    """The groups of all axes of a table and of its totals, over the rows that `mask` keeps, or those with one
    category (`only`: variable and position)."""

    panel: Panel
    axes: tuple[Axis, ...]
    mask: npt.NDArray[np.bool_] | None = None
    only: tuple[str, int] | None = None
    _levels: list[Small] | None = None
    _groups: dict[tuple[tuple[bool, ...], str], Groups] = field(default_factory=dict)
    _known: dict[int, list[_Pattern]] = field(default_factory=dict)
    _held: list[Sequence[Entry]] = field(default_factory=list)
    probes: dict[int, Any] = field(default_factory=dict)  # of hub.checks.probes, by series

    def levels(self) -> list[Small]:
        """Per axis the level of each row of the panel."""
        if self._levels is None:
            self._levels = [self.panel.levels(axis, axis.levels) for axis in self.axes]
        return self._levels

    def groups(self, used: tuple[bool, ...], base: str) -> Groups:
        """The groups by the axes in use; all rows of the base are one group where none is."""
        key = (used, base if not all(used) else "known")
        if key not in self._groups and (merged := self._merged(*key)) is not None:
            self._groups[key] = self._of_cells(merged)
        if key not in self._groups and self.is_whole and used == (True,):
            self._groups[key] = self._of_one_axis(self.axes[0])
        if key not in self._groups:
            gid, count = self._numbered(used)
            if base in ("printed", "known") and not all(used):
                for axis, levels, wanted in zip(self.axes, self.levels(), used, strict=True):
                    if not wanted:
                        outside = levels < 0 if base == "printed" else self._unknown(axis, levels)
                        gid = np.where(outside, gid.dtype.type(-1), gid)
            mask = self.kept()
            if mask is not None:
                gid = np.where(mask, gid, gid.dtype.type(-1))
            self._groups[key] = Groups(self.panel, gid, count)
        return self._groups[key]

    def _of_cells(self, merged: Merged) -> Groups:
        same = (merged.count, merged.group_of.tobytes())
        return merged.crossing.once(same, lambda: Groups(self.panel, merged.rows, merged.count, merged))

    def _of_one_axis(self, axis: Axis) -> Groups:
        """All rows by one axis: which row is in which group is made out when it is asked for."""
        made = Groups(self.panel, lambda: self.levels()[0], axis.size)
        if (rows := axis.rows_told(self.panel)) is not None:
            made.tell_rows(rows)
        return made

    @property
    def is_whole(self) -> bool:
        """Whether all rows are looked at."""
        return self.mask is None and self.only is None

    def kept(self) -> npt.NDArray[np.bool_] | None:
        """Which rows are looked at; None: all."""
        if self.only is None:
            return self.mask
        return np.equal(self.panel.few_categories(self.only[0]).codes, self.only[1])

    def _merged(self, used: tuple[bool, ...], base: str) -> Merged | None:
        """The same groups as cells of the crossing of all axes, where their variables have few categories."""
        names = tuple(axis.variable for axis in self.axes)
        if self.mask is not None or (self.only is not None and self.only[0] in names):
            return None
        known = [axis.levels_of_categories(self.panel) for axis in self.axes]
        crossing = self.panel.crossing((*names, *([self.only[0]] if self.only is not None else [])))
        if crossing is None or any(one is None for one in known):
            return None
        group = np.zeros(crossing.shape, dtype=np.int64)
        outside = np.zeros(crossing.shape, dtype=np.bool_)
        count = 1
        for at, (axis, one, wanted) in enumerate(zip(self.axes, known, used, strict=True)):
            if one is None:
                continue
            along = tuple(-1 if at == dimension else 1 for dimension in range(group.ndim))
            level, unknown = one[0].reshape(along), one[1].reshape(along)
            if wanted:
                group = group * axis.size + level
                outside |= level < 0
                count *= axis.size
            elif base != "all":
                outside |= (level < 0) if base == "printed" else unknown & (level < 0)
        if self.only is not None:
            outside |= np.arange(-1, crossing.shape[-1] - 1) != self.only[1]
        return Merged(crossing, np.where(outside, -1, group).reshape(-1), count)

    def _numbered(self, used: tuple[bool, ...]) -> tuple[Small, int]:
        """Per row the number of its group by the axes in use (-1: a label is missing), and of groups."""
        gid: Small | None = None
        count = 1
        for axis, levels, wanted in zip(self.axes, self.levels(), used, strict=True):
            if not wanted:
                continue
            gid = levels if gid is None else split(gid, levels, count, axis.size)
            count *= axis.size
        return (gid, count) if gid is not None else (np.zeros(self.panel.rows, dtype=np.int16), 1)

    def _unknown(self, axis: Axis, levels: Small) -> npt.NDArray[np.bool_]:
        """Rows without a value of the axis' variable (and without a level of their own)."""
        known = self.panel.categories(axis.variable) if axis.bands is None else None
        missing = known.codes < 0 if known is not None else np.isnan(self._numbers(axis.variable))
        return missing & (levels < 0)

    def _numbers(self, name: str) -> Floats:
        values = self.panel.numbers(name)
        return values if values is not None else np.zeros(self.panel.rows)

    def at(self, levels: tuple[int, ...], base: str) -> tuple[Groups, int]:
        """The groups and the number of the one with these levels (TOTAL: of all levels)."""
        used = tuple(level != TOTAL for level in levels)
        return self.groups(used, base), self.number(levels)

    def values(self, measure: Measure, entries: Sequence[Entry]) -> Floats:
        """The measure of each entry's group."""
        found = np.empty(len(entries))
        for where, numbers, levels in self._patterns(entries):
            groups, _ = self.at(levels[0], measure.base)
            values = values_of(groups, measure)[numbers]
            if measure.statistic == "share":
                outer = [self._outer(one, measure) for one in levels]
                below = np.array([values_of(base, measure)[at] for base, at in outer])
                values = np.divide(values, below, out=np.full(values.shape, np.nan), where=below > 0)
            found[where] = values
        return found * measure.scale

    def _outer(self, levels: tuple[int, ...], measure: Measure) -> tuple[Groups, int]:
        """The group that a share is of."""
        kept = tuple(level if axis in measure.within else TOTAL for axis, level in enumerate(levels))
        return self.at(kept, measure.base)

    def _patterns(self, entries: Sequence[Entry]) -> list[_Pattern]:
        """The entries by which axes they use: their positions, group numbers and levels."""
        key = id(entries)
        if key not in self._known:
            found: dict[tuple[bool, ...], list[int]] = {}
            for at, entry in enumerate(entries):
                found.setdefault(tuple(level != TOTAL for level in entry.levels), []).append(at)
            self._known[key] = [
                (
                    np.array(places),
                    np.array([self.number(entries[at].levels) for at in places]),
                    [entries[at].levels for at in places],
                )
                for places in found.values()
            ]
            self._held.append(entries)  # so that no other list gets its number
        return self._known[key]

    def number(self, levels: tuple[int, ...]) -> int:
        """The number of the group with these levels."""
        number = 0
        for axis, level in zip(self.axes, levels, strict=True):
            if level != TOTAL:
                number = number * axis.size + level
        return number


def values_of(groups: Groups, measure: Measure) -> Floats:
    """The measure of all groups; of a share the part above the line."""
    name = measure.variable
    if measure.statistic in ("count", "share"):
        if measure.unit is not None:
            return groups.units(measure.unit)
        if measure.weight is not None:
            return groups.total(measure.weight)
        return groups.rows() if name is None else groups.present(name)
    if measure.statistic in UNIT_KINDS:
        return groups.units(measure.unit or UNIT_KINDS[measure.statistic], name)
    assert name is not None  # noqa: S101  (all others are of a variable)
    return _OF_VARIABLE[measure.statistic](groups, name, measure)


INTERVALS = ("normal", "student", "rounded")  # quantiles of 95 %: 1.959964, Student's, 1.96


def error_of_mean(groups: Groups, name: str, ddof: int = 1) -> Floats:
    """Standard deviation of the values over the root of their number."""
    rows = groups.present(name)
    variance = groups.variance(name, ddof)
    found: Floats = np.sqrt(np.divide(variance, rows, out=np.full(rows.shape, np.nan), where=rows > 0))
    return found


def _bound(groups: Groups, name: str, measure: Measure, side: float) -> Floats:
    """An end of the interval of 95 % of a mean."""
    from scipy import special

    error = error_of_mean(groups, name, measure.ddof)
    if measure.method == "student":
        width = special.stdtrit(np.maximum(groups.present(name) - 1, 1), 0.975)
    else:
        width = np.full(error.shape, 1.96 if measure.method == "rounded" else special.ndtri(0.975))
    found: Floats = groups.mean(name) + side * width * error
    return found


_OF_VARIABLE: dict[str, Callable[[Groups, str, Measure], Floats]] = {
    "sum": lambda groups, name, measure: groups.total(name, measure.weight),
    "mean": lambda groups, name, measure: groups.mean(name, measure.weight),
    "median": lambda groups, name, measure: groups.quantile(name, 0.5, measure.method),
    "quantile": lambda groups, name, measure: groups.quantile(name, measure.quantile or 0.5, measure.method),
    "sd": lambda groups, name, measure: np.sqrt(groups.variance(name, measure.ddof)),
    "variance": lambda groups, name, measure: groups.variance(name, measure.ddof),
    "min": lambda groups, name, _: groups.extreme(name, largest=False),
    "max": lambda groups, name, _: groups.extreme(name, largest=True),
    "gini": lambda groups, name, _: groups.gini(name),
    "se": lambda groups, name, measure: error_of_mean(groups, name, measure.ddof),
    "ci_low": lambda groups, name, measure: _bound(groups, name, measure, -1.0),
    "ci_high": lambda groups, name, measure: _bound(groups, name, measure, 1.0),
    "correlation": lambda groups, name, measure: groups.correlation(name, measure.other or name),
}


@dataclass(frozen=True)
class Printed:
    """The numbers of a series: NaN for suppressed ones, and how far each may be from the truth.

    `base`: numbers were rounded to a multiple of it. `loose`: the same with the decimals of each number
    alone, for programs that print significant digits.
    """

    values: Floats
    tolerance: Floats
    loose: Floats | None
    base: int | None
    whole: bool

    @property
    def given(self) -> npt.NDArray[np.bool_]:
        """Which cells hold a number."""
        return ~np.isnan(self.values)

    def matches(self, values: Floats, precision: float, *, rounded: bool, loose: bool = False) -> Floats:
        """1.0 where the number is what would be printed of `values`, else 0.0."""
        tolerance = self.loose if loose and self.loose is not None else self.tolerance
        if rounded and self.base is not None:
            tolerance = np.maximum(tolerance, self.base / 2)
        with np.errstate(invalid="ignore"):
            slack = _TWICE_ROUNDED if not self.whole else 1.000001
            near = np.abs(values - self.values) <= tolerance * slack + precision * np.abs(values) + 1e-12
        return near.astype(np.float64)

    def digits(self, *, rounded: bool, loose: bool = False) -> float:
        """Decimal digits that a match explains: a measure of how little chance could do the same."""
        tolerance = self.loose if loose and self.loose is not None else self.tolerance
        if rounded and self.base is not None:
            tolerance = np.maximum(tolerance, self.base / 2)
        given = self.given
        pairs = {
            (round(v, 9), t)
            for v, t in zip(self.values[given].tolist(), tolerance[given].tolist(), strict=True)
        }
        return float(sum(min(8.0, np.log10(max(1.0, abs(v) / (2 * t)))) for v, t in pairs))


def printed(entries: Sequence[Entry]) -> Printed:
    """The numbers of the entries with their precision."""
    numbers = [number_of(entry.text) for entry in entries]
    values = np.array([float(n) if n is not None else np.nan for n in numbers])
    whole = all(n == n.to_integral_value() for n in numbers if n is not None)
    # 22842.0 among nothing but .0 is what pandas prints of a mean rounded to whole numbers.
    decimals = [0 if whole else _decimals(n) for n in numbers if n is not None]
    most = max(decimals, default=0)
    if most >= _PADDED and len(decimals) > 1:  # LaTeX and printed frames pad rounded numbers to six decimals
        significant = [_decimals(n.normalize()) for n in numbers if n is not None]
        most = min(most, max(significant)) if most - max(significant) >= _PADDING else most
    elif most > 0 and len({n for n in numbers if n}) >= _LEAST_PADDED:  # 8.10, 38.80, 53.10: rounded before
        most = max(_decimals(n.normalize()) for n in numbers if n is not None)
    tolerance = np.full(values.shape, 0.5 * 10.0**-most)
    own = np.array([0.5 * 10.0 ** -_decimals(n) if n is not None else 0.5 for n in numbers])
    powers = np.array([_power(n) for n in numbers])
    if powers.any():  # 4.41738e+06 says nothing of its last digit
        tolerance, own = np.maximum(tolerance, 0.5 * powers), np.maximum(own, 0.5 * powers)
    digits = [len(n.as_tuple().digits) for n in numbers if n is not None and n]
    loose = own if most > 0 and digits and min(digits) >= 3 and len(set(decimals)) > 1 else None
    return Printed(values, tolerance, loose, _rounding(numbers) if whole else None, whole)


def _power(number: Decimal | None) -> float:
    """What the last digit of a number with a power of ten counts; 0 where it has none."""
    exponent = number.as_tuple().exponent if number is not None else 0
    return 10.0**exponent if isinstance(exponent, int) and exponent > 0 else 0.0


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounding(numbers: Sequence[Decimal | None]) -> int | None:
    """The largest usual base that all numbers are multiples of."""
    given = [int(n) for n in numbers if n is not None]
    if len([n for n in given if n]) < 2:
        return None
    return next((base for base in (1000, 100, 50, 10, 5, 3) if all(n % base == 0 for n in given)), None)
