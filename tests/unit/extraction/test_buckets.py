"""Sources in buckets and sources given as folders: refused alike, delivered alike, read in part."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.requests import Period, PopulationSample
from hub.domain.errors import Conflict, IntegrityError, NotFound, Refused
from hub.extraction import SourceDiffers, buckets, deliveries, extract, register
from hub.extraction.buckets import (
    BUCKET,
    BUCKETS,
    KEY_NAME,
    bucket_count,
    bucket_key,
    bucketed,
    coarse,
    indexed_units,
)
from hub.extraction.keys import sample_key
from hub.extraction.samples import draw
from hub.extraction.sources import open_source
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned

ROOT = Path(__file__).parents[3]
DICTIONARY = parse(Dictionary, registers.PERSONS, name="persons.yaml")
FULL = """\
populations:
  - {name: all, source: persons, unit: person}
datasets:
  - {name: people, source: persons, of: [all], units: [person, household], columns: [month, age, sex]}
"""


def _folder(directory: Path, table: pl.DataFrame | None = None) -> Path:
    """The persons as one file per month."""
    directory.mkdir(parents=True)
    for (month,), rows in (registers.persons() if table is None else table).group_by("month"):
        assert isinstance(month, date)
        rows.sort("nr").write_parquet(directory / f"{month:%Y-%m}.parquet")
    return directory


def _registered(directory: Path, table: pl.DataFrame | None = None, **more: int) -> Path:
    warehouse = directory / "warehouse"
    warehouse.mkdir(parents=True)
    folder = _folder(directory / "given", table)
    register(folder, DICTIONARY, warehouse=warehouse, now=NOW, schemes=SCHEMES, **more)
    return warehouse


@pytest.fixture(scope="module")
def bucket_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _registered(tmp_path_factory.mktemp("buckets"), bucketed_from=1)


def _people(warehouse: Path, into: Path, text: str = FULL, project: str = "study") -> pl.DataFrame:
    plan = planned(warehouse, text, project)
    extract(
        plan, warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW, schemes=SCHEMES, areas=LIMITS
    )
    return pl.read_parquet(into / "people.parquet")


def _sampled(**sample: float) -> str:
    inside = ", ".join(f"{name}: {value}" for name, value in sample.items())
    return FULL.replace("unit: person}", f"unit: person, sample: {{{inside}}}}}")


def _second_row(column: str, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    second_of_march = (pl.col("month") == date(2005, 3, 1)) & (pl.col("nr") == 1001)
    return lambda table: table.with_columns(
        pl.when(second_of_march).then(pl.lit(value, table.schema[column])).otherwise(column).alias(column)
    )


def _repeated(table: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([table, table[-1:]])


@pytest.mark.parametrize(
    ("change", "code", "file", "row", "bucketed_from"),
    [
        (_second_row("age", 100), "outside_domain", "2005-03.parquet", 2, 1),
        (_second_row("sex", None), "missing_value", "2005-03.parquet", 2, 1),
        (lambda table: table.drop("sex"), "missing_column", "2005-01.parquet", None, 1),
        (_repeated, "duplicate_key", "2005-03.parquet", 401, 1),
        (_repeated, "duplicate_key", "2005-03.parquet", 401, 10**9),
    ],
)
def test_a_folder_is_refused_with_the_file_and_the_row(
    tmp_path: Path,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    code: str,
    file: str,
    row: int | None,
    bucketed_from: int,
) -> None:
    table = change(registers.persons())
    with pytest.raises(SourceDiffers) as refused:
        _registered(tmp_path, table, bucketed_from=bucketed_from)
    (difference,) = refused.value.differences
    assert (difference.code, difference.file, difference.row) == (code, file, row)
    assert file in difference.en
    assert not (tmp_path / "warehouse" / "persons").exists()


CONTRACTS = f"""\
name: contracts
title: {{fr: Contrats, en: Contracts}}
{registers.HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  person: {{title: {{fr: p, en: p}}, key: [worker], pseudonym: person_id, registry: national_register}}
record: {{unit: person, key: [contract]}}
variables:
  worker: {registers.NUMBER}
  contract: {registers.NUMBER}
"""


@pytest.mark.parametrize("repeated", [None, 0, 40])
def test_a_record_key_without_its_unit_is_looked_for_in_all_buckets(
    tmp_path: Path, repeated: int | None
) -> None:
    """Rows that say the same contract of two persons lie in different buckets."""
    contracts = list(range(100))
    if repeated is not None:
        contracts[70] = repeated
    given, warehouse = tmp_path / "contracts.parquet", tmp_path / "warehouse"
    pl.DataFrame({"worker": range(1000, 1100), "contract": contracts}).write_parquet(given)
    warehouse.mkdir()
    dictionary = parse(Dictionary, CONTRACTS, name="contracts.yaml")
    if repeated is None:
        assert register(given, dictionary, warehouse=warehouse, now=NOW, bucketed_from=1).rows == 100
        return
    with pytest.raises(SourceDiffers) as refused:
        register(given, dictionary, warehouse=warehouse, now=NOW, bucketed_from=1)
    (difference,) = refused.value.differences
    assert (difference.code, difference.column, difference.row) == ("duplicate_key", "contract", 71)


def test_a_file_of_other_types_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "given")
    changed = pl.read_parquet(folder / "2005-02.parquet").cast({"age": pl.Int16})
    changed.write_parquet(folder / "2005-02.parquet")
    with pytest.raises(SourceDiffers) as refused:
        register(folder, DICTIONARY, warehouse=tmp_path / "w", now=NOW, schemes=SCHEMES)
    assert refused.value.differences[0].file == "2005-02.parquet"


def test_a_folder_without_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    with pytest.raises(Refused) as refused:
        register(tmp_path / "given", DICTIONARY, warehouse=tmp_path / "w", now=NOW, schemes=SCHEMES)
    assert (refused.value.code, refused.value.field) == ("no_parquet_folder", "file")


def test_another_folder_under_the_same_name_is_a_conflict(bucket_warehouse: Path, tmp_path: Path) -> None:
    same = register(
        bucket_warehouse.parent / "given", DICTIONARY, warehouse=bucket_warehouse, now=NOW, schemes=SCHEMES
    )
    assert same.rows == 1200
    folder = _folder(tmp_path / "given")
    (folder / "2005-03.parquet").rename(folder / "2005-04.parquet")
    with pytest.raises(Conflict):
        register(folder, DICTIONARY, warehouse=bucket_warehouse, now=NOW, schemes=SCHEMES)


def test_a_damaged_bucket_is_found_when_it_is_read(tmp_path: Path) -> None:
    warehouse = _registered(tmp_path, bucketed_from=1)
    part = open_source(warehouse, "persons").record.parts[3]
    path = warehouse / "persons" / part.name
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(IntegrityError):
        _people(warehouse, tmp_path / "v1")
    assert not (tmp_path / "v1").exists()


def test_the_layout_does_not_change_what_a_whole_population_gets(
    bucket_warehouse: Path, tmp_path: Path
) -> None:
    plain = _registered(tmp_path, bucketed_from=10**9)
    _people(plain, tmp_path / "a")
    _people(bucket_warehouse, tmp_path / "b")
    for name in ("people.parquet", "codebook.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_unit_lies_in_one_bucket_and_no_one_can_tell_which(bucket_warehouse: Path) -> None:
    source = open_source(bucket_warehouse, "persons")
    assert source.bucketed
    seen: dict[int, int] = {}
    for part in source.record.parts:
        numbers = pl.read_parquet(bucket_warehouse / "persons" / part.name)["nr"].unique()
        assert part.bucket is not None
        assert not seen.keys() & set(numbers)
        seen |= dict.fromkeys(numbers, part.bucket)
    assert len(seen) == registers.PEOPLE
    key = bucket_key(bucket_warehouse)
    assert stat.S_IMODE((bucket_warehouse / KEY_NAME).stat().st_mode) == 0o440
    units = pl.DataFrame({" key 0": list(seen)})
    mine = bucketed(units, key, "register national_register")
    assert dict(mine.iter_rows()) == seen
    assert dict(bucketed(units, bytes(32), "register national_register").iter_rows()) != seen
    assert max(seen.values()) < BUCKETS


def test_a_sample_reads_only_its_buckets(bucket_warehouse: Path, tmp_path: Path) -> None:
    text = _sampled(count=10)
    _people(bucket_warehouse, tmp_path / "v1", text)
    source = open_source(bucket_warehouse, "persons")
    index = indexed_units(source.index(), None)
    key = sample_key(MASTER_KEY, "study", "register national_register")
    needed = set(draw(PopulationSample(count=10), index, key, field="x")[BUCKET])
    assert len(needed) <= 10
    # Everything else may be gone: it is not even opened.
    copy = tmp_path / "warehouse"
    (copy / "persons").mkdir(parents=True)
    for path in (bucket_warehouse / "persons").iterdir():
        bucket = path.stem.removeprefix("bucket-")
        if not bucket.isdigit() or int(bucket) in needed:
            (copy / "persons" / path.name).write_bytes(path.read_bytes())
    _people(copy, tmp_path / "v2", text)
    one, two = (tmp_path / name / "people.parquet" for name in ("v1", "v2"))
    assert one.read_bytes() == two.read_bytes()


@given(st.integers(1, 400), st.integers(1, 400))
def test_samples_from_buckets_are_exact_and_one_inside_the_other(one: int, two: int) -> None:
    units = pl.DataFrame({" key 0": range(400)}).with_columns(
        (pl.col(" key 0") * 7919 % 23).cast(pl.UInt8).alias(BUCKET)
    )
    small, large = (
        set(draw(PopulationSample(count=count), units, b"k" * 32, field="x")[" key 0"])
        for count in sorted((one, two))
    )
    assert (len(small), len(large)) == (min(one, two), max(one, two))
    assert small <= large


def test_strata_from_buckets_have_each_their_number(bucket_warehouse: Path, tmp_path: Path) -> None:
    table = _people(bucket_warehouse, tmp_path / "v1", _sampled(count=5, per="sex"))
    sizes = table.group_by("sex").agg(pl.col("person_id").n_unique())
    assert sorted(sizes.rows()) == [(1, 5), (2, 5)]


def test_other_projects_draw_other_buckets(bucket_warehouse: Path, tmp_path: Path) -> None:
    ages = [
        _people(bucket_warehouse, tmp_path / project, _sampled(count=40), project).drop("person_id")
        for project in ("one", "two")
    ]
    assert not ages[0].drop("household_id").sort(pl.all()).equals(ages[1].drop("household_id").sort(pl.all()))


def test_the_index_knows_the_months_of_every_unit(tmp_path: Path) -> None:
    """Unit 1 in January, 2 in January to March, 3 in January and March."""
    months = {1: [1], 2: [1, 2, 3], 3: [1, 3]}
    rows = registers.persons()[:1]
    table = pl.concat(
        [
            rows.with_columns(nr=pl.lit(nr, pl.Int64), month=pl.lit(date(2005, month, 1)))
            for nr, present in months.items()
            for month in present
        ]
    )
    source = open_source(_registered(tmp_path, table, bucketed_from=1), "persons")
    for first, last, expected in ((1, 1, {1, 2, 3}), (2, 2, {2}), (2, 12, {2, 3}), (4, 12, set())):
        period = Period(first=f"2005-{first:02d}", last=f"2005-{last:02d}")
        assert set(indexed_units(source.index(), period)[" key 0"]) == expected


@given(st.integers(1, 400))
def test_a_source_that_grows_into_more_buckets_keeps_its_samples(count: int) -> None:
    """Twice as many buckets: every unit stays in its coarse one, and the same units are drawn."""
    units = pl.DataFrame({" key 0": range(400)})
    few, many = (bucketed(units, b"b" * 32, "people", count=size) for size in (BUCKETS, 2 * BUCKETS))
    assert few[BUCKET].to_list() == many.select(coarse(pl.col(BUCKET))).to_series().to_list()
    one, two = (
        set(draw(PopulationSample(count=count), placed, b"k" * 32, field="x")[" key 0"])
        for placed in (few, many)
    )
    assert one == two


@pytest.mark.parametrize(
    ("rows", "columns", "count"), [(1, 1, 200), (50_000_000, 30, 200), (200_000_000, 30, 800)]
)
def test_buckets_fit_into_memory_whatever_the_size(rows: int, columns: int, count: int) -> None:
    assert bucket_count(rows, columns) == count


def test_many_buckets_deliver_the_same_sample(
    bucket_warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_BUCKET_CELLS", 7)
    warehouse = _registered(tmp_path, bucketed_from=1)
    key = warehouse / KEY_NAME
    key.unlink()
    key.write_bytes((bucket_warehouse / KEY_NAME).read_bytes())
    (warehouse / "persons").rename(tmp_path / "other-key")
    register(
        warehouse.parent / "given", DICTIONARY, warehouse=warehouse, now=NOW, schemes=SCHEMES, bucketed_from=1
    )
    assert max(part.bucket or 0 for part in open_source(warehouse, "persons").record.parts) >= BUCKETS
    text = _sampled(count=40)
    assert _people(warehouse, tmp_path / "v1", text).equals(_people(bucket_warehouse, tmp_path / "v2", text))


# A disk that takes files of so many bytes only, smaller ones first: every kind of file fails once.
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Refused
from hub.extraction import deliveries, extract, ordering, register
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned
from tests.unit.extraction.test_buckets import DICTIONARY, FULL
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
deliveries.SORTED_IN_MEMORY, deliveries.PIECE = 100, 50
ordering.in_ranges.__kwdefaults__ = {"in_memory": 100}
action, given, warehouse, into = sys.argv[1], *map(Path, sys.argv[2:])
plan = planned(warehouse, FULL) if action == "extract" else None
for limit in (300, 1_000, 2_000, 3_000, 4_500, 7_000, 10**9):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        if plan is None:
            register(given, DICTIONARY, warehouse=into, now=NOW, schemes=SCHEMES, bucketed_from=1)
        else:
            extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=into / "v1", now=NOW,
                    schemes=SCHEMES, areas=LIMITS)
        print("made")
        break
    except Refused as refused:
        print(refused.code, *sorted(path.name for path in into.iterdir() if path.name != ".bucket.key"))
"""


@pytest.mark.parametrize("action", ["register", "extract"])
def test_a_large_source_on_a_disk_that_fills_up(bucket_warehouse: Path, tmp_path: Path, action: str) -> None:
    into = tmp_path / "area"
    into.mkdir()
    bucket_key(into)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, action, bucket_warehouse.parent / "given", bucket_warehouse, into],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=120,
    )  # fmt: skip
    *failed, last = done.stdout.splitlines()
    assert last == "made", done.stderr
    assert len(failed) >= 3
    assert set(failed) == {"storage_failed"}


