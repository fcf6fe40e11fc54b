"""The end: at `ends_at`, on ENDED, or without a readable file no byte passes, within a second."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.gate.harness import Asked, Desk, Rig, reply, wait_for

STATUS = "/user/ana/wages/api/status"
SOCKET = "/user/ana/wages/api/kernels/00000000-0000-0000-0000-000000000000/channels"


def drip(desk: Desk) -> Callable[[Asked], bytes | None]:
    """An answer that never ends: 1 kB every 10 ms."""

    def answer(asked: Asked) -> bytes | None:
        asked.connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            while True:
                asked.connection.sendall(b"x" * 1000)
                time.sleep(0.01)
        return None

    del desk
    return answer


def read_until_cut(connection: socket.socket) -> float:
    """Read until the stream breaks; the time (epoch seconds) of the last byte that came."""
    last = 0.0
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            last = time.time()
    return last


def ask_stream(rig: Rig, path: str = STATUS) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", rig.port), timeout=15)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {rig.cookie()}\r\n\r\n".encode())
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection


def test_a_stream_is_cut_at_ends_at(rig: Rig, desk: Desk) -> None:
    ends_at = datetime.now(UTC) + timedelta(seconds=1.5)
    rig.write_session(ends_at=ends_at.isoformat())
    desk.answer = drip(desk)
    with ask_stream(rig) as connection:
        last = read_until_cut(connection)
    assert ends_at.timestamp() - 0.5 < last < ends_at.timestamp() + 1


@pytest.mark.parametrize(
    "change",
    [{"state": "ENDED", "reason": "person_suspended", "hub_env": {}}, "removed", "garbage", "other person"],
)
def test_a_stream_is_cut_when_the_file_says_so(rig: Rig, desk: Desk, change: dict[str, object] | str) -> None:
    desk.answer = drip(desk)
    file = rig.settings.sessions / "s1.json"
    with ask_stream(rig) as connection:
        connection.recv(1000)
        at = time.time()
        if change == "removed":
            file.unlink()
        elif change == "garbage":
            file.write_text("{")
        elif change == "other person":
            rig.write_session(username="bob")
        else:
            rig.write_session(**change)  # type: ignore[arg-type]
        assert read_until_cut(connection) < at + 1


@pytest.mark.parametrize(
    "reason", ["project_ended", "project_suspended", "person_suspended", "stopped", "membership_ended"]
)
def test_the_page_says_why_in_both_languages(rig: Rig, desk: Desk, reason: str) -> None:
    rig.write_session(state="ENDED", reason=reason, hub_env={})
    for language, word in (("fr-BE,fr;q=0.9,en;q=0.5", "bureau"), ("en", "desk")):
        headers = {"Accept": "text/html", "Accept-Language": language}
        answer = rig.request("GET", "/user/ana/wages/lab", headers=headers)
        text = answer.body.decode()
        assert answer.status == 403
        assert reason in text
        assert word in text
        assert 'href="/services/portal/"' in text
    programs = rig.request("GET", STATUS, headers={"Accept-Language": "fr"})
    assert (programs.status, programs.code) == (403, reason)
    assert desk.asked == []


@pytest.mark.parametrize("cookie", [None, "bob"])
def test_strangers_are_not_told_why(rig: Rig, cookie: str | None) -> None:
    rig.write_session(state="ENDED", reason="person_suspended", hub_env={})
    sent = None if cookie is None else rig.cookie(username=cookie)
    answer = rig.request("GET", "/user/ana/wages/lab", cookie=sent, headers={"Accept": "text/html"})
    assert answer.status == 403
    assert b"person_suspended" not in answer.body


def test_a_desk_that_never_was_looks_like_a_closed_one(rig: Rig) -> None:
    closed = rig.request("GET", "/user/eve/none/lab", cookie=None)
    assert (closed.status, closed.code) == (403, "closed")


def test_new_sessions_and_ends_count_at_once(rig: Rig, desk: Desk) -> None:
    assert rig.request("GET", STATUS).status == 200
    rig.write_session(state="ENDED", reason="stopped", hub_env={})
    assert rig.request("GET", STATUS).code == "stopped"
    rig.write_session("s2")
    rig.open_desk("s2")
    assert rig.request("GET", STATUS).status == 200


def shake_hands(rig: Rig, desk: Desk, **headers: str) -> tuple[socket.socket, bytes]:
    """Open a WebSocket as a browser does; the socket and the gate's answer."""
    sent = {
        "Host": f"127.0.0.1:{rig.port}",
        "Origin": f"http://127.0.0.1:{rig.port}",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "v1.kernel.websocket.jupyter.org",
        "Sec-WebSocket-Extensions": "permessage-deflate",
        "Cookie": rig.cookie(),
    }
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [
        f"GET {SOCKET}?session_id=1 HTTP/1.1",
        *(f"{name}: {value}" for name, value in sent.items() if value),
    ]
    connection = socket.create_connection(("127.0.0.1", rig.port), timeout=10)
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            break
        head += piece
    return connection, head


# The key above and this answer are the example of RFC 6455, section 1.3.
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)
SUBPROTOCOL = b"Sec-WebSocket-Protocol: v1.kernel.websocket.jupyter.org\r\n"


def echo(head: bytes) -> Callable[[Asked], bytes | None]:
    def answer(asked: Asked) -> bytes | None:
        asked.connection.sendall(head)
        with contextlib.suppress(OSError):
            while data := asked.connection.recv(65536):
                asked.connection.sendall(data)
        return None

    return answer


def test_websocket_passes_both_ways(rig: Rig, desk: Desk) -> None:
    desk.answer = echo(ACCEPTED + SUBPROTOCOL + b"Set-Cookie: a=b\r\nX-Data: 1\r\n\r\n")
    connection, head = shake_hands(rig, desk)
    with connection:
        assert head == ACCEPTED + SUBPROTOCOL + b"\r\n"
        frame = b"\x81\x85mask\x05\x04\x1f\x07\x02"
        connection.sendall(frame)
        assert connection.recv(100) == frame
    asked = desk.asked[0]
    assert asked.line == f"GET {SOCKET}?session_id=1 HTTP/1.1"
    assert set(asked.headers) == {
        "host",
        "upgrade",
        "connection",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
    }


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Cookie": ""}, "sign_in_needed"),
        ({"Origin": "http://elsewhere"}, "origin_refused"),
        ({"Origin": ""}, "origin_refused"),
        ({"Origin": "null"}, "origin_refused"),
        ({"Upgrade": "h2c"}, "route_refused"),
        ({"Connection": "keep-alive"}, "route_refused"),
        ({"Sec_WebSocket_Version": "8"}, "route_refused"),
        ({"Sec_WebSocket_Key": "short"}, "route_refused"),
    ],
)
def test_websocket_handshakes_are_refused_before_the_upgrade(
    rig: Rig, desk: Desk, headers: dict[str, str], code: str
) -> None:
    connection, head = shake_hands(rig, desk, **headers)
    with connection:
        assert head.startswith(b"HTTP/1.1 403 ")
        assert code in connection.recv(4096).decode()
    assert desk.asked == []


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        ACCEPTED + b"Sec-WebSocket-Protocol: other\r\n\r\n",
        ACCEPTED + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        reply(b"secret data", "200 OK", "text/html"),
        reply(b"secret data", "500 Error", "text/html"),
        b"garbage\r\n\r\n",
    ],
)
def test_websocket_answers_of_a_hostile_desk_are_refused(rig: Rig, desk: Desk, head: bytes) -> None:
    desk.answer = lambda _: head
    connection, got = shake_hands(rig, desk)
    with connection:
        assert got.split(b" ")[1] in {b"403", b"502"}
        assert b"secret" not in connection.recv(4096)


