"""What stands in the `manifest.json` of a sealed extract: every file with its hash, and what made it."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hub.documents.base import Document, Sparse
from hub.documents.dictionaries import Sha256
from hub.documents.requests import PopulationSample
from hub.domain.levels import Level

MANIFEST_NAME = "manifest.json"
CODEBOOK_NAME = "codebook.json"


class ManifestFile(Sparse):
    """One file beside the manifest; `dataset`, `rows` and `columns` where it holds data."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    sha256: Sha256
    size: int = Field(ge=0)
    dataset: str | None = None
    rows: int | None = None
    columns: tuple[str, ...] | None = None


class ManifestSource(Sparse):
    """A source that was read, in the edition that was read."""

    name: str
    file_sha256: Sha256
    dictionary_sha256: Sha256
    dictionary_version: str | None = None


class PseudonymColumns(Document):
    """The project's tag, which version of its keys, and unit type → the columns with its pseudonyms
    (see hub.domain.pseudonyms)."""

    tag: int = Field(ge=10, le=99)
    key_version: int = Field(ge=1)
    units: dict[str, tuple[str, ...]] = Field(min_length=1)


class DeliveredLevel(Sparse):
    """At which level a column was delivered, and the class scheme that made it (none for `raw`). `asked`:
    the finer level that was asked for, where a rule did not allow it."""

    level: Level
    scheme: str | None = None
    scheme_sha256: Sha256 | None = None
    asked: Level | None = None


class Manifest(Document):
    """A sealed extract. `created` is in UTC; all hashes are SHA-256.

    `levels`: dataset → column → level. `samples`: population → how many were drawn, never who.
    """

    version: Literal[2] = 2
    project: str
    request_sha256: Sha256 | None = None
    sources: tuple[ManifestSource, ...] = Field(min_length=1)
    plan_sha256: Sha256
    policy_fingerprint: str
    software: str
    created: AwareDatetime
    pseudonyms: PseudonymColumns
    files: tuple[ManifestFile, ...] = Field(min_length=1)
    levels: dict[str, dict[str, DeliveredLevel]]
    samples: dict[str, PopulationSample] = Field(default_factory=dict)

    def to_json(self) -> bytes:
        """The bytes of `manifest.json`."""
        return (json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode()

    @property
    def sha256(self) -> str:
        """The hash of `manifest.json`: it stands for the whole extract."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def data(self) -> tuple[ManifestFile, ...]:
        """The Parquet files, one per dataset."""
        return tuple(file for file in self.files if file.rows is not None and file.name.endswith(".parquet"))

    @property
    def rows(self) -> int:
        """Rows of all datasets together."""
        return sum(file.rows for file in self.data if file.rows is not None)
