"""What a producer delivers: one file, or a folder of Parquet files that are one table."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Refused
from hub.extraction.conformity import Difference, Format, column_differences, row_differences
from hub.extraction.staging import sha256_of

_PART_CELLS = 10_000_000  # values looked at at a time


@dataclass(frozen=True)
class GivenFile:
    """The delivered files, in the order of their names; `sha256` is that of the file, of a folder that over
    the names and hashes of its files."""

    path: Path
    form: Format
    files: tuple[Path, ...]
    size: int
    sha256: str

    @property
    def is_folder(self) -> bool:
        return self.files != (self.path,)

    def unchanged(self) -> bool:
        """Whether the bytes are still those that were hashed first."""
        return open_file(self.path, self.form) == self

    @contextmanager
    def table(self, staging: Path) -> Iterator[pl.LazyFrame]:
        """All rows as they were delivered, unread. `staging` takes an intermediate file, if one is needed."""
        if self.form == "csv":
            # Everything as text first: only so can a wrong value be told from a missing one, by position.
            yield pl.scan_csv(
                self.path, infer_schema=False, glob=False, extra_columns="raise", missing_columns="raise"
            )
        elif self.form == "parquet":
            yield pl.scan_parquet(list(self.files), glob=False)
        else:
            from hub.extraction.stata import to_parquet

            raw = staging / "stata.parquet"
            to_parquet(self.path, raw)
            yield pl.scan_parquet(raw, glob=False)
            raw.unlink()

    def slices(self, whole: pl.LazyFrame, rows: int) -> Iterator[pl.LazyFrame]:
        """The rows in their order, unread: of Parquet no more than so many together, whole row groups where
        they are not larger, so that few are decoded at once; of other forms all."""
        if self.form != "parquet":
            yield whole
            return
        for file in self.files:
            table = pl.scan_parquet(file, glob=False)
            for offset, length in _row_groups(file, rows):
                yield table.slice(offset, length)

    def pieces(self, whole: pl.LazyFrame, rows: int, columns: Sequence[pl.Expr]) -> Iterator[pl.DataFrame]:
        """These columns of the rows in their order, about so many rows at a time (`slices`)."""
        if self.form != "parquet":
            wanted = whole.select(columns)
            yield from wanted.collect_batches(chunk_size=rows, maintain_order=True, engine="streaming")
            return
        for part in self.slices(whole, rows):
            yield part.select(columns).collect()

    def placed(self, difference: Difference) -> Difference:
        """The difference with the file and the row in it, where the source is a folder."""
        if not self.is_folder or difference.row is None:
            return difference
        row = difference.row
        for file in self.files:
            rows = pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()
            if row <= rows:
                return _in_file(dataclasses.replace(difference, row=row), difference.row, file)
            row -= rows
        return difference


def _row_groups(file: Path, rows: int) -> Iterator[tuple[int, int]]:
    """Offset and length of neighbouring row groups that have no more than so many rows together; of a row
    group that has more by itself, of equal parts."""
    metadata = pq.read_metadata(file)
    offset = length = 0
    for size in (metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)):
        if length and length + size > rows:
            yield offset, length
            offset, length = offset + length, 0
        length += size
        if length > rows:
            parts = -(-length // rows)
            edges = [offset + length * part // parts for part in range(parts + 1)]
            yield from ((first, last - first) for first, last in pairwise(edges))
            offset, length = edges[-1], 0
    if length:
        yield offset, length


def _in_file(difference: Difference, whole: int, file: Path) -> Difference:
    """The sentences with the row in its file instead of the row in the whole table."""
    row, name = difference.row, file.name
    return dataclasses.replace(
        difference,
        file=name,
        en=difference.en.replace(f"row {whole}", f"{name} row {row}", 1),
        fr=difference.fr.replace(f"ligne {whole}", f"{name} ligne {row}", 1),
    )


def open_file(path: Path, form: Format) -> GivenFile:
    """The delivered file or folder, hashed; Refused where it cannot be read or is no folder of Parquet."""
    try:
        if not path.is_dir():
            return GivenFile(path, form, (path,), path.stat().st_size, sha256_of(path))
        files = tuple(sorted(path.glob("*.parquet")))
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.name}\0{sha256_of(file)}\n".encode())
        size = sum(file.stat().st_size for file in files)
    except OSError as error:
        raise Refused(
            "unreadable_file", "The file cannot be read.", "Le fichier ne peut pas être lu.", field="file"
        ) from error
    if not files or form != "parquet":
        raise Refused(
            "no_parquet_folder",
            "A folder must hold Parquet files, and the dictionary must say file.format: parquet.",
            "Un dossier doit contenir des fichiers Parquet, et le dictionnaire dire file.format: parquet.",
            field="file",
        )
    return GivenFile(path, form, files, size, digest.hexdigest())


def differences_of(
    given: GivenFile, table: pl.LazyFrame, dictionary: Dictionary
) -> tuple[int, list[Difference]]:
    """The number of rows, and all differences of columns, or else of rows, from the dictionary."""
    if differences := schema_differences(given, table, dictionary):
        return 0, differences
    parts = given.slices(table, max(1, _PART_CELLS // len(dictionary.variables)))
    rows, differences = row_differences(table, dictionary, parts=parts)
    differences = [given.placed(difference) for difference in differences]
    return rows, [*count_differences(rows, dictionary), *differences]


def count_differences(rows: int, dictionary: Dictionary) -> list[Difference]:
    """Whether there are any rows, and as many as the dictionary says."""
    differences = []
    expected = dictionary.file.rows
    if expected is not None and rows != expected:
        en = f"it has {rows} rows instead of {expected}"
        differences.append(
            Difference("wrong_row_count", None, None, en, f"il a {rows} lignes au lieu de {expected}")
        )
    if rows == 0:
        differences.append(Difference("no_rows", None, None, "it has no rows", "il n’a aucune ligne"))
    return differences


def hash_differences(given: GivenFile, dictionary: Dictionary) -> list[Difference]:
    """Whether the file is the one whose hash the dictionary states."""
    if dictionary.file.sha256 in (None, given.sha256):
        return []
    return [
        Difference(
            "wrong_hash",
            None,
            None,
            "its SHA-256 is not the one of file.sha256",
            "son SHA-256 n’est pas celui de file.sha256",
        )
    ]


def schema_differences(given: GivenFile, table: pl.LazyFrame, dictionary: Dictionary) -> list[Difference]:
    """Columns that are missing, unexpected or of another type, with the file where the source is a folder."""
    if not given.is_folder:
        return column_differences(table.collect_schema(), dictionary, given.form)
    first = pl.scan_parquet(given.files[0], glob=False).collect_schema()
    for file in given.files:
        schema = pl.scan_parquet(file, glob=False).collect_schema()
        differences = column_differences(schema, dictionary, given.form)
        if not differences and dict(schema) != dict(first):
            differences = [
                Difference(
                    "other_types",
                    None,
                    None,
                    f"its columns have other types than those of {given.files[0].name}",
                    f"ses colonnes n’ont pas les mêmes types que celles de {given.files[0].name}",
                )
            ]
        if differences:
            return [
                dataclasses.replace(
                    one, file=file.name, en=f"{file.name}: {one.en}", fr=f"{file.name} : {one.fr}"
                )
                for one in differences
            ]
    return []
