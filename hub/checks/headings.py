"""What the tables of a file are headed with, and whether all their numbers were made again.

A released number that nobody could make again has no known units, so nothing can be subtracted from it here.
A later table under the same heads, about the same labels, or with nearly the same numbers under any, must not
pass as if there were none such.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.checks.findings import Finding, Place, Severity
from hub.checks.panels import fold
from hub.checks.remembered import Nearness, Number, compare_numbers, numbers_from_json, numbers_of
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
    `known`: every number of it was made again, so its units are in the ledger. `numbers`: what it says, by
    row and column; tables kept before that was done have none."""

    place: Place
    heads: frozenset[str]
    labels: frozenset[str]
    known: bool
    numbers: tuple[Number, ...] = ()

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
            "numbers": [one.to_json() for one in self.numbers],
        }


def headings_of(table: Table, *, known: bool) -> Headings:
    """The headings of a printed table: its columns' names, and what its rows are about."""
    names = {number for row in table.rows for number in row[:1]}
    names |= {cell for row in table.rows for cell in row if number_of(cell) is None}
    return Headings(table.place, _hashed(table.columns), _hashed(names), known, numbers_of(table))


def _hashed(texts: Iterable[str]) -> frozenset[str]:
    folded = {fold(text.strip()) for text in texts} - {""}
    return frozenset(sorted(hashlib.sha256(text.encode()).hexdigest()[:12] for text in folded)[:_MOST])


def headings_from_json(raw: Any) -> Headings:
    """The inverse of `Headings.to_json`; raises ValueError on anything else, since hostile bytes may have
    written it."""
    if not isinstance(raw, dict) or {*raw} | {"numbers"} != {"place", "heads", "labels", "known", "numbers"}:
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
    heads, labels = frozenset(raw["heads"]), frozenset(raw["labels"])
    return Headings(place, heads, labels, raw["known"] is True, numbers_from_json(raw.get("numbers", [])))


def find_unknown(new: Sequence[Headings], released: Iterable[tuple[int, str, Headings]]) -> list[Finding]:
    """`released_unknown` for each table that is headed like a released one whose numbers have no known units,
    or has nearly its numbers; `released`: the number of the release, the name of the file, its headings. The
    newest such release is named, but one of which numbers are changed before one of which none is."""
    found: dict[Place, tuple[bool, Finding]] = {}
    for number, name, old in sorted(released, key=lambda one: -one[0]):
        for table in new:
            if old.known or found.get(table.place, (False,))[0]:
                continue
            near = compare_numbers(table.numbers, old.numbers)
            if near.telling or (table.like(old) and table.place not in found):
                found[table.place] = (near.telling, _told(near, table.place, name, release=number))
    return [one for _, one in found.values()]


def find_unknown_beside(new: Sequence[Headings], beside: Iterable[tuple[str, Headings]]) -> Iterator[Finding]:
    """The same for the tables of other files of the submission: of two that differ in some numbers, where the
    units behind one are not known. `beside`: the name of the file, and its headings."""
    others = list(beside)
    for table in new:
        for name, old in others:
            near = compare_numbers(table.numbers, old.numbers)
            if near.telling and not (table.known and old.known):
                yield _told(near, table.place, name, beside=name)
                break


def _told(near: Nearness, place: Place, name: str, **other: Any) -> Finding:
    """The finding, with what is known of the numbers: changed, nearly the same, or nothing."""
    evidence: dict[str, Any] = {"table": name, "same": near.same, "changed": near.changed, "near": near.near}
    with_own = "beside" in other
    rule = "beside_unknown" if with_own else "released_unknown"
    if near.changed:
        told = finding(
            f"{rule}_changed", Severity.REVIEW, place, evidence=evidence, **other,
            changed=near.changed, cells=near.same + near.changed,
        )  # fmt: skip
    elif near.near:
        told = finding(f"{rule}_near", Severity.REVIEW, place, evidence=evidence, cells=near.near, **other)
    else:
        told = finding(rule, Severity.REVIEW, place, evidence=evidence, **other)
    return replace(told, rule="released_unknown")
