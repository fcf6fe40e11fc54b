"""The people of the synthetic registers, where they live, and the datawarehouse's tables about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Rng = np.random.Generator

WITHOUT, FIRST_IN_2005, EARLIER = 2_400_000, 13_000, 12_000
SECTORS = 19_781  # as many at every scale: how many areas share a value does not depend on it
TYPES = 5  # of neighbourhoods, from the least to the most deprived
QUARTERS = np.array(["2005-03-31", "2005-06-30", "2005-09-30", "2005-12-31"], dtype="datetime64[D]")
# Arrondissement (the first two digits of a municipality) → per mille of the population.
POPULATION = {
    11: 91, 12: 30, 13: 40, 21: 97, 23: 54, 24: 45, 25: 35, 31: 26, 32: 5, 33: 10,
    34: 27, 35: 14, 36: 14, 37: 8, 38: 6, 41: 25, 42: 18, 43: 8, 44: 48, 45: 11,
    46: 21, 51: 8, 52: 40, 53: 24, 54: 7, 55: 17, 56: 14, 57: 14, 61: 10, 62: 56,
    63: 26, 64: 7, 71: 37, 72: 21, 73: 19, 81: 5, 82: 4, 83: 5, 84: 6, 85: 5,
    91: 10, 92: 28, 93: 6,
}  # fmt: skip
FLEMISH = frozenset({11, 12, 13, 23, 24, *range(31, 47), 71, 72, 73})
BRUSSELS, VERVIERS = 21, 63
ABROAD = np.array([
    "FR", "NL", "DE", "LU", "IT", "ES", "PT", "GR", "GB", "IE", "AT", "DK", "SE", "FI", "PL", "HU",
    "CZ", "SK", "SI", "EE", "LV", "LT", "CY", "MT", "RO", "BG", "RU", "UA", "CS", "AL", "TR", "MA",
    "DZ", "TN", "CD", "RW", "BI", "CM", "GH", "SN", "CN", "IN", "PK", "VN", "PH", "US", "CA", "BR",
    "XX", "MA", "MA", "TR", "TR", "IT", "FR", "NL", "CD", "PL",
])  # fmt: skip
# Edges of the Atlas's five classes, as in policies/classes/atlas_*_fifths.yaml, and the range around them.
EDGES = {
    "high_shares": (20, 40, 50, 60, 70, 95),
    "middle_shares": (5, 20, 30, 40, 50, 75),
    "low_shares": (0, 5, 10, 15, 20, 45),
    "indices": (0, 2, 4, 6, 8, 10),
    "incomes": (9_000, 14_000, 16_000, 18_000, 21_000, 32_000),
    "households": (2, 20, 50, 100, 200, 600),
}
RISING = {  # with deprivation
    "low_shares": "no_central_heating jobseekers long_jobseekers no_work_income foreigners",
    "middle_shares": "single_parent_low_diploma single_low_diploma low_skill_services manual_workers",
    "households": "no_car_households",
    "indices": "deprivation theme_housing theme_education theme_employment theme_health",
}
FALLING = {
    "high_shares": "owner_occupied with_children_diploma youth_general_secondary permanent_employees "
    "fixed_telephone",
    "middle_shares": "higher_education computers internet",
    "incomes": "median_income",
    "indices": "indoor_space dwelling_state environment_perception subjective_health",
}


@dataclass(frozen=True)
class Neighbourhoods:
    """Statistical sectors: their codes, municipalities, types (0 to 4) and shares of the population."""

    codes: pl.Series
    municipality: Ints
    type: Ints
    share: NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """Everybody, minors first; `household` counts from 0. `measure`: 2 a first one in 2005, 1 an earlier."""

    numbers: pl.Series
    household: Ints
    age: Ints
    sex: Ints
    nationality: NDArray[np.str_]
    birth_country: NDArray[np.str_]
    measure: Ints
    minors: int

    def drawn(self, rows: Ints, **columns: object) -> pl.DataFrame:
        """The number and household of the people at `rows`, with further columns."""
        keys = {"nrn": self.numbers.gather(rows), "household_number": self.household[rows] + 1}
        return pl.DataFrame(keys | columns)


def neighbourhoods(rng: Rng) -> Neighbourhoods:
    """Every arrondissement has all five types, in proportions of its own."""
    shares = np.array(list(POPULATION.values())) / sum(POPULATION.values())
    counts = np.maximum(60, (SECTORS * shares).astype(np.int64))
    district = np.repeat(np.array(list(POPULATION)), counts)
    position = np.concatenate([np.arange(count) for count in counts])
    towns = np.repeat(np.maximum(5, counts // 30), counts)
    municipality = district * 1000 + 1 + position % towns
    kinds = [
        np.searchsorted(np.cumsum(0.1 + 0.5 * rng.dirichlet(np.full(TYPES, 4.0))), np.arange(count) / count)
        for count in counts
    ]
    weight = rng.uniform(0.6, 1.4, len(district))
    share = weight / np.repeat(np.add.reduceat(weight, np.r_[0, np.cumsum(counts)[:-1]]), counts)
    part = position // towns
    codes = pl.DataFrame({"town": municipality, "letter": 65 + part // 100, "part": part % 100}).select(
        pl.concat_str(
            pl.col("town").cast(pl.String),
            pl.col("letter").replace_strict({65 + n: chr(65 + n) for n in range(26)}),
            pl.col("part").cast(pl.String).str.zfill(2),
            pl.lit("-"),
        )
    )
    return Neighbourhoods(
        codes.to_series(),
        municipality,
        np.minimum(np.concatenate(kinds), TYPES - 1),
        share * np.repeat(shares, counts),
    )


def atlas(areas: Neighbourhoods, rng: Rng) -> pl.DataFrame:
    """Indicators within the class that the sector's type has, at random."""
    columns: dict[str, object] = {"sector": areas.codes}
    for schemes, kinds in ((RISING, areas.type), (FALLING, TYPES - 1 - areas.type)):
        for scheme, names in schemes.items():
            edges = np.array(EDGES[scheme], dtype=np.float64)
            for name in names.split():
                low, high = edges[kinds], edges[kinds + 1]
                value = low + (high - low) * rng.uniform(0, 0.99, len(kinds))
                columns[name] = value.astype(np.int64) if edges[-1] > 100 else np.round(value, 2)
    return pl.DataFrame(columns)


