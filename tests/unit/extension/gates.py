"""A gate of a few lines: HTTP on a unix socket, to hear what the desk really sends."""

from __future__ import annotations

import email.parser
import email.policy
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Heard:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def parts(self) -> list[tuple[str, str | None, bytes]]:
        """(name, filename, content) of each part, by the standard library's own parser."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        return [
            (
                str(part.get_param("name", header="content-disposition")),
                part.get_filename(),
                bytes(part.get_payload(decode=True)),
            )
            for part in message.iter_parts()
        ]


@dataclass
class Gate:
    """Listens on `path`; answers `status` and `answer`; `heard` keeps what it was told."""

    path: Path
    status: int = 200
    answer: Any = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    read_only_bytes: int | None = None  # answer after so many bytes of the body, and hang up
    hang_up: bool = False  # never answer


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    gate: Gate


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "desk"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        gate = self.server.gate
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length if gate.read_only_bytes is None else gate.read_only_bytes)
        headers = {key.lower(): value for key, value in self.headers.items()}
        gate.heard.append(Heard(self.command, self.path, headers, body))
        self.close_connection = True
        if gate.hang_up:
            return
        answer = json.dumps(gate.answers.get(self.path, gate.answer)).encode()
        self.send_response(gate.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_GET()


@contextmanager
def listening(gate: Gate) -> Iterator[Gate]:
    """The gate answers on its path until the block ends."""
    with _Server(str(gate.path), _Handler) as server:
        server.gate = gate
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield gate
        server.shutdown()
