"""Gates of law: what must be recorded, for whom, with which document and date."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from hub.actions import conditions, provisioning
from hub.actions.conditions import Paper, Standing
from hub.actions.ports import Catalogue, Office
from hub.domain.errors import Conflict, NotFound, PermissionDenied, Refused
from hub.domain.requests import RecordedCondition
from tests.factories import NOW, actor
from tests.requests import TEXT, approved, draft, make_catalogue, sent

TODAY = NOW.date()
LUXEMBOURG = "Université du Luxembourg"
PAPER = Paper("Convention 2026/17", date(2026, 1, 15))
PLATFORM = TEXT.replace("public-data", "microdata-platform")
BCSS = TEXT.replace("public-data", "bcss-deliberation").replace(
    '  - {name: "Université du Luxembourg", country: LU}\n',
    '  - {name: "Université du Luxembourg", country: LU}\n  - {name: "KU Leuven", country: BE}\n',
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return make_catalogue(tmp_path)


def record(
    office: Office, condition: str, about: str = "", paper: Paper = PAPER, who: str = "bob"
) -> RecordedCondition:
    return conditions.record_condition(
        office, request_id="r1", condition=condition, about=about, paper=paper, by=actor(who), now=NOW
    )


def standings(office: Office, on: date = TODAY) -> dict[tuple[str, str], Standing]:
    with office.units.read() as unit:
        request = unit.requests.get("r1")
        assert request is not None
        found = conditions.condition_statuses(office.rules, unit, request, on)
    return {(status.need.condition, status.need.about): status.standing for status in found}


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (TEXT, [("licence", "")]),
        (
            BCSS,
            [
                ("authorisation", ""),
                ("acknowledgement", ""),
                ("contract", LUXEMBOURG),
                ("contract", "KU Leuven"),
            ],
        ),
        (
            PLATFORM,
            [
                ("eligible_project", ""),
                ("eligible_person", "ana"),
                ("contract", "ana"),
                ("training", "ana"),
            ],
        ),
    ],
)
def test_each_kind_needs_what_its_text_demands_and_all_of_it(
    office: Office, catalogue: Catalogue, text: str, needs: list[tuple[str, str]]
) -> None:
    approved(office, catalogue, text)
    assert list(standings(office)) == needs
    for condition, about in needs:
        with pytest.raises(Refused) as refused:
            provisioning.provision(office, request_id="r1", by=actor("bob"), now=NOW)
        assert refused.value.code == "conditions_open"
        record(office, condition, about)
    assert set(standings(office).values()) == {Standing.MET}
    assert provisioning.provision(office, request_id="r1", by=actor("bob"), now=NOW).request == "r1"


@pytest.mark.parametrize(
    ("condition", "about", "paper", "code"),
    [
        ("licence", "ana", PAPER, "unknown_condition"),
        ("training", "", PAPER, "unknown_condition"),
        ("licence", "", Paper("  ", date(2026, 1, 1)), "missing"),
        ("licence", "", Paper("x" * 301, date(2026, 1, 1)), "missing"),
        ("licence", "", Paper("Licence", NOW.date() + timedelta(days=1)), "date_in_future"),
        ("licence", "", Paper("Licence", date(2026, 1, 2), date(2026, 1, 1)), "end_before_start"),
    ],
)
def test_what_meets_nothing_is_refused(
    office: Office, catalogue: Catalogue, condition: str, about: str, paper: Paper, code: str
) -> None:
    sent(office, catalogue)
    with pytest.raises(Refused) as refused:
        record(office, condition, about, paper)
    assert refused.value.code == code


@pytest.mark.parametrize("who", ["ana", "chloe", "eve"])
def test_only_admins_record(office: Office, catalogue: Catalogue, who: str) -> None:
    sent(office, catalogue)
    with pytest.raises(PermissionDenied):
        record(office, "licence", who=who)


def test_nothing_is_recorded_for_a_draft(office: Office, catalogue: Catalogue) -> None:
    draft(office, catalogue)
    with pytest.raises(Conflict) as refused:
        record(office, "licence")
    assert refused.value.code == "wrong_state"


def test_a_training_of_long_ago_has_expired(office: Office, catalogue: Catalogue) -> None:
    approved(office, catalogue, PLATFORM)
    made = record(office, "training", "ana", Paper("Attestation", date(2023, 3, 31)))
    assert made.valid_until == date(2026, 3, 31)
    assert standings(office)["training", "ana"] is Standing.MET
    assert standings(office, date(2026, 4, 1))["training", "ana"] is Standing.EXPIRED


def test_a_stated_end_only_shortens_what_the_policy_gives(office: Office, catalogue: Catalogue) -> None:
    approved(office, catalogue, PLATFORM)
    short = record(office, "training", "ana", Paper("A", date(2026, 1, 1), date(2026, 6, 30)))
    long = record(office, "training", "ana", Paper("A", date(2026, 1, 1), date(2040, 1, 1)))
    assert (short.valid_until, long.valid_until) == (date(2026, 6, 30), date(2029, 1, 1))


def test_a_revoked_record_counts_no_more_and_stays_readable(office: Office, catalogue: Catalogue) -> None:
    approved(office, catalogue)
    made = record(office, "licence")
    conditions.revoke_condition(office, request_id="r1", record_id=made.id, by=actor("bob"), now=NOW)
    assert standings(office) == {("licence", ""): Standing.OPEN}
    with office.units.read() as unit:
        assert unit.conditions.get(made.id) is not None
    with pytest.raises(Conflict):
        conditions.revoke_condition(office, request_id="r1", record_id=made.id, by=actor("bob"), now=NOW)
    with pytest.raises(NotFound):
        conditions.revoke_condition(office, request_id="r1", record_id="r2/1", by=actor("bob"), now=NOW)
