"""Stata files, which Polars does not read, through pandas in pieces."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hub.domain.errors import Refused

_ROWS = 100_000
# Stata 13 and later begin with a word, 8 to 12 with their version's number (113 to 115). Still older
# ones have no mark to speak of: other files would be taken for them.
_BEGINNINGS = (b"<stata_dta>", b"\x71", b"\x72", b"\x73")


def to_parquet(file: Path, target: Path) -> None:
    """Write the .dta file as Parquet: numbers as they are, missing ones as null, no value labels."""
    with file.open("rb") as stream:
        if not stream.read(11).startswith(_BEGINNINGS):
            raise _unreadable()
    try:
        with pd.read_stata(file, convert_categoricals=False, chunksize=_ROWS) as pieces:
            tables = (_table(piece) for piece in pieces)
            first = next(tables, None)
            if first is None:
                raise _unreadable()
            _write(chain([first], tables), first.schema, target)
    except (ValueError, struct.error, EOFError, UnicodeDecodeError, KeyError) as error:
        raise _unreadable() from error


def _table(piece: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(piece, preserve_index=False)
    # A numeric column is a float in a piece with a missing value and an integer in one without.
    fields = [_wider(field) for field in table.schema]
    return table.cast(pa.schema(fields))


def _wider(field: pa.Field) -> pa.Field:
    kind = field.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pa.field(field.name, pa.float64())
    if pa.types.is_timestamp(kind):
        return pa.field(field.name, pa.timestamp("ms"))
    return pa.field(field.name, pa.string() if pa.types.is_large_string(kind) else kind)


def _write(tables: Iterator[pa.Table], schema: pa.Schema, target: Path) -> None:
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.cast(schema))


def _unreadable() -> Refused:
    return Refused(
        "unreadable_data",
        "This is not a Stata file that can be read.",
        "Ce n’est pas un fichier Stata lisible.",
        field="file",
    )
