"""Requests: drafts, versions, sending; what is refused names its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.actions import requests
from hub.actions.ports import Catalogue, Office
from hub.domain.errors import Conflict, DocumentError, PermissionDenied, Refused
from hub.domain.lifecycle import RequestState
from tests.factories import NOW, actor
from tests.requests import TEXT, draft, make_catalogue, sent


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return make_catalogue(tmp_path)


def problems(office: Office, catalogue: Catalogue, text: str) -> dict[str, str]:
    made = draft(office, catalogue, text)
    with office.units.read() as unit:
        return {p.field: p.code for p in requests.problems_of(requests.get_version(unit, made))}


@pytest.mark.parametrize(
    ("before", "after", "field", "code"),
    [
        ("username: ana", "username: zoe", "people[0].username", "unknown_person"),
        ("username: ana", "username: bob", "people[0].username", "unknown_person"),
        ("public-data", "private-data", "kind", "unknown_kind"),
        ("tier: open", "tier: sealed", "tier", "unknown_tier"),
        ("ends_at: 2026-12-31", "ends_at: 2026-02-28", "ends_at", "end_in_past"),
        ("kind: public-data", "kind: open-data", "kind", "not_open"),
        (
            "    source: register\n    unit",
            "    source: cps\n    unit",
            "populations[0].source",
            "unknown_source",
        ),
        ("unit: person", "unit: sector", "populations[0].unit", "unknown_unit"),
        ("units: [person]", "units: [sector]", "datasets[0].units", "unknown_unit"),
        ("- sex", "- shoe_size", "datasets[0].columns[0]", "unknown_column"),
        ("- sex", "- employer", "datasets[0].columns[0]", "unknown_column"),
        ("- sex", "- {variable: sex, level: band}", "datasets[0].columns[0].level", "unknown_level"),
        (
            'justification: "L’écart se calcule sur les montants."',
            'justification: "  "',
            "datasets[0].columns[1].justification",
            "justification_needed",
        ),
        (
            "    unit: person",
            "    unit: person\n    filter: {not: {field: employer, operator: is missing}}",
            "populations[0].filter.not.field",
            "direct_identifier",
        ),
        (
            "populations:",
            "period: {first: 2035-01, last: 2035-12}\npopulations:",
            "period",
            "outside_coverage",
        ),
        ("units: [person]", "units: [person]\n    by: firm", "datasets[0].by", "unknown_unit"),
        (
            "units: [person]",
            "units: [person]\n    members: household",
            "datasets[0].households",
            "unknown_unit",
        ),
        ("units: [person]", "units: [person]\n    mark: Sex", "datasets[0].columns", "column_twice"),
        ("purpose: ", "# ", "purpose", "missing_key"),
        ("use: statistical", "use: commercial", "use", "bad_value"),
    ],
)
def test_a_draft_says_what_is_wrong_with_it_and_is_not_sent(
    office: Office, catalogue: Catalogue, before: str, after: str, field: str, code: str
) -> None:
    assert before in TEXT
    text = TEXT.replace(before, after, 1)
    assert problems(office, catalogue, text)[field] == code
    with pytest.raises(Refused) as refused:
        requests.send_request(office, catalogue, request_id="r1", by=actor("ana"), now=NOW)
    assert refused.value.code == "request_incomplete"


def test_everything_wrong_is_said_at_once(office: Office, catalogue: Catalogue) -> None:
    found = problems(office, catalogue, "title: Half a draft\npeople:\n  - {username: nobody}\n")
    assert {"slug", "purpose", "populations", "datasets", "people[0].username"} <= set(found)


def test_what_is_no_yaml_is_no_draft(office: Office, catalogue: Catalogue) -> None:
    with pytest.raises(DocumentError):
        draft(office, catalogue, "title: [")
    with office.units.read() as unit:
        assert unit.requests.find() == []


@pytest.mark.parametrize("who", ["bob", "chloe", "eve"])
def test_only_researchers_ask(office: Office, catalogue: Catalogue, who: str) -> None:
    with pytest.raises(PermissionDenied):
        draft(office, catalogue, who=who)


def test_nobody_writes_anothers_request(office: Office, catalogue: Catalogue) -> None:
    made = draft(office, catalogue)
    with pytest.raises(PermissionDenied) as refused:
        requests.save_request(
            office, catalogue, request_id=made.id, text=TEXT, base=1, by=actor("rosa"), now=NOW
        )
    assert refused.value.code == "not_yours"


def test_a_draft_saved_in_two_windows_is_a_conflict_and_loses_nothing(
    office: Office, catalogue: Catalogue
) -> None:
    made = draft(office, catalogue)
    first, second = TEXT.replace("pay-gap", "gap-one"), TEXT.replace("pay-gap", "gap-two")
    requests.save_request(office, catalogue, request_id=made.id, text=first, base=1, by=actor("ana"), now=NOW)
    with pytest.raises(Conflict) as refused:
        requests.save_request(
            office, catalogue, request_id=made.id, text=second, base=1, by=actor("ana"), now=NOW
        )
    assert refused.value.code == "stale_version"
    with office.units.read() as unit:
        request = requests.get_request(unit, made.id)
        assert request.version == 2
        assert [v.text for v in unit.request_versions.find(request=made.id)] == [TEXT, first]


def test_the_same_text_again_is_no_new_version(office: Office, catalogue: Catalogue) -> None:
    made = draft(office, catalogue)
    again = requests.save_request(
        office, catalogue, request_id=made.id, text=TEXT, base=1, by=actor("ana"), now=NOW
    )
    assert again.version == 1


@pytest.mark.parametrize("state", [RequestState.SUBMITTED, RequestState.WITHDRAWN])
def test_what_is_sent_or_withdrawn_is_not_edited(
    office: Office, catalogue: Catalogue, state: RequestState
) -> None:
    made = sent(office, catalogue)
    if state is RequestState.WITHDRAWN:
        requests.withdraw_request(office, request_id=made.id, by=actor("ana"), now=NOW)
    with pytest.raises(Conflict) as refused:
        requests.save_request(
            office, catalogue, request_id=made.id, text=TEXT + "#", base=1, by=actor("ana"), now=NOW
        )
    assert refused.value.code == "not_editable"


def test_sending_judges_again_what_was_right_when_it_was_saved(office: Office, catalogue: Catalogue) -> None:
    made = draft(office, catalogue)
    late = NOW.replace(year=2027)
    with pytest.raises(Refused) as refused:
        requests.send_request(office, catalogue, request_id=made.id, by=actor("ana"), now=late)
    assert (refused.value.code, refused.value.field) == ("request_incomplete", "ends_at")


def test_the_people_named_are_members(office: Office, catalogue: Catalogue) -> None:
    made = draft(office, catalogue, TEXT.replace("username: ana", "username: rosa"))
    assert made.members == {"ana", "rosa"}


def test_every_step_has_its_event(office: Office, catalogue: Catalogue) -> None:
    made = sent(office, catalogue)
    requests.add_remark(office, request_id=made.id, about="", text="Merci", by=actor("ana"), now=NOW)
    requests.withdraw_request(office, request_id=made.id, by=actor("ana"), now=NOW)
    with office.units.read() as unit:
        actions = [event.action for event in unit.events(object="request:r1")]
    assert actions == ["request.saved", "request.submitted", "request.answer", "request.withdrawn"]


def test_nothing_is_said_of_what_is_not_asked_for(office: Office, catalogue: Catalogue) -> None:
    sent(office, catalogue)
    with pytest.raises(Refused) as refused:
        requests.add_remark(office, request_id="r1", about="pay.age", text="?", by=actor("ana"), now=NOW)
    assert refused.value.code == "unknown_column"
    requests.add_remark(office, request_id="r1", about="pay.wage", text="Oui.", by=actor("ana"), now=NOW)
