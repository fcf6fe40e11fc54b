"""`make bench-extraction`: Vitrine's extraction against what one would write by hand, on the same files.

    python benchmarks/extraction.py [--rows 10000000] [--repeats 3] [--folder var/bench-extraction]
        [--tasks sample,full] [--engines vitrine,polars,duckdb,pyarrow,pandas] [--refresh]

The files: a panel of `--rows` rows × 30 columns in 120 monthly Parquet files (zstd), 650 persons for every
50,000 rows, by seed. The task, twice: for a sample of 2.5 % of the persons and for all of them, take the last
60 months and 12 columns, replace the person's number by a pseudonym (HMAC-SHA256), put ages into five-year
bands and dates to their month, order the rows by pseudonym and month, and write Parquet.

Vitrine runs end to end: plan, draw, verify what it reads, write, check, codebook, manifest, hashes and the
encrypted map of pseudonyms, from its warehouse, into which the files were registered before (also timed). The
others are given the list of persons, read the monthly files, and check nothing. Every run is a process of its
own without children, in turns; times exclude imports. Cold: the files were dropped from the page
cache. Peak memory is VmHWM of the process, imports included. The ratios compare warm medians with the best
engine written by hand; `peak_rss_mb` is Vitrine's, registration included.

With `--refresh` Vitrine also extracts all persons a second time, for the same project: the first extract
lacks the last year, so that the encrypted map that is read has most persons and others are new.

With `--engines vitrine` nothing else runs, for sizes that the others cannot hold. Figures depend on the
machine and its load, which is given; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from hub.documents.classes import ClassSchemes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
MONTHS, WINDOW, SHARE = 120, 60, 0.025
FIRST_YEAR = 2013
KEY = bytes(range(32))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CODES = ("LU", "PT", "FR", "BE", "DE", "IT", "XX", "YY")
KEPT = ("month", "age", "hired", "sex", "nationality", "commune", "nace", "wage", "hours", "contract",
        "benefit", "status")  # fmt: skip
NUMBERS = ("extra_a", "extra_b", "extra_c", "extra_d", "extra_e", "extra_f", "extra_g", "extra_h")
AMOUNTS = ("bonus", "overtime", "tax", "pension", "allowance", "sick_pay")
HAND = ("polars", "duckdb", "pyarrow", "pandas")


def months() -> list[date]:
    """The first days of all months."""
    return [date(FIRST_YEAR + number // 12, number % 12 + 1, 1) for number in range(MONTHS)]


def window() -> tuple[date, date]:
    """First and last month of the task."""
    return months()[-WINDOW], months()[-1]


# ---- the files -------------------------------------------------------------------------------------------


def generate(folder: Path, rows: int) -> None:
    """The monthly files; persons come and go, and each has two jobs in a hundred months."""
    import numpy as np
    import polars as pl

    per_month = rows // MONTHS
    persons = max(100, int(rows * 650 / 50_000))
    random = np.random.default_rng(1)
    numbers = np.sort(random.choice(10**9, persons, replace=False)) + 1_900_000_000_000
    born = random.integers(0, 25_000, persons)
    fixed = {
        "sex": random.integers(1, 3, persons),
        "commune": random.integers(1, 103, persons),
        "household": random.integers(1, persons, persons),
    }
    nationality = np.array(CODES)[random.integers(0, len(CODES), persons)]
    base = np.round(random.lognormal(8, 0.4, persons), 2)
    entry = random.random(persons)
    for number, month in enumerate(months()):
        # So many are there in every month, others in each: those nearest to a wandering point.
        distance = np.abs((entry - number / MONTHS * 0.4) % 1 - 0.5)
        there = np.sort(np.argpartition(distance, per_month - 1)[:per_month])
        size = len(there)
        days = (month - date(1970, 1, 1)).days
        columns: dict[str, object] = {
            "nr": numbers[there],
            "month": pl.repeat(month, size, dtype=pl.Date, eager=True),
            "age": np.clip((days - born[there] + 7300) // 365, 0, 99),
            "hired": pl.Series(days - random.integers(0, 4000, size), dtype=pl.Int32).cast(pl.Date),
            "nationality": nationality[there],
            "nace": pl.Series(random.integers(10, 99, size)).cast(pl.String),
            "wage": np.round(base[there] * (1 + 0.1 * random.random(size)), 2),
            "hours": random.integers(0, 200, size),
            "contract": random.integers(1, 5, size),
            "benefit": np.where(random.random(size) < 0.2, 100.0 * random.integers(1, 9, size), 0.0),
            "status": random.integers(1, 9, size),
            "employer": numbers[there] % 40_000,
            "sector": fixed["commune"][there] * 10 + random.integers(0, 10, size),
        }
        columns |= {name: values[there] for name, values in fixed.items()}
        columns |= {name: random.integers(0, 50, size) for name in NUMBERS}
        columns |= {name: np.round(random.random(size) * 500, 1) for name in AMOUNTS}
        frame = pl.DataFrame(columns)
        assert frame.width == 30, frame.width
        frame.write_parquet(folder / f"{month:%Y-%m}.parquet", compression="zstd", row_group_size=262_144)


def dictionary() -> str:
    """The panel's dictionary as YAML."""
    kinds = {"nr": "integer", "month": "date", "hired": "date", "nationality": "string", "nace": "string"}
    kinds |= dict.fromkeys(("wage", "benefit", *AMOUNTS), "float")
    others = ("age", "hours", "contract", "status", "employer", "sector", "sex", "commune", "household")
    kinds |= dict.fromkeys((*others, *NUMBERS), "integer")
    levels = {"age": "{band: five_years}", "hired": "{band: month}"}
    lines = [
        "name: panel",
        "title: {fr: p, en: p}",
        "description: {fr: p, en: p}",
        "licence: CC0-1.0",
        "origin: made",
        f"reference_period: {{first: {months()[0]}, last: {months()[-1]}}}",
        "file: {format: parquet}",
        "unit_types: {person: {title: {fr: p, en: p}, key: [nr], pseudonym: person_id, registry: people}}",
        "record: {unit: person, key: [nr, month], period: month}",
        "variables:",
    ]
    for name, kind in kinds.items():
        more = ", identifying: direct" if name == "nr" else ""
        more += ", minimum: 0, maximum: 99" if name == "age" else ""
        more += f", levels: {levels[name]}" if name in levels else ""
        lines.append(f"  {name}: {{type: {kind}, label: {{fr: x, en: x}}{more}}}")
    return "\n".join(lines)


