"""People of the office as programs: they sign in, open desks, run code in kernels, submit and vote.

All of it over HTTP and WebSocket through the proxy, as a browser does it, only faster.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from tests.e2e.conftest import PROJECT, Stack, docker, wait_for

PORTAL = "/services/portal"
DESK_PYTHON = "/opt/desk/bin/python"
_XSRF = re.compile(r'name="_xsrf"\s+value="([^"]+)"')
_FORM = re.compile(r'<form[^>]*action="([^"]*login[^"]*)"')


class Visitor:
    """A person signed in at the portal."""

    def __init__(self, stack: Stack, username: str) -> None:
        self.stack = stack
        self.username = username
        self.http = httpx.Client(
            base_url=stack.url,
            follow_redirects=True,
            timeout=60,
            headers={"Accept-Language": "fr", "Accept": "text/html"},
        )
        page = self.http.get(f"{PORTAL}/")
        token, action = _XSRF.search(page.text), _FORM.search(page.text)
        assert token is not None, page.text[:500]
        assert action is not None, page.text[:500]
        given = {"username": username, "password": stack.logins()[username], "_xsrf": token[1]}
        signed_in = self.http.post(html.unescape(action[1]), data=given)
        assert signed_in.url.path.startswith(PORTAL), f"{signed_in.status_code} {signed_in.url.path}"
        told = self.http.get(f"{PORTAL}/api/me")
        assert told.status_code == 200, told.text
        self._form_token = told.json()["form_token"]

    def get(self, path: str) -> httpx.Response:
        """A page or an API answer of the portal."""
        return self.http.get(f"{PORTAL}{path}")

    def post(self, path: str, body: object = None) -> httpx.Response:
        """A change asked of the portal's API."""
        headers = {"X-Vitrine-Form": self._form_token, "Origin": self.stack.url}
        return self.http.post(f"{PORTAL}/api{path}", json=body, headers=headers)

    def ask_for_desk(self, slug: str, seconds: float = 60) -> dict[str, Any]:
        """Ask for the desk and wait until it is open or has failed; what the portal says of it then."""
        told: dict[str, Any] = self.get(f"/api/projects/{slug}/desk").json()
        asked = self.post(f"/projects/{slug}/desk")
        assert asked.status_code == 202, asked.text
        # A desk that runs already stays the same session.
        after = "" if told["state"] == "running" else asked.json()["after"]

        def settled() -> bool:
            told.update(self.get(f"/api/projects/{slug}/desk?after={after}").json())
            return told["state"] in {"running", "ended"}

        wait_for(settled, seconds, f"desk of {slug}")
        return told

    def open_desk(self, slug: str) -> Desk:
        """Open the desk of a project and go there, through the gate's own sign-in."""
        told = self.ask_for_desk(slug)
        assert told["state"] == "running", told
        desk = Desk(self, slug, newest_session(self.stack, slug))
        page = desk.get("lab")
        assert page.status_code == 200, f"{page.status_code} {page.url}"
        return desk

    def create_project(self, document: str) -> None:
        """Provision a project from its document (admins)."""
        headers = {"X-Vitrine-Form": self._form_token, "Origin": self.stack.url}
        made = self.http.post(f"{PORTAL}/api/projects", content=document, headers=headers)
        assert made.status_code == 201, made.text

    def move_end(self, slug: str, ends_at: datetime) -> None:
        """Move a project's end (admins)."""
        moved = self.post(f"/projects/{slug}/move-end", {"ends_at": ends_at.isoformat()})
        assert moved.status_code == 200, moved.text

    def close(self) -> None:
        self.http.close()


