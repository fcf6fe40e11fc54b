"""The extract of the desk: its tables, their columns, and the columns that name units."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from .words import NotDeclarable, say

MARK = "vitrine_table"


@dataclass(frozen=True)
class Summary:
    """What R says of the data it has: rows, and per column missing values with sums or counts of texts."""

    rows: int
    columns: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ExtractTable:
    """One table of the extract. `units`: unit type → column with its pseudonyms."""

    name: str
    path: Path
    columns: tuple[str, ...]
    units: Mapping[str, str]


def folder() -> Path:
    """Where the extract is mounted."""
    return Path(os.environ.get("VITRINE_EXTRACT", "/data"))


def extract_tables() -> dict[str, ExtractTable]:
    """The extract's tables by name, from manifest.json and codebook.json. LookupError if there is none."""
    place = folder()
    try:
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LookupError(say("no_extract")) from None
    named = {each["file"]: each for each in _codebook(place).get("tables", ())}
    tables = {}
    for file in manifest["files"]:
        if file.get("rows") is None or not file["name"].endswith(".parquet"):
            continue
        about = named.get(file["name"], {})
        columns = tuple(file["columns"] or pq.read_schema(place / file["name"]).names)
        units = about.get("units", {})
        name = about.get("name", Path(file["name"]).stem)
        tables[name] = ExtractTable(
            name,
            place / file["name"],
            columns,
            {kind: column for kind, column in units.items() if column in columns},
        )
    if not tables:
        raise LookupError(say("no_extract"))
    return tables


def _codebook(place: Path) -> dict[str, Any]:
    try:
        codebook = json.loads((place / "codebook.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return codebook if isinstance(codebook, dict) else {}


def find_table(name: str | None) -> ExtractTable:
    """The table of this name; without one, the extract's only table. LookupError names those there are."""
    tables = extract_tables()
    if name is None:
        if len(tables) > 1:
            raise LookupError(say("which_table", tables=", ".join(tables)))
        return next(iter(tables.values()))
    if name not in tables:
        raise LookupError(say("unknown_table", name=name, tables=", ".join(tables)))
    return tables[name]


def read_extract(name: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The extract's table `name` (or its only table) as a DataFrame that remembers where it comes from."""
    table = find_table(name)
    wanted = None if columns is None else list(dict.fromkeys(columns))
    frame: pd.DataFrame = pq.read_table(table.path, columns=wanted).to_pandas()
    frame.attrs[MARK] = table.name
    return frame


def table_behind(data: object, name: str | None) -> ExtractTable:
    """The extract's table that `data` (a frame, a table's name, or None) stands for."""
    if name is None and isinstance(data, str):
        name = data
    if name is None and isinstance(data, pd.DataFrame):
        name = data.attrs.get(MARK)
    if name is None and isinstance(data, pd.DataFrame):
        fitting = [each for each in extract_tables().values() if set(data.columns) & set(each.columns)]
        if len(fitting) == 1:
            return fitting[0]
    return find_table(name)


def require_columns(table: ExtractTable, columns: Sequence[str]) -> None:
    """NotDeclarable `derived` for a column that the extract does not have."""
    derived = [column for column in dict.fromkeys(columns) if column not in table.columns]
    if derived:
        raise NotDeclarable("derived", columns=", ".join(derived), table=table.name)


def require_untouched(data: object, rows: pd.DataFrame, chosen: pd.DataFrame, table: ExtractTable) -> None:
    """`data` (a frame, or R's Summary of one) holds the rows of the table, or those that the filter leaves,
    with their values, in any order.

    `rows` and `chosen` have the columns in use, of all rows and of the rows left. NotDeclarable otherwise.
    """
    if isinstance(data, pd.DataFrame):
        count, names = len(data), set(data.columns)
    elif isinstance(data, Summary):
        count, names = data.rows, set(data.columns)
    else:
        return
    if count not in (len(rows), len(chosen)):
        raise NotDeclarable("changed_rows", table=table.name)
    wanted = rows if count == len(rows) else chosen
    changed = [column for column in rows.columns if column in names and not _same(data, wanted[column])]
    if changed:
        raise NotDeclarable("changed_values", columns=", ".join(changed))


def _same(data: pd.DataFrame | Summary, wanted: pd.Series) -> bool:
    if isinstance(data, pd.DataFrame):
        return _digest(data[wanted.name]) == _digest(wanted)
    return _summary_fits(data.columns[str(wanted.name)], _plain(wanted))


def _plain(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(column.cat.categories.dtype)
    return column


def _summary_fits(given: Mapping[str, Any], wanted: pd.Series) -> bool:
    known = wanted.dropna()
    if given["missing"] != len(wanted) - len(known):
        return False
    if "counts" in given:
        counts = known.astype(str).value_counts()
        return dict(given["counts"] or {}) == {str(text): int(count) for text, count in counts.items()}
    if pd.api.types.infer_dtype(known) in ("date", "datetime", "datetime64"):
        known = (pd.to_datetime(known) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    if not pd.api.types.is_numeric_dtype(known.dtype):
        return False
    numbers = known.to_numpy(dtype="float64")
    return bool(np.allclose([given["sum"], given["squares"]], [numbers.sum(), (numbers**2).sum()], rtol=1e-9))


def _digest(column: pd.Series) -> int:
    """A sum of hashes: equal for the same values in another order or number type."""
    column = _plain(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        column = column.astype("float64")
    else:
        column = column.astype("string").fillna("\0")
    return int(pd.util.hash_pandas_object(column, index=False).sum())
