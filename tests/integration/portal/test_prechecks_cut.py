"""Prechecks over a real socket: senders that leave, children that die, and many at once."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from hub.portal import internal
from tests import factories
from tests.integration.portal.stage import FORM, GATE_TOKEN, TABLE, Stage, make_stage, parts

HEADERS = {"authorization": f"Bearer {GATE_TOKEN}", "accept-language": "en"}
HEAD = (
    "POST /internal/sessions/{session}/prechecks HTTP/1.1\r\nhost: portal\r\n"
    f"authorization: Bearer {GATE_TOKEN}\r\n"
    "content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n"
)
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="form"\r\n\r\n'
    + json.dumps(FORM).encode()
    + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    + TABLE.encode()
    + b"\r\n--b--\r\n"
)


@dataclasses.dataclass
class House:
    """A portal on a socket, and a desk of ana and of rosa."""

    stage: Stage
    address: str
    ana: str
    rosa: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def ask(self, session: str, what: str = "prechecks", content: bytes = TABLE.encode()) -> httpx.Response:
        url = f"{self.address}/internal/sessions/{session}/{what}"
        return httpx.post(url, files=parts(FORM, ("a.csv", content)), headers=HEADERS, timeout=120)

    def noted(self) -> int:
        """How many prechecks are in the audit chain."""
        with self.stage.office.units.read() as unit:
            return sum(entry.action == "output.prechecked" for entry in unit.events())

    def staged(self) -> list[str]:
        return [path.name for path in (self.stage.folder / "vault" / "staging").rglob("*")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    stage = make_stage(tmp_path_factory.mktemp("portal"))
    config = uvicorn.Config(stage.app, host="127.0.0.1", port=0, log_level="info", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    sessions = [
        factories.open_session(stage.office, slug, who).session.id
        for slug, who in (("wages", "ana"), ("health", "rosa"))
    ]
    yield House(stage, f"http://127.0.0.1:{port}", *sessions)
    server.should_exit = True
    thread.join(20)


@pytest.fixture(autouse=True)
def _nothing_unhandled(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No error is logged and no traceback printed, whatever a sender or a child does."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err


def until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("sent", [0.0, 0.5, 1.0])
def test_a_sender_that_leaves_is_no_error(house: House, sent: float) -> None:
    """Before the body, in the middle of it, and while the answer is made."""
    before = house.noted()
    with socket.create_connection(("127.0.0.1", house.port)) as connection:
        connection.sendall(HEAD.format(session=house.ana, length=len(BODY)).encode())
        connection.sendall(BODY[: int(sent * len(BODY))])
        until(lambda: house.staged() != [])
    until(lambda: house.staged() == [])
    assert house.noted() - before == (1 if sent == 1.0 else 0)
    assert house.ask(house.ana).status_code == 200


def children() -> list[int]:
    """Checking processes of this process."""
    found = []
    for path in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for number in path.read_text().split():
            line = Path(f"/proc/{number}/cmdline")
            if line.exists() and b"hub.checks" in line.read_bytes():
                found.append(int(number))
    return found


def test_a_child_that_dies_says_nothing_and_is_no_error(house: House) -> None:
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(house.ask(house.ana)))
    asking.start()
    until(children)
    for number in children():
        os.kill(number, signal.SIGKILL)
    asking.join(120)
    (answer,) = answers
    assert answer.status_code == 200
    assert answer.json()["files"][0]["findings"] == []


def test_a_flood_of_prechecks_does_not_starve_a_submission(house: House) -> None:
    """Prechecks of one desk beyond a few are refused; those that wait stand behind each other, not before
    a submission."""
    assert internal.PRECHECKS_AT_ONCE < internal.CHECKS_AT_ONCE
    before = house.noted()
    done: list[tuple[str, int]] = []

    def ask(session: str, what: str, content: bytes) -> None:
        done.append((what, house.ask(session, what, content).status_code))

    def start(session: str, what: str, content: bytes) -> threading.Thread:
        thread = threading.Thread(target=ask, args=(session, what, content))
        thread.start()
        return thread

    many = 2 * internal.PRECHECKS_OF_A_DESK
    flood = [start(house.ana, "prechecks", TABLE.encode()) for _ in range(many)]
    until(lambda: len(done) >= many - internal.PRECHECKS_OF_A_DESK)
    submission = start(house.rosa, "submissions", f"{TABLE}65+,40,3.0\n".encode())
    for thread in (*flood, submission):
        thread.join(240)
    codes = [code for what, code in done if what == "prechecks"]
    assert codes.count(200) == internal.PRECHECKS_OF_A_DESK == house.noted() - before
    assert codes.count(409) == many - internal.PRECHECKS_OF_A_DESK
    assert ("submissions", 201) in done
    assert house.ask(house.ana).status_code == 200
