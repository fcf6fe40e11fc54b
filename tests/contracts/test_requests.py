"""Requests on SQLite and on PostgreSQL: every record comes back equal, and of two at once one wins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hub.actions import assessments, conditions, provisioning, requests
from hub.actions.audits import verify_chain
from hub.actions.ports import Office
from hub.domain.errors import Conflict
from tests import factories
from tests.factories import KEY, NOW, SYSTEM, actor
from tests.requests import TEXT, approved, draft, make_catalogue, meet_conditions


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    office = factories.make_office(tmp_path, url)
    factories.fill(office)
    yield office
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


def test_the_whole_way_is_stored_and_read_back(office: Office, tmp_path: Path) -> None:
    catalogue = make_catalogue(tmp_path)
    made = approved(office, catalogue)
    requests.start_request(office, catalogue, text="title: Half", by=actor("ana"), now=NOW)
    meet_conditions(office, made)
    assessments.ask_assessment(office, request_id="r1", by=actor("bob"), now=NOW)
    assessments.begin_assessment(office, assessment_id="r1/v1", by=SYSTEM, now=NOW)
    assessments.finish_assessment(
        office, assessment_id="r1/v1", result={"rows": {"pay": 3}}, light="red", by=SYSTEM, now=NOW
    )
    assessments.decide_risk(
        office, request_id="r1", version=1, choice="hold", reason="Non.", by=actor("bob"), now=NOW
    )
    project = provisioning.provision(office, request_id="r1", by=actor("bob"), now=NOW)
    with office.units.read() as unit:
        assert unit.projects.get("pay-gap") == project
        half = requests.get_version(unit, requests.get_request(unit, "r2"))
        assert "purpose" in {problem.field for problem in requests.problems_of(half)}
        (record,) = unit.conditions.find(request="r1")
        assert record.dated == date(2026, 1, 15)
        found = assessments.get_assessment(unit, "r1/v1")
        assert (found.result, found.choice) == ({"rows": {"pay": 3}}, "hold")
        assert conditions.condition_statuses(office.rules, unit, made, NOW.date())
    assert verify_chain(office.units, KEY)[1] is None


def test_of_six_windows_that_save_at_once_one_wins(office: Office, tmp_path: Path) -> None:
    catalogue = make_catalogue(tmp_path)
    made = draft(office, catalogue)
    barrier = threading.Barrier(6)
    outcomes: list[str] = []

    def save(number: int) -> None:
        text = TEXT.replace("pay-gap", f"gap-{number}")
        barrier.wait()
        try:
            requests.save_request(
                office, catalogue, request_id=made.id, text=text, base=1, by=actor("ana"), now=NOW
            )
            outcomes.append("saved")
        except Conflict as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved", *["stale_version"] * 5]
    with office.units.read() as unit:
        assert requests.get_request(unit, made.id).version == 2
        assert len(unit.request_versions.find(request=made.id)) == 2
