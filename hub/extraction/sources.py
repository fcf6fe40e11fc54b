"""Registered sources: their record, their dictionary and their rows, as they lie in the warehouse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import polars as pl
from pydantic import AwareDatetime, Field, ValidationError

import hub
from hub.documents import Document
from hub.documents.base import Sparse
from hub.documents.dictionaries import Dictionary, Sha256
from hub.domain.errors import Conflict, IntegrityError, NotFound
from hub.extraction.staging import sha256_of

DICTIONARY_NAME = "dictionary.json"
RECORD_NAME = "source.json"


class StoredPart(Sparse):
    """One Parquet file of the source in the warehouse; `bucket` where it has all rows of some units and no
    others (hub.extraction.buckets)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+\.parquet$")]
    sha256: Sha256
    size: int = Field(ge=1)
    rows: int = Field(ge=0)
    bucket: int | None = None


class Edition(Document):
    """What a source was before it was replaced: what the manifests of extracts made from it then say."""

    file_sha256: Sha256
    dictionary_sha256: Sha256
    rows: int
    registered_at: AwareDatetime


class SourceRecord(Sparse):
    """What was registered: the hashes of the producer's file (of a folder: over the names and hashes of its
    files), of its dictionary and of every stored part. `index` lists the units of a source in buckets;
    `earlier` its editions that were replaced, the oldest first."""

    version: Literal[2] = 2
    name: str
    file_sha256: Sha256
    file_size: int
    dictionary_sha256: Sha256
    parts: tuple[StoredPart, ...] = Field(min_length=1)
    index: StoredPart | None = None
    rows: int = Field(ge=1)
    columns: tuple[str, ...]
    registered_at: AwareDatetime
    software: str
    earlier: tuple[Edition, ...] | None = Field(default=None, min_length=1)


@dataclass(frozen=True)
class OpenSource:
    """A registered source, ready to be read. Every part is verified before it is read for the first time."""

    record: SourceRecord
    dictionary: Dictionary
    directory: Path
    _verified: set[str] = field(default_factory=set, compare=False)

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def bucketed(self) -> bool:
        """Whether the rows of each recorded unit lie in one part, which the index knows."""
        return self.record.index is not None

    def table(self, buckets: Collection[int] | None = None) -> pl.LazyFrame:
        """All rows, or those of these buckets, unread; IntegrityError unless they are as registered."""
        parts = self.parts(buckets)
        self.verify(parts)
        return pl.scan_parquet([self.directory / part.name for part in parts], glob=False)

    def parts(self, buckets: Collection[int] | None = None) -> list[StoredPart]:
        """All stored parts, or those of these buckets (at least one, so that there is a table)."""
        if buckets is None:
            return list(self.record.parts)
        return [part for part in self.record.parts if part.bucket in buckets] or [self.record.parts[0]]

    def index(self) -> pl.LazyFrame:
        """The units of a source in buckets, unread."""
        if self.record.index is None:
            raise ValueError("this source has no index")
        self.verify([self.record.index])
        return pl.scan_parquet(self.directory / self.record.index.name, glob=False)

    def verify(self, parts: Sequence[StoredPart] | None = None) -> None:
        """Return only if the stored bytes (of these parts only, where given) are the registered ones."""
        indexes = [] if self.record.index is None else [self.record.index]
        wanted = [*self.record.parts, *indexes] if parts is None else parts
        unseen = [part for part in wanted if part.name not in self._verified]
        with ThreadPoolExecutor(max_workers=min(4, max(1, len(unseen)))) as threads:
            intact = list(threads.map(self._intact, unseen))
        if not all(intact):
            self.require_unchanged()
            raise _damaged(self.name)
        self._verified.update(part.name for part in unseen)

    def require_unchanged(self) -> None:
        """Return only if the source has not been replaced since it was opened; Conflict otherwise."""
        if load_source(self.directory.parent, self.name) != self.record:
            raise Conflict(
                "source_changed",
                f"The source {self.name} was replaced while it was read.",
                f"La source {self.name} a été remplacée pendant sa lecture.",
                field="sources",
            )

    def _intact(self, part: StoredPart) -> bool:
        try:
            return sha256_of(self.directory / part.name) == part.sha256
        except OSError:
            return False


Sources = Mapping[str, OpenSource]


def open_source(warehouse: Path, name: str) -> OpenSource:
    """The source `name`, whose record and dictionary belong together; its rows are not verified yet."""
    for _ in range(2):  # between the two it may have been replaced
        record, dictionary = load_source(warehouse, name), load_dictionary(warehouse, name)
        if (record.name, record.dictionary_sha256) == (name, dictionary.digest):
            return OpenSource(record, dictionary, _directory(warehouse, name))
    raise _damaged(name)


def require_unchanged(sources: Sources) -> None:
    """Return only if none of the open sources has been replaced since: what was read of them then is all of
    one edition. Conflict `source_changed` otherwise."""
    for source in sources.values():
        source.require_unchanged()


def load_dictionary(warehouse: Path, name: str) -> Dictionary:
    """The dictionary with which the source `name` was registered."""
    return _stored(Dictionary, _directory(warehouse, name) / DICTIONARY_NAME, name)


def load_source(warehouse: Path, name: str) -> SourceRecord:
    """The record of the source `name`; NotFound where none is registered."""
    return _stored(SourceRecord, _directory(warehouse, name) / RECORD_NAME, name)


def verify_source(warehouse: Path, name: str) -> SourceRecord:
    """The record of a source whose files are still the registered bytes; IntegrityError otherwise."""
    source = open_source(warehouse, name)
    source.verify()
    return source.record


M = TypeVar("M", bound=Document)


def _stored(model: type[M], path: Path, name: str) -> M:
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise _damaged(name) from None


def _damaged(name: str) -> IntegrityError:
    return IntegrityError(
        "source_damaged",
        f"The stored source {name} is not what was registered.",
        f"La source {name} n’est plus ce qui a été enregistré.",
        field="source",
    )


def _directory(warehouse: Path, name: str) -> Path:
    directory = warehouse / name
    # A name from a request must not lead anywhere else.
    if directory.parent != warehouse or name.startswith(".") or not (directory / RECORD_NAME).is_file():
        raise NotFound(
            "unknown_source",
            f"No source {name[:30]} is registered.",
            f"Aucune source {name[:30]} n’est enregistrée.",
            field="source",
        )
    return directory


def software() -> str:
    """What writes the bytes: other versions may write others."""
    return f"vitrine {hub.__version__}, polars {pl.__version__}"
