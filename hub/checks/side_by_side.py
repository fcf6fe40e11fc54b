"""Tables of several models side by side, as articles print them: a column for each model, a line of estimates
and below it one of errors in brackets, and what is said of all of it at the foot."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.checks.tables import Table, number_of

_IN_BRACKETS = re.compile(r"[(\[]\s*[-+−]?[\d.,]+(?:[eE][-+]?\d+)?\s*[)\]]\*{0,3}")
_MOST_MODELS = 8
_LEAST_TERMS = 2


def models_apart(table: Table) -> list[Table]:
    """One table of coefficients for each model, at the place of the whole; none where the table is of another
    kind."""
    width = len(table.columns)
    if not _LEAST_TERMS <= width <= _MOST_MODELS + 1:
        return []
    lines = [list(row) for row in table.rows if any(cell.strip() for cell in row)]
    made: list[list[list[str]]] = [[] for _ in range(width - 1)]
    errors = at = 0
    while at < len(lines):
        name, *cells = lines[at]
        below = lines[at + 1] if at + 1 < len(lines) else None
        pair = below is not None and _are_errors(below)
        if not name.strip() or not _are_numbers(cells):
            return []
        for model, cell in enumerate(cells):
            error = below[model + 1].strip() if pair and below is not None else ""
            if bool(cell.strip()) != bool(error) and pair:
                return []
            if cell.strip():
                made[model].append([name.strip(), _plain(cell), error.rstrip("*† ").strip("()[] ")])
        errors += pair
        at += 2 if pair else 1
    if errors < _LEAST_TERMS or any(sum(bool(error) for *_, error in one) < _LEAST_TERMS for one in made):
        return []
    return [Table(["", "coef", "std err"], rows, table.place) for rows in made]


def _plain(cell: str) -> str:
    """A number without stars and grouped thousands."""
    number = number_of(cell)
    text = cell.strip().rstrip("*† ")
    return text if number is None or "e" in text.casefold() else format(number, "f")


def _are_errors(line: Sequence[str]) -> bool:
    """Whether a line has no name and nothing but numbers in brackets."""
    given = [cell.strip() for cell in line[1:] if cell.strip()]
    return not line[0].strip() and bool(given) and all(_IN_BRACKETS.fullmatch(cell) for cell in given)


def _are_numbers(cells: Sequence[str]) -> bool:
    given = [cell for cell in cells if cell.strip()]
    return bool(given) and all(number_of(cell) is not None for cell in given)
