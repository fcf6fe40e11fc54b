"""Large sources in keyed buckets: all rows of a unit lie in one of 200 files, and which one nobody can tell
who does not hold the warehouse's bucket key. A sample of the whole source reads few of them.

`units.parquet` beside them lists every unit with its bucket and the spells of months in which it has rows.
The bucket key (`.bucket.key` in the warehouse) is made with the first large source and stays: units of one
register lie in the same buckets in every source, and a new edition of a source keeps them there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import ipc

from hub.documents.dictionaries import Dictionary
from hub.documents.requests import Period
from hub.domain.errors import Refused
from hub.extraction.keys import canonical, hkdf_sha256, keyed_order
from hub.extraction.linkages import identity, key_names, keyed

BUCKETS = 200
INDEX_NAME = "units.parquet"
BUCKET = " bucket"  # no variable can be called this
KEY_NAME = ".bucket.key"
_FIRST, _LAST = " first", " last"
_PIECE = 1_000_000  # rows at a time
_ROW_GROUP = 65_536


def part_name(bucket: int) -> str:
    """The file of a bucket."""
    return f"bucket-{bucket:03d}.parquet"


def bucket_key(warehouse: Path) -> bytes:
    """The warehouse's secret for buckets, made where there is none yet."""
    path = warehouse / KEY_NAME
    if not path.exists():
        aside = warehouse / f"{KEY_NAME}.{os.getpid()}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
        try:
            os.write(descriptor, os.urandom(32))
            os.fsync(descriptor)
            if os.geteuid() == 0:
                around = warehouse.stat()
                os.fchown(descriptor, around.st_uid, around.st_gid)
        finally:
            os.close(descriptor)
        # A link fails where another process was first: whose key is there stays.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
        aside.unlink()
    key = path.read_bytes()
    if len(key) != 32:
        raise Refused(
            "bucket_key_damaged",
            "The warehouse's bucket key is damaged.",
            "La clé des paquets de l’entrepôt est abîmée.",
        )
    return key


def bucketed(units: pl.DataFrame, key: bytes, name: str) -> pl.DataFrame:
    """Distinct units (key columns) of the register `name` (`linkages.identity`) with their BUCKET."""
    own = hkdf_sha256(key, salt=b"vitrine buckets", info=name.encode())
    order = keyed_order(canonical(units), own)
    return units.with_columns((order % BUCKETS).cast(pl.UInt8).alias(BUCKET))


def write_buckets(
    table: pl.LazyFrame, dictionary: Dictionary, staging: Path, *, key: bytes
) -> Iterator[tuple[Path, int]]:
    """Write the rows of `table`, in the warehouse's types, as buckets and index into `staging`; yield every
    file with its number of rows, the index last.

    1. Rows go, a piece at a time, to one open file per bucket.
    2. Each bucket is read again, sorted by unit and record key, and written as Parquet.
    """
    unit = dictionary.record.unit
    names = list(dictionary.unit_types[unit].key)
    units = table.select(keyed(dictionary, unit)).unique().collect(engine="streaming")
    places = bucketed(units, key, identity(dictionary, unit))
    held = _distribute(table, names, places, staging)  # (1)
    index = []
    for bucket in sorted(held):  # (2)
        rows = pl.read_ipc_stream(held[bucket]).sort(record_order(dictionary))
        held[bucket].unlink()
        path = staging / part_name(bucket)
        rows.write_parquet(path, compression="zstd", row_group_size=_ROW_GROUP)
        index.append(_spells(rows, dictionary).with_columns(pl.lit(bucket, pl.UInt8).alias(BUCKET)))
        yield path, rows.height
    whole = pl.concat(index)
    whole.write_parquet(staging / INDEX_NAME, compression="zstd")
    yield staging / INDEX_NAME, whole.height


def record_order(dictionary: Dictionary) -> list[str]:
    """The columns by which the rows of a bucket are sorted: unit, month, and the rest of the record key."""
    record = dictionary.record
    period = [] if record.period is None else [record.period]
    return list(dict.fromkeys([*dictionary.unit_types[record.unit].key, *period, *record.key]))


def _distribute(
    table: pl.LazyFrame, names: list[str], places: pl.DataFrame, staging: Path
) -> dict[int, Path]:
    """One Arrow stream per bucket with its rows, in the order of `table`."""
    columns = table.collect_schema().names()
    joined = table.join(places.lazy(), left_on=names, right_on=key_names(len(names)), how="left")
    held: dict[int, Path] = {}
    writers: dict[int, ipc.RecordBatchStreamWriter] = {}
    options = ipc.IpcWriteOptions(compression="lz4")
    with contextlib.ExitStack() as stack:
        for piece in joined.collect_batches(chunk_size=_PIECE, maintain_order=True, engine="streaming"):
            for (bucket,), rows in piece.partition_by([BUCKET], as_dict=True).items():
                arrow: pa.Table = rows.select(columns).to_arrow()
                if bucket not in writers:
                    held[bucket] = staging / f"bucket-{bucket:03d}.stream"
                    file = stack.enter_context(held[bucket].open("wb"))
                    writers[bucket] = stack.enter_context(ipc.new_stream(file, arrow.schema, options=options))
                writers[bucket].write_table(arrow)
    return held


def _spells(rows: pl.DataFrame, dictionary: Dictionary) -> pl.DataFrame:
    """Every unit of these rows with the spells of consecutive months in which it has any; without months
    one spell of nulls."""
    unit, period = dictionary.record.unit, dictionary.record.period
    names = key_names(len(dictionary.unit_types[unit].key))
    units = keyed(dictionary, unit)
    if period is None:
        nothing = pl.lit(None, pl.Int32)
        return rows.select(units).unique().with_columns(nothing.alias(_FIRST), nothing.alias(_LAST))
    month = (pl.col(period).dt.year() * 12 + pl.col(period).dt.month().cast(pl.Int32) - 1).alias(_FIRST)
    months = rows.select(*units, month).unique().sort(*names, _FIRST)
    # Consecutive months less their rank stay the same number.
    spell = (pl.col(_FIRST) - pl.int_range(pl.len(), dtype=pl.Int32)).alias(_LAST)
    return (
        months.with_columns(spell)
        .group_by(*names, _LAST)
        .agg(pl.col(_FIRST).min(), pl.col(_FIRST).max().alias(" until"))
        .select(*names, _FIRST, pl.col(" until").alias(_LAST))
        .sort(*names, _FIRST)
    )


def indexed_units(index: pl.LazyFrame, period: Period | None) -> pl.DataFrame:
    """The units of the index that have a row in the period, each once, with their BUCKET."""
    if period is not None:
        index = index.filter(
            (pl.col(_FIRST) <= _number(period.last)) & (pl.col(_LAST) >= _number(period.first))
        )
    names = [name for name in index.collect_schema().names() if name not in (_FIRST, _LAST)]
    return index.select(names).unique().collect(engine="streaming")


def _number(month: str) -> int:
    year, of_year = month.split("-")
    return int(year) * 12 + int(of_year) - 1
