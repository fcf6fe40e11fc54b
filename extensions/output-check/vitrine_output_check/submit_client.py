"""The wire to the gate: HTTP/1.1 on the desk's submit.sock, files streamed from disk.

Standard library only, so the command `submit` starts at once and the server part can run it in a
thread. The calls and their answers: docs/architecture.md, section 5.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import socket
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOCKET = "/run/desk/submit.sock"
CHUNK = 1 << 18
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 300.0
LARGEST_ANSWER = 16_000_000

Progress = Callable[[int, int], None]


class GateUnreachable(Exception):
    """No connection to the gate was made: nothing was sent."""


class GateLost(Exception):
    """The connection broke before an answer came: what the gate did with the call is unknown."""


class FileChanged(Exception):
    """A file grew, shrank or went away between its choice and its sending; nothing was submitted."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Outgoing:
    """A file to send: where it is, the name it is sent under, its size in bytes when it was chosen, and
    the declaration that lay beside it."""

    path: Path
    name: str
    size: int
    declaration: bytes | None = None


@dataclass(frozen=True)
class Reply:
    """What the gate answered, unchanged: an HTTP status and, by contract, JSON."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; empty if it is anything else."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket. The peer may answer before it has read everything we send."""

    def __init__(self, path: str) -> None:
        super().__init__("desk", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_SECONDS)
        self.sock.connect(self._path)
        self.sock.settimeout(ANSWER_SECONDS)


def _quote(name: str) -> str:
    """A name inside quotes in a header, as browsers write it (WHATWG, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


class _Multipart:
    """A form and files as multipart/form-data, its length known before the first byte is read."""

    def __init__(self, form: Mapping[str, Any], files: Sequence[Outgoing]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._files = files
        self._form = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="form"\r\n'
            "Content-Type: application/json\r\n\r\n"
            f"{json.dumps(dict(form), ensure_ascii=False)}\r\n"
        ).encode()
        self._heads = [
            (
                f"--{boundary}\r\n"
                f'Content-Disposition: form-data; name="file"; filename="{_quote(file.name)}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            for file in files
        ]
        # A declaration follows its file, under the file's name.
        self._declared = [
            b""
            if file.declaration is None
            else (
                f'--{boundary}\r\nContent-Disposition: form-data; name="declaration"; '
                f'filename="{_quote(file.name)}"\r\nContent-Type: application/json\r\n\r\n'
            ).encode()
            + file.declaration
            + b"\r\n"
            for file in files
        ]
        self._end = f"--{boundary}--\r\n".encode()
        self.length = (
            len(self._form)
            + sum(len(head) + file.size + 2 for head, file in zip(self._heads, files, strict=True))
            + sum(len(declared) for declared in self._declared)
            + len(self._end)
        )

    def chunks(self) -> Iterator[bytes]:
        """The body, at most CHUNK bytes in memory. FileChanged if a file no longer has its size."""
        yield self._form
        for head, file, declared in zip(self._heads, self._files, self._declared, strict=True):
            yield head
            yield from _read_exactly(file)
            yield b"\r\n" + declared
        yield self._end


def _read_exactly(file: Outgoing) -> Iterator[bytes]:
    left = file.size
    try:
        # The choice was made on the resolved path: a link that stands there now is another file.
        handle = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb", buffering=0) as source:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or about.st_size != file.size:
                raise FileChanged(file.name)
            while left:
                chunk = source.read(min(CHUNK, left))
                if not chunk:
                    raise FileChanged(file.name)
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise FileChanged(file.name) from error


class SubmitClient:
    """The calls of submit.sock. `language` is sent on as Accept-Language.

    Raises GateUnreachable and GateLost; an HTTP error is a Reply like any other.
    """

    def __init__(self, language: str, socket_path: str | None = None) -> None:
        self._language = language
        self._path = socket_path or os.environ.get("VITRINE_SUBMIT_SOCK") or SOCKET

    def session(self) -> Reply:
        """This desk's project, person, end and limits."""
        return self._call("GET", "/session")

    def submissions(self) -> Reply:
        """The researcher's submissions, newest first."""
        return self._call("GET", "/submissions")

    def withdraw(self, submission: str) -> Reply:
        """Take back one's own submission. `submission` must be its bare id (no `/`)."""
        return self._call("POST", f"/submissions/{submission}/withdraw")

    def submit(
        self, form: Mapping[str, Any], files: Sequence[Outgoing], progress: Progress | None = None
    ) -> Reply:
        """Send files with their description; `progress` hears (bytes sent, bytes in all).

        FileChanged if a file is no longer what was chosen; the gate then sees a cut upload.
        """
        return self._call("POST", "/submissions", _Multipart(form, files), progress)

    def precheck(self, form: Mapping[str, Any], files: Sequence[Outgoing]) -> Reply:
        """Have files looked over before they are submitted; nothing is kept. Raises as `submit`."""
        return self._call("POST", "/prechecks", _Multipart(form, files))

    def _call(
        self, method: str, path: str, body: _Multipart | None = None, progress: Progress | None = None
    ) -> Reply:
        connection = _SocketConnection(self._path)
        with contextlib.closing(connection):
            try:
                connection.connect()
            except OSError as error:
                raise GateUnreachable from error
            try:
                self._send(connection, method, path, body, progress)
                return _read_reply(connection)
            except (OSError, http.client.HTTPException) as error:
                raise GateLost from error

    def _send(
        self,
        connection: _SocketConnection,
        method: str,
        path: str,
        body: _Multipart | None,
        progress: Progress | None,
    ) -> None:
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Accept-Language", self._language)
        connection.putheader("Connection", "close")
        if body is not None:
            connection.putheader("Content-Type", body.content_type)
        if method == "POST":
            connection.putheader("Content-Length", str(body.length if body else 0))
        connection.endheaders()
        sent = 0
        for chunk in body.chunks() if body else ():
            try:
                connection.send(chunk)
            except (BrokenPipeError, ConnectionResetError):
                return  # refused early, as too large for instance: the answer is waiting to be read
            sent += len(chunk)
            if progress is not None and body is not None:
                progress(sent, body.length)


def _read_reply(connection: _SocketConnection) -> Reply:
    # A peer that closed without reading all we sent leaves ECONNRESET in front of its answer.
    connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    response = connection.getresponse()
    body = response.read(LARGEST_ANSWER + 1)
    if len(body) > LARGEST_ANSWER:
        raise http.client.HTTPException("answer too large")
    return Reply(response.status, body)
