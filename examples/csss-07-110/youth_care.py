"""The three Communities' registers of youth care: minors with a measure in 2005, and those around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from people import (
    ABROAD,
    BRUSSELS,
    FLEMISH,
    POPULATION,
    VERVIERS,
    Ints,
    Neighbourhoods,
    People,
    Rng,
    days,
    some,
)

FIRST_YEARS = (1995, 2005)  # of earlier measures
FEWEST_GERMAN = 12  # of each kind, so that the third Community is there at every scale


@dataclass(frozen=True)
class Register:
    """One Community's minors, as positions in `who`, and where they live."""

    who: People
    minors: Ints
    municipality: Ints
    rng: Rng

    def rows(self, repeats: Ints | None = None) -> Ints:
        """Positions in `minors`, each as often as `repeats` says."""
        every = np.arange(len(self.minors))
        return every if repeats is None else np.repeat(every, repeats)

    def table(self, rows: Ints, number: str | None = None, **columns: object) -> pl.DataFrame:
        """The minors' numbers at `rows` (in order), with a running number within each minor."""
        table = pl.DataFrame({"nrn": self.who.numbers.gather(self.minors[rows])})
        if number is not None:
            table = table.with_columns(pl.int_range(1, pl.len() + 1).over("nrn").alias(number))
        return table.with_columns(**{name: pl.Series(values) for name, values in columns.items()})

    def code(self, count: int, *codes: int) -> Ints:
        return self.rng.choice(np.array(codes), count)

    def flag(self, count: int, share: float) -> Ints:
        return (self.rng.random(count) < share).astype(np.int64)

    def town(self, count: int) -> Ints:
        """Municipalities anywhere in the country."""
        return self.code(count, *POPULATION) * 1000 + self.rng.integers(1, 6, count)

    def first_years(self) -> Ints:
        earlier = self.rng.integers(*FIRST_YEARS, len(self.minors))
        born = 2004 - self.who.age[self.minors]
        return np.where(self.who.measure[self.minors] == 2, 2005, np.maximum(earlier, born))

    def about_minors(self, *names: str) -> dict[str, object]:
        """What the registers say of minors, the named columns of it."""
        known: dict[str, object] = {
            "first_measure_year": self.first_years(),
            "sex": self.who.sex[self.minors],
            "birth_year": 2004 - self.who.age[self.minors],
            "birth_country": self.who.birth_country[self.minors],
            "nationality": self.who.nationality[self.minors],
            "municipality": self.municipality,
        }
        return {name: known[name] for name in names}

    def spells(self, count: int) -> dict[str, object]:
        """Start and end of measures: two thirds are over by the end of the year."""
        over = self.rng.random(count) < 0.67
        start = days("2005-01-01", "2005-10-01", count, self.rng)
        return {"start": start, "end": some(start + self.rng.integers(20, 90, count), over)}


def flemish(register: Register, parents: tuple[Ints, pl.Series, Ints]) -> dict[str, pl.DataFrame]:
    """fl_minors, fl_parents, fl_measures. `parents`: minors (positions), numbers and sexes of theirs."""
    child, numbers, sex = parents
    rows = register.rows(register.rng.integers(1, 4, len(register.minors)))
    n = len(rows)
    regime = register.code(n, 1, 2, 3, 4)
    placed = regime >= 3
    authority = register.code(n, 1, 2)
    town = register.town(n)
    return {
        "fl_minors": register.table(
            register.rows(),
            **register.about_minors(
                "first_measure_year", "sex", "birth_year", "birth_country", "nationality", "municipality"
            ),
        ),
        "fl_parents": register.table(
            child,
            "parent_number",
            parent_nrn=numbers,
            sex=sex,
            birth_country=register.rng.choice(np.r_[np.full(150, "BE"), ABROAD], len(child)),
            municipality=register.municipality[child],
        ),
        "fl_measures": register.table(
            rows,
            "measure_number",
            **register.spells(n),
            regime=regime,
            content=register.code(n, 1, 2, 3, 4),
            institution_municipality=some(town, placed),
            institution_type=register.code(n, 1, 2, 3, 4, 5, 6),
            foster_service_municipality=some(register.town(n), regime == 4),
            urgent=register.flag(n, 0.1),
            authority_number=register.rng.integers(1, 40, n),
            authority_name=authority,
            judgment_article=some(register.code(n, 36, 37, 52), authority == 2),
            decision_article=register.code(n, 4, 22, 23),
            decision_content=register.code(n, 1, 2, 3, 4),
            placement_municipality=some(town, placed),
        ),
    }


