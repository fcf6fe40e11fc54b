"""The desk's submit.sock through a real gate to a portal that records what arrives."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.gate.harness import AS_ROOT, DESK_UID, Rig, wait_for


def door(rig: Rig, sid: str = "s1") -> Path:
    """The session's submit.sock, once the gate listens on it."""
    path = rig.settings.run / sid / "submit.sock"
    wait_for(path.is_socket)
    return path


def call(
    path: Path, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    """One HTTP call on a unix socket."""
    sent = {"Host": "gate", "Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    top, _, content = received.partition(b"\r\n\r\n")
    return int(top.split(b" ")[1]), json.loads(content)


@pytest.mark.parametrize(
    ("method", "target", "path"),
    [
        ("GET", "/session", "/internal/sessions/s1"),
        ("GET", "/submissions", "/internal/sessions/s1/submissions"),
        ("POST", "/submissions", "/internal/sessions/s1/submissions"),
        ("POST", "/submissions/ab12/withdraw", "/internal/sessions/s1/submissions/ab12/withdraw"),
        ("POST", "/prechecks", "/internal/sessions/s1/prechecks"),
    ],
)
def test_calls_reach_the_portal(rig: Rig, method: str, target: str, path: str) -> None:
    body = b"--x--" if method == "POST" else b""
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Accept-Language": "fr",
        "Authorization": "Bearer forged",
    }
    headers |= {"X-Forwarded-For": "1.2.3.4", "Cookie": "a=b"}
    rig.portal.reply = (200, {"submissions": []})
    assert call(door(rig), method, target, body, headers) == (200, {"submissions": []})
    (got,) = rig.portal.calls
    assert (got.method, got.path, got.body, got.complete) == (method, path, body, True)
    assert got.headers["Authorization"] == "Bearer gate-token-of-this-test"
    assert got.headers["Accept-Language"] == "fr"
    assert {"Cookie", "X-Forwarded-For"}.isdisjoint(got.headers)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/sessions"),
        ("GET", "/session/"),
        ("GET", "/session?sid=s2"),
        ("GET", "/../s2/submissions"),
        ("GET", "/submissions/1"),
        ("DELETE", "/submissions/1"),
        ("PUT", "/submissions"),
        ("POST", "/submissions/1/approve"),
        ("POST", "/submissions/1%2f..%2f2/withdraw"),
        ("POST", "/submissions/../withdraw"),
        ("GET", "http://portal/internal/sessions/s2/"),
        ("PROPFIND", "/submissions"),
    ],
)
def test_other_calls_do_not_exist(rig: Rig, method: str, target: str) -> None:
    status, body = call(door(rig), method, target, headers={"Accept-Language": "fr"})
    assert status == 404
    assert body["error"] == {"code": "unknown_call", "message": "Cet appel n’existe pas."}
    assert rig.portal.calls == []


@pytest.mark.parametrize(
    "answer", [(201, {"id": "1"}), (413, {"error": {"code": "too_large"}}), (503, {"error": {}})]
)
def test_answers_pass_as_they_are(rig: Rig, answer: tuple[int, object]) -> None:
    rig.portal.reply = answer
    assert call(door(rig), "POST", "/submissions", b"x" * 300_000) == answer


def test_uploads_are_streamed(rig: Rig) -> None:
    """The portal has the first part while the desk still holds the second."""
    head = b"POST /submissions HTTP/1.1\r\nHost: gate\r\nContent-Length: 2000000\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(door(rig)))
        connection.sendall(head + b"x" * 1_000_000)
        wait_for(lambda: rig.portal.calls and len(rig.portal.calls[0].body) == 1_000_000)
        connection.sendall(b"y" * 1_000_000)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    assert rig.portal.calls[0].complete


def test_chunked_uploads_are_streamed(rig: Rig) -> None:
    body = (
        b"".join(b"%x\r\n" % len(piece) + piece + b"\r\n" for piece in (b"abc", b"d" * 70_000)) + b"0\r\n\r\n"
    )
    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    assert call(door(rig), "POST", "/submissions", body, headers)[0] == 200
    assert rig.portal.calls[0].body == b"abc" + b"d" * 70_000


@pytest.mark.parametrize("framing", ["Content-Length: 2000000", "Transfer-Encoding: chunked"])
def test_an_upload_cut_halfway_never_completes(rig: Rig, framing: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(door(rig)))
        connection.sendall(f"POST /submissions HTTP/1.1\r\nHost: gate\r\n{framing}\r\n\r\n".encode())
        piece = b"x" * 500_000
        connection.sendall(piece if "Length" in framing else b"%x\r\n" % len(piece) + piece + b"\r\n")
        wait_for(lambda: rig.portal.calls and len(rig.portal.calls[0].body) == 500_000)
    time.sleep(0.3)
    assert not rig.portal.calls[0].complete


def test_an_upload_is_cut_when_the_session_ends(rig: Rig) -> None:
    path = door(rig)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(b"POST /submissions HTTP/1.1\r\nHost: gate\r\nContent-Length: 2000000\r\n\r\nabc")
        wait_for(lambda: rig.portal.calls and rig.portal.calls[0].body == b"abc")
        rig.write_session(state="ENDED", reason="project_ended", hub_env={})
        assert b"project_ended" in connection.recv(4096)
    assert not rig.portal.calls[0].complete
    wait_for(lambda: not path.exists())


def test_portal_down(own_rig: Rig) -> None:
    own_rig.portal.close()
    status, body = call(door(own_rig), "POST", "/submissions", b"x" * 300_000, {"Accept-Language": "fr"})
    assert (status, body["error"]["code"]) == (503, "portal_unreachable")  # type: ignore[index]
    assert "Rien n’a été soumis" in str(body["message"])


def test_an_early_answer_of_the_portal_reaches_a_desk_that_still_writes(own_rig: Rig) -> None:
    """A portal that answers 413 at once and reads no further."""
    listening = socket.create_server(("127.0.0.1", 0))
    own_rig.stop()
    own_rig.settings = type(own_rig.settings)(
        **{**vars(own_rig.settings), "portal_url": f"http://127.0.0.1:{listening.getsockname()[1]}"}
    )

    def portal() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            body = b'{"error": {"code": "too_large"}}'
            head = b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % len(body) + body)
            time.sleep(0.5)

    with listening:
        serving = threading.Thread(target=portal)
        serving.start()
        own_rig.start()
        assert call(door(own_rig), "POST", "/submissions", b"x" * 30_000_000) == (
            413,
            {"error": {"code": "too_large"}},
        )
        serving.join()


def test_too_large_by_its_length(rig: Rig) -> None:
    headers = {"Content-Length": str((1 << 30) + 1)}
    status, body = call(door(rig), "POST", "/submissions", b"", headers)
    assert (status, body["error"]["code"]) == (413, "too_large")  # type: ignore[index]
    assert rig.portal.calls == []


def test_each_desk_is_itself(rig: Rig) -> None:
    rig.write_session("s2", username="bob", project="wages")
    assert call(door(rig, "s2"), "GET", "/session")[0] == 200
    assert rig.portal.calls[-1].path == "/internal/sessions/s2"


def test_the_socket_may_be_used_by_the_desk_only_through_its_directory(rig: Rig) -> None:
    found = door(rig).stat()
    assert found.st_mode & 0o777 == 0o777
    assert (rig.settings.run / "s1").stat().st_mode & 0o7777 == 0o1777
    if AS_ROOT:
        assert found.st_uid != DESK_UID
