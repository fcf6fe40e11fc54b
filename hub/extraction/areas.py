"""Attributes of a unit that is not delivered (a sector, an employer): so coarse that they point to none.

Every combination of values that describes the unit, joined from elsewhere or the dataset's own, must stand
for so many units and so many persons of the source. Until it does, a joined column is taken one level
coarser, always the one that leaves fewest areas in combinations that are too small; a column whose
next level is `none` is withheld. Where no coarser level is offered, the request is refused.

Neither the filter nor the sample counts, and no key: the levels are known when the extract is planned.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.documents.policies import AreaLimits
from hub.documents.requests import Period
from hub.domain.errors import Refused
from hub.domain.levels import FINE_TO_COARSE, Level
from hub.extraction.levels import PlannedColumn, delivered, fitting_scheme
from hub.extraction.linkages import key_names, keyed
from hub.extraction.periods import within
from hub.extraction.plans import PlannedDataset, PlannedThrough
from hub.extraction.sources import Sources

_UNITS, _AREA, _PERSON = " units", " area", " person"  # no variable can be called this


@dataclass(frozen=True)
class _Column:
    """A joined column: where it stands in the plan, and what was chosen for it (None: withheld)."""

    part: int
    position: int
    chosen: PlannedColumn | None


def settle_levels(
    planned: PlannedDataset,
    sources: Sources,
    schemes: ClassSchemes,
    limits: AreaLimits | None,
    period: Period | None,
    *,
    field: str,
) -> PlannedDataset:
    """The dataset with its joined columns as fine as the limits allow, for every unit that is not delivered;
    Refused naming `field` and the columns where no level does."""
    if limits is None:
        raise Refused(
            "no_area_limits",
            "No limits are known for attributes of units that are not delivered.",
            "Aucune limite n’est connue pour les attributs d’unités non livrées.",
            field=field,
        )
    through = list(planned.through)
    for unit in dict.fromkeys(part.unit for part in through):
        positions = [position for position, part in enumerate(through) if part.unit == unit]
        settled = _Areas(planned, [through[position] for position in positions], sources, schemes, period)
        for position, part in zip(positions, settled.settle(limits, field=field), strict=True):
            through[position] = part
    return planned.model_copy(update={"through": tuple(through)})


def _one_home(seen: pl.DataFrame, persons: list[str], homes: list[str]) -> pl.DataFrame:
    """Every person once: who moved counts in one area only, so that the sum over areas is never more than
    there are. Only those are sorted; at most times they are few."""
    moved = seen.group_by(persons).len().filter(pl.col("len") > 1).select(persons)
    if moved.is_empty():
        return seen
    staying = seen.join(moved, on=persons, how="anti")
    first = seen.join(moved, on=persons, how="semi").sort(*persons, *homes)
    return pl.concat([staying, first.unique(persons, keep="first", maintain_order=True)])


class _Areas:
    """The units of one undelivered type that a dataset's source shows, with their people and attributes."""

    def __init__(
        self,
        planned: PlannedDataset,
        parts: list[PlannedThrough],
        sources: Sources,
        schemes: ClassSchemes,
        period: Period | None,
    ) -> None:
        self.parts, self.sources, self.schemes = parts, sources, schemes
        source = sources[planned.source]
        unit = parts[0].unit
        self.own = [
            column for column in planned.columns if source.dictionary.variables[column.name].describes == unit
        ]
        table = within(source.table(), source.dictionary, period)
        areas = keyed(source.dictionary, unit)
        person = source.dictionary.unit_types[planned.by].key
        self.names = key_names(len(areas))
        own = [delivered(column, schemes).alias(f" own {column.name}") for column in self.own]
        self.own_names = [f" own {column.name}" for column in self.own]
        persons = [f"{_PERSON} {position}" for position in range(len(person))]
        keys = [pl.col(name).alias(alias) for name, alias in zip(person, persons, strict=True)]
        homes = [*self.names, *self.own_names]
        seen = table.select(*keys, *areas, *own).unique().collect(engine="streaming")
        counted = _one_home(seen, persons, homes).group_by(homes).agg(pl.len().alias(_UNITS))
        self.areas = seen.select(homes).unique().join(counted, on=homes, how="left", nulls_equal=True)
        self.areas = self.areas.with_columns(pl.col(_UNITS).fill_null(0))
        for number, part in enumerate(parts):
            self.areas = self.areas.join(self._values(number, part, period), on=self.names, how="left")

    def _values(self, number: int, part: PlannedThrough, period: Period | None) -> pl.DataFrame:
        """The part's variables at every level that may be chosen, as columns `number position level`."""
        source = self.sources[part.source]
        columns = []
        for position, column in enumerate(part.columns):
            candidates = [column, *self._coarser(part, column)]
            columns += [
                delivered(candidate, self.schemes).alias(f" {number} {position} {candidate.level}")
                for candidate in candidates
                if candidate.level is not Level.NONE
            ]
        table = within(source.table(), source.dictionary, period)
        return (
            table.select(*keyed(source.dictionary, part.theirs), *columns)
            .unique()
            .collect(engine="streaming")
        )

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

    def settle(self, limits: AreaLimits, *, field: str) -> list[PlannedThrough]:
        """The parts with the levels chosen."""
        chosen = [
            _Column(number, position, column)
            for number, part in enumerate(self.parts)
            for position, column in enumerate(part.columns)
        ]
        while (exposed := self._exposed(chosen, limits)) > 0:
            trials = [
                (self._exposed(trial, limits), place, trial)
                for place, one in enumerate(chosen)
                if (trial := self._one_coarser(chosen, place, one)) is not None
            ]
            if not trials:
                self._refuse(chosen, exposed, limits, field)
            _, _, chosen = min(trials, key=lambda trial: trial[:2])
        return [self._settled(number, part, chosen) for number, part in enumerate(self.parts)]

    def _one_coarser(self, chosen: list[_Column], place: int, one: _Column) -> list[_Column] | None:
        """The choice with its column at `place` one level coarser; None where there is none."""
        if one.chosen is None:
            return None
        coarser = self._coarser(self.parts[one.part], one.chosen)
        if not coarser:
            return None
        following = None if coarser[0].level is Level.NONE else coarser[0]
        return [*chosen[:place], _Column(one.part, one.position, following), *chosen[place + 1 :]]

    def _exposed(self, chosen: list[_Column], limits: AreaLimits) -> int:
        """How many areas are in combinations that stand for too few areas or people."""
        names = self.own_names + [
            f" {one.part} {one.position} {one.chosen.level}" for one in chosen if one.chosen is not None
        ]
        if not names:
            return 0
        combinations = self.areas.group_by(names).agg(
            pl.struct(self.names).n_unique().alias(_AREA), pl.col(_UNITS).sum()
        )
        small = combinations.filter((pl.col(_AREA) < limits.min_areas) | (pl.col(_UNITS) < limits.min_units))
        return int(small[_AREA].sum())

    def _refuse(self, chosen: list[_Column], exposed: int, limits: AreaLimits, field: str) -> None:
        names = [column.name for column in self.own]
        names += [one.chosen.name for one in chosen if one.chosen is not None]
        unit, shown = self.parts[0].unit, ", ".join(names)
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
