"""The data dictionary of a source, in GSIM's words: variables, value domains, unit types."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from hub.documents.base import Document, Sparse, Text, bad_value
from hub.documents.classes import ClassName
from hub.documents.projects import VariableName
from hub.domain.levels import FINE_TO_COARSE, Level

SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
UnitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


LONGEST_DESCRIPTION = 2000  # characters


def _branch(value: object) -> str:
    return "languages" if isinstance(value, dict | Text) else "english"


Description = Annotated[
    Annotated[str, Field(max_length=LONGEST_DESCRIPTION), Tag("english")] | Annotated[Text, Tag("languages")],
    Discriminator(_branch),
]


class VariableType(StrEnum):
    INTEGER = "integer"
    FLOAT = "float"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"


Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Code(Document):
    """One permitted value and its meaning."""

    value: int | str
    label: Text


class CodeList(Document):
    """Codes that several variables share (`code_list: NAME`), in the version that this source uses."""

    title: Text
    version: str = Field(min_length=1, max_length=40)
    codes: tuple[Code, ...] = Field(min_length=1)


class Variable(Sparse):
    """One column. `minimum`/`maximum` or `codes` is its value domain.

    `identifying: direct` marks what names a unit (numbers, names, addresses): used to make
    pseudonyms, never delivered and never filtered on. `identifying: indirect` marks what singles units
    out together with others (age, sex, place): the quasi-identifiers of the risk report.

    `code_list` names one of the dictionary's code lists instead of `codes`. `describes` is the unit type
    that the value is about, where that is not the recorded unit (a sector's rent, a household's size).
    `first` and `last` bound the months in which the variable was collected.

    `description` in the languages of labels, or in English alone as plain text.

    `levels`: at which levels it may be delivered (hub.domain.levels), each with the class scheme that
    makes it; `raw` and `none` have none (~). Without it the variable is delivered raw.
    """

    type: VariableType
    label: Text
    description: Description = ""
    unit: str | None = Field(default=None, max_length=40)
    missing_allowed: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    codes: tuple[Code, ...] | None = Field(default=None, min_length=1)
    code_list: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,59}$")
    describes: UnitName | None = None
    first: Month | None = None
    last: Month | None = None
    identifying: Literal["direct", "indirect", "none"] = "none"
    sensitivity: Literal["ordinary", "sensitive"] = "ordinary"
    levels: dict[Level, ClassName | None] | None = Field(default=None, min_length=1)

    @field_validator("description")
    @classmethod
    def _not_too_long(cls, description: str | Text) -> str | Text:
        if isinstance(description, Text) and any(
            len(said) > LONGEST_DESCRIPTION for said in description.translations().values()
        ):
            raise bad_value(
                f"a description has at most {LONGEST_DESCRIPTION} characters in each language",
                f"une description compte au plus {LONGEST_DESCRIPTION} caractères par langue",
            )
        return description

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
        if self.first is not None and self.last is not None and self.last < self.first:
            raise bad_value("the last month is before the first", "le dernier mois précède le premier")
        return self

    @property
    def descriptions(self) -> dict[str, str]:
        """The description by language; empty where there is none."""
        return in_languages(self.description)

    def described(self, language: str) -> tuple[str, str]:
        """The description for a reader of `language` and the language that it is in: that one or, where it
        was not written in it, English. Empty where there is none."""
        said = self.descriptions
        found = language if language in said else "en"
        return said.get(found, ""), found

    @property
    def deliverable(self) -> bool:
        return self.identifying != "direct"

    @property
    def offered(self) -> dict[Level, str | None]:
        """Level → class scheme, from the finest to the coarsest: the last is the default."""
        levels = {Level.RAW: None} if self.levels is None else self.levels
        return {level: levels[level] for level in FINE_TO_COARSE if level in levels}


def in_languages(description: str | Text) -> dict[str, str]:
    """A description by language; plain text is English."""
    if isinstance(description, Text):
        return description.translations()
    return {"en": description} if description else {}


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


class UnitType(Sparse):
    """What rows or groups of rows stand for. `key`: the columns that tell one unit from another;
    `pseudonym`: the column that replaces them in extracts.

    `registry` names the register whose numbers the key holds (`national_register`). Two sources can be
    linked by a unit type where both name the same one, with key columns of the same types in the
    same order; without one the unit is known to this source only.
    """

    title: Text
    key: tuple[VariableName, ...] = Field(min_length=1)
    pseudonym: VariableName
    registry: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,59}$")


class Record(Sparse):
    """What one row is: a record of `unit`, told from all other rows by the columns `key`. `period` is the
    date column that says which month the row is about, where the source is a series of months."""

    unit: UnitName
    key: tuple[VariableName, ...] = Field(min_length=1)
    period: VariableName | None = None


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


class Dictionary(Sparse):
    """A source and all its variables; every column of the file must be described.

    `version` is the office's own mark of this edition of the dictionary. `access: open`: anyone may have the
    same data from their producer, by `licence`; kinds of requests for open data (policies/conditions.yaml)
    are for such sources only.
    """

    name: SourceName
    title: Text
    description: Text
    licence: str = Field(min_length=1)
    access: Literal["open"] | None = None
    origin: str = Field(min_length=1)
    reference_period: ReferencePeriod
    file: SourceFile
    unit_types: dict[UnitName, UnitType] = Field(min_length=1)
    record: Record
    version: str | None = Field(default=None, min_length=1, max_length=40)
    code_lists: dict[str, CodeList] | None = Field(default=None, min_length=1)
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
        for name, variable in list(self.variables.items()):
            self._check_references(name, variable)
        period = None if self.record.period is None else self.variables.get(self.record.period)
        if self.record.period is not None and (period is None or period.type is not VariableType.DATE):
            raise bad_value("record.period is not a date variable", "record.period n’est pas une date")
        return self

    def _check_references(self, name: str, variable: Variable) -> None:
        """Give the variable the codes of the list that it names; bad_value where it names what is not."""
        if variable.code_list is not None:
            listed = (self.code_lists or {}).get(variable.code_list)
            if listed is None or variable.codes not in (None, listed.codes):
                raise bad_value(
                    f"“{name}” names a code list that is not among code_lists, or has codes of its own too",
                    f"« {name} » nomme une liste de codes absente de code_lists ou a aussi ses codes",
                )
            limits = [limit for limit in (variable.minimum, variable.maximum) if limit is not None]
            _check_codes(variable.type, listed.codes, limits)
            self.variables[name] = variable.model_copy(update={"codes": listed.codes})
        if variable.describes is not None and variable.describes not in self.unit_types:
            raise bad_value(
                f"“{name}” describes a unit type that is not among unit_types",
                f"« {name} » décrit une unité absente de unit_types",
            )

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
