"""The way out of an approval of which nothing was delivered: who may take it, until when, and what stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.actions import assessments, extracts, provisioning, request_reopenings, requests
from hub.actions.audits import verify_chain
from hub.actions.ports import Catalogue, Office
from hub.actions.request_reviews import Ruling, decide_request
from hub.domain.errors import Conflict, PermissionDenied, Refused
from hub.domain.lifecycle import ExtractState, ProjectState, RequestState
from hub.domain.records import Extract
from hub.domain.requests import DataRequest
from tests.factories import KEY, NOW, SYSTEM, actor
from tests.requests import TEXT, approved, draft, make_catalogue, meet_conditions, sent


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return make_catalogue(tmp_path)


def reopen(office: Office, who: str = "bob", comment: str = "The period is not covered.") -> DataRequest:
    return request_reopenings.reopen_request(office, request_id="r1", comment=comment, by=actor(who), now=NOW)


def withdraw(office: Office, who: str = "ana") -> DataRequest:
    return request_reopenings.withdraw_approved(office, request_id="r1", by=actor(who), now=NOW)


def provisioned(office: Office, catalogue: Catalogue) -> Extract:
    """An approved request's project, whose first extract is planned."""
    meet_conditions(office, approved(office, catalogue))
    provisioning.provision(office, request_id="r1", by=actor("bob"), now=NOW)
    return extract_of(office, "pay-gap/v1")


def extract_of(office: Office, name: str) -> Extract:
    with office.units.read() as unit:
        return extracts.get_extract(unit, name)


def set_state(office: Office, name: str, state: ExtractState) -> None:
    with office.units.write() as unit:
        unit.extracts.save(dataclasses.replace(extracts.get_extract(unit, name), state=state))
        unit.record(by=SYSTEM, action="extract.moved", object=f"extract:{name}", now=NOW)


def events(office: Office) -> list[str]:
    assert verify_chain(office.units, KEY)[1] is None
    with office.units.read() as unit:
        return [event.action for event in unit.events()]


@pytest.mark.parametrize("act", [reopen, withdraw], ids=["reopen", "withdraw"])
def test_what_is_not_approved_has_no_way_out_of_approval(
    office: Office, catalogue: Catalogue, act: Callable[[Office], DataRequest]
) -> None:
    sent(office, catalogue)
    with pytest.raises(Conflict) as refused:
        act(office)
    assert refused.value.code == "request_not_approved"


@pytest.mark.parametrize("act", [reopen, withdraw], ids=["reopen", "withdraw"])
@pytest.mark.parametrize(
    "state",
    [state for state in ExtractState if state not in (ExtractState.PLANNED, ExtractState.FAILED)],
)
def test_an_approval_stands_once_something_was_delivered_of_it(
    office: Office, catalogue: Catalogue, act: Callable[[Office], DataRequest], state: ExtractState
) -> None:
    provisioned(office, catalogue)
    set_state(office, "pay-gap/v1", state)
    before = events(office)
    with pytest.raises(Conflict) as refused:
        act(office)
    assert refused.value.code == "extract_delivered"
    assert events(office) == before
    with office.units.read() as unit:
        assert requests.get_request(unit, "r1").state is RequestState.APPROVED


@pytest.mark.parametrize("who", ["ana", "rosa", "chloe", "eve"])
def test_only_the_administration_reopens(office: Office, catalogue: Catalogue, who: str) -> None:
    approved(office, catalogue)
    with pytest.raises(PermissionDenied):
        reopen(office, who)


@pytest.mark.parametrize("who", ["bob", "rosa", "chloe", "eve"])
def test_only_its_people_withdraw(office: Office, catalogue: Catalogue, who: str) -> None:
    approved(office, catalogue)
    with pytest.raises(PermissionDenied):
        withdraw(office, who)


@pytest.mark.parametrize("comment", ["", "  \n", "x" * 5001])
def test_reopening_needs_a_reason(office: Office, catalogue: Catalogue, comment: str) -> None:
    approved(office, catalogue)
    with pytest.raises(Refused) as refused:
        reopen(office, comment=comment)
    assert (refused.value.code, refused.value.field) == ("comment_missing", "comment")


def test_an_approved_request_is_not_withdrawn_by_mistake(office: Office, catalogue: Catalogue) -> None:
    approved(office, catalogue)
    with pytest.raises(Conflict) as refused:
        requests.withdraw_request(office, request_id="r1", by=actor("ana"), now=NOW)
    assert refused.value.code == "request_decided"


