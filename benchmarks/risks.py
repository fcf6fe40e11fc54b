"""Seconds and memory of the risk report: a million people with ten quasi-identifiers, and a monthly series.

Both tables are made for this run, deterministic by seed, and written as Parquet first. The last line is
one JSON object: seconds of each report and the peak of the process's memory, its libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from hub.documents.policies import load_policies
from hub.extraction.risks import DeliveredTable, risk_report

LIMITS = load_policies(Path(__file__).parents[1] / "policies").risks.thresholds
SIZES = (2, 15, 9, 12, 5, 8, 4, 10, 3, 20)  # values of each quasi-identifier
MONTHS = 40


def persons(directory: Path, people: int) -> DeliveredTable:
    """People in households and employers, with a population as large as the extract."""
    dice = np.random.default_rng(1)
    columns = {f"q{position}": dice.integers(0, size, people) for position, size in enumerate(SIZES)}
    whole = pl.DataFrame(
        {"person": dice.permutation(people) + 10**14, **columns}
        | {"household": dice.integers(0, people // 3 + 1, people)}
        | {"employer": dice.integers(0, people // 50 + 1, people), "status": dice.integers(0, 6, people)}
    )
    whole.write_parquet(directory / "persons.parquet")
    del whole
    frame = pl.scan_parquet(directory / "persons.parquet")
    return DeliveredTable(
        name="persons",
        frame=frame,
        person="person",
        household="household",
        employer="employer",
        period=None,
        quasi_identifiers=tuple(columns),
        sensitive=("status",),
        trajectory=(),
        composition=("q0", "q1"),
        population=frame.select("person", *columns),
        employer_sizes=None,
    )


def wages(directory: Path, rows: int) -> DeliveredTable:
    """A person's wage class moves a little from month to month; nine in ten have a month."""
    dice = np.random.default_rng(2)
    people = max(100, rows * 10 // 9 // MONTHS)
    level = dice.normal(20, 6, people)
    steady = {"person": dice.permutation(people) + 10**14, "age": dice.integers(0, 17, people)}
    for month in range(MONTHS):
        wage = (level + dice.normal(0, 0.7, people)).astype(np.int32)
        kept = pl.Series(dice.random(people) < 0.9)
        one = pl.DataFrame(steady | {"wage": wage}).filter(kept)
        day = pl.date(2002 + month // 12, month % 12 + 1, 1).alias("month")
        one.with_columns(day).write_parquet(directory / f"wages-{month:02}.parquet")
    return DeliveredTable(
        name="wages",
        frame=pl.scan_parquet(directory / "wages-*.parquet"),
        person="person",
        household=None,
        employer=None,
        period="month",
        quasi_identifiers=("age",),
        sensitive=("wage",),
        trajectory=("wage",),
        composition=(),
        population=None,
        employer_sizes=None,
    )


def seconds(table: DeliveredTable) -> float:
    """How long the report of one table takes."""
    begin = time.perf_counter()
    report = risk_report([table], LIMITS, seed=b"benchmark")
    taken = time.perf_counter() - begin
    print(f"{table.name}: {taken:.1f} s, {len(report.measures)} measures")
    return round(taken, 2)


def main() -> None:
    """Run both and say what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the monthly series")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        found = {
            "benchmark": "risks",
            "people": given.people,
            "rows": given.rows,
            "persons_s": seconds(persons(directory, given.people)),
            "wages_s": seconds(wages(directory, given.rows)),
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
