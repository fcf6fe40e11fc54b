"""Attributes of a unit that is not delivered (a sector, an employer): so coarse that they point to none.

Every combination of values that describes such an area, joined from elsewhere or a table's own, must stand
for so many areas and so many persons of the source; whatever can be put together over the delivered
pseudonyms, in whichever table it stands, is one combination (hub.extraction.combinations). Until it does, a
joined column is taken one level coarser, always the one that leaves fewest areas in combinations that are
too small; a column whose next level is `none` is withheld. Where no coarser level is offered, the request
is refused.

What is counted, and of whom, is in hub.extraction.views. Neither the filter nor the sample counts, and no
key: the levels are known when the extract is planned. A next version with the same pseudonyms can be put
together with the one before: it has no column at a finer level than that one had.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from hub.documents.classes import ClassSchemes
from hub.documents.policies import AreaLimits
from hub.documents.requests import Period
from hub.domain.errors import Refused
from hub.domain.levels import FINE_TO_COARSE, Level
from hub.extraction.combinations import Combination, combinations
from hub.extraction.levels import PlannedColumn, delivered, fitting_scheme
from hub.extraction.linkages import key_names, keyed
from hub.extraction.periods import within
from hub.extraction.plans import DeliveredLevels, PlannedDataset, PlannedThrough
from hub.extraction.sources import Sources
from hub.extraction.views import UNITS, CountedAreas, count_areas

_AREA = " area"  # no variable can be called this


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
        values = self._values(period)
        self.counted = [
            self._with_values(counted, values)
            for counted in count_areas(combination.views, sources, schemes, period)
        ]

    def _values(self, period: Period | None) -> list[tuple[str, pl.DataFrame]]:
        """Per kind of area and joined source the parts' variables at every level that may be chosen, as
        columns `number position level`."""
        columns: dict[tuple[str, str, str], list[pl.Expr]] = {}
        for number, part in enumerate(self.parts):
            mine = columns.setdefault((part.unit, part.source, part.theirs), [])
            for position, column in enumerate(part.columns):
                mine += [
                    delivered(candidate, self.schemes).alias(f" {number} {position} {candidate.level}")
                    for candidate in (column, *self._coarser(part, column))
                    if candidate.level is not Level.NONE
                ]
        found = []
        for (kind, name, unit), mine in columns.items():
            dictionary = self.sources[name].dictionary
            table = within(self.sources[name].table(), dictionary, period)
            values = table.select(*keyed(dictionary, unit), *mine).unique()
            found.append((kind, values.collect(engine="streaming")))
        return found

    def _with_values(self, counted: CountedAreas, values: list[tuple[str, pl.DataFrame]]) -> CountedAreas:
        """The areas with what is joined to each."""
        areas = counted.areas
        for kind, frame in values:
            key = counted.key(kind)
            if key is not None:
                areas = areas.join(frame, left_on=key, right_on=key_names(len(key)), how="left")
        return dataclasses.replace(counted, areas=areas)

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
        return sum(self._small(counted, chosen, limits) for counted in self.counted)

    def _small(self, counted: CountedAreas, chosen: list[_Column], limits: AreaLimits) -> int:
        joined = [
            f" {one.part} {one.position} {one.chosen.level}"
            for one in chosen
            if one.chosen is not None and counted.key(self.parts[one.part].unit) is not None
        ]
        names = [*counted.own, *joined]
        if not names:
            return 0
        areas = [pl.struct(key).n_unique() for key in counted.keys.values()]
        combined = counted.areas.group_by(names).agg(
            pl.min_horizontal(areas).alias(_AREA), pl.col(UNITS).sum()
        )
        small = combined.filter((pl.col(_AREA) < limits.min_areas) | (pl.col(UNITS) < limits.min_units))
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