def national_numbers(age: Ints, sex: Ints) -> pl.Series:
    """Eleven digits: year, month + 60, day, serial (odd for men), two check digits. All distinct."""
    year = 2004 - age
    group = (year * 2 + sex).astype(np.int16)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], group[order])
    rank = np.empty(len(age), dtype=np.int64)
    rank[order] = np.arange(len(age)) - starts
    day, serial = rank % 336, rank // 336 * 2 + sex
    if serial.max() > 998:
        raise ValueError("too many people of one age and sex: choose a smaller scale")
    nine = (year % 100) * 10**7 + (day // 28 + 61) * 10**5 + (day % 28 + 1) * 1000 + serial
    check = 97 - (nine + np.where(year >= 2000, 2 * 10**9, 0)) % 97
    return pl.Series(nine * 100 + check).cast(pl.String).str.zfill(11)


def people(areas: Neighbourhoods, home: Ints, sizes: tuple[Ints, Ints], scale: float, rng: Rng) -> People:
    """`home`: the sector of each household; `sizes`: how many children and adults it has."""
    children, adults = sizes
    household = np.repeat(np.r_[np.arange(len(home)), np.arange(len(home))], np.r_[children, adults])
    minors = int(children.sum())
    age = np.r_[
        rng.integers(0, 18, minors), np.clip(rng.normal(39, 8, adults.sum()), 18, 85).astype(np.int64)
    ]
    sex = rng.integers(1, 3, len(age))
    foreign = rng.random(len(home)) < (0.04 + 0.05 * areas.type[home])
    abroad = ABROAD[rng.integers(0, len(ABROAD), len(home))]
    nationality = np.where((foreign[household]) & (rng.random(len(age)) < 0.9), abroad[household], "BE")
    born_here = (age < 18) & (rng.random(len(age)) < 0.8) | ~foreign[household]
    weight = np.array([0.4, 0.7, 1.0, 1.5, 2.4])[areas.type[home[household[:minors]]]]
    first, earlier = round(FIRST_IN_2005 * scale), round(EARLIER * scale)
    chosen = rng.permutation(np.argsort(rng.exponential(1.0, minors) / weight)[: first + earlier])
    measure = np.zeros(len(age), dtype=np.int64)
    measure[chosen[:first]], measure[chosen[first:]] = 2, 1
    return People(
        national_numbers(age, sex),
        household,
        age,
        sex,
        nationality,
        np.where(born_here, "BE", abroad[household]),
        measure,
        minors,
    )


def households(areas: Neighbourhoods, minors: int, rng: Rng) -> tuple[Ints, tuple[Ints, Ints]]:
    """As many households as `minors` children live in: their sectors, and their children and adults."""
    children = rng.choice(np.arange(1, 5), size=minors, p=[0.5, 0.35, 0.12, 0.03])
    children = children[: int(np.searchsorted(np.cumsum(children), minors)) + 1]
    children[-1] -= children.sum() - minors
    cumulative = np.cumsum(areas.share)
    home = np.searchsorted(cumulative / cumulative[-1], rng.random(len(children)), side="right")
    alone = rng.random(len(home)) < 0.1 + 0.04 * areas.type[home]
    more = rng.random(len(home)) < 0.06
    return home, (children, np.where(alone, 1, 2) + more)


def persons(
    areas: Neighbourhoods, home: Ints, sizes: tuple[Ints, Ints], who: People, rng: Rng
) -> pl.DataFrame:
    """dw_persons: one row per person on 1 January 2005."""
    children, adults = sizes
    kind = np.where(adults == 1, 3, np.where(adults > 2, 4, 1 + (rng.random(len(home)) < 0.2)))
    kind = np.where(rng.random(len(home)) < 0.002, 5, kind)
    head = np.where((kind == 3) & (rng.random(len(home)) < 0.7), 2, 1)
    rows = np.arange(len(who.age))
    return who.drawn(
        rows,
        sector=areas.codes.gather(home[who.household]),
        age=who.age,
        sex=who.sex,
        nationality=who.nationality,
        municipality=areas.municipality[home[who.household]],
        head_sex=head[who.household],
        household_size=(children + adults)[who.household],
        household_type=kind[who.household],
    )


def positions(deprived: Ints, who: People, rng: Rng) -> list[Ints]:
    """Everybody's position at the end of each quarter, as codes; most stay where they were."""
    working = np.array([0.55, 0.06, 0.1, 0.02, 0.06, 0.03, 0.05, 0.02, 0.02, 0.0, 0.09])
    needy = np.array([0.33, 0.04, 0.05, 0.01, 0.2, 0.01, 0.09, 0.02, 0.11, 0.0, 0.14])
    by_type = np.cumsum([working + (needy - working) * kind / 4 for kind in range(TYPES)], axis=1)
    adult = who.age >= 18

    def drawn() -> Ints:
        draw = rng.random(len(who.age))
        codes = np.full(len(draw), 11, dtype=np.int64)
        for code in range(11, 0, -1):
            codes[draw < by_type[deprived, code - 1]] = code
        return np.where(adult, codes, 10)

    quarters = [drawn()]
    for _ in QUARTERS[1:]:
        quarters.append(np.where(rng.random(len(who.age)) < 0.05, drawn(), quarters[-1]))
    return quarters


def position_rows(quarters: list[Ints], who: People) -> pl.DataFrame:
    """dw_positions."""
    everybody = np.arange(len(who.age))
    return pl.concat(
        who.drawn(everybody, quarter_end=np.full(len(everybody), day), position=codes)
        for day, codes in zip(QUARTERS, quarters, strict=True)
    )


def jobs_and_wages(quarters: list[Ints], who: People, rng: Rng) -> tuple[pl.DataFrame, pl.DataFrame]:
    """dw_jobs and dw_wages: of employees, and of students of 16 and 17."""
    student = (who.age >= 16) & (who.age < 18) & (rng.random(len(who.age)) < 0.1)
    full_time = rng.random(len(who.age)) < np.where(who.sex == 1, 0.9, 0.55)
    talent = rng.normal(8.8, 0.3, len(who.age))
    jobs, wages = [], []
    for day, codes in zip(QUARTERS, quarters, strict=True):
        rows = np.flatnonzero(np.isin(codes, (1, 2, 4)) | student)
        two = rows[codes[rows] == 2]
        every = np.r_[rows, two]
        part = np.where(
            full_time[every], 100.0, rng.choice([20.0, 40.0, 50.0, 60.0, 75.0, 80.0, 90.0], len(every))
        )
        jobs.append(
            who.drawn(
                every,
                quarter_end=np.full(len(every), day),
                job_number=np.r_[np.ones(len(rows), np.int64), np.full(len(two), 2)],
                age=who.age[every],
                part_time_percentage=part,
                work_regime=np.where(rng.random(len(every)) < 0.03, 4, np.where(part == 100, 1, 2)),
                agency_work=(rng.random(len(every)) < 0.03).astype(np.int64),
                contract_hours=np.round(0.38 * part, 1),
                employers=np.where(codes[every] == 2, 2, 1) + (rng.random(len(every)) < 0.04),
            )
        )
        pay = np.exp(talent[rows] + rng.normal(0, 0.05, len(rows))) * np.where(full_time[rows], 1, 0.6)
        pay = np.where(student[rows], 900, pay).astype(np.int64)
        wages.append(
            who.drawn(
                rows,
                quarter_end=np.full(len(rows), day),
                age=who.age[rows],
                declaration_currency=np.full(len(rows), "EUR"),
                ordinary_pay=pay,
                contribution_pay=(pay * 1.04).astype(np.int64),
                contribution_currency=np.full(len(rows), "EUR"),
            )
        )
    return pl.concat(jobs), pl.concat(wages)


def days(first: str, last: str, count: int, rng: Rng) -> NDArray[np.datetime64]:
    """Days at random from `first` on and before `last`."""
    start = np.datetime64(first, "D")
    return start + rng.integers(0, int((np.datetime64(last, "D") - start).astype(int)), count)


def some(values: object, present: NDArray[np.bool_]) -> pl.Series:
    """`values` where `present`, missing elsewhere."""
    return pl.select(pl.when(pl.Series(present)).then(pl.Series(values))).to_series()


def social(quarters: list[Ints], who: People, households: int, rng: Rng) -> dict[str, pl.DataFrame]:
    """Disability, unemployment, family allowances, and where the income of households comes from."""
    stacked = np.stack(quarters)
    ill, jobless = (np.flatnonzero((stacked == code).any(axis=0)) for code in (7, 5))
    minors = np.arange(who.minors)
    known, excluded = rng.random(len(ill)) < 0.5, rng.random(len(jobless)) < 0.1
    count = len(ill)
    working = np.isin(stacked[0], (1, 2, 3, 4))
    adults = np.maximum(1, np.bincount(who.household, weights=who.age >= 18, minlength=households))
    share = np.bincount(who.household, weights=working & (who.age >= 18), minlength=households) / adults
    work = np.clip(100 * share - rng.integers(0, 15, households), 0, 100).astype(np.int64)
    return {
        "dw_disability": who.drawn(
            ill,
            age=who.age[ill],
            recognition_start=some(days("2002-01-01", "2005-12-31", count, rng), known),
            primary_incapacity_start=days("2000-01-01", "2001-12-31", count, rng),
            recognition_end=some(days("2006-01-01", "2009-12-31", count, rng), known),
            other_indemnity=rng.choice(4, count, p=[0.85, 0.07, 0.05, 0.03]),
        ),
        "dw_unemployment": who.drawn(
            jobless,
            age=who.age[jobless],
            duration_months=rng.geometric(0.05, len(jobless)).clip(0, 480),
            exclusion_start=some(days("2005-01-01", "2005-12-31", len(jobless), rng), excluded),
            exclusion_weeks=some(rng.integers(4, 53, len(jobless)), excluded),
        ),
        "dw_family_allowances": who.drawn(
            minors,
            same_household=(rng.random(len(minors)) < 0.93).astype(np.int64),
            payment_start=np.maximum(
                np.datetime64("1987-01-01"),
                np.datetime64("2005-01-01") - (who.age[minors] + 1) * 365 + rng.integers(0, 365, len(minors)),
            ),
            payment_end=some(days("2005-06-01", "2005-12-31", len(minors), rng), who.age[minors] >= 17),
        ),
        "dw_household_income": pl.DataFrame(
            {
                "household_number": np.arange(households) + 1,
                "work_share": work,
                "replacement_share": ((100 - work) * rng.uniform(0.5, 1, households)).astype(np.int64),
            }
        ),
    }
