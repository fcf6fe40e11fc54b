"""Through the pages: answers, remarks, records, the register, figures."""

from __future__ import annotations

import io
import json

import pytest

from hub.actions.releases import verify_record
from hub.adapters.signatures import is_signature
from tests import factories
from tests.integration.portal.stage import TABLE, P, Stage, token_of

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
    refused = stage.post("chloe", f"/review/{submission}/vote", decision="approve", comment="Kept <b>")
    assert refused.status_code == 422
    assert 'id="error-answer-0-small_count"' in refused.text  # type: ignore[attr-defined]
    assert "Kept &lt;b&gt;" in refused.text  # type: ignore[attr-defined]
    answer = {"answer-0-small_count": "Three <years>, not persons."}
    assert stage.post("chloe", f"/review/{submission}/vote", decision="approve", **answer).status_code == 303
    body = {
        "decision": "APPROVE",
        "answers": [{"file": 0, "rule": "small_count", "answer": "Years."}],
    }
    headers = {"x-vitrine-form": token_of("denis")}
    done = stage.visit("denis").post(f"{P}/api/review/{submission}/vote", json=body, headers=headers)
    assert done.json()["state"] == "RELEASED"
    record = stage.visit("ana").get(f"{P}/submissions/{submission}/record")
    assert record.headers["content-disposition"].startswith('attachment; filename="release-1.json"')
    answers = {a["checker"]: a["answer"] for a in json.loads(record.content)["record"]["answers"]}
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


def declare(stage: Stage, release: str, content: bytes = PDF, **fields: str) -> object:
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
        assert answer.status_code == 422  # type: ignore[attr-defined]
        assert f'id="error-{name}"' in answer.text  # type: ignore[attr-defined]
    answer = declare(stage, release, b"MZ")
    assert 'id="error-file"' in answer.text  # type: ignore[attr-defined]
    answer = declare(stage, release)
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    path = answer.headers["location"].removeprefix(P).partition("?")[0]  # type: ignore[attr-defined]
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


def test_a_manuscript_that_is_too_large_is_refused(stage: Stage, session: str) -> None:
    release = stage.submit(session, ("a.csv", CSV))
    stage.approve(release)
    answer = declare(stage, release, b"%PDF-" + bytes(20_000_000))
    assert answer.status_code == 422  # type: ignore[attr-defined]
    answer = declare(stage, release, b"%PDF-" + bytes(22_000_000))
    assert answer.status_code == 413  # type: ignore[attr-defined]
    with stage.office.units.read() as unit:
        assert unit.publications.find() == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_figures_in_both_languages(stage: Stage, session: str, language: str) -> None:
    stage.approve(stage.submit(session, ("a.csv", CSV)))
    stage.submit(session, ("b.csv", CSV + b"65+,400,3\n"))
    page = stage.visit("bob", language).get(f"{P}/review/statistics").text
    assert 'data-testid="statistics-waiting">1<' in page
    assert 'data-testid="statistics-decided">1<' in page
    assert "Chloe" in page
