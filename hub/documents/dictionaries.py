"""The data dictionary of a source, in GSIM's words: variables, value domains, unit types."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from hub.documents.base import Document, Text, bad_value
from hub.documents.classes import ClassName
from hub.documents.projects import VariableName
from hub.domain.levels import FINE_TO_COARSE, Level

SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
UnitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VariableType(StrEnum):
    INTEGER = "integer"
    FLOAT = "float"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"


class Code(Document):
    """One permitted value and its meaning."""

    value: int | str
    label: Text


class Variable(Document):
    """One column. `minimum`/`maximum` or `codes` is its value domain.

    `identifying: direct` marks what names a unit (numbers, names, addresses): used to make
    pseudonyms, never delivered and never filtered on.

    `levels`: at which levels it may be delivered (hub.domain.levels), each with the class scheme that
    makes it; `raw` and `none` have none (~). Without it the variable is delivered raw.
    """

    type: VariableType
    label: Text
    description: str = Field(default="", max_length=2000)
    unit: str | None = Field(default=None, max_length=40)
    missing_allowed: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    codes: tuple[Code, ...] | None = Field(default=None, min_length=1)
    identifying: Literal["direct", "none"] = "none"
    sensitivity: Literal["ordinary", "sensitive"] = "ordinary"
    levels: dict[Level, ClassName | None] | None = Field(default=None, min_length=1)

    @field_validator("levels")
    @classmethod
    def _schemes_where_needed(cls, levels: dict[Level, str | None] | None) -> dict[Level, str | None] | None:
        for level, scheme in (levels or {}).items():
            if (scheme is None) != (level in (Level.RAW, Level.NONE)):
                raise bad_value(
                    "band, class and group need a class scheme; raw and none have none",
                    "band, class et group demandent une nomenclature ; raw et none n’en ont pas",
                )
        return levels

    @model_validator(mode="after")
    def _domain_fits_type(self) -> Variable:
        limits = [limit for limit in (self.minimum, self.maximum) if limit is not None]
        if limits and self.type not in (VariableType.INTEGER, VariableType.FLOAT):
            raise bad_value("only numbers have a minimum or maximum", "seuls les nombres ont des bornes")
        if self.type is VariableType.INTEGER and any(isinstance(limit, float) for limit in limits):
            raise bad_value("the limits must be whole numbers", "les bornes doivent être des nombres entiers")
        if len(limits) == 2 and limits[0] > limits[1]:
            raise bad_value("the minimum is above the maximum", "le minimum dépasse le maximum")
        if self.codes is not None:
            _check_codes(self.type, self.codes, limits)
        return self

    @property
    def deliverable(self) -> bool:
        return self.identifying == "none"

    @property
    def offered(self) -> dict[Level, str | None]:
        """Level → class scheme, from the finest to the coarsest: the last is the default."""
        levels = {Level.RAW: None} if self.levels is None else self.levels
        return {level: levels[level] for level in FINE_TO_COARSE if level in levels}

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave absent levels out: dictionaries without them keep the hash they were registered with."""
        content: dict[str, Any] = handler(self)
        if content.get("levels") is None:
            content.pop("levels", None)
        return content


def _check_codes(kind: VariableType, codes: tuple[Code, ...], limits: list[int | float]) -> None:
    expected = {VariableType.INTEGER: int, VariableType.STRING: str}.get(kind)
    if expected is None or limits:
        raise bad_value(
            "codes go with integer or string, without minimum and maximum",
            "des codes vont avec integer ou string, sans minimum ni maximum",
        )
    values = [code.value for code in codes]
    if any(type(value) is not expected for value in values):
        raise bad_value("a code is not of the variable’s type", "un code n’est pas du type de la variable")
    if len(set(values)) != len(values):
        raise bad_value("a code is listed twice", "un code figure deux fois")


class UnitType(Document):
    """What rows or groups of rows stand for. `key`: the columns that tell one unit from another;
    `pseudonym`: the column that replaces them in extracts."""

    title: Text
    key: tuple[VariableName, ...] = Field(min_length=1)
    pseudonym: VariableName


