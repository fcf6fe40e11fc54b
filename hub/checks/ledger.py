"""The ledger: what is told about which persons, and what a new number would tell by subtraction.

Two published numbers about nearly the same persons tell about the few in whom they differ. So every
released number is kept with its set of persons, and a new one is compared with all that was released on the
same source, by any project. All sets here are sets of *numbers of persons in one space* (hub.extraction.
registers); two spaces are never compared.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap

from hub.checks.cells import Cell
from hub.checks.findings import Finding, Place, Severity
from hub.checks.sentences import finding

PROBES = 16
_COUNTS = frozenset({"count", "persons", "share"})


@dataclass(frozen=True, slots=True)
class ToldCell:
    """A number and the persons it is about, in their space.

    `group` is the printed table (what it names is compared as a whole with totals); `topic` is what the
    number measures, so that numbers of one topic can be subtracted.
    """

    group: str
    topic: str
    units: BitMap
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class ReleasedCell:
    """A released number without its set. `size`: how many persons; `probe`: the PROBES smallest numbers of
    the set (all of it, if it is smaller), which settle most comparisons without reading the set.
    `number` is the release as people know it, `name` the file it is in."""

    key: str
    number: int
    name: str
    group: str
    topic: str
    size: int
    probe: tuple[int, ...]
    place: Place = field(default_factory=Place)


def topic_of(cell: Cell) -> str:
    """Counts are one topic; amounts of one variable are one topic each."""
    return "count" if cell.statistic in _COUNTS or cell.variable is None else f"of {cell.variable}"


def probe_of(units: BitMap) -> tuple[int, ...]:
    """The smallest numbers of a set. Numbers are in keyed order, so this is a random sample of it."""
    return tuple(units[:PROBES])


@dataclass(frozen=True, slots=True)
class Difference:
    """A set of fewer persons than the threshold that a new number would tell, with the released number (and,
    if `parts`, others of the same table) it is the difference to."""

    new: int
    released: ReleasedCell
    parts: bool
    same_topic: bool


class Ledger:
    """The released numbers of one space. `load` answers a cell's set; it may be slow and may keep sets."""

    def __init__(self, cells: Iterable[ReleasedCell], load: Callable[[ReleasedCell], BitMap]) -> None:
        self._cells = sorted(cells, key=lambda cell: cell.size)
        self._sizes = [cell.size for cell in self._cells]
        self._load = load
        self._groups: dict[str, list[ReleasedCell]] = defaultdict(list)
        for cell in self._cells:
            self._groups[cell.group].append(cell)

    def __len__(self) -> int:
        return len(self._cells)

    def near(self, units: BitMap, threshold: int) -> list[tuple[ReleasedCell, int, int]]:
        """Released cells that share at least `threshold` persons with `units` and differ by fewer on either
        side, with how many persons only the new set and only the released set has."""
        size = len(units)
        first = bisect_right(self._sizes, size - threshold)
        last = bisect_left(self._sizes, size + threshold)
        found = []
        for cell in self._cells[first:last]:
            # Each side holds fewer than `threshold` persons, so at most that many probes can be missing.
            if sum(number not in units for number in cell.probe) >= threshold:
                continue
            common = units.intersection_cardinality(self._load(cell))
            only_new, only_old = size - common, cell.size - common
            if common >= threshold and only_new < threshold and only_old < threshold:
                found.append((cell, only_new, only_old))
        return found

    def inside(self, units: BitMap, least: int = 0) -> dict[str, list[tuple[ReleasedCell, BitMap]]]:
        """Released cells whose persons are all among `units`, by their table, smallest first; tables whose
        cells cannot hold `least` of them together are left out."""
        likely: dict[str, list[ReleasedCell]] = defaultdict(list)
        for cell in self._cells[: bisect_left(self._sizes, len(units))]:
            if all(number in units for number in cell.probe):
                likely[cell.group].append(cell)
        found: dict[str, list[tuple[ReleasedCell, BitMap]]] = {}
        for group, cells in likely.items():
            sets = [(cell, self._load(cell)) for cell in cells] if _sum(cells) >= least else []
            if inside := [(cell, members) for cell, members in sets if members.issubset(units)]:
                found[group] = inside
        return found

    def around(self, units: BitMap) -> list[tuple[ReleasedCell, BitMap]]:
        """Released cells that contain all of `units` and more."""
        found = []
        smallest = units[:PROBES]
        for cell in self._cells[bisect_right(self._sizes, len(units)) :]:
            # The released set's numbers up to its last probe are the probes: no other may be in `units`.
            if cell.probe and any(n <= cell.probe[-1] and n not in cell.probe for n in smallest):
                continue
            members = self._load(cell)
            if units.issubset(members):
                found.append((cell, members))
        return found

    def beside(self, whole: ReleasedCell, members: BitMap) -> list[BitMap]:
        """The other sets of the same table within `members`, smallest first."""
        sets = []
        for cell in self._groups[whole.group]:
            if cell.key != whole.key and cell.size < whole.size and all(n in members for n in cell.probe):
                other = self._load(cell)
                if other.issubset(members):
                    sets.append(other)
        return sets


def _sum(cells: Iterable[ReleasedCell]) -> int:
    return sum(cell.size for cell in cells)


