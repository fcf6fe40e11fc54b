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
from hub.domain.errors import Conflict, Refused
from hub.domain.pseudonyms import project_tag
from hub.extraction.areas import settle_levels
from hub.extraction.filtering import check_filter
from hub.extraction.levels import plan_column
from hub.extraction.linkages import HOUSEHOLD, check_link, identity, linked_unit, unit_type
from hub.extraction.periods import check_collected, check_coverage
from hub.extraction.plans import DeliveredLevels, ExtractPlan, PlannedDataset, PlannedSource, PlannedThrough
from hub.extraction.populations import check_populations
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
    check_populations(specification, sources)
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
    period = specification.period
    check_coverage(dictionary, period, field="period")
    pseudonyms = tuple(
        unit_type(dictionary, unit, field=f"{field}.units").pseudonym for unit in dataset.units
    )
    by = _check_linkage(dataset, specification, sources, field)
    if dataset.filter is not None:
        check_filter(dataset.filter, dictionary, path=f"{field}.filter")
    columns = []
    for position, column in enumerate(dataset.requests):
        where = f"{field}.columns[{position}]"
        columns.append(plan_column(column, dictionary, schemes, field=where))
        check_collected(dictionary, column.variable, period, field=where)
    planned = PlannedDataset(
        name=dataset.name,
        source=dataset.source,
        by=by,
        units=dataset.units,
        pseudonyms=pseudonyms,
        mark=dataset.mark,
        columns=tuple(columns),
        through=tuple(
            _plan_through(part, dataset, specification, sources, schemes, f"{field}.through[{position}]")
            for position, part in enumerate(dataset.through or ())
        ),
    )
    if len({name.lower() for name in planned.names}) != len(planned.names):
        raise Refused(
            "column_twice",
            f"Two columns of {dataset.name} have the same name.",
            f"Deux colonnes de {dataset.name} portent le même nom.",
            field=f"{field}.columns",
        )
    return planned


def _check_linkage(
    dataset: Dataset, specification: ExtractSpecification, sources: Sources, field: str
) -> str:
    """The unit of the dataset's source by which its rows are found; every link on the way is sound."""
    dictionary = sources[dataset.source].dictionary
    named = {population.name: population for population in specification.populations}
    first = named[dataset.of[0]]
    theirs = sources[first.source].dictionary
    for other in dataset.of[1:]:
        check_link(
            theirs,
            first.unit,
            sources[named[other].source].dictionary,
            named[other].unit,
            field=f"{field}.of",
        )
    if dataset.by is None:
        by = linked_unit(dictionary, theirs, first.unit, field=f"{field}.by")
    else:
        by = dataset.by
        unit_type(dictionary, by, field=f"{field}.by")
    if dataset.members != "chosen":
        homes = sources[dataset.households or dataset.source].dictionary
        check_coverage(homes, specification.period, field="period")
        unit_type(homes, HOUSEHOLD, field=f"{field}.households")
        linked_unit(homes, theirs, first.unit, field=f"{field}.households")
        linked_unit(homes, dictionary, by, field=f"{field}.households")
    elif identity(dictionary, by) != identity(theirs, first.unit):
        between = sources[dataset.households or first.source].dictionary
        check_coverage(between, specification.period, field="period")
        linked_unit(between, theirs, first.unit, field=f"{field}.households")
        linked_unit(between, dictionary, by, field=f"{field}.by")
    return by


def _plan_through(
    part: Through,
    dataset: Dataset,
    specification: ExtractSpecification,
    sources: Sources,
    schemes: ClassSchemes,
    field: str,
) -> PlannedThrough:
    dictionary, theirs = sources[dataset.source].dictionary, sources[part.source].dictionary
    unit_type(dictionary, part.unit, field=f"{field}.unit")
    check_coverage(theirs, specification.period, field="period")
    for position, column in enumerate(long_form(part.columns)):
        if column.variable in theirs.variables:
            where = f"{field}.columns[{position}]"
            check_collected(theirs, column.variable, specification.period, field=where)
    return PlannedThrough(
        source=part.source,
        unit=part.unit,
        theirs=linked_unit(theirs, dictionary, part.unit, field=f"{field}.unit"),
        columns=tuple(
            plan_column(column, theirs, schemes, field=f"{field}.columns[{position}]")
            for position, column in enumerate(long_form(part.columns))
        ),
    )
