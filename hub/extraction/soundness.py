"""What dictionaries alone say against a specification: months that a source lacks, units without a link.

The same is judged when a request is sent and when an extract is planned; only the latter has the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from hub.documents.dictionaries import Dictionary
from hub.documents.requests import Dataset, ExtractSpecification, long_form
from hub.domain.errors import Refused
from hub.extraction.linkages import HOUSEHOLD, check_link, identity, linked_unit, unit_type
from hub.extraction.periods import check_collected, check_coverage
from hub.extraction.populations import check_population

Dictionaries = Mapping[str, Dictionary]


def check_periods(specification: ExtractSpecification, dictionaries: Dictionaries) -> None:
    """Return only if every source has the months asked for; Refused `outside_coverage` otherwise.

    Attributes of areas joined through a unit may be of other years than the people (an atlas of 2001 for the
    sectors where children lived in 2005), unless they are a series of months themselves.
    """
    series = {name for name, one in dictionaries.items() if one.record.period is not None}
    people = {population.source for population in specification.populations}
    people |= {dataset.source for dataset in specification.datasets}
    people |= {one.households for one in specification.datasets if one.households is not None}
    for name in specification.sources:
        if name in people or name in series:
            check_coverage(
                dictionaries[name],
                specification.period,
                field="period",
                beside_months=bool(series & set(specification.sources)),
            )


def check_collections(
    dataset: Dataset, specification: ExtractSpecification, dictionaries: Dictionaries, field: str
) -> None:
    """Return only if every variable of the dataset was collected in all months asked for."""
    for refused in _uncollected(dataset, specification, dictionaries, field):
        raise refused


def _uncollected(
    dataset: Dataset, specification: ExtractSpecification, dictionaries: Dictionaries, field: str
) -> Iterator[Refused]:
    for where, source, variable in _columns(dataset):
        there = dictionaries[source]
        dated = source == dataset.source or there.record.period is not None
        if dated and variable in there.variables:
            path = f"{field}.{where}"
            yield from _refused(partial(check_collected, there, variable, specification.period, field=path))


def _columns(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    """Field inside the dataset, source and variable of every column."""
    for position, column in enumerate(dataset.requests):
        yield f"columns[{position}]", dataset.source, column.variable
    for number, part in enumerate(dataset.through or ()):
        for position, column in enumerate(long_form(part.columns)):
            yield f"through[{number}].columns[{position}]", part.source, column.variable


def check_linkage(
    dataset: Dataset, specification: ExtractSpecification, dictionaries: Dictionaries, field: str
) -> str:
    """The unit of the dataset's source by which its rows are found; every link on the way is sound."""
    dictionary = dictionaries[dataset.source]
    named = {population.name: population for population in specification.populations}
    first = named[dataset.of[0]]
    theirs = dictionaries[first.source]
    for other in dataset.of[1:]:
        check_link(
            theirs,
            first.unit,
            dictionaries[named[other].source],
            named[other].unit,
            field=f"{field}.of",
        )
    if dataset.by is None:
        by = linked_unit(dictionary, theirs, first.unit, field=f"{field}.by")
    else:
        by = dataset.by
        unit_type(dictionary, by, field=f"{field}.by")
    if dataset.members != "chosen":
        homes = dictionaries[dataset.households or dataset.source]
        unit_type(homes, HOUSEHOLD, field=f"{field}.households")
        linked_unit(homes, theirs, first.unit, field=f"{field}.households")
        linked_unit(homes, dictionary, by, field=f"{field}.households")
    elif identity(dictionary, by) != identity(theirs, first.unit):
        between = dictionaries[dataset.households or first.source]
        linked_unit(between, theirs, first.unit, field=f"{field}.households")
        linked_unit(between, dictionary, by, field=f"{field}.by")
    return by


def check_names(dataset: Dataset, names: list[str], field: str) -> None:
    """Return only if no two columns of the delivered table have the same name."""
    if len({name.lower() for name in names}) != len(names):
        raise Refused(
            "column_twice",
            f"Two columns of {dataset.name} have the same name.",
            f"Deux colonnes de {dataset.name} portent le même nom.",
            field=f"{field}.columns",
        )


def refusals(specification: ExtractSpecification, dictionaries: Dictionaries) -> Iterator[Refused]:
    """Everything that the dictionaries say against it, each refusal with its field; one per population,
    per linkage and per column. `dictionaries` has every source that is named."""
    yield from _refused(partial(check_periods, specification, dictionaries))
    for position, population in enumerate(specification.populations):
        field = f"populations[{position}]"
        yield from _refused(partial(check_population, population, specification, dictionaries, field))
    for position, dataset in enumerate(specification.datasets):
        yield from _of_dataset(dataset, specification, dictionaries, f"datasets[{position}]")


def _of_dataset(
    dataset: Dataset, specification: ExtractSpecification, dictionaries: Dictionaries, field: str
) -> Iterator[Refused]:
    dictionary = dictionaries[dataset.source]
    units = [dictionary.unit_types[unit] for unit in dataset.units if unit in dictionary.unit_types]
    marks = [] if dataset.mark is None else [dataset.mark]
    names = [unit.pseudonym for unit in units] + marks + [variable for _, _, variable in _columns(dataset)]
    yield from _refused(partial(check_linkage, dataset, specification, dictionaries, field))
    yield from _refused(partial(check_names, dataset, names, field))
    yield from _uncollected(dataset, specification, dictionaries, field)


def _refused(check: Callable[[], object]) -> Iterator[Refused]:
    try:
        check()
    except Refused as refused:
        yield refused
