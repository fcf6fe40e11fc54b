"""The routes under `vitrine/`, on a real tornado server, relayed to a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from vitrine_output_check.app import Places
from vitrine_output_check.handlers import routes

from tests.unit.desk.conftest import make_extract
from tests.unit.extension.gates import Gate

FORM = {"what": "Table 2", "population": "", "variables": "", "counts": "", "purpose": "", "note": ""}


class SignedIn(RequestHandler):
    """Stands where jupyter-server's APIHandler stands in a desk."""

    def get_current_user(self) -> str:
        return "researcher"


def call(
    desk: Path,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    base: type[RequestHandler] = SignedIn,
) -> tuple[int, Any]:
    """Status and JSON of one request; a body makes it a POST."""
    places = Places(desk / "home", desk / "shared", desk / "data")

    async def ask() -> tuple[int, Any]:
        listening, port = bind_unused_port()
        server = HTTPServer(Application(list(routes("/user/ana/wages/", base, places)), login_url="/login"))
        server.add_socket(listening)
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = HTTPRequest(
            f"http://127.0.0.1:{port}/user/ana/wages/vitrine/{path}",
            "GET" if raw is None else "POST",
            dict(headers or {}),
            raw,
            follow_redirects=False,
        )
        try:
            response = await AsyncHTTPClient(force_instance=True).fetch(request, raise_error=False)
        finally:
            server.stop()
            await server.close_all_connections()
        kind = response.headers.get("Content-Type", "")
        return response.code, json.loads(response.body) if kind == "application/json" else None

    return asyncio.run(ask())


class Stranger(RequestHandler):
    """Nobody is signed in."""


@pytest.mark.parametrize(
    ("path", "body"), [("session", None), ("submissions", None), ("submissions", {}), ("prechecks", {})]
)
def test_whoever_is_not_signed_in_reaches_nothing(gate: Gate, desk: Path, path: str, body: object) -> None:
    status, _ = call(desk, path, body, base=Stranger)
    assert status == (302 if body is None else 403)
    assert gate.heard == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"[]", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        ({"form": FORM}, "paths"),
        ({"paths": "a.csv", "form": FORM}, "paths"),
        ({"paths": [1], "form": FORM}, "paths"),
        ({"paths": ["a.csv"]}, "form"),
        ({"paths": ["a.csv"], "form": {"what": 1}}, "form.what"),
        ({"paths": ["a.csv"], "form": {"state": "APPROVED"}}, "form.state"),
        ({"paths": ["a.csv"], "form": {"supersedes": 3}}, "form.supersedes"),
    ],
)
def test_a_malformed_request_names_its_field(gate: Gate, desk: Path, body: object, field: str | None) -> None:
    status, answer = call(desk, "submissions", body)
    assert (status, answer["error"]["code"], answer["error"].get("field")) == (400, "bad_request", field)
    assert gate.heard == []


def test_data_are_refused_with_a_sentence(gate: Gate, desk: Path) -> None:
    wish = {"paths": ["table.csv", "data/part-0.parquet"], "form": FORM}
    status, answer = call(desk, "submissions", wish, {"Accept-Language": "fr"})
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (403, "from_data", "paths[1]")
    assert "/data" in answer["error"]["message"]
    assert gate.heard == []


@pytest.mark.parametrize(("language", "word"), [("fr-LU,fr", "passerelle"), ("en-GB,en", "gate")])
def test_no_socket_is_a_503_in_the_readers_language(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, word: str
) -> None:
    monkeypatch.setenv("VITRINE_SUBMIT_SOCK", str(tmp_path / "absent.sock"))
    status, answer = call(desk, "session", headers={"Accept-Language": language})
    assert (status, answer["error"]["code"]) == (503, "gate_unreachable")
    assert word in answer["error"]["message"]


def test_an_answer_that_never_came_is_a_502(gate: Gate, desk: Path) -> None:
    gate.hang_up = True
    status, answer = call(desk, "submissions")
    assert (status, answer["error"]["code"]) == (502, "gate_lost")


@pytest.mark.parametrize("identifier", ["..", "a%2Fb", "a b", "a" * 65, ""])
def test_a_strange_identifier_has_no_route(gate: Gate, desk: Path, identifier: str) -> None:
    status, _ = call(desk, f"submissions/{identifier.replace(' ', '%20')}/withdraw", {})
    assert status == 404
    assert gate.heard == []


def test_the_gates_refusal_passes_unchanged(gate: Gate, desk: Path) -> None:
    gate.status = 403
    gate.answer = {"error": {"code": "project_ended", "message": "Le projet est terminé.", "field": None}}
    assert call(desk, "submissions") == (403, gate.answer)