KILLED = """
import sys, time
from pathlib import Path
from hub.extraction import distributions, register
from tests.unit.extraction.conftest import NOW
from tests.unit.extraction.registers import SCHEMES
from tests.unit.extraction.test_buckets import DICTIONARY
read, places = distributions._read, []
def stop(path):
    places.append(path)  # whichever have rows: that depends on the key
    if len(places) == 4:
        print("here", flush=True)
        time.sleep(60)
    return read(path)
distributions._read = stop
given, warehouse = map(Path, sys.argv[1:])
register(given, DICTIONARY, warehouse=warehouse, now=NOW, schemes=SCHEMES, bucketed_from=1)
"""


def test_a_large_source_killed_between_its_buckets(bucket_warehouse: Path, tmp_path: Path) -> None:
    warehouse, given = tmp_path / "warehouse", bucket_warehouse.parent / "given"
    warehouse.mkdir()
    (warehouse / KEY_NAME).write_bytes((bucket_warehouse / KEY_NAME).read_bytes())
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, given, warehouse], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "here\n"
        process.kill()
        process.wait(timeout=30)
    assert not (warehouse / "persons").exists()
    with pytest.raises(NotFound):
        open_source(warehouse, "persons")
    again = register(given, DICTIONARY, warehouse=warehouse, now=NOW, schemes=SCHEMES, bucketed_from=1)
    assert again.parts == open_source(bucket_warehouse, "persons").record.parts
    assert sorted(path.name for path in warehouse.iterdir()) == [KEY_NAME, "persons"]
    assert not list((warehouse / "persons").glob("*.stream"))


