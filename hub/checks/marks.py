"""Marks in place of a number: they may say that a number is missing, not what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.checks.counts import bound_of
from hub.checks.explanations import Recomputed
from hub.checks.findings import Finding, Severity
from hub.checks.layouts import Entry
from hub.checks.remainders import COUNTS
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds

_MOST_MARKS = 2  # one for what is small, one for what is suppressed with it
_STARS = re.compile(r"[*†]+\s*$")


def find_marks(found: Recomputed, table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """`small_count` for a mark such as "<7", which tells more than the threshold does (BLOCK where the column
    counts, else REVIEW), and `telling_marks` (REVIEW) for marks that tell cells or numbers apart."""
    marks: set[str] = set()
    for fit, series in zip(found.fits, found.layout.series, strict=True):
        counts = fit is not None and fit.measure.statistic in COUNTS
        for entry in series.entries:
            if number_of(entry.text) is not None:
                marks.update(_STARS.findall(entry.text))
                continue
            marks.add(entry.text.strip().casefold())
            bound = bound_of(entry.text)
            if bound is not None and bound < thresholds.min_units:
                yield _small(table, entry, Severity.BLOCK if counts else Severity.REVIEW, thresholds)
    marks.discard("")
    if len(marks) > _MOST_MARKS or any(_STARS.fullmatch(m) for m in marks if _on_numbers(found, m)):
        yield finding("telling_marks", Severity.REVIEW, table.place, count=len(marks))


def _on_numbers(found: Recomputed, mark: str) -> bool:
    """Whether a mark stands behind numbers, as stars of significance do in tables of models."""
    return any(
        number_of(entry.text) is not None and entry.text.strip().endswith(mark)
        for series in found.layout.series
        for entry in series.entries
    )


def _small(table: Table, entry: Entry, severity: Severity, thresholds: Thresholds) -> Finding:
    return finding(
        "small_count",
        severity,
        table.place.within(row=entry.row, column=entry.column),
        limit=thresholds.min_units,
        evidence={"column": table.columns[entry.column][:80], "mark": entry.text[:20]},
    )