def schemes() -> ClassSchemes:
    """Five-year bands and months."""
    from hub.documents.classes import parse_scheme

    bands = "\n".join(
        f"  - {{code: {edge}, below: {edge + 5}, label: {{fr: x, en: x}}}}" for edge in range(0, 75, 5)
    )
    five = (
        "name: five_years\ntitle: {fr: x, en: x}\nkind: bands\nfrom: 0\nclasses:\n"
        f"{bands}\n  - {{code: 75, label: {{fr: x, en: x}}}}"
    )
    month = "name: month\ntitle: {fr: x, en: x}\nkind: dates\ncut: month"
    return {
        "five_years": parse_scheme(five, name="five_years.yaml"),
        "month": parse_scheme(month, name="month.yaml"),
    }


def request(task: str) -> str:
    """The specification of the task as YAML. `before` and `refresh`: of all persons, an extract without the
    last year and the next version of it."""
    first, last = window()
    if task == "before":
        last = months()[-13]
    sample = f", sample: {{share: {SHARE}}}" if task == "sample" else ""
    return (
        f"period: {{first: {first:%Y-%m}, last: {last:%Y-%m}}}\n"
        f"populations: [{{name: people, source: panel, unit: person{sample}}}]\n"
        "datasets: [{name: panel, source: panel, of: [people], units: [person], "
        f"columns: [{', '.join(KEPT)}]}}]"
    )


