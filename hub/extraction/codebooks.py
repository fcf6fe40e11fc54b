"""The codebook that lies beside an extract: what its columns mean, for programs."""

from __future__ import annotations

import json
from typing import Any

from hub.documents.base import Text
from hub.documents.classes import ClassSchemes, DateScheme
from hub.documents.dictionaries import Dictionary, Variable
from hub.documents.requests import Dataset, ExtractSpecification
from hub.extraction.levels import PlannedColumn
from hub.extraction.plans import ExtractPlan, PlannedDataset
from hub.extraction.sources import Sources

# Of the dictionary's entry for a variable; the domain only where values are delivered as they are.
_SAID = ("type", "label", "description", "sensitivity", "identifying", "describes", "missing_allowed")
_DOMAIN = ("codes", "minimum", "maximum", "unit")


def codebook_json(plan: ExtractPlan, sources: Sources, schemes: ClassSchemes) -> bytes:
    """Every table with its columns in order, their labels and domains, and the units behind pseudonyms."""
    content = {
        "version": 2,
        "project": plan.project,
        "sources": [_source(sources[one.name].dictionary) for one in plan.sources],
        "tables": [_table(plan.specification, dataset, sources, schemes) for dataset in plan.datasets],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _source(dictionary: Dictionary) -> dict[str, Any]:
    content = {
        "name": dictionary.name,
        "title": dictionary.title.model_dump(),
        "description": dictionary.description.model_dump(),
        "licence": dictionary.licence,
        "origin": dictionary.origin,
        "reference_period": dictionary.reference_period.model_dump(mode="json"),
    }
    return content if dictionary.version is None else content | {"dictionary_version": dictionary.version}


def _table(
    specification: ExtractSpecification, dataset: PlannedDataset, sources: Sources, schemes: ClassSchemes
) -> dict[str, Any]:
    dictionary = sources[dataset.source].dictionary
    (asked,) = (one for one in specification.datasets if one.name == dataset.name)
    period = dictionary.record.period
    columns: list[dict[str, Any]] = [
        {
            "name": name,
            "role": "pseudonym",
            "unit_type": unit,
            "type": "integer",
            "label": dictionary.unit_types[unit].title.model_dump(),
        }
        for unit, name in zip(dataset.units, dataset.pseudonyms, strict=True)
    ]
    if dataset.mark is not None:
        columns.append(_mark(dataset.mark, asked))
    columns += [_variable(column, dictionary.variables[column.name], schemes) for column in dataset.columns]
    columns += [
        _variable(column, sources[part.source].dictionary.variables[column.name], schemes)
        | {"source": part.source, "through": part.unit}
        for part in dataset.through
        for column in part.columns
    ]
    return {
        "name": dataset.name,
        "file": f"{dataset.name}.parquet",
        "source": dataset.source,
        "title": dictionary.title.model_dump(),
        "record_unit": dictionary.record.unit,
        "period": period if period in dataset.names else None,
        "units": dict(zip(dataset.units, dataset.pseudonyms, strict=True)),
        "populations": [_population(specification, name) for name in asked.of],
        "members": asked.members,
        "withheld": [name for part in dataset.through for name in part.withheld],
        "columns": columns,
    }


def _population(specification: ExtractSpecification, name: str) -> dict[str, Any]:
    (population,) = (one for one in specification.populations if one.name == name)
    content: dict[str, Any] = {"name": name, "source": population.source, "unit": population.unit}
    if population.sample is not None:
        content["sample"] = population.sample.model_dump(mode="json")
    return content


def mark_label() -> Text:
    """The label of a column that says to which population a row's unit belongs."""
    return Text(fr="Population à laquelle l’unité appartient", en="Population the unit belongs to")


def _mark(name: str, asked: Dataset) -> dict[str, Any]:
    return {
        "name": name,
        "role": "population",
        "type": "integer",
        "label": mark_label().model_dump(),
        "codes": [
            {"value": position, "label": Text(fr=population, en=population).model_dump()}
            for position, population in enumerate(asked.of, start=1)
        ],
    }


def _variable(column: PlannedColumn, variable: Variable, schemes: ClassSchemes) -> dict[str, Any]:
    """What a program needs to know about the column as it was delivered, not as it was collected."""
    described = variable.model_dump(mode="json", exclude_none=True)
    content: dict[str, Any] = {"name": column.name, "role": "variable"}
    content |= {name: described[name] for name in _SAID if name in described}
    content["level"] = column.level.value
    if column.asked is not None:
        content["asked"] = column.asked.value
    if column.scheme is None:
        return content | {name: described[name] for name in _DOMAIN if name in described}
    scheme = schemes[column.scheme]
    content["scheme"] = {"name": scheme.name, "sha256": scheme.digest, "title": scheme.title.model_dump()}
    if isinstance(scheme, DateScheme):
        content["cut"] = scheme.cut
        return content
    content["type"] = "integer"
    content["codes"] = [{"value": one.code, "label": one.label.model_dump()} for one in scheme.classes]
    content["classes"] = [
        one.model_dump(mode="json", exclude={"label"}, exclude_none=True) for one in scheme.classes
    ]
    return content
