"""The tables of a plan, ready to be written: pseudonyms instead of keys, classes instead of values."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.extraction.keys import assign, canonical, pseudonym_key
from hub.extraction.levels import delivered
from hub.extraction.linkages import identity, key_names, keyed
from hub.extraction.maps import PSEUDONYM, PseudonymMap
from hub.extraction.plans import ExtractPlan, PlannedDataset
from hub.extraction.populations import ChosenPopulation, choose_populations
from hub.extraction.rows import MARK, dataset_rows, joined_name
from hub.extraction.sources import Sources


@dataclass(frozen=True)
class Delivery:
    """What a plan delivers. `pseudonyms`: per `linkages.identity` the key columns of every delivered unit
    (`key_names`) and its PSEUDONYM."""

    plan: ExtractPlan
    sources: Sources
    schemes: ClassSchemes
    chosen: dict[str, ChosenPopulation]
    rows: dict[str, pl.LazyFrame]
    pseudonyms: dict[str, pl.DataFrame]

    def table(self, dataset: PlannedDataset) -> pl.LazyFrame:
        """The dataset as it is delivered, in the order of its pseudonyms, unread."""
        # All columns order the rows, by what is delivered: neither the order of the source nor that of
        # the values behind a class may tell anything.
        return self.unordered(dataset).sort(dataset.names, nulls_last=True)

    def unordered(self, dataset: PlannedDataset) -> pl.LazyFrame:
        """The same rows in no particular order."""
        dictionary = self.sources[dataset.source].dictionary
        rows = self.rows[dataset.name]
        for unit, name in zip(dataset.units, dataset.pseudonyms, strict=True):
            mapping = self.pseudonyms[identity(dictionary, unit)].lazy().rename({PSEUDONYM: name})
            key = dictionary.unit_types[unit].key
            rows = rows.join(mapping, left_on=key, right_on=key_names(len(key)), how="inner", validate="m:1")
        marks = [] if dataset.mark is None else [pl.col(MARK).alias(dataset.mark)]
        joined = [
            pl.col(joined_name(column.name)).alias(column.name)
            for part in dataset.through
            for column in part.columns
        ]
        own = (delivered(column, self.schemes) for column in dataset.columns)
        return rows.select(*dataset.pseudonyms, *marks, *own, *joined)


def prepare(
    plan: ExtractPlan,
    sources: Sources,
    schemes: ClassSchemes,
    *,
    master_key: bytes,
    known: PseudonymMap | None = None,
) -> Delivery:
    """Choose the populations, find their rows and give every delivered unit its pseudonym: the one that it
    has in `known`, the map of an earlier extract of the project, or a new one."""
    specification = plan.specification
    chosen = choose_populations(specification, sources, project=plan.project, master_key=master_key)
    asked = {dataset.name: dataset for dataset in specification.datasets}
    rows = {
        planned.name: dataset_rows(
            asked[planned.name], planned, chosen, sources, specification.period, schemes
        )
        for planned in plan.datasets
    }
    pseudonyms = {
        name: _assigned(plan, name, units, master_key, (known or {}).get(name))
        for name, units in _units(plan, sources, rows).items()
    }
    return Delivery(plan, sources, schemes, chosen, rows, pseudonyms)


def _units(plan: ExtractPlan, sources: Sources, rows: dict[str, pl.LazyFrame]) -> dict[str, pl.DataFrame]:
    """The distinct units behind every pseudonym column, together for those of one register."""
    found: dict[str, list[pl.DataFrame]] = {}
    for dataset in plan.datasets:
        dictionary = sources[dataset.source].dictionary
        for unit in dataset.units:
            units = rows[dataset.name].select(keyed(dictionary, unit)).unique().collect(engine="streaming")
            found.setdefault(identity(dictionary, unit), []).append(units)
    return {name: parts[0] if len(parts) == 1 else pl.concat(parts).unique() for name, parts in found.items()}


def _assigned(
    plan: ExtractPlan, name: str, units: pl.DataFrame, master_key: bytes, known: pl.DataFrame | None
) -> pl.DataFrame:
    """The units with their pseudonyms, and those that `known` has besides."""
    key = pseudonym_key(master_key, project=plan.project, unit_type=name, version=plan.key_version)
    new = units if known is None else units.join(known, on=units.columns, how="anti")
    taken = None if known is None else known[PSEUDONYM]
    assigned = new.with_columns(assign(canonical(new), key, tag=plan.tag, taken=taken).alias(PSEUDONYM))
    return assigned if known is None else pl.concat([known, assigned])
