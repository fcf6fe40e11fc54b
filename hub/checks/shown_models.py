"""Printed summaries of models as the file alone shows them, without an extract: which tables are theirs,
whether they are of too few observations, and whether they show the smallest and the largest residual."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hub.checks.contents import Contents
from hub.checks.findings import Finding, Place, Severity
from hub.checks.identifiers import Text
from hub.checks.model_texts import Explained, Reader, may_hold_models
from hub.checks.sentences import finding
from hub.checks.summaries import Summary
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

# R's summary of lm: five numbers, the first and last of which are single observations.
_RESIDUALS = re.compile(r"^(?:[\w ]+ )?Residuals:\s*\n\s*Min\s+1Q\s+Median\s+3Q\s+Max\b", re.MULTILINE)


class _Shown(Reader):
    """Reads summaries as they stand, without fitting them."""

    def __init__(self, contents: Contents, thresholds: Thresholds) -> None:
        super().__init__(Explained(contents), (), None, thresholds)
        self.summaries: list[tuple[Summary, Place]] = []

    def explain(self, summaries: Sequence[Summary], place: Place) -> set[int]:
        self.summaries += [(one, place) for one in summaries]
        return {line for one in summaries for line in one.lines}


def shown_models(contents: Contents, thresholds: Thresholds) -> tuple[list[Table], list[Finding]]:
    """The tables of `contents` that printed summaries of models look like, and what their numbers break."""
    if not may_hold_models(contents):
        return [], []
    reader = _Shown(contents, thresholds)
    reader.read_texts()
    reader.read_tables()
    kept = [table.place for table in reader.explained.left.tables]
    tables = [table for table in contents.tables if table.place not in kept]
    return tables, [one for shown in reader.summaries for one in _few(*shown, thresholds)]


def _few(summary: Summary, place: Place, thresholds: Thresholds) -> Iterator[Finding]:
    """The finding on a summary that leaves too few degrees of freedom."""
    needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
    said = [_whole(summary.number(role)) for role in ("degrees", "observations")]
    degrees, rows = said[0], said[1]
    if rows is not None:
        left = rows - len(summary.coefficients)
        degrees = left if degrees is None else min(degrees, left)
    if degrees is not None and degrees < needed:
        severity = thresholds.severity("degrees_of_freedom")
        yield finding("degrees_of_freedom", severity, place, limit=needed, evidence={"degrees": degrees})


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 12 else None


def find_residual_ends(text: Text) -> Iterator[Finding]:
    """The finding on a summary of R with the quantiles of its residuals."""
    if (hit := _RESIDUALS.search(text.content)) is not None:
        line = text.content.count("\n", 0, hit.start())
        yield finding("residual_ends", Severity.REVIEW, text.place.within(line=line))
