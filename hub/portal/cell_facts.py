"""The units behind the numbers of a file, as the checks made them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.checks import Report
from hub.portal.languages import Words

Spot = tuple[int | None, int | None, int | None]  # notebook cell, output, table: a printed table in its file
_UNITS = ("persons", "households", "employers")
_STATISTICS = (
    "count", "persons", "share", "sum", "mean", "median", "quantile", "sd", "variance", "se",
    "ci_low", "ci_high", "min", "max", "gini",
)  # fmt: skip


@dataclass(frozen=True)
class CellFacts:
    """One number made again. `row`, `column` from 0; unit counts are None where the extract has no such
    unit; `few`: one of them is below the threshold. `shares`: of the largest and the two largest persons."""

    row: int
    column: int
    statistic: str
    variable: str | None
    value: float
    persons: int | None
    households: int | None
    employers: int | None
    shares: tuple[float, float] | None
    few: bool


def facts_of(report: Report | None, *, min_units: int) -> Mapping[Spot, Mapping[tuple[int, int], CellFacts]]:
    """Printed table → (row, column) → facts. What the stored summary does not say as expected is left out."""
    raw = report.summary.get("cells_reproduced") if report is not None else None
    found: dict[Spot, dict[tuple[int, int], CellFacts]] = {}
    for one in raw if isinstance(raw, list) else ():
        if not isinstance(one, dict):
            continue
        fact, place = _fact(one, min_units), one.get("place")
        if fact is None or not isinstance(place, dict):
            continue
        spot = (place.get("cell"), place.get("output"), place.get("table") or 0)
        found.setdefault(spot, {})[fact.row, fact.column] = fact
    return found


def _fact(raw: Mapping[str, Any], min_units: int) -> CellFacts | None:
    try:
        units = [None if raw[name] is None else int(raw[name]) for name in _UNITS]
        shares = raw["top_shares"]
        return CellFacts(
            int(raw["row"]),
            int(raw["column"]),
            str(raw["statistic"]),
            None if raw["variable"] is None else str(raw["variable"]),
            float(raw["value"]),
            units[0],
            units[1],
            units[2],
            None if shares is None else (float(shares[0]), float(shares[1])),
            any(count is not None and 0 < count < min_units for count in units),
        )
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def sentence(words: Words, fact: CellFacts) -> str:
    """ "Mean of wage. 12 persons, 9 households, 3 employers. Largest person 34 %, two largest 51 % …"."""
    return f"{statistic(words, fact)}. {units(words, fact)}"


def units(words: Words, fact: CellFacts) -> str:
    """The units behind the number and, for amounts, how much of it the largest are."""
    counts = [
        words(f"behind.{name}", n=count) for name in _UNITS if (count := getattr(fact, name)) is not None
    ]
    told = ", ".join(counts) if counts else words("behind.unknown")
    if fact.shares is None:
        return told
    one, two = (words.number(100 * share, 1) for share in fact.shares)
    return f"{told}. {words('behind.shares', one=one, two=two)}"


def statistic(words: Words, fact: CellFacts) -> str:
    """ "Mean of wage", in the reader's language; a word of a later version is said as it is."""
    known = words(f"behind.stat_{fact.statistic}") if fact.statistic in _STATISTICS else fact.statistic
    return words("behind.of", statistic=known, variable=fact.variable) if fact.variable else known


def listed(
    facts: Mapping[Spot, Mapping[tuple[int, int], CellFacts]], limit: int
) -> Sequence[tuple[Spot, CellFacts]]:
    """The first `limit` of all, in the order of the file."""
    every = [(spot, one) for spot, cells in facts.items() for one in cells.values()]
    return every[:limit]
