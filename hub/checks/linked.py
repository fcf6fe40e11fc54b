"""Tables of one file against each other: what two of them tell by subtraction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pyroaring import BitMap

from hub.checks.cells import MODEL, Cell
from hub.checks.differencing import differences
from hub.checks.findings import Finding, Severity
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of, topic_of
from hub.checks.memberships import Memberships, numbered
from hub.checks.panels import Panel
from hub.checks.persons import person_kind, relations
from hub.checks.sentences import finding
from hub.checks.thresholds import Thresholds


def find_linked(
    cells: Sequence[Cell], thresholds: Thresholds, panels: Sequence[Panel] = ()
) -> Iterator[Finding]:
    """`differing_populations` for each later table that, with an earlier one of the file, tells about fewer
    persons, households or employers than a cell needs: a total and all its parts but a few, or two
    populations that differ by the staff of one employer."""
    tables: dict[tuple[str, object], list[Cell]] = {}
    for cell in cells:
        if cell.units is not None:
            tables.setdefault((cell.table, cell.place), []).append(cell)
    earlier: dict[str, list[Cell]] = {}
    members: dict[str, Memberships | None] = {}
    for (name, _), own in tables.items():
        before = earlier.setdefault(name, [])
        if before:
            if name not in members:
                members[name] = _members_of(next((p for p in panels if p.name == name), None))
            yield from _linked(own, before, members[name], thresholds)
        before += own


def _members_of(panel: Panel | None) -> Memberships | None:
    """What the persons of a table belong to, by their positions."""
    kind = person_kind(panel) if panel is not None else None
    if panel is None or kind is None or len(panel.units) < 2:
        return None
    return numbered(np.arange(panel.unit(kind)[1]), relations(panel))


def _linked(
    own: Sequence[Cell], before: Sequence[Cell], members: Memberships | None, thresholds: Thresholds
) -> Iterator[Finding]:
    told = _first_told(own, before, members, thresholds.min_units)
    if told is not None:
        cell, kind, sure = told
        severity = thresholds.severity("differing_populations") if sure else Severity.REVIEW
        of_model = cell.statistic == MODEL
        place = cell.place if of_model else cell.place.within(row=cell.row, column=cell.column)
        evidence = {"unit_type": kind, "units_known": sure}
        yield finding("differing_populations", severity, place, evidence=evidence, limit=thresholds.min_units)


def _first_told(
    own: Sequence[Cell], before: Sequence[Cell], members: Memberships | None, threshold: int
) -> tuple[Cell, str, bool] | None:
    """The first number of a table that can be taken from those before it, or they from it; of which unit
    that tells too few, and whether that is sure."""
    sets: Mapping[str, BitMap] = {str(at): _units(cell) for at, cell in enumerate(before)}
    relation = None if members is None else "file"
    released = [
        ReleasedCell(
            str(at),
            1,
            "",
            repr(cell.place),
            topic_of(cell),
            len(sets[str(at)]),
            probe_of(sets[str(at)]),
            relation=relation,
            having={} if members is None else members.having(sets[str(at)]),
        )
        for at, cell in enumerate(before)
    ]
    new = [
        ToldCell(repr(cell.place), topic_of(cell), _units(cell), members=members, relation=relation)
        for cell in own
    ]
    ledger = Ledger(released, lambda cell: sets[cell.key], None if members is None else lambda _: members)
    found = [one for one in differences(new, ledger, threshold) if one.same_topic]
    first = next((one for one in found if one.sure), found[0] if found else None)
    return None if first is None else (own[first.new], first.kind, first.sure)


def _units(cell: Cell) -> BitMap:
    return cell.units if cell.units is not None else BitMap()