def files(folder: Path) -> list[Path]:
    """The monthly files of the window."""
    return [folder / "files" / f"{month:%Y-%m}.parquet" for month in months()[-WINDOW:]]


# ---- the engines -----------------------------------------------------------------------------------------


def vitrine(folder: Path, task: str, out: Path) -> None:
    """The product, end to end."""
    from hub.documents import parse
    from hub.documents.requests import ExtractSpecification
    from hub.extraction import extract, plan_extract

    made = schemes()
    plan = plan_extract(
        parse(ExtractSpecification, request(task), name="request.yaml"),
        project="bench",
        policy_fingerprint="0" * 64,
        warehouse=folder / "warehouse",
        schemes=made,
    )
    extract(
        plan,
        warehouse=folder / "warehouse",
        master_key=KEY,
        into=out,
        now=NOW,
        schemes=made,
        maps=out.with_name("out-maps") / ("v2.map" if task == "refresh" else "v1.map"),
    )


def pseudonyms(numbers: list[int]) -> list[int]:
    """What everybody writes by hand: one HMAC per number, as a whole number below 2^53."""
    return [int.from_bytes(hmac.digest(KEY, str(number).encode(), "sha256")[:6], "big") for number in numbers]


def by_polars(folder: Path, task: str, out: Path) -> None:
    import polars as pl

    people = pl.read_parquet(folder / f"{task}.parquet")
    people = people.with_columns(person_id=pl.Series(pseudonyms(people["nr"].to_list())))
    table = pl.scan_parquet(files(folder)).select("nr", *KEPT).join(people.lazy(), on="nr", how="inner")
    age = (pl.col("age") // 5 * 5).clip(upper_bound=75).cast(pl.Int16)
    table = table.with_columns(age, pl.col("hired").dt.truncate("1mo"))
    table = table.select("person_id", *KEPT).sort("person_id", "month")
    table.sink_parquet(out / "panel.parquet", compression="zstd", engine="streaming")


def by_duckdb(folder: Path, task: str, out: Path) -> None:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    people = pq.read_table(folder / f"{task}.parquet")
    people = people.append_column("person_id", pa.array(pseudonyms(people["nr"].to_pylist()), pa.int64()))
    connection = duckdb.connect()
    connection.execute(f"SET threads={os.cpu_count()}")
    connection.execute("SET disabled_optimizers='join_order,build_side_probe_side'")
    connection.execute(f"SET temp_directory='{out}/spill'")
    connection.register("people", people)
    changed = {
        "age": "CAST(least(age // 5 * 5, 75) AS SMALLINT) AS age",
        "hired": "CAST(date_trunc('month', hired) AS DATE) AS hired",
    }
    columns = ", ".join(changed.get(name, f"p.{name}") for name in KEPT)
    names = ", ".join(f"'{path}'" for path in files(folder))
    connection.execute(
        f"COPY (SELECT person_id, {columns} FROM read_parquet([{names}]) p "  # noqa: S608  # our own names
        f"JOIN people USING (nr) ORDER BY person_id, p.month) TO '{out}/panel.parquet' "
        "(FORMAT parquet, COMPRESSION zstd)"
    )


def by_pyarrow(folder: Path, task: str, out: Path) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    people = pq.read_table(folder / f"{task}.parquet")
    people = people.append_column("person_id", pa.array(pseudonyms(people["nr"].to_pylist()), pa.int64()))
    where = None if task == "full" else pc.field("nr").isin(people["nr"])
    table = ds.dataset([str(path) for path in files(folder)]).to_table(columns=["nr", *KEPT], filter=where)
    table = table.join(people, "nr", join_type="inner")
    age = pc.min_element_wise(pc.multiply(pc.divide(table["age"], 5), 5), 75)
    table = table.set_column(table.schema.get_field_index("age"), "age", age.cast(pa.int16()))
    hired = pc.floor_temporal(table["hired"], unit="month").cast(pa.date32())
    table = table.set_column(table.schema.get_field_index("hired"), "hired", hired)
    table = table.select(["person_id", *KEPT])
    table = table.sort_by([("person_id", "ascending"), ("month", "ascending")])
    pq.write_table(table, out / "panel.parquet", compression="zstd")


def by_pandas(folder: Path, task: str, out: Path) -> None:
    import pandas as pd

    people = pd.read_parquet(folder / f"{task}.parquet")
    people["person_id"] = pseudonyms(people["nr"].tolist())
    parts = [
        pd.read_parquet(path, columns=["nr", *KEPT]).merge(people, on="nr", how="inner")
        for path in files(folder)
    ]
    table = pd.concat(parts, ignore_index=True)
    table["age"] = (table["age"] // 5 * 5).clip(upper=75).astype("int16")
    table["hired"] = pd.Series(pd.to_datetime(table["hired"])).dt.to_period("M").dt.to_timestamp().dt.date
    table = table[["person_id", *KEPT]].sort_values(["person_id", "month"])
    table.to_parquet(out / "panel.parquet", compression="zstd", index=False)


def read_bytes(folder: Path, task: str, out: Path) -> None:
    """Floor: the bytes of the task's columns, read one after the other."""
    import pyarrow.parquet as pq

    del task, out
    for path in files(folder):
        meta = pq.read_metadata(path)
        with path.open("rb", buffering=0) as file:
            for group in range(meta.num_row_groups):
                for number in range(meta.num_columns):
                    chunk = meta.row_group(group).column(number)
                    if chunk.path_in_schema in (*KEPT, "nr"):
                        file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
                        file.read(chunk.total_compressed_size)


def decode(folder: Path, task: str, out: Path) -> None:
    """Floor: the task's columns decoded and thrown away."""
    import polars as pl

    del task, out
    for path in files(folder):
        pl.read_parquet(path, columns=["nr", *KEPT])


ENGINES: dict[str, Callable[[Path, str, Path], None]] = {
    "vitrine": vitrine,
    "polars": by_polars,
    "duckdb": by_duckdb,
    "pyarrow": by_pyarrow,
    "pandas": by_pandas,
    "floor: bytes": read_bytes,
    "floor: decode": decode,
}
_IMPORTS = {
    "vitrine": "hub.extraction, hub.extraction.extracts, cryptography",
    "polars": "polars",
    "duckdb": "duckdb, pyarrow.parquet",
    "pyarrow": "pyarrow.dataset, pyarrow.compute, pyarrow.parquet",
    "pandas": "pandas, pyarrow.parquet, pyarrow.dataset",
    "floor: bytes": "pyarrow.parquet",
    "floor: decode": "polars",
}


class Run(TypedDict, total=False):
    """One run: its seconds, those of all its threads on a processor, peak memory in MB, and what it wrote,
    where it did."""

    seconds: float
    cpu: float
    rss_mb: float
    result: dict[str, float]


class Row(TypedDict):
    """An engine's median warm and its cold seconds, its processor's seconds warm, its peak memory, and the
    rows it wrote."""

    warm: float
    cold: float
    cpu: float
    rss_mb: float
    rows: float


def peak_mb() -> int:
    """The largest size that this process has had, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


def child(engine: str, folder: Path, task: str, out: Path) -> None:
    """One run in this process; prints seconds and peak memory as JSON."""
    for name in _IMPORTS[engine].split(", "):
        __import__(name)
    if engine != "vitrine":
        out.mkdir()
    start, used = time.perf_counter(), time.process_time()
    ENGINES[engine](folder, task, out)
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    print(json.dumps({"seconds": seconds, "cpu": cpu, "rss_mb": peak_mb()}))


# ---- the runs --------------------------------------------------------------------------------------------


def prepare(folder: Path, rows: int) -> dict[str, float]:
    """Files, warehouse and the lists of persons, unless they are there; how long registering took."""
    marker = folder / f"ready-{rows}.json"
    if marker.exists():
        return dict(json.loads(marker.read_text()))
    made = folder / f"generated-{rows}"
    if not made.exists():
        (folder / "files").mkdir(parents=True)
        subprocess.run(
            [sys.executable, __file__, "--child", "generate", "--folder", str(folder), "--rows", str(rows)],
            check=True,
        )
        made.touch()
    (folder / "warehouse").mkdir()
    done = subprocess.run(
        [sys.executable, __file__, "--child", "register", "--folder", str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    marker.write_text(done.stdout)
    return dict(json.loads(done.stdout))


def register(folder: Path) -> None:
    """Register the files, and list the persons of the sample and of all as the other engines need them."""
    import polars as pl

    from hub.documents import parse
    from hub.documents.dictionaries import Dictionary
    from hub.documents.requests import ExtractSpecification
    from hub.extraction import register as register_source
    from hub.extraction.populations import choose_populations
    from hub.extraction.sources import open_source

    start, used = time.perf_counter(), time.process_time()
    described = parse(Dictionary, dictionary(), name="panel.yaml")
    warehouse = folder / "warehouse"
    register_source(
        folder / "files",
        described,
        warehouse=warehouse,
        now=NOW,
        schemes=schemes(),
        bucketed_from=1,
    )
    seconds, cpu, peak = time.perf_counter() - start, time.process_time() - used, peak_mb()
    for task in ("sample", "full"):
        specification = parse(ExtractSpecification, request(task), name="request.yaml")
        sources = {"panel": open_source(warehouse, "panel")}
        chosen = choose_populations(specification, sources, project="bench", master_key=KEY)
        units = chosen["people"].units.rename({" key 0": "nr"})
        units.sort(pl.col("nr").hash(seed=0)).write_parquet(folder / f"{task}.parquet")
    told = {"register_seconds": round(seconds, 1), "register_cpu": round(cpu, 1), "register_rss_mb": peak}
    print(json.dumps(told))


def drop_from_cache(folder: Path) -> None:
    """Ask the kernel to forget the files that are read."""
    for path in [*(folder / "files").iterdir(), *(folder / "warehouse" / "panel").iterdir()]:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def run(engine: str, folder: Path, task: str, *, cold: bool) -> Run:
    """One run in a process of its own; its result is checked and removed."""
    out = folder / "out"
    old = [] if task == "refresh" else [str(folder / "out-maps")]
    subprocess.run(["rm", "-rf", str(out), *old], check=True)
    if cold:
        drop_from_cache(folder)
    done = subprocess.run(
        [sys.executable, __file__, "--child", engine, "--folder", folder, "--task", task, "--out", out],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        print(f"{engine} {task}: failed\n{done.stderr[-2000:]}", file=sys.stderr)
        return {"seconds": float("inf"), "cpu": float("inf"), "rss_mb": 0}
    measured = json.loads(done.stdout.splitlines()[-1])
    return {
        "seconds": measured["seconds"],
        "cpu": measured["cpu"],
        "rss_mb": measured["rss_mb"],
        **_summary(out),
    }


def _summary(out: Path) -> Run:
    """What must be alike whoever wrote it: rows, and sums of three columns."""
    path = out / "panel.parquet"
    if not path.exists():
        return {}
    code = (
        "import polars as pl, json, sys; t = pl.scan_parquet(sys.argv[1]).select(rows=pl.len(), "
        "age=pl.col('age').sum(), wage=pl.col('wage').sum().round(0), "
        "hired=pl.col('hired').cast(pl.Date).to_physical().sum()).collect(engine='streaming');"
        "print(json.dumps(t.row(0, named=True)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return {"result": json.loads(done.stdout)}


def compare(folder: Path, task: str, engines: list[str], repeats: int) -> dict[str, Row]:
    """All engines in turns: one cold run, then warm ones."""
    found: dict[str, list[Run]] = {engine: [] for engine in engines}
    cold = {engine: run(engine, folder, task, cold=True) for engine in engines}
    for _ in range(repeats):
        for engine in engines:
            found[engine].append(run(engine, folder, task, cold=False))
    results = [run_["result"] for runs in found.values() for run_ in runs if "result" in run_]
    assert all(result == results[0] for result in results), results
    rows = results[0]["rows"] if results else 0
    table: dict[str, Row] = {}
    for engine in engines:
        seconds = statistics.median(run_["seconds"] for run_ in found[engine])
        table[engine] = {
            "warm": seconds,
            "cold": cold[engine]["seconds"],
            "cpu": statistics.median(run_["cpu"] for run_ in found[engine]),
            "rss_mb": max(run_["rss_mb"] for run_ in [*found[engine], cold[engine]]),
            "rows": rows,
        }
        print(
            f"{task:7}{engine:15}{seconds:8.2f} s warm{cold[engine]['seconds']:8.2f} s cold"
            f"{table[engine]['cpu']:8.2f} s processor"
            f"{rows / seconds / 1e6:8.2f} M rows out/s{table[engine]['rss_mb']:8.0f} MB"
            f"   load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    return table


def refreshed(folder: Path, repeats: int) -> Row:
    """Vitrine's second extract of a project, warm, after its first one."""
    found = []
    for _ in range(repeats):
        run("vitrine", folder, "before", cold=False)
        found.append(run("vitrine", folder, "refresh", cold=False))
    row: Row = {
        "warm": statistics.median(one["seconds"] for one in found),
        "cold": float("nan"),
        "cpu": statistics.median(one["cpu"] for one in found),
        "rss_mb": max(one["rss_mb"] for one in found),
        "rows": found[0]["result"]["rows"],
    }
    print(
        f"refresh of all persons {row['warm']:8.2f} s warm{row['cpu']:8.2f} s processor"
        f"{row['rss_mb']:8.0f} MB   load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return row


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "bench-extraction")
    parser.add_argument("--tasks", default="sample,full")
    parser.add_argument("--engines", default=",".join(["vitrine", *HAND]))
    parser.add_argument("--refresh", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--task", default="sample", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path("out"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child == "generate":
        generate(options.folder / "files", options.rows)
    elif options.child == "register":
        register(options.folder)
    elif options.child:
        child(options.child, options.folder, options.task, options.out)
    else:
        _bench(options)


def _bench(options: argparse.Namespace) -> None:
    folder = options.folder / str(options.rows)
    prepared = prepare(folder, options.rows)
    print(f"{options.rows} rows × 30 columns, {os.cpu_count()} cores, {prepared}")
    engines = options.engines.split(",")
    tables = {task: compare(folder, task, engines, options.repeats) for task in options.tasks.split(",")}
    again = refreshed(folder, options.repeats) if options.refresh else None
    floors = compare(folder, "sample", ["floor: bytes", "floor: decode"], options.repeats)
    last: dict[str, object] = {"rows": options.rows} | prepared
    for task, table in tables.items():
        hand = [table[engine]["warm"] for engine in engines if engine != "vitrine"]
        if hand and "vitrine" in table:
            last[f"{task}_ratio"] = round(table["vitrine"]["warm"] / min(hand), 3)
        last[task] = {engine: round(row["warm"], 3) for engine, row in table.items()}
    last["cpu"] = {
        task: {engine: round(row["cpu"], 3) for engine, row in table.items()}
        for task, table in tables.items()
    }
    last["cold"] = {
        task: {engine: round(row["cold"], 3) for engine, row in table.items()}
        for task, table in tables.items()
    }
    extracts = [table["vitrine"]["rss_mb"] for table in tables.values() if "vitrine" in table]
    if again is not None:
        last["refresh"] = {name: round(again[name], 3) for name in ("warm", "cpu", "rss_mb", "rows")}
        extracts.append(again["rss_mb"])
    last["peak_rss_mb"] = max([*extracts, prepared["register_rss_mb"]])
    last["extract_rss_mb"] = max(extracts, default=0)
    last["load"] = round(os.getloadavg()[0], 1)
    last["floor_bytes"] = round(floors["floor: bytes"]["warm"], 3)
    last["floor_decode"] = round(floors["floor: decode"]["warm"], 3)
    print(json.dumps(last))


if __name__ == "__main__":
    main()
