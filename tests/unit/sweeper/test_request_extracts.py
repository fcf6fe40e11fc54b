"""From an approved request to its extract: nothing is made while a gate is closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text as sql

from hub import extraction
from hub.actions import assessments, conditions, extracts, projects, provisioning, request_reviews
from hub.actions import requests as request_actions
from hub.actions.ports import Catalogue, Office
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import load_policies
from hub.domain.errors import Conflict, IntegrityError, Refused
from hub.domain.lifecycle import AssessmentState, ExtractState, ProjectState
from hub.domain.requests import DataRequest
from hub.sweeper import worker
from hub.sweeper.worker import Rooms
from tests import factories, requests
from tests.factories import actor

# The worker's own clock runs: the request is about days around today.
TODAY = datetime.now(UTC)
TEXT = requests.LASTING


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return requests.make_catalogue(tmp_path)


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """A warehouse with the source `register`, three people of which each is alone."""
    policies = load_policies(factories.ROOT / "policies")
    file = tmp_path / "register.csv"
    file.write_text(factories.ROWS, encoding="utf-8")
    warehouse = tmp_path / "warehouse"
    extraction.register(file, requests.dictionary(), warehouse=warehouse, now=TODAY, schemes=policies.classes)
    return Rooms(
        warehouse,
        tmp_path / "extracts",
        bytes(range(32)),
        schemes=policies.classes,
        areas=policies.risks.areas,
        thresholds=policies.risks.thresholds,
    )


def replace(rooms: Rooms, file: Path, dictionary: Dictionary) -> None:
    """Give the source a new edition."""
    extraction.register(
        file, dictionary, warehouse=rooms.warehouse, now=TODAY, schemes=rooms.schemes, replace=True
    )


def approve(office: Office, catalogue: Catalogue, text: str = TEXT) -> DataRequest:
    made = request_actions.start_request(office, catalogue, text=text, by=actor("ana"), now=TODAY)
    request_actions.send_request(office, catalogue, request_id=made.id, by=actor("ana"), now=TODAY)
    ruling = request_reviews.Ruling(1, "approve", accept_rest=True)
    return request_reviews.decide_request(
        office, catalogue, request_id=made.id, ruling=ruling, by=actor("bob"), now=TODAY
    )


def meet(office: Office) -> conditions.RecordedCondition:
    return conditions.record_condition(
        office,
        request_id="r1",
        condition="licence",
        about="",
        paper=conditions.Paper("Licence CC0", date(2026, 1, 15)),
        by=actor("bob"),
        now=TODAY,
    )


def provision(office: Office) -> None:
    provisioning.provision(office, request_id="r1", by=actor("bob"), now=TODAY)


def proceed(office: Office) -> None:
    assessments.decide_risk(
        office,
        request_id="r1",
        version=1,
        choice="proceed",
        reason="Données d’essai.",
        by=actor("bob"),
        now=datetime.now(UTC),
    )


def state(office: Office) -> tuple[ExtractState, str]:
    """The extract's state, and the code of what it waits for."""
    with office.units.read() as unit:
        extract = extracts.get_extract(unit, "pay-gap/v1")
        waits = provisioning.waiting_for(office, unit, extract, datetime.now(UTC))
    return extract.state, waits.code if waits else ""


def test_a_request_goes_all_the_way_to_a_sealed_extract(
    office: Office, catalogue: Catalogue, rooms: Rooms
) -> None:
    approve(office, catalogue)
    meet(office)
    provision(office)
    assert state(office) == (ExtractState.PLANNED, "assessment_missing")
    worker.work(office, rooms, rounds=5)
    assert state(office) == (ExtractState.PLANNED, "risk_decision")
    assert not (rooms.extracts / "pay-gap").exists()
    proceed(office)
    worker.work(office, rooms, rounds=1)
    assert state(office)[0] is ExtractState.SEALED
    manifest = extraction.verify_extract(rooms.extracts / "pay-gap" / "v1")
    with office.units.read() as unit:
        request = request_actions.get_request(unit, "r1")
        project = projects.get_project(unit, "pay-gap")
    assert manifest.request_sha256 == request.approved_sha256 == project.request_sha256
    assert (project.state, project.destroy_by) == (ProjectState.ACTIVE, date(2100, 1, 31))


def test_no_project_is_made_before_the_conditions_are_met(office: Office, catalogue: Catalogue) -> None:
    approve(office, catalogue)
    with pytest.raises(Refused) as refused:
        provision(office)
    assert refused.value.code == "conditions_open"
    with office.units.read() as unit:
        assert unit.projects.find() == []


