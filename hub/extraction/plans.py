"""A plan: everything that decides an extract's content, checked against the dictionaries and frozen."""

from __future__ import annotations

import hashlib
import json

from pydantic import Field

from hub.documents import Document
from hub.documents.dictionaries import Sha256
from hub.documents.projects import Slug
from hub.documents.requests import ExtractSpecification
from hub.domain.levels import Level
from hub.domain.pseudonyms import FIRST_TAG, LAST_TAG
from hub.extraction.levels import PlannedColumn

DeliveredLevels = dict[str, dict[str, Level]]


class PlannedSource(Document):
    """The edition of a source that the plan was made for."""

    name: str
    file_sha256: Sha256
    dictionary_sha256: Sha256
    dictionary_version: str | None = None
    rows: int = Field(ge=1)


class PlannedThrough(Document):
    """Columns of another source, joined by the dataset's unit `unit`, at levels that the area rule allows.
    `theirs` is what that unit is called there; `withheld` are columns that no level makes safe."""

    source: str
    unit: str
    theirs: str
    columns: tuple[PlannedColumn, ...]
    withheld: tuple[str, ...] = ()


class PlannedDataset(Document):
    """One table as it will be delivered. `by` is the unit of its source by which rows are found."""

    name: str
    source: str
    by: str
    units: tuple[str, ...] = Field(min_length=1)
    pseudonyms: tuple[str, ...] = Field(min_length=1)
    mark: str | None = None
    columns: tuple[PlannedColumn, ...] = Field(min_length=1)
    through: tuple[PlannedThrough, ...] = ()

    @property
    def all_columns(self) -> tuple[PlannedColumn, ...]:
        """Its own columns and those joined through other units, in the order of delivery."""
        return (*self.columns, *(column for part in self.through for column in part.columns))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns delivered: pseudonyms, mark, variables."""
        marks = () if self.mark is None else (self.mark,)
        return (*self.pseudonyms, *marks, *(column.name for column in self.all_columns))


class ExtractPlan(Document):
    """What to extract. `key_version` goes up when a project must get new pseudonyms.

    The hashes tie the plan to the registered sources and to the class schemes of its columns: after any
    change it has to be made again. `request_sha256` is the hash of the approved request, if there is one.
    `before`: dataset → column → level of the version before, of the same pseudonyms: what is joined through
    an undelivered unit comes no finer now, as both can be put together.
    """

    project: Slug
    tag: int = Field(ge=FIRST_TAG, le=LAST_TAG)
    key_version: int = Field(default=1, ge=1)
    specification: ExtractSpecification
    request_sha256: Sha256 | None = None
    sources: tuple[PlannedSource, ...] = Field(min_length=1)
    datasets: tuple[PlannedDataset, ...] = Field(min_length=1)
    policy_fingerprint: str
    before: DeliveredLevels | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's content."""
        content = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
