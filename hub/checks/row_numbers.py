"""Columns that number the rows of a table, as the index of a data frame does."""

from __future__ import annotations

from itertools import pairwise

from hub.checks.tables import Table, number_of


def numbers_rows(table: Table, at: int) -> bool:
    """Whether a column is an index: 0, 1, 2… or 1, 2, 3… under no head, as data frames are printed; in any
    order where it only says how the labels beside it were ordered before the rows were sorted."""
    head = table.columns[at].strip().casefold()
    if at or head not in ("", "index", "unnamed: 0", "row", "#", "#1") or len(table.rows) < 2:
        return False
    rows = range(len(table.rows))
    if table.column(at) in ([str(n) for n in rows], [str(n + 1) for n in rows]):
        return True
    return head in ("", "index", "unnamed: 0") and _sorts(table)


def _sorts(table: Table) -> bool:
    order = {row[0]: at for at, row in enumerate(table.rows)}
    if order.keys() != {str(n) for n in range(len(table.rows))} or len(table.columns) < 3:
        return False
    keys = [tuple(map(_rank, table.rows[order[str(n)]][1:])) for n in range(len(table.rows))]
    return all(a < b for a, b in pairwise(keys))


def _rank(cell: str) -> tuple[bool, float, str]:
    number = number_of(cell)
    return (True, 0.0, cell) if number is None else (False, float(number), "")
