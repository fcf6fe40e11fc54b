"""Before submitting: what a desk is told of its files, what never, and declarations that come along."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hub.actions import projects, sessions
from tests import factories
from tests.integration.portal.stage import FORM, TABLE, P, Stage, make_stage, parts
from tests.integration.portal.test_uploads import (
    BOUNDARY,
    FORM_SECTION,
    body,
    file_section,
    nothing_stayed,
    send,
)

EMPTY = dict.fromkeys(FORM, "")
SMALL = b"region,n\nnorth,1204\nsouth,3\n"
DECLARATION = {
    "version": 1,
    "file": "a.csv",
    "output": {
        "kind": "table",
        "table": "people",
        "by": [{"variable": "region"}],
        "measures": [{"stat": "count", "column": "n"}],
    },
}


def ask(stage: Stage, session: str, form: object, *files: tuple[str, bytes], language: str = "en") -> Any:
    return stage.gate().post(
        f"/internal/sessions/{session}/prechecks",
        files=parts(form, *files),
        headers={"accept-language": language},
    )


def events(stage: Stage) -> list[dict[str, Any]]:
    with stage.office.units.read() as unit:
        return [dict(entry.details) for entry in unit.events() if entry.action == "output.prechecked"]


@pytest.fixture
def session(stage: Stage) -> str:
    return str(factories.open_session(stage.office).session.id)


def test_a_closed_desk_is_told_nothing(stage: Stage, session: str) -> None:
    projects.end_project(stage.office, slug="wages", by=factories.actor("bob"), now=factories.NOW)
    answer = ask(stage, session, FORM, ("a.csv", SMALL))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "project_ended")
    assert events(stage) == []


def test_only_the_gate_may_ask(stage: Stage, session: str) -> None:
    answer = stage.visit("ana").post(
        f"/internal/sessions/{session}/prechecks", files=parts(FORM, ("a.csv", SMALL))
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "gate_only")


def test_a_bad_upload_is_refused_as_a_submission_would_be(stage: Stage, session: str) -> None:
    answer = ask(stage, session, FORM, ("a.parquet", SMALL))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unlisted_type")
    assert nothing_stayed(stage)


def test_small_cells_are_said_without_number_or_place(stage: Stage, session: str) -> None:
    answer = ask(stage, session, FORM, ("a.csv", SMALL))
    assert answer.status_code == 200
    (file,) = answer.json()["files"]
    (finding,) = file["findings"]
    assert finding["rule"] == "small_cells"
    assert finding["message"] == "Some cells seem to count fewer than 10 units."
    assert [each["python"] for each in finding["remedies"]] == [
        "t = vitrine.suppress(t, below=10, secondary=True)",
        't = vitrine.merge(t, "variable", breaks=[…])',
        "t = vitrine.round_to(t, 5)",
    ]
    assert [each["act"] for each in finding["remedies"]] == ["suppress", "merge", "round"]
    assert "south" not in answer.text
    assert "row" not in answer.text
    assert nothing_stayed(stage)


def test_one_small_cell_and_many_give_the_same_answer(stage: Stage, session: str) -> None:
    many = b"region,n\n" + b"".join(f"r{n},{n}\n".encode() for n in range(1, 9))
    told = [ask(stage, session, FORM, ("a.csv", content)).json()["files"] for content in (SMALL, many)]
    assert told[0] == told[1]


def test_missing_context_and_format_in_french(stage: Stage, session: str) -> None:
    answer = ask(stage, session, EMPTY, ("a.csv", "région;n\nn\u200bord;12\n".encode()), language="fr")
    rules = [finding["rule"] for finding in answer.json()["files"][0]["findings"]]
    assert rules.count("missing_context") == 5
    assert "hidden_characters" in rules
    messages = [finding["message"] for finding in answer.json()["files"][0]["findings"]]
    assert (
        "Il manque une indication au formulaire : la population. Sans elle, la sortie ne peut pas être jugée."
        in messages
    )


def test_numbers_that_nobody_rounded_are_said_with_what_to_do(stage: Stage, session: str) -> None:
    content = b"region,n,mean_wage\nnorth,1204,31200.512345678\nsouth,1530,41877.123456789\n"
    (file,) = ask(stage, session, FORM, ("a.csv", content), language="fr").json()["files"]
    (finding,) = file["findings"]
    assert finding["rule"] == "unrounded"
    assert finding["message"].startswith("2 nombres ont plus de chiffres")
    assert "digits=6" in finding["remedies"][0]["python"]


def test_nothing_is_compared_with_the_extract(stage: Stage, session: str) -> None:
    """Rows of the extract, and rows of none, get the same answer; so does a pseudonym."""
    rows = pl.read_parquet(next((stage.folder / "extracts").rglob("*.parquet"))).write_csv().encode()
    other = "wage,age\n" + "".join(f"{n * 9.1 + 3:.1f},{n}\n" for n in range(200))
    told = [
        ask(stage, session, FORM, ("a.csv", content)).json()["files"] for content in (rows, other.encode())
    ]
    assert told[0] == told[1]
    pseudonym = ask(stage, session, FORM, ("b.csv", b"id,n\n101234567890123,40\n101234567890122,40\n")).json()
    assert pseudonym["files"][0]["findings"] == []


def test_what_was_asked_is_in_the_audit_chain_without_content(stage: Stage, session: str) -> None:
    ask(stage, session, FORM, ("a.csv", SMALL), ("b.csv", TABLE.encode()))
    (details,) = events(stage)
    assert details["project"] == "wages"
    assert [set(file) for file in details["files"]] == [{"sha256", "size", "rules"}] * 2
    assert details["files"][0]["size"] == len(SMALL)
    assert "small_count" in details["files"][0]["rules"]
    assert "south" not in json.dumps(details)
    assert 'data-action="output.prechecked"' in stage.visit("eve").get(f"{P}/audit").text


def test_a_desk_has_so_many_prechecks_per_hour(tmp_path: Path) -> None:
    times = [factories.NOW]
    made = make_stage(tmp_path, clock=lambda: times[0])
    rules = dataclasses.replace(
        made.office.rules,
        submissions=dataclasses.replace(made.office.rules.submissions, prechecks_per_hour=3),
    )
    office = dataclasses.replace(made.office, rules=rules)
    from hub.portal.app import create_app

    portal = dataclasses.replace(made.portal, office=office)
    stage = Stage(create_app(portal), portal, tmp_path)
    session = factories.open_session(office).session.id
    assert ask(stage, session, FORM, ("a.csv", SMALL)).json()["left"] == 2
    answer = ask(stage, session, FORM, *((f"{n}.csv", SMALL) for n in range(3)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_prechecks")
    assert ask(stage, session, FORM, ("a.csv", SMALL), ("b.csv", SMALL)).json()["left"] == 0
    answer = ask(stage, session, FORM, ("a.csv", SMALL))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_prechecks")
    assert "finding" not in answer.text
    # Closing the desk and opening it again is no way around it.
    sessions.end_session(office, session_id=session, reason="stopped", by=factories.SYSTEM, now=times[0])
    session = factories.open_session(office).session.id
    answer = ask(stage, session, FORM, ("a.csv", SMALL))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_prechecks")
    times[0] = later(times[0])
    assert ask(stage, session, FORM, ("a.csv", SMALL)).status_code == 200


def later(moment: datetime) -> datetime:
    return moment + timedelta(hours=1, seconds=1)


def declaration_section(name: str, declared: object) -> tuple[str, bytes]:
    content = declared if isinstance(declared, bytes) else json.dumps(declared).encode()
    return f'form-data; name="declaration"; filename="{name}"', content


FILE = file_section("a.csv", SMALL)
BAD_DECLARATIONS = {
    "before its file": ([declaration_section("a.csv", DECLARATION), FILE], "bad_upload", "files"),
    "of another file": ([FILE, declaration_section("b.csv", DECLARATION)], "bad_upload", "files"),
    "twice": ([FILE, *[declaration_section("a.csv", DECLARATION)] * 2], "bad_upload", "files"),
    "naming another file": (
        [FILE, declaration_section("a.csv", {**DECLARATION, "file": "b.csv"})],
        "bad_declaration",
        "files[0]",
    ),
    "not JSON": ([FILE, declaration_section("a.csv", b"{")], "bad_declaration", "files[0]"),
    "not UTF-8": ([FILE, declaration_section("a.csv", b"\xff")], "bad_declaration", "files[0]"),
    "an unknown key": (
        [FILE, declaration_section("a.csv", {**DECLARATION, "x": 1})],
        "bad_declaration",
        "files[0]",
    ),
    "a key twice": (
        [FILE, declaration_section("a.csv", b'{"version": 1, "version": 1}')],
        "bad_declaration",
        "files[0]",
    ),
    "not a number": (
        [FILE, declaration_section("a.csv", b'{"version": NaN}')],
        "bad_declaration",
        "files[0]",
    ),
    "too deep": ([FILE, declaration_section("a.csv", b"[" * 60_000)], "bad_declaration", "files[0]"),
    "rather deep": (
        [FILE, declaration_section("a.csv", b"[" * 60 + b"]" * 60)],
        "bad_declaration",
        "files[0]",
    ),
    "too long": ([FILE, declaration_section("a.csv", b" " * 65_000)], "too_large", "files[0]"),
}


@pytest.mark.parametrize("case", BAD_DECLARATIONS)
def test_a_bad_declaration_is_refused_and_nothing_stays(stage: Stage, session: str, case: str) -> None:
    sections, code, field = BAD_DECLARATIONS[case]
    status, answer = send(stage, body(FORM_SECTION, *sections), session)
    error = answer["error"]
    assert isinstance(error, dict)
    assert (status, error["code"], error["field"]) == (422, code, field)
    assert nothing_stayed(stage)


def test_a_declaration_is_kept_with_its_file(stage: Stage, session: str) -> None:
    sections = [FILE, declaration_section("a.csv", DECLARATION), file_section("b.csv")]
    status, _ = send(stage, body(FORM_SECTION, *sections), session)
    assert status == 201
    with stage.office.units.read() as unit:
        reports = {file.name: file.report for file in unit.files.find()}
    kept = reports["a.csv"]["summary"]["declaration"]
    assert kept["output"]["by"] == [{"variable": "region", "right": False, "next": False}]
    assert "declaration" not in reports["b.csv"]["summary"]


def test_a_precheck_says_what_is_declared(stage: Stage, session: str) -> None:
    content = body(FORM_SECTION, FILE, declaration_section("a.csv", DECLARATION), file_section("b.csv"))
    answer = stage.gate().post(
        f"/internal/sessions/{session}/prechecks",
        content=content,
        headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    assert [file["declared"] for file in answer.json()["files"]] == [True, False]