@pytest.mark.parametrize("status", ["draft", "sent"])
def test_no_project_is_made_of_a_request_that_is_not_approved(
    office: Office, catalogue: Catalogue, status: str
) -> None:
    made = request_actions.start_request(office, catalogue, text=TEXT, by=actor("ana"), now=TODAY)
    if status == "sent":
        request_actions.send_request(office, catalogue, request_id=made.id, by=actor("ana"), now=TODAY)
    with pytest.raises(Conflict) as refused:
        provision(office)
    assert refused.value.code == "request_not_approved"


def test_a_project_is_made_once(office: Office, catalogue: Catalogue) -> None:
    approve(office, catalogue)
    meet(office)
    provision(office)
    with pytest.raises(Conflict) as refused:
        provision(office)
    assert refused.value.code == "provisioned"


def test_a_condition_that_is_revoked_stops_the_extract_at_the_action_and_at_the_worker(
    office: Office, catalogue: Catalogue, rooms: Rooms
) -> None:
    approve(office, catalogue)
    record = meet(office)
    provision(office)
    worker.work(office, rooms, rounds=5)
    proceed(office)
    conditions.revoke_condition(office, request_id="r1", record_id=record.id, by=actor("bob"), now=TODAY)
    worker.work(office, rooms, rounds=2)
    assert state(office) == (ExtractState.PLANNED, "conditions_open")
    with pytest.raises(Refused) as refused:
        extracts.begin_extract(office, extract_id="pay-gap/v1", by=worker.WORKER, now=datetime.now(UTC))
    assert refused.value.code == "conditions_open"


