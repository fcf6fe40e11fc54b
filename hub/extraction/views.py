"""How many areas there are of each combination of values, and how many persons: what the area rule counts.

All values of one and the same area are counted together, though they may come through different rows (of
January and February, of two sources). Who is told about two areas in turn has two combinations, each of which
stands for as many areas and persons as the limits say; how many went from one to the other is not counted:
that is the risk report's (trajectories).

Two kinds of areas of one person, told apart by the names of their unit types (the sector of a home, that of a
place of work), are counted as a pair besides: so many homes, so many places of work and so many persons.

Persons are the units by which a table's rows are found: those of each source that shows the areas, and those
that several of them show in the same area; each person in one area, or pair, only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations as choices

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.documents.requests import Period
from hub.extraction.combinations import View
from hub.extraction.levels import delivered
from hub.extraction.linkages import identity, key_names, key_types, keyed
from hub.extraction.periods import within
from hub.extraction.sources import Sources

UNITS = " units"  # no variable can be called this
_PERSON = " person"
_ALL_TOGETHER = 4  # views of which every choice is counted; of more, pairs and all


@dataclass(frozen=True)
class CountedAreas:
    """A row per area (or pair of areas) and what tables tell of it themselves (`own`), with UNITS persons.
    `keys`: kind of area → its key columns; the kind "" is any."""

    areas: pl.DataFrame
    keys: dict[str, list[str]]
    own: list[str]

    def key(self, kind: str) -> list[str] | None:
        """The key columns of areas of this kind; None where they are not counted here."""
        return self.keys.get(kind, self.keys.get(""))


def count_areas(
    views: Sequence[View], sources: Sources, schemes: ClassSchemes, period: Period | None
) -> Iterator[CountedAreas]:
    """Everything that has to keep the limits."""
    counting = _Views(views, sources, schemes, period)
    yield from counting.areas()
    yield from counting.pairs()


def _one_home(seen: pl.DataFrame, persons: list[str], homes: list[str]) -> pl.DataFrame:
    """Every person once: who moved counts in one area only, so that the sum over areas is never more than
    there are. Only those are sorted; at most times they are few."""
    moved = seen.group_by(persons).len().filter(pl.col("len") > 1).select(persons)
    if moved.is_empty():
        return seen
    staying = seen.join(moved, on=persons, how="anti")
    first = seen.join(moved, on=persons, how="semi").sort(*persons, *homes)
    return pl.concat([staying, first.unique(persons, keep="first", maintain_order=True)])


class _Views:
    """Who is seen in which area, and what the tables themselves tell about it."""

    def __init__(
        self, views: Sequence[View], sources: Sources, schemes: ClassSchemes, period: Period | None
    ) -> None:
        self._views, self._sources, self._schemes, self._period = views, sources, schemes, period
        first = views[0]
        self._names = key_names(len(sources[first.source].dictionary.unit_types[first.unit].key))
        self._seen = [self._see(number) for number in range(len(views))]

    def areas(self) -> Iterator[CountedAreas]:
        """The areas by the persons of each view and by those that several show alike, with what the other
        views tell about the same areas."""
        told = [
            seen.select(*self._names, *self._own(number)).unique() for number, seen in enumerate(self._seen)
        ]
        for chosen in self._choices():
            persons, own = self._persons(chosen[0]), [name for one in chosen for name in self._own(one)]
            together = reduce(
                lambda one, two: one.join(two, on=[*persons, *self._names]),
                [self._seen[one] for one in chosen],
            )
            homes = [*self._names, *own]
            units = _one_home(together, persons, homes).group_by(homes).agg(pl.len().alias(UNITS))
            areas = together.select(homes).unique().join(units, on=homes, how="left", nulls_equal=True)
            areas = areas.with_columns(pl.col(UNITS).fill_null(0))
            yield CountedAreas(areas, {"": self._names}, own)
            others = [one for one in range(len(self._views)) if one not in chosen and self._own(one)]
            for added in [*([one] for one in others), *([others] if len(others) > 1 else [])]:
                wider = reduce(
                    lambda one, two: one.join(two, on=self._names), [told[one] for one in added], areas
                )
                # Whose value it is where an area has several is not known: nobody is counted there.
                several = pl.len().over(homes) > 1
                wider = wider.with_columns(pl.when(several).then(0).otherwise(UNITS).alias(UNITS))
                more = [name for one in added for name in self._own(one)]
                yield CountedAreas(wider, {"": self._names}, [*own, *more])

    def pairs(self) -> Iterator[CountedAreas]:
        """The pairs of areas of two kinds by the persons of both."""
        for first, second in choices(range(len(self._views)), 2):
            one, two = self._views[first], self._views[second]
            if one.unit == two.unit or self._person(one) != self._person(two):
                continue
            persons = self._persons(first)
            keys = {view.unit: [f"{name} {view.unit}" for name in self._names] for view in (one, two)}
            if (one.source, one.by) == (two.source, two.by):
                seen = self._see_pair(first, second, keys)
            else:
                mine, theirs = (
                    self._seen[number].rename(dict(zip(self._names, keys[view.unit], strict=True)))
                    for number, view in ((first, one), (second, two))
                )
                seen = mine.join(theirs, on=persons)
            own = [*self._own(first), *self._own(second)]
            homes = [*keys[one.unit], *keys[two.unit], *own]
            counted = _one_home(seen, persons, homes).group_by(homes).agg(pl.len().alias(UNITS))
            yield CountedAreas(counted, keys, own)

    def _own(self, number: int) -> list[str]:
        """What the own columns of a view are called."""
        return [f" own {number} {column.name} {column.level}" for column in self._views[number].own]

    def _table(self, view: View) -> pl.LazyFrame:
        source = self._sources[view.source]
        return within(source.table(), source.dictionary, self._period)

    def _own_columns(self, number: int) -> list[pl.Expr]:
        own = zip(self._views[number].own, self._own(number), strict=True)
        return [delivered(column, self._schemes).alias(alias) for column, alias in own]

    def _person_columns(self, number: int) -> list[pl.Expr]:
        view = self._views[number]
        key = self._sources[view.source].dictionary.unit_types[view.by].key
        return [pl.col(name).alias(alias) for name, alias in zip(key, self._persons(number), strict=True)]

    def _see(self, number: int) -> pl.DataFrame:
        view = self._views[number]
        areas = keyed(self._sources[view.source].dictionary, view.unit)
        columns = [*self._person_columns(number), *areas, *self._own_columns(number)]
        return self._table(view).select(columns).unique().collect(engine="streaming")

    def _see_pair(self, first: int, second: int, keys: dict[str, list[str]]) -> pl.DataFrame:
        """Two kinds of areas in the same rows."""
        units = self._sources[self._views[first].source].dictionary.unit_types
        areas = [
            pl.col(name).alias(alias)
            for unit, aliases in keys.items()
            for name, alias in zip(units[unit].key, aliases, strict=True)
        ]
        own = [*self._own_columns(first), *self._own_columns(second)]
        columns = [*self._person_columns(first), *areas, *own]
        return self._table(self._views[first]).select(columns).unique().collect(engine="streaming")

    def _persons(self, number: int) -> list[str]:
        view = self._views[number]
        key = self._sources[view.source].dictionary.unit_types[view.by].key
        return [f"{_PERSON} {position}" for position in range(len(key))]

    def _person(self, view: View) -> tuple[object, ...]:
        dictionary = self._sources[view.source].dictionary
        return identity(dictionary, view.by), key_types(dictionary, view.by)

    def _choices(self) -> Iterator[tuple[int, ...]]:
        """Each view, and those of the same persons and kind of area together."""
        alike: dict[tuple[object, ...], list[int]] = {}
        for number, view in enumerate(self._views):
            alike.setdefault((*self._person(view), view.unit), []).append(number)
        for numbers in alike.values():
            some = len(numbers) <= _ALL_TOGETHER
            for size in range(1, len(numbers) + 1) if some else (1, 2, len(numbers)):
                yield from choices(numbers, size)
