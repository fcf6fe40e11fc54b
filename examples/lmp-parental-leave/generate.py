"""A synthetic panel of labour and social protection, month by month: `generate.py DIRECTORY --persons 20000`.

Writes `lmp_persons.parquet`, `lmp_employers.parquet` and, for jobs, residence, unemployment and benefits, one
folder with a file per month from January 2002 to December 2017. The same size and seed give the same files;
the memory needed is that of one month. Nobody real is described: the numbers have months above 12.

People enter work, change employers, lose jobs, have children; mothers take maternity leave, then often
parental leave, full time for six months or part time for twelve; some return to fewer hours, some not at
all, and wages do not grow while away. These effects were put in: an analysis finds them again, and says
nothing about Luxembourg.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FIRST, LAST = np.datetime64("2002-01", "M"), np.datetime64("2017-12", "M")
MATERNITY_MONTHS, FULL_MONTHS, PART_MONTHS = 5, 6, 12
FULL_AMOUNT = 1778  # euros a month of parental leave, half of it for part-time leave
MATERNITY, FULL, PART, SICK = 1, 2, 3, 4
CRISIS = (np.datetime64("2008-10", "M"), np.datetime64("2010-03", "M"))
SECTIONS = np.array(["A", "C", "F", "G", "H", "I", "J", "K", "M", "N", "O", "P", "Q"])
NATIONALITIES = np.array(
    ["LU", "PT", "FR", "BE", "DE", "IT", "ES", "PL", "RO", "GR", "ME", "CV", "BR", "CN", "US"]
)  # as frequent as the shares beside them
NATIONALITY_SHARES = np.array([30, 16, 20, 11, 10, 3, 2, 1.5, 1, 1, 1.5, 1, 0.7, 0.7, 0.6]) / 100


class Panel:
    """Everybody's state in one month, moved on by `step`. Women are at even positions; the person after a
    woman is a man, and her partner where `couple` says so."""

    def __init__(self, persons: int, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.size = persons + persons % 2
        every = np.arange(self.size)
        self.woman = every % 2 == 0
        self.couple = np.repeat(rng.random(self.size // 2) < 0.65, 2)
        self.born = np.repeat(rng.integers(1950, 1993, self.size // 2), 2) + rng.integers(-3, 4, self.size)
        serial = rng.permutation(self.size)
        self.matricule = (
            self.born * 10_000 + rng.integers(61, 73, self.size) * 100 + 1
        ) * 100_000 + serial % 100_000
        self.matricule += serial // 100_000 * 100_000  # another day of the month, beyond 100,000 people
        self.household = np.where(self.couple, every - every % 2, every) + 1
        place = rng.choice(15, self.size, p=[0.05] * 11 + [0.05, 0.2, 0.1, 0.1])
        self.commune = ((place + 1) * 100 + rng.integers(1, 9, self.size))[self.household - 1]
        self.nationality = rng.choice(
            NATIONALITIES, self.size, p=NATIONALITY_SHARES / NATIONALITY_SHARES.sum()
        )
        self._employers()
        self.employed = rng.random(self.size) < np.where(self.woman, 0.62, 0.75)
        self.employed &= self._of_age(FIRST)
        self.employer = self._hire(self.size)
        self.log_wage = (
            7.75 + 0.3 * rng.normal(size=self.size) + np.clip(0.012 * (2002 - self.born - 25), 0, 0.3)
        )
        self.part_time = rng.random(self.size) < np.where(self.woman, 0.25, 0.05)
        self.permanent = rng.random(self.size) < 0.9
        self.jobless = np.zeros(self.size, dtype=np.int64)  # months registered
        self.children = np.zeros(self.size, dtype=np.int64)
        self.since_birth = np.full(self.size, 999)
        self.leave = np.zeros(self.size, dtype=np.int64)  # 0, MATERNITY, FULL, PART
        self.left = np.zeros(self.size, dtype=np.int64)  # months of it to come
        self.sick = np.zeros(self.size, dtype=bool)

    def _employers(self) -> None:
        """Employers of all sizes. They have more employees than the panel shows: it stands for a country."""
        count = max(60, self.size // 12)
        self.employees = np.maximum(1, self.rng.lognormal(3.2, 1.3, count)).astype(np.int64)
        self.employer_weight = np.cumsum(self.employees / self.employees.sum())
        self.section = self.rng.choice(SECTIONS, count)

    def _hire(self, count: int) -> Ints:
        """Employers for so many people, the large ones more often."""
        drawn = np.searchsorted(self.employer_weight, self.rng.random(count))
        return np.minimum(drawn, len(self.employer_weight) - 1)

    def _of_age(self, month: np.datetime64) -> Flags:
        age = month.astype("datetime64[Y]").astype(int) + 1970 - self.born
        return (age >= 20) & (age < 62)

    def _chance(self, share: float | NDArray[np.float64]) -> Flags:
        return self.rng.random(self.size) < share

    def step(self, month: np.datetime64) -> None:
        """Move everybody on by one month."""
        of_age = self._of_age(month)
        self._births(month)
        self._leaves()
        crisis = CRISIS[0] <= month <= CRISIS[1]
        protected = self.leave > 0
        lost = self.employed & ~protected & (self._chance(0.011 if crisis else 0.006) | ~of_age)
        mother = self.woman & (self.since_birth < 36)
        found = ~self.employed & of_age & self._chance(np.where(mother, 0.03, 0.06))
        moved = self.employed & ~protected & self._chance(0.008)
        self.employed = (self.employed & ~lost) | found
        hired = found | moved
        self.employer = np.where(hired, self._hire(self.size), self.employer)
        self.permanent = np.where(hired, self._chance(0.7), self.permanent | self._chance(0.02))
        self.log_wage += np.where(self.employed & ~protected, 0.0018, 0) + np.where(moved, 0.03, 0)
        resident = self.commune < 1300
        registered = (lost & of_age & resident) | (self.jobless > 0)
        self.jobless = np.where(
            registered & ~self.employed & of_age & (self.jobless < 36), self.jobless + 1, 0
        )
        self.sick = self.employed & ~protected & self._chance(0.02)
        moving = self._chance(0.001)[self.household - 1]
        self.commune = np.where(moving, self.commune // 100 * 100 + 1 + (self.commune + 3) % 8, self.commune)

    def _births(self, month: np.datetime64) -> None:
        age = month.astype("datetime64[Y]").astype(int) + 1970 - self.born
        self.since_birth += 1
        fertile = self.woman & (age >= 22) & (age <= 40) & (self.children < 3) & (self.since_birth > 20)
        birth = fertile & self._chance(np.where(self.couple, 0.009, 0.003)) & (self.leave == 0)
        both = birth.copy()
        both[1::2] = birth[::2] & self.couple[::2]
        self.children += both
        self.since_birth[both] = 0
        mothers = birth & self.employed
        self.leave[mothers], self.left[mothers] = MATERNITY, MATERNITY_MONTHS
        fathers = (
            ~self.woman & self.employed & (self.leave == 0) & (self.since_birth == 8) & self._chance(0.15)
        )
        self._start_parental(fathers)

    def _start_parental(self, who: Flags) -> None:
        full = self._chance(0.65)
        self.leave[who] = np.where(full[who], FULL, PART)
        self.left[who] = np.where(full[who], FULL_MONTHS, PART_MONTHS)

    def _leaves(self) -> None:
        """Maternity leave ends in parental leave for many; parental leave in work, less work, or none."""
        self.left -= self.leave > 0
        over = (self.leave > 0) & (self.left <= 0)
        after_birth = over & (self.leave == MATERNITY)
        back = over & ~after_birth
        self.leave[over] = 0
        self._start_parental(after_birth & self._chance(0.7))
        self.employed &= ~(back & self._chance(np.where(self.woman, 0.1, 0.02)))
        self.part_time |= back & self.woman & self._chance(0.35)

    def persons(self) -> pl.DataFrame:
        sex = np.where(self.woman, 2, 1)
        return self._rows(slice(None), birth_year=self.born, sex=sex, nationality=self.nationality)

    def employers(self) -> pl.DataFrame:
        number = np.arange(len(self.section)) + 70_000_001
        return pl.DataFrame(
            {"employer_number": number, "nace_section": self.section, "employees": self.employees}
        )

    def months_tables(self, month: np.datetime64) -> dict[str, pl.DataFrame]:
        """The month's rows of the four monthly sources."""
        day = {"month": month.astype("datetime64[D]")}
        at_work = np.flatnonzero(self.employed & (self.leave != MATERNITY) & (self.leave != FULL))
        half = np.where(self.leave == PART, 0.5, 1.0) * np.where(self.part_time, 0.5, 1.0)
        wage = np.exp(self.log_wage) * half
        jobless = np.flatnonzero(self.jobless > 0)
        kind = np.where(self.sick, SICK, self.leave)
        supported = np.flatnonzero(kind)
        amount = np.where(kind == FULL, FULL_AMOUNT, np.where(kind == PART, FULL_AMOUNT // 2, wage))
        return {
            "lmp_jobs": self._rows(
                at_work,
                **day,
                employer_number=self.employer[at_work] + 70_000_001,
                gross_wage=wage[at_work].astype(np.int64),
                weekly_hours=np.maximum(1, 40 * half[at_work]).astype(np.int64),
                contract=np.where(self.permanent[at_work], 1, 2),
            ),
            "lmp_residence": self._rows(
                slice(None),
                **day,
                household_number=self.household,
                commune=self.commune,
                children=self.children,
            ),
            "lmp_unemployment": self._rows(
                jobless,
                **day,
                months_registered=self.jobless[jobless],
                with_benefit=(self.jobless[jobless] <= 12).astype(np.int64),
            ),
            "lmp_benefits": self._rows(
                supported, **day, kind=kind[supported], amount=amount[supported].astype(np.int64)
            ),
        }

    def _rows(self, rows: Ints | slice, **columns: object) -> pl.DataFrame:
        return pl.DataFrame({"matricule": self.matricule[rows]}).with_columns(
            **{
                name: pl.lit(values).cast(pl.Date) if isinstance(values, np.datetime64) else pl.Series(values)
                for name, values in columns.items()
            }
        )


def generate(directory: Path, persons: int, seed: int) -> dict[str, int]:
    """Write all files; rows per source."""
    panel = Panel(persons, seed)
    rows: dict[str, int] = {}
    for name, table in (("lmp_persons", panel.persons()), ("lmp_employers", panel.employers())):
        table.write_parquet(directory / f"{name}.parquet")
        rows[name] = table.height
    for month in np.arange(FIRST, LAST + 1):
        panel.step(month)
        for name, table in panel.months_tables(month).items():
            (directory / name).mkdir(exist_ok=True)
            table.write_parquet(directory / name / f"{month}.parquet", compression_level=1)
            rows[name] = rows.get(name, 0) + table.height
    return rows


def main(arguments: list[str]) -> int:
    """The command line: a line per source with its number of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2002)
    options = parser.parse_args(arguments)
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, rows in generate(options.directory, options.persons, options.seed).items():
        sys.stdout.write(f"{name} {rows}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