def differences(new: Sequence[ToldCell], ledger: Ledger, threshold: int) -> list[Difference]:
    """What the `new` numbers would tell about 1 to `threshold` − 1 persons, given all released ones.

    1. A number about persons whose number was released already tells nothing by subtraction.
    2. Near: the sets differ by fewer than `threshold` persons on both sides, and do differ.
    3. A new total of which a released table shows parts: the rest is fewer than `threshold`.
    4. A released total of which new parts (and parts of its own table) leave fewer than `threshold`.
    Sets that merely cross are no difference: their intersection would have to be known too, and if it is,
    (2) finds it. Sets of fewer than `threshold` persons are another rule's.
    """
    found: list[Difference] = []
    fresh: list[int] = []
    for position, cell in enumerate(new):
        if len(cell.units) < threshold:
            continue
        near = ledger.near(cell.units, threshold)
        if any(not only_new and not only_old and old.topic == cell.topic for old, only_new, only_old in near):
            continue  # (1)
        fresh.append(position)
        for old, only_new, only_old in near:
            if only_new or only_old:
                found.append(
                    Difference(position, old, parts=False, same_topic=old.topic == cell.topic)
                )  # (2)
        found += _rest_of_total(position, cell, ledger, threshold)  # (3)
    found += _rest_of_released(new, fresh, ledger, threshold)  # (4)
    return found


def _rest_of_total(position: int, cell: ToldCell, ledger: Ledger, threshold: int) -> list[Difference]:
    found = []
    for parts in ledger.inside(cell.units, len(cell.units) - threshold + 1).values():
        same = [(old, members) for old, members in parts if old.topic == cell.topic] or parts
        if len(same) > 1 and _is_few(cell.units, [members for _, members in same], threshold):
            old = same[-1][0]
            found.append(Difference(position, old, parts=True, same_topic=old.topic == cell.topic))
    return found


def _rest_of_released(
    new: Sequence[ToldCell], fresh: Sequence[int], ledger: Ledger, threshold: int
) -> list[Difference]:
    wholes: dict[str, tuple[ReleasedCell, BitMap, list[int]]] = {}
    for position in fresh:
        for old, members in ledger.around(new[position].units):
            wholes.setdefault(old.key, (old, members, []))[2].append(position)
    found = []
    for old, members, positions in wholes.values():
        beside = ledger.beside(old, members)
        for group in {new[position].group for position in positions}:
            inside = [p for p in positions if new[p].group == group]
            parts = [*(new[p].units for p in inside), *beside]
            if len(parts) > 1 and _is_few(members, parts, threshold):
                same = any(new[p].topic == old.topic for p in inside)
                found.append(Difference(inside[0], old, parts=True, same_topic=same))
    return found


def _is_few(whole: BitMap, parts: Sequence[BitMap], threshold: int) -> bool:
    """Whether disjoint ones of `parts` leave 1 to `threshold` − 1 of `whole`. Tried from the first on, and
    from the largest on: a table may show the same persons finely and coarsely."""
    for order in (parts, sorted(parts, key=len, reverse=True)):
        covered = BitMap()
        taken = 0
        for part in order:
            if covered.isdisjoint(part):
                covered |= part
                taken += 1
        if taken > 1 and 0 < len(whole) - len(covered) < threshold:
            return True
    return False


def findings_of(
    new: Sequence[ToldCell],
    found: Iterable[Difference],
    threshold: int,
    severity: Severity = Severity.BLOCK,
) -> list[Finding]:
    """One finding per new number and release, without how many persons: of the rule's severity where both
    numbers measure the same, so that one can be taken from the other; REVIEW where they do not."""
    listed: dict[tuple[int, int], Finding] = {}
    for difference in sorted(found, key=lambda d: (not d.same_topic, d.parts)):
        key = (difference.new, difference.released.number)
        if key in listed:
            continue
        released = difference.released
        evidence: dict[str, Any] = {
            "table": released.name,
            "row": (released.place.row or 0) + 1,
            "cell_column": (released.place.column or 0) + 1,
            "with_other_cells": difference.parts,
        }
        listed[key] = finding(
            "differencing",
            severity if difference.same_topic else Severity.REVIEW,
            new[difference.new].place,
            evidence=evidence,
            release=released.number,
            limit=threshold,
        )
    return list(listed.values())


def told_cells(cells: Iterable[Cell], numbers: Mapping[str, Sequence[int]]) -> dict[str, list[ToldCell]]:
    """The cells that have persons, by the extract's table, their persons as numbers of the space.

    `numbers` maps the extract's table to the number of each of its sorted distinct persons. A table
    without numbers is left out: the caller decides what that means.
    """
    told: dict[str, list[ToldCell]] = defaultdict(list)
    for cell in cells:
        if cell.units is None or cell.table not in numbers:
            continue
        place = cell.place.within(row=cell.row, column=cell.column)
        of_table = numbers[cell.table]
        units = BitMap([int(of_table[position]) for position in cell.units])
        printed = "/".join(str(part) for part in (place.cell, place.output, place.table))
        told[cell.table].append(ToldCell(printed, topic_of(cell), units, place))
    return dict(told)