@pytest.mark.parametrize(("many", "at_once"), [("persons", False), ("jobs", False), ("jobs", True)])
def test_sources_of_different_numbers_of_buckets_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: str, at_once: bool
) -> None:
    """A sample drawn from one is found whole in the other, which has another number of buckets."""
    if not at_once:
        monkeypatch.setattr(deliveries, "SORTED_IN_MEMORY", 10)
        monkeypatch.setattr(deliveries, "PIECE", 5)
    jobs = parse(Dictionary, registers.JOBS, name="jobs.yaml")
    registers.jobs().write_parquet(tmp_path / "jobs.parquet")
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    for dictionary, file in ((DICTIONARY, _folder(tmp_path / "given")), (jobs, tmp_path / "jobs.parquet")):
        monkeypatch.setattr(buckets, "_BUCKET_CELLS", 7 if dictionary.name == many else 7_500_000)
        register(file, dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES, bucketed_from=1)
    text = (
        _sampled(count=60) + "  - {name: jobs, source: jobs, of: [all], units: [person], columns: [wage]}\n"
    )
    people = _people(warehouse, tmp_path / "v1", text)
    working = people.filter(pl.col("age") > 10)["person_id"]
    # All adults work in all three months.
    wages = pl.read_parquet(tmp_path / "v1" / "jobs.parquet")
    assert people["person_id"].n_unique() == 60
    assert sorted(wages["person_id"]) == sorted(working)
