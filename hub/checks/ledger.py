"""The ledger: which numbers were released about which persons.

Every released number is kept with its set of persons, and a new one is compared with all that was released
on the same source, by any project (hub.checks.differencing). All sets here are sets of *numbers of persons in
one space* (hub.extraction.registers); two spaces are never compared.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from hub.checks.cells import MODEL, Cell
from hub.checks.findings import Place
from hub.checks.memberships import Memberships

PROBES = 16
SAMPLE = 128  # persons of a set that stand for it where that is enough to see that many differ
Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
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
    """Counts are one topic; amounts of one variable are one topic each, models of it among them."""
    if cell.statistic == MODEL and cell.variable is None:
        return "of a model"
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
        self._having: dict[str, Counts] = {}
        self._sized: Counts = np.array(self._sizes, dtype=np.int64)
        relations = np.array([cell.relation or "" for cell in self._cells], dtype=np.str_)
        self._of_relation = {name or None: relations == name for name in map(str, np.unique(relations))}
        self._looked: tuple[BitMap, Counts] | None = None
        lengths = [len(cell.probe) for cell in self._cells]
        self._probes: Counts = np.fromiter(
            chain.from_iterable(c.probe for c in self._cells), np.int64, sum(lengths)
        )
        self._probed: Counts = np.repeat(np.arange(len(lengths)), lengths)
        for cell in self._cells:
            self._groups[cell.group].append(cell)

    def __len__(self) -> int:
        return len(self._cells)

    def members(self, cell: ReleasedCell) -> Memberships | None:
        """What the persons of a released number's table belong to; None where that was not kept."""
        return self._members_of(cell.relation)

    def _members_of(self, relation: str | None) -> Memberships | None:
        return self._relate(relation) if self._relate is not None and relation is not None else None

    def nearly_nested(self, cell: ToldCell, threshold: int) -> Iterator[tuple[ReleasedCell, BitMap]]:
        """Released numbers of which one set holds the new one's, or the other way round, but for fewer than
        `threshold` persons, and which may differ by fewer than so many units of some kind: at most so many
        persons more or fewer belong to one as the largest units have together. Of other extracts, all."""
        if cell.members is None and set(self._of_relation) <= {None}:
            return
        size, sample = len(cell.units), cell.units[:SAMPLE]
        missing = self._missing(cell.units)
        for at in np.flatnonzero(self._worth(cell, threshold)).tolist():
            old = self._cells[at]
            members = self._load(old)
            inside = missing[at] < threshold and old.size < size + threshold
            if not inside and (
                size >= old.size + threshold
                or len(sample) - sample.intersection_cardinality(members) >= threshold
            ):
                continue
            common = cell.units.intersection_cardinality(members)
            if common >= threshold and min(size, old.size) - common < threshold:
                yield old, members

    def _worth(self, cell: ToldCell, threshold: int) -> Mask:
        """Which released numbers may differ by few units, by their sizes. A kind that one side does not know
        is bounded by what the other knows."""
        size, known = len(cell.units), cell.members
        own = {} if known is None else known.kinds
        having = {} if known is None else known.having(cell.units)
        worth: Mask = np.zeros(len(self._cells), dtype=np.bool_)
        for relation, rows in self._of_relation.items():
            theirs = self._members_of(relation)
            same = known is not None and relation == cell.relation
            for name in {*own, *(() if theirs is None else theirs.kinds)}:
                most = threshold + max(
                    of.kinds[name].most(threshold - 1)
                    for of in (known, theirs)
                    if of is not None and name in of.kinds
                )
                count = having.get(name, size)
                released = (
                    self._having_of(name) if theirs is not None and name in theirs.kinds else self._sized
                )
                fewest = (released if same else self._sized) >= count - most
                worth |= rows & fewest & (released <= (count if same else size) + most)
        return worth

    def _having_of(self, kind: str) -> Counts:
        if kind not in self._having:
            self._having[kind] = np.array([old.having.get(kind, 0) for old in self._cells])
        return self._having[kind]

    def _missing(self, units: BitMap) -> Counts:
        """How many probes of each released number are not among `units`."""
        if self._looked is not None and self._looked[0] is units:
            return self._looked[1]
        present = np.zeros(int(self._probes.max(initial=0)) + 1, dtype=np.bool_)
        numbers = np.array(units.to_array(), dtype=np.int64) if units else np.zeros(0, dtype=np.int64)
        present[numbers[numbers < present.size]] = True
        absent = self._probed[~present[self._probes]]
        self._looked = (units, np.bincount(absent, minlength=len(self._cells)))
        return self._looked[1]

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
        for at in np.flatnonzero((self._missing(units) == 0) & (self._sized < len(units))).tolist():
            likely[self._cells[at].group].append(self._cells[at])
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
