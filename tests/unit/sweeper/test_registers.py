"""What the extraction worker leaves for the ledger: the same persons, the same numbers, in every project."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hub import extraction
from hub.actions import extracts, projects
from hub.actions.ports import ExtractFiles, Office
from hub.adapters.ledgers import FileLedger
from hub.checks.numbers import numbers_from
from hub.documents.policies import load_policies
from hub.domain.lifecycle import ExtractState
from hub.sweeper import worker
from hub.sweeper.worker import Rooms
from tests import factories
from tests.factories import ROOT, ROWS, actor


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    source = factories.dictionary()
    (tmp_path / "register.csv").write_text(ROWS)
    record = extraction.register(
        tmp_path / "register.csv", source, warehouse=tmp_path / "warehouse", now=datetime.now(UTC)
    )
    with made.units.read() as unit:
        cps = unit.sources.get("cps")
    assert cps is not None
    variables = {name: {"fr": name, "en": name, "deliverable": True} for name in source.variables}
    known = dataclasses.replace(cps, name=record.name, variables=variables, open=True)
    extracts.note_source(made, source=known, by=factories.SYSTEM, now=datetime.now(UTC))
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    policies = load_policies(ROOT / "policies")
    return Rooms(
        warehouse=tmp_path / "warehouse",
        extracts=tmp_path / "extracts",
        master_key=bytes(range(32)),
        schemes=policies.classes,
        areas=policies.risks.areas,
        maps=tmp_path / "maps",
        ledger=tmp_path / "ledger" / "units",
        thresholds=policies.risks.thresholds,
    )


def make(office: Office, rooms: Rooms, slug: str) -> list[int]:
    """An extract of the source for a project; its persons, sorted."""
    now = datetime.now(UTC)
    new = factories.new_project(
        slug,
        starts_at=now,
        ends_at=now + timedelta(days=1),
        plan={"source": "register", "columns": ["wage"]},
    )
    projects.create_project(office, new=new, by=actor("bob"), now=now)
    worker.work(office, rooms, rounds=3)  # plans the risk report, makes it, makes the extract
    with office.units.read() as unit:
        made = extracts.get_extract(unit, f"{slug}/v1")
    assert made.state is ExtractState.SEALED, made.error
    (data,) = (rooms.extracts / slug / "v1").glob("*.parquet")
    return sorted(pl.read_parquet(data)["person_id"].to_list())


def test_two_extracts_number_the_same_persons_alike(office: Office, rooms: Rooms, tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "ledger")
    wages, health = (make(office, rooms, slug) for slug in ("wages", "health"))
    assert set(wages).isdisjoint(health)
    told = [
        ledger.number(ExtractFiles(f"{slug}/v1", rooms.extracts / slug / "v1"))["register"]
        for slug in ("wages", "health")
    ]
    assert told[0].space == told[1].space
    assert [sorted(numbers_from(one.numbers).tolist()) for one in told] == [[0, 1, 2]] * 2


def test_a_register_that_was_cut_off_is_written_again(office: Office, rooms: Rooms) -> None:
    assert rooms.ledger is not None
    make(office, dataclasses.replace(rooms, ledger=None), "wages")
    path = rooms.ledger / "wages" / "v1.parquet"
    assert not path.exists()
    with office.units.read() as unit:
        extract, project = extracts.get_extract(unit, "wages/v1"), unit.projects.get("wages")
    assert project is not None
    worker._register(rooms, extract, project)
    before = path.read_bytes()
    worker._register(rooms, extract, project)
    assert path.read_bytes() == before
