"""Uploads over a real socket: cut off halfway, refused early, and the sender that reads the answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from tests import factories
from tests.integration.portal.stage import FORM, GATE_TOKEN, TABLE, Stage, parts

HEADERS = {"authorization": f"Bearer {GATE_TOKEN}", "accept-language": "en"}


@pytest.fixture
def port(stage: Stage) -> Iterator[int]:
    """The portal on a socket."""
    config = uvicorn.Config(stage.app, host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def kept(stage: Stage) -> list[str]:
    """Every file of the vault, staging included."""
    return [path.name for path in (stage.folder / "vault").rglob("*") if path.is_file()]


def request_of(session: str, length: int | None) -> bytes:
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return (
        f"POST /internal/sessions/{session}/submissions HTTP/1.1\r\nhost: portal\r\n"
        f"authorization: Bearer {GATE_TOKEN}\r\n"
        f"content-type: multipart/form-data; boundary=b\r\n{size}\r\n\r\n"
    ).encode()


BEGINNING = (
    b'--b\r\nContent-Disposition: form-data; name="form"\r\n\r\n'
    + json.dumps(FORM).encode()
    + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    + b"group,n\n" * 5_000
)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_cut_leaves_nothing(stage: Stage, port: int, chunked: bool) -> None:
    session = factories.open_session(stage.office).session.id
    earlier = stage.submit(session, ("earlier.csv", TABLE.encode()))
    before = kept(stage)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_of(session, None if chunked else 1_000_000))
        chunk = f"{len(BEGINNING):x}\r\n".encode() + BEGINNING + b"\r\n" if chunked else BEGINNING
        connection.sendall(chunk)
        deadline = time.monotonic() + 20
        while len(kept(stage)) == len(before):  # it has begun to arrive …
            assert time.monotonic() < deadline
            time.sleep(0.02)
    while kept(stage) != before:  # … and is gone once the sender is
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with stage.office.units.read() as unit:
        assert [s.id for s in unit.submissions.find()] == [earlier]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("data.parquet", b"x" * 8_000_000)], "unlisted_type"),
        ([("a.csv", b"x" * 20_000_000)], "too_large"),
        ([(f"f{n}.csv", b"1") for n in range(10_000)], "too_many_files"),
    ],
)
def test_a_sender_reads_why_a_large_upload_was_refused(
    stage: Stage, port: int, files: list[tuple[str, bytes]], code: str
) -> None:
    session = factories.open_session(stage.office).session.id
    answer = httpx.post(
        f"http://127.0.0.1:{port}/internal/sessions/{session}/submissions",
        files=parts(FORM, *files),
        headers=HEADERS,
        timeout=60,
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert kept(stage) == []


def send_until_refused(connection: socket.socket, piece: bytes, *, most: int) -> int:
    """How many pieces went out before the portal hung up."""
    for sent in range(most):
        try:
            connection.sendall(piece)
        except OSError:
            return sent
    return most


def test_an_upload_without_end_is_not_read_forever(stage: Stage, port: int) -> None:
    session = factories.open_session(stage.office).session.id
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request_of(session, None))
        chunk = f"{len(BEGINNING):x}\r\n".encode() + BEGINNING + b"\r\n"
        connection.sendall(chunk)
        piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        sent = send_until_refused(connection, piece, most=200)
    assert sent < 100
    assert kept(stage) == []
