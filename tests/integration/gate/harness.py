"""A real gate process between a real client and servers the tests control: Hub API, desk, portal.

As root (as in CI) the gate runs as uid 990 and the desk's sockets belong to uid 1000, as in production;
otherwise everything belongs to whoever runs the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tornado.web import create_signed_value

from hub.gate.config import GateSettings

ROOT = Path(__file__).resolve().parents[3]
AS_ROOT = os.geteuid() == 0
GATE_UID = 990 if AS_ROOT else os.geteuid()
DESK_UID = 1000 if AS_ROOT else os.geteuid()

# Modules the gate would load later, when it is no longer allowed to read a checkout of root's.
_PROGRAM = """
import asyncio.unix_events, concurrent.futures.thread, encodings.idna, json, os, sys
import aiohttp, tornado.simple_httpclient, tornado.platform.asyncio, tornado.netutil
from pathlib import Path
from hub.gate.app import GateSettings, serve
given = json.loads(sys.argv[1])
uid = given.pop("uid")
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
for name in ("sessions", "run", "meters"):
    given[name] = Path(given[name])
serve(GateSettings(**given))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until `condition()` is true; AssertionError after `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def _removed(folder: Path) -> bool:
    """Remove a folder into which another process may still be writing; False where it must be tried again."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests read assertions, not access logs."""

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Cut connections are what many tests are about."""


class HubApi:
    """The two calls of the Hub's API that the gate makes: who owns a token, and activity."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.activity: list[tuple[str, dict[str, Any], str]] = []
        api = self

        class Handler(_Quiet):
            def do_GET(self) -> None:
                api.asked += 1
                token = self.headers.get("Authorization", "").removeprefix("token ")
                model = api.users.get(token)
                self.answer(200, model) if model else self.answer(403, {"message": "Forbidden"})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.activity.append((self.path, body, self.headers["Authorization"]))
                self.answer(200, {})

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hub/api"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Upload:
    """What the portal saw of one call."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    complete: bool = False


class PortalApi:
    """The portal's internal API as far as the gate sees it: it records what arrives, piece by piece."""

    def __init__(self) -> None:
        self.calls: list[Upload] = []
        self.reply: tuple[int, object] = (200, {"submissions": []})
        portal = self

        class Handler(_Quiet):
            def do_GET(self) -> None:
                call = Upload(self.command, self.path, dict(self.headers))
                portal.calls.append(call)
                with contextlib.suppress(OSError):
                    for piece in self._pieces():
                        call.body += piece
                    call.complete = self._whole
                    self.answer(*portal.reply)

            do_POST = do_GET  # noqa: N815 - http.server's name

            def _pieces(self) -> Iterator[bytes]:
                self._whole = False
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline().strip() or b"-1", 16):
                        if size < 0:
                            return
                        yield self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    self._whole = True
                    return
                left = int(self.headers.get("Content-Length", "0"))
                while left:
                    piece = self.rfile.read1(min(left, 65536))
                    if not piece:
                        return
                    left -= len(piece)
                    yield piece
                self._whole = True

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Asked:
    """A request as the desk saw it."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: socket.socket


Answer = Callable[[Asked], bytes | None]


def reply(
    body: bytes = b"{}", status: str = "200 OK", kind: str | None = "application/json", *more: str
) -> bytes:
    """A complete HTTP reply; `more` are raw header lines."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    return ("\r\n".join([*lines, *more]) + "\r\n\r\n").encode() + body


class Desk:
    """A desk's server that answers whatever the test wants, byte by byte: a hostile one."""

    def __init__(self, path: Path, answer: Answer | None = None, uid: int = DESK_UID) -> None:
        self.asked: list[Asked] = []
        self.answer: Answer = answer or (lambda _: reply())
        self.cut_uploads = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        if AS_ROOT:
            os.chown(path, uid, uid)
        path.chmod(0o666)
        self._socket.listen(64)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._answer_all(connection)
            connection.shutdown(socket.SHUT_RDWR)

    def _answer_all(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as reader:
            while (first := reader.readline()) and first != b"\r\n":
                headers: dict[str, str] = {}
                while (line := reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.strip().lower()] = value.strip()
                length = int(headers.get("content-length", "0"))
                body = reader.read(length)
                if len(body) < length:
                    self.cut_uploads += 1
                    return
                asked = Asked(first.decode("latin-1").strip(), headers, body, connection)
                self.asked.append(asked)
                answer = self.answer(asked)
                if answer is None:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        """As when the desk's processes are killed: nothing listens and every connection ends."""
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The refusal's code."""
        return str(json.loads(self.body)["error"]["code"])


class Rig:
    """Folders, a Hub API, a portal, desks, and a gate process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gate-"))
        self.folder.chmod(0o755)
        self.hub, self.portal = HubApi(), PortalApi()
        self.port = free_port()
        self.settings = GateSettings(
            sessions=self.folder / "sessions",
            run=self.folder / "run",
            meters=self.folder / "meters",
            hub_api_url=self.hub.url,
            portal_url=self.portal.url,
            gate_token="gate-token-of-this-test",
            public_url=f"http://127.0.0.1:{self.port}",
            bind="127.0.0.1",
            port=self.port,
            desk_uid=DESK_UID,
        )
        for path in (self.settings.sessions, self.settings.run, self.settings.meters):
            path.mkdir()
            self._give(path)
        self.process: subprocess.Popen[bytes] | None = None
        self.desks: list[Desk] = []
        self.log_start = 0

    def _give(self, path: Path) -> None:
        if AS_ROOT:
            os.chown(path, GATE_UID, GATE_UID)

    def start(self) -> None:
        """Start the gate and wait until it answers."""
        given = {name: str(getattr(self.settings, name)) for name in ("sessions", "run", "meters")}
        rest = ("hub_api_url", "portal_url", "gate_token", "public_url", "bind", "port", "desk_uid")
        given |= {name: getattr(self.settings, name) for name in rest} | {"uid": GATE_UID}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error::ResourceWarning", "-c", _PROGRAM, json.dumps(given)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        wait_for(self._healthy, 20)

    def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return self.request("GET", "/health", cookie=None).status == 200
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None

    def close(self) -> None:
        self.stop()
        for desk in self.desks:
            desk.close()
        self.hub.close()
        self.portal.close()
        shutil.rmtree(self.folder)

    def reset(self) -> None:
        """No session, no desk: what a test finds when it starts with a gate that others have used."""
        for desk in self.desks:
            desk.close()
        self.desks.clear()
        for path in self.settings.sessions.iterdir():
            path.unlink()
        wait_for(lambda: not list(self.settings.run.glob("*/submit.sock")))
        for folder in (self.settings.run, self.settings.meters):
            # A gate that saw the session just before it was removed may be binding its socket meanwhile.
            wait_for(partial(_removed, folder))
            folder.mkdir()
            self._give(folder)
        self.hub.users.clear()
        self.portal.calls.clear()
        self.portal.reply = (200, {"submissions": []})
        self.log_start = (self.folder / "log").stat().st_size

    def log(self) -> str:
        return (self.folder / "log").read_bytes()[self.log_start :].decode()

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def write_session(
        self, sid: str = "s1", username: str = "ana", project: str = "wages", **changes: object
    ) -> str:
        """Write a session file and make the run directory; returns the prefix."""
        prefix = f"/user/{username}/{project}/"
        content: dict[str, object] = {
            "version": 1,
            "session": sid,
            "username": username,
            "person": username.title(),
            "project": project,
            "title": "Wages",
            "tier": "open",
            "prefix": prefix,
            "ends_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            "state": "OPEN",
            "reason": None,
            "bytes_out_limit": 500_000_000,
            "hub_env": {
                "JUPYTERHUB_API_TOKEN": f"server-token-{sid}",
                "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{username}-{project}",
                "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps(
                    [f"access:servers!server={username}/{project}", f"access:servers!user={username}"]
                ),
                "JUPYTERHUB_SERVICE_PREFIX": prefix,
                "JUPYTERHUB_USER": username,
                "JUPYTERHUB_SERVER_NAME": project,
            },
        }
        content.update(changes)
        folder = self.settings.run / sid
        if not folder.exists():
            folder.mkdir()
            self._give(folder)
            folder.chmod(0o1777)
        aside = self.settings.sessions / f".{sid}.aside"
        aside.write_text(json.dumps(content))
        aside.replace(self.settings.sessions / f"{sid}.json")
        self.sign_in(username, project)
        return prefix

    def sign_in(self, username: str, project: str) -> str:
        """The Hub knows a token of this person for this server; returns the token."""
        token = f"token-of-{username}"
        scope = f"access:servers!server={username}/{project}"
        known = self.hub.users.setdefault(
            token, {"name": username, "kind": "user", "groups": [], "scopes": []}
        )
        known["scopes"].append(scope)
        return token

    def cookie(self, username: str = "ana", project: str = "wages", token: str | None = None) -> str:
        """The cookie a browser holds after the sign-in."""
        name = f"jupyterhub-user-{username}-{project}"
        signed = create_signed_value(
            self.settings.cookie_secret(), name, token or f"token-of-{username}", version=2
        )
        return f"{name}={signed.decode()}; jupyterhub-session-id=abc"

    def open_desk(self, sid: str = "s1", answer: Answer | None = None) -> Desk:
        desk = Desk(self.settings.run / sid / "lab.sock", answer)
        self.desks.append(desk)
        return desk

    def request(
        self,
        method: str,
        path: str,
        *,
        cookie: str | None = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 20,
    ) -> Reply:
        """One request to the gate. `cookie`: '' for ana's on wages, None for none."""
        sent = dict(headers or {})
        if cookie is not None:
            sent.setdefault("Cookie", cookie or self.cookie())
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=sent)
            response: HTTPResponse = connection.getresponse()
            cookies = response.headers.get_all("Set-Cookie") or []
            return Reply(response.status, dict(response.headers), response.read(), cookies)
        finally:
            connection.close()

    def xsrf(self, path: str = "/user/ana/wages/lab") -> dict[str, str]:
        """Headers that pass the XSRF check, from a page as a browser gets it."""
        page = self.request("GET", path)
        token = next(c.split(";")[0].partition("=")[2] for c in page.cookies if c.startswith("_xsrf="))
        return {"Cookie": f"{self.cookie()}; _xsrf={token}", "X-XSRFToken": token}

    def raw(self, data: bytes, seconds: float = 10) -> bytes:
        """Send bytes to the gate as they are and read until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    received += piece
            return received
