"""Small linked registers: persons by month, measures, jobs, and sectors with their attributes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from hub.documents import parse
from hub.documents.classes import ClassSchemes, parse_scheme
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import AreaLimits
from hub.documents.requests import ExtractSpecification
from hub.extraction import ExtractPlan, plan_extract, register
from tests.unit.extraction.conftest import NOW

HEAD = """\
description: {fr: d, en: d}
licence: CC0-1.0
origin: made
file: {format: parquet}
"""
NUMBER = "{type: integer, label: {fr: n, en: n}, identifying: direct}"
PERSONS = f"""\
name: persons
title: {{fr: Personnes, en: Persons, de: Personen}}
{HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  person: {{title: {{fr: p, en: p}}, key: [nr], pseudonym: person_id, registry: national_register}}
  household: {{title: {{fr: m, en: h}}, key: [house], pseudonym: household_id, registry: households}}
  sector: {{title: {{fr: s, en: s}}, key: [sector], pseudonym: sector_id, registry: sectors}}
record: {{unit: person, key: [nr, month], period: month}}
version: "2005.1"
variables:
  nr: {NUMBER}
  house: {NUMBER}
  sector: {NUMBER}
  month: {{type: date, label: {{fr: mois, en: month}}}}
  age: {{type: integer, label: {{fr: age, en: age}}, minimum: 0, maximum: 99, identifying: indirect}}
  sex: {{type: integer, label: {{fr: sexe, en: sex}}, minimum: 1, maximum: 2, identifying: indirect}}
  region:
    type: integer
    label: {{fr: r, en: r}}
    minimum: 0
    maximum: 9
    describes: sector
  late: {{type: integer, label: {{fr: t, en: t}}, minimum: 0, maximum: 9, first: 2005-02}}
"""
MEASURES = f"""\
name: measures
title: {{fr: Mesures, en: Measures}}
{HEAD}reference_period: {{first: 2005-01-01, last: 2005-12-31}}
unit_types:
  child: {{title: {{fr: e, en: c}}, key: [child], pseudonym: child_id, registry: national_register}}
  measure: {{title: {{fr: m, en: m}}, key: [number], pseudonym: measure_id}}
record: {{unit: measure, key: [number]}}
variables:
  number: {NUMBER}
  child: {NUMBER}
  kind: {{type: integer, label: {{fr: k, en: k}}, minimum: 1, maximum: 3, sensitivity: sensitive}}
"""
JOBS = f"""\
name: jobs
title: {{fr: Emplois, en: Jobs}}
{HEAD}reference_period: {{first: 2005-01-01, last: 2005-03-31}}
unit_types:
  person: {{title: {{fr: p, en: p}}, key: [worker], pseudonym: person_id, registry: national_register}}
  employer: {{title: {{fr: e, en: e}}, key: [firm], pseudonym: employer_id, registry: employers}}
record: {{unit: person, key: [worker, firm, month], period: month}}
variables:
  worker: {NUMBER}
  firm: {NUMBER}
  month: {{type: date, label: {{fr: mois, en: month}}}}
  wage: {{type: float, label: {{fr: w, en: w}}, minimum: 0, sensitivity: sensitive}}
"""
ATLAS = f"""\
name: atlas
title: {{fr: Atlas, en: Atlas}}
{HEAD}reference_period: {{first: 2001-01-01, last: 2003-12-31}}
unit_types:
  sector: {{title: {{fr: s, en: s}}, key: [code], pseudonym: sector_id, registry: sectors}}
record: {{unit: sector, key: [code]}}
variables:
  code: {NUMBER}
  rent:
    type: integer
    label: {{fr: loyer, en: rent}}
    minimum: 0
    maximum: 99
    levels: {{raw: ~, band: tens, class: halves}}
  cars:
    type: integer
    label: {{fr: voitures, en: cars}}
    minimum: 0
    maximum: 99
    levels: {{raw: ~, class: halves, none: ~}}
  exact: {{type: integer, label: {{fr: exact, en: exact}}, minimum: 0, maximum: 99}}
"""
_HALVES = """\
name: halves
title: {fr: moitiés, en: halves}
kind: bands
from: 0
classes:
  - {code: 0, below: 50, label: {fr: bas, en: low}}
  - {code: 50, below: 100, label: {fr: haut, en: high}}
"""
_TENS = "name: tens\ntitle: {fr: dizaines, en: tens}\nkind: bands\nfrom: 0\nclasses:\n" + "".join(
    f"  - {{code: {edge}, below: {edge + 10}, label: {{fr: x, en: x}}}}\n" for edge in range(0, 100, 10)
)
SCHEMES: ClassSchemes = {
    "halves": parse_scheme(_HALVES, name="classes/halves.yaml"),
    "tens": parse_scheme(_TENS, name="classes/tens.yaml"),
}
LIMITS = AreaLimits(min_areas=3, min_units=10)
PEOPLE, HOMES, SECTORS = 400, 100, 40
MONTHS = [date(2005, month, 1) for month in (1, 2, 3)]


def persons() -> pl.DataFrame:
    """Four to a household; person 4n moves to the next household in March. Children: the fourth of each."""
    rows = [
        {
            "nr": 1000 + person,
            "house": 1 + (person // 4 + (month.month == 3 and person % 4 == 0)) % HOMES,
            "sector": 1 + person // 4 % SECTORS,
            "month": month,
            "age": 10 if person % 4 == 3 else 20 + person % 60,
            "sex": 1 + person % 2,
            "region": person // 4 % SECTORS // 20,
            "late": 1,
        }
        for person in range(PEOPLE)
        for month in MONTHS
    ]
    return pl.DataFrame(rows)


def measures() -> pl.DataFrame:
    """Every tenth child has had two measures."""
    children = [1000 + person for person in range(3, PEOPLE, 40)]
    rows = [(child * 10 + k, child, 1 + child % 3) for child in children for k in (0, 1)]
    return pl.DataFrame(rows, schema=["number", "child", "kind"], orient="row")


def jobs() -> pl.DataFrame:
    """Adults work at one of eight firms in all months."""
    rows = [
        {"worker": 1000 + person, "firm": 1 + person % 8, "month": month, "wage": 100.0 * person}
        for person in range(PEOPLE)
        if person % 4 != 3
        for month in MONTHS
    ]
    return pl.DataFrame(rows)


def atlas() -> pl.DataFrame:
    """A rent and a number of cars for every sector."""
    codes = range(1, SECTORS + 1)
    return pl.DataFrame(
        {
            "code": codes,
            "rent": [(code * 10) % 100 for code in codes],
            "cars": [code * 2 for code in codes],
            "exact": list(codes),
        }
    )


def register_all(directory: Path) -> Path:
    """A warehouse in `directory` with all four sources."""
    warehouse = directory / "warehouse"
    warehouse.mkdir()
    tables = {"persons": persons(), "measures": measures(), "jobs": jobs(), "atlas": atlas()}
    for text in (PERSONS, MEASURES, JOBS, ATLAS):
        dictionary = parse(Dictionary, text, name="d.yaml")
        file = directory / f"{dictionary.name}.parquet"
        tables[dictionary.name].write_parquet(file)
        register(file, dictionary, warehouse=warehouse, now=NOW, schemes=SCHEMES)
    return warehouse


def specification(text: str) -> ExtractSpecification:
    return parse(ExtractSpecification, text, name="request.yaml")


def planned(warehouse: Path, text: str, project: str = "study", **more: object) -> ExtractPlan:
    """The plan for the specification in `text`."""
    values: dict[str, object] = {"schemes": SCHEMES, "areas": LIMITS, "policy_fingerprint": "f00d"} | more
    return plan_extract(
        specification(text),
        project=project,
        warehouse=warehouse,
        **values,  # type: ignore[arg-type]
    )