@dataclass(frozen=True)
class Desk:
    """An open desk, as its researcher reaches it."""

    visitor: Visitor
    slug: str
    session: str

    @property
    def prefix(self) -> str:
        return f"/user/{self.visitor.username}/{self.slug}/"

    @property
    def run(self) -> Path:
        """The session's run directory on the host."""
        return self.visitor.stack.data / "run" / self.session

    def container(self) -> str:
        """Id of the desk's container, running or not; empty if there is none."""
        return docker("ps", "-aq", "--no-trunc", "--filter", f"label=vitrine.desk={self.session}").strip()

    def is_running(self) -> bool:
        return bool(docker("ps", "-q", "--filter", f"label=vitrine.desk={self.session}").strip())

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A request to the desk through the gate."""
        return self.visitor.http.get(self.prefix + path, headers=headers)

    def post(self, path: str, body: object = None) -> httpx.Response:
        """A change asked of the desk, with the gate's form token."""
        tokens = [
            c.value for c in self.visitor.http.cookies.jar if (c.name, c.path) == ("_xsrf", self.prefix)
        ]
        headers = {
            "X-XSRFToken": tokens[0] or "",
            "Accept": "application/json",
            "Origin": self.visitor.stack.url,
        }
        return self.visitor.http.post(self.prefix + path, json=body, headers=headers)

    def kernel(self) -> Kernel:
        """A new kernel in the desk, with an open channel."""
        made = self.post("api/kernels", {"name": "python3"})
        assert made.status_code == 201, f"{made.status_code} {made.text}"
        return Kernel(self, made.json()["id"])

    def inside(self, program: str, *arguments: str, check: bool = True, seconds: float = 60) -> str:
        """Run Python in the desk as its researcher; what it printed. Fails where it fails."""
        done = subprocess.run(
            ["docker", "exec", "-i", "-u", "1000", self.container(), DESK_PYTHON, "-", *arguments],
            input=program,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + ("" if check else done.stderr)

    def submit(self, name: str, content: str, note: str) -> subprocess.CompletedProcess[str]:
        """Write a file in the desk and submit it with the command `submit`."""
        self.inside("import sys; open(sys.argv[1], 'w').write(sys.argv[2])", name, content)
        inside = ["docker", "exec", "-u", "1000", self.container(), "submit", name, "--note", note]
        return subprocess.run(inside, capture_output=True, text=True, check=False, timeout=60)


class Kernel:
    """A kernel's channel through the gate, in a thread of its own that notes when each message came."""

    def __init__(self, desk: Desk, kernel_id: str) -> None:
        self.desk = desk
        self.id = kernel_id
        self.received: list[tuple[float, dict[str, Any]]] = []
        self.closed_at: float | None = None  # epoch seconds
        self._loop = asyncio.new_event_loop()
        self._opened = threading.Event()
        self._failure: Exception | None = None
        self._connection: WebSocketClientConnection | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._opened.wait(30), "the channel did not open"
        if self._failure is not None:
            raise self._failure

    def _listen(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._read())
        finally:
            self._loop.close()

    async def _read(self) -> None:
        http = self.desk.visitor.http
        path = f"{self.desk.prefix}api/kernels/{self.id}/channels"
        cookies = http.build_request("GET", path).headers.get("Cookie", "")
        url = f"ws{self.desk.visitor.stack.url.removeprefix('http')}{path}"
        headers = {"Cookie": cookies, "Origin": self.desk.visitor.stack.url}
        try:
            self._connection = await websocket_connect(HTTPRequest(url, headers=headers))
        except Exception as error:  # noqa: BLE001  # raised again in the test's own thread
            self._failure = error
            return
        finally:
            self._opened.set()
        while (text := await self._connection.read_message()) is not None:
            self.received.append((time.time(), json.loads(text)))
        self.closed_at = time.time()
        self._connection.close()

    def start(self, code: str) -> str:
        """Send code to run and do not wait; the request's id."""
        assert self._connection is not None
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": self.id,
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        sending = asyncio.run_coroutine_threadsafe(self._send(json.dumps(message)), self._loop)
        sending.result(10)
        return str(header["msg_id"])

    async def _send(self, text: str) -> None:
        assert self._connection is not None
        with contextlib.suppress(WebSocketClosedError):
            await self._connection.write_message(text)

    def answers(self, request: str) -> list[dict[str, Any]]:
        """What came in answer to a request so far."""
        return [m for _, m in list(self.received) if m["parent_header"].get("msg_id") == request]

    def run(self, code: str, seconds: float = 30) -> str:
        """Run code and answer what it printed; fails with its error."""
        request = self.start(code)

        def is_idle() -> bool:
            found = self.answers(request)
            kinds = {m["header"]["msg_type"] for m in found}
            states = {m["content"].get("execution_state") for m in found}
            return "execute_reply" in kinds and "idle" in states

        wait_for(is_idle, seconds, f"kernel: {code[:60]}")
        for message in self.answers(request):
            if message["header"]["msg_type"] == "error":
                pytest.fail("\n".join(message["content"]["traceback"]))
        streams = [m for m in self.answers(request) if m["header"]["msg_type"] == "stream"]
        return "".join(m["content"]["text"] for m in streams)

    def last_output_at(self) -> float:
        """Epoch seconds at which the newest output came."""
        return max((at for at, m in list(self.received) if m["header"]["msg_type"] == "stream"), default=0.0)

    def is_closed(self) -> bool:
        return not self._thread.is_alive()

    def close(self) -> None:
        """Close the channel; the kernel goes on."""
        if self._connection is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._connection.close)
        self._thread.join(10)


