"""Which households, employers and other units the persons of an extract's table belong to.

A difference of two numbers is a set of persons. How many households or employers stand behind it cannot be
read from the households of the two numbers: twelve of thirteen members of one may be in the difference, or
the households without a woman be few and the men many. So the ledger keeps, beside the persons of each
number, who belongs to what, once for a table, and counts the units of the difference itself.

In a series of months a person belongs to several units. Then the number of those behind a difference is only
known within bounds: at least as many as there are persons no two of whom share one, at most all of theirs.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Numbers = npt.NDArray[np.uint32]
Relation = tuple[Numbers, Numbers]  # positions of persons and of their units, pair by pair

_FIRST_MAGIC = b"VITRINE UNITS 1\n"  # without largest units, and not aligned
_MAGIC = b"VITRINE UNITS 2\n"
_ALIGNED = 8  # so that the pairs can be used where they lie in the file
_KEPT_SIZES = 1_000  # of the largest units
_SAMPLE = 128  # persons that are looked at before all are


class Behind(IntEnum):
    """How many units of a kind are behind a set of persons, measured by a threshold."""

    NONE = 0  # or nobody
    FEW = 1
    UNSURE = 2  # perhaps few: some persons belong to several
    UNKNOWN = 3  # what some of the persons belong to was not kept
    MANY = 4


class BadMemberships(ValueError):
    """What was read is not what `to_bytes` wrote."""


@dataclass(frozen=True)
class Kind:
    """The memberships of one kind: pairs, sorted by person, each once. `known`: what was read of the persons
    that belong to a unit, and of the persons of the largest units."""

    persons: Numbers
    units: Numbers
    known: tuple[BitMap, Sequence[int]] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def having(self) -> BitMap:
        """The persons that belong to at least one unit."""
        return self.known[0] if self.known is not None else BitMap(self.persons)

    @cached_property
    def sizes(self) -> Numbers:
        """Persons of each of the largest units, the largest first; 0 beyond the last."""
        if self.known is not None:
            return np.array(self.known[1], dtype=np.uint32)
        counted = np.bincount(self.units) if self.units.size else np.zeros(0, dtype=np.int64)
        if counted.size > _KEPT_SIZES:
            counted = np.partition(counted, counted.size - _KEPT_SIZES)[-_KEPT_SIZES:]
        return np.sort(counted)[::-1].astype(np.uint32)

    def most(self, units: int) -> int:
        """The most persons that so many units have together, of up to 1,000."""
        if units > _KEPT_SIZES:
            raise ValueError("more units than are kept")
        return int(self.sizes[:units].sum())

    def of(self, persons: BitMap) -> Relation:
        """The pairs of these persons."""
        wanted = np.fromiter(persons & self.having, dtype=np.uint32)
        first = np.searchsorted(self.persons, wanted, side="left")
        last = np.searchsorted(self.persons, wanted, side="right")
        lengths = last - first
        starts = (
            np.repeat(first - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
            if wanted.size
            else first
        )
        at = starts + np.arange(int(lengths.sum()))
        return np.repeat(wanted, lengths), self.units[at.astype(np.int64)]

    def behind(self, persons: BitMap, threshold: int) -> Behind:
        """How many units are behind these persons, all of whom are of the table."""
        if len(persons) > 2 * _SAMPLE and _apart(*self.of(persons[:_SAMPLE]), threshold) >= threshold:
            return Behind.MANY
        members, units = self.of(persons)
        if not units.size:
            return Behind.NONE
        if np.count_nonzero(np.bincount(units)) < threshold:
            return Behind.FEW
        return Behind.MANY if _apart(members, units, threshold) >= threshold else Behind.UNSURE


def _apart(persons: Numbers, units: Numbers, enough: int) -> int:
    """Of how many persons no two share a unit, counted up to `enough`; perhaps not of the most. Pairs are
    sorted by person; the first ones are gone through one by one, which mostly is enough."""
    head = (
        persons.size if persons.size <= 2 * _SAMPLE else int(np.searchsorted(persons, persons[2 * _SAMPLE]))
    )
    theirs: dict[int, set[int]] = {}
    for person, unit in zip(persons[:head].tolist(), units[:head].tolist(), strict=True):
        theirs.setdefault(person, set()).add(unit)
    taken: set[int] = set()
    found = 0
    for own in theirs.values():
        if taken.isdisjoint(own):
            taken |= own
            found += 1
            if found == enough:
                return found
    persons, units = _without(persons[head:], units[head:], np.fromiter(taken, dtype=np.uint32))
    while units.size and found < enough:
        found += 1
        persons, units = _without(persons, units, units[persons == persons[0]])
    return found


def _without(persons: Numbers, units: Numbers, taken: Numbers) -> Relation:
    """The pairs of persons who belong to none of the units `taken`."""
    left = ~np.isin(persons, persons[np.isin(units, taken)])
    return persons[left], units[left]


@dataclass(frozen=True)
class Memberships:
    """The persons of a table, as numbers of their space, and what they belong to, by kind of unit."""

    persons: BitMap
    kinds: Mapping[str, Kind]

    def having(self, persons: BitMap) -> dict[str, int]:
        """How many of these persons belong to a unit, by kind."""
        return {name: persons.intersection_cardinality(kind.having) for name, kind in self.kinds.items()}

    def to_bytes(self) -> bytes:
        """The canonical bytes."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The same without a copy of all."""
        blobs: list[bytes | memoryview] = [self.persons.serialize()]
        largest = {}
        for name in sorted(self.kinds):
            kind = self.kinds[name]
            largest[name] = kind.sizes.tolist()
            blobs += [kind.having.serialize(), _viewed(kind.persons), _viewed(kind.units)]
        head = {"kinds": sorted(self.kinds), "largest": largest, "lengths": [len(blob) for blob in blobs]}
        line = json.dumps(head).encode()
        yield _MAGIC + line + b" " * (-(len(_MAGIC) + len(line) + 1) % _ALIGNED) + b"\n"
        for blob in blobs:
            yield blob
            yield bytes(-len(blob) % _ALIGNED)


