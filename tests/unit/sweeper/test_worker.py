"""The extraction worker: planned extracts become sealed ones, once, whatever was cut before."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.actions import extracts, projects
from hub.actions.ports import Office
from hub.domain.errors import Conflict, Refused
from hub.domain.lifecycle import ExtractState, ProjectState
from hub.domain.records import Extract
from hub.sweeper import worker
from hub.sweeper.worker import WORKER, Rooms
from tests import factories
from tests.factories import SYSTEM, actor


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms without a source: the real one is extracted on the stack."""
    return Rooms(tmp_path / "warehouse", tmp_path / "extracts", bytes(range(32)))


def planned(office: Office) -> Extract:
    now = datetime.now(UTC)
    new = factories.new_project(starts_at=now, ends_at=now + timedelta(days=1))
    projects.create_project(office, new=new, by=actor("bob"), now=now)
    with office.units.read() as unit:
        return extracts.get_extract(unit, "wages/v1")


def state(office: Office) -> Extract:
    with office.units.read() as unit:
        return extracts.get_extract(unit, "wages/v1")


def test_a_source_that_is_not_there_fails_with_a_sentence_and_can_be_tried_again(
    office: Office, rooms: Rooms
) -> None:
    rooms.warehouse.mkdir()
    planned(office)
    worker.work(office, rooms, rounds=2)  # plans the risk report, and cannot make it
    failed = state(office)
    assert failed.state is ExtractState.FAILED
    assert failed.error
    assert str(rooms.warehouse) not in failed.error
    extracts.retry_extract(office, extract_id="wages/v1", by=actor("bob"), now=datetime.now(UTC))
    assert state(office).state is ExtractState.PLANNED


def test_what_was_cut_while_extracting_is_planned_again(office: Office, rooms: Rooms) -> None:
    planned(office)
    factories.assess(office, "wages/v1", now=datetime.now(UTC))
    extracts.begin_extract(office, extract_id="wages/v1", by=WORKER, now=datetime.now(UTC))
    worker.work(office, rooms, rounds=0)
    assert state(office).state is ExtractState.PLANNED
    with office.units.read() as unit:
        actions = [event.action for event in unit.events(object="extract:wages/v1")]
    assert actions == [
        "extract.planned", "extract.estimate_asked", "extract.assessing", "extract.assessed",
        "extract.begun", "extract.interrupted",
    ]  # fmt: skip


def test_a_sealed_project_is_active_and_a_late_one_is_not(office: Office) -> None:
    extract = planned(office)
    factories.assess(office, extract.id, now=datetime.now(UTC))
    extracts.begin_extract(office, extract_id=extract.id, by=WORKER, now=datetime.now(UTC))
    late = datetime.now(UTC) + timedelta(days=2)
    extracts.seal_extract(office, extract_id=extract.id, manifest={}, by=SYSTEM, now=late)
    with office.units.read() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        assert project.state is ProjectState.APPROVED


def test_only_a_sealed_extract_is_refreshed_and_the_old_one_stays(office: Office) -> None:
    now = datetime.now(UTC)
    first = planned(office)
    with pytest.raises(Conflict):
        extracts.refresh_extract(office, project="wages", by=actor("bob"), now=now)
    factories.assess(office, first.id, now=datetime.now(UTC))
    extracts.begin_extract(office, extract_id=first.id, by=WORKER, now=now)
    extracts.seal_extract(office, extract_id=first.id, manifest={"rows": 1}, by=SYSTEM, now=now)
    with pytest.raises(Refused):
        extracts.refresh_extract(office, project="wages", by=actor("ana"), now=now)
    second = extracts.refresh_extract(office, project="wages", by=actor("bob"), now=now)
    assert (second.id, second.state, second.plan) == ("wages/v2", ExtractState.PLANNED, first.plan)
    assert state(office).state is ExtractState.SEALED


def test_without_a_report_or_with_a_source_that_is_open_no_more_nothing_is_extracted(office: Office) -> None:
    extract = planned(office)
    now = datetime.now(UTC)
    with pytest.raises(Refused) as refused:
        extracts.begin_extract(office, extract_id=extract.id, by=WORKER, now=now)
    assert refused.value.code == "assessment_missing"
    factories.assess(office, extract.id, now=datetime.now(UTC))
    with office.units.write() as unit:
        source = unit.sources.get("cps")
        assert source is not None
        unit.sources.save(dataclasses.replace(source, open=False))
        unit.record(by=SYSTEM, action="source.registered", object="source:cps", now=now)
    with pytest.raises(Refused) as refused:
        extracts.begin_extract(office, extract_id=extract.id, by=WORKER, now=now)
    assert refused.value.code == "not_open"
    assert state(office).state is ExtractState.PLANNED


@pytest.mark.parametrize("kind", [None, "public-data", "gone"])
def test_a_project_of_no_open_kind_waits_for_a_request(office: Office, kind: str | None) -> None:
    """As projects from before there were kinds, and those whose kind the policy lists no more."""
    extract = planned(office)
    factories.assess(office, extract.id, now=datetime.now(UTC))
    with office.units.write() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        unit.projects.save(dataclasses.replace(project, kind=kind))
        unit.record(by=SYSTEM, action="project.changed", object="project:wages", now=datetime.now(UTC))
    with pytest.raises(Refused) as refused:
        extracts.begin_extract(office, extract_id=extract.id, by=WORKER, now=datetime.now(UTC))
    assert refused.value.code == "needs_request"


def test_a_red_report_on_open_data_is_shown_and_holds_nothing_up(office: Office) -> None:
    extract = planned(office)
    factories.assess(office, extract.id, light="red", now=datetime.now(UTC))
    extracts.begin_extract(office, extract_id=extract.id, by=WORKER, now=datetime.now(UTC))
    assert state(office).state is ExtractState.EXTRACTING
