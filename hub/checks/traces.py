"""Traces of single units in tables that nothing explains: residuals by their head, and twin columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from hub.checks.explanations import Recomputed
from hub.checks.findings import Finding
from hub.checks.measures import printed
from hub.checks.panels import fold
from hub.checks.remainders import COUNTS
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds

_PER_ROW = re.compile(
    r"\b(?:resid\w*|residus?|residuel\w*|fitted|yhat|y hat|predict\w*|predites?|prediction|leverage|cooks?|"
    r"hat|scores?|pscore|propensity)\b"
)
_DISTINCT = 0.5  # units with the same regressors have the same prediction


def find_residuals(table: Table, explained: frozenset[int], thresholds: Thresholds) -> Iterator[Finding]:
    """A long column of mostly different decimals whose head says residuals, fitted values or scores."""
    for at, head in enumerate(table.columns):
        if at in explained or not _PER_ROW.search(fold(head)):
            continue
        numbers = [n for cell in table.column(at) if (n := number_of(cell)) is not None]
        many = len(numbers) >= thresholds.row_level_min_rows
        least = max(_DISTINCT * len(numbers), thresholds.row_level_min_rows)
        if many and len(set(numbers)) >= least and any(n != int(n) for n in numbers):
            place = table.place.within(column=at)
            evidence = {"column": head[:80]}
            yield finding(
                "residuals", thresholds.severity("residuals"), place, rows=len(numbers), evidence=evidence
            )


def find_twins(found: Recomputed, table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """A column that differs from a reproduced count by fewer than a cell needs, and is no count of its own:
    the same groups without a few units."""
    counts = [
        fit
        for fit, sure in zip(found.fits, found.sure, strict=True)
        if fit is not None and sure and fit.measure.statistic in COUNTS
    ]
    for series, own, sure in zip(found.layout.series, found.fits, found.sure, strict=True):
        numbers = printed(series.entries)
        # A count of the rows with a value, under a head that does not name the variable, is no answer.
        named = own is not None and (own.measure.statistic not in COUNTS or own.measure.variable is None)
        named |= own is not None and own.measure.variable in series.hint.variables
        if (sure and named) or not numbers.whole or not numbers.given.any():
            continue
        for fit in counts:
            if fit.series is series:
                continue
            other = printed(fit.series.entries)
            if other.values.shape != numbers.values.shape:
                continue
            gap = np.abs(other.values - numbers.values)[numbers.given & other.given]
            if gap.size and 0 < gap.max() < thresholds.min_units and other.values.max() > 3 * gap.max():
                place = table.place.within(column=series.entries[0].column)
                evidence = {"column": str(table.columns[series.entries[0].column])[:80]}
                yield finding(
                    "differing_populations",
                    thresholds.severity("differing_populations"),
                    place,
                    limit=thresholds.min_units,
                    evidence=evidence,
                )
                break
