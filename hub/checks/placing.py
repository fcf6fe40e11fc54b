"""The ledger's work in a confined child: sets of positions become sets of numbers, and are compared with what
was released. At 25 million rows this takes gigabytes, which the portal's own process must never hold.

The child reads the ledger's files and changes none: what is to be kept is its answer.
"""

from __future__ import annotations

import json
import mmap
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from pyroaring import BitMap

from hub.checks.cells import MODEL, Cell, cell_from_json
from hub.checks.differencing import differences, findings_of
from hub.checks.findings import Place, Severity
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of, topic_of
from hub.checks.memberships import Memberships, memberships_from
from hub.checks.numbers import Numbers, numbers_from
from hub.checks.sets import BadSets, SetsFile, packed, sha256_of

_OPEN_FILES = 64
_KEPT_BYTES = 512 * 2**20  # of sets that were read


class BadLedger(ValueError):
    """A file of the ledger, or its index, is not what was written."""


def answer(request: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
    """What a child of the ledger says; `FileLedger` (hub.adapters) asks."""
    if request["action"] == "number":
        yield from _number(request)
        return
    with Store(Path(request["root"])) as store:
        if request["action"] == "place":
            with os.fdopen(request["fd"], "rb") as stream:
                yield from _place(request, store, SetsFile(stream))
        else:
            yield _differ(request, store)


def _number(request: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
    from hub.checks.extracts import open_with_index
    from hub.checks.indexes import Sealed
    from hub.checks.numbering import number_tables

    extract = Path(request["extract"])
    if request["index"] is not None:
        open_with_index(extract, Sealed(Path(request["index"]), request["seal"]))
    register = request["register"]
    known = Path(register) if register is not None else None
    return number_tables(extract, request["name"], known, request["units"])


class Store:
    """The ledger's files below `root`, as their names (SHA-256) say; each is read whole once, to see that.
    Raises BadLedger where one is not. Used in a `with` block, which closes them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: OrderedDict[str, tuple[IO[bytes], SetsFile]] = OrderedDict()
        self._sound: dict[str, tuple[int, ...]] = {}
        self._kept: OrderedDict[tuple[str, int], tuple[int, BitMap]] = OrderedDict()
        self._held = 0
        self.members: Callable[[str], Memberships] = cache(self._read_members)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            self._open.popitem()[1][0].close()

    def set(self, sha256: str, position: int) -> BitMap:
        """One set of a file. Those read last are kept."""
        key = (sha256, position)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        try:
            blob = self._sets(sha256).blob(position)
            members = BitMap.deserialize(blob)
        except ValueError as error:
            raise BadLedger("sets") from error
        self._kept[key] = (len(blob), members)
        self._held += len(blob)
        while self._held > _KEPT_BYTES and len(self._kept) > 1:
            self._held -= self._kept.popitem(last=False)[1][0]
        return members

    def _sets(self, sha256: str) -> SetsFile:
        if sha256 in self._open:
            self._open.move_to_end(sha256)
            return self._open[sha256][1]
        stream = self._verified(sha256)
        try:
            self._open[sha256] = (stream, SetsFile(stream))
        except BadSets:
            stream.close()
            raise
        if len(self._open) > _OPEN_FILES:
            self._open.popitem(last=False)[1][0].close()
        return self._open[sha256][1]

    def _read_members(self, sha256: str) -> Memberships:
        with self._verified(sha256) as stream:
            return memberships_from(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))

    def _verified(self, sha256: str) -> IO[bytes]:
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise BadLedger("name")
        try:
            stream = (self._root / sha256[:2] / sha256).open("rb")
            said = os.fstat(stream.fileno())
        except OSError as error:
            raise BadLedger("absent") from error
        now = (said.st_ino, said.st_size, said.st_mtime_ns, said.st_ctime_ns)
        if self._sound.get(sha256) != now and sha256_of(stream) != sha256:
            stream.close()
            raise BadLedger("changed")
        self._sound[sha256] = now
        return stream


def _place(request: Mapping[str, Any], store: Store, sets: SetsFile) -> Iterable[bytes]:
    """The new sets of each space, what its index says of each number, and what they tell beside released
    ones and those of the submission's other files."""
    severity, least = Severity(request["severity"]), int(request["min_units"])
    spaces: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    found: list[dict[str, Any]] = []
    for space, told in _by_space(request, store, sets).items():
        distinct = {id(cell.units): cell.units for cell in told}
        places = {key: number for number, key in enumerate(distinct)}
        serialised = [members.serialize() for members in distinct.values()]
        pieces = [*packed(serialised)]
        spaces.append(
            {
                "space": space,
                "cells": [_index(cell, places[id(cell.units)]) for cell in told],
                "length": sum(map(len, pieces)),
            }
        )
        blobs += pieces
        # Each apart: a number that another file repeats must still be compared with what was released.
        for others in (request["released"], request["beside"]):
            ledger = released_ledger(others.get(space, ()), store)
            told_by = findings_of(told, differences(told, ledger, least), least, severity)
            found += [one.to_json() for one in told_by]
    yield json.dumps({"spaces": spaces, "found": found}).encode() + b"\n"
    yield from blobs


def _by_space(request: Mapping[str, Any], store: Store, sets: SetsFile) -> dict[str, list[ToldCell]]:
    """The numbers of the file by space, those of one table of the extract together."""
    cells: dict[str, list[Cell]] = {}
    for raw in request["cells"]:
        cell = cell_from_json(raw)
        if cell.held is not None:
            cells.setdefault(cell.table, []).append(cell)
    told: dict[str, list[ToldCell]] = {}
    made: dict[tuple[str, int], BitMap] = {}
    for table, own in cells.items():
        said = request["tables"][table]
        numbers = numbers_from(Path(said["numbers"]))
        relation = said["relation"]
        members = store.members(relation) if relation is not None else None
        for cell in own:
            key = (table, int(cell.held or 0))
            if key not in made:
                made[key] = _numbered(sets[key[1]], numbers)
            told.setdefault(said["space"], []).append(told_cell(cell, made[key], relation, members))
    return told


def _numbered(positions: BitMap, numbers: Numbers) -> BitMap:
    at = np.frombuffer(positions.to_array(), dtype=np.uint32) if positions else np.zeros(0, np.uint32)
    if at.size and int(at[-1]) >= numbers.size:
        raise BadSets("a person that the table does not have")
    return BitMap(numbers[at])


def told_cell(
    cell: Cell, units: BitMap, relation: str | None = None, members: Memberships | None = None
) -> ToldCell:
    """A reproduced number with its persons as numbers of their space."""
    place = cell.place if cell.statistic == MODEL else cell.place.within(row=cell.row, column=cell.column)
    printed = "/".join(str(part) for part in (place.cell, place.output, place.table))
    return ToldCell(printed, topic_of(cell), units, place, members, relation)


def _differ(request: Mapping[str, Any], store: Store) -> bytes:
    """For each difference between a submission's numbers and released ones: the release, whether they measure
    the same, and whether it is sure."""
    file = request["new"]
    told = []
    for k, raw in enumerate(file["cells"]):
        relation = _relation(raw)
        members = None if relation is None else store.members(relation)
        units = store.set(file["sha256"], _position(raw, k))
        told.append(ToldCell(str(raw["group"]), str(raw["topic"]), units, _at(raw), members, relation))
    ledger = released_ledger(request["released"], store)
    found = differences(told, ledger, int(request["min_units"]))
    listed = sorted({(one.released.number, one.same_topic, one.sure) for one in found})
    return json.dumps({"differences": listed}).encode() + b"\n"


def released_ledger(files: Sequence[Mapping[str, Any]], store: Store) -> Ledger:
    """The released numbers of these files of one space."""
    places: dict[str, tuple[str, int]] = {}
    cells = []
    for file in files:
        for k, raw in enumerate(file["cells"]):
            cell = _released(file, k, raw)
            places[cell.key] = (file["sha256"], _position(raw, k))
            cells.append(cell)
    return Ledger(cells, lambda cell: store.set(*places[cell.key]), store.members)


def _released(file: Mapping[str, Any], k: int, raw: Mapping[str, Any]) -> ReleasedCell:
    size, probe = raw["size"], raw["probe"]
    if not isinstance(size, int) or not isinstance(probe, list):
        raise BadLedger("index")
    return ReleasedCell(
        f"{file['id']}/{k}",
        file["number"],
        file["name"],
        f"{file['id']}/{raw['group']}",
        str(raw["topic"]),
        size,
        tuple(probe),
        _at(raw),
        _relation(raw),
        _having(raw),
    )


def _index(cell: ToldCell, position: int) -> dict[str, Any]:
    """What the records keep of a number: enough to settle most comparisons without its set."""
    known = cell.members
    return {
        "group": cell.group,
        "topic": cell.topic,
        "size": len(cell.units),
        "probe": list(probe_of(cell.units)),
        "place": cell.place.to_json(),
        "set": position,
    } | ({} if known is None else {"relation": cell.relation, "having": known.having(cell.units)})


def _position(raw: Mapping[str, Any], k: int) -> int:
    """Which set of the file is a number's; those kept before sets were shared have one each."""
    position = raw.get("set", k)
    if not isinstance(position, int):
        raise BadLedger("index")
    return position


def _relation(raw: Mapping[str, Any]) -> str | None:
    """Where what the persons of a number belong to is kept; None for what was kept before that was."""
    relation = raw.get("relation")
    if relation is not None and not isinstance(relation, str):
        raise BadLedger("index")
    return relation


def _having(raw: Mapping[str, Any]) -> dict[str, int]:
    having = raw.get("having", {})
    if not isinstance(having, dict) or not all(isinstance(count, int) for count in having.values()):
        raise BadLedger("index")
    return having


def _at(raw: Mapping[str, Any]) -> Place:
    place = raw["place"]
    return Place(**place) if isinstance(place, dict) else Place()
