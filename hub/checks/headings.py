"""What the tables of a file are headed with, and whether all their numbers were made again.

A released number that nobody could make again has no known units, so nothing can be subtracted from it here.
A later table under the same heads, about the same labels, must not pass as if there were none such.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.checks.findings import Finding, Place, Severity
from hub.checks.panels import fold
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of

HEADINGS = "headings"  # in the summary of a report
MAX_TABLES = 40
_MOST = 200  # heads or labels of a table that are kept
_SHARED = 0.5  # of heads, and of the labels of the table that has fewer
_WORD = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Headings:
    """Of one printed table. `heads`, `labels`: hashes of the folded texts, which are enough to compare.
    `known`: every number of it was made again, so its units are in the ledger."""

    place: Place
    heads: frozenset[str]
    labels: frozenset[str]
    known: bool

    def like(self, other: Headings) -> bool:
        """Whether both tables have most heads and, where they have any, most labels in common."""
        heads = len(self.heads & other.heads) / max(len(self.heads | other.heads), 1)
        fewer = min(len(self.labels), len(other.labels))
        labels = len(self.labels & other.labels) / fewer if fewer else 1.0
        return heads >= _SHARED and labels >= _SHARED

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "place": self.place.to_json(),
            "heads": sorted(self.heads),
            "labels": sorted(self.labels),
            "known": self.known,
        }


def headings_of(table: Table, *, known: bool) -> Headings:
    """The headings of a printed table: its columns' names, and what its rows are about."""
    names = {number for row in table.rows for number in row[:1]}
    names |= {cell for row in table.rows for cell in row if number_of(cell) is None}
    return Headings(table.place, _hashed(table.columns), _hashed(names), known)


def _hashed(texts: Iterable[str]) -> frozenset[str]:
    folded = {fold(text.strip()) for text in texts} - {""}
    return frozenset(sorted(hashlib.sha256(text.encode()).hexdigest()[:12] for text in folded)[:_MOST])


def headings_from_json(raw: Any) -> Headings:
    """The inverse of `Headings.to_json`; raises ValueError on anything else, since hostile bytes may have
    written it."""
    if not isinstance(raw, dict) or set(raw) != {"place", "heads", "labels", "known"}:
        raise ValueError("headings")
    for name in ("heads", "labels"):
        words = raw[name]
        if not isinstance(words, list) or len(words) > _MOST:
            raise ValueError("headings")
        if not all(isinstance(word, str) and _WORD.fullmatch(word) for word in words):
            raise ValueError("headings")
    numbers = raw["place"]
    if not isinstance(numbers, dict) or not all(type(at) is int for at in numbers.values()):
        raise ValueError("headings")
    try:
        place = Place(**numbers)
    except TypeError as error:
        raise ValueError("headings") from error
    return Headings(place, frozenset(raw["heads"]), frozenset(raw["labels"]), raw["known"] is True)


def find_unknown(new: Sequence[Headings], released: Iterable[tuple[int, str, Headings]]) -> list[Finding]:
    """`released_unknown` for each table that is headed like a released one whose numbers have no known units;
    `released`: the number of the release, the name of the file, its headings. The newest such release is
    named."""
    found: dict[Place, Finding] = {}
    for number, name, old in sorted(released, key=lambda one: -one[0]):
        for table in new:
            if not old.known and table.place not in found and table.like(old):
                evidence = {"table": name}
                found[table.place] = finding(
                    "released_unknown", Severity.REVIEW, table.place, evidence=evidence, release=number
                )
    return list(found.values())