class Record(Document):
    """What one row is: a record of `unit`, told from all other rows by the columns `key`."""

    unit: UnitName
    key: tuple[VariableName, ...] = Field(min_length=1)


class SourceFile(Document):
    """The file as the producer delivered it; `sha256` and `rows` are checked where given."""

    format: Literal["csv", "parquet", "stata"]
    sha256: Sha256 | None = None
    rows: int | None = Field(default=None, ge=1)


class ReferencePeriod(Document):
    """The first and last day that the data are about."""

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> ReferencePeriod:
        if self.last < self.first:
            raise bad_value("the last day is before the first", "le dernier jour précède le premier")
        return self


class Dictionary(Document):
    """A source and all its variables; every column of the file must be described."""

    name: SourceName
    title: Text
    description: Text
    licence: str = Field(min_length=1)
    origin: str = Field(min_length=1)
    reference_period: ReferencePeriod
    file: SourceFile
    unit_types: dict[UnitName, UnitType] = Field(min_length=1)
    record: Record
    variables: dict[VariableName, Variable] = Field(min_length=1)

    @field_validator("variables")
    @classmethod
    def _distinct_in_any_case(cls, variables: dict[str, Variable]) -> dict[str, Variable]:
        if len({name.lower() for name in variables}) != len(variables):
            raise bad_value(
                "two names differ only in upper and lower case", "deux noms ne diffèrent que par la casse"
            )
        return variables

    @model_validator(mode="after")
    def _references_exist(self) -> Dictionary:
        if self.record.unit not in self.unit_types:
            raise bad_value(
                "record.unit is not among unit_types", "record.unit ne figure pas dans unit_types"
            )
        for name in {name for unit in self.unit_types.values() for name in unit.key} | set(self.record.key):
            if name not in self.variables:
                raise bad_value(
                    f"the key column “{name}” is not among the variables",
                    f"la colonne clé « {name} » ne figure pas parmi les variables",
                )
        names = {name.lower() for name in self.variables}
        pseudonyms = [unit.pseudonym.lower() for unit in self.unit_types.values()]
        if names & set(pseudonyms) or len(set(pseudonyms)) != len(pseudonyms):
            raise bad_value(
                "a pseudonym column has the name of another column",
                "une colonne de pseudonymes porte le nom d’une autre colonne",
            )
        for unit_name, unit in self.unit_types.items():
            _check_unit(unit_name, [self.variables[name] for name in unit.key])
        return self

    @property
    def public(self) -> Dictionary:
        """What anyone may read: everything but what could confirm something about the data themselves,
        namely the file's hash and number of rows, and the values of direct identifiers."""
        variables = {
            name: variable
            if variable.deliverable
            else variable.model_copy(update={"codes": None, "minimum": None, "maximum": None})
            for name, variable in self.variables.items()
        }
        file = self.file.model_copy(update={"sha256": None, "rows": None})
        return self.model_copy(update={"variables": variables, "file": file})

    @property
    def digest(self) -> str:
        """SHA-256 of the meaning: comments and the order of keys in a mapping's text do not count,
        the order of variables does."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """Canonical bytes, from which `Dictionary.model_validate_json` returns an equal dictionary."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":")).encode()


def _check_unit(name: str, key: list[Variable]) -> None:
    if all(variable.deliverable for variable in key):
        raise bad_value(
            f"the key of unit “{name}” has no column marked “identifying: direct”, "
            "so an extract could contain the key itself",
            f"la clé de l’unité « {name} » n’a aucune colonne marquée « identifying: direct » : "
            "un extrait pourrait contenir la clé elle-même",
        )
    if any(variable.missing_allowed or variable.type is VariableType.FLOAT for variable in key):
        raise bad_value(
            f"a key column of unit “{name}” is a float or may be missing",
            f"une colonne clé de l’unité « {name} » est un float ou peut manquer",
        )
