"""A Parquet file's columns as a binary stream, for R, which has no Parquet reader of its own in Debian.

First line: JSON {"rows", "columns": [{"name", "kind", "levels"}]}. Then each column's values, little-endian:
`double` (8 bytes; missing is NaN with R's payload), `integer`, `logical` and `factor` (4 bytes; missing is
-2147483648; factors count from 1), `character` (like factor, its levels being the distinct values),
`date` (double, days since 1970) and `time` (double, seconds since 1970, UTC).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MISSING = -(2**31)
MISSING_DOUBLE = struct.unpack("<d", struct.pack("<Q", 0x7FF80000000007A2))[0]  # R’s NA_real_, quiet
EXACT = 2**53


def write_columns(path: Path, columns: Sequence[str] | None, out: BinaryIO) -> None:
    """Stream the file's columns (all of them unless named). KeyError names one that is not there,
    OSError the file that cannot be read."""
    if not path.is_file():
        raise FileNotFoundError(2, "", str(path))
    names = pq.read_schema(path).names
    wanted = list(names if columns is None else dict.fromkeys(columns))
    for name in wanted:
        if name not in names:
            raise KeyError(name)
    about, bodies = [], []
    rows = pq.read_metadata(path).num_rows
    for name in wanted:
        kind, levels, values = _encode(pq.read_table(path, columns=[name]).column(0))
        about.append({"name": name, "kind": kind, "levels": levels})
        bodies.append(values)
    out.write(json.dumps({"rows": rows, "columns": about}, ensure_ascii=False).encode() + b"\n")
    for values in bodies:
        out.write(memoryview(np.ascontiguousarray(values)).cast("B"))
    out.flush()


def _encode(column: pa.ChunkedArray) -> tuple[str, list[str] | None, np.ndarray[Any, Any]]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return ("factor", *_codes(column.combine_chunks()))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return ("character", *_codes(column.cast(pa.large_string()).dictionary_encode().combine_chunks()))
    if pa.types.is_boolean(kind):
        return "logical", None, _integers(column.cast(pa.int32()))
    if pa.types.is_date(kind):
        return "date", None, _doubles(column.cast(pa.date32()).cast(pa.int32()))
    if pa.types.is_timestamp(kind):
        return "time", None, _doubles(column.cast(pa.timestamp("us")).cast(pa.int64())) / 1e6
    if pa.types.is_integer(kind):
        return _integer_column(column)
    return "double", None, _doubles(column)


def _integer_column(column: pa.ChunkedArray) -> tuple[str, list[str] | None, np.ndarray[Any, Any]]:
    """Integers where R's hold them, doubles up to 2^53, and text beyond: no digit is lost."""
    if column.type.bit_width < 32 or column.type == pa.int32():
        return "integer", None, _integers(column)
    limits = pc.min_max(column).as_py()
    if limits["min"] is not None and max(abs(limits["min"]), abs(limits["max"])) > EXACT:
        return ("character", *_codes(column.cast(pa.large_string()).dictionary_encode().combine_chunks()))
    return "double", None, _doubles(column)


def _codes(array: Any) -> tuple[list[str], np.ndarray[Any, Any]]:
    if isinstance(array, pa.ChunkedArray):
        array = pa.chunked_array(array.chunks).unify_dictionaries().combine_chunks()
    levels = ["" if level is None else str(level) for level in array.dictionary.to_pylist()]
    codes = array.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    return levels, np.where(codes < 0, MISSING, codes + 1).astype("<i4")


def _integers(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    return np.asarray(column.cast(pa.int32()).fill_null(MISSING).to_numpy(), dtype="<i4")


def _doubles(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    values = np.array(column.cast(pa.float64(), safe=False).to_numpy(), dtype="<f8")
    if column.null_count:
        values[column.is_null().to_numpy()] = MISSING_DOUBLE
    return values
