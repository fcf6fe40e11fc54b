"""A whole desk, started as the hub starts it, and what a browser asks of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.netutil import Resolver
from tornado.websocket import websocket_connect

from tests.desks.containers import IMAGE, Container, docker

BASE = "/user/ana/wages/"
START = "/usr/local/bin/start-desk"


class _UnixResolver(Resolver):
    """Every name is the desk's socket."""

    def initialize(self, path: str) -> None:
        self.path = path

    async def resolve(self, host: str, port: int, family: int = 0) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, self.path)]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Desk:
    """A running desk: its container and the folders behind its mounts."""

    container: Container
    folder: Path

    @property
    def lab_socket(self) -> str:
        return str(self.folder / "run" / "lab.sock")

    def ask(self, path: str, body: object = None, method: str = "", base: str = BASE) -> Answer:
        """One request on lab.sock; a body makes it a POST."""
        raw = None if body is None else json.dumps(body).encode()

        async def fetch() -> Answer:
            client = AsyncHTTPClient(force_instance=True, resolver=_UnixResolver(path=self.lab_socket))
            request = HTTPRequest(
                f"http://desk{base}{path}",
                method or ("GET" if raw is None else "POST"),
                {"Content-Type": "application/json", "Origin": "https://vitrine.example.org"},
                raw,
                allow_nonstandard_methods=True,
                follow_redirects=False,
                request_timeout=30,
            )
            response = await client.fetch(request, raise_error=False)
            if response.code == 599:  # tornado's own: no connection
                raise OSError(str(response.error))
            return Answer(response.code, dict(response.headers), response.body)

        return asyncio.run(fetch())

    def run(self, code: str, language: str = "python3") -> str:
        """What a notebook cell prints, through the kernel's WebSocket, as the browser runs it."""
        kernel = self.ask("api/kernels", {"name": language}).json()["id"]
        printed: str = asyncio.run(self._execute(kernel, code))
        assert self.ask(f"api/kernels/{kernel}", method="DELETE").status == 204
        return printed

    async def _execute(self, kernel: str, code: str) -> str:
        url = f"ws://desk{BASE}api/kernels/{kernel}/channels"
        request = HTTPRequest(url, headers={"Origin": "https://vitrine.example.org"})
        resolver = _UnixResolver(path=self.lab_socket)
        connection = await websocket_connect(request, resolver=resolver)
        header = {
            "msg_id": uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid4().hex,
        }
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {"header": {**header, "version": "5.3"}, "parent_header": {}, "metadata": {}}
        await connection.write_message(json.dumps({**message, "channel": "shell", "content": content}))
        printed = ""
        while True:
            raw = await asyncio.wait_for(connection.read_message(), 60)
            assert raw is not None, "the kernel's connection was closed"
            reply = json.loads(raw)
            if reply["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if reply["msg_type"] == "stream":
                printed += reply["content"]["text"]
            elif reply["msg_type"] == "error":
                pytest.fail("\n".join(reply["content"]["traceback"]))
            elif reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                break
        connection.close()
        while await connection.read_message() is not None:
            pass  # until the other side has closed too
        return printed


def empty_folders() -> Path:
    """A data directory's part of one desk. World-writable, as the tests may not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="vitrine-desk-"))
    for name, mode in {"run": 0o1777, "home": 0o777, "shared": 0o777, "data": 0o777}.items():
        (folder / name).mkdir()
        (folder / name).chmod(mode)
    folder.chmod(0o755)
    return folder


def start_desk(folder: Path, *options: str) -> Desk:
    """As the spawner does it, and waited for: status answers on the socket."""
    mounts = (
        f"--volume={folder}/data:/data:ro",
        f"--volume={folder}/home:/home/researcher",
        f"--volume={folder}/shared:/shared",
        f"--volume={folder}/run:/run/desk",
    )
    limits = ("--memory=2g", "--memory-swap=2g", "--cpus=2", "--hostname=desk", "--ipc=private")
    named = (f"--env=VITRINE_BASE_URL={BASE}", "--env=VITRINE_PROJECT=wages")
    container = Container.start(900, [START], *mounts, *limits, *named, *options, ends_at=True)
    desk = Desk(container, folder)
    end = time.monotonic() + 60
    while True:
        try:
            if desk.ask("api/status").status == 200:
                return desk
        except OSError:
            assert time.monotonic() < end, container.output()
            time.sleep(0.05)


def remove(desk: Desk) -> None:
    """Also what the researcher made, which belongs to uid 1000."""
    desk.container.remove()
    sweep = ["find", "/desk/home", "/desk/shared", "/desk/run", "-mindepth", "1", "-user", "1000", "-delete"]
    as_researcher = ("--rm", "--network=none", "--user=1000:1000", f"--volume={desk.folder}:/desk")
    docker("run", *as_researcher, IMAGE, *sweep, check=False)
    shutil.rmtree(desk.folder)
