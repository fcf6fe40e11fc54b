"""One new cell against 3,000 released ones of a source of 650,000 persons (`make bench-ledger`).

Released are a hundred tables: a total and its parts, some tables differing from others by a few persons; the
sets come from files of the ledger, as in the portal. Each person lives in a household of two or three, two in
three work for one of 30,000 employers, of whom the largest has thousands: what belongs to what is kept too,
of two projects. Measured in processor time, for the machine may have other work: with all sets in memory (as
after the first check) and with none. The last line is JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from hub.checks.differencing import differences
from hub.checks.findings import Place
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of
from hub.checks.memberships import Memberships, kind_of
from hub.checks.placing import Store
from hub.checks.sets import packed

PARTS = 29


def make_tables(persons: int, tables: int, random: np.random.Generator) -> list[list[BitMap]]:
    """Each table: a total and its PARTS disjoint parts. Totals hold a tenth to all of the persons; a third
    of them lie within each other. Numbers are in a keyed order, so that no group is a run of numbers."""
    made = []
    nested = random.permutation(persons)
    for k in range(tables):
        size = persons * (k % 10 + 1) // 10 - int(random.integers(0, 30))
        members = (random.permutation(persons) if k % 3 else nested)[:size]
        groups = random.integers(0, PARTS, size)
        parts = [BitMap(members[groups == g].astype(np.uint32)) for g in range(PARTS)]
        made.append([BitMap(members.astype(np.uint32)), *parts])
    return made


def make_members(persons: int, random: np.random.Generator) -> Memberships:
    """Households of 2.3 persons on average; employers' sizes by a power law, a third without one."""
    everyone = np.arange(persons, dtype=np.uint32)
    households = random.permutation(persons) * 10 // 23
    workers = everyone[random.random(persons) < 2 / 3]
    employers = np.minimum(random.pareto(1.0, workers.size) * 20, 30_000).astype(np.uint32)
    kinds = {"household": kind_of(everyone, households), "employer": kind_of(workers, employers)}
    return Memberships(BitMap(everyone), kinds)


def keep(folder: Path, content: bytes) -> str:
    """A file of the ledger."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / sha256[:2] / sha256
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return sha256


def release(
    folder: Path, tables: Sequence[Sequence[BitMap]], relations: Sequence[tuple[str, Memberships]]
) -> list[ReleasedCell]:
    """The tables as files of the ledger, of the projects in turn; a cell's key says file and position."""
    cells = []
    for number, sets in enumerate(tables):
        sha256 = keep(folder, b"".join(packed([one.serialize() for one in sets])))
        relation, members = relations[number % 10 == 0]
        for k, s in enumerate(sets):
            size, probe, having = len(s), probe_of(s), members.having(s)
            place = Place(row=k)
            cells.append(
                ReleasedCell(
                    f"{sha256}/{k}", number, "t.csv", sha256, "count", size, probe, place, relation, having
                )
            )
    return cells


def seconds(folder: Path, cells: Sequence[ReleasedCell], new: BitMap, relation: str, *, warm: bool) -> float:
    """The processor time of one comparison. Warm: every set was read before."""
    with Store(folder) as files:
        return _seconds(files, cells, new, relation, warm=warm)


def _seconds(files: Store, cells: Sequence[ReleasedCell], new: BitMap, relation: str, *, warm: bool) -> float:
    def load(cell: ReleasedCell) -> BitMap:
        sha256, _, position = cell.key.partition("/")
        return files.set(sha256, int(position))

    ledger = Ledger(cells, load, files.members)
    members = files.members(relation)
    for cell in cells if warm else ():
        load(cell)
        released = ledger.members(cell)
        for kind in released.kinds.values() if released is not None else ():
            kind.most(9)
    members.having(new)  # made once for all cells of a submission
    for kind in members.kinds.values():
        kind.most(9)
    start = time.process_time()
    differences([ToldCell("new", "count", new, members=members, relation=relation)], ledger, 10)
    return time.process_time() - start


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=650_000)
    parser.add_argument("--cells", type=int, default=3_000)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    tables = make_tables(options.persons, options.cells // (PARTS + 1), random)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        projects = [make_members(options.persons, random) for _ in range(2)]
        relations = [(keep(folder, members.to_bytes()), members) for members in projects]
        cells = release(folder, tables, relations)
        sizes = [options.persons // 1000, options.persons // 20, options.persons // 2]
        new = [BitMap(random.choice(options.persons, s, replace=False).astype(np.uint32)) for s in sizes]
        # Within released totals, near to them, and around released parts.
        new += [tables[9][0] - BitMap(list(tables[9][0])[:3]), tables[0][0] | tables[3][5], tables[6][7]]
        relation = relations[0][0]
        warm = [seconds(folder, cells, members, relation, warm=True) * 1e3 for members in new]
        cold = [seconds(folder, cells, members, relation, warm=False) * 1e3 for members in new]
    print(f"{len(cells)} released cells, {statistics.mean(c.size for c in cells):,.0f} persons on average")
    print(f"warm: median {statistics.median(warm):.1f} ms, most {max(warm):.1f} ms")
    print(f"cold: median {statistics.median(cold):.1f} ms, most {max(cold):.1f} ms")
    print(json.dumps({"cells": len(cells), "warm_ms": max(warm), "cold_ms": max(cold)}))


if __name__ == "__main__":
    main()
