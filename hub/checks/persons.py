"""The persons of an extract's tables, in the order in which cells number them (hub.checks.cells)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
        return {panel.name: relations(panel) for panel in panels}
    except (OSError, UnreadableExtract, pl.exceptions.PolarsError):
        return {}


def relations(panel: Panel) -> dict[str, Relation]:
    """The same of one table."""
    own = person_kind(panel)
    if own is None:
        return {}
    persons, count = panel.unit(own)
    return {kind: _pairs(persons, count, panel.unit(kind)[0]) for kind in panel.units if kind != own}


def _pairs(persons: Codes, count: int, units: Codes) -> Relation:
    """Each pair once. Most persons belong to one unit in all their rows: only others' pairs are compared."""
    known = (persons >= 0) & (units >= 0)
    persons, units = persons[known], units[known]
    one = np.full(count, -1, dtype=np.int32)
    one[persons] = units
    others = units != one[persons]
    more = pl.DataFrame({"person": persons[others], "unit": units[others]}).unique()
    having = np.flatnonzero(one >= 0)
    return (
        np.concatenate([having, more["person"].to_numpy()]).astype(np.uint32),
        np.concatenate([one[having], more["unit"].to_numpy()]).astype(np.uint32),
    )


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
