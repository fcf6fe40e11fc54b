"""The numbers of an extract's persons in the space of their source, and what they belong to: found once for
an extract, in a confined child, and kept beside the ledger.

A cell's persons are positions among the sorted distinct persons of its table; the numbers are in the order of
these positions (hub.checks.numbers).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.memberships import numbered
from hub.checks.numbers import NUMBERS, BadNumbers, Numbers
from hub.checks.panels import Panel, open_panels
from hub.checks.persons import person_kind, relations


def number_tables(
    extract: Path, name: str, register: Path | None, units: Mapping[str, str] | None = None
) -> Iterator[bytes | memoryview]:
    """For each table of an extract that has persons: its space, its numbers and its memberships. The first
    line says of each how long they are. Without a register the extract is a space of its own. `units`: type
    → column, where no dictionary says so. Raises BadNumbers, UnreadableExtract, PolarsError."""
    _, panels = open_panels(extract, units)
    told: list[Mapping[str, Any]] = []
    pieces: list[bytes | memoryview] = []
    for panel in panels:
        persons = persons_of_panel(panel)
        if persons is None:
            continue
        space, numbers = _numbers(persons, f"{name}/{panel.name}", register)
        mine: list[bytes | memoryview] = [NUMBERS, numbers.data.cast("B")]
        found = relations(panel)
        members = [*numbered(numbers, found).pieces()] if found else []
        told.append(
            {
                "table": panel.name,
                "space": space,
                "persons": persons.size,
                "numbers": sum(map(len, mine)),
                "members": sum(map(len, members)),
            }
        )
        pieces += [*mine, *members]
        panel.part.forget()
    yield json.dumps({"tables": told}).encode() + b"\n"
    yield from pieces


def persons_of_panel(panel: Panel) -> npt.NDArray[np.int64] | None:
    """The sorted distinct persons (pseudonyms) of a table; None where it has none."""
    kind = person_kind(panel)
    if kind is None:
        return None
    name = panel.units[kind]
    if panel.part.stored is not None and panel.part.stored.has(name, "units"):
        return panel.part.stored.array(name, "distinct").astype(np.int64, copy=False)
    column = panel.part.column(name)
    if column.dtype.is_float():
        column = column.fill_nan(None)
    return column.drop_nulls().unique().sort().cast(pl.Int64).to_numpy()


def _numbers(persons: npt.NDArray[np.int64], own: str, register: Path | None) -> tuple[str, Numbers]:
    if register is None:
        return own, np.arange(persons.size, dtype=np.uint32)
    known = pl.scan_parquet(register)
    whole = []
    for space in known.select(pl.col("space").unique().sort()).collect(engine="streaming").to_series():
        units = (
            known.filter(pl.col("space") == space).select("pseudonym", "number").sort("pseudonym").collect()
        )
        pseudonyms = units["pseudonym"].to_numpy()
        at = np.searchsorted(pseudonyms, persons)
        if persons.size and (at[-1] == pseudonyms.size or bool((pseudonyms[at] != persons).any())):
            continue
        whole.append((str(space), units["number"].to_numpy().astype(np.uint32, copy=False)[at]))
    if len(whole) != 1:
        raise BadNumbers("persons without a number")
    return whole[0]
