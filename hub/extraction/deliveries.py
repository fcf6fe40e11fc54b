"""The tables of a plan, ready to be written: pseudonyms instead of keys, classes instead of values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.extraction.buckets import BUCKET, BUCKETS, coarse, record_order
from hub.extraction.keys import assign, pseudonym_key
from hub.extraction.levels import delivered
from hub.extraction.linkages import identity, key_names, keyed
from hub.extraction.maps import PSEUDONYM, PseudonymMap
from hub.extraction.ordering import PIECE, SORTED_IN_MEMORY, Order, in_ranges
from hub.extraction.plans import ExtractPlan, PlannedDataset
from hub.extraction.populations import ChosenPopulation, choose_populations
from hub.extraction.rows import MARK, buckets_read, dataset_rows, joined_name
from hub.extraction.sources import Sources, StoredPart

_PART = 250_000  # units joined at a time


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

    def table(self, dataset: PlannedDataset, *, staging: Path) -> pl.LazyFrame:
        """The dataset as it is delivered, in the order of its pseudonyms, to be read once. `staging` is for
        intermediate files."""
        source = self.sources[dataset.source]
        parts = source.parts(self.reads[dataset.name])
        order = self._order(dataset)
        if sum(part.rows for part in parts) <= SORTED_IN_MEMORY:
            return self.unordered(dataset).sort(order.columns, nulls_last=True)
        table = self.unordered(dataset)
        if self._by_unit(dataset):
            pieces = self._pieces(dataset, parts)
        else:
            order = Order(order.columns)
            pieces = iter(table.collect_batches(chunk_size=PIECE, maintain_order=False, engine="streaming"))
        return in_ranges(
            pieces,
            order,
            self.pseudonyms[identity(source.dictionary, dataset.units[0])][PSEUDONYM],
            schema=table.collect_schema(),
            rows=sum(part.rows for part in parts),
            staging=staging,
        )

    def _by_unit(self, dataset: PlannedDataset) -> bool:
        """Whether the rows can be made bucket by bucket, each by itself."""
        source = self.sources[dataset.source]
        members = self.plan.specification.dataset(dataset.name).members
        return source.bucketed and members == "chosen" and dataset.by == source.dictionary.record.unit

    def _pieces(self, dataset: PlannedDataset, parts: Sequence[StoredPart]) -> Iterator[pl.DataFrame]:
        """The delivered rows of some buckets after others, in the order in which they lie there."""
        groups: list[list[int]] = [[]]
        rows = 0
        for part in parts:
            groups[-1].append(part.bucket or 0)
            rows += part.rows
            if rows >= PIECE:
                groups.append([])
                rows = 0
        near = self._near(dataset)
        for group in groups:
            if group:
                chosen, pseudonyms = near(group)
                table = self._rows(dataset, frozenset(group), chosen)
                yield self._delivered(dataset, table, pseudonyms).collect()

    def _near(
        self, dataset: PlannedDataset
    ) -> Callable[[list[int]], tuple[dict[str, ChosenPopulation], dict[str, pl.DataFrame]]]:
        """What rows of some buckets are joined to: of populations and of their pseudonyms only the units that
        lie there, so that joining a bucket does not cost as much as joining all."""
        populations = [self.chosen[name] for name in self.plan.specification.dataset(dataset.name).of]
        register = identity(self.sources[dataset.source].dictionary, dataset.by)
        if any(one.places is None or one.register != register for one in populations):
            return lambda _group: (self.chosen, self.pseudonyms)
        mapping = self.pseudonyms.get(register)
        # Of sources with different numbers of buckets only the coarse ones are the same.
        alike = all(one.asked.source == dataset.source for one in populations)
        placed = {
            one.asked.name: one.places if alike else one.places.with_columns(coarse(pl.col(BUCKET)))
            for one in populations
            if one.places is not None
        }
        everyone = next(iter(placed.values())) if len(placed) == 1 else pl.concat(placed.values()).unique()
        named = None if mapping is None else _Buckets(_with_pseudonyms(everyone, mapping))
        own = {name: _Buckets(places) for name, places in placed.items() if named is None or len(placed) > 1}

        def near(group: list[int]) -> tuple[dict[str, ChosenPopulation], dict[str, pl.DataFrame]]:
            group = group if alike else sorted({bucket % BUCKETS for bucket in group})
            there = None if named is None else named.of(group)
            chosen = {}
            for one in populations:
                units = own[one.asked.name].of(group) if there is None or own else there
                chosen[one.asked.name] = dataclasses.replace(one, units=units.select(one.units.columns))
            return chosen, self.pseudonyms if there is None else self.pseudonyms | {register: there}

        return near

    def _order(self, dataset: PlannedDataset) -> Order:
        """The columns that order the rows: pseudonyms, and as many others as it takes to tell all rows apart.

        By what is delivered only: neither the order of the source nor that of the values behind a class may
        tell anything. Where the record key is delivered as it is, nothing else is needed; in the buckets of
        a source, the rows of a unit are in that order already.
        """
        dictionary = self.sources[dataset.source].dictionary
        raw = {column.name for column in dataset.columns if column.scheme is None}
        first = dictionary.unit_types[dataset.units[0]].key
        if dataset.units[0] == dictionary.record.unit and set(dictionary.record.key) <= raw | set(first):
            key = [name for name in record_order(dictionary) if name not in first and name in raw]
            return Order((dataset.pseudonyms[0], *key), presorted=self._by_unit(dataset))
        return Order(dataset.names)

    def unordered(self, dataset: PlannedDataset) -> pl.LazyFrame:
        """The same rows, in the order in which they are read."""
        return self._delivered(dataset, self.rows[dataset.name], self.pseudonyms)

    def _rows(
        self, dataset: PlannedDataset, buckets: frozenset[int], chosen: dict[str, ChosenPopulation]
    ) -> pl.LazyFrame:
        specification = self.plan.specification
        return dataset_rows(
            specification.dataset(dataset.name),
            dataset,
            chosen,
            self.sources,
            specification.period,
            self.schemes,
            buckets=buckets,
        )

    def _delivered(
        self, dataset: PlannedDataset, rows: pl.LazyFrame, pseudonyms: dict[str, pl.DataFrame]
    ) -> pl.LazyFrame:
        """Pseudonyms instead of keys and classes instead of values."""
        dictionary = self.sources[dataset.source].dictionary
        for unit, name in zip(dataset.units, dataset.pseudonyms, strict=True):
            mapping = pseudonyms[identity(dictionary, unit)].lazy().rename({PSEUDONYM: name})
            key = dictionary.unit_types[unit].key
            # Other than an inner join this copies no column where all rows have a pseudonym.
            rows = rows.join(
                mapping,
                left_on=key,
                right_on=key_names(len(key)),
                how="left",
                maintain_order="left",
            ).filter(pl.col(name).is_not_null())
        marks = [] if dataset.mark is None else [pl.col(MARK).alias(dataset.mark)]
        joined = [
            pl.col(joined_name(column.name)).alias(column.name)
            for part in dataset.through
            for column in part.columns
        ]
        own = (delivered(column, self.schemes) for column in dataset.columns)
        return rows.select(*dataset.pseudonyms, *marks, *own, *joined)


class _Buckets:
    """A table whose rows say their BUCKET, to be taken by buckets, without it."""

    def __init__(self, places: pl.DataFrame) -> None:
        # An index is in the order of its buckets already: nothing is copied.
        in_order = places if places[BUCKET].is_sorted() else places.sort(BUCKET)
        self._rows = in_order.drop(BUCKET)
        self._at: dict[int, tuple[int, int]] = {}
        start = 0
        for run in in_order[BUCKET].rle().to_list():
            self._at[run["value"]] = (start, run["len"])
            start += run["len"]

    def of(self, group: Sequence[int]) -> pl.DataFrame:
        """The rows of these buckets."""
        found = [self._rows.slice(*self._at[bucket]) for bucket in group if bucket in self._at]
        return pl.concat(found) if found else self._rows.clear()


def _with_pseudonyms(places: pl.DataFrame, mapping: pl.DataFrame) -> pl.DataFrame:
    """The units, their BUCKET and their PSEUDONYM. A map made of just these units has them in their order;
    another one is joined, a part at a time, as a join of all at once takes much memory."""
    names = [name for name in places.columns if name != BUCKET]
    if mapping.select(names).equals(places.select(names)):
        return places.with_columns(mapping[PSEUDONYM])
    return pl.concat([part.join(mapping, on=names) for part in places.iter_slices(_PART)] or [places.clear()])


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
    reads, rows = {}, {}
    for planned in plan.datasets:
        asked = specification.dataset(planned.name)
        reads[planned.name] = buckets_read(asked, planned, chosen, sources[planned.source])
        rows[planned.name] = dataset_rows(
            asked,
            planned,
            chosen,
            sources,
            specification.period,
            schemes,
            buckets=reads[planned.name],
        )
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
    found: dict[str, list[pl.DataFrame]] = {}
    for dataset in plan.datasets:
        dictionary = sources[dataset.source].dictionary
        asked = plan.specification.dataset(dataset.name)
        for unit in dataset.units:
            name = identity(dictionary, unit)
            populations = [chosen[one] for one in asked.of]
            parts = found.setdefault(name, [])
            if unit == dataset.by and asked.members == "chosen" and name == populations[0].register:
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
    assigned = new.with_columns(assign(new, key, tag=plan.tag, taken=taken).alias(PSEUDONYM))
    return assigned if known is None else pl.concat([known, assigned])
