"""The variables of a table in the form, its own and those joined through a unit that is not delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.documents.dictionaries import Dictionary, Variable
from hub.domain.errors import Refused
from hub.domain.levels import default_level
from hub.extraction.linkages import identity, linked_unit
from hub.portal.searching import find

_SHOWN = 60  # variables of a dictionary that the page lists at once


@dataclass(frozen=True)
class ColumnField:
    """One variable in the form."""

    variable: str
    level: str
    justification: str
    known: Variable | None

    @property
    def levels(self) -> list[str]:
        """The offered levels, from fine to coarse."""
        return [level.value for level in self.known.offered] if self.known else []

    @property
    def default(self) -> str:
        return default_level(list(self.known.offered)).value if self.known else ""

    @property
    def finer(self) -> bool:
        levels = self.levels
        return self.level in levels and levels.index(self.level) < levels.index(self.default)


@dataclass(frozen=True)
class ColumnsField:
    """The variables asked for of one source, with the part of its dictionary that the page lists."""

    dictionary: Dictionary | None
    columns: list[ColumnField]
    searched: str
    found: Mapping[str, Variable] = field(default_factory=dict)
    more: int = 0


def columns_field(content: Mapping[str, Any], dictionary: Dictionary | None, searched: str) -> ColumnsField:
    """The `columns` of a dataset or of a join, with what may be added."""
    listed = content.get("columns")
    columns = [_column_field(column, dictionary) for column in (listed if isinstance(listed, list) else [])]
    chosen = {column.variable for column in columns}
    every = find(dictionary, searched) if dictionary is not None else {}
    offers = {n: v for n, v in every.items() if v.deliverable and n not in chosen}
    return ColumnsField(
        dictionary, columns, searched, dict(list(offers.items())[:_SHOWN]), max(len(offers) - _SHOWN, 0)
    )


def _column_field(column: Any, dictionary: Dictionary | None) -> ColumnField:
    asked = column if isinstance(column, dict) else {"variable": column}
    variable = str(asked.get("variable", ""))
    known = dictionary.variables.get(variable) if dictionary else None
    level = str(asked.get("level") or "")
    if not level and known is not None:
        level = default_level(list(known.offered)).value
    return ColumnField(variable, level, str(asked.get("justification") or ""), known)


@dataclass(frozen=True)
class ThroughField:
    """One join through a unit that is not delivered: the unit, in the dictionary of the dataset's source."""

    source: str
    unit: str
    near: Dictionary | None
    chosen: ColumnsField


def through_field(
    content: Mapping[str, Any], near: Dictionary | None, far: Dictionary | None, searched: str
) -> ThroughField:
    """A part of `through`; `near` is the dataset's dictionary, `far` that of the joined source."""
    return ThroughField(
        str(content.get("source") or ""),
        str(content.get("unit") or ""),
        near,
        columns_field(content, far, searched),
    )


@dataclass(frozen=True)
class Join:
    """A source that may be joined through a unit of the dataset's source."""

    source: Dictionary
    unit: str


def joins(
    content: Mapping[str, Any], near: Dictionary, catalogue: Mapping[str, Dictionary | None]
) -> list[Join]:
    """What may be joined to a dataset: sources that describe a unit which its own source names too (a sector,
    an employer), where that unit is not delivered and not joined by yet."""
    taken = {(part.get("source"), part.get("unit")) for part in _mappings(content.get("through"))}
    delivered = content.get("units") or []
    return [
        Join(far, unit)
        for far in catalogue.values()
        if far is not None and far.name != near.name
        for unit in near.unit_types
        if unit not in (*delivered, near.record.unit)
        and (far.name, unit) not in taken
        and _describes(far, near, unit)
    ]


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _describes(far: Dictionary, near: Dictionary, unit: str) -> bool:
    """Whether the records of `far` are of the units that `near` calls `unit`."""
    try:
        theirs = linked_unit(far, near, unit, field="unit")
    except Refused:
        return False
    return theirs == far.record.unit and identity(far, theirs) == identity(near, unit)
