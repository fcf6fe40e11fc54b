"""The end holds without us: each layer alone, the others killed; suspensions close at once."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from hub.spawner import sockets
from tests.desks.containers import Container
from tests.e2e.conftest import Stack, docker, wait_for
from tests.e2e.desks import (
    STREAM,
    Desk,
    Kernel,
    Visitor,
    in_seconds,
    make_projects,
    newest_session,
    revive,
    signed_in,
)

pytestmark = pytest.mark.containers

AT_ONCE = 1.0  # seconds the gate may take
SOON = 10.0  # seconds the sweeper may take
GRACE = 5.0  # seconds a desk's processes may take to die after their deadline


@pytest.fixture(scope="module")
def people(stack: Stack) -> Iterator[dict[str, Visitor]]:
    with signed_in(stack, "ana", "bob") as (ana, bob):
        make_projects(bob, "end-gate", "end-hub", "end-sweeper", "end-desk", "end-early")
        yield {"ana": ana, "bob": bob}


@pytest.fixture
def ana(people: dict[str, Visitor]) -> Visitor:
    return people["ana"]


@pytest.fixture
def bob(people: dict[str, Visitor]) -> Visitor:
    return people["bob"]


@pytest.fixture(autouse=True)
def everything_back(stack: Stack) -> Iterator[None]:
    """Whatever a test killed runs again afterwards."""
    yield
    revive(stack)


class TirelessDesk:
    """A server at `lab.sock` that no deadline ends: the worst a desk could be."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        class Status(RequestHandler):
            def get(self) -> None:
                self.finish({"started": "tireless"})

        class Channel(WebSocketHandler):
            async def open(self, *_: str) -> None:
                message = {"header": {"msg_type": "stream"}, "parent_header": {}, "content": {"text": "x"}}
                try:
                    while True:
                        await self.write_message(message)
                        await asyncio.sleep(0.02)
                except WebSocketClosedError:
                    return

            def check_origin(self, origin: str) -> bool:
                return True

        prefix = self._desk.prefix
        server = HTTPServer(
            Application([(f"{prefix}api/status", Status), (f"{prefix}api/kernels/.*/channels", Channel)])
        )
        aside, name = self._desk.run / "tireless.sock", self._desk.run / "lab.sock"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(aside))
        listening.listen(64)
        listening.setblocking(False)
        os.chown(aside, 1000, 1000)
        aside.chmod(0o666)
        aside.rename(name)
        server.add_socket(listening)
        self._listening.set()
        await self._stopped.wait()
        server.stop()
        await server.close_all_connections()

    def __enter__(self) -> TirelessDesk:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)


def last_success(ask: Callable[[], httpx.Response], until: float) -> float:
    """Ask again and again until a moment (epoch seconds); when the last whole 200 had arrived."""
    last = 0.0
    while time.time() < until:
        try:
            if ask().status_code == 200:
                last = time.time()
        except httpx.HTTPError:
            continue
        time.sleep(0.02)
    return last


def reason_of(page: httpx.Response, slug: str) -> str | None:
    """Why the project's desk is closed, as the person's page says it (its stable code)."""
    start = page.text.find('data-testid="closed-reason"')
    if start < 0:
        return None
    return page.text[start:].split('data-reason="', 1)[1].split('"', 1)[0]


def test_the_gate_alone_lets_no_byte_pass_after_the_end(stack: Stack, ana: Visitor, bob: Visitor) -> None:
    """Hub, sweeper and portal are dead, and the desk itself goes on."""
    desk = ana.open_desk("end-gate")
    real = desk.kernel()
    real.start(STREAM)
    with TirelessDesk(desk):
        tireless = Kernel(desk, str(uuid.uuid4()))
        ends_at = in_seconds(9)
        bob.move_end("end-gate", ends_at)
        stack.kill("hub", "sweeper", "portal")
        end = ends_at.timestamp()
        assert time.time() < end - 1, "killing took too long for this test to tell anything"

        last = last_success(lambda: desk.get("api/status"), end + 2.5)

        assert sockets.answers(desk.run / "lab.sock", desk.prefix), "the desk should have gone on"
        assert end - 1 < last <= end + AT_ONCE
        assert tireless.is_closed()
        assert real.is_closed()
        assert end - 1 < tireless.last_output_at() <= end + AT_ONCE
        assert end - 3 < real.last_output_at() <= end + AT_ONCE
        assert tireless.closed_at is not None
        assert tireless.closed_at <= end + AT_ONCE
        page, told = desk.get("lab"), desk.get("api/status", Accept="application/json")
    assert page.status_code == told.status_code == 403
    assert "Le temps accordé à ce bureau est écoulé" in page.text
    assert told.json()["error"]["code"] == "time_over"


