"""The persons of an extract's tables, in the order in which cells number them (hub.checks.cells)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from hub.checks.extracts import UnreadableExtract
from hub.checks.memberships import Relation
from hub.checks.panels import Codes, Panel, open_panels


def persons_of(directory: Path) -> dict[str, list[int]]:
    """Table → its sorted distinct persons (pseudonyms). Tables without persons are left out; so are all of
    an extract that cannot be read, and whoever needs one must not go on without it."""
    try:
        _, panels = open_panels(directory)
        return {panel.name: persons for panel in panels if (persons := _persons(panel)) is not None}
    except (OSError, UnreadableExtract, pl.exceptions.PolarsError):
        return {}


def relations_of(directory: Path) -> dict[str, dict[str, Relation]]:
    """Table → kind of unit (but the persons') → who belongs to what: positions among the sorted distinct
    persons, and among the sorted distinct units. Empty for an extract that cannot be read; so is what
    `persons_of` answers then."""
    try:
        _, panels = open_panels(directory)
        return {panel.name: _relations(panel) for panel in panels}
    except (OSError, UnreadableExtract, pl.exceptions.PolarsError):
        return {}


def _relations(panel: Panel) -> dict[str, Relation]:
    own = person_kind(panel)
    if own is None:
        return {}
    persons, _ = panel.unit(own)
    return {kind: _pairs(persons, panel.unit(kind)[0]) for kind in panel.units if kind != own}


def _pairs(persons: Codes, units: Codes) -> Relation:
    both = (persons >= 0) & (units >= 0)
    distinct = pl.DataFrame({"person": persons[both], "unit": units[both]}).unique()
    return tuple(distinct[name].cast(pl.UInt32).to_numpy() for name in ("person", "unit"))  # type: ignore[return-value]


def person_kind(panel: Panel) -> str | None:
    """The kind of unit that counts as persons: where nobody says what a person is, the first."""
    return "person" if "person" in panel.units else next(iter(panel.units), None)


def _persons(panel: Panel) -> list[int] | None:
    kind = person_kind(panel)
    if kind is None:
        return None
    column = panel.part.column(panel.units[kind])
    if column.dtype.is_float():
        column = column.fill_nan(None)
    distinct = column.drop_nulls().unique().sort()
    return [int(person) for person in distinct.cast(pl.Int64)]
