"""Suppressed cells that totals give away."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hub.checks.findings import Finding, Severity
from hub.checks.grids import find_solvable, find_unaudited, grids_of
from hub.checks.suppression import MAX_CELLS, Grid, Margins, audit, audit_sums, secondary
from hub.checks.tables import Table

T = 10


def hidden(grid: list[list[float]], *cells: tuple[int, int]) -> tuple[Grid, Margins]:
    """The grid with these cells suppressed, and all its totals."""
    values = np.array(grid, dtype=float)
    shown = [[None if (r, c) in cells else float(v) for c, v in enumerate(row)] for r, row in enumerate(grid)]
    return shown, Margins(list(values.sum(1)), list(values.sum(0)), float(values.sum()))


GRID = [[20.0, 30.0, 45.0], [15.0, 3.0, 60.0], [25.0, 35.0, 55.0]]


def test_one_suppressed_cell_is_known_exactly() -> None:
    (cell,) = audit(*hidden(GRID, (1, 1)), threshold=T)
    assert (cell.row, cell.column) == (1, 1)
    assert cell.low == pytest.approx(3)
    assert cell.high == pytest.approx(3)


def test_two_in_a_row_are_known_by_their_columns() -> None:
    assert len(audit(*hidden(GRID, (1, 1), (1, 0)), threshold=T)) == 2


def test_a_rectangle_protects() -> None:
    assert audit(*hidden(GRID, (1, 1), (1, 0), (0, 1), (0, 0)), threshold=T) == []


def test_nearly_known_is_known() -> None:
    """A rectangle of small numbers: each lies between 0 and 5."""
    grid = [[2.0, 3.0, 45.0], [3.0, 2.0, 60.0], [25.0, 35.0, 55.0]]
    cells = audit(*hidden(grid, (0, 0), (0, 1), (1, 0), (1, 1)), threshold=T)
    assert len(cells) == 4
    assert all(0 < cell.width < T for cell in cells)


def test_without_totals_nothing_is_known() -> None:
    shown, _ = hidden(GRID, (1, 1))
    assert audit(shown, Margins(), threshold=T) == []
    assert audit(shown, Margins(grand=288.0), threshold=T) != []  # the total of all is enough for one


def test_rounding_widens_what_is_known() -> None:
    shown, margins = hidden(GRID, (1, 1))
    (exact,) = audit(shown, margins, threshold=100, slack=0.0)
    (rounded,) = audit(shown, margins, threshold=100, slack=2.5)
    assert exact.width == pytest.approx(0)
    assert rounded.width > 5


def test_contradictory_totals_hide_nothing() -> None:
    shown, margins = hidden(GRID, (1, 1))
    wrong = Margins([*margins.rows[:1], 999.0, margins.rows[2]], margins.columns, margins.grand)
    assert audit(shown, wrong, threshold=T)


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(ValueError):
        audit([[1.0] * 201] * 100, Margins(), threshold=T)


@pytest.mark.parametrize("seed", range(6))
def test_the_proposal_protects_every_cell(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.poisson(40, (10, 8)).astype(float)
    values[random.random((10, 8)) < 0.1] = 4
    cells = [(int(r), int(c)) for r, c in np.argwhere(values < T)]
    shown, margins = hidden(values.tolist(), *cells)
    if cells:
        assert audit(shown, margins, threshold=T)  # primary suppression alone never holds here
    added = secondary(shown, margins, threshold=T)
    assert added is not None
    assert not set(added) & set(cells)
    assert audit(*hidden(values.tolist(), *cells, *added), threshold=T) == []
    assert shown[added[0][0]][added[0][1]] is not None  # the caller's grid is not touched


def test_a_single_suppressed_cell_needs_three_more() -> None:
    added = secondary(*hidden(GRID, (1, 1)), threshold=T)
    assert added is not None
    assert len(added) == 3


def test_no_proposal_where_there_is_nothing_to_hide_behind() -> None:
    assert secondary([[None]], Margins(rows=[3.0]), threshold=T) is None


def test_nothing_bounds_a_cell_of_no_total() -> None:
    (cell,) = audit([[None]], Margins(rows=[3.0]), threshold=math.inf)
    assert cell.width == 0


def table(text: str) -> Table:
    head, *rows = [line.split(",") for line in text.split()]
    return Table(head, rows)


CROSS = "sex,young,old,Total\nmen,20,*,24\nwomen,30,40,70\nTotal,50,44,94"
LIST = "region,n\nnorth,50\nsouth,*\nwest,40\nTotal,94"
LONG = (
    "sex,age,n\nmen,young,20\nmen,old,x\nwomen,young,30\nwomen,old,40\n"
    "men,Total,24\nwomen,Total,70\nTotal,young,50\nTotal,old,44\nTotal,Total,94"
)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (CROSS, [(0, 2)]),
        (CROSS.replace("*", ""), [(0, 2)]),
        (CROSS.replace("*", "<10"), [(0, 2)]),
        (LIST, [(1, 1)]),
        (LIST.replace("Total", "Ensemble"), [(1, 1)]),
        (LONG, [(1, 2)]),
        (LIST.replace("50", "*"), []),  # two hidden, one equation: 0 to 54
        (LIST.replace("Total,94", "Total,*"), []),  # no total published
        (LIST.replace("94", "95.5").replace("50", "50.25"), []),  # a mean's total is no sum
        (LIST.replace("*", "4"), []),  # nothing suppressed
        (LIST.replace("94", "190"), []),  # 100 persons: known, and not few
        (CROSS.replace("*", "").replace("24", "20").replace("44", "40").replace("94", "90"), []),  # nobody
    ],
)
def test_a_printed_table_is_audited(text: str, places: list[tuple[int, int]]) -> None:
    findings = find_solvable(table(text), threshold=T)
    assert [(f.place.row, f.place.column) for f in findings] == places
    assert all(f.rule == "suppression_solvable" and f.severity is Severity.BLOCK for f in findings)


def test_subtotals_are_left_alone() -> None:
    assert list(grids_of(table("region,n\na,*\nTotal,50\nb,40\nTotal,60"))) == []


def nested(hidden: dict[str, str], drop: tuple[str, ...] = ()) -> Table:
    """Persons by region, sex and age with every total; `hidden`: what stands instead of a number."""
    of = {"north": 1, "south": 2, "men": 1, "women": 3, "young": 5, "old": 7}
    rows = []
    for region in ("north", "south", "Total"):
        for sex in ("men", "women", "Total"):
            for age in ("young", "old", "Total"):
                names = f"{region}/{sex}/{age}"
                count = sum(
                    10 * of[a] * of[b] + of[c]
                    for a in (("north", "south") if region == "Total" else (region,))
                    for b in (("men", "women") if sex == "Total" else (sex,))
                    for c in (("young", "old") if age == "Total" else (age,))
                )
                if names not in drop:
                    rows.append([region, sex, age, hidden.get(names, str(count))])
    return Table(["region", "sex", "age", "n"], rows)


def places(found: list[Finding], printed: Table) -> list[str]:
    return ["/".join(printed.rows[f.place.row or 0][:3]) for f in found]


CUBE = {f"{a}/{b}/{c}": "*" for a in ("north", "south") for b in ("men", "women") for c in ("young", "old")}


@pytest.mark.parametrize(
    ("hidden", "known"),
    [
        ({"north/men/young": "*"}, ["north/men/young"]),
        # The square of one region protects within it, but the totals over regions give it back.
        (
            dict.fromkeys(("north/men/young", "north/men/old", "north/women/young", "north/women/old"), "*"),
            ["north/men/young", "north/men/old", "north/women/young", "north/women/old"],
        ),
        # A hidden subtotal is known from its parts, and gives nothing away beyond them.
        ({"north/men/Total": "*"}, ["north/men/Total"]),
        # Hidden together with its parts, the other totals give all three back.
        (dict.fromkeys(("north/men/young", "north/men/Total"), "*"), ["north/men/young", "north/men/Total"]),
    ],
)
def test_three_groupings_with_all_their_totals(hidden: dict[str, str], known: list[str]) -> None:
    printed = nested(hidden)
    found = find_solvable(printed, threshold=1000)
    assert sorted(places(found, printed)) == sorted(known)
    assert find_unaudited(printed) == []


def test_a_cube_of_hidden_numbers_is_known_as_nearly_as_it_is() -> None:
    """Eight unknowns and their margins leave one degree of freedom: each is known to within the smallest."""
    printed = nested(CUBE)
    assert find_solvable(printed, threshold=5) == []
    assert len(find_solvable(printed, threshold=1000)) == 8


def test_what_is_no_small_number_is_no_finding() -> None:
    printed = nested({"south/women/old": "*"})
    assert find_solvable(printed, threshold=10) == []
    assert places(find_solvable(nested({"north/men/young": "*"}), threshold=16), printed) == [
        "north/men/young"
    ]


def test_means_of_three_groupings_have_no_sums_and_are_said_not_to_be_audited() -> None:
    printed = nested({"north/men/young": "*", "north/men/Total": "14.5", "south/men/Total": "1.5"})
    assert find_solvable(printed, threshold=1000) == []
    assert [f.rule for f in find_unaudited(printed)] == ["suppressed_margins"]


def test_two_labels_and_a_total_column_are_three_groupings() -> None:
    text = (
        "region,sex,young,old,Total\nnorth,men,*,30,32\nnorth,women,20,40,60\nnorth,Total,22,70,92\n"
        "south,men,50,60,110\nsouth,women,70,80,150\nsouth,Total,120,140,260\n"
        "Total,men,52,90,142\nTotal,women,90,120,210\nTotal,Total,142,210,352"
    )
    found = find_solvable(table(text), threshold=T)
    assert [(f.place.row, f.place.column) for f in found] == [(0, 2)]


def test_sums_of_too_many_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        audit_sums([None] * (MAX_CELLS + 1), [], threshold=T)


@pytest.mark.parametrize("slack", [0.0, 2.5])
def test_contradictory_sums_hide_nothing(slack: float) -> None:
    found = audit_sums([None, 30.0, 20.0], [(2, [0, 1])], threshold=math.inf, slack=slack)
    assert [cell.row for cell in found] == [0]
