"""Provisioning and ending projects: refusals first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest

from hub.actions import people, projects, sessions
from hub.actions.clock import sweep
from hub.actions.ports import Office
from hub.domain.errors import PermissionDenied, Refused
from hub.domain.lifecycle import ExtractState, PersonState, ProjectState
from tests import factories
from tests.factories import NOW, SYSTEM, actor, new_project

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"slug": "Wages"}, "bad_slug", "slug"),
        ({"slug": "wages/../x"}, "bad_slug", "slug"),
        ({"slug": "w--x"}, "bad_slug", "slug"),
        ({"slug": "a" * 31}, "bad_slug", "slug"),
        ({"slug": ""}, "bad_slug", "slug"),
        ({"title": "  "}, "missing", "title"),
        ({"ends_at": NOW - DAY, "starts_at": NOW}, "end_before_start", "ends_at"),
        ({"ends_at": NOW, "starts_at": NOW}, "end_before_start", "ends_at"),
        ({"ends_at": NOW - DAY, "starts_at": NOW - 2 * DAY}, "end_in_past", "ends_at"),
        ({"tier": "sealed"}, "unknown_tier", "tier"),
        ({"tier": "transparent"}, "unknown_tier", "tier"),
        ({"people": []}, "missing", "people"),
        ({"people": ["ana", "nobody"]}, "unknown_person", "people"),
        ({"plan": {"source": "other"}}, "unknown_source", "extract.source"),
        ({"plan": {}}, "unknown_source", "extract.source"),
        ({"kind": None}, "needs_request", "kind"),
        ({"kind": "no-such-kind"}, "needs_request", "kind"),
        ({"kind": "public-data"}, "needs_request", "kind"),  # has a condition
        ({"kind": "bcss-deliberation"}, "needs_request", "kind"),
        ({"plan": {"source": "cps", "columns": ["wage", "age"]}}, "unknown_column", "extract.columns"),
        ({"plan": {"source": "cps", "columns": ["name"]}}, "unknown_column", "extract.columns"),
        ({"plan": {"source": "cps", "columns": [{"variable": "name"}]}}, "unknown_column", "extract.columns"),
        ({"plan": {"source": "cps", "columns": [{"level": "raw"}]}}, "unknown_column", "extract.columns"),
        (
            {"plan": {"source": "cps", "columns": ["wage", {"variable": "wage", "level": "group"}]}},
            "unknown_level",
            "extract.columns[1].level",
        ),
        (
            {"plan": {"source": "cps", "columns": [{"variable": "wage", "level": "exact"}]}},
            "unknown_level",
            "extract.columns[0].level",
        ),
    ],
)
def test_create_project_refuses_and_stores_nothing(
    office: Office, changes: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        projects.create_project(office, new=new_project(**changes), by=actor("bob"), now=NOW)
    assert (refused.value.code, refused.value.field) == (code, field)
    with office.units.read() as unit:
        assert unit.projects.find() == []
        assert unit.extracts.find() == []


def _close_source(office: Office) -> None:
    """The source as one is recorded whose dictionary does not say `access: open`."""
    with office.units.write() as unit:
        source = unit.sources.get("cps")
        assert source is not None
        unit.sources.save(dataclasses.replace(source, open=False))
        unit.record(by=SYSTEM, action="source.registered", object="source:cps", now=NOW)


def test_confidential_data_need_a_request(office: Office) -> None:
    _close_source(office)
    with pytest.raises(Refused) as refused:
        projects.create_project(office, new=new_project(), by=actor("bob"), now=NOW)
    assert (refused.value.code, refused.value.field) == ("not_open", "kind")
    with office.units.read() as unit:
        assert unit.projects.find() == []


def test_a_kind_that_waits_for_a_decision_is_not_for_projects_without_a_request(office: Office) -> None:
    """Nobody could decide on their report: decisions are taken on requests."""
    kinds = office.rules.conditions.kinds
    waiting = kinds["open-data"].model_copy(update={"red_report": "decide"})
    conditions = office.rules.conditions.model_copy(update={"kinds": {**kinds, "open-data": waiting}})
    office = dataclasses.replace(office, rules=dataclasses.replace(office.rules, conditions=conditions))
    with pytest.raises(Refused) as refused:
        projects.create_project(office, new=new_project(), by=actor("bob"), now=NOW)
    assert (refused.value.code, refused.value.field) == ("needs_request", "kind")


LEVELS = {"fr": "âge", "en": "age", "deliverable": True, "levels": ["raw", "band"]}


def _with_levels(office: Office) -> None:
    """The source as one is recorded whose dictionary offers levels."""
    with office.units.write() as unit:
        source = unit.sources.get("cps")
        assert source is not None
        unit.sources.save(dataclasses.replace(source, variables={**source.variables, "age": LEVELS}))
        unit.record(by=SYSTEM, action="source.registered", object="source:cps", now=NOW)


@pytest.mark.parametrize(
    ("column", "code", "field"),
    [
        ({"variable": "age", "level": "raw"}, "justification_needed", "extract.columns[0].justification"),
        (
            {"variable": "age", "level": "raw", "justification": "  "},
            "justification_needed",
            "extract.columns[0].justification",
        ),
        ({"variable": "age", "level": "class"}, "unknown_level", "extract.columns[0].level"),
    ],
)
def test_a_finer_level_needs_its_reason(
    office: Office, column: dict[str, object], code: str, field: str
) -> None:
    _with_levels(office)
    new = new_project(plan={"source": "cps", "columns": [column]})
    with pytest.raises(Refused) as refused:
        projects.create_project(office, new=new, by=actor("bob"), now=NOW)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    "column",
    [
        "age",
        {"variable": "age"},
        {"variable": "age", "level": None, "justification": ""},
        {"variable": "age", "level": "band"},
        {"variable": "age", "level": "raw", "justification": "Single years are the question."},
    ],
)
def test_names_and_mappings_are_columns_alike(office: Office, column: object) -> None:
    _with_levels(office)
    plan = {"source": "cps", "columns": ["wage", column]}
    made = projects.create_project(office, new=new_project(plan=plan), by=actor("bob"), now=NOW)
    assert made.plan == plan


def test_create_project_refuses_a_second_of_the_same_name(office: Office) -> None:
    projects.create_project(office, new=new_project(), by=actor("bob"), now=NOW)
    with pytest.raises(Refused) as refused:
        projects.create_project(office, new=new_project(), by=actor("bob"), now=NOW)
    assert (refused.value.code, refused.value.field) == ("duplicate_slug", "slug")


Act = Callable[[Office, str], object]
ACTS: list[Act] = [
    lambda office, who: projects.create_project(office, new=new_project("other"), by=actor(who), now=NOW),
    lambda office, who: projects.suspend_project(office, slug="wages", by=actor(who), now=NOW),
    lambda office, who: projects.resume_project(office, slug="wages", by=actor(who), now=NOW),
    lambda office, who: projects.end_project(office, slug="wages", by=actor(who), now=NOW),
    lambda office, who: projects.set_project_end(
        office, slug="wages", ends_at=NOW + DAY, by=actor(who), now=NOW
    ),
    lambda office, who: people.set_person_state(
        office, username="rosa", state=PersonState.SUSPENDED, by=actor(who), now=NOW
    ),
    lambda office, who: people.add_person(
        office, username="zoe", name="Z", email="z@example.org", roles=frozenset(), by=actor(who), now=NOW
    ),
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["ana", "chloe", "eve"])
def test_only_admins_provision(office: Office, act: Act, who: str) -> None:
    factories.add_project(office)
    with pytest.raises(PermissionDenied):
        act(office, who)


def test_a_project_waits_for_its_extract_and_then_opens(office: Office) -> None:
    made = projects.create_project(office, new=new_project(), by=actor("bob"), now=NOW)
    assert made.state is ProjectState.APPROVED
    with pytest.raises(PermissionDenied) as refused:
        sessions.check_desk(office, slug="wages", by=actor("ana"), now=NOW)
    assert refused.value.code == "extract_not_ready"
    with office.units.read() as unit:
        assert [e.state for e in unit.extracts.find(project="wages")] == [ExtractState.PLANNED]


def close_by_suspending_project(office: Office) -> object:
    return projects.suspend_project(office, slug="wages", by=actor("bob"), now=NOW)


def close_by_ending(office: Office) -> object:
    return projects.end_project(office, slug="wages", by=actor("bob"), now=NOW)


def close_by_suspending_person(office: Office) -> object:
    return people.set_person_state(
        office, username="ana", state=PersonState.SUSPENDED, by=actor("bob"), now=NOW
    )


@pytest.mark.parametrize(
    ("close", "reason"),
    [
        (close_by_suspending_project, "project_suspended"),
        (close_by_ending, "project_ended"),
        (close_by_suspending_person, "person_suspended"),
    ],
)
def test_closing_reaches_gate_and_desk_in_the_same_call(
    office: Office, close: Callable[[Office], object], reason: str
) -> None:
    """Before any sweep: the session file is ENDED and the desk's own deadline is now."""
    factories.add_project(office)
    session = factories.open_session(office).session.id
    close(office)
    files = office.session_files
    content = files.read(session)  # type: ignore[attr-defined]  # the adapter's own
    assert (content["state"], content["reason"], content["hub_env"]) == ("ENDED", reason, {})
    deadline = (files.run / session / "ends_at").read_text()  # type: ignore[attr-defined]
    assert int(deadline) < (NOW + timedelta(days=400)).timestamp()
    assert files.open_sessions() == {}
    with pytest.raises(PermissionDenied) as refused:
        sessions.grant_session(office, slug="wages", by=actor("ana"), now=NOW)
    assert refused.value.code == reason
    swept = sweep(office, now=NOW)
    assert swept.sessions_closed == [session]
    assert ("stop", "ana", "wages") in office.desks.calls  # type: ignore[attr-defined]  # RecordedDesks
    with office.units.read() as unit:
        stored = unit.sessions.get(session)
        assert stored is not None
        assert stored.reason == reason


