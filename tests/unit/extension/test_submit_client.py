"""What goes over submit.sock, heard at its other end."""

from __future__ import annotations

import json
import socket
import tracemalloc
from pathlib import Path

import pytest
from vitrine_output_check.submit_client import FileChanged, GateLost, GateUnreachable, Outgoing, SubmitClient

from tests.unit.extension.gates import Gate


def outgoing(path: Path, content: bytes, name: str | None = None) -> Outgoing:
    path.write_bytes(content)
    return Outgoing(path, name or path.name, len(content))


def test_no_socket_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(GateUnreachable):
        SubmitClient("fr", str(tmp_path / "absent.sock")).session()


def test_a_socket_nobody_listens_on_is_said_so(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(tmp_path / "left.sock"))
    with pytest.raises(GateUnreachable):
        SubmitClient("fr", str(tmp_path / "left.sock")).submissions()


def test_a_connection_cut_before_the_answer_is_not_taken_for_a_refusal(gate: Gate) -> None:
    gate.hang_up = True
    with pytest.raises(GateLost):
        SubmitClient("fr").withdraw("a1")


@pytest.mark.parametrize("change", ["shrink", "grow", "remove", "link"])
def test_a_file_that_changed_since_its_choice_is_not_sent(gate: Gate, tmp_path: Path, change: str) -> None:
    file = outgoing(tmp_path / "a.csv", b"12345")
    match change:
        case "shrink":
            file.path.write_bytes(b"1")
        case "grow":
            file.path.write_bytes(b"123456")
        case "remove":
            file.path.unlink()
        case _:
            file.path.rename(tmp_path / "b.csv")
            file.path.symlink_to(tmp_path / "b.csv")
    with pytest.raises(FileChanged):
        SubmitClient("fr").submit({"what": "x"}, [file])


def test_an_answer_that_comes_before_all_is_sent_is_read(gate: Gate, tmp_path: Path) -> None:
    gate.status, gate.answer, gate.read_only_bytes = 413, {"error": {"code": "too_large"}}, 10
    reply = SubmitClient("fr").submit({"what": "x"}, [outgoing(tmp_path / "big.csv", bytes(5_000_000))])
    assert (reply.status, reply.json()["error"]["code"]) == (413, "too_large")


def test_form_first_then_the_files_byte_for_byte(gate: Gate, tmp_path: Path) -> None:
    form = {"what": "Tableau « 2 »", "supersedes": None}
    files = [outgoing(tmp_path / "a.csv", b"a,b\r\n--\r\n"), outgoing(tmp_path / "vide.txt", b"")]
    gate.status = 201
    assert SubmitClient("fr").submit(form, files).status == 201
    (heard,) = gate.heard
    assert (heard.method, heard.path, heard.headers["accept-language"]) == ("POST", "/submissions", "fr")
    assert int(heard.headers["content-length"]) == len(heard.body)
    (name, filename, content), *rest = heard.parts()
    assert (name, filename, json.loads(content)) == ("form", None, form)
    assert rest == [("file", "a.csv", b"a,b\r\n--\r\n"), ("file", "vide.txt", b"")]


def test_a_name_cannot_add_a_header(gate: Gate, tmp_path: Path) -> None:
    name = 'é"; x="y\r\nX-Evil: 1.csv'
    SubmitClient("fr").submit({"what": "x"}, [outgoing(tmp_path / "a.csv", b"1", name)])
    (heard,) = gate.heard
    assert 'filename="é%22; x=%22y%0D%0AX-Evil: 1.csv"\r\n'.encode() in heard.body
    assert b"\nX-Evil" not in heard.body


def test_a_large_file_is_not_held_in_memory(gate: Gate, tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    with path.open("wb") as file:
        file.truncate(64_000_000)
    gate.status = 201
    tracemalloc.start()
    SubmitClient("fr").submit({"what": "x"}, [Outgoing(path, path.name, 64_000_000)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The gate of this test keeps the body, in this process too: one copy is its, a second would be ours.
    assert len(gate.heard[0].body) > 64_000_000
    assert peak < 2 * 64_000_000


def test_progress_ends_at_the_whole(gate: Gate, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    file = outgoing(tmp_path / "a.csv", bytes(1_000_000))
    SubmitClient("fr").submit({"what": "x"}, [file], lambda *at: seen.append(at))
    assert seen[-1][0] == seen[-1][1] > 1_000_000
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (SubmitClient.session, "GET", "/session"),
        (SubmitClient.submissions, "GET", "/submissions"),
        (lambda client: client.withdraw("a1"), "POST", "/submissions/a1/withdraw"),
    ],
)
def test_the_other_calls(gate: Gate, call: object, method: str, path: str) -> None:
    assert callable(call)
    gate.answer = {"ok": True}
    assert call(SubmitClient("en")).json() == {"ok": True}
    assert [(heard.method, heard.path, heard.body) for heard in gate.heard] == [(method, path, b"")]