STREAM = "import time\nwhile True:\n    print('x' * 200, flush=True)\n    time.sleep(0.02)"


def newest_session(stack: Stack, slug: str) -> str:
    """Id of the session that was granted last in a project."""
    return query(
        stack, "select id from sessions where project = :'it' order by granted_at desc limit 1", slug
    )


def project_document(slug: str, columns: tuple[str, ...] = ("fips", "age_head", "e00200")) -> str:
    """A project of ana on the demo's source, for two days (JSON is YAML)."""
    now = datetime.now(UTC)
    document = {
        "slug": slug,
        "title": f"Projet {slug}",
        "purpose": "Essai",
        "kind": "open-data",
        "tier": "open",
        "starts_at": (now - timedelta(minutes=1)).isoformat(),
        "ends_at": (now + timedelta(days=2)).isoformat(),
        "people": ["ana"],
        "extract": {"source": "cps", "columns": list(columns)},
    }
    return json.dumps(document)


def make_projects(bob: Visitor, *slugs: str) -> None:
    """Projects that bob provisions, their data sealed."""
    for slug in slugs:
        bob.create_project(project_document(slug))
    for slug in slugs:
        wait_for(lambda s=slug: extract_state(bob.stack, s) == "SEALED", 120, f"extract of {slug}")  # type: ignore[misc]


def extract_state(stack: Stack, slug: str) -> str:
    """State of the newest extract of a project, from the database itself."""
    return query(
        stack, "select state from extracts where project = :'it' order by version desc limit 1", slug
    )


def query(stack: Stack, sql: str, it: str = "") -> str:
    """One value out of the database, asked inside its container; `it` stands for :'it' in the statement."""
    psql = ("psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "vitrine", "-qtA", "-v", f"it={it}")
    done = subprocess.run(
        ["docker", "exec", "-i", stack.container("db"), *psql],
        input=sql,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def attempt(desk: Desk, program: str, *arguments: str) -> str:
    """Run lines in the desk that must fail; the name of the error that stopped them, or 'SUCCESS'."""
    lines = "".join(f"    {line}\n" for line in program.splitlines())
    wrapped = f"""
import ctypes, errno, os, shutil, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def must(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
try:
{lines}
    print("SUCCESS")
except socket.gaierror:
    print("NO_NAME")
except TimeoutError:
    print("TIMEOUT")
except OSError as error:
    print(errno.errorcode[error.errno])
"""
    return desk.inside(wrapped, *arguments).strip()


@contextlib.contextmanager
def signed_in(stack: Stack, *usernames: str) -> Iterator[list[Visitor]]:
    """People who have signed in."""
    with contextlib.ExitStack() as closing:
        visitors = [Visitor(stack, username) for username in usernames]
        for visitor in visitors:
            closing.callback(visitor.close)
        yield visitors


def revive(stack: Stack) -> None:
    """Start every service that is down, the hub last: it waits for a portal that does not answer."""
    label = f"label=com.docker.compose.project={PROJECT}"
    named = '{{.Label "com.docker.compose.service"}}'
    down = docker("ps", "-a", "--filter", label, "--filter", "status=exited", "--format", named).split()
    stack.start(*[service for service in down if service != "hub"])
    if "hub" in down:
        stack.start("hub")


def in_seconds(seconds: float) -> datetime:
    """A moment from now, on a whole second (a desk's deadline has no fractions)."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
