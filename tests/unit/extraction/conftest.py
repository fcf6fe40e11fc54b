"""A small source with everything in it: two units, codes, missing values, dates, booleans, text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ExtractDocument
from hub.extraction import ExtractPlan, plan_extract, specification_of

# A column at a time costs milliseconds even for few rows: fewer examples, and no limit on a busy machine.
settings.register_profile("columns", deadline=None, max_examples=40)
settings.load_profile("columns")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MASTER_KEY = bytes(range(32))

DICTIONARY = """\
name: toy
title: {fr: Jouet, en: Toy}
description: {fr: Pour les essais, en: For trying}
licence: CC0-1.0
origin: made
reference_period: {first: 2026-01-01, last: 2026-12-31}
file: {format: csv}
unit_types:
  person: {title: {fr: Personne, en: Person}, key: [id], pseudonym: person_id}
  household: {title: {fr: Ménage, en: Household}, key: [year, house], pseudonym: household_id}
record: {unit: person, key: [id]}
variables:
  id: {type: integer, label: {fr: n, en: n}, identifying: direct}
  year: {type: integer, label: {fr: année, en: year}, minimum: 2025, maximum: 2026}
  house: {type: string, label: {fr: ménage, en: house}, identifying: direct}
  sex:
    type: integer
    label: {fr: sexe, en: sex}
    codes: [{value: 1, label: {fr: f, en: f}}, {value: 2, label: {fr: h, en: m}}]
  wage: {type: float, label: {fr: <salaire>, en: <wage>}, minimum: 0, missing_allowed: true, unit: EUR}
  born: {type: date, label: {fr: naissance, en: birth}, missing_allowed: true}
  works: {type: boolean, label: {fr: travaille, en: works}, sensitivity: sensitive}
"""

ROWS = [
    "id,year,house,sex,wage,born,works",
    "7,2025,a,1,100.5,1980-01-31,true",
    "3,2026,a,2,,1990-12-01,false",
    "9,2025,b,1,0,,1",
    "1,2025,a,2,2500,2001-02-28,0",
    "2,2026,c,2,31.25,1975-07-14,true",
]


def plan_short(
    request: ExtractDocument, warehouse: Path, project: str = "study", **more: object
) -> ExtractPlan:
    """The plan of a project document's extract."""
    return plan_extract(
        specification_of(request, warehouse=warehouse),
        project=project,
        policy_fingerprint="f00d",
        warehouse=warehouse,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def dictionary() -> Dictionary:
    return parse(Dictionary, DICTIONARY, name="toy.yaml")


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "toy.csv"
    path.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse"
    path.mkdir()
    return path