def test_websocket_is_cut_at_the_end(rig: Rig, desk: Desk) -> None:
    def answer(asked: Asked) -> bytes | None:
        asked.connection.sendall(ACCEPTED + b"\r\n")
        with contextlib.suppress(OSError):
            while True:
                asked.connection.sendall(b"\x82\x7d" + b"x" * 125)
                time.sleep(0.01)
        return None

    desk.answer = answer
    connection, _ = shake_hands(rig, desk)
    with connection:
        connection.recv(1000)
        at = time.time()
        rig.write_session(state="ENDED", reason="project_suspended", hub_env={})
        assert read_until_cut(connection) < at + 1


def test_silent_websocket_is_cut_too(rig: Rig, desk: Desk) -> None:
    desk.answer = echo(ACCEPTED + b"\r\n")
    connection, _ = shake_hands(rig, desk)
    with connection:
        rig.write_session(state="ENDED", reason="project_suspended", hub_env={})
        at = time.time()
        read_until_cut(connection)
        assert time.time() < at + 1


def test_meter_counts_and_survives_a_kill(own_rig: Rig) -> None:
    rig, desk = own_rig, own_rig.open_desk()
    body = b'{"x": "' + b"y" * 100_000 + b'"}'
    desk.answer = lambda _: reply(body)
    file = rig.settings.meters / "s1.json"
    for _ in range(3):
        assert rig.request("GET", STATUS).status == 200
    wait_for(lambda: file.exists() and json.loads(file.read_text())["bytes_out"] == 3 * len(body))
    rig.stop(9)
    rig.start()
    assert rig.request("GET", STATUS).status == 200
    wait_for(lambda: json.loads(file.read_text())["bytes_out"] == 4 * len(body))


def test_meter_counts_websockets(rig: Rig, desk: Desk) -> None:
    desk.answer = echo(ACCEPTED + b"\r\n")
    connection, _ = shake_hands(rig, desk)
    with connection:
        connection.sendall(b"x" * 5000)
        got = b""
        while len(got) < 5000:
            got += connection.recv(65536)
    wait_for(lambda: json.loads((rig.settings.meters / "s1.json").read_text())["bytes_out"] == 5000)


def test_the_limit_cuts_and_is_explained(rig: Rig, desk: Desk) -> None:
    rig.write_session(bytes_out_limit=250_000)
    desk.answer = drip(desk)
    with ask_stream(rig) as connection:
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += len(piece)
    assert received <= 250_000 + 1000  # body and the gate's own headers
    answer = rig.request("GET", STATUS)
    assert (answer.status, answer.code) == (403, "bytes_limit")
    rig.write_session(bytes_out_limit=10_000_000)
    desk.answer = lambda _: reply()
    assert rig.request("GET", STATUS).status == 200


def test_an_unreadable_meter_closes_the_desk(rig: Rig, desk: Desk) -> None:
    (rig.settings.meters / "s9.json").write_text('{"version": 1, "bytes_out": -1}')
    rig.write_session("s9", project="other")
    answer = rig.request("GET", "/user/ana/other/api/status", cookie=rig.cookie(project="other"))
    assert (answer.status, answer.code) == (403, "meter_failed")


def test_a_killed_gate_finds_its_desks_again(own_rig: Rig) -> None:
    rig, desk = own_rig, own_rig.open_desk()
    assert rig.request("GET", STATUS).status == 200
    rig.stop(9)
    rig.start()
    assert rig.request("GET", STATUS).status == 200
    assert len(desk.asked) == 2


def test_activity_is_told_to_the_hub_once(rig: Rig, desk: Desk) -> None:
    rig.hub.activity.clear()
    assert rig.request("GET", STATUS).status == 200
    time.sleep(0.5)
    assert rig.hub.activity == []  # polling is no activity
    desk.answer = lambda _: reply(b"<html>", kind="text/html")
    for _ in range(3):
        assert rig.request("GET", "/user/ana/wages/lab").status == 200
    wait_for(lambda: rig.hub.activity)
    time.sleep(0.5)
    ((path, body, token),) = rig.hub.activity
    assert path == "/hub/api/users/ana/activity"
    assert set(body["servers"]) == {"wages"}
    assert token == "token server-token-s1"
