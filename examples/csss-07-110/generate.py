"""Synthetic registers of the structure that deliberation 07/028 names: `generate.py DIRECTORY --scale 0.02`.

Writes one Parquet file per dictionary of `dictionaries/`, all about the same people: at scale 1, 13,000
minors with a first measure of youth care in 2005, 12,000 with an earlier one, 2,400,000 without, and the
adults they live with. The same scale and seed give the same files. Nobody real is described: no register
issues numbers with months above 12, which all of these have.

What the numbers imitate is the structure only. Deprivation of the neighbourhood makes unemployment, low
pay and measures likelier; the indicators of the Atlas all follow five types of neighbourhood, so that
their classes agree, which those of the real Atlas do not do as neatly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import people
import polars as pl
from youth_care import communities


def tables(scale: float, seed: int) -> Iterator[tuple[str, pl.DataFrame]]:
    """Every source by name, one after the other."""
    rng = np.random.default_rng(seed)
    minors = sum(round(n * scale) for n in (people.WITHOUT, people.FIRST_IN_2005, people.EARLIER))
    areas = people.neighbourhoods(rng)
    home, sizes = people.households(areas, minors, rng)
    who = people.people(areas, home, sizes, scale, rng)
    quarters = people.positions(areas.type[home[who.household]], who, rng)
    yield "atlas", people.atlas(areas, rng)
    yield "dw_persons", people.persons(areas, home, sizes, who, rng)
    yield "dw_positions", people.position_rows(quarters, who)
    jobs, wages = people.jobs_and_wages(quarters, who, rng)
    yield "dw_jobs", jobs
    yield "dw_wages", wages
    yield from people.social(quarters, who, len(home), rng).items()
    yield from communities(areas, home, who, rng).items()


def main(arguments: list[str]) -> int:
    """The command line: a line per file with its number of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=2005)
    options = parser.parse_args(arguments)
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, table in tables(options.scale, options.seed):
        path = options.directory / f"{name}.parquet"
        table.write_parquet(path, compression="zstd", compression_level=1)
        sys.stdout.write(f"{path} {table.height}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
