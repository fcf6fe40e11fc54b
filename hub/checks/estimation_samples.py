"""The persons that a model was fitted on, as the ledger keeps those of a cell.

A regression on N persons and the same on all but three tell about the three, as two means do: with the design
known, the coefficients say what the outcome sums to. So a model that was made again is one number of the
ledger, of its outcome, and is compared with whatever else was released.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from hub.checks.cells import MODEL, Cell
from hub.checks.findings import Place
from hub.checks.panels import Floats, Panel
from hub.checks.persons import person_kind
from hub.checks.runs import pieces, taken
from hub.checks.terms import units_among

if TYPE_CHECKING:  # files without a model start sooner
    from hub.checks.regressions import Fitted

_LOOKED_AT = 200  # rows that nearly always tell two variables apart


def sample_of(fitted: Fitted, outcome: Floats, place: Place, *, with_units: bool = True) -> Cell:
    """The model as one cell, `statistic` MODEL: of the variable that its outcome is made from (None where
    that cannot be told), its `value` the observations."""
    panel = fitted.panel
    inside = {kind: taken(panel.unit(kind)[0], fitted.rows) for kind in panel.units}
    counts = {kind: units_among(codes) for kind, codes in inside.items()}
    person = person_kind(panel)
    units = None
    if with_units and person is not None:
        own = inside[person]
        units = BitMap(np.unique(own[own >= 0]).astype(np.uint32))
    return Cell(
        0,
        0,
        panel.name,
        MODEL,
        _variable_of(outcome, fitted),
        float(fitted.rows.size),
        counts.get(person) if person is not None else None,
        counts.get("household"),
        counts.get("employer"),
        None,
        units,
        place,
    )


def _variable_of(outcome: Floats, fitted: Fitted) -> str | None:
    """The variable whose values, their logarithms, or one value of which the outcome is."""
    panel, rows = fitted.panel, fitted.rows
    for name in panel.numeric:
        if _made_of(panel, name, rows[:_LOOKED_AT], outcome[:_LOOKED_AT]) and _made_of(
            panel, name, rows, outcome
        ):
            return name
    return None


def _made_of(panel: Panel, name: str, rows: npt.NDArray[np.int64], outcome: Floats) -> bool:
    read = panel.numeric_reader(name)
    if all(np.array_equal(read(own), outcome[part]) for part, own in _pieces(rows, panel)):
        return True
    if all(_is_log(outcome[part], read(own)) for part, own in _pieces(rows, panel)):
        return True
    if not np.isin(outcome, (0.0, 1.0)).all() or not outcome.any():
        return False
    values = read(rows)
    level = values[outcome == 1]
    return bool((level == level[0]).all() and not (values[outcome == 0] == level[0]).any())


def _pieces(
    rows: npt.NDArray[np.int64], panel: Panel
) -> Iterator[tuple[slice, slice | npt.NDArray[np.int64]]]:
    """Some places of the outcome at a time, and the rows of the panel that they are of."""
    for part in pieces(rows.size):
        yield part, part if rows.size == panel.rows else rows[part]


def _is_log(outcome: Floats, values: Floats) -> bool:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.allclose(np.log(values), outcome, rtol=1e-12, atol=1e-12)