def test_a_condition_revoked_after_the_beginning_is_noticed_before_anything_is_read(
    office: Office, catalogue: Catalogue, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(office, catalogue)
    record = meet(office)
    provision(office)
    worker.work(office, rooms, rounds=5)
    proceed(office)
    begin = extracts.begin_extract

    def begin_then_revoke(office: Office, **given: object) -> object:
        begun = begin(office, **given)  # type: ignore[arg-type]
        conditions.revoke_condition(office, request_id="r1", record_id=record.id, by=actor("bob"), now=TODAY)
        return begun

    monkeypatch.setattr(extracts, "begin_extract", begin_then_revoke)
    worker.work(office, rooms, rounds=1)
    assert state(office)[0] is ExtractState.FAILED
    assert not (rooms.extracts / "pay-gap").exists()


def test_a_plan_that_is_not_the_approved_one_is_not_made(
    office: Office, catalogue: Catalogue, rooms: Rooms
) -> None:
    approve(office, catalogue)
    meet(office)
    provision(office)
    engine = office.units.engine  # type: ignore[attr-defined]  # SqlUnits
    with engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
        connection.execute(sql("UPDATE extracts SET plan = replace(plan, 'sex', 'born')"))
    assert state(office) == (ExtractState.PLANNED, "request_changed")
    with pytest.raises(IntegrityError):
        extracts.begin_extract(office, extract_id="pay-gap/v1", by=worker.WORKER, now=datetime.now(UTC))


@pytest.mark.parametrize("changed", [False, True])
def test_a_decision_counts_for_reports_that_say_what_it_was_taken_on(
    office: Office, catalogue: Catalogue, rooms: Rooms, tmp_path: Path, changed: bool
) -> None:
    approve(office, catalogue)
    meet(office)
    earlier = TODAY - timedelta(hours=1)
    assessments.ask_assessment(office, request_id="r1", by=actor("bob"), now=earlier)
    worker.work(office, rooms, rounds=1)
    proceed(office)
    provision(office)
    assert state(office) == (ExtractState.PLANNED, "assessment_missing")
    if changed:
        file = tmp_path / "other.csv"
        file.write_text(factories.ROWS.replace(",2,19", ",1,19"), encoding="utf-8")
        extraction.register(
            file,
            requests.dictionary(),
            warehouse=rooms.warehouse,
            now=TODAY,
            schemes=rooms.schemes,
            replace=True,
        )
    worker.work(office, rooms, rounds=5)
    with office.units.read() as unit:
        told = [e.details.get("decision") for e in unit.events() if e.action == "request.assessed"]
    if changed:
        assert state(office) == (ExtractState.PLANNED, "risk_decision")
        assert told == [None, "void"]
    else:
        assert state(office)[0] is ExtractState.SEALED
        assert told == [None, "kept"]


def test_a_source_that_changed_after_the_report_is_not_delivered(
    office: Office, catalogue: Catalogue, rooms: Rooms, tmp_path: Path
) -> None:
    approve(office, catalogue)
    meet(office)
    provision(office)
    worker.work(office, rooms, rounds=5)
    proceed(office)
    file = tmp_path / "more.csv"
    file.write_text(factories.ROWS.replace("3123.75", "3124.75"), encoding="utf-8")
    replace(rooms, file, requests.dictionary())
    worker.work(office, rooms, rounds=1)
    with office.units.read() as unit:
        failed = extracts.get_extract(unit, "pay-gap/v1")
    assert failed.state is ExtractState.FAILED
    assert "report" in (failed.error or "")
    extracts.retry_extract(office, extract_id="pay-gap/v1", by=actor("bob"), now=datetime.now(UTC))
    assert state(office) == (ExtractState.PLANNED, "assessment_missing")


def test_an_estimate_of_a_source_that_is_not_there_says_so(
    office: Office, catalogue: Catalogue, rooms: Rooms, tmp_path: Path
) -> None:
    request_actions.start_request(office, catalogue, text=TEXT, by=actor("ana"), now=TODAY)
    assessments.ask_assessment(office, request_id="r1", by=actor("ana"), now=TODAY)
    empty = Rooms(tmp_path / "nothing", rooms.extracts, rooms.master_key, thresholds=rooms.thresholds)
    worker.work(office, empty, rounds=1)
    with office.units.read() as unit:
        found = assessments.get_assessment(unit, "r1/v1")
    assert found.state is AssessmentState.FAILED
    assert found.error is not None
    assert str(tmp_path) not in str(found.error)


def test_an_assessment_that_was_cut_is_made_again(office: Office, catalogue: Catalogue, rooms: Rooms) -> None:
    request_actions.start_request(office, catalogue, text=TEXT, by=actor("ana"), now=TODAY)
    assessments.ask_assessment(office, request_id="r1", by=actor("ana"), now=TODAY)
    assessments.begin_assessment(office, assessment_id="r1/v1", by=worker.WORKER, now=TODAY)
    worker.work(office, rooms, rounds=1)
    with office.units.read() as unit:
        found = assessments.get_assessment(unit, "r1/v1")
    assert (found.state, (found.result or {})["rows"]) == (AssessmentState.DONE, {"pay": 3})


def test_estimates_are_no_way_of_counting_people(office: Office, catalogue: Catalogue) -> None:
    request_actions.start_request(office, catalogue, text=TEXT, by=actor("ana"), now=TODAY)
    for version in range(1, assessments.ESTIMATES_A_DAY + 1):
        assessments.ask_assessment(office, request_id="r1", by=actor("ana"), now=TODAY)
        request_actions.save_request(
            office,
            catalogue,
            request_id="r1",
            text=TEXT + f"# {version}\n",
            base=version,
            by=actor("ana"),
            now=TODAY,
        )
    with pytest.raises(Refused) as refused:
        assessments.ask_assessment(office, request_id="r1", by=actor("ana"), now=TODAY)
    assert refused.value.code == "too_many_estimates"


def test_a_refresh_brings_what_a_new_edition_has(
    office: Office, catalogue: Catalogue, rooms: Rooms, tmp_path: Path
) -> None:
    """A corrected wage and a new person, in a second version beside the first; the report is made anew."""
    rooms = dataclasses.replace(rooms, maps=tmp_path / "maps")
    approve(office, catalogue)
    meet(office)
    provision(office)
    worker.work(office, rooms, rounds=5)
    proceed(office)
    worker.work(office, rooms, rounds=1)
    before = pl.read_parquet(rooms.extracts / "pay-gap" / "v1" / "pay.parquet")
    file = tmp_path / "more.csv"
    rows = factories.ROWS.replace("3123.75", "3124.75") + "7412,BE-0417,3000,2,1994-01-01\n"
    file.write_text(rows, encoding="utf-8")
    edition = requests.dictionary()
    edition = edition.model_copy(update={"file": edition.file.model_copy(update={"rows": 4})})
    replace(rooms, file, edition)
    second = extracts.refresh_extract(office, project="pay-gap", by=actor("bob"), now=datetime.now(UTC))
    worker.work(office, rooms, rounds=5)
    with office.units.read() as unit:
        waits = provisioning.waiting_for(office, unit, second, datetime.now(UTC))
    assert waits is not None
    assert waits.code == "risk_decision"  # that of the first report is void: the data are others
    proceed(office)
    worker.work(office, rooms, rounds=1)
    after = pl.read_parquet(rooms.extracts / "pay-gap" / "v2" / "pay.parquet")
    (person,) = (name for name in before.columns if name.endswith("_id") and name in after.columns)
    assert set(before[person]) < set(after[person])
    assert (len(before), len(after)) == (3, 4)
    manifests = [extraction.verify_extract(rooms.extracts / "pay-gap" / v) for v in ("v1", "v2")]
    record = extraction.load_source(rooms.warehouse, "register")
    assert [one.sources[0].file_sha256 for one in manifests] == [
        (record.earlier or ())[0].file_sha256,
        record.file_sha256,
    ]
