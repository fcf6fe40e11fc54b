"""The measures of one delivered table, each judged by the limits of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hub.documents.base import Text
from hub.documents.policies import RiskThresholds, ShareLimits, SizeLimits
from hub.extraction import risk_sentences as sentences
from hub.extraction.risk_groups import Codes, Numbers, coded, combined, share, size_classes
from hub.extraction.risk_reports import Light, Measure, MeasureId
from hub.extraction.risk_tables import DeliveredTable, latest_rows, one_row_each
from hub.extraction.risk_trajectories import Unicity, trajectory_unicity
from hub.extraction.risk_uniques import minimal_uniques

MONTHS = 12  # at most so many months are looked at for the worst one
_EMPLOYER_BORDERS = (1, 2, 3, 5, 10, 20, 50, 250, 1000)
_VALUE_BORDERS = (1, 2, 3, 4, 5, 10)
_HOUSEHOLD, _MEMBERS, _CODE = " household", " members", " code"  # no column can be called this


def share_light(figure: float, limits: ShareLimits) -> Light:
    """Above `notice` amber, above `decide` red."""
    if figure > limits.decide:
        return Light.RED
    return Light.AMBER if figure > limits.notice else Light.GREEN


def size_light(figure: float, limits: SizeLimits) -> Light:
    """Below `notice` amber, below `decide` red."""
    if figure < limits.decide:
        return Light.RED
    return Light.AMBER if figure < limits.notice else Light.GREEN


def _measure(
    id_: MeasureId,
    table: DeliveredTable,
    meaning: Text,
    *,
    figure: float | None,
    limits: ShareLimits | SizeLimits | None,
    units: int,
    **more: Any,
) -> Measure:
    """What could not be measured is amber."""
    if figure is None or limits is None:
        light = Light.AMBER
    elif isinstance(limits, ShareLimits):
        light = share_light(figure, limits)
    else:
        light = size_light(figure, limits)
    return Measure(
        id=id_,
        table=table.name,
        units=units,
        kind="size" if isinstance(limits, SizeLimits) else "share",
        figure=None if figure is None else float(figure),
        notice=None if limits is None else float(limits.notice),
        decide=None if limits is None else float(limits.decide),
        light=light,
        meaning=meaning,
        advice=sentences.ADVICE[id_],
        **{"unit": "person"} | more,
    )


@dataclass(frozen=True)
class _People:
    """One row per person: the quasi-identifiers as numbers, and the size of each person's group."""

    rows: pl.DataFrame
    columns: dict[str, Codes]
    sizes: Numbers


def people_measures(table: DeliveredTable, limits: RiskThresholds) -> list[Measure]:
    """Of the quasi-identifiers: groups in the sample and the population, uniques, diversity."""
    wanted = tuple(dict.fromkeys((*table.quasi_identifiers, *table.sensitive)))
    rows = one_row_each(table.frame, table.person, table.period, wanted)
    columns = {name: coded(rows[name]) for name in table.quasi_identifiers}
    people = _People(rows, columns, combined(columns.values(), rows.height).counts())
    if rows.is_empty():
        return [
            _measure(
                MeasureId.SAMPLE_K,
                table,
                sentences.nobody(),
                figure=None,
                limits=limits.below_k_share,
                units=0,
            )
        ]
    return [
        _sample(table, people, limits),
        _population(table, people, limits),
        _uniques(table, people, limits),
        *(
            measure(table, people, name, limits)
            for name in table.sensitive
            for measure in (_diversity, _population_diversity)
        ),
    ]


def _sample(table: DeliveredTable, people: _People, limits: RiskThresholds) -> Measure:
    sizes = people.sizes
    shares = {"below_k": share(sizes < limits.k), "alone": share(sizes == 1)}
    month = _worst_month(table, limits.k)
    if month is not None:
        shares["worst_month"] = month
    return _measure(
        MeasureId.SAMPLE_K,
        table,
        sentences.people(limits.k, shares["below_k"], shares["alone"], month),
        figure=max(shares["below_k"], month or 0.0),
        limits=limits.below_k_share,
        units=len(sizes),
        shares=shares,
        classes=size_classes(sizes, limits.k),
    )


