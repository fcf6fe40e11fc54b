"""Planning: what a request asks for, judged against dictionaries, schemes and rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.policies import AreaLimits
from hub.documents.projects import ExtractDocument
from hub.documents.requests import Dataset, ExtractSpecification, Through, long_form
from hub.domain.errors import Conflict
from hub.domain.pseudonyms import project_tag
from hub.extraction.areas import settle_levels
from hub.extraction.filtering import check_filter
from hub.extraction.levels import plan_column
from hub.extraction.linkages import linked_unit, unit_type
from hub.extraction.plans import DeliveredLevels, ExtractPlan, PlannedDataset, PlannedSource, PlannedThrough
from hub.extraction.populations import check_population
from hub.extraction.soundness import check_collections, check_linkage, check_names, check_periods
from hub.extraction.sources import Sources, load_dictionary, open_source


def read_specification(content: Mapping[str, Any], *, warehouse: Path) -> ExtractSpecification:
    """What a stored plan asks for: an ExtractSpecification, or the short form of a project document."""
    if "datasets" in content:
        return ExtractSpecification.model_validate_json(json.dumps(content), by_alias=True, by_name=False)
    short = ExtractDocument.model_validate_json(json.dumps(content), by_alias=True, by_name=False)
    return specification_of(short, warehouse=warehouse)


def specification_of(document: ExtractDocument, *, warehouse: Path) -> ExtractSpecification:
    """The long form of a project document's extract; its source says which unit is recorded."""
    return document.specification(load_dictionary(warehouse, document.source).record.unit)


def open_sources(specification: ExtractSpecification, warehouse: Path) -> Sources:
    """Every source that the specification names."""
    return {name: open_source(warehouse, name) for name in specification.sources}


def plan_extract(  # noqa: PLR0913  # the door: everything that decides an extract goes through it
    specification: ExtractSpecification,
    *,
    project: str,
    policy_fingerprint: str,
    warehouse: Path,
    schemes: ClassSchemes = NO_SCHEMES,
    areas: AreaLimits | None = None,
    tag: int | None = None,
    key_version: int = 1,
    request_sha256: str | None = None,
    before: DeliveredLevels | None = None,
) -> ExtractPlan:
    """The plan for `specification`; Refused with the field (`datasets[0].columns[3]`) that cannot be given.

    `schemes` are the class schemes of the policies (hub.documents.classes), `areas` the limits for what
    is joined through a unit that is not delivered: without them, that is refused. `tag` is by default
    that of the project's slug (hub.domain.pseudonyms.project_tag). `before`: what the version before, of the
    same pseudonyms, delivered (hub.extraction.plans).
    """
    sources = open_sources(specification, warehouse)
    dictionaries = {name: source.dictionary for name, source in sources.items()}
    for position, population in enumerate(specification.populations):
        check_population(population, specification, dictionaries, f"populations[{position}]")
    check_periods(specification, dictionaries)
    datasets = tuple(
        _plan_dataset(dataset, specification, sources, schemes, f"datasets[{position}]")
        for position, dataset in enumerate(specification.datasets)
    )
    datasets = settle_levels(datasets, sources, schemes, areas, specification.period, before)
    return ExtractPlan(
        project=project,
        tag=project_tag(project) if tag is None else tag,
        key_version=key_version,
        specification=specification,
        request_sha256=request_sha256,
        sources=tuple(
            PlannedSource(
                name=name,
                file_sha256=source.record.file_sha256,
                dictionary_sha256=source.record.dictionary_sha256,
                dictionary_version=source.dictionary.version,
                rows=source.record.rows,
            )
            for name, source in sources.items()
        ),
        datasets=datasets,
        policy_fingerprint=policy_fingerprint,
        before=before,
    )


def judge_again(
    plan: ExtractPlan, *, warehouse: Path, schemes: ClassSchemes, areas: AreaLimits | None
) -> Sources:
    """The sources of a plan that may come from a store, if it is still what would be planned today.

    1. Every source is the edition that the plan was made for.
    2. Planning the same specification again gives the same plan.
    """
    sources = open_sources(plan.specification, warehouse)
    for planned in plan.sources:  # (1)
        source = sources.get(planned.name)
        found = (source.record.file_sha256, source.record.dictionary_sha256) if source is not None else None
        if found != (planned.file_sha256, planned.dictionary_sha256):
            raise Conflict(
                "source_changed",
                f"The source {planned.name} has changed since the extract was planned.",
                f"La source {planned.name} a changé depuis que l’extrait a été prévu.",
                field="sources",
            )
    again = plan_extract(  # (2)
        plan.specification,
        project=plan.project,
        policy_fingerprint=plan.policy_fingerprint,
        warehouse=warehouse,
        schemes=schemes,
        areas=areas,
        tag=plan.tag,
        key_version=plan.key_version,
        request_sha256=plan.request_sha256,
        before=plan.before,
    )
    if again != plan:
        changed = next(
            (one.name for one, two in zip(plan.datasets, again.datasets, strict=False) if one != two), ""
        )
        raise Conflict(
            "plan_changed",
            f"Planning this again gives another plan {changed}: a class scheme or a rule has changed.",
            f"Prévoir de nouveau cet extrait donne un autre plan {changed} : une nomenclature ou une règle "
            "a changé.",
            field=f"datasets.{changed}" if changed else "datasets",
        )
    return sources


def _plan_dataset(
    dataset: Dataset,
    specification: ExtractSpecification,
    sources: Sources,
    schemes: ClassSchemes,
    field: str,
) -> PlannedDataset:
    dictionary = sources[dataset.source].dictionary
    dictionaries = {name: source.dictionary for name, source in sources.items()}
    pseudonyms = tuple(
        unit_type(dictionary, unit, field=f"{field}.units").pseudonym for unit in dataset.units
    )
    by = check_linkage(dataset, specification, dictionaries, field)
    if dataset.filter is not None:
        check_filter(dataset.filter, dictionary, path=f"{field}.filter")
    columns = []
    for position, column in enumerate(dataset.requests):
        where = f"{field}.columns[{position}]"
        columns.append(plan_column(column, dictionary, schemes, field=where))
    check_collections(dataset, specification, dictionaries, field)
    planned = PlannedDataset(
        name=dataset.name,
        source=dataset.source,
        by=by,
        units=dataset.units,
        pseudonyms=pseudonyms,
        mark=dataset.mark,
        columns=tuple(columns),
        through=tuple(
            _plan_through(part, dataset, sources, schemes, f"{field}.through[{position}]")
            for position, part in enumerate(dataset.through or ())
        ),
    )
    check_names(dataset, list(planned.names), field)
    return planned


def _plan_through(
    part: Through,
    dataset: Dataset,
    sources: Sources,
    schemes: ClassSchemes,
    field: str,
) -> PlannedThrough:
    dictionary, theirs = sources[dataset.source].dictionary, sources[part.source].dictionary
    unit_type(dictionary, part.unit, field=f"{field}.unit")
    return PlannedThrough(
        source=part.source,
        unit=part.unit,
        theirs=linked_unit(theirs, dictionary, part.unit, field=f"{field}.unit"),
        columns=tuple(
            plan_column(column, theirs, schemes, field=f"{field}.columns[{position}]")
            for position, column in enumerate(long_form(part.columns))
        ),
    )
