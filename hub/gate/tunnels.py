"""WebSockets: the upgrade is checked on both sides, then bytes are relayed as they come.

The frames are not taken apart, so nothing is assembled in memory and pings stay end to end. No extension
is negotiated. The gate writes its own 101 answer; of the desk's only the accepted subprotocol is used.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, parse_response_start_line
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

from hub.gate.desks import Desk
from hub.gate.refusals import GateRefused
from hub.gate.upstream import CHUNK

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_SUBPROTOCOL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_HEAD = 16 * 1024
_HEAD_SECONDS = 60.0


@dataclass(frozen=True)
class Offer:
    """What the browser offered: its key and subprotocols."""

    key: str
    subprotocols: tuple[str, ...]

    def accept_value(self) -> str:
        digest = hashlib.sha1(self.key.encode() + _MAGIC, usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()


def check_upgrade(request: HTTPServerRequest, public_url: str) -> Offer:
    """The browser's side of the handshake.

    1. It is a WebSocket version 13 handshake with a proper key. 2. It comes from a page of this host: the
    cookie alone would also come from elsewhere. Raises GateRefused `route_refused` or `origin_refused`.
    """
    headers = request.headers
    upgrade = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in upgrade:  # 1
        raise GateRefused("route_refused")
    key = headers.get("Sec-WebSocket-Key", "")
    try:
        proper = len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        proper = False
    if not proper or headers.get("Sec-WebSocket-Version") != "13" or request.version != "HTTP/1.1":
        raise GateRefused("route_refused")
    origin = urlsplit(headers.get("Origin", "")).netloc.lower()  # 2
    if not origin or origin not in {headers.get("Host", "").lower(), urlsplit(public_url).netloc.lower()}:
        raise GateRefused("origin_refused")
    offered = [part.strip() for part in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    return Offer(key, tuple(part for part in offered if _SUBPROTOCOL.fullmatch(part)))


class Tunnel:
    """An open WebSocket between a browser and a desk."""

    def __init__(self, desk: Desk, upstream: IOStream, offer: Offer, subprotocol: str | None) -> None:
        self._desk = desk
        self._upstream = upstream
        self._offer = offer
        self._subprotocol = subprotocol
        self.was_cut = False

    @classmethod
    async def open(cls, desk: Desk, target: str, offer: Offer) -> Tunnel:
        """Shake hands with the desk; raises GateRefused if it does not answer as a WebSocket server must."""
        upstream = await desk.connect()
        try:
            await upstream.write(_request(target, offer))
            reading = upstream.read_until(b"\r\n\r\n", max_bytes=_MAX_HEAD)
            head = await asyncio.wait_for(reading, _HEAD_SECONDS)
            return cls(desk, upstream, offer, _check_answer(head, offer))
        except (TimeoutError, StreamClosedError, UnsatisfiableReadError):
            upstream.close()
            raise GateRefused("desk_unreachable") from None
        except BaseException:
            upstream.close()
            raise

    async def run(self, client: IOStream) -> None:
        """Relay until either side closes or nothing may pass any more; both sides are closed then."""
        client.set_nodelay(True)
        try:
            self._desk.check()
            await client.write(_answer(self._offer, self._subprotocol))
            pumps = [
                asyncio.ensure_future(self._pump(client, self._upstream, out=False)),
                asyncio.ensure_future(self._pump(self._upstream, client, out=True)),
            ]
            _, waiting = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in waiting:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except (GateRefused, StreamClosedError):
            self.was_cut = True
        finally:
            self._upstream.close()
            if not self.was_cut:
                client.close()

    async def _pump(self, source: IOStream, sink: IOStream, *, out: bool) -> None:
        """Relay one direction. A piece is read only when the one before has been taken."""
        try:
            while True:
                chunk = await source.read_bytes(CHUNK, partial=True)
                if out:
                    self._desk.admit_out(len(chunk))
                else:
                    self._desk.check()
                if not is_keepalive(chunk):
                    self._desk.note_activity()
                await sink.write(chunk)
        except StreamClosedError:
            return
        except GateRefused:
            self.was_cut = True


def is_keepalive(chunk: bytes) -> bool:
    """Whether a piece is exactly one ping or pong frame: nobody did anything."""
    if len(chunk) < 2 or chunk[0] not in {0x89, 0x8A}:
        return False
    masked, length = chunk[1] & 0x80, chunk[1] & 0x7F
    return length <= 125 and len(chunk) == 2 + length + (4 if masked else 0)


def _request(target: str, offer: Offer) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {offer.key}",
        "Sec-WebSocket-Version: 13",
    ]
    if offer.subprotocols:
        lines.append("Sec-WebSocket-Protocol: " + ", ".join(offer.subprotocols))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _check_answer(head: bytes, offer: Offer) -> str | None:
    """The subprotocol the desk chose; raises GateRefused unless the answer is a correct 101."""
    first, _, rest = head.decode("latin-1").partition("\r\n")
    try:
        code = parse_response_start_line(first).code
        headers = HTTPHeaders.parse(rest)
    except (HTTPInputError, ValueError):
        raise GateRefused("reply_refused") from None
    if code != 101:
        raise GateRefused("desk_error", status=code if code in {403, 404} else 502)
    if headers.get("Sec-WebSocket-Accept") != offer.accept_value() or "Sec-WebSocket-Extensions" in headers:
        raise GateRefused("reply_refused")
    chosen = headers.get("Sec-WebSocket-Protocol")
    if chosen is not None and chosen not in offer.subprotocols:
        raise GateRefused("reply_refused")
    return chosen


def _answer(offer: Offer, subprotocol: str | None) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {offer.accept_value()}",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