def test_the_clock_ends_a_project_at_its_end_and_not_before(office: Office) -> None:
    made = factories.add_project(office)
    session = factories.open_session(office).session.id
    assert sweep(office, now=made.ends_at - timedelta(microseconds=1)).quiet
    swept = sweep(office, now=made.ends_at)
    assert (swept.projects_ended, swept.sessions_closed) == (["wages"], [session])
    assert sweep(office, now=made.ends_at).quiet


def test_a_resumed_project_opens_again(office: Office) -> None:
    factories.add_project(office)
    close_by_suspending_project(office)
    projects.resume_project(office, slug="wages", by=actor("bob"), now=NOW)
    sessions.check_desk(office, slug="wages", by=actor("ana"), now=NOW)


def test_moving_the_end_moves_it_for_gate_and_desk(office: Office) -> None:
    factories.add_project(office)
    session = factories.open_session(office).session.id
    earlier = NOW + timedelta(hours=1)
    projects.set_project_end(office, slug="wages", ends_at=earlier, by=actor("bob"), now=NOW)
    assert office.session_files.open_sessions() == {session: earlier}


def test_a_grant_that_never_started_is_ended(office: Office) -> None:
    factories.add_project(office)
    grant = sessions.grant_session(office, slug="wages", by=actor("ana"), now=NOW)
    assert sweep(office, now=NOW + timedelta(minutes=1)).quiet
    assert sweep(office, now=NOW + timedelta(minutes=4)).sessions_closed == [grant.session.id]


