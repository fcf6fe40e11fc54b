"""Attributes of a unit that is not delivered (a sector, an employer): so coarse that they point to none.

Every combination of values that describes such an area, joined from elsewhere or a table's own, must stand
for so many areas and so many persons of the source; whatever can be put together over the delivered
pseudonyms, in whichever table it stands, is one combination (hub.extraction.combinations). Until it does, a
joined column is taken one level coarser, always the one that leaves fewest areas in combinations that are
too small; a column whose next level is `none` is withheld. Where no coarser level is offered, the request
is refused.

What is counted: all values of one and the same area, though they may come through different rows (a home
and a place of work, January and February). Who is told about two areas thus has two combinations, each of
which stands for as many areas and persons as the limits say, and no counting of who went from one to the
other: that is the risk report's (trajectories). Persons are the units by which a table's rows are found:
those of each source that shows the areas, and those that several of them show in the same area, each
person in one area only. Neither the filter nor the sample counts, and no key: the levels are known when
the extract is planned. A next version with the same pseudonyms can be put together with the one before: it
has no column at a finer level than that one had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations as choices

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.documents.policies import AreaLimits
from hub.documents.requests import Period
from hub.domain.errors import Refused
from hub.domain.levels import FINE_TO_COARSE, Level
from hub.extraction.combinations import Combination, View, combinations
from hub.extraction.levels import PlannedColumn, delivered, fitting_scheme
from hub.extraction.linkages import identity, key_names, key_types, keyed
from hub.extraction.periods import within
from hub.extraction.plans import DeliveredLevels, PlannedDataset, PlannedThrough
from hub.extraction.sources import Sources

_UNITS, _AREA, _PERSON = " units", " area", " person"  # no variable can be called this
_ALL_TOGETHER = 4  # views of which every choice is counted; of more, pairs and all


@dataclass(frozen=True)
class _Column:
    """A joined column: where it stands in the plan, and what was chosen for it (None: withheld)."""

    part: int
    position: int
    chosen: PlannedColumn | None


def settle_levels(
    planned: Sequence[PlannedDataset],
    sources: Sources,
    schemes: ClassSchemes,
    limits: AreaLimits | None,
    period: Period | None,
    before: DeliveredLevels | None = None,
) -> tuple[PlannedDataset, ...]:
    """The datasets with their joined columns as fine as the limits allow, for every unit that is not
    delivered, and no finer than `before`; Refused naming `through` and the columns where no level does."""
    through = [list(dataset.through) for dataset in planned]
    for combination in combinations(planned, sources):
        field = f"datasets[{combination.parts[0][0]}].through"
        if limits is None:
            raise Refused(
                "no_area_limits",
                "No limits are known for attributes of units that are not delivered.",
                "Aucune limite n’est connue pour les attributs d’unités non livrées.",
                field=field,
            )
        parts = [through[dataset][part] for dataset, part in combination.parts]
        least = [(before or {}).get(planned[dataset].name) for dataset, _ in combination.parts]
        areas = _Areas(combination, parts, sources, schemes, period)
        settled = areas.settle(limits, least, field=field)
        for (dataset, part), one in zip(combination.parts, settled, strict=True):
            through[dataset][part] = one
    return tuple(
        dataset.model_copy(update={"through": tuple(parts)})
        for dataset, parts in zip(planned, through, strict=True)
    )


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
        self.names = key_names(len(sources[first.source].dictionary.unit_types[first.unit].key))

    def own(self, number: int) -> list[str]:
        """What the own columns of a view are called."""
        return [f" own {number} {column.name} {column.level}" for column in self._views[number].own]

    def counted(self) -> Iterator[tuple[pl.DataFrame, list[str]]]:
        """Tables of areas with UNITS, and their own columns: of the persons of each view and of those that
        several show alike, with what the other views tell about the same areas."""
        seen = [self._seen(number) for number in range(len(self._views))]
        told = [self._told(number, table) for number, table in enumerate(seen)]
        for chosen in self._choices():
            persons, own = self._persons(chosen[0]), [name for one in chosen for name in self.own(one)]
            together = reduce(
                lambda one, two: one.join(two, on=[*persons, *self.names]), [seen[one] for one in chosen]
            )
            homes = [*self.names, *own]
            units = _one_home(together, persons, homes).group_by(homes).agg(pl.len().alias(_UNITS))
            areas = together.select(homes).unique().join(units, on=homes, how="left", nulls_equal=True)
            areas = areas.with_columns(pl.col(_UNITS).fill_null(0))
            yield areas, own
            others = [one for one in range(len(self._views)) if one not in chosen and self.own(one)]
            for added in [*([one] for one in others), *([others] if len(others) > 1 else [])]:
                wider = reduce(lambda one, two: one.join(two, on=self.names), [told[n] for n in added], areas)
                # Whose value it is where an area has several is not known: nobody is counted there.
                several = pl.len().over(homes) > 1
                wider = wider.with_columns(pl.when(several).then(0).otherwise(_UNITS).alias(_UNITS))
                yield wider, [*own, *(name for one in added for name in self.own(one))]

    def _seen(self, number: int) -> pl.DataFrame:
        view = self._views[number]
        dictionary = self._sources[view.source].dictionary
        table = within(self._sources[view.source].table(), dictionary, self._period)
        person = zip(dictionary.unit_types[view.by].key, self._persons(number), strict=True)
        own = zip(view.own, self.own(number), strict=True)
        return (
            table.select(
                *(pl.col(name).alias(alias) for name, alias in person),
                *keyed(dictionary, view.unit),
                *(delivered(column, self._schemes).alias(alias) for column, alias in own),
            )
            .unique()
            .collect(engine="streaming")
        )

    def _told(self, number: int, seen: pl.DataFrame) -> pl.DataFrame:
        return seen.select(*self.names, *self.own(number)).unique()

    def _persons(self, number: int) -> list[str]:
        view = self._views[number]
        key = self._sources[view.source].dictionary.unit_types[view.by].key
        return [f"{_PERSON} {position}" for position in range(len(key))]

    def _choices(self) -> Iterator[tuple[int, ...]]:
        """Each view, and those of the same persons and kind of area together."""
        alike: dict[tuple[object, ...], list[int]] = {}
        for number, view in enumerate(self._views):
            dictionary = self._sources[view.source].dictionary
            person = (identity(dictionary, view.by), key_types(dictionary, view.by))
            alike.setdefault((*person, view.unit), []).append(number)
        for numbers in alike.values():
            some = len(numbers) <= _ALL_TOGETHER
            sizes = range(1, len(numbers) + 1) if some else (1, 2, len(numbers))
            for size in sizes:
                yield from choices(numbers, size)


class _Areas:
    """The areas of one undelivered type that the tables' sources show, with their people and attributes."""

    def __init__(
        self,
        combination: Combination,
        parts: list[PlannedThrough],
        sources: Sources,
        schemes: ClassSchemes,
        period: Period | None,
    ) -> None:
        self.parts, self.sources, self.schemes = parts, sources, schemes
        self.own = [column.name for view in combination.views for column in view.own]
        views = _Views(combination.views, sources, schemes, period)
        self.names = views.names
        values = self._values(period)
        self.counted = [
            (reduce(lambda one, two: one.join(two, on=self.names, how="left"), values, areas), own)
            for areas, own in views.counted()
        ]

    def _values(self, period: Period | None) -> list[pl.DataFrame]:
        """Per joined source the parts' variables at every level that may be chosen, as columns `number
        position level`."""
        columns: dict[tuple[str, str], list[pl.Expr]] = {}
        for number, part in enumerate(self.parts):
            mine = columns.setdefault((part.source, part.theirs), [])
            for position, column in enumerate(part.columns):
                mine += [
                    delivered(candidate, self.schemes).alias(f" {number} {position} {candidate.level}")
                    for candidate in (column, *self._coarser(part, column))
                    if candidate.level is not Level.NONE
                ]
        found = []
        for (name, unit), mine in columns.items():
            dictionary = self.sources[name].dictionary
            table = within(self.sources[name].table(), dictionary, period)
            values = table.select(*keyed(dictionary, unit), *mine).unique()
            found.append(values.collect(engine="streaming"))
        return found

    def _coarser(self, part: PlannedThrough, column: PlannedColumn) -> list[PlannedColumn]:
        """The coarser forms that the dictionary offers, the next one first."""
        variable = self.sources[part.source].dictionary.variables[column.name]
        after = FINE_TO_COARSE.index(column.level)
        found = []
        for level, name in variable.offered.items():
            if FINE_TO_COARSE.index(level) > after:
                scheme = None
                if name is not None:
                    scheme = fitting_scheme(column.name, variable, name, self.schemes, "through").digest
                found.append(
                    column.model_copy(
                        update={
                            "level": level,
                            "scheme": name,
                            "scheme_sha256": scheme,
                            "asked": column.level if column.asked is None else column.asked,
                        }
                    )
                )
        return found

    def settle(
        self, limits: AreaLimits, least: Sequence[Mapping[str, Level] | None], *, field: str
    ) -> list[PlannedThrough]:
        """The parts with the levels chosen. `least`: per part the finest levels by column, a column that is
        not there being withheld; None: those asked for."""
        chosen = [
            _Column(number, position, self._no_finer(part, column, least[number]))
            for number, part in enumerate(self.parts)
            for position, column in enumerate(part.columns)
        ]
        while (exposed := self._exposed(chosen, limits)) > 0:
            trials = [
                (self._exposed(trial, limits), place, trial)
                for place, one in enumerate(chosen)
                if (trial := self._one_coarser(chosen, one)) is not None
            ]
            if not trials:
                self._refuse(chosen, exposed, limits, field)
            _, _, chosen = min(trials, key=lambda trial: trial[:2])
        return [self._settled(number, part, chosen) for number, part in enumerate(self.parts)]

    def _no_finer(
        self, part: PlannedThrough, column: PlannedColumn, least: Mapping[str, Level] | None
    ) -> PlannedColumn | None:
        if least is None:
            return column
        limit = FINE_TO_COARSE.index(least.get(column.name, Level.NONE))
        for one in (column, *self._coarser(part, column)):
            if one.level is not Level.NONE and FINE_TO_COARSE.index(one.level) >= limit:
                return one
        return None

    def _one_coarser(self, chosen: list[_Column], one: _Column) -> list[_Column] | None:
        """The choice with this column one level coarser, wherever else it stands at the same level too;
        None where there is none."""
        if one.chosen is None:
            return None
        coarser = self._coarser(self.parts[one.part], one.chosen)
        if not coarser:
            return None
        following = None if coarser[0].level is Level.NONE else coarser[0]
        source, name, level = self.parts[one.part].source, one.chosen.name, one.chosen.level
        return [
            other
            if other.chosen is None
            or (self.parts[other.part].source, other.chosen.name, other.chosen.level) != (source, name, level)
            else _Column(other.part, other.position, _as(following, other.chosen))
            for other in chosen
        ]

    def _exposed(self, chosen: list[_Column], limits: AreaLimits) -> int:
        """How many areas are in combinations that stand for too few areas or people, over all that was
        counted."""
        joined = [
            f" {one.part} {one.position} {one.chosen.level}" for one in chosen if one.chosen is not None
        ]
        return sum(self._small(areas, [*own, *joined], limits) for areas, own in self.counted)

    def _small(self, areas: pl.DataFrame, names: list[str], limits: AreaLimits) -> int:
        if not names:
            return 0
        combined = areas.group_by(names).agg(
            pl.struct(self.names).n_unique().alias(_AREA), pl.col(_UNITS).sum()
        )
        small = combined.filter((pl.col(_AREA) < limits.min_areas) | (pl.col(_UNITS) < limits.min_units))
        return int(small[_AREA].sum())

    def _refuse(self, chosen: list[_Column], exposed: int, limits: AreaLimits, field: str) -> None:
        names = [*self.own, *(one.chosen.name for one in chosen if one.chosen is not None)]
        unit, shown = self.parts[0].unit, ", ".join(dict.fromkeys(names))
        raise Refused(
            "points_to_areas",
            f"Together {shown} would stand for fewer than {limits.min_areas} units of {unit} or fewer than "
            f"{limits.min_units} persons ({exposed} of {unit} concerned), and no coarser level is offered.",
            f"Ensemble, {shown} désigneraient moins de {limits.min_areas} unités de {unit} ou moins de "
            f"{limits.min_units} personnes ({exposed} de {unit} concernées), et aucun niveau plus grossier "
            "n’est offert.",
            field=field,
        )

    def _settled(self, number: int, part: PlannedThrough, chosen: list[_Column]) -> PlannedThrough:
        mine = [one for one in chosen if one.part == number]
        return part.model_copy(
            update={
                "columns": tuple(one.chosen for one in mine if one.chosen is not None),
                "withheld": tuple(part.columns[one.position].name for one in mine if one.chosen is None),
            }
        )


def _as(following: PlannedColumn | None, column: PlannedColumn) -> PlannedColumn | None:
    """The coarser form, with what `column` was asked for and why."""
    if following is None:
        return None
    asked = column.level if column.asked is None else column.asked
    return following.model_copy(update={"asked": asked, "justification": column.justification})
