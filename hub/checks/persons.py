"""The persons of an extract's tables, in the order in which cells number them (hub.checks.cells)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from hub.checks.extracts import UnreadableExtract
from hub.checks.panels import Panel, open_panels


def persons_of(directory: Path) -> dict[str, list[int]]:
    """Table → its sorted distinct persons (pseudonyms). Tables without persons are left out; so are all of
    an extract that cannot be read, and whoever needs one must not go on without it."""
    try:
        _, panels = open_panels(directory)
        return {panel.name: persons for panel in panels if (persons := _persons(panel)) is not None}
    except (OSError, UnreadableExtract, pl.exceptions.PolarsError):
        return {}


def _persons(panel: Panel) -> list[int] | None:
    # As in hub.checks.disclosure: where nobody says what a person is, the first kind of unit.
    kind = "person" if "person" in panel.units else next(iter(panel.units), None)
    if kind is None:
        return None
    column = panel.part.column(panel.units[kind])
    if column.dtype.is_float():
        column = column.fill_nan(None)
    distinct = column.drop_nulls().unique().sort()
    return [int(person) for person in distinct.cast(pl.Int64)]
