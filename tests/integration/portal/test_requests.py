"""The pages of requests: the form without a script, the review, documents, what is shown to whom."""

from __future__ import annotations

import html
import re

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from hub.actions import assessments
from hub.actions import requests as actions
from hub.documents import yaml
from hub.domain.lifecycle import RequestState
from hub.portal.requests import rounded
from tests import factories, requests
from tests.integration.portal.stage import P, Stage, token_of

_FIELD = re.compile(r"<(input|select|textarea)\b([^>]*)>")


@pytest.fixture(autouse=True)
def catalogue(stage: Stage) -> None:
    stage.portal.catalogue.publish(requests.dictionary())


def fields(page: str) -> dict[str, str | list[str]]:
    """What a browser would send of the request's form: every field with its value."""
    form = page[page.index("data-request-form") : page.rindex("</form>")]
    found: dict[str, str | list[str]] = {}
    for match in _FIELD.finditer(form):
        kind, attributes = match[1], dict(re.findall(r'([\w-]+)="([^"]*)"', match[2]))
        name = attributes.get("name")
        if name is None or name.startswith("find"):
            continue
        if kind == "textarea":
            value = form[match.end() : form.index("</textarea>", match.end())]
        elif kind == "select":
            inside = form[match.end() : form.index("</select>", match.end())]
            options = re.findall(r'<option value="([^"]*)"([^>]*)>', inside)
            chosen = [v for v, rest in options if "selected" in rest]
            value = (chosen or [options[0][0] if options else ""])[0]
        elif attributes.get("type") in ("checkbox", "radio"):
            if "checked" in match[2]:
                found.setdefault(name, [])
                found[name].append(html.unescape(attributes["value"]))  # type: ignore[union-attr]
            continue
        else:
            value = attributes.get("value", "")
        found[name] = html.unescape(value)
    return found


def send(client: TestClient, who: str, given: dict[str, str | list[str]], **more: str) -> Response:
    data = {**given, **more, "form_token": token_of(who)}
    return client.post(f"{P}/requests/r1/edit", data=data)


def text_of(stage: Stage) -> str:
    with stage.office.units.read() as unit:
        return actions.get_version(unit, actions.get_request(unit, "r1")).text


def test_the_form_gives_back_the_request_that_it_shows(stage: Stage) -> None:
    requests.draft(stage.office, stage.portal.catalogue)
    client = stage.visit("ana")
    page = client.get(f"{P}/requests/r1/edit").text
    answer = send(client, "ana", fields(page), do="save")
    assert answer.headers["location"].endswith("done=request_saved")
    before = yaml.load(requests.TEXT, name="a").value
    after = yaml.load(text_of(stage), name="b").value
    assert after.pop("formats") == ["parquet"]
    assert after == before


