"""What stands in the `manifest.json` of a sealed extract: every file with its hash, and what made it."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hub.documents.base import Document
from hub.documents.dictionaries import Sha256
from hub.documents.projects import SampleDocument
from hub.domain.levels import Level

MANIFEST_NAME = "manifest.json"
CODEBOOK_NAME = "codebook.json"


class ManifestFile(Document):
    """One file beside the manifest; `rows` and `columns` where it holds data."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    sha256: Sha256
    size: int = Field(ge=0)
    rows: int | None = None
    columns: tuple[str, ...] | None = None


class PseudonymColumns(Document):
    """The project's tag, and unit type → the column with its pseudonyms (see hub.domain.pseudonyms)."""

    tag: int = Field(ge=10, le=99)
    columns: dict[str, str] = Field(min_length=1)


class DeliveredLevel(Document):
    """At which level a column was delivered, and the class scheme that made it (none for `raw`)."""

    level: Level
    scheme: str | None = None
    scheme_sha256: Sha256 | None = None


class Manifest(Document):
    """A sealed extract. `created` is in UTC; all hashes are SHA-256.

    `levels` has every variable delivered. Extracts sealed before there were levels and samples have
    neither key, and keep the hash they were recorded with.
    """

    version: Literal[1] = 1
    project: str
    source: str
    source_sha256: Sha256
    dictionary_sha256: Sha256
    plan_sha256: Sha256
    policy_fingerprint: str
    software: str
    created: AwareDatetime
    pseudonyms: PseudonymColumns
    files: tuple[ManifestFile, ...] = Field(min_length=1)
    levels: dict[str, DeliveredLevel] | None = None
    sample: SampleDocument | None = None

    def to_json(self) -> bytes:
        """The bytes of `manifest.json`."""
        content = self.model_dump(mode="json")
        for name in ("levels", "sample"):
            if content[name] is None:
                del content[name]
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()

    @property
    def sha256(self) -> str:
        """The hash of `manifest.json`: it stands for the whole extract."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def data(self) -> tuple[ManifestFile, ...]:
        """The files with rows."""
        return tuple(file for file in self.files if file.rows is not None)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files if file.rows is not None)
