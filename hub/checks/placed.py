"""The ledger's children, from outside: what is asked of them, how much they may use, and what they answer.

They are confined like those that read files (`hub.checks.confinement`); what goes wrong in them is
`LedgerFailed`, and whoever asked must not go on as if nothing had been found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hub.checks.cells import Cell
from hub.checks.confinement import ChildFailed, Limits, limits_for, run_child
from hub.checks.findings import Finding, Severity, UnreadableReport, finding_from_json
from hub.checks.indexes import Sealed

_MEMBERS_PER_ROW = 64  # bytes: three kinds of unit, in some months several
_MEMORY = 2**30  # beside what the extract needs: the sets that are kept
_SECONDS = 60
_SECONDS_PER_PERSON = 1e-5


class LedgerFailed(Exception):
    """A child of the ledger did not answer as it should."""


@dataclass(frozen=True, slots=True)
class NumberedTable:
    """Where the numbers of a table's persons lie. `relation`: what they belong to, in the ledger."""

    space: str
    persons: int
    numbers: Path
    relation: str | None


@dataclass(frozen=True, slots=True)
class PlacedSpace:
    """The numbers of a file in one space: what the index says of each; `length` bytes of the sets."""

    space: str
    cells: tuple[dict[str, Any], ...]
    length: int


def number_in_subprocess(
    extract: Path,
    *,
    name: str,
    rows: int,
    register: Path | None,
    index: Sealed | None,
    into: IO[bytes],
    units: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Per table its name, space, count of persons, and how many bytes of `into` are its numbers and
    memberships, one table after another. `units` as for a check. Raises LedgerFailed."""
    request = {
        "action": "number",
        "name": name,
        "extract": str(extract.absolute()),
        "units": dict(units or {}),
        "register": str(register.absolute()) if register is not None else None,
        "index": str(index.directory.absolute()) if index is not None else None,
        "seal": index.seal if index is not None else None,
    }
    plain = limits_for(rows)
    limits = _larger(plain, rows, plain.sets_bytes + _MEMBERS_PER_ROW * rows)
    tables = _asked(request, limits, into=into)["tables"]
    if not isinstance(tables, list) or not all(isinstance(one["numbers"], int) for one in tables):
        raise LedgerFailed("garbage")
    return tables


def place_in_subprocess(  # noqa: PLR0913  # all that a comparison depends on
    root: Path,
    tables: Mapping[str, NumberedTable],
    cells: Sequence[Cell],
    sets: IO[bytes],
    released: Mapping[str, Sequence[Mapping[str, Any]]],
    beside: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    min_units: int,
    severity: Severity,
    into: IO[bytes],
) -> tuple[list[PlacedSpace], list[Finding]]:
    """The cells' sets (positions, in `sets`) as numbers of their spaces, one file of sets after another in
    `into`, and what they tell beside `released` ones and those `beside` them in the submission. Raises
    LedgerFailed."""
    request = {
        "action": "place",
        "root": str(root.absolute()),
        "tables": {
            name: {"space": of.space, "numbers": str(of.numbers.absolute()), "relation": of.relation}
            for name, of in tables.items()
        },
        "cells": [cell.to_json() for cell in cells],
        "released": released,
        "beside": beside,
        "min_units": min_units,
        "severity": severity.value,
    }
    limits = _for_persons(max((table.persons for table in tables.values()), default=0))
    answer = _asked(request, limits, into=into, reading=sets)
    try:
        spaces = [
            PlacedSpace(str(one["space"]), tuple(one["cells"]), int(one["length"]))
            for one in answer["spaces"]
        ]
        return spaces, [finding_from_json(one) for one in answer["found"]]
    except (KeyError, TypeError, ValueError, UnreadableReport) as error:
        raise LedgerFailed("garbage") from error


def differ_in_subprocess(
    root: Path, new: Mapping[str, Any], released: Sequence[Mapping[str, Any]], *, min_units: int
) -> list[tuple[int, bool, bool]]:
    """Differences of a submission's numbers from `released` ones: the number of the release, whether they
    measure the same, whether it is sure. Raises LedgerFailed."""
    request = {
        "action": "differ",
        "root": str(root.absolute()),
        "new": new,
        "released": released,
        "min_units": min_units,
    }
    largest = max((int(cell["size"]) for cell in new["cells"]), default=0)
    answer = _asked(request, _for_persons(largest))
    try:
        return [(int(number), same is True, sure is True) for number, same, sure in answer["differences"]]
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerFailed("garbage") from error


def _for_persons(persons: int) -> Limits:
    plain = limits_for(persons)
    return _larger(plain, persons, plain.sets_bytes)


def _larger(plain: Limits, persons: int, sets_bytes: int) -> Limits:
    seconds = _SECONDS + round(_SECONDS_PER_PERSON * persons)
    return Limits(
        memory_bytes=plain.memory_bytes + _MEMORY,
        cpu_seconds=seconds,
        wall_seconds=3.0 * seconds,
        open_files=512,
        output_bytes=plain.output_bytes,
        sets_bytes=sets_bytes,
    )


def _asked(
    request: Mapping[str, Any],
    limits: Limits,
    *,
    into: IO[bytes] | None = None,
    reading: IO[bytes] | None = None,
) -> dict[str, Any]:
    try:
        answer = json.loads(run_child(request, limits, into=into, reading=reading))
    except (ChildFailed, ValueError, RecursionError) as error:
        raise LedgerFailed(getattr(error, "how", "garbage")) from error
    if not isinstance(answer, dict):
        raise LedgerFailed("garbage")
    return answer
