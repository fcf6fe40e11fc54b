"""The project document: who, why, until when, on which extract (`vitrine project create FILE.yaml`)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from hub.documents.base import Document, bad_value
from hub.documents.filters import Filter
from hub.documents.policies import Tier
from hub.domain.levels import Level

if TYPE_CHECKING:
    from hub.documents.requests import ExtractSpecification

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
Username = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,31}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")


def _moment(value: Any) -> date | datetime:
    """A date, or a time with its zone; a time without one would mean another moment elsewhere."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _no_moment()
        return value
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass  # such as 31 February: the same refusal as below
    raise _no_moment()


def _no_moment() -> Exception:
    return bad_value(
        "must be a date such as 2026-01-31 or a time with its zone such as 2026-01-31T17:00:00+01:00",
        "doit être une date telle que 2026-01-31 ou une heure avec son fuseau "
        "telle que 2026-01-31T17:00:00+01:00",
    )


Moment = Annotated[datetime | date, BeforeValidator(_moment)]


class ColumnRequest(Document):
    """A variable at a level of its dictionary (hub.domain.levels); a finer one than the default with
    the reason for it."""

    variable: VariableName
    level: Level | None = None
    justification: str = Field(default="", max_length=2000)


def _form(value: Any) -> str:
    return "request" if isinstance(value, dict | ColumnRequest) else "name"


Column = Annotated[
    Annotated[VariableName, Tag("name")] | Annotated[ColumnRequest, Tag("request")], Discriminator(_form)
]


class SampleDocument(Document):
    """Some of the units that the filter leaves, instead of all: a `share` of them (rounded down) or
    exactly `count`.

    `per`: as much of each value of this variable. `units: household` draws households instead of
    recorded units; then `members: all` delivers every row of a drawn household, also those that the
    filter leaves out (“all members of the household of a sampled child”).
    """

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    count: int | None = Field(default=None, ge=1)
    per: VariableName | None = None
    units: Literal["record", "household"] = "record"
    members: Literal["filtered", "all"] = "filtered"

    @model_validator(mode="after")
    def _one_size(self) -> SampleDocument:
        if (self.share is None) == (self.count is None):
            raise bad_value("either share or count", "soit share, soit count")
        if self.members == "all" and self.units != "household":
            raise bad_value(
                "members: all goes with units: household", "members: all va avec units: household"
            )
        return self


class ExtractDocument(Document):
    """What the project gets to see: columns and rows of one registered source.

    A column is a variable's name (at its default level) or a `ColumnRequest`. `household` adds the
    pseudonym of the household to that of the recorded unit.
    """

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    columns: tuple[Column, ...] = Field(min_length=1)
    filter: Filter | None = None
    household: bool = False
    sample: SampleDocument | None = None

    @field_validator("columns")
    @classmethod
    def _each_once(cls, columns: tuple[str | ColumnRequest, ...]) -> tuple[str | ColumnRequest, ...]:
        names = [column if isinstance(column, str) else column.variable for column in columns]
        if len(set(names)) != len(names):
            raise bad_value("a column is listed twice", "une colonne figure deux fois")
        return columns

    @property
    def requests(self) -> tuple[ColumnRequest, ...]:
        """The columns, all in the long form."""
        return tuple(
            ColumnRequest(variable=column) if isinstance(column, str) else column for column in self.columns
        )

    def specification(self, unit: str) -> ExtractSpecification:
        """The same in the long form of a request: one population of one dataset, both of this source,
        whose recorded unit is `unit`."""
        from hub.documents.requests import Dataset, ExtractSpecification, Population, PopulationSample

        drawn = self.sample
        by = "household" if drawn is not None and drawn.units == "household" else unit
        sample = None
        if drawn is not None:
            sample = PopulationSample(share=drawn.share, count=drawn.count, per=drawn.per)
        everyone = drawn is not None and drawn.members == "all"
        return ExtractSpecification(
            populations=(
                Population(name="units", source=self.source, unit=by, filter=self.filter, sample=sample),
            ),
            datasets=(
                Dataset(
                    name=self.source,
                    source=self.source,
                    of=("units",),
                    units=tuple(dict.fromkeys([unit, *(["household"] if self.household else [])])),
                    filter=None if everyone else self.filter,
                    columns=self.columns,
                ),
            ),
        )


KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class ProjectDocument(Document):
    """One project. A date means the whole day in UTC: `ends_at: 2026-12-31` includes the 31st. `kind` is one
    of `policies/conditions.yaml` for open data; projects of other kinds come from an approved request."""

    slug: Slug
    title: str = Field(min_length=1, max_length=200)
    kind: KindName
    purpose: str = Field(min_length=1, max_length=5000)
    tier: Tier
    starts_at: Moment
    ends_at: Moment
    people: tuple[Username, ...] = Field(min_length=1)
    extract: ExtractDocument

    @field_validator("people")
    @classmethod
    def _each_once(cls, people: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(people)) != len(people):
            raise bad_value("a person is listed twice", "une personne figure deux fois")
        return people

    @field_validator("ends_at")
    @classmethod
    def _after_start(cls, ends_at: date | datetime, info: ValidationInfo) -> date | datetime:
        starts_at = info.data.get("starts_at")
        if starts_at is not None and _end(ends_at) <= _start(starts_at):
            raise bad_value("must be after starts_at", "doit être après starts_at")
        return ends_at

    @property
    def start(self) -> datetime:
        """The first moment of the project, in UTC."""
        return _start(self.starts_at)

    @property
    def end(self) -> datetime:
        """The first moment at which the project is over, in UTC."""
        return _end(self.ends_at)


def _start(moment: date | datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time.min, UTC)


def _end(moment: date | datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time.min, UTC) + timedelta(days=1)
