"""Which statistics a column could be: those its head names first, then the usual ones of every variable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from hub.checks.layouts import Layout, Series
from hub.checks.measures import INTERVALS, Measure, Printed
from hub.checks.order_statistics import QUANTILE_METHODS
from hub.checks.panels import Panel
from hub.checks.wording import Hint

_WEIGHT = re.compile(
    r"(?:^|_)(?:w|wt|wgt|weight|weights|pond|poids|pweight|s006)\d*$|weight|poids", re.IGNORECASE
)
_QUANTILES = (0.25, 0.75, 0.1, 0.9, 0.2, 0.8, 0.05, 0.95, 0.01, 0.99)
_ROW_BUDGET = 40_000_000  # rows × variables looked at without a hint: about a second


def candidates(
    layout: Layout, series: Series, numbers: Printed, panel: Panel
) -> Iterator[tuple[Measure, bool]]:
    """Measures to try, with whether the head says so; cheap and likely ones first."""
    hint = series.hint
    yield from ((measure, True) for measure in _hinted(layout, hint, panel))
    yield from ((measure, False) for measure in _weighted(hint, panel))
    if numbers.whole:
        # A count beside means often counts the rows that have the value.
        near = Hint(variables=tuple(v for one in layout.series for v in one.hint.variables))
        yield from ((measure, False) for measure in _counts(panel, hint + near))
    yield from ((measure, False) for measure in _shares(layout, panel, None))
    if hint.statistics and not hint.variables:
        yield from ((measure, False) for measure in _of_any(hint, numbers, panel))
    for name in _named_first(hint, panel):
        yield from ((measure, False) for measure in _amounts(name, numbers, panel))
    for name in _named_first(hint, panel):
        yield from ((measure, False) for measure in _ordered(name, numbers, panel))
    for weight in weights_of(panel):
        yield Measure("count", weight=weight), False
        for name in (one for one in hint.variables if one in panel.numeric):
            yield Measure("mean", name, weight=weight), False
            yield Measure("sum", name, weight=weight), False
        yield from ((measure, False) for measure in _shares(layout, panel, weight))


def _weighted(hint: Hint, panel: Panel) -> Iterator[Measure]:
    """ "Weighted mean": of some variable, by some weight."""
    statistic = next((one for one in hint.statistics if one in ("mean", "sum")), None)
    if not hint.weighted or hint.variables or statistic is None:
        return
    for weight in weights_of(panel):
        for name in _named_first(hint, panel):
            if name != weight:
                yield Measure(statistic, name, weight=weight)


def taught(layout: Layout, series: Series, numbers: Printed, panel: Panel, name: str) -> list[Measure]:
    """What a series could be that names no variable, where its neighbours are statistics of `name`."""
    hint = series.hint
    if hint.variables:
        return []
    if hint.statistics:
        return list(_hinted(layout, Hint(hint.statistics, hint.quantile, (name,)), panel))
    return list(_counts(panel, Hint(variables=(name,)))) if numbers.whole else []


def weights_of(panel: Panel) -> list[str]:
    """Variables called as weights are."""
    return [name for name in panel.numeric if _WEIGHT.search(name)][:2]


def _named_first(hint: Hint, panel: Panel) -> list[str]:
    named = [name for name in hint.variables if name in panel.numeric]
    others = [name for name in panel.numeric if name not in named]
    room = max(2, _ROW_BUDGET // max(panel.rows, 1))
    return [*named, *others[:room]]


def _hinted(layout: Layout, hint: Hint, panel: Panel) -> Iterator[Measure]:
    """What the head names, word by word."""
    numeric = [name for name in hint.variables if name in panel.numeric]
    for statistic in hint.statistics:
        yield from _of_word(statistic, layout, hint, numeric, panel)
    if hint.statistics:
        return
    if len(hint.variables) >= 2:
        yield from (Measure("correlation", a, other=b) for a, b in combinations(numeric, 2))
    elif layout.by_variables and len(numeric) == 1:  # the diagonal
        yield Measure("correlation", numeric[0], other=numeric[0])
    for name in numeric:
        yield Measure("mean", name)
        yield Measure("sum", name)
        yield Measure("mean", name, scale=100.0)


def _of_word(
    statistic: str, layout: Layout, hint: Hint, numeric: list[str], panel: Panel
) -> Iterator[Measure]:
    if statistic == "count":
        yield from _counts(panel, hint)
    elif statistic in ("persons", "households", "employers"):
        unit = _unit_of(panel, statistic)
        if unit is not None:
            yield Measure(statistic, unit=unit)
            yield from (Measure(statistic, name, unit=unit) for name in hint.variables)
    elif statistic == "share":
        for name in numeric:
            yield Measure("mean", name, scale=100.0)
            yield Measure("mean", name)
        yield from _shares(layout, panel, None)
    elif statistic == "correlation":
        yield from (Measure("correlation", a, other=b) for a, b in combinations(numeric, 2))
    else:
        for name in numeric:
            yield from _statistic(statistic, name, hint.quantile)


def _of_any(hint: Hint, numbers: Printed, panel: Panel) -> Iterator[Measure]:
    """The statistic that the head names, of every variable whose values reach so far."""
    tolerance = float(np.max(numbers.tolerance))
    for statistic in hint.statistics:
        if statistic in ("count", "share", "persons", "households", "employers", "correlation"):
            continue
        for name in _named_first(hint, panel):
            low, high = panel.span(name)
            smallest, largest = np.nanmin(numbers.values), np.nanmax(numbers.values)
            within = low - tolerance <= smallest and largest <= high + tolerance
            if statistic in ("ci_low", "ci_high"):
                yield from _statistic(statistic, name, hint.quantile)
            elif within or statistic in ("sum", "variance", "gini", "se"):
                yield next(_statistic(statistic, name, hint.quantile))


def _statistic(statistic: str, name: str, quantile: float | None) -> Iterator[Measure]:
    if statistic in ("median", "quantile"):
        for method in QUANTILE_METHODS:
            yield Measure(
                statistic, name, quantile=quantile if statistic == "quantile" else 0.5, method=method
            )
    elif statistic in ("ci_low", "ci_high"):
        yield from (Measure(statistic, name, method=method) for method in INTERVALS)
    elif statistic in ("sd", "variance", "se"):
        yield Measure(statistic, name)
        yield Measure(statistic, name, ddof=0)
    else:
        yield Measure(statistic, name)
        if statistic == "sum":
            yield from (Measure("sum", name, scale=scale) for scale in (1e-3, 1e-6))


def _unit_of(panel: Panel, statistic: str) -> str | None:
    kind = {"persons": "person", "households": "household", "employers": "employer"}[statistic]
    if kind in panel.units:
        return kind
    return next(iter(panel.units), None) if statistic == "persons" else None


def _counts(panel: Panel, hint: Hint) -> Iterator[Measure]:
    yield Measure("count")
    for kind in panel.units:
        word = {"household": "households", "employer": "employers"}.get(kind, "persons")
        yield Measure(word, unit=kind)
    for name in hint.variables:
        yield Measure("count", name)
        for kind in panel.units:
            word = {"household": "households", "employer": "employers"}.get(kind, "persons")
            yield Measure(word, name, unit=kind)


def _shares(layout: Layout, panel: Panel, weight: str | None) -> Iterator[Measure]:
    """Shares of the whole, of rows, of columns, of outer groups; as fractions and in percent."""
    axes = range(len(layout.axes))
    for size in range(len(layout.axes)):
        for within in combinations(axes, size):
            for scale in (100.0, 1.0):
                yield Measure("share", within=within, scale=scale, weight=weight)
                if weight is None:
                    for kind in panel.units:
                        yield Measure("share", within=within, scale=scale, unit=kind)


def _amounts(name: str, numbers: Printed, panel: Panel) -> Iterator[Measure]:
    low, high = panel.span(name)
    smallest, largest = np.nanmin(numbers.values), np.nanmax(numbers.values)
    if low - 1 <= smallest and largest <= high + 1:
        yield Measure("mean", name)
    if low >= 0 and high <= 1:
        yield Measure("mean", name, scale=100.0)
    yield Measure("sum", name)
    if smallest >= 0 and largest <= high - low + 1:
        yield Measure("sd", name)
    yield Measure("variance", name)


def _ordered(name: str, numbers: Printed, panel: Panel) -> Iterator[Measure]:
    low, high = panel.span(name)
    tolerance = float(np.max(numbers.tolerance))
    if np.nanmin(numbers.values) < low - tolerance or np.nanmax(numbers.values) > high + tolerance:
        return
    yield Measure("median", name, quantile=0.5)
    yield Measure("max", name)
    yield Measure("min", name)
    for share in _QUANTILES:
        yield Measure("quantile", name, quantile=share)
    yield Measure("gini", name)
