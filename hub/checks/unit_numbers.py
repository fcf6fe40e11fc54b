"""The numbers by which a bare extract names its units, wherever a file holds them.

Pseudonyms are known by their form (`identifiers`). Other numbers of units have none: they are told from sums
and amounts by how many of a text are in the extract, against how many chance would put there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import polars as pl

from hub.checks.encodings import decoded_pieces
from hub.checks.findings import Finding, Severity
from hub.checks.identifiers import Text
from hub.checks.panels import Panel
from hub.checks.sentences import finding

_TOKEN = re.compile(r"(?<![\w.])[A-Za-z]{0,6}[-_]?\d{4,18}(?!\w|\.\d)")
_CHANCE = 1e-6
_MOST_CHARACTERS = 2_000_000


def find_unit_numbers(texts: Sequence[Text], panels: Sequence[Panel]) -> Iterator[Finding]:
    """`pseudonym`, BLOCK, for each text that holds numbers of units of the extract beyond chance."""
    told: set[frozenset[str]] = set()
    for text in texts:
        content = text.content[:_MOST_CHARACTERS]
        tokens = frozenset(_tokens(content))
        if not tokens or tokens in told:
            continue
        told.add(tokens)
        for panel in panels:
            hit = next((hit for column in _columns(panel) if (hit := _hits(tokens, column, panel))), None)
            if hit is not None:
                column, found = hit
                first = next((content.find(one) for one in sorted(found) if one in content), 0)
                line = content.count("\n", 0, max(first, 0))
                evidence = {"count": len(found), "lines": [line + 1], "variables": [column]}
                yield finding("pseudonym", Severity.BLOCK, text.place.within(line=line), evidence=evidence)
                break


def _tokens(content: str) -> Iterator[str]:
    """The numbers of a text that stand alone, also in what it has encoded."""
    yield from _TOKEN.findall(content)
    for piece, _ in decoded_pieces(content):
        yield from _TOKEN.findall(piece)


def _columns(panel: Panel) -> list[str]:
    """The columns of units whose numbers have no form of their own."""
    return [
        column
        for column in dict.fromkeys(panel.units.values())
        if column not in panel.part.identifiers
        and (panel.part.schema[column].is_integer() or panel.part.schema[column] == pl.String)
    ]


def _hits(tokens: frozenset[str], column: str, panel: Panel) -> tuple[str, set[str]] | None:
    """The tokens that are units of a column, where so many are no chance."""
    units = panel.part.distinct(column).drop_nulls()
    if units.dtype == pl.String:
        wanted = [one for one in tokens if not one.isdigit()]
        found = set(units.filter(units.is_in(wanted))) if wanted else set()
        return (column, found) if found and len(found) * 2 > len(wanted) else None
    if units.is_empty():
        return None
    numbers = units.cast(pl.Int64)
    low, high = int(numbers.to_numpy().min()), int(numbers.to_numpy().max())
    inside = {int(one) for one in tokens if one.isdigit() and low <= int(one) <= high}
    if not inside:
        return None
    wanted_numbers = pl.Series(sorted(inside), dtype=pl.Int64)
    hits = set(wanted_numbers.filter(wanted_numbers.is_in(numbers.implode())))
    density = units.len() / (high - low + 1)
    if not hits or _tail(len(inside), len(hits), density) >= _CHANCE:
        return None
    return column, {str(one) for one in hits}


def _tail(tried: int, hits: int, chance: float) -> float:
    """A bound of the probability of so many hits (Chernoff); 1 where they are no more than expected."""
    share = hits / tried
    if chance >= share:
        return 1.0
    if chance <= 0:
        return 0.0
    distance = share * math.log(share / chance)
    if share < 1:
        distance += (1 - share) * math.log((1 - share) / (1 - chance))
    return math.exp(-tried * distance)
