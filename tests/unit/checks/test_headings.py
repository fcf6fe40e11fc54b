"""Tables under the same headings as a released one whose numbers nobody could make again."""

from __future__ import annotations

from typing import Any

import pytest

from hub.checks import Place, Severity
from hub.checks.headings import Headings, find_unknown, headings_from_json, headings_of
from hub.checks.tables import Table

REGIONS = ["north", "south", "west"]


def headed(columns: list[str], labels: list[str], *, known: bool = True, table: int = 0) -> Headings:
    rows = [[label, *("1.5" for _ in columns[1:])] for label in labels]
    return headings_of(Table(columns, rows, place=Place(table=table)), known=known)


@pytest.mark.parametrize(
    ("columns", "labels", "alike"),
    [
        (["region", "n", "mean"], REGIONS, True),
        (["Region ", "N", "MEAN"], ["North", "SOUTH", "west"], True),
        (["region", "n"], REGIONS, True),
        (["region", "n", "mean"], ["north", "east"], True),  # half of the fewer labels
        (["region", "n", "mean"], ["alpha", "beta", "gamma"], False),
        (["industry", "firms", "turnover"], REGIONS, False),
        (["region", "a", "b", "c", "d"], REGIONS, False),
    ],
)
def test_a_table_is_compared_by_heads_and_labels(columns: list[str], labels: list[str], alike: bool) -> None:
    old = headed(["region", "n", "mean"], REGIONS, known=False)
    found = find_unknown([headed(columns, labels, table=2)], [(7, "wages.csv", old)])
    said = [(f.rule, f.severity, f.place.table, f.evidence["release"]) for f in found]
    assert said == ([("released_unknown", Severity.REVIEW, 2, 7)] if alike else [])


def test_labels_that_are_numbers_count() -> None:
    old = headed(["year", "n"], ["2001", "2002"], known=False)
    assert find_unknown([headed(["year", "n"], ["2001", "2002"])], [(1, "a", old)])
    assert not find_unknown([headed(["year", "n"], ["1990", "1991"])], [(1, "a", old)])


def test_known_tables_are_no_doubt_and_the_newest_release_is_named() -> None:
    new = headed(["region", "n"], REGIONS)
    known, unknown = headed(["region", "n"], REGIONS), headed(["region", "n"], REGIONS, known=False)
    assert find_unknown([new], [(1, "a", known)]) == []
    (told,) = find_unknown([new], [(1, "a", unknown), (5, "b", unknown), (9, "c", known)])
    assert (told.evidence["release"], told.evidence["table"]) == (5, "b")


@pytest.mark.parametrize(
    "change",
    [
        {"heads": "region"},
        {"heads": ["region"]},
        {"labels": ["0" * 12] * 201},
        {"labels": [["0" * 12]]},
        {"place": {"row": "x"}},
        {"place": {"nowhere": 1}},
        {"place": None},
        {"more": 1},
    ],
)
def test_only_what_was_written_is_read(change: dict[str, Any]) -> None:
    raw = headed(["region", "n"], REGIONS, known=False).to_json()
    assert headings_from_json(raw).to_json() == raw
    with pytest.raises(ValueError, match="headings"):
        headings_from_json({**raw, **change})
    assert headings_from_json({**raw, "known": "yes"}).known is False
