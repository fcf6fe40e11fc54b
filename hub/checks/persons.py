"""What the persons of an extract's tables belong to, as positions in the order in which cells number them
(hub.checks.cells)."""

from __future__ import annotations

import numpy as np
import polars as pl

from hub.checks.codes import Codes
from hub.checks.memberships import Relation
from hub.checks.panels import Panel


def relations(panel: Panel) -> dict[str, Relation]:
    """Kind of unit (but the persons') → who belongs to what in a table: positions among the sorted distinct
    persons, and among the sorted distinct units."""
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