def test_a_submission_arrives_whole(gate: Gate, desk: Path) -> None:
    gate.status, gate.answer = 201, {"id": "x1", "number": 1, "state": "SUBMITTED"}
    wish = {"paths": ["table.csv", "shared/both.csv"], "form": {"what": "Table 2", "supersedes": "x0"}}
    assert call(desk, "submissions", wish, {"Accept-Language": "fr-LU"}) == (201, gate.answer)
    (heard,) = gate.heard
    assert heard.headers["accept-language"] == "fr-LU"
    (_, _, form), *files = heard.parts()
    assert json.loads(form) == {**FORM, "supersedes": "x0"}
    assert files == [("file", "table.csv", b"year,mean\n2020,31\n"), ("file", "both.csv", b"n\n40\n")]


@pytest.mark.parametrize(
    ("path", "body", "method", "relayed"),
    [
        ("session", None, "GET", "/session"),
        ("submissions", None, "GET", "/submissions"),
        ("submissions/s-1_A/withdraw", {}, "POST", "/submissions/s-1_A/withdraw"),
    ],
)
def test_the_other_calls_are_relayed(
    gate: Gate, desk: Path, path: str, body: object, method: str, relayed: str
) -> None:
    gate.answer = {"submissions": []}
    assert call(desk, path, body) == (200, {"submissions": []})
    assert [(heard.method, heard.path) for heard in gate.heard] == [(method, relayed)]


def test_a_precheck_is_relayed_with_its_declaration(gate: Gate, desk: Path) -> None:
    (desk / "home" / "table.csv.spec.json").write_bytes(b"{}")
    gate.answer = {"left": 1, "files": []}
    body = {"paths": ["table.csv"], "form": dict.fromkeys(FORM, "")}
    assert call(desk, "prechecks", body) == (200, gate.answer)
    (heard,) = gate.heard
    assert heard.path == "/prechecks"
    assert [part[:2] for part in heard.parts()] == [
        ("form", None),
        ("file", "table.csv"),
        ("declaration", "table.csv"),
    ]


@pytest.mark.parametrize("path", ["../data/part-0.parquet", "data/part-0.parquet"])
def test_data_are_not_looked_over_either(gate: Gate, desk: Path, path: str) -> None:
    status, answer = call(desk, "prechecks", {"paths": [path], "form": {}})
    assert status in (400, 403)
    assert answer["error"]["code"] in ("bad_path", "from_data")
    assert gate.heard == []


DESK_PACKAGE = Path(__file__).parents[3] / "images" / "desk" / "python"


@pytest.fixture
def declared(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk with the package, an extract, and a declared table in a folder of the home."""
    monkeypatch.setenv("PYTHONPATH", str(DESK_PACKAGE))
    monkeypatch.setenv("VITRINE_EXTRACT", str(desk / "data"))
    make_extract(desk / "data")
    (desk / "home" / "out").mkdir()
    monkeypatch.chdir(desk / "home" / "out")
    monkeypatch.syspath_prepend(str(DESK_PACKAGE))
    import vitrine

    vitrine.table("people", "region", "count", file="t.csv")
    return desk


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad_request"),
        ({"path": "out/t.csv"}, 400, "bad_request"),
        ({"path": "out/t.csv", "remedy": "delete"}, 400, "bad_request"),
        ({"path": "out/t.csv", "remedy": "round", "below": True}, 400, "bad_request"),
        ({"path": "../t.csv", "remedy": "round"}, 400, "bad_path"),
        ({"path": "/etc/passwd", "remedy": "round"}, 400, "bad_path"),
        ({"path": "out/absent.csv", "remedy": "round"}, 404, "not_found"),
        ({"path": "data/people.parquet", "remedy": "round"}, 403, "from_data"),
        ({"path": "table.csv", "remedy": "round"}, 422, "not_mended"),
        ({"path": "out/t.csv", "remedy": "drop_extremes"}, 422, "not_mended"),
    ],
)
def test_what_cannot_be_mended_is_said_and_nothing_is_written(
    declared: Path, body: object, status: int, code: str
) -> None:
    before = sorted((declared / "home").rglob("*"))
    answered, told = call(declared, "mendings", body, {"Accept-Language": "fr"})
    assert (answered, told["error"]["code"]) == (status, code)
    assert told["error"]["message"]
    assert sorted((declared / "home").rglob("*")) == before


def test_a_button_writes_a_new_declared_file_beside_the_old(declared: Path) -> None:
    status, told = call(declared, "mendings", {"path": "out/t.csv", "remedy": "suppress", "below": 10})
    assert (status, told) == (201, {"path": "out/t-suppressed.csv"})
    folder = declared / "home" / "out"
    assert {path.name for path in folder.iterdir()} == {
        "t.csv", "t.csv.spec.json", "t-suppressed.csv", "t-suppressed.csv.spec.json",
    }  # fmt: skip
    assert ",\n" in (folder / "t-suppressed.csv").read_text()


def test_nobody_else_mends(declared: Path) -> None:
    status, _ = call(declared, "mendings", {"path": "out/t.csv", "remedy": "round"}, base=Stranger)
    assert status == 403
