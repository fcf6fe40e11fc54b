"""Whom the data are about: the units that a filter leaves, less others, then drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from hub.documents.dictionaries import Dictionary
from hub.documents.requests import ExtractSpecification, Period, Population
from hub.domain.errors import Refused
from hub.extraction.buckets import BUCKET, indexed_units
from hub.extraction.filtering import check_filter, expression
from hub.extraction.keys import sample_key
from hub.extraction.linkages import check_link, identity, key_names, keyed, unit_type
from hub.extraction.periods import within
from hub.extraction.samples import STRATUM, check_sample, draw
from hub.extraction.sources import OpenSource, Sources


@dataclass(frozen=True)
class ChosenPopulation:
    """The units of a population after drawing: rows of key columns (`linkages.key_names`), and how many
    there were to draw from. `complete`: they are all that the source has in the period, so that each of its
    rows then is about one of them. `register` is what they are units of
    (`linkages.identity`); `places` the units with their BUCKET, where that is known."""

    asked: Population
    of: int
    units: pl.DataFrame
    register: str
    complete: bool = False
    places: pl.DataFrame | None = None

    @property
    def buckets(self) -> frozenset[int] | None:
        """Where all rows of the units lie, if that is known."""
        return None if self.places is None else frozenset(self.places[BUCKET].unique().to_list())

    @property
    def drawn(self) -> int:
        return self.units.height


def check_population(
    population: Population,
    specification: ExtractSpecification,
    dictionaries: Mapping[str, Dictionary],
    field: str,
) -> None:
    """Return only if the population can be made; Refused naming the field (`populations[0].filter`)."""
    named = {population.name: population for population in specification.populations}
    dictionary = dictionaries[population.source]
    unit_type(dictionary, population.unit, field=f"{field}.unit")
    if population.filter is not None:
        check_filter(population.filter, dictionary, path=f"{field}.filter")
    if population.sample is not None:
        check_sample(population.sample, dictionary, field=f"{field}.sample")
    for other in population.without or ():
        theirs = dictionaries[named[other].source]
        check_link(theirs, named[other].unit, dictionary, population.unit, field=f"{field}.without")


def choose_populations(
    specification: ExtractSpecification, sources: Sources, *, project: str, master_key: bytes
) -> dict[str, ChosenPopulation]:
    """The units of every population, in the order of the request."""
    everybody: dict[str, pl.DataFrame] = {}
    chosen: dict[str, ChosenPopulation] = {}
    for position, population in enumerate(specification.populations):
        field = f"populations[{position}]"
        source = sources[population.source]
        units = _units(population, source, specification.period)
        for other in population.without or ():
            excluded = everybody[other]
            units = units.join(excluded, on=excluded.columns, how="anti")
        if units.is_empty():
            raise Refused(
                "empty_population",
                f"No unit fits the population {population.name}.",
                f"Aucune unité ne répond à la population {population.name}.",
                field=f"{field}.filter",
            )
        names = [name for name in units.columns if name not in (STRATUM, BUCKET)]
        everybody[population.name] = units.select(names)
        register = identity(source.dictionary, population.unit)
        drawn = units
        if population.sample is not None:
            key = sample_key(master_key, project, register)
            drawn = draw(population.sample, units, key, field=f"{field}.sample")
        chosen[population.name] = ChosenPopulation(
            asked=population,
            of=units.select(names).n_unique() if STRATUM in units.columns else units.height,
            units=drawn.select(names),
            register=register,
            complete=(population.filter, population.without, population.sample) == (None, None, None),
            places=drawn.select(*names, BUCKET) if BUCKET in drawn.columns else None,
        )
    return chosen


def _units(population: Population, source: OpenSource, period: Period | None) -> pl.DataFrame:
    """The distinct units before drawing, with their stratum and their bucket where there are any."""
    dictionary = source.dictionary
    columns = keyed(dictionary, population.unit)
    names = key_names(len(columns))
    index = None
    if source.bucketed and population.unit == dictionary.record.unit:
        index = indexed_units(source.index(), None if dictionary.record.period is None else period)
    stratified = population.sample is not None and population.sample.per is not None
    if index is not None and population.filter is None and not stratified:
        return index
    table = within(source.table(), dictionary, period)
    if population.filter is not None:
        table = table.filter(expression(population.filter, dictionary))
    if population.sample is not None and population.sample.per is not None:
        columns.append(pl.col(population.sample.per).alias(STRATUM))
    units = table.select(columns).unique().collect(engine="streaming")
    return units if index is None else units.join(index, on=names, how="left")
