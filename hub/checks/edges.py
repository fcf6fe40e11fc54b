"""Edges of bands that are the smallest or largest value of a variable: programs that cut a variable into bins
begin and end there, and the label then says the value of a unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from hub.checks.axes import Axis
from hub.checks.explanations import Recomputed
from hub.checks.findings import Finding, Severity
from hub.checks.panels import Panel, fold
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.terms import units_among
from hub.checks.thresholds import Thresholds
from hub.checks.wording import bands_of

_MARGIN = 0.001  # by which pandas' `cut` begins below the smallest value, as a share of the range
_MOST_BINS = 100
_LEAST_EDGES = 3
_ROUND = 2
_MOST_LABELS = 3


def find_edges(found: Recomputed, table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """`extreme` for each grouping by bands of which an edge is the extreme of fewer units than a cell needs:
    BLOCK where it has decimals, REVIEW where it is whole, or where the edges part the range evenly."""
    for axis in found.layout.axes:
        said = _said(axis, found.panel, thresholds) if axis.bands is not None else None
        if said is None:
            continue
        word, sure = said
        severity = thresholds.severity("extreme") if sure else Severity.REVIEW
        evidence = {"variable": axis.variable}
        yield finding("extreme", severity, table.place, statistic=word, evidence=evidence)


def find_unexplained_edges(
    table: Table, panels: Sequence[Panel], thresholds: Thresholds
) -> Iterator[Finding]:
    """`extreme` for labels of bands that end at the extreme of a variable which a head names, or begin and
    end at those of any, whatever the numbers beside them are: programs that cut a variable print them so."""
    for at, head in enumerate(table.columns[:_MOST_LABELS]):
        cells = [cell for cell in dict.fromkeys(table.column(at)) if cell.strip()]
        readings = bands_of(cells) if len(cells) > 1 else []
        if not readings:
            continue
        edges = sorted({edge for low, high, _, _ in readings[0] for edge in (low, high) if np.isfinite(edge)})
        if _decimals(edges[0]) == 0 or _decimals(edges[-1]) == 0:
            continue
        words = f" {fold(head)} "
        for panel in panels:
            for name in panel.numeric:
                if _ends_at(edges, name, panel, thresholds, named=f" {fold(name)} " in words):
                    severity, place = thresholds.severity("extreme"), table.place.within(column=at)
                    evidence = {"variable": name}
                    yield finding("extreme", severity, place, statistic="maximum", evidence=evidence)
                    return


def _ends_at(edges: list[float], name: str, panel: Panel, thresholds: Thresholds, *, named: bool) -> bool:
    """Whether the last edge is the largest value of few units, and the first the smallest or just below."""
    low, high = panel.span(name)
    if not low < high or abs(edges[-1] - high) > _tolerance(edges[-1]):
        return False
    begins = abs(edges[0] - low) <= _tolerance(edges[0]) or _begins_below(edges[0], low, high)
    few = _units_at(panel, name, high) < thresholds.min_units
    return few and (begins or (named and _decimals(edges[-1]) > 1))


def _begins_below(edge: float, low: float, high: float) -> bool:
    """Whether an edge is just below the smallest value, at the precision of `qcut` and `cut`."""
    most = max(10.0 ** -_decimals(edge), _MARGIN * (high - low))
    return _decimals(edge) > 0 and 0 < low - edge <= 1.1 * most


def _said(axis: Axis, panel: Panel, thresholds: Thresholds) -> tuple[str, bool] | None:
    """ "minimum" or "maximum" where the edges say it, and whether that is sure."""
    edges = sorted(
        {edge for low, high, _, _ in axis.bands or () for edge in (low, high) if np.isfinite(edge)}
    )
    low, high = panel.span(axis.variable)
    if not edges or not low < high:
        return None
    few = {
        word: value
        for word, value in (("minimum", low), ("maximum", high))
        if _units_at(panel, axis.variable, value) < thresholds.min_units
    }
    for word, value in few.items():
        for edge in edges:
            near = abs(edge - value) <= _tolerance(edge) and not _is_round(edge)
            if near or (word == "minimum" and _is_margin(edge, low, high)):
                return word, _decimals(edge) > 0
    return ("maximum", False) if few and _parts_evenly(edges, low, high) else None


def _is_margin(edge: float, low: float, high: float) -> bool:
    """Whether an edge is where `cut` begins."""
    return _decimals(edge) > 0 and abs(edge - (low - _MARGIN * (high - low))) <= _tolerance(edge)


def _parts_evenly(edges: list[float], low: float, high: float) -> bool:
    """Whether edges with decimals are those of some number of bins of one width from extreme to extreme."""
    broken = [edge for edge in edges if _decimals(edge) > 1]
    if len(broken) < _LEAST_EDGES:
        return False
    places = (np.array(broken) - low) / (high - low)
    slack = np.array([_tolerance(edge) for edge in broken]) / (high - low)
    return any(
        bool((np.abs(places * bins - np.round(places * bins)) <= slack * bins + 1e-9).all())
        for bins in range(_LEAST_EDGES, _MOST_BINS + 1)
        if float((2 * slack * bins).max()) < 1 / _LEAST_EDGES / 3
    )


def _decimals(edge: float) -> int:
    exponent = Decimal(repr(edge)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _is_round(edge: float) -> bool:
    """Whether an edge has at most two digits before its zeros: people choose such limits themselves."""
    return len(Decimal(repr(edge)).normalize().as_tuple().digits) <= _ROUND


def _tolerance(edge: float) -> float:
    """Half a unit of the last decimal; whole edges are meant exactly."""
    decimals = _decimals(edge)
    return 0.5 * 10.0**-decimals if decimals else 1e-9 * max(1.0, abs(edge))


def _units_at(panel: Panel, name: str, value: float) -> int:
    """How many persons have this value; of another kind where the extract knows no persons."""
    rows = panel.numeric_reader(name)(slice(None)) == value
    kinds = sorted(panel.units, key=lambda kind: kind != "person")
    if not kinds:
        return int(rows.sum())
    return units_among(panel.unit(kinds[0])[0][rows])
