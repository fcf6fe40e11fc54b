"""The worker over real sources: a specification becomes a sealed extract, and a refresh the next."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hub.actions import extracts, projects
from hub.actions.ports import Office
from hub.documents.policies import load_policies
from hub.domain.lifecycle import ExtractState
from hub.extraction import verify_extract
from hub.sweeper import worker
from hub.sweeper.worker import Rooms
from tests import factories
from tests.factories import actor
from tests.unit.extraction import registers

PLANS = {
    "long form": """\
populations: [{name: some, source: persons, unit: person, sample: {count: 20}}]
datasets:
  - name: persons
    source: persons
    of: [some]
    units: [person]
    columns: [month, age]
    through: [{source: atlas, unit: sector, columns: [rent]}]
""",
    "short form": {"source": "persons", "columns": ["month", "age"], "sample": {"count": 20}},
}


def _note_open(office: Office, *names: str) -> None:
    """Sources that anyone may have, as their dictionaries are said to say."""
    with office.units.read() as unit:
        known = unit.sources.get("cps")
    assert known is not None
    for name in names:
        source = dataclasses.replace(known, name=name)
        extracts.note_source(office, source=source, by=factories.SYSTEM, now=factories.NOW)


@pytest.mark.parametrize("form", PLANS)
def test_made_and_refreshed_with_the_same_pseudonyms(tmp_path: Path, form: str) -> None:
    office = factories.make_office(tmp_path)
    factories.fill(office)
    _note_open(office, "persons", "atlas")
    rooms = Rooms(
        registers.register_all(tmp_path),
        tmp_path / "extracts",
        bytes(range(32)),
        schemes=registers.SCHEMES,
        areas=registers.LIMITS,
        maps=tmp_path / "maps",
        thresholds=load_policies(factories.ROOT / "policies").risks.thresholds,
    )
    asked = PLANS[form]
    plan = (
        asked
        if isinstance(asked, dict)
        else registers.specification(str(asked)).model_dump(mode="json", by_alias=True)
    )
    now = datetime.now(UTC)
    new = factories.new_project(starts_at=now, ends_at=now + timedelta(days=1))
    projects.create_project(office, new=new, by=actor("bob"), now=now)
    with office.units.write() as unit:
        first = extracts.get_extract(unit, "wages/v1")
        unit.extracts.save(dataclasses.replace(first, plan=plan))
        unit.record(by=actor("bob"), action="extract.planned", object="extract:wages/v1", now=now)
    worker.work(office, rooms, rounds=3)  # plans the risk report, makes it, makes the extract
    extracts.refresh_extract(office, project="wages", by=actor("bob"), now=datetime.now(UTC))
    worker.work(office, rooms, rounds=3)
    with office.units.read() as unit:
        found = [extracts.get_extract(unit, f"wages/v{version}") for version in (1, 2)]
    assert [extract.state for extract in found] == [ExtractState.SEALED] * 2, [e.error for e in found]
    tables = [pl.read_parquet(tmp_path / "extracts" / "wages" / v / "persons.parquet") for v in ("v1", "v2")]
    assert tables[0].equals(tables[1])
    assert tables[0]["person_id"].n_unique() == 20
    assert verify_extract(tmp_path / "extracts" / "wages" / "v2").rows == 60
    assert sorted(path.name for path in (tmp_path / "maps" / "wages").iterdir()) == ["v1.map", "v2.map"]
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits
