"""Table Schema (Data Package 2.0, https://datapackage.org/standard/table-schema/)."""

from __future__ import annotations

from typing import Any

from hub.documents.dictionaries import Dictionary, Variable, VariableType
from hub.domain.levels import default_level

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
    `descriptions`, `unit`, `sensitivity`, `deliverable`, `identifying`, `levels`, `describes`, `firstMonth`,
    `lastMonth`, `codeList` and the schema's `unitTypes`, `recordUnit` and `version` are properties of ours,
    which it allows.
    """
    schema: dict[str, Any] = {
        "$schema": PROFILE,
        "name": dictionary.name,
        "title": dictionary.title[language],
        "fields": [
            _field(name, variable, language) | _offer(variable, dictionary, language)
            for name, variable in dictionary.variables.items()
        ],
        "primaryKey": list(dictionary.record.key),
        "missingValues": [""],
        "unitTypes": {
            name: {
                "title": unit.title[language],
                "key": list(unit.key),
                "pseudonym": unit.pseudonym,
                **({} if unit.registry is None else {"register": unit.registry}),
            }
            for name, unit in dictionary.unit_types.items()
        },
        "recordUnit": dictionary.record.unit,
    }
    return schema if dictionary.version is None else schema | {"version": dictionary.version}


def _offer(variable: Variable, dictionary: Dictionary, language: str) -> dict[str, Any]:
    """What a requester needs to know beside values; `levels` stand from fine to coarse."""
    offer: dict[str, Any] = {"identifying": variable.identifying}
    if variable.deliverable:
        default = default_level(list(variable.offered))
        offer["levels"] = [
            {"level": level.value, "default": level is default} | ({"scheme": scheme} if scheme else {})
            for level, scheme in variable.offered.items()
        ]
    said = {"describes": variable.describes, "firstMonth": variable.first, "lastMonth": variable.last}
    offer |= {name: value for name, value in said.items() if value is not None}
    if variable.code_list is not None:
        listed = (dictionary.code_lists or {})[variable.code_list]
        offer["codeList"] = {
            "name": variable.code_list,
            "title": listed.title[language],
            "version": listed.version,
        }
    return offer


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
