"""Columns that are made of others: cells of two or three numbers, and numbers cumulated down a column.

"12.3 (0.4)" and "12.3 [11.5, 13.1]" become columns of their own. A cumulated column says the difference of
each line to the line above: where the counts stand beside it and are made again it must be their running
total; where they do not, its differences are read as the counts, and the rules hold for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate, pairwise

import numpy as np

from hub.checks.explanations import Recomputed
from hub.checks.layouts import TOTAL
from hub.checks.tables import Table, number_of
from hub.checks.wording import is_suppressed, is_total

_PART = r"[-+−]?\d[\d ,.'’]*%?"
_PAIR = re.compile(rf"(?P<one>{_PART})\s*(?:\((?P<two>{_PART})\)|(?:±|\+/-|\+-|\\pm)\s*(?P<also>{_PART}))\**")
_TRIPLE = re.compile(
    rf"(?P<one>{_PART})\s*[\[(](?P<two>{_PART})\s*(?:,|;|–|—|-|to|à|bis)\s+?(?P<three>{_PART})[\])]\**"
)
_TRIPLE_TIGHT = re.compile(
    rf"(?P<one>{_PART})\s*[\[(](?P<two>[-+−]?\d+(?:\.\d+)?)\s*[,;–—]\s*(?P<three>[-+−]?\d+(?:\.\d+)?)[\])]\**"
)
_INSIDE = re.compile(r"[\[(].*[\])]|±.*|\+/-.*")
_CUMULATED = re.compile(
    r"(?:^|[\s_./%-])(?:cum\.?|cumul\w*|kum\w*|running|cumfreq|cumpct|cumperc\w*)(?:$|[\s_./%-])",
    re.IGNORECASE,
)
_MOST_COLUMNS = 12
_LONGEST = 80  # characters of a cell


@dataclass(frozen=True)
class Derived:
    """A table that stands for another. `holds`: whether what was set aside follows from its explanation."""

    table: Table
    holds: Callable[[Recomputed], bool]


def derived(table: Table) -> Iterator[Derived]:
    """The tables that `table` may stand for; none where no column is made of others."""
    for opened in (table, *_opened(table)):
        if opened is not table:
            yield Derived(opened, lambda _: True)
        columns = [at for at, head in enumerate(opened.columns) if _is_cumulated(opened, at, head)]
        if columns:
            yield _beside(opened, columns)
            yield Derived(_differences(opened, columns), lambda _: True)


def _opened(table: Table) -> Iterator[Table]:
    """The table with a column for each number of its cells, under the words that they may have."""
    parted = {at: parts for at in range(len(table.columns)) if (parts := _parts(table.column(at)))}
    if not parted or len(parted) > _MOST_COLUMNS:
        return
    widest = max(len(row) for parts in parted.values() for row in parts)
    words = [("ci low", "ci high")] if widest > 2 else [("se",), ("sd",), ("n",), ("percent",)]
    for names in words:
        columns = list(table.columns)
        rows = [list(row) for row in table.rows]
        for at, parts in parted.items():
            head = _INSIDE.sub("", table.columns[at]).strip(" _/") or table.columns[at]
            columns[at] = head
            own = names[: max(len(one) for one in parts) - 1]
            columns += [
                f"{head} {name}" if len(parted) > 1 or _names_variable(head) else name for name in own
            ]
            for row, numbers in zip(rows, parts, strict=True):
                row[at] = numbers[0]
                row += [numbers[place] if len(numbers) > place else "" for place in range(1, len(own) + 1)]
        yield replace(table, columns=columns, rows=rows)


def _names_variable(head: str) -> bool:
    """Whether a head says more than what statistic it is."""
    return head.casefold() not in ("mean", "value", "estimate", "moyenne", "mittelwert", "")


def _parts(cells: Sequence[str]) -> list[list[str]]:
    """The numbers of each cell, where all cells with a number have two (or all three); else none."""
    found: list[list[str]] = []
    for cell in cells:
        text = cell.strip()
        if len(text) > _LONGEST:
            return []
        hit = _TRIPLE.fullmatch(text) or _TRIPLE_TIGHT.fullmatch(text) or _PAIR.fullmatch(text)
        if hit is not None:
            numbers = [
                hit["one"],
                *(part for name in ("two", "also", "three") if (part := hit.groupdict().get(name))),
            ]
            found.append([number.strip() for number in numbers])
        elif is_suppressed(text) or number_of(text) is not None:  # a line of counts has one number
            found.append([text])
        else:
            return []
    sizes = {len(numbers) for numbers in found} - {1}
    known = all(number_of(number) is not None for one in found if len(one) > 1 for number in one)
    return found if len(sizes) == 1 and known else []


def _is_cumulated(table: Table, at: int, head: str) -> bool:
    """Whether a column rises down the table and is called cumulated, or is the running total of its left
    neighbours."""
    cells = [cell for cell in table.column(at) if cell.strip()]
    numbers = [number_of(cell) for cell in cells]
    if len(numbers) < 2 or any(one is None or one < 0 for one in numbers):
        return False
    known = [one for one in numbers if one is not None]
    if any(a > b for a, b in pairwise(known)):
        return False
    if _CUMULATED.search(f" {head} "):
        return True
    return any(_runs(table.column(other), table.column(at)) for other in range(at))


def _runs(parts: Sequence[str], sums: Sequence[str]) -> bool:
    numbers = [number_of(cell) for cell in parts]
    totals = [number_of(cell) for cell in sums]
    if len(numbers) < 3 or None in numbers or None in totals:
        return False
    return list(accumulate(one or Decimal(0) for one in numbers)) == totals


def _beside(table: Table, columns: Sequence[int]) -> Derived:
    """The table without its cumulated columns, which must be running totals of what is made again."""
    rows = [["" if at in columns else cell for at, cell in enumerate(row)] for row in table.rows]
    heads = ["" if at in columns else head for at, head in enumerate(table.columns)]
    return Derived(
        replace(table, columns=heads, rows=rows),
        lambda found: all(_follows(table, at, found) for at in columns),
    )


def _follows(table: Table, at: int, found: Recomputed) -> bool:
    """Whether a column is the running total of one of counts, shares or sums all of whose cells are shown."""
    printed = [number_of(cell) for cell in table.column(at)]
    lines = [row for row in range(len(table.rows)) if not any(is_total(cell) for cell in table.rows[row])]
    if any(printed[row] is None for row in lines) or any(
        printed[row] is not None for row in range(len(printed)) if row not in lines
    ):
        return False
    for fit in found.fits:
        if (
            fit is None
            or fit.rounded is not None
            or fit.measure.statistic not in ("count", "share", "sum", "persons")
        ):
            continue
        values = {
            entry.row: float(value)
            for entry, value in zip(fit.series.entries, fit.values, strict=True)
            if TOTAL not in entry.levels and number_of(entry.text) is not None
        }
        if set(values) != set(lines) or len({entry.column for entry in fit.series.entries}) > 1:
            continue
        running = np.cumsum([values[row] for row in lines])
        whole = float(running[-1])
        scales = (
            (1.0,) if fit.measure.statistic == "share" else (1.0, 1 / whole, 100 / whole) if whole else (1.0,)
        )
        if any(_prints(table, at, lines, running * scale) for scale in scales):
            return True
    return False


def _prints(
    table: Table, at: int, lines: Sequence[int], values: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> bool:
    numbers = [number_of(table.rows[row][at]) for row in lines]
    decimals = max((-int(n.as_tuple().exponent) for n in numbers if n is not None), default=0)
    tolerance = 0.5 * 10.0 ** -max(decimals, 0) * (1 + 1e-6) + 1e-9
    return all(
        n is not None and abs(float(n) - value) <= tolerance for n, value in zip(numbers, values, strict=True)
    )


def _differences(table: Table, columns: Sequence[int]) -> Table:
    """The table with each cumulated number less the one above."""
    rows = [list(row) for row in table.rows]
    heads = list(table.columns)
    for at in columns:
        heads[at] = _CUMULATED.sub(" ", f" {heads[at]} ").strip(" _./-") or "n"
        before = Decimal(0)
        for row, cells in enumerate(table.rows):
            number = number_of(cells[at])
            if number is None or any(is_total(cell) for cell in cells):
                continue
            rows[row][at] = str(number - before)
            before = number
    return replace(table, columns=heads, rows=rows)
