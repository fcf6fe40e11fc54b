"""Numbers printed as a computer keeps them: nobody reads their last digits, and they help subtraction."""

from __future__ import annotations

from hub.checks.findings import Finding, Severity
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of

_DIGITS = 6  # significant ones; what `vitrine.table` prints in a desk
_DECIMALS = 4


def find_unrounded(table: Table) -> list[Finding]:
    """A NOTE where numbers have more than six significant digits and more than four decimals."""
    cells = sum(_is_unrounded(cell) for row in table.rows for cell in row)
    return [finding("unrounded", Severity.NOTE, table.place, cells=cells)] if cells else []


def _is_unrounded(cell: str) -> bool:
    number = number_of(cell) if len(cell) > _DECIMALS + 1 else None
    if number is None:
        return False
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and -exponent > _DECIMALS and len(digits) > _DIGITS
