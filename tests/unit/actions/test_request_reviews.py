"""Reviews of requests: verdicts per variable, decisions, and the frozen version."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from hub.actions import people, request_reviews, requests
from hub.actions.ports import Catalogue, Office
from hub.actions.request_reviews import Ruling, Verdict
from hub.domain.errors import Conflict, IntegrityError, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import RequestState
from hub.domain.permissions import Actor, Role
from hub.domain.requests import DataRequest, RemarkKind
from tests.factories import NOW, SYSTEM, actor
from tests.requests import TEXT, approved, make_catalogue, sent


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return make_catalogue(tmp_path)


def say(office: Office, catalogue: Catalogue, *verdicts: Verdict, version: int = 1) -> DataRequest:
    return request_reviews.review_variables(
        office, catalogue, request_id="r1", version=version, verdicts=verdicts, by=actor("bob"), now=NOW
    )


def decide(office: Office, catalogue: Catalogue, ruling: Ruling, by: Actor | None = None) -> DataRequest:
    return request_reviews.decide_request(
        office, catalogue, request_id="r1", ruling=ruling, by=by or actor("bob"), now=NOW
    )


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict("pay.age", RemarkKind.ACCEPT), "unknown_column"),
        (Verdict("pay.wage", RemarkKind.ANSWER), "unknown_column"),
        (Verdict("pay.wage", RemarkKind.REFUSE), "comment_missing"),
        (Verdict("pay.wage", RemarkKind.ASK, text=" "), "comment_missing"),
        (Verdict("pay.wage", RemarkKind.COARSEN), "unknown_level"),
        (Verdict("pay.wage", RemarkKind.COARSEN, "raw"), "unknown_level"),
        (Verdict("pay.wage", RemarkKind.COARSEN, "group"), "unknown_level"),
        (Verdict("pay.sex", RemarkKind.COARSEN, "band"), "unknown_level"),
    ],
)
def test_a_verdict_that_means_nothing_is_refused_and_nothing_is_kept(
    office: Office, catalogue: Catalogue, verdict: Verdict, code: str
) -> None:
    sent(office, catalogue)
    with pytest.raises(Refused) as refused:
        say(office, catalogue, Verdict("pay.sex", RemarkKind.ACCEPT), verdict)
    assert (refused.value.code, refused.value.field) == (code, verdict.about)
    with office.units.read() as unit:
        assert unit.remarks.find() == []
        assert requests.get_request(unit, "r1").state is RequestState.SUBMITTED


def test_coarsened_and_refused_variables_are_so_in_the_frozen_version(
    office: Office, catalogue: Catalogue
) -> None:
    sent(office, catalogue)
    say(
        office,
        catalogue,
        Verdict("pay.wage", RemarkKind.COARSEN, "band", "Des tranches suffisent."),
        Verdict("pay.sex", RemarkKind.REFUSE, text="Inutile ici."),
    )
    made = decide(office, catalogue, Ruling(1, "approve"))
    assert (made.state, made.version, made.approved_version) == (RequestState.APPROVED, 2, 2)
    with office.units.read() as unit:
        document = requests.approved_document(unit, made)
        untouched = requests.get_version(unit, made, 1)
    (column,) = document.datasets[0].requests
    assert (column.variable, column.level) == ("wage", "band")
    assert made.approved_sha256 == document.digest
    assert untouched.text == TEXT


def test_an_approved_request_that_is_changed_in_the_database_is_not_the_approved_one(
    office: Office, catalogue: Catalogue
) -> None:
    made = approved(office, catalogue)
    engine = office.units.engine  # type: ignore[attr-defined]  # SqlUnits
    with engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
        connection.execute(sql("UPDATE request_versions SET text = replace(text, 'sex', 'born')"))
    with office.units.read() as unit, pytest.raises(IntegrityError) as refused:
        requests.approved_document(unit, made)
    assert refused.value.code == "request_changed"


def test_a_variable_without_a_verdict_is_not_approved_in_passing(
    office: Office, catalogue: Catalogue
) -> None:
    sent(office, catalogue)
    say(office, catalogue, Verdict("pay.wage", RemarkKind.ACCEPT))
    with pytest.raises(Refused) as refused:
        decide(office, catalogue, Ruling(1, "approve"))
    assert (refused.value.code, refused.value.field) == ("not_reviewed", "pay.sex")
    assert decide(office, catalogue, Ruling(1, "approve", accept_rest=True)).state is RequestState.APPROVED


def test_an_open_question_keeps_a_request_from_being_approved(office: Office, catalogue: Catalogue) -> None:
    sent(office, catalogue)
    say(office, catalogue, Verdict("pay.wage", RemarkKind.ASK, text="Pourquoi ?"))
    with pytest.raises(Refused) as refused:
        decide(office, catalogue, Ruling(1, "approve", accept_rest=True))
    assert refused.value.code == "question_open"


def test_a_verdict_stands_only_while_what_is_asked_stays_the_same(
    office: Office, catalogue: Catalogue
) -> None:
    sent(office, catalogue)
    say(
        office,
        catalogue,
        Verdict("pay.wage", RemarkKind.ACCEPT),
        Verdict("pay.sex", RemarkKind.ACCEPT),
    )
    decide(office, catalogue, Ruling(1, "return", "Précisez."))
    text = TEXT.replace("L’écart se calcule", "La mesure se calcule")
    requests.save_request(office, catalogue, request_id="r1", text=text, base=1, by=actor("ana"), now=NOW)
    again = requests.send_request(office, catalogue, request_id="r1", by=actor("ana"), now=NOW)
    assert (again.state, again.version) == (RequestState.SUBMITTED, 2)
    with office.units.read() as unit:
        assert set(request_reviews.standing_verdicts(unit, again)) == {"pay.sex"}


def test_a_decision_is_about_the_version_that_was_read(office: Office, catalogue: Catalogue) -> None:
    sent(office, catalogue)
    with pytest.raises(Conflict) as refused:
        decide(office, catalogue, Ruling(2, "approve", accept_rest=True))
    assert refused.value.code == "stale_version"


@pytest.mark.parametrize("decision", ["return", "reject"])
def test_returning_and_rejecting_need_a_reason(office: Office, catalogue: Catalogue, decision: str) -> None:
    sent(office, catalogue)
    with pytest.raises(Refused) as refused:
        decide(office, catalogue, Ruling(1, decision, "  "))
    assert (refused.value.code, refused.value.field) == ("comment_missing", "comment")


@pytest.mark.parametrize("who", ["ana", "rosa", "chloe", "eve"])
def test_only_admins_decide(office: Office, catalogue: Catalogue, who: str) -> None:
    sent(office, catalogue)
    with pytest.raises(PermissionDenied):
        decide(office, catalogue, Ruling(1, "approve", accept_rest=True), actor(who))


def test_nobody_decides_on_a_request_that_names_them(office: Office, catalogue: Catalogue) -> None:
    both = Actor("fred", frozenset({Role.ADMIN, Role.RESEARCHER}))
    people.add_person(office, username="fred", name="Fred", email="", roles=both.roles, by=SYSTEM, now=NOW)
    sent(office, catalogue, TEXT.replace("username: ana", "username: fred"))
    with pytest.raises(PermissionDenied) as refused:
        decide(office, catalogue, Ruling(1, "approve", accept_rest=True), both)
    assert refused.value.code == "own_request"


def test_the_same_decision_again_changes_nothing_and_another_is_refused(
    office: Office, catalogue: Catalogue
) -> None:
    sent(office, catalogue)
    ruling = Ruling(1, "reject", "Hors du cadre légal.")
    first = decide(office, catalogue, ruling)
    assert decide(office, catalogue, ruling) == first
    with pytest.raises(Conflict) as refused:
        decide(office, catalogue, Ruling(1, "approve", accept_rest=True))
    assert refused.value.code == "already_decided"


def test_two_admins_deciding_at_once_make_one_decision(office: Office, catalogue: Catalogue) -> None:
    sent(office, catalogue)
    dora = Actor("dora", frozenset({Role.ADMIN}))
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def run(by: Actor, ruling: Ruling) -> None:
        barrier.wait()
        try:
            outcomes.append(decide(office, catalogue, ruling, by).state.value)
        except Conflict as refused:
            outcomes.append(refused.code)

    threads = [
        threading.Thread(target=run, args=(actor("bob"), Ruling(1, "approve", accept_rest=True))),
        threading.Thread(target=run, args=(dora, Ruling(1, "reject", "Non."))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "already_decided" in outcomes
    with office.units.read() as unit:
        actions = [event.action for event in unit.events(object="request:r1")]
    assert len({"request.approved", "request.rejected"} & set(actions)) == 1


def test_the_same_verdict_again_is_not_said_twice(office: Office, catalogue: Catalogue) -> None:
    sent(office, catalogue)
    verdict = Verdict("pay.wage", RemarkKind.COARSEN, "class", "Assez.")
    say(office, catalogue, verdict)
    say(office, catalogue, verdict)
    with office.units.read() as unit:
        assert len(unit.remarks.find(request="r1")) == 1


def test_an_unknown_request_is_not_found(office: Office, catalogue: Catalogue) -> None:
    with pytest.raises(NotFound):
        decide(office, catalogue, Ruling(1, "approve"))