def _worst_month(table: DeliveredTable, k: int) -> float | None:
    """The largest share, of the months looked at (evenly spread, first and last among them), of people
    who are fewer than `k` within the month; None where there is one month or no series."""
    if table.period is None or table.person is None:
        return None
    period = pl.col(table.period)
    rows = table.frame.filter(period.is_not_null() & pl.col(table.person).is_not_null())
    months = rows.select(period.unique()).collect(engine="streaming")[table.period].sort()
    if len(months) < 2:
        return None
    if len(months) > MONTHS:
        months = months.gather(np.linspace(0, len(months) - 1, MONTHS).round().astype(np.int64))
        rows = rows.filter(period.is_in(months.implode()))
    others = [name for name in table.quasi_identifiers if name != table.period]
    size = pl.col(_MEMBERS)
    found = (
        rows.group_by(table.period, *others)
        .agg(pl.col(table.person).n_unique().alias(_MEMBERS))
        .group_by(table.period)
        .agg(size.filter(size < k).sum().alias("few"), size.sum().alias("all"))
        .collect(engine="streaming")
    )
    return float((found["few"] / found["all"]).max() or 0.0)  # type: ignore[arg-type]  # a share


def _population(table: DeliveredTable, people: _People, limits: RiskThresholds) -> Measure:
    units = len(people.sizes)
    if table.population is None:
        return _measure(
            MeasureId.POPULATION_K,
            table,
            sentences.population_unknown(),
            figure=None,
            limits=limits.population_k,
            units=units,
        )
    sizes = _population_sizes(table, table.population, people)
    few = share(sizes < limits.population_k.notice)
    return _measure(
        MeasureId.POPULATION_K,
        table,
        sentences.population(int(sizes.min()), limits.population_k.notice, few),
        figure=int(sizes.min()),
        limits=limits.population_k,
        units=units,
        shares={"below_notice": few, "alone": share(sizes == 1)},
        classes=size_classes(sizes, limits.population_k.notice, limits.population_k.decide),
    )


def _population_sizes(table: DeliveredTable, population: pl.LazyFrame, people: _People) -> Numbers:
    """For each delivered person, how many of the population share the quasi-identifiers: never fewer than
    in the sample, whatever the population says.

    A person with several different rows (in the latest month, where the population has months) counts in
    each of their combinations.
    """
    names, found = list(table.quasi_identifiers), population.collect_schema().names()
    persons = population
    if table.person is not None and table.person in found:
        period = table.period if table.period in found else None
        persons = latest_rows(population, table.person, period)
        rows, different = (
            persons.select(pl.len(), pl.col(table.person).n_unique().alias(_MEMBERS))
            .collect(engine="streaming")
            .row(0)
        )
        if different < rows:
            persons = persons.select([*dict.fromkeys((table.person, *names))]).unique()
    groups = persons.group_by(names).agg(pl.len().alias(_MEMBERS)).collect(engine="streaming")
    both = (
        coded(pl.concat([people.rows.select(name), groups.select(name)], how="vertical_relaxed")[name])
        for name in names
    )
    sample = people.rows.height
    alike = combined(both, sample + groups.height).dense()
    counts = np.zeros(alike.size, dtype=np.int64)
    np.add.at(counts, alike.numbers[sample:], groups[_MEMBERS].cast(pl.Int64).to_numpy())
    return np.maximum(counts[alike.numbers[:sample]], people.sizes)


def _uniques(table: DeliveredTable, people: _People, limits: RiskThresholds) -> Measure:
    found = minimal_uniques(people.columns, np.flatnonzero(people.sizes == 1))
    units = len(people.sizes)
    return _measure(
        MeasureId.MINIMAL_UNIQUES,
        table,
        sentences.minimal_uniques(found.depth, found.people / units, found.leader),
        figure=found.people / units,
        limits=limits.below_k_share,
        units=units,
        shares={f"by_{size}": count / units for size, count in found.by_size.items()},
        columns=found.columns,
    )


