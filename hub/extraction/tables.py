"""Writing tables as Parquet, and what failing disks and unreadable files are called."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from hub.domain.errors import Refused

ROW_GROUP = 131_072


def write_parquet(table: pl.LazyFrame, path: Path) -> None:
    """Write rows in their order, in streams. The rows have been read before: what fails is the disk."""
    try:
        table.sink_parquet(path, compression="zstd", row_group_size=ROW_GROUP, engine="streaming")
    except PolarsError:
        raise _storage_failed("") from None


def write_frame(rows: pl.DataFrame, path: Path, *, row_group_size: int = ROW_GROUP) -> None:
    """Write rows that are in memory; what fails is the disk."""
    try:
        rows.write_parquet(path, compression="zstd", row_group_size=row_group_size)
    except PolarsError:
        raise _storage_failed("") from None


def translated(error: OSError | PolarsError) -> Refused:
    """The refusal for a failing disk or an unreadable file; raw messages may quote data."""
    if isinstance(error, OSError) and error.errno is not None:
        return _storage_failed(f" ({os.strerror(error.errno)})")
    return Refused(
        "unreadable_data",
        "The data could not be read; nothing was kept.",
        "Les données n’ont pas pu être lues ; rien n’a été gardé.",
        field="file",
    )


def _storage_failed(reason: str) -> Refused:
    return Refused(
        "storage_failed",
        f"Writing to the disk failed{reason}: is it full? Nothing was kept.",
        f"L’écriture sur le disque a échoué{reason} : est-il plein ? Rien n’a été gardé.",
    )