def test_a_request_is_written_from_nothing_without_a_script(stage: Stage) -> None:
    client = stage.visit("ana")
    stage.post("ana", "/requests/new")
    given = fields(client.get(f"{P}/requests/r1/edit").text)
    assert given["people.0.username"] == "ana"
    given |= {
        "title": "Les écarts",
        "slug": "ecarts",
        "purpose": "Mesurer.",
        "kind": "public-data",
        "legal_bases": "RGPD, article 89\nLoi du 1er août 2018",
        "institutions.0.name": "LISER",
        "institutions.0.country": "LU",
        "people.0.institution": "LISER",
        "people.0.expertise": "Statistique",
        "tier": "open",
        "starts_at": "2026-03-02",
        "ends_at": "2026-12-31",
        "destroy_by": "2027-01-31",
        "populations.0.name": "femmes",
        "populations.0.source": "register",
        "datasets.0.name": "salaires",
        "datasets.0.source": "register",
    }
    page = send(client, "ana", given, do="add:populations.0.where").text
    given = fields(page)
    given |= {
        "populations.0.unit": "person",
        "populations.0.where.terms.0.field": "sex",
        "populations.0.where.terms.0.values": "2",
        "datasets.0.of": ["femmes"],
        "datasets.0.units": ["person"],
    } | {"populations.0.where.terms.0.operator": "=="}
    page = send(client, "ana", given, do="add:datasets.0.columns:wage").text
    assert "Loi du 1er août 2018" in page
    given = fields(page)
    given["datasets.0.columns.0.level"] = "raw"
    page = client.get(send(client, "ana", given, do="send").headers["location"]).text
    assert "datasets.0.columns.0.justification" in page
    assert "say why it is needed" in page  # the reason is missing, and nothing was sent
    given = fields(page)
    given["datasets.0.columns.0.justification"] = "Les montants sont décomposés."
    answer = send(client, "ana", given, do="send")
    assert answer.headers["location"].endswith("r1?done=request_sent")
    content = yaml.load(text_of(stage), name="r").value
    assert content["populations"] == [
        {
            "name": "femmes",
            "source": "register",
            "unit": "person",
            "filter": {"field": "sex", "operator": "==", "values": [2]},
        }
    ]
    with stage.office.units.read() as unit:
        assert actions.get_request(unit, "r1").state is RequestState.SUBMITTED


def test_two_tabs_end_in_a_sentence_and_keep_both_texts(stage: Stage) -> None:
    requests.draft(stage.office, stage.portal.catalogue)
    client = stage.visit("ana")
    given = fields(client.get(f"{P}/requests/r1/edit").text)
    send(client, "ana", given, do="save", title="The first tab")
    late = send(client, "ana", given, do="save", title="The second tab")
    assert late.status_code == 409
    assert 'data-testid="conflict"' in late.text
    assert "The second tab" in late.text
    assert "The first tab" in text_of(stage)


@pytest.mark.parametrize(
    "name", ["remove:datasets.0.columns.99", "add:datasets.9.columns:sex", "add:x.y.z", "nonsense", "remove:"]
)
def test_a_button_that_no_page_has_changes_nothing(stage: Stage, name: str) -> None:
    requests.draft(stage.office, stage.portal.catalogue)
    client = stage.visit("ana")
    given = fields(client.get(f"{P}/requests/r1/edit").text)
    answer = send(client, "ana", given, do=name)
    assert answer.status_code == 200
    assert fields(answer.text) == given
    assert text_of(stage) == requests.TEXT


def test_what_is_no_yaml_is_refused_on_the_page(stage: Stage) -> None:
    answer = stage.visit("ana").post(
        f"{P}/requests/new",
        data={"form_token": token_of("ana")},
        files={"document": ("r.yaml", b"title: [", "application/yaml")},
    )
    assert answer.status_code == 422
    assert 'id="error-document"' in answer.text


def test_others_drafts_stay_their_own(stage: Stage) -> None:
    requests.draft(stage.office, stage.portal.catalogue)
    for visitor in ("bob", "eve"):
        assert stage.visit(visitor).get(f"{P}/requests/r1").status_code == 404
        assert "salarial" not in stage.visit(visitor).get(f"{P}/requests?show=all").text


def test_review_coarsens_refuses_and_freezes(stage: Stage) -> None:
    requests.sent(stage.office, stage.portal.catalogue)
    verdicts = {
        "version": "1",
        "verdict.pay.wage": "coarsen:band",
        "text.pay.wage": "Des tranches suffisent.",
        "verdict.pay.sex": "accept",
    }
    answer = stage.post("bob", "/requests/r1/review", **verdicts, decision="approve")
    assert answer.headers["location"].endswith("r1?done=request_decided")
    page = stage.visit("ana").get(f"{P}/requests/r1").text
    assert 'data-state="APPROVED"' in page
    assert "Des tranches suffisent." in page
    changes = stage.visit("ana").get(f"{P}/requests/r1/differences").text
    assert re.findall(r"<(?:del|ins)>([^<]*)</", changes) == ["raw", "band"]


