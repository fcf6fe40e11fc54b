"""Registration: a file that agrees with its dictionary becomes a source of the warehouse, or nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from hub.documents import read
from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Conflict, Refused
from hub.extraction.conformity import (
    Difference,
    Format,
    column_differences,
    converted,
    duplicate_difference,
    row_differences,
)
from hub.extraction.levels import check_schemes
from hub.extraction.sources import (
    DICTIONARY_NAME,
    RECORD_NAME,
    SourceRecord,
    StoredPart,
    software,
    verify_source,
)
from hub.extraction.staging import sha256_of, staged
from hub.extraction.tables import translated, write_parquet

DATA_NAME = "data.parquet"
_SHOWN = 10


class SourceDiffers(Refused):
    """The file is not what its dictionary says; `differences` has the first of each kind and column."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(differences)
        shown = self.differences[:_SHOWN]
        more = len(self.differences) - len(shown)
        en = "; ".join(difference.en for difference in shown) + (f"; and {more} more" if more else "")
        fr = " ; ".join(difference.fr for difference in shown) + (f" ; et {more} de plus" if more else "")
        super().__init__(
            "source_differs",
            f"The file differs from its dictionary: {en}.",
            f"Le fichier diffère de son dictionnaire : {fr}.",
            field=shown[0].column,
        )


def register(
    file: Path,
    dictionary: Dictionary | Path,
    *,
    warehouse: Path,
    now: datetime,
    schemes: ClassSchemes = NO_SCHEMES,
) -> SourceRecord:
    """Register `file` as the source that `dictionary` (or the document at that path) describes.

    1. The file's hash, columns, types, missing values, domains, record key and number of rows are
       compared with the dictionary; any difference raises SourceDiffers and nothing is registered.
    2. The same file and dictionary again return the first record; others under a name already taken
       raise Conflict.
    3. Every level that the dictionary offers has its class scheme among `schemes` (of the policies).
    """
    if isinstance(dictionary, Path):
        dictionary = read(Dictionary, dictionary)
    check_schemes(dictionary, schemes)
    size, digest = _fingerprint(file)
    if dictionary.file.sha256 not in (None, digest):
        raise SourceDiffers([_hash_difference()])
    target = warehouse / dictionary.name
    if (target / RECORD_NAME).is_file():
        return _registered_before(warehouse, dictionary, digest)
    try:
        with staged(target, mode=0o440) as staging:
            record = _write(file, dictionary, staging, size=size, digest=digest, now=now)
    except (OSError, PolarsError) as error:
        raise translated(error) from None
    return record


def _write(
    file: Path, dictionary: Dictionary, staging: Path, *, size: int, digest: str, now: datetime
) -> SourceRecord:
    """Write data, dictionary and record into `staging`."""
    rows = _convert(file, dictionary, staging)
    if _fingerprint(file) != (size, digest):
        raise Conflict(
            "file_changed",
            "The file changed while it was read.",
            "Le fichier a changé pendant la lecture.",
            field="file",
        )
    data = staging / DATA_NAME
    part = StoredPart(name=data.name, sha256=sha256_of(data), size=data.stat().st_size, rows=rows)
    record = SourceRecord(
        name=dictionary.name,
        file_sha256=digest,
        file_size=size,
        dictionary_sha256=dictionary.digest,
        parts=(part,),
        rows=rows,
        columns=tuple(dictionary.variables),
        registered_at=now,
        software=software(),
    )
    (staging / DICTIONARY_NAME).write_bytes(dictionary.to_json())
    (staging / RECORD_NAME).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return record


def _fingerprint(file: Path) -> tuple[int, str]:
    try:
        return file.stat().st_size, sha256_of(file)
    except OSError as error:
        raise Refused(
            "unreadable_file", "The file cannot be read.", "Le fichier ne peut pas être lu.", field="file"
        ) from error


def _hash_difference() -> Difference:
    return Difference(
        "wrong_hash",
        None,
        None,
        "its SHA-256 is not the one of file.sha256",
        "son SHA-256 n’est pas celui de file.sha256",
    )


def _registered_before(warehouse: Path, dictionary: Dictionary, digest: str) -> SourceRecord:
    record = verify_source(warehouse, dictionary.name)
    if (record.file_sha256, record.dictionary_sha256) != (digest, dictionary.digest):
        raise Conflict(
            "source_exists",
            f"A source {dictionary.name} is registered with another file or dictionary.",
            f"Une source {dictionary.name} est enregistrée avec un autre fichier ou dictionnaire.",
            field="name",
        )
    return record


def _convert(file: Path, dictionary: Dictionary, staging: Path) -> int:
    """Check `file` and write it into `staging` as Parquet; its number of rows."""
    form = dictionary.file.format
    table, raw = _scan(file, form, staging)
    schema = table.collect_schema()
    if differences := column_differences(schema, dictionary, form):
        raise SourceDiffers(differences)
    rows, differences = row_differences(table, dictionary)
    expected = dictionary.file.rows
    if expected is not None and rows != expected:
        differences.insert(
            0,
            Difference(
                "wrong_row_count",
                None,
                None,
                f"it has {rows} rows instead of {expected}",
                f"il a {rows} lignes au lieu de {expected}",
            ),
        )
    if rows == 0:
        differences.append(Difference("no_rows", None, None, "it has no rows", "il n’a aucune ligne"))
    if differences:
        raise SourceDiffers(differences)
    data = staging / DATA_NAME
    columns = [converted(name, variable, schema[name]) for name, variable in dictionary.variables.items()]
    write_parquet(table.select(columns), data)
    if raw is not None:
        raw.unlink()
    if duplicate := duplicate_difference(pl.scan_parquet(data, glob=False), dictionary.record.key):
        raise SourceDiffers([duplicate])
    return rows


def _scan(file: Path, form: Format, staging: Path) -> tuple[pl.LazyFrame, Path | None]:
    """The file as a lazy table, and the intermediate file to remove afterwards, if any."""
    if form == "csv":
        # Everything as text first: only so can a wrong value be told from a missing one, by position.
        return pl.scan_csv(
            file, infer_schema=False, glob=False, extra_columns="raise", missing_columns="raise"
        ), None
    if form == "parquet":
        return pl.scan_parquet(file, glob=False), None
    from hub.extraction.stata import to_parquet

    raw = staging / "stata.parquet"
    to_parquet(file, raw)
    return pl.scan_parquet(raw, glob=False), raw
