"""Large sources in keyed buckets: all rows of a unit lie in one of 200 files, and which one nobody can tell
who does not hold the warehouse's bucket key. A sample of the whole source reads few of them.

A source too large for 200 files that fit into memory has a multiple of that number: bucket b lies, among 200,
in bucket b modulo 200. Samples are drawn by the latter (`coarse`), so that a source that grows keeps them.

`units.parquet` beside them lists every unit with its bucket and the spells of months in which it has rows.
The bucket key (`.bucket.key` in the warehouse) is made with the first large source and stays: units of one
register lie in the same buckets in every source, and a new edition of a source keeps them there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow.parquet as pq

from hub.documents.dictionaries import Dictionary
from hub.documents.requests import Period
from hub.domain.errors import Refused
from hub.extraction.distributions import PLACE, distributed, taken_in_order
from hub.extraction.keys import hkdf_sha256, unit_order
from hub.extraction.linkages import identity, key_names, keyed
from hub.extraction.placements import placed
from hub.extraction.tables import ROW_GROUP, write_frame

BUCKETS = 200
INDEX_NAME = "units.parquet"
BUCKET = " bucket"  # no variable can be called this
KEY_NAME = ".bucket.key"
_FIRST, _LAST = " first", " last"
_BUCKET_CELLS = 7_500_000  # values of a bucket, on average at the most
_PIECE_CELLS = 5_000_000  # values at a time
KEY_ROWS = 1_000_000  # rows at a time of a unit's key alone
_ROW_GROUP = 65_536

# Columns of the rows of a source, in their order, about so many rows at a time.
Pieces = Callable[[int, Sequence[str]], Iterable[pl.DataFrame]]


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


def coarse(bucket: pl.Expr) -> pl.Expr:
    """Where a bucket lies among BUCKETS, whatever the size of the source."""
    return bucket % BUCKETS


def bucket_count(rows: int, columns: int) -> int:
    """How many buckets a source of this size has: a multiple of BUCKETS."""
    return BUCKETS * max(1, -(-rows * columns // (BUCKETS * _BUCKET_CELLS)))


def bucketed(units: pl.DataFrame, key: bytes, name: str, *, count: int = BUCKETS) -> pl.DataFrame:
    """Distinct units (key columns) of the register `name` (`linkages.identity`) with their BUCKET, among
    `count`."""
    own = hkdf_sha256(key, salt=b"vitrine buckets", info=name.encode())
    order = unit_order(units, own)
    return units.with_columns((order % count).cast(pl.UInt32).alias(BUCKET))


def write_buckets(
    pieces: Pieces,
    dictionary: Dictionary,
    staging: Path,
    *,
    rows: int,
    key: bytes,
) -> Iterator[tuple[Path, int, int | None]]:
    """Write `rows` rows, in the warehouse's types, as buckets and index into `staging`; yield every file with
    its number of rows and its bucket, the index last.

    1. Rows go, a piece at a time, to their bucket on disk.
    2. Each bucket is read again, sorted by unit and record key, and written as Parquet.
    """
    order = record_order(dictionary)

    def ordered(held: tuple[int, pl.DataFrame]) -> tuple[int, pl.DataFrame]:
        bucket, rows = held
        places = rows.select(order).with_row_index(PLACE).sort(order)[PLACE]
        return bucket, taken_in_order(rows, places)

    with _Index(staging / INDEX_NAME) as index:
        for bucket, in_order in map(ordered, _distribute(pieces, dictionary, staging, rows, key)):  # (2)
            path = staging / part_name(bucket)
            write_frame(in_order, path, row_group_size=_ROW_GROUP)
            index.add(_spells(in_order, dictionary), bucket)
            height = in_order.height
            del in_order  # a loop's variable would hold it while the next bucket is read
            yield path, height, bucket
    yield staging / INDEX_NAME, index.rows, None


def _distribute(
    pieces: Pieces,
    dictionary: Dictionary,
    staging: Path,
    rows: int,
    key: bytes,
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Every bucket with its rows, which have been distributed when this returns."""
    unit = dictionary.record.unit
    names = list(dictionary.unit_types[unit].key)
    width = len(dictionary.variables)
    count = bucket_count(rows, width)
    piece_rows = max(1, _PIECE_CELLS // width)
    own = identity(dictionary, unit)

    def places_of(units: pl.DataFrame) -> pl.Series:
        return bucketed(units, key, own, count=count)[BUCKET]

    rows_placed = placed(
        pieces(piece_rows, list(dictionary.variables)),
        pieces(KEY_ROWS, names),
        places_of,
        names=names,
        rows=rows,
        staging=staging,
    )
    # A group of buckets has few of them, so that smaller pieces leave blocks that are large enough.
    return distributed(
        rows_placed, places=count, staging=staging, piece_rows=max(1, piece_rows // 3), compression="lz4"
    )


class _Index:
    """The index of the buckets, written as they come: not all units are held."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._path = path
        self._pending: list[pl.DataFrame] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, spells: pl.DataFrame, bucket: int) -> None:
        """The units of one bucket with their spells."""
        self.rows += spells.height
        self._pending.append(spells.with_columns(pl.lit(bucket, pl.UInt32).alias(BUCKET)))
        if sum(one.height for one in self._pending) >= ROW_GROUP:
            self._write()

    def _write(self) -> None:
        rows = pl.concat(self._pending).to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, rows.schema, compression="zstd")
        self._writer.write_table(rows)
        self._pending = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._pending:
            self._write()
        if self._writer is not None:
            self._writer.close()


def record_order(dictionary: Dictionary) -> list[str]:
    """The columns by which the rows of a bucket are sorted: unit, month, and the rest of the record key."""
    record = dictionary.record
    period = [] if record.period is None else [record.period]
    return list(dict.fromkeys([*dictionary.unit_types[record.unit].key, *period, *record.key]))


def _spells(rows: pl.DataFrame, dictionary: Dictionary) -> pl.DataFrame:
    """Every unit of these rows, which are in `record_order`, with the spells of consecutive months in which
    it has any; without months one spell of nulls."""
    unit, period = dictionary.record.unit, dictionary.record.period
    names = key_names(len(dictionary.unit_types[unit].key))
    units = keyed(dictionary, unit)
    if period is None:
        nothing = pl.lit(None, pl.Int32)
        return rows.select(units).unique().with_columns(nothing.alias(_FIRST), nothing.alias(_LAST))
    month = (pl.col(period).dt.year() * 12 + pl.col(period).dt.month().cast(pl.Int32) - 1).alias(_FIRST)
    months = rows.select(*units, month)
    follows = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in names)
    step = pl.col(_FIRST) - pl.col(_FIRST).shift(1)
    starts = months.select((follows & step.is_between(0, 1)).fill_null(value=False).not_()).to_series()
    first = starts.arg_true()
    last = (first.shift(-1, fill_value=months.height) - 1).cast(pl.UInt32)
    return months[first].with_columns(months[_FIRST].gather(last).alias(_LAST))


def indexed_units(index: pl.LazyFrame, period: Period | None) -> pl.DataFrame:
    """The units of the index that have a row in the period, each once, with their BUCKET."""
    if period is not None:
        index = index.filter(
            (pl.col(_FIRST) <= _number(period.last)) & (pl.col(_LAST) >= _number(period.first))
        )
    names = [name for name in index.collect_schema().names() if name not in (_FIRST, _LAST)]
    # The spells of a unit follow each other.
    first = pl.any_horizontal(pl.col(names).ne_missing(pl.col(names).shift(1)))
    return index.select(names).filter(first.fill_null(value=True)).collect()


def _number(month: str) -> int:
    year, of_year = month.split("-")
    return int(year) * 12 + int(of_year) - 1