def ask_the_hub(stack: Stack, method: str, path: str, token: str) -> httpx.Response:
    """A call of the Hub's own API about ana with a service's token."""
    secret = (stack.data / "secrets" / token).read_text().strip()
    headers = {"Authorization": f"token {secret}"}
    return httpx.request(method, f"{stack.url}/hub/api/users/ana{path}", headers=headers, timeout=30)


def test_the_hub_alone_refuses_a_desk_after_the_end(stack: Stack, ana: Visitor, bob: Visitor) -> None:
    """The sweeper is dead, so the records still call the project active: the clock decides, not they."""
    assert reason_of(ana.get("/projects/end-hub"), "end-hub") is None
    stack.kill("sweeper")
    ends_at = in_seconds(2)
    bob.move_end("end-hub", ends_at)
    time.sleep(ends_at.timestamp() - time.time() + 0.1)

    assert bob.get("/api/projects/end-hub").json()["state"] == "ACTIVE"
    ask_the_hub(stack, "POST", "/servers/end-hub", "portal.token")  # past the portal's own refusal
    progress = ask_the_hub(stack, "GET", "/servers/end-hub/progress", "portal.token")
    told = json.loads(progress.text.split("data: ")[-1])
    assert told["failed"]
    assert "Ce projet est terminé ; l’accès à ses données est coupé." in told["message"]
    assert "end-hub" not in servers(stack)
    assert newest_session(stack, "end-hub") == ""
    asked = ana.post("/projects/end-hub/desk")
    assert (asked.status_code, asked.json()["error"]["code"]) == (403, "project_ended")
    for page in ("/", "/projects/end-hub"):
        assert "project_ended" in ana.get(page).text
    assert reason_of(ana.get("/projects/end-hub"), "end-hub") == "project_ended"
    assert 'data-reason="project_ended"' in ana.get("/projects/end-hub/desk").text
    assert docker("ps", "-aq", "--filter", "label=vitrine.project=end-hub").strip() == ""


def servers(stack: Stack) -> dict[str, Any]:
    """Ana's servers, as the Hub lists them."""
    answer = ask_the_hub(stack, "GET", "", "sweeper.token")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["servers"]
    return found


def test_the_sweeper_alone_stops_the_server(stack: Stack, ana: Visitor, bob: Visitor) -> None:
    """Gate and portal are dead, and the desk is frozen so that its own deadline does nothing."""
    desk = ana.open_desk("end-sweeper")
    container = desk.container()
    ends_at = in_seconds(5)
    bob.move_end("end-sweeper", ends_at)
    stack.kill("gate", "portal")
    docker("pause", container)
    assert time.time() < ends_at.timestamp()
    assert "end-sweeper" in servers(stack)

    time.sleep(ends_at.timestamp() - time.time())
    wait_for(lambda: not desk.container(), SOON, "the container is gone")
    assert time.time() <= ends_at.timestamp() + SOON
    wait_for(lambda: "end-sweeper" not in servers(stack), 5, "the Hub has let go of it")
    stack.start("portal")
    ended = [
        e
        for e in stack.audit()
        if e["object"] == f"session:{desk.session}" and e["action"] == "session.ended"
    ]
    assert [e["details"]["reason"] for e in ended] == ["project_ended"]  # type: ignore[index]  # JSON


STUBBORN = """
import os, signal, sys, time
if os.fork():
    os.wait()
else:
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(0, 100)
    while True:
        with open("/home/researcher/beat", "w") as beat:
            beat.write(str(time.time()))
        time.sleep(0.05)
"""


