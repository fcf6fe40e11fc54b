"""One statistic over the groups of a table, and whether it prints what the table says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from hub.checks.groups import Groups
from hub.checks.layouts import TOTAL, Axis, Entry
from hub.checks.panels import Codes, Floats, Panel
from hub.checks.tables import number_of

UNIT_KINDS = {"persons": "person", "households": "household", "employers": "employer"}
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
    """The groups of all axes of a table and of its totals, over the rows that `mask` keeps."""

    panel: Panel
    axes: tuple[Axis, ...]
    mask: npt.NDArray[np.bool_] | None = None
    _levels: list[Codes] | None = None
    _groups: dict[tuple[tuple[bool, ...], str], Groups] = field(default_factory=dict)

    def levels(self) -> list[Codes]:
        """Per axis the level of each row of the panel."""
        if self._levels is None:
            self._levels = [axis.levels(self.panel) for axis in self.axes]
        return self._levels

    def groups(self, used: tuple[bool, ...], base: str) -> Groups:
        """The groups by the axes in use; all rows of the base are one group where none is."""
        key = (used, base if not all(used) else "known")
        if key not in self._groups:
            gid = np.zeros(self.panel.rows, dtype=np.int32)
            count = 1
            outside = np.zeros(self.panel.rows, dtype=np.bool_)
            for axis, levels, wanted in zip(self.axes, self.levels(), used, strict=True):
                if wanted:
                    gid = gid * axis.size + levels
                    count *= axis.size
                    outside |= levels < 0
                elif base == "printed":
                    outside |= levels < 0
                elif base == "known":
                    outside |= self._unknown(axis, levels)
            if self.mask is not None:
                outside |= ~self.mask
            gid[outside] = -1
            self._groups[key] = Groups(self.panel, gid, count)
        return self._groups[key]

    def _unknown(self, axis: Axis, levels: Codes) -> npt.NDArray[np.bool_]:
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
        number = 0
        for axis, level, wanted in zip(self.axes, levels, used, strict=True):
            if wanted:
                number = number * axis.size + level
        return self.groups(used, base), number

    def values(self, measure: Measure, entries: Sequence[Entry]) -> Floats:
        """The measure of each entry's group."""
        found = np.empty(len(entries))
        for at, entry in enumerate(entries):
            groups, number = self.at(entry.levels, measure.base)
            value = values_of(groups, measure)[number]
            if measure.statistic == "share":
                outer = tuple(
                    level if axis in measure.within else TOTAL for axis, level in enumerate(entry.levels)
                )
                groups, number = self.at(outer, measure.base)
                below = values_of(groups, measure)[number]
                value = value / below if below > 0 else np.nan
            found[at] = value
        return found * measure.scale


def values_of(groups: Groups, measure: Measure) -> Floats:
    """The measure of all groups; of a share the part above the line."""
    name, weight = measure.variable, measure.weight
    match measure.statistic:
        case "count" | "share":
            if measure.unit is not None:
                return groups.units(measure.unit)
            if weight is not None:
                return groups.total(weight)
            return groups.rows() if name is None else groups.present(name)
        case "persons" | "households" | "employers":
            return groups.units(measure.unit or UNIT_KINDS[measure.statistic], name)
    assert name is not None  # noqa: S101  (all others are of a variable)
    match measure.statistic:
        case "sum":
            return groups.total(name, weight)
        case "mean":
            return groups.mean(name, weight)
        case "median" | "quantile":
            return groups.quantile(name, measure.quantile or 0.5, measure.method)
        case "sd":
            return np.sqrt(groups.variance(name, measure.ddof))
        case "variance":
            return groups.variance(name, measure.ddof)
        case "min" | "max":
            return groups.extreme(name, largest=measure.statistic == "max")
        case "gini":
            return groups.gini(name)
    assert measure.statistic == "correlation" and measure.other is not None  # noqa: S101, PT018
    return groups.correlation(name, measure.other)


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
            near = np.abs(values - self.values) <= tolerance * 1.000001 + precision * np.abs(values) + 1e-12
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
    decimals = [_decimals(n) for n in numbers if n is not None]
    most = max(decimals, default=0)
    tolerance = np.full(values.shape, 0.5 * 10.0**-most)
    own = np.array([0.5 * 10.0 ** -_decimals(n) if n is not None else 0.5 for n in numbers])
    digits = [len(n.as_tuple().digits) for n in numbers if n is not None and n]
    loose = own if most > 0 and digits and min(digits) >= 3 and len(set(decimals)) > 1 else None
    whole = most == 0 or all(n == n.to_integral_value() for n in numbers if n is not None)
    return Printed(values, tolerance, loose, _rounding(numbers) if whole else None, whole)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounding(numbers: Sequence[Decimal | None]) -> int | None:
    """The largest usual base that all numbers are multiples of."""
    given = [int(n) for n in numbers if n is not None]
    if len([n for n in given if n]) < 2:
        return None
    return next((base for base in (1000, 100, 50, 10, 5, 3) if all(n % base == 0 for n in given)), None)


def with_base(measure: Measure, base: str) -> Measure:
    """The measure with other rows behind its totals."""
    return replace(measure, base=base)
