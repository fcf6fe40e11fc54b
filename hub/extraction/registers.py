"""Registers of units: numbers that are the same in every extract of a source, and tell nothing.

The pseudonyms of two projects are not comparable, on purpose. The ledger of released numbers has to compare
projects on one source, so each unit also has a number there. Numbers are given in the order of a keyed hash
(HKDF of the master key with a salt of its own), 0, 1, 2…, to units as they first appear in an extract, and
kept: a later extract, or a source delivered anew, finds the same units under the same numbers.

    numbers/<space>.parquet       keyed hash → number, for all extracts; no key value, no pseudonym
    <project>/v<n>.parquet        pseudonym → number, for the portal's checks of one extract
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from hub.domain.errors import IntegrityError
from hub.extraction.keys import hkdf_sha256, unit_order
from hub.extraction.maps import PSEUDONYM

_SALT = b"vitrine ledger"
NUMBERS = "numbers"


def write_register(units: Mapping[str, pl.DataFrame], *, extract: str, master_key: bytes, into: Path) -> None:
    """Write the register of one extract (`<project>/v<n>`) below `into`; again: the same bytes.

    `units`: for each space (the register whose numbers the keys are, or a source and its own unit; as in
    the project's map of pseudonyms), the distinct units: the key's columns and PSEUDONYM. Two spaces have
    nothing in common.
    """
    tables = []
    for space, distinct in sorted(units.items()):
        keys = distinct.drop(PSEUDONYM)
        key = hkdf_sha256(master_key, salt=_SALT, info=space.encode())
        hashes = unit_order(keys, key)
        numbers = _numbered(hashes, into / NUMBERS, space)
        tables.append(
            pl.DataFrame(
                {
                    "space": pl.repeat(space, len(hashes), dtype=pl.String, eager=True),
                    "pseudonym": distinct[PSEUDONYM].cast(pl.Int64),
                    "number": numbers,
                }
            )
        )
    path = into / f"{extract}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(pl.concat(tables).sort("space", "pseudonym"), path)


def _numbered(hashes: pl.Series, folder: Path, space: str) -> pl.Series:
    """The numbers (UInt32) of these units; new ones get the next, in the order of their hashes."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{hashlib.sha256(space.encode()).hexdigest()}.parquet"
    with _alone(folder):
        known = _read(path)
        new = hashes.unique().to_frame("hash").join(known, on="hash", how="anti").sort("hash")
        if new.height:
            numbers = pl.int_range(known.height, known.height + new.height, dtype=pl.UInt32, eager=True)
            known = pl.concat([known, new.with_columns(number=numbers)])
            _write(known, path)
    found = hashes.to_frame("hash").join(known, on="hash", how="left", maintain_order="left")
    return found["number"]


def _read(path: Path) -> pl.DataFrame:
    if not path.exists():
        return pl.DataFrame(schema={"hash": pl.UInt64, "number": pl.UInt32})
    try:
        return pl.read_parquet(path).select(pl.col("hash").cast(pl.UInt64), pl.col("number").cast(pl.UInt32))
    except (OSError, PolarsError) as error:
        raise IntegrityError(
            "register_damaged",
            "The register of units cannot be read; restore it from a backup.",
            "Le registre des unités ne peut être lu ; restaurez-le depuis une sauvegarde.",
        ) from error


def _write(table: pl.DataFrame, path: Path) -> None:
    aside = path.with_name(f".{path.name}.new")
    table.write_parquet(aside, compression="zstd")
    with aside.open("rb") as stream:
        os.fsync(stream.fileno())
    aside.chmod(0o600)
    aside.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Numbers are given by one process at a time."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
