"""Registration: a file that agrees with its dictionary becomes a source of the warehouse, or nothing does."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from polars.exceptions import PolarsError

from hub.documents import read
from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Conflict, Refused
from hub.extraction.buckets import KEY_ROWS, Pieces, bucket_key, write_buckets
from hub.extraction.conformity import Difference, converted, duplicate_difference, repeated_key
from hub.extraction.files import GivenFile, differences_of, hash_differences, open_file
from hub.extraction.levels import check_schemes
from hub.extraction.placements import first_repeated
from hub.extraction.replacements import editions_before
from hub.extraction.sources import (
    DICTIONARY_NAME,
    RECORD_NAME,
    Edition,
    SourceRecord,
    StoredPart,
    load_source,
    software,
    verify_source,
)
from hub.extraction.staging import clear, sha256_of, staged
from hub.extraction.tables import translated, write_parquet

DATA_NAME = "data.parquet"
BUCKETED_FROM = 2_000_000  # rows
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
    bucketed_from: int = BUCKETED_FROM,
    replace: bool = False,
) -> SourceRecord:
    """Register `file` as the source that `dictionary` (or the document at that path) describes.

    `file` may be a folder of Parquet files (a series of months): they are one table, in the order of their
    names. With `bucketed_from` rows or more it is stored in buckets (hub.extraction.buckets).

    1. The file's hash, columns, types, missing values, domains, record key and number of rows are
       compared with the dictionary; any difference raises SourceDiffers and nothing is registered.
    2. The same file and dictionary again return the first record; others under a name already taken
       raise Conflict.
    3. Every level that the dictionary offers has its class scheme among `schemes` (of the policies).
    4. With `replace`, the source is registered already and becomes this one in one step
       (hub.extraction.replacements); until then, and after an error, it is what it was. It stays in buckets,
       or out of them, whatever its size: samples stay those of the edition before.
    """
    if isinstance(dictionary, Path):
        dictionary = read(Dictionary, dictionary)
    check_schemes(dictionary, schemes)
    given = open_file(file, dictionary.file.format)
    if differences := hash_differences(given, dictionary):
        raise SourceDiffers(differences)
    target = warehouse / dictionary.name
    earlier = editions_before(warehouse, dictionary, given.sha256) if replace else None
    if replace and earlier is None:
        clear(target)  # what it replaced before may still lie there
    elif replace:  # in buckets or not, as before: samples are drawn by that, and the new one has the same
        bucketed_from = 0 if load_source(warehouse, dictionary.name).index is not None else sys.maxsize
    if earlier is None and (target / RECORD_NAME).is_file():
        return _registered_before(warehouse, dictionary, given.sha256)
    try:
        with staged(target, mode=0o440, replace=earlier is not None) as staging:
            record = _write(given, dictionary, staging, warehouse, now, bucketed_from, earlier)
    except (OSError, PolarsError) as error:
        raise translated(error) from None
    return record


def _write(
    given: GivenFile,
    dictionary: Dictionary,
    staging: Path,
    warehouse: Path,
    now: datetime,
    bucketed_from: int,
    earlier: tuple[Edition, ...] | None,
) -> SourceRecord:
    """Write data, dictionary and record into `staging`."""
    with given.table(staging) as table:
        rows, differences = differences_of(given, table, dictionary)
        if differences:
            raise SourceDiffers(differences)
        schema = table.collect_schema()
        columns = {
            name: converted(name, variable, schema[name]) for name, variable in dictionary.variables.items()
        }
        if rows >= bucketed_from:

            def pieces(size: int, names: Sequence[str]) -> Iterator[pl.DataFrame]:
                return given.pieces(table, size, [columns[name] for name in names])

            made = write_buckets(pieces, dictionary, staging, rows=rows, key=bucket_key(warehouse))
            parts, index = _stored_buckets(made, pieces, given, dictionary, staging, rows)
        else:
            stored = table.select(columns.values())
            parts, index = (_write_plain(stored, given, dictionary, staging, rows),), None
    if not given.unchanged():
        raise Conflict(
            "file_changed",
            "The file changed while it was read.",
            "Le fichier a changé pendant la lecture.",
            field="file",
        )
    record = SourceRecord(
        name=dictionary.name,
        file_sha256=given.sha256,
        file_size=given.size,
        dictionary_sha256=dictionary.digest,
        parts=parts,
        index=index,
        rows=rows,
        columns=tuple(dictionary.variables),
        registered_at=now,
        software=software(),
        earlier=earlier,
    )
    (staging / DICTIONARY_NAME).write_bytes(dictionary.to_json())
    (staging / RECORD_NAME).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return record


def _write_plain(
    table: pl.LazyFrame, given: GivenFile, dictionary: Dictionary, staging: Path, rows: int
) -> StoredPart:
    data = staging / DATA_NAME
    write_parquet(table, data)
    duplicate = duplicate_difference(pl.scan_parquet(data, glob=False), dictionary.record.key)
    if duplicate is not None:
        raise SourceDiffers([given.placed(duplicate)])
    return _stored_part(data, rows)


def _stored_buckets(
    made: Iterable[tuple[Path, int, int | None]],
    pieces: Pieces,
    given: GivenFile,
    dictionary: Dictionary,
    staging: Path,
    rows: int,
) -> tuple[tuple[StoredPart, ...], StoredPart]:
    """The buckets and their index, once they are written and no record key stands twice."""
    parts = []
    repeated = not _key_has_unit(dictionary)  # rows with the same record key may lie in different buckets
    for path, height, bucket in made:
        parts.append(_stored_part(path, height, bucket))
        if bucket is not None and not repeated and _repeats(path, dictionary):
            repeated = True
            break
    if repeated:
        key = dictionary.record.key
        with TemporaryDirectory(dir=staging) as aside:
            row = first_repeated(pieces(KEY_ROWS, key), key, rows=rows, staging=Path(aside))
        if row is not None:
            raise SourceDiffers([given.placed(repeated_key(key, row))])
    *buckets, index = parts
    return tuple(buckets), index


def _key_has_unit(dictionary: Dictionary) -> bool:
    return set(dictionary.unit_types[dictionary.record.unit].key) <= set(dictionary.record.key)


def _repeats(path: Path, dictionary: Dictionary) -> bool:
    """Whether a record key stands twice in a bucket, whose rows are sorted by it."""
    keys = pl.read_parquet(path, columns=list(dictionary.record.key))
    same = pl.all_horizontal(pl.all() == pl.all().shift(1))
    return bool(keys.select(same.any()).item())


def _stored_part(path: Path, rows: int, bucket: int | None = None) -> StoredPart:
    return StoredPart(
        name=path.name, sha256=sha256_of(path), size=path.stat().st_size, rows=rows, bucket=bucket
    )


def _registered_before(warehouse: Path, dictionary: Dictionary, digest: str) -> SourceRecord:
    record = verify_source(warehouse, dictionary.name)
    if (record.file_sha256, record.dictionary_sha256) != (digest, dictionary.digest):
        raise Conflict(
            "source_exists",
            f"A source {dictionary.name} is registered with another file or dictionary. "
            "A new edition replaces it: vitrine source replace.",
            f"Une source {dictionary.name} est enregistrée avec un autre fichier ou dictionnaire. "
            "Une nouvelle édition la remplace : vitrine source replace.",
            field="name",
        )
    return record
