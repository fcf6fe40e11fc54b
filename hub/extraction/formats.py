"""The tables of an extract in other formats beside Parquet: CSV, and Stata with its labels.

Stata's numbers are doubles, exact to 2^53: pseudonyms fit, which is why they have 15 digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pandas as pd
import polars as pl

from hub.domain.errors import Refused

# What a Stata file may hold (version 118 and later: `limits` in its manual).
_LABEL, _VALUE_LABEL = 80, 32_000
_WIDEST_TEXT = 2045
STATA_ROWS = 20_000_000


def write_csv(data: Path, path: Path) -> None:
    """The Parquet file `data` as UTF-8 CSV with a header: missing values are empty, dates ISO 8601."""
    pl.scan_parquet(data, glob=False).sink_csv(path, engine="streaming")


def write_stata(data: Path, path: Path, described: dict[str, Any], *, language: str = "fr") -> None:
    """The Parquet file `data` as Stata (version 118), with the labels of its table in the codebook.

    The table is held in memory: one of more than STATA_ROWS rows is refused.
    """
    rows = int(pl.scan_parquet(data, glob=False).select(pl.len()).collect().item())
    if rows > STATA_ROWS:
        raise Refused(
            "too_large_for_stata",
            f"{described['name']} has too many rows for Stata; ask for Parquet or CSV.",
            f"{described['name']} a trop de lignes pour Stata ; demandez Parquet ou CSV.",
            field="formats",
        )
    frame = _frame(pl.read_parquet(data), described["name"])
    columns = described["columns"]
    values = {
        column["name"]: {code["value"]: code["label"][language][:_VALUE_LABEL] for code in column["codes"]}
        for column in columns
        if column["type"] == "integer" and "codes" in column
    }
    dates: dict[Any, Literal["td"]] = {column["name"]: "td" for column in columns if column["type"] == "date"}
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        convert_dates=dates,  # type: ignore[arg-type]  # its key type cannot be named
        variable_labels={column["name"]: column["label"][language][:_LABEL] for column in columns},
        value_labels={name: labels for name, labels in values.items() if labels},
        data_label=described["title"][language][:_LABEL],
    )


def _frame(table: pl.DataFrame, name: str) -> pd.DataFrame:
    """As pandas writes it to Stata: whole numbers with missing values as doubles, booleans as 0 and 1."""
    return pd.DataFrame({one.name: _column(one, name) for one in table.get_columns()})


def _column(series: pl.Series, name: str) -> pd.Series[Any]:
    if series.dtype == pl.Boolean:
        return _column(series.cast(pl.Int8), name)
    if series.dtype.is_integer() and (series.null_count() > 0 or series.dtype == pl.Int64):
        return pd.Series(_doubles(series, name).to_numpy())
    if series.dtype == pl.String:
        widest = series.str.len_bytes().max()
        if isinstance(widest, int) and widest > _WIDEST_TEXT:
            raise _unwritable(series.name, name)
        return pd.Series(series.fill_null("").to_list(), dtype=object)
    if series.dtype == pl.Date:
        return pd.Series(series.cast(pl.Datetime("ns")).to_numpy())
    return pd.Series(series.to_numpy())


def _doubles(series: pl.Series, name: str) -> pl.Series:
    largest = series.abs().max()
    if isinstance(largest, int) and largest > 2**53:
        raise _unwritable(series.name, name)
    if series.null_count() == 0 and (largest is None or (isinstance(largest, int) and largest < 2**31 - 100)):
        return series.cast(pl.Int32)
    return series.cast(pl.Float64)


def _unwritable(column: str, name: str) -> Refused:
    return Refused(
        "unwritable_in_stata",
        f"{column} of {name} has values that a Stata file cannot hold; ask for Parquet or CSV.",
        f"{column} de {name} a des valeurs qu’un fichier Stata ne peut pas contenir ; "
        "demandez Parquet ou CSV.",
        field="formats",
    )