def french(register: Register) -> dict[str, pl.DataFrame]:
    """fr_minors, fr_guardians, fr_actors, fr_placements, fr_measures."""
    rng = register.rng
    several = register.rows(rng.integers(1, 3, len(register.minors)))
    n, one = len(several), register.rows()
    nature = register.code(n, 1, 1, 2, 3)
    spells = register.spells(n)
    return {
        "fr_minors": register.table(
            one,
            **register.about_minors(
                "first_measure_year", "sex", "municipality", "birth_year", "birth_country", "nationality"
            ),
        ),
        "fr_guardians": register.table(
            several,
            "guardian_number",
            municipality=register.municipality[several],
            birth_country=rng.choice(np.r_[np.full(150, "BE"), ABROAD], n),
            relation=register.code(n, 1, 1, 2, 2, 3, 4),
        ),
        "fr_actors": register.table(
            several,
            "actor_number",
            nature=nature,
            sex=some(register.code(n, 1, 2), nature == 1),
            age=some(rng.integers(20, 80, n), nature == 1),
            community=register.code(n, 2, 2, 2, 1, 3),
            municipality=register.municipality[several],
            nationality=some(rng.choice(np.r_[np.full(150, "BE"), ABROAD], n), nature == 1),
        ),
        "fr_placements": register.table(
            one,
            "placement_number",
            category=register.code(len(one), 1, 2, 3, 4, 5),
            sector=register.code(len(one), 1, 1, 1, 2, 3),
            status=register.code(len(one), 1, 2),
            mode=register.code(len(one), 1, 2),
        ),
        "fr_measures": register.table(
            several,
            "measure_number",
            start=spells["start"],
            decided=spells["start"] - rng.integers(0, 30, n),  # type: ignore[operator]
            end=spells["end"],
            authority=register.code(n, 1, 2, 3),
            nature=register.code(n, 1, 2, 3),
            suspended=register.flag(n, 0.05),
            reason=register.code(n, 1, 2, 3),
        ),
    }


def german_speaking(register: Register) -> dict[str, pl.DataFrame]:
    """de_minors, de_requests, de_measures."""
    rows = register.rows()
    n = len(rows)
    present = register.rng.random((3, n)) < np.array([[0.85], [0.95], [0.8]])
    return {
        "de_minors": register.table(
            rows,
            **register.about_minors("first_measure_year", "birth_year"),
            birth_municipality=some(register.town(n), present[0]),
            **register.about_minors("nationality", "municipality"),
            mother_municipality=some(register.municipality, present[1]),
            father_municipality=some(register.town(n), present[2]),
        ),
        "de_requests": register.table(
            rows,
            "request_number",
            nature=register.code(n, 1, 2, 3),
            asked=days("2005-01-01", "2005-09-01", n, register.rng),
            motive=register.code(n, 1, 2, 3, 4),
            social_services=register.flag(n, 0.4),
            prosecutor=register.code(n, 0, 0, 0, 1, 2),
            asked_by=register.code(n, 1, 2, 3, 4),
            referral_reason=register.code(n, 1, 2, 3, 4),
            other_services=register.flag(n, 0.3),
        ),
        "de_measures": register.table(
            rows,
            "measure_number",
            **register.spells(n),
            regime=register.code(n, 1, 2, 3, 4),
            institution_type=register.code(n, 1, 2, 3, 4, 5, 6),
            institution_municipality=some(register.town(n), present[0]),
            decision_type=register.code(n, 1, 2),
        ),
    }


def communities(areas: Neighbourhoods, home: Ints, who: People, rng: Rng) -> dict[str, pl.DataFrame]:
    """The registers: where a minor lives decides the Community, in Brussels by chance."""
    measured = np.flatnonzero(who.measure)
    municipality = areas.municipality[home[who.household[measured]]]
    district = municipality // 1000
    flemish_ones = np.isin(district, list(FLEMISH)) | (
        (district == BRUSSELS) & (rng.random(len(measured)) < 0.2)
    )
    german_ones = np.zeros(len(measured), dtype=bool)
    for kind in (1, 2):
        others = np.flatnonzero(~flemish_ones & (who.measure[measured] == kind))
        nearest = others[np.argsort(district[others] != VERVIERS, kind="stable")]
        german_ones[nearest[: max(FEWEST_GERMAN, len(nearest) // 50)]] = True
    registers = [
        Register(who, measured[ones], municipality[ones], rng)
        for ones in (flemish_ones, ~flemish_ones & ~german_ones, german_ones)
    ]
    return flemish(registers[0], parents(registers[0])) | french(registers[1]) | german_speaking(registers[2])


def parents(register: Register) -> tuple[Ints, pl.Series, Ints]:
    """The first two adults of each minor's household."""
    adults = np.flatnonzero(register.who.age >= 18)
    homes = register.who.household[adults]  # ascending
    first = np.searchsorted(homes, register.who.household[register.minors])
    after = np.searchsorted(homes, register.who.household[register.minors], side="right")
    child = np.repeat(np.arange(len(register.minors)), np.minimum(after - first, 2))
    nth = np.concatenate([np.arange(count) for count in np.minimum(after - first, 2)])
    rows = adults[first[child] + nth]
    return child, register.who.numbers.gather(rows), register.who.sex[rows]