def test_the_desk_alone_ends_at_its_deadline(stack: Stack, ana: Visitor, bob: Visitor) -> None:
    """Hub, gate, sweeper and portal are dead; a detached process in the desk ignores every polite signal."""
    ends_at = in_seconds(25)
    bob.move_end("end-desk", ends_at)
    desk = ana.open_desk("end-desk")
    desk.kernel().run(f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {STUBBORN!r}])")
    beat = stack.data / "homes" / "ana" / "end-desk" / "beat"
    wait_for(beat.exists, 10, "the detached process runs")
    container = Container(desk.container(), int(ends_at.timestamp()))
    stack.kill("hub", "gate", "sweeper", "portal")
    end = ends_at.timestamp()
    time.sleep(max(0.0, end - 1 - time.time()))
    assert desk.is_running()
    assert len(container.survivors()) > 2
    assert time.time() - last_beat(beat) < 1

    wait_for(lambda: not desk.is_running(), end + GRACE - time.time(), "the desk's first process ends")
    assert container.survivors() == []
    assert container.finished_at() >= end - 0.1
    silent_since = last_beat(beat)
    time.sleep(0.5)
    assert last_beat(beat) == silent_since <= end + GRACE
    assert container.state()["ExitCode"] == 124


def last_beat(beat: Path) -> float:
    return beat.stat().st_mtime


def suspend_project(stack: Stack, bob: Visitor) -> datetime:
    assert bob.post("/projects/end-early/suspend").status_code == 200
    return in_seconds(1)


def suspend_person(stack: Stack, bob: Visitor) -> datetime:
    done = stack.vitrine("person", "suspend", "ana", "--as", "bob")
    assert done.returncode == 0, done.stderr
    return in_seconds(1)


def move_nearer(stack: Stack, bob: Visitor) -> datetime:
    ends_at = in_seconds(3)
    bob.move_end("end-early", ends_at)
    return ends_at


def resume_project(stack: Stack, bob: Visitor) -> None:
    assert bob.post("/projects/end-early/resume").status_code == 200


def readmit_person(stack: Stack, bob: Visitor) -> None:
    done = stack.vitrine("person", "readmit", "ana", "--as", "bob")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("close", "reason", "gate_codes", "reopen"),
    [
        (suspend_project, "project_suspended", {"project_suspended"}, resume_project),
        (suspend_person, "person_suspended", {"person_suspended"}, readmit_person),
        (move_nearer, "project_ended", {"time_over", "project_ended"}, None),
    ],
)
def test_whatever_closes_a_desk_closes_it_at_once(
    stack: Stack,
    ana: Visitor,
    bob: Visitor,
    close: Callable[[Stack, Visitor], datetime],
    reason: str,
    gate_codes: set[str],
    reopen: Callable[[Stack, Visitor], None] | None,
) -> None:
    """The gate within a second, the desk within ten; the person reads why, and may be let in again."""
    desk = ana.open_desk("end-early")
    channel = desk.kernel()
    request = channel.start(STREAM)
    wait_for(lambda: channel.answers(request), 10, "output")
    due = close(stack, bob).timestamp()
    if reason == "project_ended":
        time.sleep(max(0.0, due - time.time()))

    wait_for(channel.is_closed, AT_ONCE, "the channel is cut")
    assert channel.last_output_at() <= due + AT_ONCE
    told = desk.get("api/status", Accept="application/json")
    assert told.status_code in {403, 404, 424}, "the gate's refusal, or the Hub's once the server is gone"
    if told.status_code == 403:
        assert told.json()["error"]["code"] in gate_codes
    wait_for(lambda: not desk.is_running(), SOON, "the desk is gone")

    for page in ("/", "/projects/end-early"):
        assert reason in ana.get(page).text
    asked = ana.post("/projects/end-early/desk")
    assert (asked.status_code, asked.json()["error"]["code"]) == (403, reason)
    if reopen is not None:
        reopen(stack, bob)
        wait_for(lambda: not desk.container(), SOON, "the Hub has let go of the old one")
        assert ana.open_desk("end-early").session != desk.session
