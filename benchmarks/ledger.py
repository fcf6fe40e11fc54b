"""One new cell against 3,000 released ones of a source of 650,000 persons (`make bench-ledger`).

Released are a hundred tables: a total and its parts, some tables differing from others by a few persons; the
sets come from files of the ledger, as in the portal. Measured: with all sets in memory (as after the first
check) and with none. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from hub.adapters.ledgers import FileLedger
from hub.checks.differencing import differences
from hub.checks.findings import Place
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of

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


def release(folder: Path, tables: Sequence[Sequence[BitMap]]) -> list[ReleasedCell]:
    """The tables as files of the ledger; a cell's key says file and position."""
    ledger = FileLedger(folder)
    cells = []
    for number, sets in enumerate(tables):
        sha256 = ledger.keep(sets)
        cells += [
            ReleasedCell(f"{sha256}/{k}", number, "t.csv", sha256, "count", len(s), probe_of(s), Place(row=k))
            for k, s in enumerate(sets)
        ]
    return cells


def seconds(folder: Path, cells: Sequence[ReleasedCell], new: BitMap, *, warm: bool) -> float:
    """The time of one comparison. Warm: every set was read before."""
    files = FileLedger(folder)

    def load(cell: ReleasedCell) -> BitMap:
        sha256, _, position = cell.key.partition("/")
        return files.sets(sha256)[int(position)]

    ledger = Ledger(cells, load)
    if warm:
        for cell in cells:
            load(cell)
    start = time.perf_counter()
    differences([ToldCell("new", "count", new)], ledger, 10)
    return time.perf_counter() - start


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=650_000)
    parser.add_argument("--cells", type=int, default=3_000)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    tables = make_tables(options.persons, options.cells // (PARTS + 1), random)
    with tempfile.TemporaryDirectory() as name:
        cells = release(Path(name), tables)
        sizes = [options.persons // 1000, options.persons // 20, options.persons // 2]
        new = [BitMap(random.choice(options.persons, s, replace=False).astype(np.uint32)) for s in sizes]
        # Within released totals, near to them, and around released parts.
        new += [tables[9][0] - BitMap(list(tables[9][0])[:3]), tables[0][0] | tables[3][5], tables[6][7]]
        warm = [seconds(Path(name), cells, members, warm=True) * 1e3 for members in new]
        cold = [seconds(Path(name), cells, members, warm=False) * 1e3 for members in new]
    print(f"{len(cells)} released cells, {statistics.mean(c.size for c in cells):,.0f} persons on average")
    print(f"warm: median {statistics.median(warm):.1f} ms, most {max(warm):.1f} ms")
    print(f"cold: median {statistics.median(cold):.1f} ms, most {max(cold):.1f} ms")
    print(json.dumps({"cells": len(cells), "warm_ms": max(warm), "cold_ms": max(cold)}))


if __name__ == "__main__":
    main()
