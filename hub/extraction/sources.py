"""Registered sources: their record, their dictionary and their rows, as they lie in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import polars as pl
from pydantic import AwareDatetime, Field, ValidationError

import hub
from hub.documents import Document
from hub.documents.dictionaries import Dictionary, Sha256
from hub.domain.errors import IntegrityError, NotFound
from hub.extraction.staging import sha256_of

DICTIONARY_NAME = "dictionary.json"
RECORD_NAME = "source.json"


class StoredPart(Document):
    """One Parquet file of the source in the warehouse."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+\.parquet$")]
    sha256: Sha256
    size: int = Field(ge=1)
    rows: int = Field(ge=0)


class SourceRecord(Document):
    """What was registered: the hashes of the producer's file (of a folder: over the names and hashes of its
    files), of its dictionary and of every stored part."""

    version: Literal[2] = 2
    name: str
    file_sha256: Sha256
    file_size: int
    dictionary_sha256: Sha256
    parts: tuple[StoredPart, ...] = Field(min_length=1)
    rows: int = Field(ge=1)
    columns: tuple[str, ...]
    registered_at: AwareDatetime
    software: str


@dataclass(frozen=True)
class OpenSource:
    """A registered source, ready to be read."""

    record: SourceRecord
    dictionary: Dictionary
    directory: Path

    @property
    def name(self) -> str:
        return self.record.name

    def table(self) -> pl.LazyFrame:
        """All rows, unread."""
        return self.scan(self.record.parts)

    def scan(self, parts: Sequence[StoredPart]) -> pl.LazyFrame:
        """The rows of these parts, unread."""
        return pl.scan_parquet([self.directory / part.name for part in parts], glob=False)

    def verify(self, parts: Sequence[StoredPart] | None = None) -> None:
        """Return only if the stored bytes (of these parts only, where given) are the registered ones."""
        for part in self.record.parts if parts is None else parts:
            try:
                found = sha256_of(self.directory / part.name)
            except OSError:
                raise _damaged(self.name) from None
            if found != part.sha256:
                raise _damaged(self.name)


Sources = Mapping[str, OpenSource]


def open_source(warehouse: Path, name: str) -> OpenSource:
    """The source `name`, whose record and dictionary belong together; its rows are not verified yet."""
    record, dictionary = load_source(warehouse, name), load_dictionary(warehouse, name)
    if (record.name, record.dictionary_sha256) != (name, dictionary.digest):
        raise _damaged(name)
    return OpenSource(record, dictionary, _directory(warehouse, name))


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
