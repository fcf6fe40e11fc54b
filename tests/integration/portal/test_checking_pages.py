"""Through the pages: answers, remarks, records, the register, figures."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import httpx
import pytest

from hub.actions.releases import verify_record
from hub.adapters.signatures import is_signature
from tests import factories
from tests.integration.portal.stage import TABLE, P, Stage, token_of
from tests.unit.checks.samples import pdf

CSV = TABLE.encode()
SMALL = b"age_group,n\n18-34,3\n35-49,1530\n"
PDF = b"%PDF-1.7\n<script>alert(1)</script>"


@pytest.fixture
def session(stage: Stage) -> str:
    return factories.open_session(stage.office).session.id


def test_a_broken_rule_is_answered_before_it_is_approved(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", SMALL))
    page = stage.visit("chloe").get(f"{P}/review/{submission}").text
    assert 'data-testid="answer-0-small_count"' in page
    refused = stage.post(
        "chloe",
        f"/review/{submission}/vote",
        decision="approve",
        **stage.ticks(submission),
        comment="Kept <b>",
    )
    assert refused.status_code == 422
    assert 'id="error-answer-0-small_count"' in refused.text
    assert "Kept &lt;b&gt;" in refused.text
    answer = {"answer-0-small_count": "Three <years>, not persons."}
    assert (
        stage.post(
            "chloe", f"/review/{submission}/vote", decision="approve", **stage.ticks(submission), **answer
        ).status_code
        == 303
    )
    body = {
        "decision": "APPROVE",
        "answers": [{"file": 0, "rule": "small_count", "answer": "Years."}],
        "judged": stage.ticks(submission)["judged"],
        "controls": stage.ticks(submission)["control"],
    }
    headers = {"x-vitrine-form": token_of("denis")}
    done = stage.visit("denis").post(f"{P}/api/review/{submission}/vote", json=body, headers=headers)
    assert done.json()["state"] == "RELEASED"
    record = stage.visit("ana").get(f"{P}/submissions/{submission}/record")
    assert record.headers["content-disposition"].startswith('attachment; filename="release-1.json"')
    told = json.loads(record.content)["record"]["answers"]
    answers = {a["checker"]: a["answer"] for a in told if a["rule"] == "small_count"}
    assert answers == {"chloe": "Three <years>, not persons.", "denis": "Years."}


def test_the_record_verifies_the_downloaded_bytes_by_the_published_key(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    assert stage.visit("ana").get(f"{P}/submissions/{submission}/record").status_code == 404
    stage.approve(submission)
    ana = stage.visit("ana")
    record = ana.get(f"{P}/api/submissions/{submission}/record").content
    released = ana.get(f"{P}/submissions/{submission}/files/0/download").content
    key = stage.visit(None).get(f"{P}/release-key").text.strip()
    _, faults = verify_record(record, {"a.csv": released}, key=key, is_signature=is_signature)
    assert faults == []
    _, faults = verify_record(record, {"a.csv": released + b" "}, key=key, is_signature=is_signature)
    assert [fault.code for fault in faults] == ["changed_file"]


def test_remarks_are_ones_own_until_the_decision(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    pages = [(who, f"{P}/review/{submission}") for who in ("denis",)]
    pages += [("ana", f"{P}/submissions/{submission}")]
    fields = {"file": "0", "text": "Is this <i>weighted</i>?", "row": "2", "column": "3"}
    assert stage.post("chloe", f"/review/{submission}/comments", **fields).status_code == 303
    assert "&lt;i&gt;weighted" in stage.visit("chloe").get(f"{P}/review/{submission}").text
    for who, path in pages:
        assert "weighted&lt;" not in stage.visit(who).get(path).text
    stage.approve(submission)
    assert "&lt;i&gt;weighted" in stage.visit("denis").get(f"{P}/review/{submission}").text
    assert "weighted&lt;" not in stage.visit("ana").get(f"{P}/submissions/{submission}").text
    listed = stage.visit("denis").get(f"{P}/api/review/{submission}/comments").json()["comments"]
    assert [(c["author"], c["place"]) for c in listed] == [("chloe", {"row": 1, "column": 2})]


def declare(stage: Stage, release: str, content: bytes = PDF, **fields: str) -> httpx.Response:
    data = {
        "form_token": token_of("ana"),
        "title": "Wages <b>",
        "authors": "Ana, University",
        "venue": "Review",
        "releases": release,
        "public": "yes",
        **fields,
    }
    files = {"file": ("paper.pdf", io.BytesIO(content))}
    return stage.visit("ana").post(f"{P}/manuscripts/new", data=data, files=files)


def test_a_manuscript_from_declaration_to_register(stage: Stage, session: str) -> None:
    release = stage.submit(session, ("a.csv", CSV))
    stage.approve(release)
    for fields, name in (({"title": ""}, "title"), ({"releases": "none"}, "releases")):
        answer = declare(stage, release, **fields)
        assert answer.status_code == 422
        assert f'id="error-{name}"' in answer.text
    answer = declare(stage, release, b"MZ")
    assert 'id="error-file"' in answer.text
    answer = declare(stage, release)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"].removeprefix(P).partition("?")[0]
    register = stage.visit(None).get(f"{P}/publications")
    assert register.status_code == 200
    assert "Wages" not in register.text
    assert stage.post("chloe", f"{path}/vote", decision="return", comment=" ").status_code == 422
    for checker in ("chloe", "denis"):
        assert stage.post(checker, f"{path}/vote", decision="approve").status_code == 303
        if checker == "chloe":  # nobody learns that a vote is in
            assert 'data-state="REGISTERED"' in stage.visit("denis").get(f"{P}{path}").text
    register = stage.visit(None).get(f"{P}/publications").text
    assert "Wages &lt;b&gt;" in register
    assert "Ana, University" in register
    assert "paper.pdf" not in register
    file = stage.visit("eve").get(f"{P}{path}/file")
    assert file.content == PDF
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment")


def test_a_manuscript_is_read_as_pictures_and_nothing_of_it_runs(stage: Stage, session: str) -> None:
    release = stage.submit(session, ("a.csv", CSV))
    stage.approve(release)
    scripts = b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"
    answer = declare(stage, release, pdf("Page one", "Page two", extra=scripts))
    path = answer.headers["location"].partition("?")[0]
    chloe = stage.visit("chloe")
    assert 'class="rendered"' not in chloe.get(path).text  # nothing is read before it is asked for
    page = chloe.get(f"{path}?page=2").text
    assert "Page 2 of 2" in page
    assert 'data-testid="active"' in page
    assert f'src="{path}/pages/2"' in page
    assert "JavaScript" not in page
    picture = chloe.get(f"{path}/pages/2")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    with stage.office.units.read() as unit:
        read = [entry for entry in unit.events() if entry.action == "publication.read"]
    assert [entry.actor for entry in read] == ["chloe"]  # once for the page and its picture
    assert chloe.get(f"{path}/pages/3").status_code == 404
    assert "Page 2 of 2" in chloe.get(f"{path}?page=99").text


def test_a_manuscript_that_cannot_be_drawn_says_so(stage: Stage, session: str) -> None:
    release = stage.submit(session, ("a.csv", CSV))
    stage.approve(release)
    path = declare(stage, release).headers["location"].partition("?")[0]
    assert 'data-testid="unreadable"' in stage.visit("denis").get(f"{path}?page=1").text
    assert stage.visit("denis").get(f"{path}/pages/1").status_code == 404


def test_a_manuscript_that_is_too_large_is_refused(stage: Stage, session: str) -> None:
    release = stage.submit(session, ("a.csv", CSV))
    stage.approve(release)
    answer = declare(stage, release, b"%PDF-" + bytes(20_000_000))
    assert answer.status_code == 422
    answer = declare(stage, release, b"%PDF-" + bytes(22_000_000))
    assert answer.status_code == 413
    with stage.office.units.read() as unit:
        assert unit.publications.find() == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_figures_in_both_languages(stage: Stage, session: str, language: str) -> None:
    stage.approve(stage.submit(session, ("a.csv", CSV)))
    stage.submit(session, ("b.csv", CSV + b"65+,400,3\n"))
    page = stage.visit("bob", language).get(f"{P}/review/statistics").text
    assert 'data-testid="statistics-waiting">1<' in page
    assert 'data-testid="statistics-decided">1<' in page
    assert 'data-testid="statistics-alone">0<' in page
    assert "Chloe" in page
    assert 'data-testid="sample"' in page
    assert f'href="{P}/submissions/' not in page  # figures alone open no submission
    assert f'href="{P}/submissions/' in stage.visit("eve", language).get(f"{P}/review/statistics").text


def test_no_way_leads_to_an_approval_without_context_or_controls(stage: Stage, session: str) -> None:
    """By page and by API, in both languages; what was ticked stays ticked."""
    lacking = stage.submit(session, ("a.csv", CSV), counts="")
    complete = stage.submit(session, ("b.csv", CSV + b"65+,400,3.0\n"))
    ticks = stage.ticks(complete)
    mine = stage.visit("ana", "fr").get(f"{P}/submissions/{lacking}").text
    assert "personne ne peut approuver" in mine
    assert "les effectifs non pondérés" in mine
    assert "ne peut approuver" not in stage.visit("ana", "fr").get(f"{P}/submissions/{complete}").text
    page = stage.visit("chloe", "fr").get(f"{P}/review/{lacking}").text
    assert "les effectifs non pondérés" in page
    assert "rien ne peut être approuvé" in page
    answer = stage.post("chloe", f"/review/{lacking}/vote", decision="approve", **stage.ticks(lacking))
    assert answer.status_code == 422
    assert 'id="error-context"' in answer.text
    for name in ticks["control"]:
        others = [one for one in ticks["control"] if one != name]
        fields = {**ticks, "control": others, "comment": "Kept <b>"}
        answer = stage.post("chloe", f"/review/{complete}/vote", decision="approve", **fields)
        assert answer.status_code == 422
        told = answer.text
        assert f'id="error-control-{name}"' in told
        assert "Kept &lt;b&gt;" in told
        assert told.count(" checked") >= len(others)
    headers = {"x-vitrine-form": token_of("chloe")}
    chloe = stage.visit("chloe")
    told = chloe.get(f"{P}/api/review/{complete}").json()
    assert [control["name"] for control in told["controls"]] == list(stage.office.rules.review.controls)
    body = {"decision": "APPROVE", "judged": told["to_judge"]}
    for submission, more, code in (
        (complete, {}, "control_missing"),
        (complete, {"controls": ticks["control"], "judged": []}, "not_judged"),
        (lacking, {"controls": ticks["control"]}, "context_missing"),
    ):
        answer = chloe.post(f"{P}/api/review/{submission}/vote", json={**body, **more}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    with stage.office.units.read() as unit:
        assert unit.votes.find() == []
    body["controls"] = [control["name"] for control in told["controls"]]
    assert chloe.post(f"{P}/api/review/{complete}/vote", json=body, headers=headers).status_code == 200


HOSTILE = b"g,n\r\n=cmd,40\r\n<script>alert(1)</script>,50\r\n"


def test_auditors_alone_copy_what_lies_in_the_vault_and_it_is_audited(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", HOSTILE))
    path = f"{P}/submissions/{submission}/files/0"
    for who in ("ana", "rosa", "bob", "chloe", None):
        for kind in ("original", "rewritten"):
            for address in (f"{path}/{kind}", f"{path}/{kind}".replace(P, f"{P}/api")):
                answer = stage.visit(who).get(address)
                assert answer.status_code in (302, 401, 403), who
                assert b"alert(1)" not in answer.content
        if who not in (None, "rosa", "bob"):
            listed = stage.visit(who).get(f"{P}/submissions/{submission}")
            assert 'data-testid="original-0"' not in listed.text
    eve = stage.visit("eve")
    listed = eve.get(f"{P}/submissions/{submission}").text
    assert 'data-testid="original-0"' in listed
    assert 'data-testid="rewritten-0"' in listed
    original, rewritten = (eve.get(f"{path}/{kind}") for kind in ("original", "rewritten"))
    assert original.content == HOSTILE
    assert rewritten.content != HOSTILE
    for answer in (original, rewritten):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("sandbox;")
        assert answer.headers["x-content-type-options"] == "nosniff"
    with stage.office.units.read() as unit:
        events = [e for e in unit.events() if e.action == "submission.copied"]
        (file,) = unit.files.find(submission=submission)
    assert [(e.actor, e.details["original"], e.details["sha256"]) for e in events] == [
        ("eve", True, file.sha256),
        ("eve", False, file.canonical_sha256),
    ]
    assert eve.get(f"{P}/submissions/{submission}/files/7/original").status_code == 404


def test_what_could_not_be_rewritten_is_copied_as_original_only(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.png", b"\x89PNG\r\n\x1a\nnothing"))
    path = f"{P}/submissions/{submission}/files/0"
    assert stage.visit("eve").get(f"{path}/original").status_code == 200
    assert stage.visit("eve").get(f"{path}/rewritten").status_code == 404


def test_an_auditor_who_is_of_the_project_copies_nothing(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    with stage.office.units.write() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        unit.projects.save(dataclasses.replace(project, members=frozenset({"ana", "eve"})))
        unit.record(by=factories.SYSTEM, action="test.members", object="project:wages", now=factories.NOW)
    answer = stage.visit("eve").get(f"{P}/submissions/{submission}/files/0/original")
    assert answer.status_code == 403
    assert CSV not in answer.content


def test_who_reads_the_figures_without_checking_finds_the_way_to_them(stage: Stage) -> None:
    link = f'href="{P}/review/statistics"'
    for who, finds in (("bob", True), ("eve", True), ("chloe", False), ("ana", False)):
        assert (link in stage.visit(who).get(f"{P}/").text) is finds
    assert link in stage.visit("chloe").get(f"{P}/review").text


def test_a_manuscript_is_decided_by_api_too_and_blind(stage: Stage, session: str) -> None:
    release = stage.submit(session, ("a.csv", CSV))
    stage.approve(release)
    path = declare(stage, release).headers["location"].partition("?")[0].removeprefix(P)
    address = f"{P}/api/publications/{path.rpartition('/')[2]}"

    def cast(who: str, **body: str) -> Any:
        return stage.visit(who).post(f"{address}/vote", json=body, headers={"x-vitrine-form": token_of(who)})

    def told(who: str) -> Any:
        return stage.visit(who).get(address, headers={"x-vitrine-form": token_of(who)}).json()

    assert cast("chloe", decision="RETURN").json()["error"]["code"] == "comment_missing"
    assert cast("chloe", decision="APPROVE", by="denis").status_code == 422
    assert cast("chloe", decision="APPROVE").json()["state"] == "REGISTERED"
    assert (told("denis")["votes"], told("ana")["votes"]) == ([], [])
    assert cast("denis", decision="APPROVE", comment="Well done.").json()["state"] == "APPROVED"
    assert [vote["checker"] for vote in told("eve")["votes"]] == ["chloe", "denis"]
    assert [vote["checker"] for vote in told("ana")["votes"]] == [None, None]
    assert cast("denis", decision="APPROVE").status_code == 409