def _diversity(table: DeliveredTable, people: _People, name: str, limits: RiskThresholds) -> Measure:
    """Different values of the sensitive variable among people alike in all *other* quasi-identifiers.

    A missing value protects nobody, so it is no value; groups where all are missing reveal nothing.
    """
    others = [codes for column, codes in people.columns.items() if column != name]
    groups = combined(others, people.rows.height).dense()
    values = coded(people.rows[name])
    known = people.rows[name].is_not_null().to_numpy()
    if not known.any():
        return _measure(
            MeasureId.L_DIVERSITY,
            table,
            sentences.nobody(),
            figure=None,
            limits=limits.l,
            units=0,
            variable=name,
        )
    pairs = np.unique(groups.numbers[known] * values.size + values.numbers[known])
    different = np.bincount(pairs // values.size, minlength=groups.size)[groups.numbers[known]]
    alike = share(different == 1)
    return _measure(
        MeasureId.L_DIVERSITY,
        table,
        sentences.diversity(name, int(different.min()), alike),
        figure=int(different.min()),
        limits=limits.l,
        units=len(different),
        variable=name,
        shares={"one_value": alike, "below_notice": share(different < limits.l.notice)},
        classes=size_classes(different, limits.l.notice, limits.l.decide, borders=_VALUE_BORDERS),
    )


def _population_diversity(
    table: DeliveredTable, people: _People, name: str, limits: RiskThresholds
) -> Measure:
    """Different values of the sensitive variable among the people of the population who are alike a delivered
    person in all *other* quasi-identifiers: what an observer may infer who knows the population, whoever was
    drawn. Never fewer than in the sample. Only delivered people whose value is known count."""
    known = people.rows[name].is_not_null().to_numpy()
    found = table.population
    if not known.any() or found is None or name not in found.collect_schema().names():
        return _measure(
            MeasureId.POPULATION_L,
            table,
            sentences.population_unknown() if known.any() else sentences.nobody(),
            figure=None,
            limits=limits.l,
            units=int(known.sum()),
            variable=name,
        )
    different = _population_values(table, found, people, name)[known]
    alike = share(different == 1)
    return _measure(
        MeasureId.POPULATION_L,
        table,
        sentences.population_diversity(name, int(different.min()), alike),
        figure=int(different.min()),
        limits=limits.l,
        units=len(different),
        variable=name,
        shares={"one_value": alike, "below_notice": share(different < limits.l.notice)},
        classes=size_classes(different, limits.l.notice, limits.l.decide, borders=_VALUE_BORDERS),
    )


def _population_values(
    table: DeliveredTable, population: pl.LazyFrame, people: _People, name: str
) -> Numbers:
    """For each delivered person, how many values of `name` the sample and the population together have among
    people alike in the other quasi-identifiers, in everybody's latest month."""
    names = [one for one in table.quasi_identifiers if one != name]
    persons, found = population, population.collect_schema().names()
    if table.person is not None and table.person in found:
        persons = latest_rows(population, table.person, table.period if table.period in found else None)
    pairs = persons.select(*names, name).unique().collect(engine="streaming")
    pairs = pl.concat([people.rows.select(*names, name), pairs], how="vertical_relaxed")
    groups = combined((coded(pairs[one]) for one in names), pairs.height).dense()
    values, known = coded(pairs[name]), pairs[name].is_not_null().to_numpy()
    distinct = np.unique(groups.numbers[known] * values.size + values.numbers[known])
    different = np.bincount(distinct // values.size, minlength=groups.size)
    return different[groups.numbers[: people.rows.height]]


def household_measure(table: DeliveredTable, household: str, limits: RiskThresholds) -> Measure:
    """Households that are alone in the multiset of their members' `composition`, in their latest month."""
    columns = [pl.col(household).alias(_HOUSEHOLD), *(pl.col(name) for name in table.composition)]
    rows = latest_rows(table.frame, household, table.period)
    if table.person is not None and table.person != household:
        members = [pl.col(household).alias(_HOUSEHOLD), pl.col(table.person).alias(_MEMBERS)]
        wanted = [*members, *(pl.col(name) for name in table.composition)]
        table_rows = rows.select(wanted).collect(engine="streaming")
        if table_rows.select(_HOUSEHOLD, _MEMBERS).is_duplicated().any():
            table_rows = table_rows.sort(table_rows.columns).unique([_HOUSEHOLD, _MEMBERS], keep="first")
    else:
        table_rows = rows.select(columns).collect(engine="streaming")
    members_alike = combined((coded(table_rows[name]) for name in table.composition), table_rows.height)
    sizes = (
        table_rows.select(_HOUSEHOLD, pl.Series(_CODE, members_alike.dense().numbers))
        .group_by(_HOUSEHOLD)
        .agg(pl.col(_CODE).sort())
        .select(pl.col(_CODE).cast(pl.List(pl.String)).list.join(","))
        .group_by(_CODE)
        .len()["len"]
        .cast(pl.Int64)
        .to_numpy()
    )
    units = int(sizes.sum())
    if not units:
        alone = None
        meaning, shares = sentences.nobody(), {}
    else:
        alone = int((sizes == 1).sum()) / units
        shares = {"alone": alone, "below_k": int(sizes[sizes < limits.k].sum()) / units}
        meaning = sentences.households(alone, shares["below_k"], limits.k)
    return _measure(
        MeasureId.HOUSEHOLDS,
        table,
        meaning,
        figure=alone,
        limits=limits.household_uniques,
        units=units,
        unit="household",
        shares=shares,
        classes=size_classes(sizes, limits.k, weights=sizes),
    )


def employer_measure(table: DeliveredTable, employer: str, limits: RiskThresholds) -> Measure:
    """Sizes of the delivered employers: in the population, or of the delivered persons where that is not
    known or less. An employer that the population does not have is counted so, too."""
    rows = latest_rows(table.frame, employer, table.period)
    count = pl.len() if table.person is None else pl.col(table.person).n_unique()
    delivered = rows.group_by(employer).agg(count.cast(pl.Int64).alias(_MEMBERS))
    size = pl.col(_MEMBERS)
    if table.employer_sizes is not None:
        key, known = table.employer_sizes.collect_schema().names()[:2]
        population = table.employer_sizes.select(
            pl.col(key).alias(employer), pl.col(known).cast(pl.Int64).alias(_CODE)
        )
        delivered = delivered.join(population, on=employer, how="left")
        size = pl.max_horizontal(_MEMBERS, _CODE)
    sizes = delivered.select(size).collect(engine="streaming").to_series().to_numpy()
    few = share(sizes < limits.employer_size.notice)
    return _measure(
        MeasureId.EMPLOYERS,
        table,
        sentences.employers(
            int(sizes.min()), limits.employer_size.notice, few, known=table.employer_sizes is not None
        )
        if len(sizes)
        else sentences.nobody(),
        figure=int(sizes.min()) if len(sizes) else None,
        limits=limits.employer_size,
        units=len(sizes),
        unit="employer",
        shares={"below_notice": few, "below_decide": share(sizes < limits.employer_size.decide)},
        classes=size_classes(
            sizes, limits.employer_size.notice, limits.employer_size.decide, borders=_EMPLOYER_BORDERS
        ),
    )


def trajectory_measure(
    id_: MeasureId, table: DeliveredTable, values: Sequence[str], limits: RiskThresholds, seed: bytes
) -> Measure:
    """The share of people singled out by known month-values of `values` (TRAJECTORIES) or by their
    characteristics in known months (CHARACTERISTICS), for the number that singles out most."""
    characteristics = id_ is MeasureId.CHARACTERISTICS
    found: Unicity | None = None
    if table.person is not None and table.period is not None:
        found = trajectory_unicity(
            table.frame,
            person=table.person,
            period=table.period,
            values=values,
            known=limits.trajectory_points,
            seed=seed,
        )
    tried = [point for point in found.points if point.people] if found is not None else []
    if found is None or not tried:
        return _measure(
            id_,
            table,
            sentences.trajectories_unknown(),
            figure=None,
            limits=limits.trajectory_unicity,
            units=0,
        )
    worst = max(tried, key=lambda point: point.share)
    return _measure(
        id_,
        table,
        sentences.trajectories(
            worst.known,
            worst.share,
            found.able[worst.known],
            (found.months_used, found.months),
            characteristics=characteristics,
        ),
        figure=worst.share,
        limits=limits.trajectory_unicity,
        units=found.people,
        points=found.points,
    )
