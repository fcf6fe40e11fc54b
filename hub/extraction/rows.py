"""The rows of a planned dataset: of the chosen units or their households, with what is joined to them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.documents.requests import Dataset, Period
from hub.domain.errors import Refused
from hub.extraction.buckets import BUCKETS
from hub.extraction.filtering import expression
from hub.extraction.levels import delivered
from hub.extraction.linkages import HOUSEHOLD, identity, key_names, keyed, linked_unit
from hub.extraction.periods import within
from hub.extraction.plans import PlannedDataset, PlannedThrough
from hub.extraction.populations import ChosenPopulation
from hub.extraction.sources import OpenSource, Sources

MARK, MONTH = " mark", " month"  # no variable can be called this
_MARK = pl.Int16()


def joined_name(column: str) -> str:
    """What a column that comes through another unit is called until it is delivered."""
    return f" through {column}"


def dataset_rows(
    dataset: Dataset,
    planned: PlannedDataset,
    chosen: Mapping[str, ChosenPopulation],
    sources: Sources,
    period: Period | None,
    schemes: ClassSchemes,
    *,
    buckets: frozenset[int] | None = None,
) -> pl.LazyFrame:
    """The rows (of these buckets only, where given) with all columns of their source, MARK where asked for,
    and the joined columns, at their level, under `joined_name`."""
    source = sources[dataset.source]
    table = within(source.table(buckets), source.dictionary, period)
    if dataset.filter is not None:
        table = table.filter(expression(dataset.filter, source.dictionary))
    rows = _chosen_rows(dataset, planned, table, chosen, sources, period)
    for part in planned.through:
        rows = with_joined(rows, part, source, sources, period, schemes)
    return rows


def buckets_read(
    dataset: Dataset, planned: PlannedDataset, chosen: Mapping[str, ChosenPopulation], source: OpenSource
) -> frozenset[int] | None:
    """The buckets in which all rows of the chosen units lie, where they are known."""
    recorded = source.dictionary.record.unit
    if not source.bucketed or dataset.members != "chosen" or planned.by != recorded:
        return None
    mine = [part.bucket for part in source.record.parts if part.bucket is not None]
    found: set[int] = set()
    for population in (chosen[name] for name in dataset.of):
        if population.buckets is None or population.register != identity(source.dictionary, recorded):
            return None
        if population.asked.source == source.name:
            found |= population.buckets
        else:  # which may have another number of buckets: only the coarse ones are the same
            there = {bucket % BUCKETS for bucket in population.buckets}
            found |= {bucket for bucket in mine if bucket % BUCKETS in there}
    return frozenset(found)


def _chosen_rows(
    dataset: Dataset,
    planned: PlannedDataset,
    table: pl.LazyFrame,
    chosen: Mapping[str, ChosenPopulation],
    sources: Sources,
    period: Period | None,
) -> pl.LazyFrame:
    populations = [chosen[name] for name in dataset.of]
    first = populations[0].asked
    dictionary, theirs = sources[dataset.source].dictionary, sources[first.source].dictionary
    key = list(dictionary.unit_types[planned.by].key)
    units = marked_units(populations)
    if dataset.members != "chosen":
        return _household_rows(dataset, planned, table, units, populations, sources, period)
    if identity(dictionary, planned.by) != identity(theirs, first.unit):
        between = sources[dataset.households or first.source]
        here = linked_unit(between.dictionary, theirs, first.unit, field="households")
        there = linked_unit(between.dictionary, dictionary, planned.by, field="by")
        units = _belonging(units, between, here, there, period)
    elif (
        len(populations) == 1
        and populations[0].complete
        and (first.source, first.unit) == (dataset.source, planned.by)
    ):
        # All units of this very source: nothing to look for.
        return table if dataset.mark is None else table.with_columns(pl.lit(1, _MARK).alias(MARK))
    return _of_units(table, key, units, marked=dataset.mark is not None)


def marked_units(populations: list[ChosenPopulation]) -> pl.LazyFrame:
    """The units of these populations, each once, with the position (from 1) of its first one as MARK."""
    if len(populations) == 1:
        return populations[0].units.lazy().with_columns(pl.lit(1, _MARK).alias(MARK))
    parts = [
        population.units.lazy().with_columns(pl.lit(position, _MARK).alias(MARK))
        for position, population in enumerate(populations, start=1)
    ]
    names = populations[0].units.columns
    return pl.concat(parts).group_by(names).agg(pl.col(MARK).min())


def _of_units(table: pl.LazyFrame, key: list[str], units: pl.LazyFrame, *, marked: bool) -> pl.LazyFrame:
    names = key_names(len(key))
    if not marked:
        return table.join(units, left_on=key, right_on=names, how="semi", maintain_order="left")
    return table.join(units, left_on=key, right_on=names, how="inner", maintain_order="left")


def _belonging(
    units: pl.LazyFrame, between: OpenSource, here: str, there: str, period: Period | None
) -> pl.LazyFrame:
    """The units of the type `there` that rows of `between` show together with the given units."""
    dictionary = between.dictionary
    table = within(between.table(), dictionary, period)
    key = list(dictionary.unit_types[here].key)
    found = table.join(units, left_on=key, right_on=key_names(len(key)), how="inner")
    names = key_names(len(dictionary.unit_types[there].key))
    return found.select(*keyed(dictionary, there), MARK).group_by(names).agg(pl.col(MARK).min())


def _household_rows(
    dataset: Dataset,
    planned: PlannedDataset,
    table: pl.LazyFrame,
    units: pl.LazyFrame,
    populations: list[ChosenPopulation],
    sources: Sources,
    period: Period | None,
) -> pl.LazyFrame:
    """Rows of everybody who lives with the chosen units, in the months in which they do."""
    first = populations[0].asked
    source, homes = sources[dataset.source], sources[dataset.households or dataset.source]
    dictionary, theirs = source.dictionary, sources[first.source].dictionary
    here = linked_unit(homes.dictionary, theirs, first.unit, field="households")
    month = homes.dictionary.record.period
    living = within(homes.table(), homes.dictionary, period)
    months = [] if month is None else [pl.col(month).alias(MONTH)]
    key = list(homes.dictionary.unit_types[here].key)
    at_home = living.join(units, left_on=key, right_on=key_names(len(key)), how="inner")
    names = [*key_names(len(homes.dictionary.unit_types[HOUSEHOLD].key)), *([MONTH] if months else [])]
    households = (
        at_home.select(*keyed(homes.dictionary, HOUSEHOLD), *months, MARK)
        .group_by(names)
        .agg(pl.col(MARK).min())
    )
    at = [*homes.dictionary.unit_types[HOUSEHOLD].key, *([month] if month is not None else [])]
    own = list(dictionary.unit_types[planned.by].key)
    if homes.name == source.name:
        rows = table.join(households, left_on=at, right_on=names, how="inner")
    else:
        member = linked_unit(homes.dictionary, dictionary, planned.by, field="households")
        found = living.join(households, left_on=at, right_on=names, how="inner")
        numbers = key_names(len(own))
        members = (
            found.select(*keyed(homes.dictionary, member), MARK).group_by(numbers).agg(pl.col(MARK).min())
        )
        rows = _of_units(table, own, members, marked=True)
    if dataset.members == "others":
        rows = rows.join(units, left_on=own, right_on=key_names(len(own)), how="anti")
    return rows


def with_joined(
    rows: pl.LazyFrame,
    part: PlannedThrough,
    source: OpenSource,
    sources: Sources,
    period: Period | None,
    schemes: ClassSchemes,
) -> pl.LazyFrame:
    """The rows with the columns of `part`, at their level, under `joined_name`."""
    key = list(source.dictionary.unit_types[part.unit].key)
    month = source.dictionary.record.period
    joined, by_month = joined_columns(part, sources, period, schemes, monthly=month is not None)
    names = key_names(len(key))
    if by_month and month is not None:
        return rows.join(joined, left_on=[*key, month], right_on=[*names, MONTH], how="left")
    return rows.join(joined, left_on=key, right_on=names, how="left")


def joined_columns(
    part: PlannedThrough,
    sources: Sources,
    period: Period | None,
    schemes: ClassSchemes,
    *,
    monthly: bool,
) -> tuple[pl.LazyFrame, bool]:
    """The other source's columns at their level, one row per unit; or per unit and MONTH, which the second
    value says, where it and the rows it is joined to (`monthly`) are series of months."""
    other = sources[part.source]
    month = other.dictionary.record.period
    by_month = monthly and month is not None
    names = key_names(len(other.dictionary.unit_types[part.theirs].key))
    months = [pl.col(month).alias(MONTH)] if by_month and month is not None else []
    table = (
        within(other.table(), other.dictionary, period)
        .select(
            *keyed(other.dictionary, part.theirs),
            *months,
            *(delivered(column, schemes).alias(joined_name(column.name)) for column in part.columns),
        )
        .collect(engine="streaming")
    )
    if table.select(*names, *([MONTH] if by_month else [])).is_duplicated().any():
        raise Refused(
            "several_rows",
            f"The source {part.source} has several rows for one {part.theirs}: they cannot be joined.",
            f"La source {part.source} a plusieurs lignes pour une même unité {part.theirs} : "
            "elles ne peuvent pas être jointes.",
            field="through",
        )
    return table.lazy(), by_month
