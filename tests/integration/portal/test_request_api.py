"""A request from its first draft to its project, by API only."""

from __future__ import annotations

from typing import Any

import pytest

from hub.actions import assessments
from tests import factories, requests
from tests.integration.portal.stage import Stage, token_of
from tests.unit.extraction.test_risks_pictures import REPORT

P = "/services/portal"


@pytest.fixture
def desk(stage: Stage) -> Stage:
    stage.portal.catalogue.publish(requests.dictionary())
    return stage


def post(stage: Stage, who: str, path: str, body: Any = None, status: int = 200) -> Any:
    headers = {"x-vitrine-form": token_of(who)}
    given = {"content": body} if isinstance(body, str) else {"json": body}
    answer = stage.visit(who).post(f"{P}/api/requests{path}", headers=headers, **given)
    assert answer.status_code == status, answer.text
    return answer.json()


def get(stage: Stage, who: str, path: str = "") -> Any:
    answer = stage.visit(who).get(f"{P}/api/requests{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def assess(stage: Stage, request_id: str) -> None:
    """Ask for an estimate and answer it as the worker does, with a red report."""
    post(stage, "ana", f"/{request_id}/estimate")
    key, by, now = f"{request_id}/v1", factories.SYSTEM, factories.NOW
    result = {"rows": {"pay": 1234}, "populations": {}, "report": REPORT.model_dump(mode="json")}
    assessments.begin_assessment(stage.office, assessment_id=key, by=by, now=now)
    assessments.finish_assessment(stage.office, assessment_id=key, result=result, light="red", by=by, now=now)


def test_what_is_wrong_is_named_and_nothing_is_sent(desk: Stage) -> None:
    made = post(desk, "ana", "", requests.TEXT.replace("variable: wage", "variable: salary"), 201)
    assert [(one["code"], one["field"]) for one in made["problems"]] == [
        ("unknown_column", "datasets[0].columns[1]")
    ]
    refused = post(desk, "ana", f"/{made['id']}/send", status=422)
    assert (refused["error"]["code"], refused["error"]["field"]) == (
        "request_incomplete",
        "datasets[0].columns[1]",
    )
    stale = post(desk, "ana", f"/{made['id']}?base=7", requests.TEXT, 409)
    assert stale["error"]["code"] == "stale_version"
    assert post(desk, "ana", "", "slug: x\nslug: y\n", 422)["error"]["code"] == "duplicate_key"


def test_a_draft_is_its_authors_own(desk: Stage) -> None:
    made = post(desk, "ana", "", requests.TEXT, 201)
    for path in (f"/{made['id']}", f"/{made['id']}/progress"):
        assert desk.visit("bob").get(f"{P}/api/requests{path}").status_code == 404
    assert get(desk, "bob")["requests"] == []


def test_from_the_draft_to_the_project(desk: Stage) -> None:
    made = post(desk, "ana", "", requests.TEXT.replace("raw", "group"), 201)
    path = f"/{made['id']}"
    saved = post(desk, "ana", f"{path}?base=1", requests.TEXT)
    assert (saved["version"], saved["problems"], saved["document"]) == (2, [], requests.TEXT)
    assert post(desk, "ana", f"{path}/send")["state"] == "SUBMITTED"
    assert [one["id"] for one in get(desk, "bob")["requests"]] == [made["id"]]
    body: dict[str, Any] = {"version": 2, "verdicts": [{"about": "pay.sex", "verdict": "accept"}]}
    assert post(desk, "bob", f"{path}/review", body)["state"] == "UNDER_REVIEW"
    body = {
        "version": 2,
        "verdicts": [{"about": "pay.wage", "verdict": "coarsen", "level": "band"}],
        "decision": "approve",
    }
    approved = post(desk, "bob", f"{path}/review", body)
    assert (approved["state"], approved["approved_version"]) == ("APPROVED", 3)
    assert "level: band" in approved["document"]
    refused = post(desk, "bob", f"{path}/provision", status=422)
    assert refused["error"]["code"] == "conditions_open"
    body = {"condition": "licence", "document": "CC0, lue", "dated": "2026-01-15"}
    post(desk, "bob", f"{path}/conditions", body, 201)
    (condition,) = get(desk, "ana", path)["conditions"]
    assert (condition["standing"], condition["record"]["document"]) == ("met", "CC0, lue")
    told = post(desk, "bob", f"{path}/provision", status=201)
    assert (told["project"], told["extract"]["state"]) == ("pay-gap", "PLANNED")
    assert told["extract"]["waits_for"] == "assessment_missing"
    assert get(desk, "ana", f"{path}/progress")["extract"]["id"] == "pay-gap/v1"


def test_people_of_the_request_get_rounded_counts_and_no_report(desk: Stage) -> None:
    sent = requests.sent(desk.office, desk.portal.catalogue)
    assess(desk, sent.id)
    told = {who: get(desk, who, f"/{sent.id}/progress")["assessment"] for who in ("ana", "bob")}
    assert (told["ana"]["rows"], told["bob"]["rows"]) == ({"pay": 1200}, {"pay": 1234})
    assert "report" not in told["ana"]
    assert told["bob"]["report"]["measures"][0]["figure"] == REPORT.measures[0].figure


def test_while_it_is_assessed_again_nobody_reads_the_report_before(desk: Stage) -> None:
    sent = requests.sent(desk.office, desk.portal.catalogue)
    assess(desk, sent.id)
    body = {"version": 1, "choice": "proceed", "reason": "Test data."}
    assert post(desk, "bob", f"/{sent.id}/risk", body)["assessment"]["choice"] == "proceed"
    with desk.office.units.write() as unit:
        assessments.put_assessment(unit, sent.id, 1, by=factories.SYSTEM, now=factories.NOW)
    told = get(desk, "bob", f"/{sent.id}/progress")["assessment"]
    assert (told["state"], told["light"], told["rows"], told["conclusions"]) == ("WAITING", None, {}, [])
    assert "report" not in told
    page = desk.visit("bob").get(f"{P}/requests/{sent.id}").text
    assert REPORT.measures[0].meaning["en"] not in page
