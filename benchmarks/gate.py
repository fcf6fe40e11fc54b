"""What the gate costs: requests per second, added milliseconds and MB/s, against the desk's socket itself.

A real gate process stands between this program and a real HTTP server (tornado, in a process of its own) on
a unix socket. Each request through the gate carries a signed-in person's cookie and is authenticated (the
Hub's answer is kept for 20 s, as in production). Gate and socket alternate in rounds of one run. Last line:
one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.integration.gate.harness import AS_ROOT, DESK_UID, Rig, wait_for

SMALL = "/user/ana/wages/api/status"
LARGE = "/user/ana/wages/api/contents/large"
MEGABYTES = 64
CONNECTIONS = 8

_SERVER = """
import asyncio, sys
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

class Small(RequestHandler):
    def get(self):
        self.write({"connections": 1, "kernels": 1, "last_activity": "2026-01-01T00:00:00Z"})

class Large(RequestHandler):
    async def get(self):
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Length", int(sys.argv[2]) << 20)
        for _ in range(int(sys.argv[2]) * 4):
            self.write(b"x" * (1 << 18))
            await self.flush()

async def main():
    server = HTTPServer(Application([(".*/status", Small), (".*/large", Large)], log_function=lambda _: None))
    server.add_socket(bind_unix_socket(sys.argv[1], 0o666))
    await asyncio.Event().wait()

asyncio.run(main())
"""


@dataclass
class Side:
    """One way to the server, and what was measured on it."""

    name: str
    connect: Callable[[], socket.socket]
    cookie: str
    milliseconds: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def request(self, path: str) -> bytes:
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{cookie}\r\n".encode()


def read_reply(connection: socket.socket) -> int:
    """Read one reply with a Content-Length; the size of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, "the connection was closed"
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    lines = [line.partition(b":") for line in head.split(b"\r\n")]
    length = next(int(value) for name, _, value in lines if name.lower() == b"content-length")
    left = length - len(body)
    buffer = bytearray(1 << 18)
    while left:
        count = connection.recv_into(buffer, min(left, len(buffer)))
        assert count, "the reply was cut"
        left -= count
    return length


def measure_latency(side: Side, requests: int) -> None:
    """One connection, one request after the other."""
    question = side.request(SMALL)
    with side.connect() as connection:
        for _ in range(20):
            connection.sendall(question)
            read_reply(connection)
        for _ in range(requests):
            start = time.perf_counter()
            connection.sendall(question)
            read_reply(connection)
            side.milliseconds.append((time.perf_counter() - start) * 1000)


def measure_rate(side: Side, requests: int) -> None:
    """Several connections at once, as a browser opens them."""
    question = side.request(SMALL)

    def work() -> None:
        with side.connect() as connection:
            for _ in range(requests // CONNECTIONS):
                connection.sendall(question)
                read_reply(connection)

    browsers = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for browser in browsers:
        browser.start()
    for browser in browsers:
        browser.join()
    side.per_second.append(requests // CONNECTIONS * CONNECTIONS / (time.perf_counter() - start))


def measure_throughput(side: Side) -> None:
    """One large answer."""
    with side.connect() as connection:
        start = time.perf_counter()
        connection.sendall(side.request(LARGE))
        size = read_reply(connection)
        side.megabytes.append(size / 1e6 / (time.perf_counter() - start))


def percentile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[int(share * 1000) - 1]


def summarise(direct: Side, gate: Side) -> dict[str, object]:
    def both(measure: Callable[[Side], float]) -> dict[str, float]:
        return {side.name: round(measure(side), 2) for side in (gate, direct)}

    return {
        "benchmark": "gate",
        "requests_per_s": both(lambda side: statistics.median(side.per_second)),
        "p50_ms": both(lambda side: percentile(side.milliseconds, 0.5)),
        "p99_ms": both(lambda side: percentile(side.milliseconds, 0.99)),
        "added_p50_ms": round(percentile(gate.milliseconds, 0.5) - percentile(direct.milliseconds, 0.5), 2),
        "added_p99_ms": round(percentile(gate.milliseconds, 0.99) - percentile(direct.milliseconds, 0.99), 2),
        "mb_per_s": both(lambda side: statistics.median(side.megabytes)),
        "requests_measured": len(gate.milliseconds),
    }


def run(rounds: int, requests: int) -> dict[str, object]:
    """All rounds; direct and gate alternate within each."""
    rig = Rig()
    server = None
    try:
        rig.write_session(bytes_out_limit=1 << 50)
        rig.start()
        path = rig.settings.run / "s1" / "lab.sock"
        server = subprocess.Popen([sys.executable, "-c", _SERVER, str(path), str(MEGABYTES)])
        wait_for(path.is_socket)
        if AS_ROOT:
            os.chown(path, DESK_UID, DESK_UID)
        direct = Side("socket", lambda: _connect_unix(path), "")
        gate = Side("gate", lambda: socket.create_connection(("127.0.0.1", rig.port)), rig.cookie())
        for number in range(rounds):
            for side in (direct, gate):
                measure_latency(side, requests)
                measure_rate(side, requests)
                measure_throughput(side)
            print(f"round {number + 1} of {rounds} done", file=sys.stderr)
        return summarise(direct, gate)
    finally:
        if server is not None:
            server.terminate()
            server.wait()
        rig.close()


def _connect_unix(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=800, help="per side and round, twice")
    given = parser.parse_args()
    print(json.dumps(run(given.rounds, given.requests)))


if __name__ == "__main__":
    main()