def test_a_missing_reason_keeps_what_was_chosen(stage: Stage) -> None:
    requests.sent(stage.office, stage.portal.catalogue)
    answer = stage.post(
        "bob", "/requests/r1/review", **{"version": "1", "verdict.pay.wage": "refuse", "comment": "Hm."}
    )
    assert answer.status_code == 422
    assert '<option value="refuse" selected>' in answer.text
    assert "Hm." in answer.text


@pytest.mark.parametrize(("size", "status"), [(10_000_000, 303), (10_000_001, 422), (0, 422)])
def test_a_conditions_document_has_at_most_ten_megabytes(stage: Stage, size: int, status: int) -> None:
    requests.sent(stage.office, stage.portal.catalogue)
    answer = stage.visit("bob").post(
        f"{P}/requests/r1/conditions",
        data={"form_token": token_of("bob"), "need": "licence:", "document": "CC0", "dated": "2026-01-01"},
        files={"file": ("licence.pdf", b"\x00\xff" * (size // 2) + b"\x00" * (size % 2), "application/pdf")},
    )
    assert answer.status_code == status
    file = stage.visit("eve").get(f"{P}/requests/r1/conditions/1/file")
    assert file.status_code == (200 if status == 303 else 404)
    if status == 303:
        assert len(file.content) == size
        assert file.headers["content-disposition"].startswith("attachment")
        assert stage.visit("ana").get(f"{P}/requests/r1/conditions/1/file").status_code == 403


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, 0), (99, 0), (100, 100), (234_939, 230_000)])
def test_counts_are_rounded_for_those_who_ask(count: int, shown: int) -> None:
    assert rounded(count) == shown


def test_the_people_of_a_request_see_rounded_counts_and_no_figures(stage: Stage) -> None:
    requests.sent(stage.office, stage.portal.catalogue)
    assessments.ask_assessment(stage.office, request_id="r1", by=factories.actor("ana"), now=factories.NOW)
    assessments.begin_assessment(stage.office, assessment_id="r1/v1", by=factories.SYSTEM, now=factories.NOW)
    assert stage.visit("ana").get(f"{P}/requests/r1/estimate").json()["done"] is False
    assessments.finish_assessment(
        stage.office,
        assessment_id="r1/v1",
        result={"rows": {"pay": 12_345}, "populations": {}, "report": None},
        light="red",
        by=factories.SYSTEM,
        now=factories.NOW,
    )
    assert stage.visit("ana").get(f"{P}/requests/r1/estimate").json()["done"] is True
    asked, office = (stage.visit(who).get(f"{P}/requests/r1").text for who in ("ana", "bob"))
    assert ("about 12,000 rows" in asked, "12,345" in asked) == (True, False)
    assert "12,345 rows" in office


def test_an_approved_request_has_a_way_out_until_something_is_delivered(stage: Stage) -> None:
    requests.approved(stage.office, stage.portal.catalogue)
    admin, author = stage.visit("bob", "en"), stage.visit("ana", "en")
    page = author.get(f"{P}/requests/r1").text
    assert 'name="approved" value="yes"' in page
    assert "reopen-request" not in page
    plain = author.post(f"{P}/requests/r1/withdraw", data={"form_token": token_of("ana")})
    assert plain.status_code == 409

    assert "reopen-request" in admin.get(f"{P}/requests/r1").text
    given = {"comment": "Ces mois ne sont pas couverts.", "form_token": token_of("bob")}
    assert admin.post(f"{P}/requests/r1/reopen", data=given).status_code == 303
    page = author.get(f"{P}/requests/r1").text
    assert "Ces mois ne sont pas couverts." in page
    assert 'data-testid="edit-request"' in page
    with stage.office.units.read() as unit:
        assert actions.get_request(unit, "r1").state is RequestState.RETURNED
