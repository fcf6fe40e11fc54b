"""The ledger: which numbers were released about which persons.

Every released number is kept with its set of persons, and a new one is compared with all that was released
on the same source, by any project (hub.checks.differencing). All sets here are sets of *numbers of persons in
one space* (hub.extraction.registers); two spaces are never compared.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from hub.checks.cells import Cell
from hub.checks.findings import Place
from hub.checks.memberships import Memberships

PROBES = 16
_COUNTS = frozenset({"count", "persons", "share"})


@dataclass(frozen=True, slots=True)
class ToldCell:
    """A number and the persons it is about, in their space.

    `group` is the printed table (what it names is compared as a whole with totals); `topic` is what the
    number measures, so that numbers of one topic can be subtracted. `members`: what the persons of the
    extract's table belong to, where that is known, kept in the ledger as `relation`.
    """

    group: str
    topic: str
    units: BitMap
    place: Place = field(default_factory=Place)
    members: Memberships | None = field(default=None, repr=False, compare=False)
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class ReleasedCell:
    """A released number without its set. `size`: how many persons; `probe`: the PROBES smallest numbers of
    the set (all of it, if it is smaller), which settle most comparisons without reading the set.
    `number` is the release as people know it, `name` the file it is in. `relation` says where the memberships
    of the table's persons are kept, `having` how many persons of the set have any, by kind of unit; numbers
    released before memberships were kept have neither."""

    key: str
    number: int
    name: str
    group: str
    topic: str
    size: int
    probe: tuple[int, ...]
    place: Place = field(default_factory=Place)
    relation: str | None = None
    having: Mapping[str, int] = field(default_factory=dict)


def topic_of(cell: Cell) -> str:
    """Counts are one topic; amounts of one variable are one topic each."""
    return "count" if cell.statistic in _COUNTS or cell.variable is None else f"of {cell.variable}"


def probe_of(units: BitMap) -> tuple[int, ...]:
    """The smallest numbers of a set. Numbers are in keyed order, so this is a random sample of it."""
    return tuple(units[:PROBES])


class Ledger:
    """The released numbers of one space. `load` answers a cell's set, `relate` the memberships of a relation;
    they may be slow and may keep what they read."""

    def __init__(
        self,
        cells: Iterable[ReleasedCell],
        load: Callable[[ReleasedCell], BitMap],
        relate: Callable[[str], Memberships] | None = None,
    ) -> None:
        self._cells = sorted(cells, key=lambda cell: cell.size)
        self._sizes = [cell.size for cell in self._cells]
        self._load = load
        self._relate = relate
        self._groups: dict[str, list[ReleasedCell]] = defaultdict(list)
        self._having: dict[tuple[str, str], tuple[list[int], list[ReleasedCell]]] = {}
        for cell in self._cells:
            self._groups[cell.group].append(cell)

    def __len__(self) -> int:
        return len(self._cells)

    def members(self, cell: ReleasedCell) -> Memberships | None:
        """What the persons of a released number's table belong to; None where that was not kept."""
        return self._relate(cell.relation) if self._relate is not None and cell.relation is not None else None

    def set_of(self, cell: ReleasedCell) -> BitMap:
        """The persons of a released number."""
        return self._load(cell)

    def within(self, relation: str, kind: str, fewest: int, most: int) -> list[ReleasedCell]:
        """The released numbers of a relation of whose persons so many belong to a unit of this kind."""
        key = (relation, kind)
        if key not in self._having:
            own = [(c.having[kind], c) for c in self._cells if c.relation == relation and kind in c.having]
            own.sort(key=lambda pair: pair[0])
            self._having[key] = ([having for having, _ in own], [cell for _, cell in own])
        counts, cells = self._having[key]
        return cells[bisect_left(counts, fewest) : bisect_right(counts, most)]

    def nested(self, units: BitMap, relation: str | None, *, related: bool) -> list[ReleasedCell]:
        """The released numbers of other relations (or, if the new number is `related` to units itself, of
        none) that by their probes may lie within `units` or around them."""
        smallest = units[:PROBES]
        return [
            cell
            for cell in self._cells
            if (related if cell.relation is None else cell.relation != relation)
            and (
                all(number in units for number in cell.probe)
                if cell.size < len(units)
                else not any(n <= last and n not in cell.probe for n in smallest for last in cell.probe[-1:])
            )
        ]

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

    def inside(
        self, units: BitMap, worth: Callable[[Sequence[ReleasedCell]], bool] | None = None
    ) -> dict[str, list[tuple[ReleasedCell, BitMap]]]:
        """Released cells whose persons are all among `units`, by their table, smallest first; only of tables
        that `worth` finds worth reading, by those of their cells that may be inside."""
        likely: dict[str, list[ReleasedCell]] = defaultdict(list)
        for cell in self._cells[: bisect_left(self._sizes, len(units))]:
            if all(number in units for number in cell.probe):
                likely[cell.group].append(cell)
        found: dict[str, list[tuple[ReleasedCell, BitMap]]] = {}
        for group, cells in likely.items():
            sets = [(cell, self._load(cell)) for cell in cells] if worth is None or worth(cells) else []
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


def told_cells(
    cells: Iterable[Cell],
    numbers: Mapping[str, Sequence[int]],
    members: Mapping[str, tuple[str, Memberships]] | None = None,
) -> dict[str, list[ToldCell]]:
    """The cells that have persons, by the extract's table, their persons as numbers of the space.

    `numbers` maps the extract's table to the number of each of its sorted distinct persons. A table
    without numbers is left out: the caller decides what that means. `members`: where the memberships of a
    table's persons are kept, and they themselves.
    """
    told: dict[str, list[ToldCell]] = defaultdict(list)
    for cell in cells:
        if cell.units is None or cell.table not in numbers:
            continue
        place = cell.place.within(row=cell.row, column=cell.column)
        of_table = numbers[cell.table]
        units = BitMap([int(of_table[position]) for position in cell.units])
        printed = "/".join(str(part) for part in (place.cell, place.output, place.table))
        relation, memberships = (members or {}).get(cell.table, (None, None))
        told[cell.table].append(ToldCell(printed, topic_of(cell), units, place, memberships, relation))
    return dict(told)
