"""The ledger: what two numbers tell together, and what they do not."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from pyroaring import BitMap

from hub.checks.cells import Cell
from hub.checks.differencing import Difference, differences, findings_of
from hub.checks.findings import Place, Severity
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell, probe_of
from hub.checks.memberships import Kind, Memberships, kind_of
from hub.checks.numbers import NUMBERS
from hub.checks.placing import answer
from hub.checks.sets import SetsFile, packed

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


def belonging(persons: range, **kinds: Kind) -> Memberships:
    return Memberships(BitMap(persons), kinds)


def blocks(size: int, persons: int = 2_000) -> Kind:
    """Everybody in a unit of so many, in the order of their numbers."""
    return kind_of(np.arange(persons), np.arange(persons) // size)


def related(
    new: BitMap,
    *released: tuple[str, str, BitMap],
    own: Memberships | None,
    theirs: Memberships | None = None,
    same: bool = True,
) -> list[tuple[str, bool]]:
    """The kinds of unit of which a new number tells too few, given releases, and whether that is sure.
    `same`: all are of one extract, whose memberships are `own`; else the releases are of another's, `theirs`.
    """
    theirs = own if same else theirs
    plain = ledger_of(*released)
    relation = None if theirs is None else "r"
    cells = [
        ReleasedCell(c.key, c.number, c.name, c.group, c.topic, c.size, c.probe, c.place, relation,
                     {} if theirs is None else theirs.having(plain._load(c)))
        for c in plain._cells
    ]  # fmt: skip
    ledger = Ledger(cells, plain._load, None if theirs is None else {"r": theirs}.__getitem__)
    one = ToldCell("new", "count", new, Place(), own, "r" if same and own is not None else "own")
    return [(d.kind, d.sure) for d in differences([one], ledger, T)]


EVERYONE = range(2_000)
HOMES = belonging(EVERYONE, household=blocks(13))
COUPLES = belonging(EVERYONE, household=blocks(2))
FIRMS = belonging(EVERYONE, household=blocks(2), employer=blocks(200))


@pytest.mark.parametrize(
    ("new", "released", "members", "expected"),
    [
        # Each table is about hundreds of households; twelve persons in the difference, of one.
        (people(12, 900), people(0, 900), HOMES, ["household"]),
        (people(0, 900), people(12, 900), HOMES, ["household"]),
        (people(13, 900), people(0, 900), HOMES, ["household"]),  # the whole household
        (people(0, 900), people(0, 900) - BitMap(range(0, 130, 13)), HOMES, []),  # ten of ten households
        (people(0, 900), people(0, 900) - BitMap(range(0, 117, 9)), HOMES, ["household"]),  # 13 of nine
        # One more person elsewhere does not hide them; ten do: then the sets cross.
        (people(12, 901), people(0, 900), HOMES, ["household"]),
        (people(12, 912), people(0, 900), HOMES, []),
        # The staff of one employer, of hundreds of households.
        (people(0, 1_000), people(0, 1_200), FIRMS, ["employer"]),
        (people(0, 1_000), people(0, 1_005), FIRMS, ["person"]),  # too few persons: said once
        # Women of a total: each household has one member of each sex but for a few, the men are many.
        (BitMap(range(0, 1_000, 2)), people(0, 1_000) | people(1_990, 2_000), COUPLES, []),
        (people(0, 900), people(0, 900), HOMES, []),
        (people(0, 900), people(1_000, 1_900), HOMES, []),
    ],
)  # fmt: skip
def test_two_safe_numbers_tell_about_few_households_or_employers(
    new: BitMap, released: BitMap, members: Memberships, expected: list[str]
) -> None:
    assert related(new, ("old", "count", released), own=members) == [(kind, True) for kind in expected]
    # As released by another project that knows the same, or nothing but persons.
    for theirs in (members, None):
        found = related(new, ("old", "count", released), own=members, theirs=theirs, same=False)
        assert found == [(kind, True) for kind in expected]


def test_parts_leave_few_households() -> None:
    parts = [("old", "count", people(start, start + 300)) for start in (12, 312, 612)]
    assert related(people(0, 912), *parts, own=HOMES) == [("household", True)]
    assert related(people(12, 912), *parts, own=HOMES) == []
    total = ("old", "count", people(0, 912))
    beside = ("old", "count", people(12, 500))
    assert related(people(500, 912), total, beside, own=HOMES) == [("household", True)]
    assert related(people(512, 912), total, beside, own=belonging(EVERYONE, household=blocks(1))) == []


def test_what_was_released_without_households_is_feared_where_the_persons_are_not_known() -> None:
    """Of the persons whom only the release is about nobody knows who lives with whom."""
    own = belonging(range(1_000), household=blocks(13, 1_000))
    released = ("old", "count", people(0, 1_012))
    assert related(people(0, 1_000), released, own=own, same=False) == [("household", False)]
    far = ("old", "count", people(0, 1_500))  # more than nine households of the largest kind
    assert related(people(0, 1_000), far, own=own, same=False) == []
    # Now the other way round: the release knows, the new extract does not.
    assert related(people(12, 900), ("old", "count", people(0, 900)), own=None, theirs=HOMES, same=False) == [
        ("household", True)
    ]


def test_employers_of_several_months_are_for_a_person_to_judge() -> None:
    """Twelve persons who once had one employer in common, and each another: nobody knows in which month."""
    pairs = [(n, 5_000) for n in range(12)] + [(n, n) for n in range(2_000)]
    members = belonging(EVERYONE, employer=kind_of([p for p, _ in pairs], [u for _, u in pairs]))
    new, old = people(12, 900), ("old", "count", people(0, 900))
    assert related(new, old, own=members) == [("employer", False)]


def test_a_finding_names_the_unit_and_blocks_only_what_is_sure() -> None:
    old = ReleasedCell("0", 7, "old.csv", "old", "count", 900, (), Place())
    new = told(people(0, 888))
    for kind, sure, severity, said in (
        ("household", True, Severity.BLOCK, "informe sur moins de 10 ménages"),
        ("employer", True, Severity.BLOCK, "informe sur moins de 10 employeurs"),
        ("household", False, Severity.REVIEW, "informe peut-être sur moins de 10 ménages"),
        ("farm", True, Severity.BLOCK, "informe sur moins de 10 unités « farm »"),
    ):
        difference = Difference(0, old, parts=False, same_topic=True, kind=kind, sure=sure)
        (finding,) = findings_of(new, [difference], T)
        assert finding.severity is severity
        assert said in finding.message["fr"]
        assert (finding.evidence["unit_type"], finding.evidence["units_known"]) == (kind, sure)


def test_nothing_hides_few_households_or_employers() -> None:
    """Against the plain definition, on random nested and nearly nested sets of people of random units."""
    random = np.random.default_rng(11)
    kinds = {
        "household": kind_of(np.arange(600), random.integers(0, 150, 600)),
        "employer": kind_of(np.arange(0, 600, 2), (random.pareto(1.0, 300) * 4).astype(int)),
    }
    members = belonging(range(600), **kinds)
    base = [BitMap(random.choice(600, int(random.integers(30, 500)), replace=False)) for _ in range(60)]
    seen = set()
    for old in base:
        unit = int(random.integers(0, 150))
        leaving = BitMap(np.flatnonzero(np.isin(kinds["household"].units, range(unit, unit + 12))).tolist())
        new = (old - leaving) | BitMap(random.choice(600, int(random.integers(0, 6)), replace=False))
        expected = set()
        for at, other in enumerate(base):
            only = [new - other, other - new]
            if len(new & other) < T or min(map(len, only)) >= T or max(map(len, only)) < T:
                continue
            for name, kind in kinds.items():
                counts = [len(set(kind.of(side)[1].tolist())) for side in only]
                expected |= {(at, name)} if max(counts) < T and any(counts) else set()
        released = [(f"t{at}", "count", other) for at, other in enumerate(base)]
        plain = ledger_of(*released)
        cells = [
            ReleasedCell(str(k), k, "", t, c, len(u), probe_of(u), Place(), "r", members.having(u))
            for k, (t, c, u) in enumerate(released)
        ]
        ledger = Ledger(cells, plain._load, {"r": members}.__getitem__)
        one = ToldCell("new", "count", new, Place(), members, "r")
        found = {
            (int(d.released.key), d.kind)
            for d in differences([one], ledger, T)
            if not d.parts and d.kind != "person"
        }
        assert found == expected
        seen |= {name for _, name in expected}
    assert seen == set(kinds)


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


def test_positions_become_numbers_of_the_space(tmp_path: Path) -> None:
    place = Place(table=0)
    cells = [
        Cell(2, 1, "people", "mean", "wage", 1.0, 3, None, None, place=place, held=0),
        Cell(2, 2, "people", "persons", None, 3.0, 3, None, None, place=place, held=1),
        Cell(2, 3, "people", "median", "wage", 3.0, 3, None, None, place=place, held=0),
        Cell(0, 1, "firms", "count", None, 3.0, None, None, None, place=place),
    ]
    content = NUMBERS + np.array([70, 50, 60], dtype="<u4").tobytes()
    numbers = tmp_path / f"{hashlib.sha256(content).hexdigest()}.numbers"
    numbers.write_bytes(content)
    with (tmp_path / "sets").open("w+b") as stream:
        stream.write(b"".join(packed([BitMap([0, 2]).serialize(), BitMap([1]).serialize()])))
        request = {
            "action": "place",
            "root": str(tmp_path),
            "fd": os.dup(stream.fileno()),
            "tables": {"people": {"space": "s", "numbers": str(numbers), "relation": None}},
            "cells": [cell.to_json() for cell in cells],
            "released": {},
            "beside": {},
            "min_units": T,
            "severity": "BLOCK",
        }
        stream.flush()
        head, *rest = answer(request)
    (made,) = json.loads(head)["spaces"]
    kept = SetsFile(io.BytesIO(b"".join(rest)))
    assert [kept[one["set"]] for one in made["cells"]] == [BitMap([60, 70]), BitMap([50]), BitMap([60, 70])]
    assert len(kept) == 2  # the statistics of a cell share one
    assert [one["topic"] for one in made["cells"]] == ["of wage", "count", "of wage"]
    assert made["cells"][0]["place"] == {"table": 0, "row": 2, "column": 1}
    assert made["cells"][0]["group"] == made["cells"][1]["group"]
    assert made["length"] == sum(map(len, rest))


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
    start = time.process_time()
    differences(new, ledger, T)
    return time.process_time() - start
