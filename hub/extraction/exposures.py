"""What the risk report looks at: the tables of a delivery beside the population that they come from."""

from __future__ import annotations

import polars as pl

from hub.documents.dictionaries import Dictionary, Variable
from hub.extraction.deliveries import Delivery
from hub.extraction.levels import delivered
from hub.extraction.linkages import HOUSEHOLD, identity, key_names
from hub.extraction.maps import PSEUDONYM
from hub.extraction.periods import within
from hub.extraction.plans import PlannedDataset
from hub.extraction.risk_tables import DeliveredTable
from hub.extraction.rows import joined_name, with_joined

EMPLOYER = "employer"
# Tables up to this many rows are made once and kept, larger ones made again for each measure.
_KEPT_ROWS = 5_000_000


def delivered_tables(delivery: Delivery, counted: dict[str, int]) -> list[DeliveredTable]:
    """One per dataset of the plan; `counted` is how many rows each has."""
    return [_delivered_table(delivery, dataset, counted[dataset.name]) for dataset in delivery.plan.datasets]


def _delivered_table(delivery: Delivery, dataset: PlannedDataset, rows: int) -> DeliveredTable:
    source = delivery.sources[dataset.source]
    columns = dict(zip(dataset.units, dataset.pseudonyms, strict=True))
    person_unit = _person_unit(dataset, source.dictionary)
    variables = _variables(delivery, dataset)
    quasi = tuple(name for name, one in variables.items() if one.identifying == "indirect")
    own = {name for name in quasi if variables[name].describes in (None, person_unit)}
    period = source.dictionary.record.period
    period = period if period in dataset.names else None
    frame = delivery.unordered(dataset)
    if rows <= _KEPT_ROWS:
        frame = frame.collect(engine="streaming").lazy()
    employer = columns.get(EMPLOYER) if person_unit != EMPLOYER else None
    return DeliveredTable(
        name=dataset.name,
        frame=frame,
        person=None if person_unit is None else columns[person_unit],
        household=columns.get(HOUSEHOLD) if person_unit != HOUSEHOLD else None,
        employer=employer,
        period=period,
        quasi_identifiers=tuple(name for name in quasi if name != period),
        sensitive=tuple(name for name, one in variables.items() if one.sensitivity == "sensitive"),
        trajectory=_trajectory(variables, period, person_unit),
        composition=tuple(name for name in quasi if name in own and name != period),
        population=_population(
            delivery,
            dataset,
            person_unit,
            {*quasi, *(name for name, one in variables.items() if one.sensitivity == "sensitive")},
            period,
        )
        if quasi
        else None,
        employer_sizes=None if employer is None else _employer_sizes(delivery, dataset, employer),
        characteristics=()
        if period is None or person_unit is None
        else tuple(name for name in quasi if name != period),
    )


def _person_unit(dataset: PlannedDataset, dictionary: Dictionary) -> str | None:
    """The delivered unit that stands for a person: the recorded one, or the one by which rows were found."""
    for unit in (dictionary.record.unit, dataset.by):
        if unit in dataset.units:
            return unit
    return next((unit for unit in dataset.units if unit not in (HOUSEHOLD, EMPLOYER)), None)


def _variables(delivery: Delivery, dataset: PlannedDataset) -> dict[str, Variable]:
    own = delivery.sources[dataset.source].dictionary.variables
    found = {column.name: own[column.name] for column in dataset.columns}
    for part in dataset.through:
        theirs = delivery.sources[part.source].dictionary.variables
        found |= {column.name: theirs[column.name] for column in part.columns}
    return found


def _trajectory(variables: dict[str, Variable], period: str | None, person: str | None) -> tuple[str, ...]:
    """What somebody may know about a person's months beside quasi-identifiers (`characteristics`): the
    sensitive values, or else all that are the person's own."""
    if period is None or person is None:
        return ()
    names = [
        name
        for name, one in variables.items()
        if name != period and one.describes in (None, person) and one.identifying != "indirect"
    ]
    sensitive = [name for name in names if variables[name].sensitivity == "sensitive"]
    return tuple(sensitive or names)


def _population(
    delivery: Delivery,
    dataset: PlannedDataset,
    person: str | None,
    names: set[str],
    period: str | None,
) -> pl.LazyFrame | None:
    """The quasi-identifiers and sensitive variables of everybody in the source, at the levels of the
    delivery."""
    if person is None:
        return None
    source = delivery.sources[dataset.source]
    asked = delivery.plan.specification.period
    rows = within(source.table(), source.dictionary, asked)
    for part in dataset.through:
        rows = with_joined(rows, part, source, delivery.sources, asked, delivery.schemes)
    unit_type = source.dictionary.unit_types[person]
    number = pl.col(unit_type.key[0]) if len(unit_type.key) == 1 else pl.struct(unit_type.key).rank("dense")
    wanted = names | ({period} if period is not None else set())
    own = [delivered(column, delivery.schemes) for column in dataset.columns if column.name in wanted]
    joined = [
        pl.col(joined_name(column.name)).alias(column.name)
        for part in dataset.through
        for column in part.columns
        if column.name in wanted
    ]
    return rows.select(number.alias(unit_type.pseudonym), *own, *joined)


def _employer_sizes(delivery: Delivery, dataset: PlannedDataset, employer: str) -> pl.LazyFrame:
    """The delivered employers with the distinct persons that the whole source shows with each."""
    source = delivery.sources[dataset.source]
    dictionary = source.dictionary
    mapping = delivery.pseudonyms[identity(dictionary, EMPLOYER)].lazy().rename({PSEUDONYM: employer})
    key = dictionary.unit_types[EMPLOYER].key
    rows = within(source.table(), dictionary, delivery.plan.specification.period)
    person = pl.struct(dictionary.unit_types[dictionary.record.unit].key)
    return (
        rows.join(mapping, left_on=key, right_on=key_names(len(key)), how="inner")
        .group_by(employer)
        .agg(person.n_unique().alias(" persons"))
    )
