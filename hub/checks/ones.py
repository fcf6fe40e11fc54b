"""Sums of a 0/1 variable that are counts of the rows with a 1, and are judged as such."""

from __future__ import annotations

from collections.abc import Sequence

from hub.checks.explanations import Filter, Recomputed
from hub.checks.recompute import Search


def as_counts(found: Recomputed | None, searches: Sequence[Search]) -> Recomputed | None:
    """An explanation of whole numbers as sums of one 0/1 variable over all rows, as counts of the rows with a
    1, where that explains every number too: who is behind them are those with a 1 only."""
    if found is None or not found.complete or found.where is not None:
        return found
    summed = {
        fit.measure.variable
        for fit in found.fits
        if fit is not None and fit.measure.statistic == "sum" and fit.measure.weight is None
    }
    name = next(iter(summed)) if len(summed) == 1 else None
    known = found.panel.categories(name) if name is not None else None
    if name is None or known is None or not set(known.values) <= {0, 1}:
        return found
    position = known.numbers.get(1.0)
    for search in searches:
        if search.panel is found.panel and position is not None:
            other = search.read(found.layout, Filter(name, position))
            if other.complete:
                return other
    return found