def test_while_it_is_reopened_nothing_is_extracted(office: Office, catalogue: Catalogue) -> None:
    extract = provisioned(office, catalogue)
    reopen(office)
    assert extract_of(office, extract.id).state is ExtractState.FAILED
    extracts.retry_extract(office, extract_id=extract.id, by=actor("bob"), now=NOW)
    with pytest.raises(Conflict) as refused:
        extracts.begin_extract(office, extract_id=extract.id, by=SYSTEM, now=NOW)
    assert refused.value.code == "request_not_approved"


def test_a_withdrawn_requests_project_ends(office: Office, catalogue: Catalogue) -> None:
    provisioned(office, catalogue)
    assert withdraw(office).state is RequestState.WITHDRAWN
    with office.units.read() as unit:
        project = unit.projects.get("pay-gap")
        assert project is not None
        assert (project.state, project.ended_reason) == (ProjectState.EXPIRED, "request_withdrawn")
    assert extract_of(office, "pay-gap/v1").state is ExtractState.FAILED
    assert events(office)[-3:] == ["extract.failed", "project.ended", "request.withdrawn"]


def test_without_a_project_it_is_simply_withdrawn(office: Office, catalogue: Catalogue) -> None:
    approved(office, catalogue)
    assert withdraw(office).state is RequestState.WITHDRAWN
    assert events(office)[-1] == "request.withdrawn"


def test_a_reopened_request_goes_the_whole_way_again(office: Office, catalogue: Catalogue) -> None:
    """The project that was made of it takes the new content; the extract is a new one, of the new plan."""
    provisioned(office, catalogue)
    opened = reopen(office)
    assert (opened.state, opened.approved_version, opened.approved_sha256) == (
        RequestState.RETURNED,
        None,
        None,
    )
    assert opened.decision_comment == "The period is not covered."
    renamed = TEXT.replace("slug: pay-gap", "slug: other")
    saved = requests.save_request(
        office, catalogue, request_id="r1", text=renamed, base=1, by=actor("ana"), now=NOW
    )
    with office.units.read() as unit:
        problems = requests.problems_of(requests.get_version(unit, saved))
    assert [(problem.code, problem.field) for problem in problems] == [("slug_fixed", "slug")]

    text = TEXT.replace("      - sex\n", "")
    requests.save_request(office, catalogue, request_id="r1", text=text, base=2, by=actor("ana"), now=NOW)
    requests.send_request(office, catalogue, request_id="r1", by=actor("ana"), now=NOW)
    ruling = Ruling(3, "approve", accept_rest=True)
    decided = decide_request(office, catalogue, request_id="r1", ruling=ruling, by=actor("bob"), now=NOW)
    project = provisioning.provision(office, request_id="r1", by=actor("bob"), now=NOW)
    assert project.request_sha256 == decided.approved_sha256
    first, second = extract_of(office, "pay-gap/v1"), extract_of(office, "pay-gap/v2")
    assert (first.state, second.state) == (ExtractState.FAILED, ExtractState.PLANNED)
    assert second.plan == project.plan != first.plan
    with pytest.raises(Conflict) as refused:
        provisioning.provision(office, request_id="r1", by=actor("bob"), now=NOW)
    assert refused.value.code == "provisioned"


def fail(office: Office, key: str) -> None:
    assessments.ask_assessment(office, request_id="r1", by=actor("ana"), now=NOW)
    assessments.begin_assessment(office, assessment_id=key, by=SYSTEM, now=NOW)
    error = Refused("empty_population", "No unit fits.", "Aucune unité.", field="populations[0].filter")
    assessments.fail_assessment(office, assessment_id=key, error=error, by=SYSTEM, now=NOW)


def test_what_was_tried_in_vain_is_not_sent(office: Office, catalogue: Catalogue) -> None:
    draft(office, catalogue)
    fail(office, "r1/v1")
    with pytest.raises(Refused) as refused:
        requests.send_request(office, catalogue, request_id="r1", by=actor("ana"), now=NOW)
    assert (refused.value.code, refused.value.field) == ("assessment_failed", "populations[0].filter")
    assert "Aucune unité." in refused.value.fr


def test_what_was_tried_in_vain_is_not_approved(office: Office, catalogue: Catalogue) -> None:
    sent(office, catalogue)
    fail(office, "r1/v1")
    with pytest.raises(Refused) as refused:
        decide_request(
            office,
            catalogue,
            request_id="r1",
            ruling=Ruling(1, "approve", accept_rest=True),
            by=actor("bob"),
            now=NOW,
        )
    assert refused.value.code == "assessment_failed"
