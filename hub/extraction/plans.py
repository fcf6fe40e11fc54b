"""A plan: everything that decides an extract's content, checked against the dictionary and frozen."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import Field

from hub.documents import Document
from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.dictionaries import Sha256
from hub.documents.filters import Filter
from hub.documents.projects import ExtractDocument, SampleDocument, Slug
from hub.domain.errors import Refused
from hub.domain.pseudonyms import FIRST_TAG, LAST_TAG, project_tag
from hub.extraction.filtering import check_filter
from hub.extraction.levels import PlannedColumn, plan_column
from hub.extraction.samples import check_sample
from hub.extraction.sources import load_dictionary, load_source


class ExtractPlan(Document):
    """What to extract. `key_version` goes up when a project must get new pseudonyms.

    The hashes tie the plan to the registered source and to the class schemes of its columns: after any
    change it has to be made again.
    """

    project: Slug
    tag: int = Field(ge=FIRST_TAG, le=LAST_TAG)
    key_version: int = Field(default=1, ge=1)
    source: str
    source_sha256: Sha256
    dictionary_sha256: Sha256
    units: tuple[str, ...] = Field(min_length=1)
    columns: tuple[PlannedColumn, ...] = Field(min_length=1)
    filter: Filter | None = None
    sample: SampleDocument | None = None
    policy_fingerprint: str

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's content."""
        content = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def plan_extract(
    request: ExtractDocument,
    *,
    project: str,
    policy_fingerprint: str,
    warehouse: Path,
    schemes: ClassSchemes = NO_SCHEMES,
    tag: int | None = None,
    key_version: int = 1,
) -> ExtractPlan:
    """The plan for `request`; Refused with the field (`extract.columns[3]`) that the source cannot give.

    `schemes` are the class schemes of the policies (hub.documents.classes). `tag` is by default that of
    the project's slug (hub.domain.pseudonyms.project_tag).
    """
    record = load_source(warehouse, request.source)
    dictionary = load_dictionary(warehouse, request.source)
    columns = tuple(
        plan_column(column, dictionary, schemes, field=f"extract.columns[{position}]")
        for position, column in enumerate(request.requests)
    )
    if request.filter is not None:
        check_filter(request.filter, dictionary, path="extract.filter")
    if request.sample is not None:
        check_sample(request.sample, dictionary)
    units = [dictionary.record.unit]
    if request.household:
        if "household" not in dictionary.unit_types:
            raise Refused(
                "no_households",
                "The source has no unit type household.",
                "La source n’a pas d’unité household.",
                field="extract.household",
            )
        units += [unit for unit in ("household",) if unit not in units]
    return ExtractPlan(
        project=project,
        tag=project_tag(project) if tag is None else tag,
        key_version=key_version,
        source=request.source,
        source_sha256=record.file_sha256,
        dictionary_sha256=record.dictionary_sha256,
        units=tuple(units),
        columns=columns,
        filter=request.filter,
        sample=request.sample,
        policy_fingerprint=policy_fingerprint,
    )
