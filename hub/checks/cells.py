"""One number of a printed table that was made again from the extract, and the units behind it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

from pyroaring import BitMap

from hub.checks.findings import Place, Report, Severity, UnreadableReport, report_from_json

_MOST_BYTES = 40_000_000  # of sets, in one answer of the checking process


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
            "units": BitMap.deserialize(base64.b64decode(units, validate=True))
            if units is not None
            else None,
            "place": Place(**raw["place"]),
        }
    )


def dump_checked(report: Report, *, with_cells: bool) -> str:
    """The report and, if asked for, its cells, as one line of strict JSON. Cells whose sets are too large to
    be handed over are left out, which is a finding (`ledger_unread`)."""
    from hub.checks.sentences import finding

    cells = [cell.to_json() for cell in report.cells] if with_cells else []
    if sum(len(cell["units"] or "") for cell in cells) > _MOST_BYTES:
        cells = []
        report = report.with_findings([finding("ledger_unread", Severity.REVIEW)])
    content = {"report": report.to_json(), "cells": cells}
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def load_checked(text: str | bytes) -> Report:
    """The inverse of `dump_checked`; raises `UnreadableReport` on anything unexpected."""
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict) or set(raw) != {"report", "cells"}:
            raise UnreadableReport("not a report with its cells")
        cells = tuple(cell_from_json(cell) for cell in raw["cells"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnreadableReport("not a report with its cells") from error
    return replace(report_from_json(raw["report"]), cells=cells)
