"""The request for data: who asks for what, why, about whom, how finely and until when.

The same document is the form of the portal and the file of `vitrine extract plan FILE.yaml`. What is
approved is one version of it, by its hash.

    populations   whom the data are about: units of one source, chosen by a filter, drawn as a sample
    datasets      what is delivered: one table each, of one source, for members of the populations

A population filter is a small typed expression (hub.documents.filters), never Python or SQL.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hub.documents.base import Document, Sparse, bad_value
from hub.documents.dictionaries import Month, SourceName, UnitName
from hub.documents.filters import Filter
from hub.documents.policies import Tier
from hub.documents.projects import Column, ColumnRequest, KindName, Slug, Username, VariableName

PartName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=5000)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Format = Literal["parquet", "csv", "stata"]


class Institution(Document):
    """A university or institute that answers for its people. `country` is ISO 3166-1 alpha-2."""

    name: Line
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Applicant(Document):
    """One researcher, by the name they sign in with, and what they know of such data."""

    username: Username
    institution: Line
    expertise: Sentence


class Period(Document):
    """The first and last month of the data, both included."""

    first: Month
    last: Month

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.last < self.first:
            raise bad_value("the last month is before the first", "le dernier mois précède le premier")
        return self


class PopulationSample(Sparse):
    """Some units of the population, in a keyed order: a `share` of them (rounded down) or `count`; `per`:
    as much of each value of this variable."""

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    count: int | None = Field(default=None, ge=1)
    per: VariableName | None = None

    @model_validator(mode="after")
    def _one_size(self) -> PopulationSample:
        if (self.share is None) == (self.count is None):
            raise bad_value("either share or count", "soit share, soit count")
        return self


class Population(Sparse):
    """Units of the type `unit` that have a row in `source` which `filter` leaves, less those of the
    populations `without` (of all their units, drawn or not), then sampled. With neither filter nor sample:
    all units of the source."""

    name: PartName
    source: SourceName
    unit: UnitName
    filter: Filter | None = None
    without: tuple[PartName, ...] | None = None
    sample: PopulationSample | None = None


class Through(Document):
    """Columns of `source`, joined by the unit `unit` (a sector, an employer), which is not delivered."""

    source: SourceName
    unit: UnitName
    columns: tuple[Column, ...] = Field(min_length=1)


class Dataset(Sparse):
    """One delivered table: rows of `source`, of the people `of` these populations.

    `members`: `chosen`, rows of the chosen units; `household`, rows of everybody in their households;
    `others`, of everybody there but the chosen. Who lives together is read from the source `households`
    (by default `source` itself), month by month where that is a series of months. `by`: the unit type of
    `source` by which rows are found (by default that of the populations); where it is another unit than
    theirs, `households` (by default the populations' source) says which belong to them. `units`: the
    pseudonyms delivered; `mark`: a column with the position in `of`, from 1, of the population for which
    the row is there: its unit's own or, in a household, that of the chosen unit; of several, the first.
    """

    name: PartName
    source: SourceName
    of: tuple[PartName, ...] = Field(min_length=1)
    members: Literal["chosen", "household", "others"] = "chosen"
    households: SourceName | None = None
    by: UnitName | None = None
    units: tuple[UnitName, ...] = Field(min_length=1)
    mark: VariableName | None = None
    filter: Filter | None = None
    columns: tuple[Column, ...] = Field(min_length=1)
    through: tuple[Through, ...] | None = None

    @property
    def requests(self) -> tuple[ColumnRequest, ...]:
        """The columns, all in the long form."""
        return long_form(self.columns)

    @model_validator(mode="after")
    def _each_once(self) -> Dataset:
        names = [one.variable for one in self.requests]
        names += [one.variable for part in self.through or () for one in long_form(part.columns)]
        names += [self.mark] if self.mark is not None else []
        if len(set(names)) != len(names):
            raise bad_value("a column is listed twice", "une colonne figure deux fois")
        if len(set(self.units)) != len(self.units):
            raise bad_value("a unit is listed twice", "une unité figure deux fois")
        return self


def long_form(columns: tuple[str | ColumnRequest, ...]) -> tuple[ColumnRequest, ...]:
    """Names as requests at the default level."""
    return tuple(ColumnRequest(variable=column) if isinstance(column, str) else column for column in columns)


class ExtractSpecification(Sparse):
    """The part of a request that decides what is extracted."""

    period: Period | None = None
    populations: tuple[Population, ...] = Field(min_length=1, max_length=20)
    datasets: tuple[Dataset, ...] = Field(min_length=1, max_length=50)
    formats: tuple[Format, ...] = Field(default=("parquet",), min_length=1)

    @field_validator("formats")
    @classmethod
    def _parquet_always(cls, formats: tuple[Format, ...]) -> tuple[Format, ...]:
        if "parquet" not in formats or len(set(formats)) != len(formats):
            raise bad_value(
                "parquet is always delivered, each format once",
                "parquet est toujours livré, chaque format une fois",
            )
        return formats

    @model_validator(mode="after")
    def _names_fit(self) -> ExtractSpecification:
        known: set[str] = set()
        for population in self.populations:
            if population.name in known:
                raise bad_value(
                    f"the population “{population.name}” is named twice",
                    f"la population « {population.name} » est nommée deux fois",
                )
            for other in population.without or ():
                if other not in known:
                    raise bad_value(
                        f"“{other}” in without is no population before “{population.name}”",
                        f"« {other} » dans without n’est pas une population avant « {population.name} »",
                    )
            known.add(population.name)
        names = [dataset.name for dataset in self.datasets]
        if len(set(names)) != len(names):
            raise bad_value("two datasets have the same name", "deux tables portent le même nom")
        for dataset in self.datasets:
            missing = [name for name in dataset.of if name not in known]
            if missing:
                raise bad_value(
                    f"“{missing[0]}” in “{dataset.name}” is no population",
                    f"« {missing[0]} » dans « {dataset.name} » n’est pas une population",
                )
        return self

    def dataset(self, name: str) -> Dataset:
        """The dataset of this name, which there is."""
        (found,) = (dataset for dataset in self.datasets if dataset.name == name)
        return found

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source that is read, each once, in alphabetical order."""
        named = {population.source for population in self.populations}
        for dataset in self.datasets:
            named |= {dataset.source, *(part.source for part in dataset.through or ())}
            named |= {dataset.households} if dataset.households is not None else set()
        return tuple(sorted(named))


class RequestDocument(ExtractSpecification):
    """One request. `kind` is one of `policies/conditions.yaml`: it says which documents must be recorded
    before anything is extracted. `retain_until`: how long the trustee may keep the extract."""

    version: Literal[1] = 1
    slug: Slug
    title: Line
    purpose: Sentence
    use: Literal["statistical"]
    kind: KindName
    legal_bases: tuple[Line, ...] = Field(min_length=1, max_length=20)
    institutions: tuple[Institution, ...] = Field(min_length=1, max_length=20)
    people: tuple[Applicant, ...] = Field(min_length=1, max_length=50)
    tier: Tier
    starts_at: date
    ends_at: date
    destroy_by: date
    retain_until: date | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> RequestDocument:
        if not self.starts_at < self.ends_at <= self.destroy_by:
            raise bad_value(
                "starts_at, ends_at and destroy_by must follow each other",
                "starts_at, ends_at et destroy_by doivent se suivre",
            )
        if self.retain_until is not None and self.retain_until < self.destroy_by:
            raise bad_value("retain_until is before destroy_by", "retain_until précède destroy_by")
        return self

    @model_validator(mode="after")
    def _people_of_institutions(self) -> RequestDocument:
        institutions = {institution.name for institution in self.institutions}
        usernames = [person.username for person in self.people]
        if len(set(usernames)) != len(usernames):
            raise bad_value("a person is listed twice", "une personne figure deux fois")
        for person in self.people:
            if person.institution not in institutions:
                raise bad_value(
                    f"the institution of “{person.username}” is not among institutions",
                    f"l’institution de « {person.username} » ne figure pas dans institutions",
                )
        return self

    @property
    def specification(self) -> ExtractSpecification:
        """What the extraction needs of it."""
        return ExtractSpecification(
            period=self.period,
            populations=self.populations,
            datasets=self.datasets,
            formats=self.formats,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the content: comments and the order of keys do not count."""
        content = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
