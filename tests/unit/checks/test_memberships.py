"""How many households or employers are behind a set of persons: exactly, within bounds, or not known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from hub.checks.memberships import (
    BadMemberships,
    Behind,
    Kind,
    Memberships,
    behind,
    kind_of,
    memberships_from,
    numbered,
)

T = 10


def households(size: int, persons: int = 1_000) -> Kind:
    """Everybody in a household of so many."""
    everyone = np.arange(persons)
    return kind_of(everyone, everyone // size)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"VITRINE UNITS 1\n",
        b"VITRINE UNITS 1\n{}\n",
        b'VITRINE UNITS 1\n{"kinds": ["a"], "lengths": [0]}\n',
        b'VITRINE UNITS 1\n{"kinds": [], "lengths": [3]}\nxyz',
        b"VITRINE LEDGER 1\n",
    ],
)
def test_what_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises(BadMemberships):
        memberships_from(content)


def test_what_was_written_is_read_again() -> None:
    made = Memberships(BitMap(range(50)), {"household": households(3, 50), "employer": kind_of([], [])})
    again = memberships_from(made.to_bytes())
    assert again.to_bytes() == made.to_bytes()
    assert again.having(BitMap(range(7))) == {"household": 7, "employer": 0}
    with pytest.raises(BadMemberships):
        memberships_from(made.to_bytes()[:-1])


@pytest.mark.parametrize(
    ("kind", "persons", "expected"),
    [
        (households(13), range(12), Behind.FEW),  # twelve of thirteen members
        (households(2), range(18), Behind.FEW),  # nine couples
        (households(2), range(20), Behind.MANY),  # ten
        (households(200), range(1_000), Behind.FEW),  # a thousand persons in five units
        (households(50), range(1_000), Behind.MANY),
        (kind_of([1, 2], [7, 7]), range(500, 700), Behind.NONE),  # nobody of them has an employer
        (kind_of([1, 2, 3], [7, 7, 8]), range(600), Behind.FEW),
        # Twelve persons who all were with one employer at some time, and each with one of their own.
        (kind_of([*range(12), *range(12)], [99] * 12 + list(range(12))), range(12), Behind.UNSURE),
        (kind_of([*range(24)], [n // 2 for n in range(24)]), range(24), Behind.MANY),
    ],
)
def test_units_behind_a_set_of_persons(kind: Kind, persons: range, expected: Behind) -> None:
    assert kind.behind(BitMap(persons), T) is expected


def test_what_nobody_kept_is_not_known() -> None:
    known = Memberships(BitMap(range(100)), {"household": households(2, 100)})
    assert behind("household", BitMap(range(50, 150)), T, (None, known)) is Behind.UNKNOWN
    assert behind("employer", BitMap(range(50)), T, (known,)) is Behind.UNKNOWN
    assert behind("household", BitMap(range(50)), T, (None, known)) is Behind.MANY
    assert behind("household", BitMap(), T, ()) is Behind.NONE


def test_positions_become_numbers() -> None:
    relation = (np.array([0, 2, 2], dtype=np.uint32), np.array([5, 6, 5], dtype=np.uint32))
    made = numbered([70, 50, 60], {"employer": relation})
    assert made.persons == BitMap([50, 60, 70])
    kind = made.kinds["employer"]
    assert list(zip(kind.persons.tolist(), kind.units.tolist(), strict=True)) == [(60, 5), (60, 6), (70, 5)]
    assert kind.most(1) == 2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 6)), min_size=1, max_size=20),
    st.integers(2, 4),
)
def test_many_is_never_said_of_what_few_units_could_hold(
    pairs: list[tuple[int, int]], threshold: int
) -> None:
    """Against all choices of units: rows of these persons name at least as many as hold them all."""
    kind = kind_of([person for person, _ in pairs], [unit for _, unit in pairs])
    persons = BitMap(range(9))
    theirs: dict[int, set[int]] = {}
    for person, unit in pairs:
        theirs.setdefault(person, set()).add(unit)
    units = sorted({unit for _, unit in pairs})
    fewest = next(
        size
        for size in range(1, len(units) + 1)
        if any(all(own & set(choice) for own in theirs.values()) for choice in combinations(units, size))
    )
    state = kind.behind(persons, threshold)
    assert state is not Behind.MANY or fewest >= threshold
    assert (state is Behind.FEW) == (len(units) < threshold)
