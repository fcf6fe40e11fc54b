"""Table Schema (Data Package 2.0, https://datapackage.org/standard/table-schema/)."""

from __future__ import annotations

from typing import Any

from hub.documents.dictionaries import Dictionary, Variable, VariableType

PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
_TYPES = {
    VariableType.INTEGER: "integer",
    VariableType.FLOAT: "number",
    VariableType.STRING: "string",
    VariableType.BOOLEAN: "boolean",
    VariableType.DATE: "date",
}


def table_schema(dictionary: Dictionary, language: str) -> dict[str, Any]:
    """The columns of the source as a Table Schema descriptor.

    `title` and the categories' labels are in `language`; the standard has no translations, so `titles`,
    `descriptions`, `unit`, `sensitivity` and `deliverable` are properties of ours, which it allows.
    """
    return {
        "$schema": PROFILE,
        "name": dictionary.name,
        "title": dictionary.title[language],
        "fields": [_field(name, variable, language) for name, variable in dictionary.variables.items()],
        "primaryKey": list(dictionary.record.key),
        "missingValues": [""],
    }


def _field(name: str, variable: Variable, language: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": name,
        "type": _TYPES[variable.type],
        "title": variable.label[language],
        "titles": variable.label.translations(),
    }
    if variable.description:
        field["description"] = variable.described(language)[0]
        field["descriptions"] = variable.descriptions
    if variable.unit:
        field["unit"] = variable.unit
    if variable.codes is not None:
        field["categories"] = [
            {"value": code.value, "label": code.label[language]} for code in variable.codes
        ]
    field["constraints"] = _constraints(variable)
    field["sensitivity"] = variable.sensitivity
    field["deliverable"] = variable.deliverable
    return field


def _constraints(variable: Variable) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": not variable.missing_allowed}
    if variable.minimum is not None:
        constraints["minimum"] = variable.minimum
    if variable.maximum is not None:
        constraints["maximum"] = variable.maximum
    if variable.codes is not None:
        constraints["enum"] = [code.value for code in variable.codes]
    return constraints
