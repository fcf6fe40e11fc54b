"""The ledger: what two numbers tell together, and what they do not."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pyroaring import BitMap

from hub.checks.cells import Cell
from hub.checks.differencing import differences, findings_of
from hub.checks.findings import Place, Severity
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of, told_cells

T = 10
Sets = dict[str, BitMap]


def people(first: int, last: int, *without: int) -> BitMap:
    return BitMap(set(range(first, last)) - set(without))


def ledger_of(*cells: tuple[str, str, BitMap]) -> Ledger:
    """Released cells given as (table, topic, persons), one release per table."""
    sets = {str(k): members for k, (_, _, members) in enumerate(cells)}
    tables = list(dict.fromkeys(table for table, _, _ in cells))
    released = [
        ReleasedCell(
            str(k),
            tables.index(table) + 1,
            f"{table}.csv",
            table,
            topic,
            len(members),
            probe_of(members),
            Place(row=k, column=1),
        )
        for k, (table, topic, members) in enumerate(cells)
    ]
    return Ledger(released, lambda cell: sets[cell.key])


def told(*sets: BitMap, topic: str = "count") -> list[ToldCell]:
    return [ToldCell("new", topic, members, Place(row=k, column=1)) for k, members in enumerate(sets)]


@pytest.mark.parametrize(
    ("new", "released", "is_told"),
    [
        (people(0, 100), people(0, 99), True),  # one person more
        (people(0, 100), people(0, 109), True),  # nine fewer
        (people(0, 100), people(0, 110), False),  # ten: enough
        (people(0, 100), people(0, 90), False),
        (people(0, 100), people(0, 100), False),  # the same persons: nothing new
        (people(0, 100), people(4, 105), True),  # exchanged: four against five
        (people(0, 100), people(50, 400), False),  # crossing: the intersection is not known
        (people(0, 100), people(200, 300), False),
        (people(0, 19), people(10, 29), False),  # crossing, however small
        (people(0, 9), people(0, 11), False),  # too small by itself: another rule's
        (people(0, 100, 3, 50, 97), people(0, 100), True),
    ],
)
def test_two_sets_tell_about_the_few_in_whom_they_differ(
    new: BitMap, released: BitMap, is_told: bool
) -> None:
    assert bool(differences(told(new), ledger_of(("old", "count", released)), T)) is is_told


def test_a_total_of_which_a_release_shows_all_but_a_few() -> None:
    old = [("old", "count", people(start, start + 30)) for start in (0, 30, 60)]
    found = differences(told(people(0, 95)), ledger_of(*old), T)
    assert [(d.new, d.parts, d.same_topic) for d in found] == [(0, True, True)]
    assert not differences(told(people(0, 90)), ledger_of(*old), T)  # no rest
    assert not differences(told(people(0, 100)), ledger_of(*old), T)  # a rest of ten
    coarse = [*old, ("old", "count", people(0, 90))]  # a subtotal beside its parts
    assert differences(told(people(0, 95)), ledger_of(*coarse), T)


def test_new_parts_of_a_released_total_leave_a_few() -> None:
    total = ("old", "count", people(0, 100))
    assert differences(told(people(0, 50), people(50, 95)), ledger_of(total), T)
    assert not differences(told(people(0, 50), people(50, 85)), ledger_of(total), T)
    # One new part completes what the released table itself shows in part.
    shown = ("old", "count", people(0, 40))
    assert differences(told(people(40, 95)), ledger_of(total, shown), T)
    assert not differences(told(people(40, 80)), ledger_of(total, shown), T)


def test_a_table_released_again_is_not_blocked() -> None:
    sets = [people(0, 50), people(50, 95), people(0, 100)]
    old = ledger_of(*(("old", "count", members) for members in sets))
    assert differences(told(*sets), old, T) == []


def test_another_topic_is_for_a_person_to_judge() -> None:
    old = ledger_of(("old", "of wage", people(0, 97)))
    new = told(people(0, 100))
    (finding,) = findings_of(new, differences(new, old, T), T)
    assert finding.severity is Severity.REVIEW
    new = told(people(0, 100), topic="of wage")
    (finding,) = findings_of(new, differences(new, old, T), T)
    assert finding.severity is Severity.BLOCK


def test_a_finding_names_release_and_cell_and_no_number_of_persons() -> None:
    old = ledger_of(("first", "count", people(500, 600)), ("second", "count", people(0, 97)))
    new = told(people(0, 100))
    (finding,) = findings_of(new, differences(new, old, T), T)
    assert finding.rule == "differencing"
    assert finding.evidence["release"] == 2
    assert finding.evidence["table"] == "second.csv"
    assert (finding.evidence["row"], finding.evidence["cell_column"]) == (2, 2)
    said = f"{finding.message} {finding.evidence}"
    assert "100" not in said
    assert "97" not in said
    assert " 3 " not in said


def test_the_probes_never_hide_a_difference() -> None:
    """Against the plain definition, on random nested and near sets."""
    random = np.random.default_rng(7)
    base = [BitMap(random.choice(400, int(random.integers(10, 300)), replace=False)) for _ in range(40)]
    near = []
    for members in base:
        changed = BitMap(members)
        for number in random.choice(400, int(random.integers(0, 14)), replace=False):
            if int(number) in changed:
                changed.remove(int(number))
            else:
                changed.add(int(number))
        near.append(changed)
    ledger = ledger_of(*((f"t{k}", "count", members) for k, members in enumerate(base)))
    for members in near:
        expected = {
            k
            for k, old in enumerate(base)
            if len(members & old) >= T and len(members - old) < T and len(old - members) < T
        }
        assert {int(cell.key) for cell, _, _ in ledger.near(members, T)} == expected
        contained = {k for k, old in enumerate(base) if old < members}
        assert {int(c.key) for cells in ledger.inside(members).values() for c, _ in cells} == contained
        assert {int(c.key) for c, _ in ledger.around(members)} == {
            k for k, old in enumerate(base) if members < old
        }


def test_positions_become_numbers_of_the_space() -> None:
    place = Place(table=0)
    cells = [
        Cell(2, 1, "people", "mean", "wage", 1.0, 3, None, None, units=BitMap([0, 2]), place=place),
        Cell(2, 2, "people", "persons", None, 3.0, 3, None, None, units=BitMap([1]), place=place),
        Cell(0, 1, "firms", "count", None, 3.0, None, None, None, units=None, place=place),
    ]
    (made,) = told_cells(cells, {"people": [70, 50, 60]}).values()
    assert [cell.units for cell in made] == [BitMap([60, 70]), BitMap([50])]
    assert [cell.topic for cell in made] == ["of wage", "count"]
    assert made[0].place == Place(table=0, row=2, column=1)
    assert made[0].group == made[1].group


@pytest.mark.timeout(60)
def test_one_new_cell_against_three_thousand_in_fifty_milliseconds() -> None:
    random = np.random.default_rng(1)
    sizes = random.integers(10, 60_000, 3_000)
    cells = [
        (f"t{k // 30}", "count", BitMap(random.choice(650_000, int(size), replace=False).astype(np.uint32)))
        for k, size in enumerate(sizes)
    ]
    ledger = ledger_of(*cells)
    new = told(BitMap(random.choice(650_000, 30_000, replace=False).astype(np.uint32)))
    best = min(_seconds(new, ledger) for _ in range(3))
    assert best <= 0.05


def _seconds(new: list[ToldCell], ledger: Ledger) -> float:
    start = time.perf_counter()
    differences(new, ledger, T)
    return time.perf_counter() - start