def _viewed(numbers: Numbers) -> memoryview:
    return np.ascontiguousarray(numbers, dtype="<u4").data.cast("B")


def memberships_from(content: bytes | mmap.mmap) -> Memberships:
    """The inverse of `Memberships.to_bytes`; raises BadMemberships. What is mapped stays so: of the pairs
    only those that are looked at are read."""
    try:
        if content[: len(_MAGIC)] == _FIRST_MAGIC:
            return _first_version(content)
        if content[: len(_MAGIC)] != _MAGIC:
            raise BadMemberships
        start = content.find(b"\n", len(_MAGIC)) + 1
        head = json.loads(content[len(_MAGIC) : start])
        places = []
        for length in head["lengths"]:
            places.append((start, length))
            start += length + -length % _ALIGNED
        if start != len(content) or len(places) != 1 + 3 * len(head["kinds"]):
            raise BadMemberships
        kinds = {}
        for k, name in enumerate(head["kinds"]):
            (at, size), *pairs = places[1 + 3 * k : 4 + 3 * k]
            persons, units = (np.frombuffer(content, "<u4", n // 4, first) for first, n in pairs)
            if persons.size != units.size or any(n % 4 for _, n in pairs):
                raise BadMemberships
            sizes = [int(one) for one in head["largest"][name]]
            kinds[name] = Kind(persons, units, (BitMap.deserialize(content[at : at + size]), sizes))
        at, size = places[0]
        return Memberships(BitMap.deserialize(content[at : at + size]), kinds)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadMemberships from error


def _first_version(content: bytes | mmap.mmap) -> Memberships:
    line, _, rest = content[len(_FIRST_MAGIC) :].partition(b"\n")
    head = json.loads(line)
    blobs, start = [], 0
    for length in head["lengths"]:
        blobs.append(rest[start : start + length])
        start += length
    if start != len(rest) or len(blobs) != 1 + 2 * len(head["kinds"]):
        raise BadMemberships
    pairs = [np.frombuffer(blob, dtype="<u4") for blob in blobs[1:]]
    kinds = {name: Kind(pairs[2 * k], pairs[2 * k + 1]) for k, name in enumerate(head["kinds"])}
    if any(kind.persons.size != kind.units.size for kind in kinds.values()):
        raise BadMemberships
    return Memberships(BitMap.deserialize(blobs[0]), kinds)


def numbered(numbers: npt.ArrayLike, relations: Mapping[str, Relation]) -> Memberships:
    """The memberships of a table whose persons, in the order of their positions, have these numbers."""
    of = np.asarray(numbers, dtype=np.uint32)
    return Memberships(
        BitMap(of), {name: kind_of(of[persons], units) for name, (persons, units) in relations.items()}
    )


def kind_of(persons: npt.ArrayLike, units: npt.ArrayLike) -> Kind:
    """The kind with these pairs, in any order and however often."""
    packed = (np.asarray(persons, dtype=np.uint64) << np.uint64(32)) | np.asarray(units, dtype=np.uint64)
    packed.sort()
    distinct = packed[np.concatenate(([True], packed[1:] != packed[:-1]))] if packed.size else packed
    return Kind(
        (distinct >> np.uint64(32)).astype(np.uint32), (distinct & np.uint64(2**32 - 1)).astype(np.uint32)
    )


def behind(name: str, persons: BitMap, threshold: int, known: Iterable[Memberships | None]) -> Behind:
    """How many units of a kind are behind these persons, by the first of `known` that has them all. The very
    first is of the table that the persons are from, and is not asked whether it has them."""
    if not persons:
        return Behind.NONE
    for position, memberships in enumerate(known):
        if memberships is None or name not in memberships.kinds:
            continue
        if position == 0 or persons.issubset(memberships.persons):
            return memberships.kinds[name].behind(persons, threshold)
    return Behind.UNKNOWN
