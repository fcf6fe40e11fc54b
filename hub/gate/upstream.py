"""One HTTP/1.1 request to a desk or to the portal and its reply, both streamed with back-pressure.

Nothing is buffered whole: a piece is read only when the one before has been taken. An exchange that is
aborted closes its connection, so the other side never sees a cut request as a complete one.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Protocol

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream, StreamClosedError

from hub.gate.refusals import GateRefused

CHUNK = 64 * 1024
_PARAMETERS = HTTP1ConnectionParameters(
    chunk_size=CHUNK,
    max_header_size=32 * 1024,
    header_timeout=600,  # seconds; starting a kernel on a busy machine is slow, the session's end cuts anyway
    max_body_size=1 << 50,  # the meter limits what passes
)


class UpstreamGoneError(Exception):
    """The other side closed or broke the protocol. `early`: before any byte of a reply arrived."""

    def __init__(self, *, early: bool) -> None:
        super().__init__("upstream gone")
        self.early = early


class Receiver(Protocol):
    """Takes a reply as it arrives. Raising GateRefused stops the exchange."""

    async def on_head(self, code: int, headers: HTTPHeaders) -> None:
        """The reply's status and headers."""

    async def on_chunk(self, chunk: bytes) -> None:
        """A piece of the reply's body; the next is read when this returns."""


class Exchange(HTTPMessageDelegate):
    """A request and its reply on one connection."""

    def __init__(self, stream: IOStream, receiver: Receiver) -> None:
        self.stream = stream
        self._receiver = receiver
        self._connection = HTTP1Connection(stream, is_client=True, params=_PARAMETERS)
        self._failure: GateRefused | StreamClosedError | None = None
        self._complete = False
        self._reusable = False
        self._head_seen = False
        self._ended = False

    async def ask(self, method: str, target: str, headers: HTTPHeaders) -> None:
        """Send the request line and headers. Without Content-Length a POST, PUT or PATCH is sent chunked."""
        try:
            await self._connection.write_headers(RequestStartLine(method, target, "HTTP/1.1"), headers)
        except StreamClosedError:
            raise UpstreamGoneError(early=True) from None

    async def send(self, chunk: bytes) -> None:
        """Send a piece of the body; returns when it has been handed to the socket."""
        try:
            await self._connection.write(chunk)
        except StreamClosedError:
            raise UpstreamGoneError(early=False) from None

    def end(self) -> None:
        """The request is complete."""
        self._ended = True
        with contextlib.suppress(StreamClosedError):
            self._connection.finish()

    async def read(self) -> bool:
        """Pass the reply to the receiver, also one that comes before the request has ended.

        Returns whether the connection can be used again. Raises what the receiver raised, or
        UpstreamGoneError when the reply did not arrive whole.
        """
        try:
            alive = await self._connection.read_response(self)
        except StreamClosedError:
            alive = False
        if self._failure is not None:
            raise self._failure
        if not self._complete:
            raise UpstreamGoneError(early=not self._head_seen)
        return alive and self._reusable and self._ended

    async def reply(self) -> bool:
        """End the request and read the reply, as `read`."""
        self.end()
        return await self.read()

    def abort(self) -> None:
        """Close the connection at once."""
        self._connection.close()

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        if not isinstance(start_line, ResponseStartLine) or start_line.code < 200:
            return  # an interim reply; the real one follows
        self._head_seen = True
        framed = bool({"Content-Length", "Transfer-Encoding"} & set(headers)) or start_line.code in {204, 304}
        closing = headers.get("Connection", "").lower() == "close" or start_line.version != "HTTP/1.1"
        self._reusable = framed and not closing
        try:
            await self._receiver.on_head(start_line.code, headers)
        except (GateRefused, StreamClosedError) as failure:
            self._stop(failure)

    async def data_received(self, chunk: bytes) -> None:
        if self._failure is not None:
            return
        try:
            await self._receiver.on_chunk(chunk)
        except (GateRefused, StreamClosedError) as failure:
            self._stop(failure)

    def finish(self) -> None:
        self._complete = True
        if not self._ended:
            self.abort()  # answered before the request was whole: the rest will not be sent

    def on_connection_close(self) -> None:
        self._complete = False

    def _stop(self, failure: GateRefused | StreamClosedError) -> None:
        self._failure = failure
        self.abort()


class Pool:
    """Idle connections to one desk. They were opened to the verified socket and stay with their session."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._idle: list[IOStream] = []

    def take(self) -> IOStream | None:
        """An idle connection that is still quiet and open, or None."""
        while self._idle:
            stream = self._idle.pop()
            if not stream.closed() and _is_quiet(stream.socket):
                return stream
            stream.close()
        return None

    def give(self, stream: IOStream) -> None:
        """Keep a connection for the next request."""
        if stream.closed() or len(self._idle) >= self._size:
            stream.close()
        else:
            self._idle.append(stream)

    def close(self) -> None:
        for stream in self._idle:
            stream.close()
        self._idle.clear()


def _is_quiet(connection: socket.socket) -> bool:
    """Whether nothing waits to be read: neither the end of the stream nor a reply nobody asked for."""
    try:
        connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
