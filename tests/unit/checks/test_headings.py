"""Tables under the same headings as a released one whose numbers nobody could make again."""

from __future__ import annotations

from typing import Any

import pytest

from hub.checks import Place, Severity
from hub.checks.headings import (
    Headings,
    find_unknown,
    find_unknown_beside,
    headings_from_json,
    headings_of,
)
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
        {"numbers": None},
        {"numbers": [["0" * 12, "0" * 12, "1.5", "x"]]},
        {"numbers": [["region", "0" * 12, "1.5"]]},
        {"numbers": [["0" * 12, "0" * 12, "NaN"]]},
        {"numbers": [["0" * 12, "0" * 12, "9" * 99]]},
        {"numbers": [["0" * 12, "0" * 12, 1.5]]},
        {"numbers": [["0" * 12, "0" * 12, "1E+99999999"]]},
        {"numbers": [["0" * 12, "0" * 12, "1.5"]] * 601},
    ],
)
def test_only_what_was_written_is_read(change: dict[str, Any]) -> None:
    raw = headed(["region", "n"], REGIONS, known=False).to_json()
    assert headings_from_json(raw).to_json() == raw
    with pytest.raises(ValueError, match=r"headings|numbers"):
        headings_from_json({**raw, **change})
    assert headings_from_json({**raw, "known": "yes"}).known is False


REGION_INDEX = [["north", "118", "2.513"], ["south", "432", "3.105"], ["west", "227", "2.214"]]


def with_rows(columns: list[str], rows: list[list[str]], *, known: bool = True, table: int = 0) -> Headings:
    return headings_of(Table(columns, rows, place=Place(table=table)), known=known)


OLD = with_rows(["region", "n", "index"], REGION_INDEX, known=False)


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        # The same heads: how many numbers are changed.
        (
            ["region", "n", "index"],
            [["north", "118", "2.513"], ["south", "429", "3.105"], ["west", "227", "2.214"]],
            ("changed", 1),
        ),
        (["region", "n", "index"], [["north", "118", "2.513"], ["south", "429", "3.105"]], ("changed", 1)),
        # So many numbers more that the heads are mostly others.
        (
            ["region", "n", "a", "b", "c", "d", "e"],
            [[one[0], str(int(one[1]) - 2), *"12345"] for one in REGION_INDEX],
            ("changed", 3),
        ),
        # Other names of the columns, in a count of three or in an average hardly changed.
        (["gebiet", "personen"], [["north", "115"], ["south", "430"], ["west", "224"]], ("near", 3)),
        (["gebiet", "i"], [["north", "2.5"], ["south", "3.11"], ["west", "2.22"]], ("near", 3)),
        # Other names of all, in the same order; and the table turned.
        (["gebiet", "personen"], [["nord", "118"], ["sud", "430"], ["ouest", "226"]], ("near", 3)),
        (["what", "north", "south", "west"], [["persons", "117", "430", "226"]], ("near", 3)),
    ],
)
def test_numbers_that_are_changed_by_a_few_name_the_release(
    columns: list[str], rows: list[list[str]], said: tuple[str, int]
) -> None:
    (told,) = find_unknown([with_rows(columns, rows, table=1)], [(4, "index.csv", OLD)])
    assert (told.rule, told.severity, told.place.table) == ("released_unknown", Severity.REVIEW, 1)
    what, count = said
    assert told.evidence[what] == count
    assert "no. 4" in told.message["en"]
    assert "n° 4" in told.message["fr"]
    assert str(count) in told.message["fr"]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        # Clearly other numbers, and the same numbers under another name: nothing can be taken from them.
        (["gebiet", "personen"], [["north", "95"], ["south", "391"], ["west", "281"]]),
        (["gebiet", "personen"], [["north", "118"], ["south", "432"], ["west", "227"]]),
        # Small counts, years and short numbers of another order are near by chance.
        (["sex", "n"], [["f", "12"], ["m", "43"], ["x", "22"]]),
        (["gebiet", "index"], [["alpha", "2.5"], ["beta", "3.1"], ["gamma", "2.2"]]),
        (["gebiet", "personen"], [["nord", "118"], ["sud", "430"]]),
    ],
)
def test_numbers_that_are_near_by_chance_are_no_doubt(columns: list[str], rows: list[list[str]]) -> None:
    assert find_unknown([with_rows(columns, rows)], [(4, "index.csv", OLD)]) == []


def test_a_release_with_changed_numbers_is_named_before_a_newer_one_with_the_same() -> None:
    changed = [[one[0], str(int(one[1]) + 3), one[2]] for one in REGION_INDEX]
    newer = with_rows(["region", "n", "index"], changed, known=False)
    (told,) = find_unknown([OLD], [(4, "index.csv", newer), (9, "again.csv", OLD)])
    assert (told.evidence["release"], told.evidence["changed"]) == (4, 3)
    assert find_unknown([OLD], [(4, "index.csv", with_rows(["region", "n", "index"], changed))]) == []


def test_what_was_kept_without_numbers_is_still_compared_by_its_heads() -> None:
    kept = {name: value for name, value in OLD.to_json().items() if name != "numbers"}
    (told,) = find_unknown([OLD], [(4, "index.csv", headings_from_json(kept))])
    assert (told.rule, told.evidence["changed"]) == ("released_unknown", 0)


def test_of_a_large_table_the_same_numbers_are_kept_each_time() -> None:
    rows = [[f"r{k}", *(str(1_000 * k + j) for j in range(10))] for k in range(90)]
    large = with_rows(["of", *"abcdefghij"], rows, known=False)
    fewer = with_rows(["of", *"abcdefghij"], [[one[0], *one[1:-1], "7"] for one in rows[:80]])
    assert len(large.numbers) == 600
    assert headings_from_json(large.to_json()) == large
    (told,) = find_unknown([fewer], [(4, "large.csv", large)])
    assert 20 < told.evidence["changed"] < 80


def test_tables_of_one_submission_are_compared_where_one_is_unknown() -> None:
    changed = [[one[0], str(int(one[1]) + 3), one[2]] for one in REGION_INDEX]
    columns = ["region", "n", "index"]
    for ours, theirs in ((True, False), (False, True), (False, False)):
        new = with_rows(columns, changed, known=ours)
        other = with_rows(columns, REGION_INDEX, known=theirs)
        (told,) = find_unknown_beside([new], [("a.csv", other)])
        assert (told.rule, told.severity) == ("released_unknown", Severity.REVIEW)
        assert told.evidence["beside"] == "a.csv"
        assert "a.csv" in told.message["fr"]
    known = with_rows(columns, REGION_INDEX)
    assert list(find_unknown_beside([with_rows(columns, changed)], [("a.csv", known)])) == []
    assert list(find_unknown_beside([with_rows(columns, REGION_INDEX)], [("a.csv", OLD)])) == []


def test_numbers_beyond_every_bound_are_compared_too() -> None:
    huge = [
        ["north", "9e999", "0"],
        ["south", "-9e-999", "1e999"],
        ["west", "0", "2"],
        ["east", "0.0", "1e308"],
    ]
    old = with_rows(["region", "n", "index"], huge, known=False)
    assert headings_from_json(old.to_json()) == old
    for columns in (["region", "n", "index"], ["gebiet", "a", "b"]):
        find_unknown([with_rows(columns, huge)], [(4, "huge.csv", old)])
        find_unknown([with_rows(columns, [[one[0], "1", one[2]] for one in huge])], [(4, "huge.csv", old)])
