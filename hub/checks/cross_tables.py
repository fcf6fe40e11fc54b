"""Cross tables of small counts: of too few digits to be explained beyond chance, yet each cell is a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from hub.checks.disclosure import Judge
from hub.checks.explanations import Fit, Recomputed
from hub.checks.findings import Finding
from hub.checks.layouts import layouts
from hub.checks.measures import Cube, Measure, printed
from hub.checks.panels import Panel
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

_LEAST_CELLS = 8  # that agree, of which no two have to differ
_MOST_READINGS = 10


def find_in_cross_table(table: Table, panels: Sequence[Panel], thresholds: Thresholds) -> Iterator[Finding]:
    """What the rules say of an unexplained table by two variables, one of which a head names, whose every
    number is the count of its group. It is no reason to let the table pass."""
    for panel in panels:
        for layout in islice(layouts(table, panel), _MOST_READINGS):
            if len(layout.axes) != 2 or not layout.certain or len(layout.series) != 1:
                continue
            (series,) = layout.series
            numbers = printed(series.entries)
            if not numbers.whole or int(numbers.given.sum()) < _LEAST_CELLS:
                continue
            cube = Cube(panel, layout.axes)
            values = cube.values(Measure("count"), series.entries)
            matched = (numbers.matches(values, 1e-9, rounded=False) > 0) | ~numbers.given
            if matched.all():
                fit = Fit(series, Measure("count"), values, matched, 0.0, said=False, rounded=None)
                found = Recomputed(panel, layout, cube, [fit], None, 1, [True])
                yield from Judge(found, table, thresholds).findings()
                return
