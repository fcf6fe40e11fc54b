"""A few small groups of a table, by which most wrong guesses are seen to be wrong without the other rows.

A guess that explains a whole series explains these groups too: nothing that all rows would confirm is lost;
what is left out is a guess that fails in the smallest groups and holds in most others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hub.checks.excerpts import Excerpt
from hub.checks.groups import Groups
from hub.checks.layouts import TOTAL, Series
from hub.checks.measures import UNIT_KINDS, Cube, Measure, Printed, values_of

_MOST_GROUPS = 8
_MOST_SHARE = 0.1  # of the rows; with more, looking at all of them costs as much
_MOST_ROWS = 500_000
_LEAST_ROWS = 20_000
_MATCHED = 0.8


@dataclass
class Probe:
    """Groups of their own rows only, and the printed number of each."""

    groups: Groups
    numbers: Printed

    @property
    def rows(self) -> int:
        """Rows of all the groups."""
        return int(self.groups.gid.size)

    def allows(self, measure: Measure) -> bool:
        """False where the measure cannot be that of the series. Shares need the rows of other groups."""
        if measure.statistic == "share":
            return True
        return self._near(values_of(self.groups, measure) * measure.scale, measure)

    def allows_within(self, measure: Measure, name: str) -> bool:
        """False where it is not that of the rows of any one value of the variable `name`."""
        known = self.groups.panel.categories(name)
        if known is None:
            return False
        size = len(known.values)
        values = values_of(self.groups.parted(name), measure).reshape(self.groups.count, size)
        return any(self._near(values[:, at], measure) for at in range(size))

    def _near(self, values: npt.NDArray[np.float64], measure: Measure) -> bool:
        precision = self.groups.panel.precision(measure.variable) if measure.variable else 1e-9
        for rounded, loose in ((False, False), (True, False), (False, True)):
            matched = self.numbers.matches(values, precision, rounded=rounded, loose=loose).sum()
            if matched >= _MATCHED * values.size:
                return True
        return False


def could_count_units(cube: Cube, measure: Measure, series: Series, numbers: Printed, share: float) -> bool:
    """False where so large a share of the numbers cannot be of distinct units, by the rows of their groups:
    these have at most as many units as rows, and at least their rows by the most rows of one unit. True of a
    measure that counts no units."""
    counts = measure.statistic in UNIT_KINDS
    kind = measure.unit or UNIT_KINDS.get(measure.statistic)
    if kind is None or kind not in cube.panel.units or not (counts or measure.statistic == "share"):
        return True
    runs = cube.panel.runs(kind)
    if runs is None or runs.size < cube.panel.rows:
        return True
    of_rows = replace(measure, statistic="count" if counts else "share", unit=None)
    most = cube.values(of_rows, series.entries)
    least = most / runs.longest
    if not counts:  # the whole may be as many units fewer
        most = most * runs.longest
    slack = numbers.tolerance if numbers.loose is None else np.maximum(numbers.tolerance, numbers.loose)
    slack = np.maximum(slack, (numbers.base or 0) / 2) * 1.001 + 1e-6 * np.abs(most) + 1e-9
    possible = (numbers.values >= least - slack) & (numbers.values <= most + slack)
    return bool(np.count_nonzero(possible) >= share * np.count_nonzero(numbers.given))


def probe_of(cube: Cube, series: Series, numbers: Printed) -> Probe | None:
    """The smallest groups of the series that have rows and a number; None where none is small."""
    key = id(series)
    if key not in cube.probes:
        cube.probes[key] = (series, _probe_of(cube, series, numbers))
    probe: Probe | None = cube.probes[key][1]
    return probe


def _probe_of(cube: Cube, series: Series, numbers: Printed) -> Probe | None:
    places = [
        at
        for at, entry in enumerate(series.entries)
        if numbers.given[at] and entry.levels and TOTAL not in entry.levels
    ]
    if cube.panel.rows <= _LEAST_ROWS or not places:
        return None
    whole = cube.groups((True,) * len(cube.axes), "known")
    group_of = np.array([cube.number(series.entries[at].levels) for at in places])
    rows = whole.rows()[group_of]
    order = [at for at in np.argsort(rows, kind="stable").tolist() if rows[at] > 0][:_MOST_GROUPS]
    few = np.cumsum(rows[order]) <= min(_MOST_SHARE * cube.panel.rows, _MOST_ROWS)
    chosen = [at for at, small in zip(order, few.tolist(), strict=True) if small]
    if not chosen:
        return None
    held, own_group = whole.located(group_of[chosen].tolist())
    groups = Groups(Excerpt(cube.panel, held), own_group, len(chosen))
    cells = [places[at] for at in chosen]
    loose = numbers.loose[cells] if numbers.loose is not None else None
    own = Printed(numbers.values[cells], numbers.tolerance[cells], loose, numbers.base, numbers.whole)
    return Probe(groups, own)