def test_a_hub_that_does_not_answer_leaves_the_session_open_in_the_books_but_closed_at_the_gate(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.add_project(office)
    session = factories.open_session(office).session.id
    close_by_suspending_project(office)

    def gone(_username: str, _project: str) -> None:
        raise Refused("hub_unreachable", "gone")

    monkeypatch.setattr(office.desks, "stop", gone)
    assert sweep(office, now=NOW).not_stopped == [session]
    monkeypatch.undo()
    assert sweep(office, now=NOW).sessions_closed == [session]


def test_nobody_suspends_themselves(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        people.set_person_state(office, username="bob", state=PersonState.SUSPENDED, by=actor("bob"), now=NOW)
    assert refused.value.code == "yourself"


def test_a_foreign_project_is_not_opened(office: Office) -> None:
    factories.add_project(office)
    with pytest.raises(PermissionDenied) as refused:
        sessions.check_desk(office, slug="wages", by=actor("rosa"), now=NOW)
    assert refused.value.code == "membership_ended"


def test_every_change_is_audited_with_its_actor(office: Office) -> None:
    factories.add_project(office)
    close_by_suspending_project(office)
    with office.units.read() as unit:
        entries = [(e.actor, e.action) for e in unit.events(object="project:wages")]
    assert entries == [
        ("bob", "project.created"),
        (SYSTEM.audit_name, "project.activated"),
        ("bob", "project.suspended"),
    ]
