"""One number of a printed table that was made again from the extract, and the units behind it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap

from hub.checks.findings import Place


@dataclass(frozen=True, slots=True)
class Cell:
    """A reproduced number.

    `row`, `column`: from 0, data rows, as in `Place`. `table`: the extract's table. `statistic`: a word of
    `hub.documents.outputs.Statistic`. `variable`: None for counts. `value`: as recomputed, not as printed.
    `persons`, `households`, `employers`: distinct units with a value in the cell; None where the extract
    has no such unit. `top_shares`: shares of the largest and of the two largest persons in the absolute
    total, for statistics of amounts. `units`: positions of the cell's persons among the sorted distinct
    persons of the extract's table (None where it has no persons). `place`: the printed table in its file.
    """

    row: int
    column: int
    table: str
    statistic: str
    variable: str | None
    value: float
    persons: int | None
    households: int | None
    employers: int | None
    top_shares: tuple[float, float] | None = None
    units: BitMap | None = None
    place: Place = field(default_factory=Place)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the bitmap as base64 of its portable format."""
        return {
            "row": self.row,
            "column": self.column,
            "table": self.table,
            "statistic": self.statistic,
            "variable": self.variable,
            "value": self.value,
            "persons": self.persons,
            "households": self.households,
            "employers": self.employers,
            "top_shares": list(self.top_shares) if self.top_shares is not None else None,
            "units": base64.b64encode(self.units.serialize()).decode() if self.units is not None else None,
            "place": self.place.to_json(),
        }


def cell_from_json(raw: dict[str, Any]) -> Cell:
    """The inverse of `Cell.to_json`; raises KeyError, TypeError or ValueError on anything unexpected."""
    units = raw["units"]
    shares = raw["top_shares"]
    return Cell(
        **{
            **raw,
            "top_shares": (shares[0], shares[1]) if shares is not None else None,
            "units": BitMap.deserialize(base64.b64decode(units, validate=True)) if units is not None else None,
            "place": Place(**raw["place"]),
        }
    )
