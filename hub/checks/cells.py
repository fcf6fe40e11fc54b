"""One number of a printed table that was made again from the extract, and the units behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyroaring import BitMap

from hub.checks.findings import Place, Report, Severity, UnreadableReport, report_from_json
from hub.checks.sets import packed

MODEL = "regression"  # the statistic of a model's sample (hub.checks.estimation_samples)
SETS_BYTES = 40_000_000  # in one answer of the checking process, for an extract that is not large


@dataclass(frozen=True, slots=True)
class Cell:
    """A reproduced number.

    `row`, `column`: from 0, data rows, as in `Place`. `table`: the extract's table. `statistic`: a word of
    `hub.documents.outputs.Statistic`, or MODEL. `variable`: None for counts. `value`: as recomputed, not as
    printed.
    `persons`, `households`, `employers`: distinct units with a value in the cell; None where the extract
    has no such unit. `top_shares`: shares of the largest and of the two largest persons in the absolute
    total, for statistics of amounts. `units`: positions of the cell's persons among the sorted distinct
    persons of the extract's table (None where it has no persons). `place`: the printed table in its file.
    `held`: outside the checking process, which of the sets that came with the report is `units`.
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
    held: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, without the units themselves."""
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
            "place": self.place.to_json(),
            "held": self.held,
        }


def cell_from_json(raw: dict[str, Any]) -> Cell:
    """The inverse of `Cell.to_json`; raises KeyError, TypeError or ValueError on anything unexpected."""
    shares, held = raw["top_shares"], raw["held"]
    if not (held is None or (isinstance(held, int) and held >= 0)) or "units" in raw:
        raise ValueError("not a cell")
    return Cell(
        **{
            **raw,
            "top_shares": (shares[0], shares[1]) if shares is not None else None,
            "place": Place(**raw["place"]),
        }
    )


def dump_checked(report: Report, *, with_cells: bool, most: int = SETS_BYTES) -> Iterator[bytes]:
    """The report and, if asked for, its cells as one line of strict JSON, and the sets of the cells behind
    it, each different one once. Cells whose sets come to more than `most` bytes are left out, which is a
    finding (`ledger_unread`)."""
    from hub.checks.sentences import finding

    cells, blobs = _held(report.cells) if with_cells else ([], [])
    if sum(map(len, blobs)) > most:
        cells, blobs = [], []
        report = report.with_findings([finding("ledger_unread", Severity.REVIEW)])
    content = {"report": report.to_json(), "cells": [cell.to_json() for cell in cells]}
    yield json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    if with_cells:
        yield b"\n"
        yield from packed(blobs)


def _held(cells: Sequence[Cell]) -> tuple[list[Cell], list[bytes]]:
    """The cells with the number of their set, and the sets."""
    blobs: dict[bytes, int] = {}
    known: dict[int, int] = {}  # the statistics of a cell share one object
    found = []
    for cell in cells:
        held = None
        if cell.units is not None:
            if id(cell.units) not in known:
                known[id(cell.units)] = blobs.setdefault(cell.units.serialize(), len(blobs))
            held = known[id(cell.units)]
        found.append(replace(cell, held=held))
    return found, list(blobs)


def load_checked(text: str | bytes) -> Report:
    """The inverse of `dump_checked`, but for the sets: the cells say which they have (`held`). Raises
    `UnreadableReport` on anything unexpected."""
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict) or set(raw) != {"report", "cells"}:
            raise UnreadableReport("not a report with its cells")
        cells = tuple(cell_from_json(cell) for cell in raw["cells"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnreadableReport("not a report with its cells") from error
    return replace(report_from_json(raw["report"]), cells=cells)
