"""Suppressed cells that the published totals give away, by linear programming; and what to suppress besides.

A table with totals is a system of equations. A suppressed cell lies between the least and the greatest value
that all published numbers allow (two linear programs, HiGHS). If these are the same, or nearer than the
threshold, suppressing it hid nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.checks.findings import Finding, Place, Severity
from hub.checks.sentences import finding

MAX_CELLS = 20_000
_SOLVED, _UNBOUNDED = 0, 3  # of scipy.optimize.linprog
Grid = Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Margins:
    """The published totals of a grid: of each row, of each column (None where one is not published), and of
    all. A grid that is one column of a list has its total as the column's."""

    rows: Sequence[float | None] = ()
    columns: Sequence[float | None] = ()
    grand: float | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a suppressed cell (row and column in the grid, from 0) can be."""

    row: int
    column: int
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


class _System:
    """The equations over the suppressed cells of a grid; values are at least 0. `slack`: every published
    number may be off by so much (half of its rounding base, on each side)."""

    def __init__(self, grid: Grid, margins: Margins, slack: float) -> None:
        from scipy.sparse import csr_array  # few files have something suppressed: the others start sooner

        self.cells = [(r, c) for r, row in enumerate(grid) for c, value in enumerate(row) if value is None]
        index = {cell: k for k, cell in enumerate(self.cells)}
        rows: list[list[int]] = []
        totals: list[float] = []
        loose: list[float] = []
        width = max((len(row) for row in grid), default=0)
        lines = [([(r, c) for c in range(len(grid[r]))], total) for r, total in enumerate(margins.rows)]
        lines += [
            ([(r, c) for r in range(len(grid)) if c < len(grid[r])], total)
            for c, total in enumerate(margins.columns[:width])
        ]
        lines.append(([(r, c) for r in range(len(grid)) for c in range(len(grid[r]))], margins.grand))
        for cells, total in lines:
            hidden = [index[cell] for cell in cells if cell in index]
            if total is None or not hidden:
                continue
            shown = [value for r, c in cells if (value := grid[r][c]) is not None]
            rows.append(hidden)
            totals.append(total - math.fsum(shown))
            loose.append(slack * (len(shown) + 1))
        self._equations = rows

        self._matrix = csr_array(
            (
                np.ones(sum(map(len, rows))),
                ([k for k, row in enumerate(rows) for _ in row], [cell for row in rows for cell in row]),
            ),
            shape=(len(rows), len(self.cells)),
        )
        self._totals = np.array(totals)
        self._loose = np.array(loose)
        # Totals that contradict the shown numbers (rounded elsewhere): let each be off by what it takes.
        self._loose = np.maximum(self._loose, np.maximum(-self._totals, 0.0))

    def bounds(self, cell: int) -> tuple[float, float]:
        """The least and the greatest value of one suppressed cell (infinite where nothing bounds it)."""
        if not any(cell in equation for equation in self._equations):
            return 0.0, math.inf
        ends = []
        for sign in (1.0, -1.0):
            status, best = self._solve(cell, sign)
            if status == _UNBOUNDED:
                ends.append(math.inf if sign < 0 else 0.0)
            elif status != _SOLVED:  # contradictory numbers: nothing can be concluded, so nothing is hidden
                return 0.0, 0.0
            else:
                ends.append(sign * best)
        return ends[0], ends[1]

    def known(self, threshold: float) -> list[Bounds]:
        """The suppressed cells that are known within less than `threshold`."""
        found = [Bounds(row, column, *self.bounds(k)) for k, (row, column) in enumerate(self.cells)]
        return [cell for cell in found if cell.high - cell.low < threshold]

    def _solve(self, cell: int, sign: float) -> tuple[int, float]:
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        objective = np.zeros(len(self.cells))
        objective[cell] = sign
        if self._loose.any():
            system: dict[str, Any] = {
                "A_ub": vstack([self._matrix, -self._matrix]),
                "b_ub": np.concatenate([self._totals + self._loose, self._loose - self._totals]),
            }
        else:
            system = {"A_eq": self._matrix, "b_eq": self._totals}
        solved: Any = linprog(objective, method="highs", **system)
        return int(solved.status), float(solved.fun) if solved.status == _SOLVED else math.nan


def audit(grid: Grid, margins: Margins, *, threshold: float, slack: float = 0.0) -> list[Bounds]:
    """The suppressed cells (None in `grid`) that are known exactly or within less than `threshold`.

    Values are counts or other amounts of at least 0. `slack`: half of the base that the published numbers
    were rounded to. ValueError above MAX_CELLS cells: too many to be judged.
    """
    if sum(len(row) for row in grid) > MAX_CELLS:
        raise ValueError("too many cells")
    return _System(grid, margins, slack).known(threshold)


def secondary(
    grid: Grid, margins: Margins, *, threshold: float, slack: float = 0.0, most: int = 200
) -> list[tuple[int, int]] | None:
    """Cells to suppress besides those that are None, so that none is solvable any more. Every published
    total stays. None where no set of at most `most` cells was found.

    For each cell that can be solved, the cheapest rectangle through it is suppressed: one more cell in its
    row, one in its column, and the one across, smallest sum of values first; what is suppressed already
    costs nothing. Then the whole is judged again. A proposal: not always the fewest cells.
    """
    work = [list(row) for row in grid]
    added: list[tuple[int, int]] = []
    while True:
        solvable = audit(work, margins, threshold=threshold, slack=slack)
        if not solvable:
            return added
        before = len(added)
        for cell in solvable:
            if len(added) == before or not _has_company(work, margins, cell.row, cell.column):
                added += _hide(work, _rectangle(work, margins, cell.row, cell.column))
        if len(added) == before:
            added += _hide(work, _smallest(work))
        if len(added) == before or len(added) > most:
            return None


def _has_company(work: list[list[float | None]], margins: Margins, row: int, column: int) -> bool:
    in_row = sum(value is None for value in work[row]) > 1
    in_column = sum(line[column] is None for line in work if column < len(line)) > 1
    return (in_row or not _published(margins.rows, row)) and (
        in_column or not _published(margins.columns, column)
    )


def _published(totals: Sequence[float | None], position: int) -> bool:
    return position < len(totals) and totals[position] is not None


def _rectangle(
    work: list[list[float | None]], margins: Margins, row: int, column: int
) -> list[tuple[int, int]]:
    """The cells to suppress with this one; empty where there are none."""
    columns = [c for c in range(len(work[row])) if c != column] if _published(margins.rows, row) else [column]
    others = [r for r in range(len(work)) if r != row and column < len(work[r])]
    rows = others if _published(margins.columns, column) else [row]
    best: tuple[float, list[tuple[int, int]]] = (math.inf, [])
    for r in rows:
        for c in columns:
            if c < len(work[r]):
                cells = sorted({(row, c), (r, column), (r, c)} - {(row, column)})
                cost = sum(_cost(work[i][j]) for i, j in cells)
                # A rectangle of suppressed cells only was no help before.
                if 0 < cost < best[0]:
                    best = (cost, cells)
    return best[1]


def _cost(value: float | None) -> float:
    """A suppressed cell is free; a 0 hides nothing, so it comes last."""
    if value is None:
        return 0.0
    return value if value > 0 else 1e12


def _smallest(work: list[list[float | None]]) -> list[tuple[int, int]]:
    shown = [(_cost(v), r, c) for r, line in enumerate(work) for c, v in enumerate(line) if v is not None]
    return [min(shown)[1:]] if shown else []


def _hide(work: list[list[float | None]], cells: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    hidden = [(r, c) for r, c in cells if work[r][c] is not None]
    for r, c in hidden:
        work[r][c] = None
    return hidden


def findings_of(
    bounds: Iterable[Bounds],
    place: Place,
    *,
    rows: Mapping[int, int],
    columns: Mapping[int, int],
    severity: Severity = Severity.BLOCK,
) -> list[Finding]:
    """One for each solvable cell. `rows`, `columns`: printed row and column for each of the grid's. The
    evidence says how near, for checkers only."""
    return [
        finding(
            "suppression_solvable",
            severity,
            place.within(row=rows[cell.row], column=columns[cell.column]),
            evidence={"exactly": cell.width < 1e-6},
        )
        for cell in bounds
    ]


Sum = tuple[int, Sequence[int]]  # position of a total, and of the numbers it is the sum of


class _Sums(_System):
    """The equations of sums whose totals may be parts of other sums, or suppressed themselves."""

    def __init__(self, values: Sequence[float | None], sums: Sequence[Sum], slack: float) -> None:
        from scipy.sparse import csr_array

        self.cells = [(position, 0) for position, value in enumerate(values) if value is None]
        index = {position: k for k, (position, _) in enumerate(self.cells)}
        entries: list[tuple[int, int, float]] = []
        self._equations = []
        totals: list[float] = []
        loose: list[float] = []
        for total, parts in sums:
            hidden = [(index[part], 1.0) for part in parts if part in index]
            hidden += [(index[total], -1.0)] if total in index else []
            if not hidden:
                continue
            shown = [value for part in parts if (value := values[part]) is not None]
            rest = (values[total] or 0.0) - math.fsum(shown)
            entries += [(len(totals), k, sign) for k, sign in hidden]
            self._equations.append([k for k, _ in hidden])
            totals.append(rest)
            contradiction = max(-rest, 0.0) if total not in index else 0.0
            loose.append(max(slack * (len(shown) + 1), contradiction))
        rows, columns, signs = zip(*entries, strict=True) if entries else ((), (), ())
        self._matrix = csr_array((signs, (rows, columns)), shape=(len(totals), len(self.cells)))
        self._totals = np.array(totals)
        self._loose = np.array(loose)


def audit_sums(
    values: Sequence[float | None], sums: Sequence[Sum], *, threshold: float, slack: float = 0.0
) -> list[Bounds]:
    """As `audit`, for numbers some of which are sums of others: several groupings, subtotals. `row` is the
    position in `values`, `column` 0."""
    if len(values) > MAX_CELLS:
        raise ValueError("too many cells")
    return _Sums(values, sums, slack).known(threshold)
