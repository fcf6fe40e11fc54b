"""Which attributes of areas can be put together: those of tables that share a delivered pseudonym.

Two tables meet where both deliver units of one register (hub.extraction.linkages.identity), or where
others lead from one to the other: a table with person and household joins what is told about persons to
what is told about households. Everything that tables which meet tell about areas of one register is one
combination: in whichever table it stands, of whichever row, and whatever the area is called there (the
sector of a home, the sector of a place of work).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.domain.errors import Refused
from hub.domain.levels import Level
from hub.extraction.levels import PlannedColumn
from hub.extraction.linkages import check_link, identity
from hub.extraction.plans import PlannedDataset
from hub.extraction.sources import Sources


@dataclass(frozen=True)
class View:
    """Rows of `source` that show units of the type `by` in areas of the type `unit`, and the delivered
    columns of that source that describe those areas."""

    source: str
    by: str
    unit: str
    own: tuple[PlannedColumn, ...] = ()


@dataclass(frozen=True)
class Combination:
    """What is delivered about the areas of one register and can be put together. `parts`: positions of a
    dataset and of one of its `through`, at least one."""

    parts: tuple[tuple[int, int], ...]
    views: tuple[View, ...]


def combinations(datasets: Sequence[PlannedDataset], sources: Sources) -> Iterator[Combination]:
    """All of them; Refused `unit_delivered` where a table that meets an attribute delivers its area, and
    `cannot_link` where two sources write the key of the areas differently."""
    for together in _meeting(datasets, sources):
        registers = dict.fromkeys(
            identity(sources[datasets[position].source].dictionary, part.unit)
            for position in together
            for part in datasets[position].through
        )
        for register in registers:
            yield _combination(register, together, datasets, sources)


def _delivered(dataset: PlannedDataset, sources: Sources) -> set[str]:
    return {identity(sources[dataset.source].dictionary, unit) for unit in dataset.units}


def _meeting(datasets: Sequence[PlannedDataset], sources: Sources) -> list[list[int]]:
    """The positions of datasets, those together that meet."""
    groups: list[tuple[set[str], list[int]]] = []
    for position, dataset in enumerate(datasets):
        units, members = _delivered(dataset, sources), [position]
        apart = []
        for group in groups:
            if group[0] & units:
                units, members = units | group[0], group[1] + members
            else:
                apart.append(group)
        groups = [*apart, (units, sorted(members))]
    return [members for _, members in groups]


def _combination(
    register: str, together: list[int], datasets: Sequence[PlannedDataset], sources: Sources
) -> Combination:
    parts = []
    for position in together:
        dictionary = sources[datasets[position].source].dictionary
        for number, part in enumerate(datasets[position].through):
            if identity(dictionary, part.unit) == register:
                parts.append((position, number))
    for position in together:
        if register in _delivered(datasets[position], sources):
            _refuse_delivered(datasets, parts, datasets[position].name)
    views: dict[tuple[str, str, str], dict[tuple[str, Level], PlannedColumn]] = {}
    for position in together:
        for view in _views(datasets[position], register, sources):
            own = views.setdefault((view.source, view.by, view.unit), {})
            own |= {(one.name, one.level): one for one in view.own}
    found = tuple(View(*names, tuple(own.values())) for names, own in views.items())
    first = found[0]
    for view in found[1:]:
        check_link(
            sources[first.source].dictionary,
            first.unit,
            sources[view.source].dictionary,
            view.unit,
            field=_field(parts[0]),
        )
    return Combination(tuple(parts), found)


def _views(dataset: PlannedDataset, register: str, sources: Sources) -> Iterator[View]:
    """Through which rows the dataset tells something about areas of the register: its own, and those of
    sources joined through another unit."""
    read = [(dataset.source, dataset.by, dataset.columns)]
    read += [(part.source, part.theirs, part.columns) for part in dataset.through]
    joined = {part.unit for part in dataset.through}
    for number, (source, by, columns) in enumerate(read):
        dictionary = sources[source].dictionary
        for unit in dictionary.unit_types:
            if identity(dictionary, unit) != register or (number > 0 and unit == by):
                continue
            own = tuple(one for one in columns if dictionary.variables[one.name].describes == unit)
            if own or (number == 0 and unit in joined):
                yield View(source, by, unit, own)


def _field(part: tuple[int, int]) -> str:
    return f"datasets[{part[0]}].through[{part[1]}].unit"


def _refuse_delivered(datasets: Sequence[PlannedDataset], parts: list[tuple[int, int]], where: str) -> None:
    unit = datasets[parts[0][0]].through[parts[0][1]].unit
    raise Refused(
        "unit_delivered",
        f"{unit} is delivered itself, in {where}: its attributes would tell which one it is.",
        f"{unit} est livrée elle-même, dans {where} : ses attributs diraient de laquelle il s’agit.",
        field=_field(parts[0]),
    )
