"""A table as it would be delivered, and one row for each of its units."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class DeliveredTable:
    """What the risk report looks at: levels are applied, units are pseudonyms or any stable numbers.

    `period` is the column of the month where the table is a series. `trajectory` are the columns whose
    month-values a neighbour might know, `characteristics` the quasi-identifiers whose months one might,
    `composition` those that compose a household. `population` has the same quasi-identifiers and sensitive
    variables at the same levels for the whole source, with the person column and, where the source is a
    series, the period column. `employer_sizes` has the employer and its persons in the population, in this
    order.
    """

    name: str
    frame: pl.LazyFrame
    person: str | None
    household: str | None
    employer: str | None
    period: str | None
    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...]
    trajectory: tuple[str, ...]
    composition: tuple[str, ...]
    population: pl.LazyFrame | None
    employer_sizes: pl.LazyFrame | None
    characteristics: tuple[str, ...] = ()


def latest_rows(frame: pl.LazyFrame, unit: str, period: str | None) -> pl.LazyFrame:
    """The rows of each unit's latest month (all its rows without `period`); rows without a unit are left
    out."""
    rows = frame.filter(pl.col(unit).is_not_null())
    if period is None:
        return rows
    # Collected first: one plan with both would hold the rows themselves in memory.
    latest = rows.group_by(unit).agg(pl.col(period).max()).collect(engine="streaming")
    return rows.join(latest.lazy(), on=[unit, period], how="semi", nulls_equal=True)


def one_row_each(
    frame: pl.LazyFrame, unit: str | None, period: str | None, columns: tuple[str, ...]
) -> pl.DataFrame:
    """`columns` of one row per unit, from its latest month; of every row where there is no unit.

    A unit with several different rows in that month counts with the first of them in the order of values,
    so that the order of the file does not matter.
    """
    if unit is None:
        return frame.select(columns).collect(engine="streaming")
    if period == unit:
        period = None
    wanted = [unit, *(name for name in columns if name != unit)]
    rows = latest_rows(frame, unit, period).select(wanted).collect(engine="streaming")
    if rows[unit].n_unique() < rows.height:
        rows = rows.sort(wanted).unique(unit, keep="first", maintain_order=True)
    return rows
