"""Bad submissions through the gate's door: refused with a code and a field, and nothing of them stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.actions import people, projects
from hub.domain.lifecycle import PersonState
from tests import factories
from tests.integration.portal.stage import FORM, GATE_TOKEN, TABLE, Stage, make_stage, parts

CSV = TABLE.encode()
BOUNDARY = "vitrine"


def body(*sections: tuple[str, bytes], end: bool = True) -> bytes:
    """A multipart body of (Content-Disposition, content) sections."""
    lines = b"".join(
        b"--"
        + BOUNDARY.encode()
        + b"\r\nContent-Disposition: "
        + head.encode()
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for head, content in sections
    )
    return lines + (b"--" + BOUNDARY.encode() + b"--\r\n" if end else b"")


FORM_SECTION = ('form-data; name="form"', json.dumps(FORM).encode())


def file_section(name: str, content: bytes = CSV) -> tuple[str, bytes]:
    return f'form-data; name="file"; filename="{name}"', content


def send(stage: Stage, content: bytes, session: str) -> tuple[int, dict[str, object]]:
    answer = stage.gate().post(
        f"/internal/sessions/{session}/submissions",
        content=content,
        headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    return answer.status_code, answer.json()


def nothing_stayed(stage: Stage) -> bool:
    """No submission, no half-received file, nothing in the vault."""
    with stage.office.units.read() as unit:
        if unit.submissions.find() or unit.files.find():
            return False
    return not [path for path in (stage.folder / "vault").rglob("*") if path.is_file()] and not list(
        (stage.folder / "vault" / "staging").iterdir()
    )


REFUSALS = {
    "no form": (body(file_section("a.csv")), "bad_form", "form"),
    "form is not first": (body(file_section("a.csv"), FORM_SECTION), "bad_form", "form"),
    "form is not JSON": (body(('form-data; name="form"', b"{"), file_section("a.csv")), "bad_form", "form"),
    "form nested too deep": (
        body(('form-data; name="form"', b"[" * 60_000), file_section("a.csv")),
        "bad_form",
        "form",
    ),
    "form too long": (
        body(('form-data; name="form"', json.dumps({"what": "x" * 70_000}).encode())),
        "too_large",
        "form",
    ),
    "unknown field": (
        body(('form-data; name="form"', json.dumps({**FORM, "project": "health"}).encode())),
        "bad_form",
        "form",
    ),
    "nothing said": (body(('form-data; name="form"', b'{"what": " "}')), "missing", "what"),
    "no file": (body(FORM_SECTION), "file_count", "files"),
    "empty file": (body(FORM_SECTION, file_section("a.csv", b"")), "empty_file", "files[0]"),
    "second file empty": (
        body(FORM_SECTION, file_section("a.csv"), file_section("b.csv", b"")),
        "empty_file",
        "files[1]",
    ),
    "unlisted type": (body(FORM_SECTION, file_section("data.parquet")), "unlisted_type", "files[0]"),
    "no type": (body(FORM_SECTION, file_section("table")), "unlisted_type", "files[0]"),
    "parent folder": (body(FORM_SECTION, file_section("../a.csv")), "bad_name", "files[0]"),
    "absolute": (body(FORM_SECTION, file_section("/etc/a.csv")), "bad_name", "files[0]"),
    "Windows folder": (body(FORM_SECTION, file_section("C:\\a.csv")), "bad_name", "files[0]"),
    "Windows share": (body(FORM_SECTION, file_section("\\\\host\\a.csv")), "bad_name", "files[0]"),
    "hidden file": (body(FORM_SECTION, file_section(".a.csv")), "bad_name", "files[0]"),
    "null character": (body(FORM_SECTION, file_section("a\x00.csv")), None, None),
    "reversed name": (body(FORM_SECTION, file_section("a\u202evsc.py")), "bad_name", "files[0]"),
    "no name": (body(FORM_SECTION, file_section("")), "bad_name", "files[0]"),
    "encoded path": (
        body(FORM_SECTION, ('form-data; name="file"; filename="a.csv"; filename*=UTF-8\'\'..%2Fa.csv', CSV)),
        "bad_name",
        "files[0]",
    ),
    "two names": (
        body(FORM_SECTION, ('form-data; name="file"; filename="a.csv"; filename="../b.csv"', CSV)),
        "bad_upload",
        "files",
    ),
    "same name twice": (
        body(FORM_SECTION, file_section("a.csv"), file_section("A.csv")),
        "duplicate_name",
        "files[1]",
    ),
    "not a file": (body(FORM_SECTION, ('form-data; name="other"', CSV)), "bad_upload", "files"),
    "cut off": (body(FORM_SECTION, file_section("a.csv"), end=False), "cut_short", "files"),
    "cut off in a file": (body(FORM_SECTION, file_section("a.csv"))[:-60], "cut_short", "files"),
    "not multipart": (b"what=1", None, None),
    "long header": (body(FORM_SECTION, file_section("a" * 10_000 + ".csv")), "bad_upload", "files"),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, str]:
    made = make_stage(tmp_path_factory.mktemp("portal"))
    return made, factories.open_session(made.office).session.id


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_upload_is_refused_and_nothing_stays(shared: tuple[Stage, str], case: str) -> None:
    stage, session = shared
    content, code, field = REFUSALS[case]
    status, answer = send(stage, content, session)
    error = answer["error"]
    assert status == 422
    assert isinstance(error, dict)
    if code is not None:
        assert (error["code"], error["field"]) == (code, field)
    else:
        assert error["code"] in ("bad_upload", "bad_name", "bad_form", "cut_short")
    assert error["message"]
    assert nothing_stayed(stage)


def test_too_many_bytes(shared: tuple[Stage, str]) -> None:
    stage, session = shared
    most = stage.office.rules.submissions.max_bytes
    half = b"x" * (most // 2 + 1)
    status, answer = send(
        stage, body(FORM_SECTION, file_section("a.csv", half), file_section("b.csv", half)), session
    )
    assert status == 422
    assert answer["error"] == {
        "code": "too_large",
        "message": "A submission has at most 16 MB in all.",
        "field": "files[1]",
    }
    answered = stage.gate().post(
        f"/internal/sessions/{session}/submissions",
        content=body(FORM_SECTION, file_section("a.csv", half + half)),
        headers={
            "content-type": f"multipart/form-data; boundary={BOUNDARY}",
            "accept-language": "fr",
        },
    )
    assert answered.json()["error"]["message"] == "Une soumission compte au plus 16 Mo en tout."
    assert nothing_stayed(stage)


def test_ten_thousand_files_are_refused_early(shared: tuple[Stage, str]) -> None:
    stage, session = shared
    sections = [file_section(f"f{n}.csv", b"1") for n in range(10_000)]
    status, answer = send(stage, body(FORM_SECTION, *sections), session)
    assert status == 422
    assert answer["error"]["code"] == "too_many_files"  # type: ignore[index]
    assert nothing_stayed(stage)


def test_the_gate_alone_may_come_in(shared: tuple[Stage, str]) -> None:
    stage, session = shared
    paths = [
        ("GET", ""),
        ("GET", "/submissions"),
        ("POST", "/submissions"),
        ("POST", "/submissions/o1/withdraw"),
    ]
    for method, path in paths:
        for authorization in (None, "Bearer ", "Bearer wrong", GATE_TOKEN, f"token {GATE_TOKEN}"):
            client = stage.visit("bob")
            headers = {} if authorization is None else {"authorization": authorization}
            answer = client.request(method, f"/internal/sessions/{session}{path}", headers=headers)
            assert answer.status_code == 403, (method, path, authorization)
            assert answer.json()["error"]["code"] == "gate_only"


def test_a_session_is_told_who_and_what_it_is(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    told = stage.gate().get(f"/internal/sessions/{session}").json()
    assert told["project"] == {"slug": "wages", "title": "Project wages"}
    assert told["person"] == {"username": "ana", "name": "Ana"}
    assert told["tier"] == "open"
    assert told["limits"]["max_bytes"] == 16_000_000
    assert ".csv" in told["limits"]["types"]
    assert told["portal_url"] == "/services/portal/"


def closed_by_project_end(stage: Stage) -> None:
    projects.end_project(stage.office, slug="wages", by=factories.actor("bob"), now=factories.NOW)


def closed_by_suspension(stage: Stage) -> None:
    projects.suspend_project(stage.office, slug="wages", by=factories.actor("bob"), now=factories.NOW)


def closed_by_person(stage: Stage) -> None:
    people.set_person_state(
        stage.office,
        username="ana",
        state=PersonState.SUSPENDED,
        by=factories.actor("bob"),
        now=factories.NOW,
    )


@pytest.mark.parametrize(
    ("close", "code"),
    [
        (closed_by_project_end, "project_ended"),
        (closed_by_suspension, "project_suspended"),
        (closed_by_person, "person_suspended"),
    ],
)
def test_a_closed_desk_can_neither_ask_nor_submit(stage: Stage, close: object, code: str) -> None:
    session = factories.open_session(stage.office).session.id
    close(stage)  # type: ignore[operator]
    gate = stage.gate()
    answers = [
        gate.get(f"/internal/sessions/{session}"),
        gate.get(f"/internal/sessions/{session}/submissions"),
        gate.post(f"/internal/sessions/{session}/submissions", files=parts(FORM, ("a.csv", CSV))),
    ]
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [(403, code)] * 3
    assert nothing_stayed(stage)


def test_an_unknown_session_is_closed(stage: Stage) -> None:
    answer = stage.gate().get("/internal/sessions/s0")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "stopped")


def test_the_message_comes_in_the_language_of_the_reader(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    answer = stage.gate().post(
        f"/internal/sessions/{session}/submissions",
        files=parts(FORM, ("a.csv", b"")),
        headers={"accept-language": "fr-LU,fr;q=0.9"},
    )
    assert answer.json()["error"]["message"] == "Ce fichier est vide."


def test_the_same_upload_again_is_not_stored_twice(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    stage.submit(session, ("a.csv", CSV))
    answer = stage.gate().post(f"/internal/sessions/{session}/submissions", files=parts(FORM, ("a.csv", CSV)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_submitted")
    assert len(stage.gate().get(f"/internal/sessions/{session}/submissions").json()["submissions"]) == 1


def test_a_returned_submission_comes_back_with_its_comment_and_can_be_replaced(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    first = stage.submit(session, ("a.csv", CSV))
    stage.post("chloe", f"/review/{first}/vote", decision="return", comment="Group the small cells.")
    listed = stage.gate().get(f"/internal/sessions/{session}/submissions").json()["submissions"][0]
    assert listed["comments"] == []
    stage.post("denis", f"/review/{first}/vote", decision="approve", **stage.ticks(first), comment="Fine.")
    listed = stage.gate().get(f"/internal/sessions/{session}/submissions").json()["submissions"][0]
    assert listed["state"] == "RETURNED"
    assert {c["text"] for c in listed["comments"]} == {"Group the small cells.", "Fine."}
    assert "chloe" not in json.dumps(listed)
    second = stage.submit(session, ("a.csv", CSV + b"65+,40,1\n"), supersedes=first)
    listed = stage.gate().get(f"/internal/sessions/{session}/submissions").json()["submissions"]
    assert [(s["id"], s["supersedes"], s["superseded_by"]) for s in listed] == [
        (second, first, None),
        (first, None, second),
    ]


def test_a_submission_of_another_project_cannot_be_withdrawn_from_this_desk(stage: Stage) -> None:
    factories.add_project(stage.office, "other", people=["ana"])
    here = factories.open_session(stage.office).session.id
    there = factories.open_session(stage.office, "other").session.id
    submission = stage.submit(here, ("a.csv", CSV))
    answer = stage.gate().post(f"/internal/sessions/{there}/submissions/{submission}/withdraw")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_yours")
    answer = stage.gate().post(f"/internal/sessions/{here}/submissions/{submission}/withdraw")
    assert answer.json()["state"] == "WITHDRAWN"


def test_findings_are_not_told_to_the_desk(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    stage.submit(session, ("a.csv", b"group,n\na,2\nb,900\n"))
    listed = stage.gate().get(f"/internal/sessions/{session}/submissions")
    assert "finding" not in listed.text
    assert Path(stage.folder / "vault" / "objects").is_dir()
