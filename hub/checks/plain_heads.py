"""What the heads and labels of an unexplained table say outright: minima and maxima, counts run together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from hub.checks.findings import Finding, Severity
from hub.checks.panels import fold
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds

_EXTREME = re.compile(r"\b(?:(?P<low>min|minimum|minimal)|(?P<high>max|maximum|maximal))\b")
_BESIDE = re.compile(r"mean|moyenne|mittelwert|sd|std|std dev|standard deviation|ecart type|median")
_CUMULATED = re.compile(
    r"(?:cum|cumul|cumulated|cumulative|cumule|cumules|running total|cumfreq)"
    r"(?: (?:n|counts?|freqs?|frequency|effectifs?|persons?))?|(?:n|counts?|freq|effectifs?) cum(?:ul\w*)?"
)
_LEAST_LINES = 4  # of a column that runs on


def find_outright(table: Table, explained: frozenset[int], thresholds: Thresholds) -> Iterator[Finding]:
    """Findings on columns and lines that nothing explains. Minima and maxima only of numbers with decimals:
    the edges of bands are called so too, and are whole."""
    summary = any(_BESIDE.fullmatch(fold(head)) for head in table.columns)
    for at, head in enumerate(table.columns):
        if at in explained:
            continue
        numbers = [number_of(cell) for cell in table.column(at)]
        hit = _EXTREME.search(fold(head))
        whole = hit and summary and _EXTREME.fullmatch(fold(head)) and any(n is not None for n in numbers)
        if hit and (whole or _have_decimals(numbers)):
            yield _extreme(table, hit, thresholds, column=at)
        elif _CUMULATED.fullmatch(fold(head)):
            yield from _cumulated(table, at, numbers, thresholds)
    yield from _lines(table, explained, thresholds)


def _lines(table: Table, explained: frozenset[int], thresholds: Thresholds) -> Iterator[Finding]:
    """Lines under a label that is nothing but minimum or maximum; the residuals of R's summary have a finding
    of their own."""
    if not table.columns or number_of(table.columns[0]) is not None or fold(table.columns[0]) == "residuals":
        return
    for row, cells in enumerate(table.rows):
        hit = _EXTREME.fullmatch(fold(cells[0]))
        numbers = [number_of(cell) for at, cell in enumerate(cells) if at and at not in explained]
        if hit and _have_decimals(numbers):
            yield _extreme(table, hit, thresholds, row=row)


def _have_decimals(numbers: Sequence[Decimal | None]) -> bool:
    return any(n is not None and n != n.to_integral_value() for n in numbers)


def _extreme(table: Table, hit: re.Match[str], thresholds: Thresholds, **at: int) -> Finding:
    word = "minimum" if hit["low"] else "maximum"
    return finding("extreme", thresholds.severity("extreme"), table.place.within(**at), statistic=word)


def _cumulated(
    table: Table, at: int, numbers: Sequence[Decimal | None], thresholds: Thresholds
) -> Iterator[Finding]:
    """Counts run together give each back: the difference to the line above."""
    whole = [int(n) for n in numbers if n is not None and n == n.to_integral_value()]
    if len(whole) < max(_LEAST_LINES, len(numbers)) or any(b < a for a, b in pairwise(whole)):
        return
    for row, (above, own) in enumerate(pairwise([0, *whole])):
        if 0 < own - above < thresholds.min_units:
            place = table.place.within(row=row, column=at)
            evidence = {"column": table.columns[at][:80], "value": own - above}
            yield finding("small_count", Severity.BLOCK, place, limit=thresholds.min_units, evidence=evidence)
