"""The contract of `Units` and `Records`, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.actions import audits, people, reviews, sessions, submissions
from hub.actions.ports import Office
from hub.adapters import schema
from hub.adapters.units import SqlUnits, UnitWithoutEventError
from hub.domain.errors import Conflict, NotFound
from hub.domain.lifecycle import PersonState, SubmissionState
from hub.domain.permissions import Role
from hub.domain.records import Decision, Person
from tests import factories
from tests.factories import KEY, NOW, SYSTEM


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    office = factories.make_office(tmp_path, url)
    yield office
    units_of(office).engine.dispose()


def units_of(office: Office) -> SqlUnits:
    assert isinstance(office.units, SqlUnits)
    return office.units


PERSON = Person("ana", "Ana", "a@example.org", frozenset({Role.ADMIN}), PersonState.ACTIVE, NOW)


def test_a_change_without_an_event_is_refused_and_rolled_back(office: Office) -> None:
    with pytest.raises(UnitWithoutEventError), office.units.write() as unit:
        unit.people.add(PERSON)
    with office.units.read() as unit:
        assert unit.people.find() == []


def test_an_error_rolls_the_change_and_its_event_back(office: Office) -> None:
    with pytest.raises(RuntimeError), office.units.write() as unit:  # noqa: PT012  # the block is the unit
        unit.people.add(PERSON)
        unit.record(by=SYSTEM, action="person.added", object="person:ana", now=NOW)
        raise RuntimeError("cut")
    with office.units.read() as unit:
        assert unit.people.find() == []
        assert list(unit.events()) == []


def test_a_read_unit_changes_nothing(office: Office) -> None:
    with office.units.read() as unit:
        unit.people.add(PERSON)
    with office.units.read() as unit:
        assert unit.people.get("ana") is None


def test_records_come_back_equal_and_in_order(office: Office) -> None:
    with office.units.write() as unit:
        unit.people.add(PERSON)
        unit.record(by=SYSTEM, action="person.added", object="person:ana", now=NOW)
        with pytest.raises(Conflict):
            unit.people.add(PERSON)
    with office.units.read() as unit:
        assert unit.people.get("ana") == PERSON
        assert unit.people.get("nobody") is None
        with pytest.raises(NotFound):
            unit.people.save(Person("nobody", "", "", frozenset(), PersonState.ACTIVE, NOW))


def test_the_schema_is_what_the_migrations_make(office: Office) -> None:
    assert schema.drift(units_of(office).engine) == []


@pytest.mark.parametrize(
    ("statement", "seq", "code"),
    [
        ("UPDATE audit_events SET actor = 'mallory' WHERE seq = 3", 3, "changed"),
        ("DELETE FROM audit_events WHERE seq = 4", 4, "missing"),
        ("DELETE FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events)", 7, "missing"),
    ],
)
def test_tampering_in_the_database_is_named(office: Office, statement: str, seq: int, code: str) -> None:
    factories.fill(office)
    units = units_of(office)
    count, fault = audits.verify_chain(units, KEY)
    assert (count, fault) == (7, None)
    with units.engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
        connection.execute(text(statement))
    _, fault = audits.verify_chain(units, KEY)
    assert fault is not None
    assert (fault.seq, fault.code) == (seq, code)


def test_entries_reordered_in_the_database_are_named(office: Office) -> None:
    factories.fill(office)
    units = units_of(office)
    with units.engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
        for old, new in ((2, 1002), (3, 2), (1002, 3)):
            statement = "UPDATE audit_events SET seq = :new WHERE seq = :old"
            connection.execute(text(statement), {"new": new, "old": old})
    _, fault = audits.verify_chain(units, KEY)
    assert fault is not None
    assert (fault.seq, fault.code) == (2, "reordered")


def test_two_checkers_voting_at_the_same_instant_make_one_outcome(office: Office) -> None:
    factories.fill(office)
    factories.add_project(office)
    grant = factories.open_session(office)
    made = submissions.submit(
        office,
        session_id=grant.session.id,
        form=factories.FORM,
        supersedes=None,
        files=[factories.staged()],
        now=NOW,
    )
    given = factories.grounds(office, made.id)
    barrier = threading.Barrier(6)
    errors: list[Exception] = []

    def vote(checker: str) -> None:
        barrier.wait()
        try:
            reviews.cast_vote(
                office,
                submission_id=made.id,
                decision=Decision.APPROVE,
                comment="",
                by=factories.actor(checker),
                now=NOW,
                grounds=given,
            )
        except Conflict as error:
            errors.append(error)

    threads = [threading.Thread(target=vote, args=(name,)) for name in ("chloe", "denis") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with office.units.read() as unit:
        submission = unit.submissions.get(made.id)
        assert submission is not None
        assert submission.state is SubmissionState.RELEASED
        assert sorted(v.checker for v in unit.votes.find(submission=made.id)) == ["chloe", "denis"]
        actions = [event.action for event in unit.events(object=f"submission:{made.id}")]
    assert actions.count("review.voted") == 2
    assert actions.count("submission.released") == 1
    assert audits.verify_chain(office.units, KEY)[1] is None


def test_many_writers_leave_one_unbroken_chain(office: Office) -> None:
    factories.fill(office)

    def suspend_and_readmit(username: str) -> None:
        for _ in range(5):
            for state in (PersonState.SUSPENDED, PersonState.ACTIVE):
                people.set_person_state(office, username=username, state=state, by=SYSTEM, now=NOW)

    threads = [threading.Thread(target=suspend_and_readmit, args=(n,)) for n in ("ana", "bob", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audits.verify_chain(office.units, KEY) == (7 + 30, None)


def test_a_second_session_ends_the_first(office: Office) -> None:
    factories.fill(office)
    factories.add_project(office)
    first = factories.open_session(office)
    second = sessions.grant_session(office, slug="wages", by=factories.actor("ana"), now=NOW)
    with office.units.read() as unit:
        ended = unit.sessions.get(first.session.id)
        assert ended is not None
        assert ended.ended_at == NOW
    assert second.session.id != first.session.id
