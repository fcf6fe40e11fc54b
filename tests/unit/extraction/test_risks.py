"""The measures of the risk report against a plain count of the same thing, row by row."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.documents.policies import RiskThresholds, ShareLimits, SizeLimits
from hub.extraction import risk_groups, risk_sentences
from hub.extraction.risk_trajectories import trajectory_unicity, wilson
from hub.extraction.risks import DeliveredTable, Light, Measure, MeasureId, RiskReport, risk_report

LIMITS = RiskThresholds(
    k=3,
    below_k_share=ShareLimits(notice=0.1, decide=0.4),
    population_k=SizeLimits(notice=5, decide=2),
    l=SizeLimits(notice=3, decide=2),
    household_uniques=ShareLimits(notice=0.1, decide=0.5),
    employer_size=SizeLimits(notice=4, decide=2),
    trajectory_points=(1, 2, 3),
    trajectory_unicity=ShareLimits(notice=0.2, decide=0.5),
)
MONTHS = [date(2020 + month // 12, month % 12 + 1, 1) for month in range(40)]

# Few values, so that groups of every size come up; None is a value that is missing.
people = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]), st.integers(0, 2), st.booleans(), st.sampled_from([1.5, 2.5, None])
    ),
    min_size=1,
    max_size=40,
)


def table(frame: pl.DataFrame, **columns: Any) -> DeliveredTable:
    """A table of persons `p` in which nothing else is said."""
    nothing: dict[str, Any] = {
        "person": "p",
        "household": None,
        "employer": None,
        "period": None,
        "quasi_identifiers": (),
        "sensitive": (),
        "trajectory": (),
        "composition": (),
        "population": None,
        "employer_sizes": None,
    }
    return DeliveredTable(name="t", frame=frame.lazy(), **nothing | columns)


def measured(of: DeliveredTable, id_: MeasureId) -> Measure:
    report = risk_report([of], LIMITS, seed=b"seed")
    [found] = [one for one in report.measures if one.id == id_]
    return found


def frame(rows: Sequence[tuple[Any, ...]], first: int = 0) -> pl.DataFrame:
    table = pl.DataFrame(
        rows,
        schema={"q1": pl.String, "q2": pl.Int64, "q3": pl.Boolean, "q4": pl.Float64},
        orient="row",
    )
    return table.with_row_index("p", offset=first).with_columns(pl.col("p").cast(pl.Int64))


QIS = ("q1", "q2", "q3", "q4")


# What must not be passed over


def test_nothing_delivered_is_no_report() -> None:
    with pytest.raises(ValueError, match="nothing is delivered"):
        risk_report([], LIMITS, seed=b"")


def test_a_table_without_any_measure_is_amber() -> None:
    of = table(pl.DataFrame({"p": [1, 2], "x": [1, 2]}))
    [found] = risk_report([of], LIMITS, seed=b"").measures
    assert (found.id, found.light) == (MeasureId.UNMEASURED, Light.AMBER)


def test_a_table_without_rows_is_amber() -> None:
    of = table(
        frame([]).with_columns(h=pl.lit(1), e=pl.lit(1), t=pl.lit(MONTHS[0])),
        quasi_identifiers=QIS,
        sensitive=("q4",),
        household="h",
        employer="e",
        period="t",
        trajectory=("q4",),
    )
    report = risk_report([of], LIMITS, seed=b"")
    assert {one.light for one in report.measures} == {Light.AMBER}
    assert {one.figure for one in report.measures} == {None}


def test_an_unknown_population_is_amber_not_green() -> None:
    of = table(frame([("a", 1, True, 1.5)] * 50), quasi_identifiers=QIS)
    found = measured(of, MeasureId.POPULATION_K)
    assert (found.figure, found.light) == (None, Light.AMBER)


@pytest.mark.parametrize("missing", ["person", "period"])
def test_a_trajectory_that_cannot_be_measured_is_amber(missing: str) -> None:
    rows = pl.DataFrame({"p": [1, 2], "t": [MONTHS[0]] * 2, "w": [1, 2]})
    of = table(rows, **{"period": "t", "trajectory": ("w",)} | {missing: None})
    found = measured(of, MeasureId.TRAJECTORIES)
    assert (found.figure, found.light) == (None, Light.AMBER)


def test_an_employer_the_population_does_not_know_counts_with_its_delivered_persons() -> None:
    rows = pl.DataFrame({"p": range(7), "e": [1, 1, 1, 1, 1, 1, 2]})
    sizes = pl.DataFrame({"employer": [1], "persons": [100]})
    found = measured(table(rows, employer="e", employer_sizes=sizes.lazy()), MeasureId.EMPLOYERS)
    assert (found.figure, found.light) == (1, Light.RED)


def test_a_population_that_misses_delivered_people_does_not_hide_them() -> None:
    of = table(frame([("a", 1, True, 1.5)] * 2), quasi_identifiers=QIS, population=frame([]).lazy())
    assert measured(of, MeasureId.POPULATION_K).figure == 2


# Against a plain count


@given(people)
def test_sample_k_is_that_of_a_plain_count(rows: list[tuple[Any, ...]]) -> None:
    counts = Counter(rows)
    found = measured(table(frame(rows), quasi_identifiers=QIS), MeasureId.SAMPLE_K)
    below = sum(counts[row] < LIMITS.k for row in rows) / len(rows)
    assert found.figure == pytest.approx(below)
    assert found.shares["alone"] == pytest.approx(sum(counts[row] == 1 for row in rows) / len(rows))
    assert found.units == len(rows) == sum(one.units for one in found.classes)
    for one in found.classes:
        inside = [row for row in rows if one.lower <= counts[row] <= (one.upper or 10**9)]
        assert one.units == len(inside)


@given(people, people)
def test_population_k_is_that_of_a_plain_count(
    rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]
) -> None:
    counts = Counter(rows + others)
    of = table(frame(rows), quasi_identifiers=QIS, population=frame(rows + others).lazy())
    found = measured(of, MeasureId.POPULATION_K)
    assert found.figure == min(counts[row] for row in rows)
    few = sum(counts[row] < LIMITS.population_k.notice for row in rows) / len(rows)
    assert found.shares["below_notice"] == pytest.approx(few)


@given(people, people)
def test_people_are_counted_in_the_population_not_their_rows(
    rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]
) -> None:
    everybody = frame(rows + others)
    once = table(frame(rows), quasi_identifiers=QIS, population=everybody.lazy())
    thrice = replace(once, population=pl.concat([everybody] * 3).lazy())
    assert measured(once, MeasureId.POPULATION_K) == measured(thrice, MeasureId.POPULATION_K)


@given(people)
def test_minimal_uniques_are_those_of_a_plain_search(rows: list[tuple[Any, ...]]) -> None:
    minimal: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for size in (1, 2, 3):
        for some in combinations(range(4), size):
            counts = Counter(tuple(row[i] for i in some) for row in rows)
            for who, row in enumerate(rows):
                alone = counts[tuple(row[i] for i in some)] == 1
                if alone and not any(set(part) < set(some) for part in minimal[who]):
                    minimal[who].append(some)
    having = [sets for sets in minimal.values() if sets]
    found = measured(table(frame(rows), quasi_identifiers=QIS), MeasureId.MINIMAL_UNIQUES)
    assert found.figure == pytest.approx(len(having) / len(rows))
    for size in (1, 2, 3):
        expected = sum(any(len(one) == size for one in sets) for sets in having) / len(rows)
        assert found.shares[f"by_{size}"] == pytest.approx(expected)
    for one in found.columns:
        taking = sum(any(QIS.index(one.column) in some for some in sets) for sets in having)
        assert one.share == pytest.approx(taking / len(having) if having else 0)


@given(people)
def test_diversity_is_that_of_a_plain_count(rows: list[tuple[Any, ...]]) -> None:
    values: dict[Any, set[Any]] = defaultdict(set)
    for *alike, value in rows:
        values[tuple(alike)] |= {value} - {None}
    known = [len(values[tuple(row[:3])]) for row in rows if row[3] is not None]
    of = table(frame(rows), quasi_identifiers=("q1", "q2", "q3"), sensitive=("q4",))
    found = measured(of, MeasureId.L_DIVERSITY)
    assert found.figure == (min(known) if known else None)
    if known:
        assert found.shares["one_value"] == pytest.approx(sum(one == 1 for one in known) / len(known))


@given(people, people)
def test_population_diversity_is_that_of_a_plain_count(
    rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]
) -> None:
    values: dict[Any, set[Any]] = defaultdict(set)
    for *alike, value in rows + others:
        values[tuple(alike)] |= {value} - {None}
    known = [len(values[tuple(row[:3])]) for row in rows if row[3] is not None]
    of = table(
        frame(rows),
        quasi_identifiers=("q1", "q2", "q3"),
        sensitive=("q4",),
        population=frame(rows + others).lazy(),
    )
    found = measured(of, MeasureId.POPULATION_L)
    assert found.figure == (min(known) if known else None)
    assert found.units == len(known)
    if known:
        assert found.shares["one_value"] == pytest.approx(sum(one == 1 for one in known) / len(known))
        assert sum(one.units for one in found.classes) == len(known)


def test_a_population_without_the_sensitive_variable_is_amber_not_green() -> None:
    rows = frame([("a", 1, True, 1.5), ("a", 1, True, 2.5), ("a", 1, True, 3.5)] * 20)
    of = table(rows, quasi_identifiers=QIS[:3], sensitive=("q4",))
    for population in (None, rows.lazy().drop("q4")):
        found = measured(replace(of, population=population), MeasureId.POPULATION_L)
        assert (found.figure, found.light) == (None, Light.AMBER)


def test_one_value_in_the_sample_may_be_many_in_the_population_and_never_the_other_way() -> None:
    rows = frame([("a", 1, True, 1.5)] * 3)
    many = frame([("a", 1, True, value) for value in (1.5, 2.5, 3.5)], first=100)
    of = table(rows, quasi_identifiers=QIS[:3], sensitive=("q4",), population=many.lazy())
    assert measured(of, MeasureId.L_DIVERSITY).figure == 1
    assert measured(of, MeasureId.POPULATION_L).figure == 3
    # Whatever the population lacks, what is delivered counts.
    other = replace(of, frame=many.lazy(), population=rows.lazy())
    assert measured(other, MeasureId.POPULATION_L).figure == 3


def test_a_persons_latest_month_counts_in_the_population() -> None:
    months = pl.DataFrame({"p": [1, 1], "t": MONTHS[:2], "q": [1, 1], "s": [7, 8]})
    of = table(months, period="t", quasi_identifiers=("q",), sensitive=("s",), population=months.lazy())
    assert measured(of, MeasureId.POPULATION_L).figure == 1


def test_a_sensitive_quasi_identifier_is_measured_against_the_others() -> None:
    of = table(
        frame([("a", 1, True, 1.5), ("a", 1, True, 2.5)] * 2), quasi_identifiers=QIS, sensitive=("q4",)
    )
    assert measured(of, MeasureId.L_DIVERSITY).figure == 2


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans()), min_size=1, max_size=40))
def test_households_are_compared_as_multisets_of_their_members(rows: list[tuple[int, int, bool]]) -> None:
    members: dict[int, list[Any]] = defaultdict(list)
    for household, age, sex in rows:
        members[household].append((age, sex))
    counts = Counter(tuple(sorted(one)) for one in members.values())
    table_ = pl.DataFrame(rows, schema=["h", "age", "sex"], orient="row").with_row_index("p")
    of = table(table_, household="h", composition=("age", "sex"))
    found = measured(of, MeasureId.HOUSEHOLDS)
    assert found.units == len(members)
    assert found.figure == pytest.approx(sum(one == 1 for one in counts.values()) / len(members))
    few = sum(one for one in counts.values() if one < LIMITS.k)
    assert found.shares["below_k"] == pytest.approx(few / len(members))


def test_the_order_of_members_does_not_make_a_household_unique() -> None:
    members = pl.DataFrame({"p": range(6), "h": [1, 1, 1, 2, 2, 2], "age": [40, 8, 5, 8, 40, 5]})
    of = table(members, household="h", composition=("age",))
    assert measured(of, MeasureId.HOUSEHOLDS).figure == 0
    of = table(
        members.with_columns(age=pl.Series([40, 8, 8, 8, 40, 40])), household="h", composition=("age",)
    )
    assert measured(of, MeasureId.HOUSEHOLDS).figure == 1  # a multiset, not a set


def test_a_household_is_that_of_its_latest_month() -> None:
    rows = [
        # In the first month each household is of its own kind; in their last months all are alike.
        *((10 * h + i, h, MONTHS[0], age) for h in range(4) for i, age in enumerate(range(h + 1))),
        *((10 * h, h, MONTHS[1 + h], 50) for h in range(4)),
    ]
    table_ = pl.DataFrame(rows, schema=["p", "h", "t", "age"], orient="row")
    of = table(table_, household="h", period="t", composition=("age",))
    assert measured(of, MeasureId.HOUSEHOLDS).figure == 0


def test_employers_are_as_large_as_in_the_population() -> None:
    rows = pl.DataFrame({"p": range(6), "e": [1, 1, 2, 2, 3, 3]})
    sizes = pl.DataFrame({"employer": [1, 2, 3, 4], "persons": [100, 3, 5, 1]})
    found = measured(table(rows, employer="e", employer_sizes=sizes.lazy()), MeasureId.EMPLOYERS)
    assert (found.figure, found.units, found.light) == (3, 3, Light.AMBER)
    assert found.shares["below_notice"] == pytest.approx(1 / 3)


# Series


def test_in_a_series_people_count_once_with_their_latest_month() -> None:
    rows = pl.DataFrame(
        {"p": [1, 1, 2, 2, 3, 3], "t": MONTHS[:2] * 3, "q": ["x", "a", "y", "a", "z", "a"]}
    ).sample(fraction=1, shuffle=True, seed=1)
    found = measured(table(rows, period="t", quasi_identifiers=("q",)), MeasureId.SAMPLE_K)
    assert found.units == 3
    assert found.shares == {"below_k": 0, "alone": 0, "worst_month": 1}
    assert found.figure == 1  # the worst month is what is judged


def test_the_worst_of_many_months_is_looked_for_among_a_dozen_with_first_and_last() -> None:
    rows = [(p, month, "a") for p in range(5) for month in MONTHS[1:-1]]
    rows += [(p, month, f"{p}") for p in range(5) for month in (MONTHS[0],)]
    table_ = pl.DataFrame(rows, schema=["p", "t", "q"], orient="row")
    of = table(table_, period="t", quasi_identifiers=("q",))
    assert measured(of, MeasureId.SAMPLE_K).shares["worst_month"] == 1


def test_the_order_of_rows_does_not_matter() -> None:
    dice = np.random.default_rng(5)
    rows = pl.DataFrame(
        {
            "p": dice.integers(0, 60, 600),
            "t": [MONTHS[i] for i in dice.integers(0, 9, 600)],
            "h": dice.integers(0, 20, 600),
            "e": dice.integers(0, 20, 600),
            "q1": dice.integers(0, 4, 600),
            "q2": dice.integers(0, 4, 600),
            "w": dice.integers(0, 4, 600),
        }
    )
    of = table(
        rows,
        period="t",
        household="h",
        employer="e",
        quasi_identifiers=("q1", "q2"),
        sensitive=("w",),
        trajectory=("w",),
        composition=("q1",),
        population=rows.lazy(),
    )
    shuffled = replace(of, frame=rows.sample(fraction=1, shuffle=True, seed=2).lazy())
    assert risk_report([of], LIMITS, seed=b"s") == risk_report([shuffled], LIMITS, seed=b"s")


# Trajectories


def panel(people: int, months: int, values: int, seed: int, presence: float = 0.8) -> pl.DataFrame:
    dice = np.random.default_rng(seed)
    grid = pl.DataFrame(
        {
            "p": np.repeat(np.arange(people) + 10**14, months),
            "t": [MONTHS[i] for _ in range(people) for i in range(months)],
            "w": dice.integers(0, values, people * months),
        }
    )
    return grid.filter(pl.Series(dice.random(people * months) < presence))


def expected_unicity(rows: pl.DataFrame, known: int) -> float:
    """The exact share over all people with so many points and all ways of knowing so many of them."""
    points: dict[int, set[Any]] = defaultdict(set)
    for who, month, value in rows.iter_rows():
        points[who].add((month, value))
    able = [own for own in points.values() if len(own) >= known]
    shares = []
    for own in able:
        ways = list(combinations(own, known))
        shares.append(
            sum(sum(set(way) <= other for other in points.values()) == 1 for way in ways) / len(ways)
        )
    return sum(shares) / len(shares)


@pytest.mark.parametrize(("values", "seed"), [(2, 1), (4, 2), (12, 3)])
def test_unicity_is_that_of_all_ways_of_knowing(values: int, seed: int) -> None:
    rows = panel(people=60, months=7, values=values, seed=seed)
    for known in (1, 2, 3):
        # A different draw each time: the mean of many comes close to the exact share.
        drawn = [
            trajectory_unicity(
                rows.lazy(), person="p", period="t", values=["w"], known=[known], seed=bytes([one])
            ).points[0]
            for one in range(60)
        ]
        mean = sum(one.share for one in drawn) / len(drawn)
        assert mean == pytest.approx(expected_unicity(rows, known), abs=0.02)


def test_two_exact_wages_single_out_almost_everyone_though_groups_are_large() -> None:
    dice = np.random.default_rng(4)
    rows = panel(people=400, months=12, values=1, seed=4).with_columns(q=pl.lit("same"))
    rows = rows.with_columns(w=pl.Series(dice.normal(3000, 400, rows.height).round(0)))
    of = table(rows, period="t", quasi_identifiers=("q",), trajectory=("w",))
    report = risk_report([of], LIMITS, seed=b"seed")
    by_id = {one.id: one for one in report.measures}
    assert by_id[MeasureId.SAMPLE_K].light == Light.GREEN
    assert by_id[MeasureId.TRAJECTORIES].light == Light.RED == report.light
    assert by_id[MeasureId.TRAJECTORIES].points[1].share > 0.9


def test_paths_of_communes_single_out_people_whose_wages_do_not() -> None:
    """Everybody earns the same and lives among several every month, but few move as somebody else does."""
    dice = np.random.default_rng(1)
    rows = pl.DataFrame(
        [
            {"p": person, "t": MONTHS[month], "commune": int(dice.integers(0, 4)), "wage": 1}
            for person in range(40)
            for month in range(20)
        ]
    )
    of = table(
        rows,
        period="t",
        quasi_identifiers=("commune",),
        sensitive=("wage",),
        trajectory=("wage",),
        characteristics=("commune",),
        population=rows.lazy(),
    )
    assert measured(of, MeasureId.TRAJECTORIES).figure == 0
    by_path = measured(of, MeasureId.CHARACTERISTICS)
    assert by_path.figure is not None
    assert by_path.figure > 0.3
    assert by_path.points[0].share == 0
    assert [point.known for point in by_path.points] == [1, 2, 3]
    assert "caractéristiques d’une personne pour" in by_path.meaning.fr


@pytest.mark.parametrize("missing", ["person", "period"])
def test_a_path_that_cannot_be_measured_is_amber(missing: str) -> None:
    rows = pl.DataFrame({"p": [1, 2], "t": [MONTHS[0]] * 2, "c": [1, 2]})
    content: dict[str, Any] = {"period": "t", "characteristics": ("c",)} | {missing: None}
    found = measured(table(rows, **content), MeasureId.CHARACTERISTICS)
    assert (found.figure, found.light) == (None, Light.AMBER)


def test_classes_make_trajectories_safer() -> None:
    rows = panel(people=300, months=12, values=4000, seed=6)
    classes = rows.with_columns(pl.col("w") // 1000)
    raw, banded = (
        measured(table(one, period="t", trajectory=("w",)), MeasureId.TRAJECTORIES) for one in (rows, classes)
    )
    assert raw.points[1].share > 0.95
    assert banded.points[1].share < 0.05


def test_unicity_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    rows = panel(people=500, months=10, values=6, seed=7).lazy()
    first, again, other = (
        trajectory_unicity(
            rows, person="p", period="t", values=["w"], known=[2, 3], seed=seed, max_people=100
        )
        for seed in (b"a", b"a", b"b")
    )
    assert first == again != other
    assert first.points[0].people == 100


def test_a_month_without_any_value_is_not_known() -> None:
    rows = pl.DataFrame({"p": [1, 1, 2], "t": [*MONTHS[:2], MONTHS[0]], "w": [5, None, 5]})
    found = trajectory_unicity(rows.lazy(), person="p", period="t", values=["w"], known=[1, 2], seed=b"")
    assert [(one.people, one.share) for one in found.points] == [(2, 0), (0, 0)]
    assert found.able == {1: 1, 2: 0}


def test_of_a_table_too_large_for_memory_some_months_are_used_and_everyone_in_them() -> None:
    rows = panel(people=200, months=20, values=3, seed=8, presence=1)
    some = trajectory_unicity(
        rows.lazy(), person="p", period="t", values=["w"], known=[3], seed=b"", max_points=1000
    )
    assert (some.months_used, some.months, some.people) == (5, 20, 200)
    least = trajectory_unicity(
        rows.lazy(), person="p", period="t", values=["w"], known=[3], seed=b"", max_points=10
    )
    assert least.months_used == 3  # or three months could not be known
    whole = trajectory_unicity(rows.lazy(), person="p", period="t", values=["w"], known=[3], seed=b"")
    assert some.points[0].share == pytest.approx(whole.points[0].share, abs=0.15)


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [
        (0, 0, 0, 1),
        (0, 10, 0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1),
        (94, 100, 0.8752, 0.9722),
    ],
)
def test_intervals_are_wilsons(hits: int, tries: int, low: float, high: float) -> None:
    assert wilson(hits, tries) == pytest.approx((low, high), abs=1e-4)


# Judgement and document


@pytest.mark.parametrize(
    ("alone", "light"),
    [(0, Light.GREEN), (1, Light.GREEN), (2, Light.AMBER), (4, Light.AMBER), (5, Light.RED)],
)
def test_shares_are_amber_above_notice_and_red_above_decide(alone: int, light: Light) -> None:
    rows = pl.DataFrame({"p": range(10), "q": [*range(alone), *[99] * (10 - alone)]})
    assert measured(table(rows, quasi_identifiers=("q",)), MeasureId.SAMPLE_K).light == light


@pytest.mark.parametrize(
    ("size", "light"), [(1, Light.RED), (2, Light.AMBER), (3, Light.AMBER), (4, Light.GREEN)]
)
def test_sizes_are_amber_below_notice_and_red_below_decide(size: int, light: Light) -> None:
    rows = pl.DataFrame({"p": range(size), "e": [1] * size})
    assert measured(table(rows, employer="e"), MeasureId.EMPLOYERS).light == light


SECRETS = ("zyxw-canton", "918273645", "secretstatus", "55443322")


def whole_report() -> RiskReport:
    """A report of everything, with values that would be recognised anywhere in it."""
    dice = np.random.default_rng(9)
    size = 400
    rows = pl.DataFrame(
        {
            "p": [918273645] * 3 + list(range(1, size - 2)),
            "t": [MONTHS[i] for i in dice.integers(0, 12, size)],
            "h": dice.integers(55443322, 55443322 + 200, size),
            "e": dice.integers(0, 40, size),
            "canton": ["zyxw-canton", *["north"] * (size - 1)],
            "age": dice.integers(0, 18, size),
            "status": ["secretstatus", *[f"s{i}" for i in dice.integers(0, 3, size - 1)]],
        }
    )
    of = table(
        rows,
        household="h",
        employer="e",
        period="t",
        quasi_identifiers=("canton", "age"),
        sensitive=("status",),
        trajectory=("status",),
        characteristics=("canton", "age"),
        composition=("age",),
        population=rows.lazy(),
    )
    return risk_report([of], LIMITS, seed=b"seed")


def test_the_report_survives_json_unchanged_and_refuses_what_it_does_not_know() -> None:
    report = whole_report()
    assert [one.id for one in report.measures] == [one for one in MeasureId if one != MeasureId.UNMEASURED]
    assert RiskReport.from_json(report.to_json()) == report
    with pytest.raises(ValidationError):
        RiskReport.from_json(json.dumps(json.loads(report.to_json()) | {"rows": []}))


def test_nothing_of_a_person_is_in_the_report() -> None:
    text = whole_report().to_json()
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_conclusions_say_where_and_what_to_do_but_no_number(language: str) -> None:
    report = whole_report()
    said = report.conclusions(language)
    worse = [one for one in report.measures if one.light != Light.GREEN]
    assert report.light == Light.RED
    assert len(said) == len(worse) + 1 == len(set(said))
    assert not any(character.isdigit() for sentence in said for character in sentence)
    assert all(one.startswith("t") for one in said[1:])


def test_a_green_report_concludes_in_one_sentence() -> None:
    rows = frame([("a", 1, True, 1.5)] * 50)
    report = risk_report([table(rows, quasi_identifiers=QIS, population=rows.lazy())], LIMITS, seed=b"")
    assert report.light == Light.GREEN
    assert len(report.conclusions("fr")) == 1


# Groups


def test_many_combinations_are_counted_without_a_large_table(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(3)
    columns = [risk_groups.coded(pl.Series(dice.integers(0, 9, 500))) for _ in range(4)]
    rows = np.arange(500)
    by_table = risk_groups.combined(columns, 500)
    expected = by_table.counts().tolist(), by_table.alone(rows).tolist()
    monkeypatch.setattr(risk_groups, "_COUNTABLE", 0)
    monkeypatch.setattr(risk_groups, "_LARGEST", 100)
    sorted_ = risk_groups.combined(columns, 500)
    assert (sorted_.counts().tolist(), sorted_.alone(rows).tolist()) == expected


# Sentences


@pytest.mark.parametrize(
    ("count", "fr", "en"),
    [
        (0, "0\u00a0valeur", "0 values"),
        (1, "1\u00a0valeur", "1 value"),
        (1234, "1\u202f234\u00a0valeurs", "1,234 values"),
    ],
)
def test_numbers_are_written_as_each_language_does(count: int, fr: str, en: str) -> None:
    said = risk_sentences.counted(count, ("valeur", "valeurs"), ("value", "values"))
    assert (said.fr, said.en) == (fr, en)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_sentences_have_the_signs_of_their_language(language: str) -> None:
    for one in whole_report().measures:
        for sentence in (one.meaning[language], one.advice[language]):
            assert "'" not in sentence
            assert sentence.endswith(".")
            assert ("\u202f%" in sentence) == ("%" in sentence and language == "fr")
