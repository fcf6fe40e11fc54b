"""The tables of a plan, ready to be written: pseudonyms instead of keys, classes instead of values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.extraction.keys import assign, canonical, pseudonym_key
from hub.extraction.levels import delivered
from hub.extraction.linkages import identity, key_names, keyed
from hub.extraction.maps import PSEUDONYM, PseudonymMap
from hub.extraction.ordering import ordered
from hub.extraction.plans import ExtractPlan, PlannedDataset
from hub.extraction.populations import ChosenPopulation, choose_populations
from hub.extraction.rows import MARK, buckets_read, dataset_rows, joined_name
from hub.extraction.sources import Sources


@dataclass(frozen=True)
class Delivery:
    """What a plan delivers. `pseudonyms`: per `linkages.identity` the key columns of every delivered unit
    (`key_names`) and its PSEUDONYM. `reads`: the buckets that a dataset is read from, None: all there is."""

    plan: ExtractPlan
    sources: Sources
    schemes: ClassSchemes
    chosen: dict[str, ChosenPopulation]
    reads: dict[str, frozenset[int] | None]
    rows: dict[str, pl.LazyFrame]
    pseudonyms: dict[str, pl.DataFrame]

    def table(self, dataset: PlannedDataset, *, staging: Path, rows: int) -> pl.LazyFrame:
        """The dataset of about so many `rows` as it is delivered, in the order of its pseudonyms, to be read
        once. `staging` is for intermediate files."""
        dictionary = self.sources[dataset.source].dictionary
        pseudonyms = self.pseudonyms[identity(dictionary, dataset.units[0])][PSEUDONYM]
        return ordered(self.unordered(dataset), self._order(dataset), pseudonyms, rows=rows, staging=staging)

    def _order(self, dataset: PlannedDataset) -> list[str]:
        """The columns that order the rows: pseudonyms, and as many others as it takes to tell all rows apart.

        By what is delivered only: neither the order of the source nor that of the values behind a class may
        tell anything. Where the record key is delivered as it is, nothing else is needed.
        """
        dictionary = self.sources[dataset.source].dictionary
        raw = {column.name for column in dataset.columns if column.scheme is None}
        told = raw | {name for unit in dataset.units for name in dictionary.unit_types[unit].key}
        # A row may stand twice only where it is found through another unit or joined more than once.
        if set(dictionary.record.key) <= told:
            return [*dataset.pseudonyms, *(name for name in dictionary.record.key if name in raw)]
        return list(dataset.names)

    def largest(self, dataset: PlannedDataset) -> int:
        """At most so many rows does the dataset have."""
        found = self.reads[dataset.name]
        source = self.sources[dataset.source]
        return sum(part.rows for part in source.parts(found))

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
    reads = {
        planned.name: buckets_read(asked[planned.name], planned, chosen, sources[planned.source])
        for planned in plan.datasets
    }
    rows = {
        planned.name: dataset_rows(
            asked[planned.name], planned, chosen, sources, specification.period, schemes
        )
        for planned in plan.datasets
    }
    pseudonyms = {
        name: _assigned(plan, name, units, master_key, (known or {}).get(name))
        for name, units in _units(plan, sources, rows, chosen).items()
    }
    return Delivery(plan, sources, schemes, chosen, reads, rows, pseudonyms)


def _units(
    plan: ExtractPlan,
    sources: Sources,
    rows: dict[str, pl.LazyFrame],
    chosen: dict[str, ChosenPopulation],
) -> dict[str, pl.DataFrame]:
    """The distinct units behind every pseudonym column, together for those of one register."""
    asked = {dataset.name: dataset for dataset in plan.specification.datasets}
    found: dict[str, list[pl.DataFrame]] = {}
    for dataset in plan.datasets:
        dictionary = sources[dataset.source].dictionary
        for unit in dataset.units:
            name = identity(dictionary, unit)
            populations = [chosen[one] for one in asked[dataset.name].of]
            parts = found.setdefault(name, [])
            if (
                unit == dataset.by
                and asked[dataset.name].members == "chosen"
                and name == populations[0].register
            ):
                # Exactly those were looked for: no need to look which of them have rows.
                parts += [one.units for one in populations if not any(one.units is part for part in parts)]
                continue
            wanted = rows[dataset.name].select(keyed(dictionary, unit)).unique()
            parts.append(wanted.collect(engine="streaming"))
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
