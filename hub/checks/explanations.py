"""What a printed table was found to be: the statistic of each series of its cells, over which rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hub.checks.layouts import Layout, Series
from hub.checks.measures import Cube, Measure
from hub.checks.panels import Floats, Panel


@dataclass(frozen=True)
class Fit:
    """A series explained: by which measure, cell by cell whether it matches, and how surely.

    `digits`: what the match explains; `said`: the head names the statistic; `rounded`: numbers are
    multiples of a base."""

    series: Series
    measure: Measure
    values: Floats
    matched: npt.NDArray[np.bool_]
    digits: float
    said: bool
    rounded: int | None

    @property
    def complete(self) -> bool:
        """Whether every number of the series matches."""
        return bool(self.matched.all())


@dataclass(frozen=True)
class Filter:
    """The rows of one value of a variable; `position` is that of the category, None: of any value. `also`:
    other variables of which the rows have any value."""

    variable: str
    position: int | None
    also: tuple[str, ...] = ()

    def mask(self, panel: Panel) -> npt.NDArray[np.bool_]:
        """Which rows of the panel these are."""
        if self.position is None:
            kept = ~np.isnan(panel.numeric_reader(self.variable)(slice(None)))
            for name in self.also:
                kept &= ~np.isnan(panel.numeric_reader(name)(slice(None)))
            return kept
        return np.equal(panel.few_categories(self.variable).codes, self.position)


@dataclass
class Recomputed:
    """The best explanation of a table. `tried`: guesses made until it was found."""

    panel: Panel
    layout: Layout
    cube: Cube
    fits: list[Fit | None]
    where: Filter | None = None
    tried: int = 0
    sure: list[bool] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every number is reproduced beyond chance."""
        return bool(self.fits) and all(self.sure)

    @property
    def score(self) -> float:
        """Digits explained surely."""
        fits = zip(self.fits, self.sure, strict=True)
        return sum(
            fit.digits + 0.01 * float(fit.matched.sum()) for fit, sure in fits if fit is not None and sure
        )

    def statistics(self) -> dict[int | None, str]:
        """Column → statistic, for columns all of whose series are surely explained."""
        columns: dict[int | None, str] = {}
        for fit, sure, series in zip(self.fits, self.sure, self.layout.series, strict=True):
            for entry in series.entries:
                if not sure or fit is None:
                    columns[entry.column] = "?"
                else:
                    columns.setdefault(entry.column, fit.measure.statistic)
        return {column: word for column, word in columns.items() if word != "?"}


def best_of(found: Sequence[Recomputed | None]) -> Recomputed | None:
    """The explanation that explains most."""
    real = [one for one in found if one is not None]
    return max(real, key=lambda one: (one.complete, one.score), default=None)
