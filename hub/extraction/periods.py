"""The months that a request is about: which rows they leave, and whether the data reach so far."""

from __future__ import annotations

from datetime import date

import polars as pl

from hub.documents.dictionaries import Dictionary
from hub.documents.requests import Period
from hub.domain.errors import Refused


def check_coverage(
    dictionary: Dictionary, period: Period | None, *, field: str, beside_months: bool = False
) -> None:
    """Return only if the source has all months of `period`; Refused naming `field` otherwise.

    A source that is no series of months is delivered whole. Where there is such a series beside it
    (`beside_months`), which has all the months, it is enough that it is about one of them: a census of 2011
    beside wages of 2010 to 2014.
    """
    if period is None:
        return
    covered = dictionary.reference_period
    first, last = f"{covered.first:%Y-%m}", f"{covered.last:%Y-%m}"
    whole = first <= period.first and period.last <= last
    meets = first <= period.last and period.first <= last
    if whole or (meets and beside_months and dictionary.record.period is None):
        return
    raise Refused(
        "outside_coverage",
        f"The source {dictionary.name} covers {first} to {last}, not {period.first} to {period.last}.",
        f"La source {dictionary.name} couvre {first} à {last}, pas {period.first} à {period.last}.",
        field=field,
    )


def check_collected(dictionary: Dictionary, name: str, period: Period | None, *, field: str) -> None:
    """Return only if the variable was collected in all months of `period`; of a source that is no series of
    months, in all those of them that the source is about."""
    variable = dictionary.variables[name]
    if period is None:
        return
    asked_first, asked_last = period.first, period.last
    if dictionary.record.period is None:
        covered = dictionary.reference_period
        asked_first = max(asked_first, f"{covered.first:%Y-%m}")
        asked_last = min(asked_last, f"{covered.last:%Y-%m}")
    first, last = variable.first or "0000-00", variable.last or "9999-99"
    if asked_first < first or asked_last > last:
        en = " and ".join(
            [f"from {first}"] * (variable.first is not None) + [f"until {last}"] * (variable.last is not None)
        )
        fr = " et ".join(
            [f"à partir de {first}"] * (variable.first is not None)
            + [f"jusqu’à {last}"] * (variable.last is not None)
        )
        raise Refused(
            "outside_coverage",
            f"{name} was collected {en}, not for all of {period.first} to {period.last}.",
            f"{name} a été recueillie {fr}, pas pour tout {period.first} à {period.last}.",
            field=field,
        )


def within(table: pl.LazyFrame, dictionary: Dictionary, period: Period | None) -> pl.LazyFrame:
    """The rows of the period's months; all of them where the source is no series of months."""
    column = dictionary.record.period
    if period is None or column is None:
        return table
    year, month = (int(part) for part in period.last.split("-"))
    after = date(year + month // 12, month % 12 + 1, 1)
    first = date.fromisoformat(f"{period.first}-01")
    return table.filter((pl.col(column) >= pl.lit(first)) & (pl.col(column) < pl.lit(after)))
