"""Tables of one file against each other: what two of them tell by subtraction, and what their heads hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pyroaring import BitMap

from hub.checks.cells import MODEL, Cell
from hub.checks.differencing import differences
from hub.checks.findings import Finding, Severity
from hub.checks.layouts import Axis
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of, topic_of
from hub.checks.memberships import Memberships, numbered
from hub.checks.panels import Panel, fold
from hub.checks.persons import person_kind, relations
from hub.checks.recompute import Recomputed
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds
from hub.checks.wording import hint_of

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_FREE_DIGITS = 2  # "top 10", "2nd": they number things


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


def numbers_in_heads(found: Recomputed, table: Table) -> int:
    """Heads, and labels that name statistics or variables, with digits that are no part of what was
    recognised in them: a value could be written there."""
    texts = list(table.columns)
    if len(found.layout.labels) == 1 and found.layout.certain:
        named = {axis.variable for axis in found.layout.axes}
        label = found.layout.labels[0]
        if not any(fold(table.columns[label]) == fold(name) for name in named):
            texts += table.column(label) if not _labels_groups(found, table.column(label)) else []
    for axis, at in zip(found.layout.axes, found.layout.labels, strict=False):
        if axis.merged is not None:  # the names of groups are anybody's
            texts += dict.fromkeys(table.column(at))
    return sum(_unknown_digits(text, found) > _FREE_DIGITS for text in texts)


def _labels_groups(found: Recomputed, cells: Sequence[str]) -> bool:
    """Whether a column's cells are values or bands of an axis."""
    return any(all(_is_level(axis, cell, found.panel) for cell in cells) for axis in found.layout.axes)


def _is_level(axis: Axis, cell: str, panel: Panel) -> bool:
    known = panel.categories(axis.variable)
    return axis.bands is not None or (known is not None and known.find(cell) is not None)


def _unknown_digits(text: str, found: Recomputed) -> int:
    plain = text
    for name in hint_of(text, found.panel).variables:
        for word in (name, *found.panel.titles.get(name, ())):
            plain = re.sub(re.escape(word), " ", plain, flags=re.IGNORECASE)
    quantile = hint_of(text, found.panel).quantile
    digits = 0
    for number in _NUMBER.findall(plain):
        value = float(number.replace(",", "."))
        if quantile is not None and min(abs(value - 100 * quantile), abs(value - quantile)) < 1e-9:
            continue
        if not any(_names_level(axis, value, plain, found.panel) for axis in found.layout.axes):
            digits += sum(c.isdigit() for c in number)
    return digits


def _names_level(axis: Axis, value: float, text: str, panel: Panel) -> bool:
    if axis.bands is not None:
        return any(value in (low, high) for low, high, _, _ in axis.bands)
    known = panel.categories(axis.variable)
    if known is None:
        return False
    positions = [at for level in axis.members() for at in level if at >= 0]
    said = [label for at in positions for label in _labels(axis, at, panel)]
    return value in known.numbers or any(label and label in text for label in said)


def _labels(axis: Axis, at: int, panel: Panel) -> tuple[str, ...]:
    known = panel.categories(axis.variable)
    value = known.values[at] if known is not None else None
    return (str(value), *panel.labels.get(axis.variable, {}).get(value, ()))
