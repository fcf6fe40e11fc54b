"""The desk's side of a session: connections to its `lab.sock`, and what is now passing through the gate."""

from __future__ import annotations

import asyncio
import errno
import time
from typing import Protocol

from tornado.iostream import IOStream

from hub.gate.config import GateSettings
from hub.gate.meters import Meter, MeterBook
from hub.gate.refusals import GateRefused
from hub.gate.sessions import Session, SessionTable
from hub.gate.sockets import connect_lab
from hub.gate.upstream import Exchange, Pool, Receiver

MAX_PASSAGES = 256  # at once and per session: a browser with many tabs stays far below
_NOT_YET = frozenset({errno.ENOENT, errno.ECONNREFUSED})
_MAX_BUFFER = 256 * 1024  # bytes waiting in one direction before reading stops


class Passage(Protocol):
    """Something that is passing bytes now and can be cut."""

    def cut(self, code: str) -> None:
        """Stop at once; not one more byte passes."""


class Desk:
    """One session as the gate serves it. Created when first met, closed when the session ends."""

    def __init__(
        self, session: Session, table: SessionTable, meters: MeterBook, settings: GateSettings
    ) -> None:
        self.sid = session.sid
        self.identity = session.identity
        self._table = table
        self._meters = meters
        self._run = settings.run
        self._desk_uid = settings.desk_uid
        self._pool = Pool()
        self._passages: set[Passage] = set()
        self.active_at: float | None = None  # epoch seconds of the last real traffic

    @property
    def meter(self) -> Meter:
        return self._meters.of(self.sid)

    def closed(self) -> str | None:
        """Why nothing may pass now, or None."""
        code = self._table.closed(self.sid, self.identity)
        if code is not None:
            return code
        session = self._table.get(self.sid)
        return "closed" if session is None else self.meter.closed(session.bytes_out_limit)

    def check(self) -> None:
        """Raise GateRefused if nothing may pass now."""
        code = self.closed()
        if code is not None:
            raise GateRefused(code)

    def check_session(self) -> None:
        """Raise GateRefused if the session is over. Bytes to the browser are another matter."""
        code = self._table.closed(self.sid, self.identity)
        if code is not None:
            raise GateRefused(code)

    def admit_out(self, size: int) -> None:
        """Count `size` bytes about to go to the browser; raises GateRefused if they may not."""
        session = self._table.get(self.sid)
        code = self._table.closed(self.sid, self.identity)
        if session is None or code is not None:
            raise GateRefused(code or "closed")
        self.meter.admit(size, session.bytes_out_limit)

    def enter(self, passage: Passage) -> None:
        """Note what starts to pass, so that it can be cut; raises GateRefused `busy`."""
        if len(self._passages) >= MAX_PASSAGES:
            raise GateRefused("busy")
        self._passages.add(passage)

    def leave(self, passage: Passage) -> None:
        self._passages.discard(passage)

    def cut(self, code: str) -> int:
        """Cut everything; returns how much was passing."""
        passing = list(self._passages)
        for passage in passing:
            passage.cut(code)
        self._pool.close()
        return len(passing)

    def note_activity(self) -> None:
        self.active_at = time.time()

    async def connect(self, *, patience: float = 0.0) -> IOStream:
        """A fresh connection to the desk's server. `patience`: seconds to wait for a server that starts.

        Raises GateRefused `desk_unreachable`.
        """
        until = time.monotonic() + patience
        while True:
            try:
                connected = await connect_lab(self._run, self.sid, self._desk_uid)
                return IOStream(connected, max_buffer_size=_MAX_BUFFER, max_write_buffer_size=None)
            except OSError as error:
                if error.errno not in _NOT_YET or time.monotonic() >= until or self.closed() is not None:
                    raise GateRefused("desk_unreachable") from None
                await asyncio.sleep(0.1)

    async def open_exchange(self, receiver: Receiver, *, patience: float = 0.0) -> tuple[Exchange, bool]:
        """An exchange, on an idle connection if there is one; also whether the connection was idle."""
        idle = self._pool.take()
        return Exchange(idle or await self.connect(patience=patience), receiver), idle is not None

    def give_back(self, exchange: Exchange, *, reusable: bool) -> None:
        """Keep the connection of a finished exchange, or close it."""
        if reusable and self.closed() is None:
            self._pool.give(exchange.stream)
        else:
            exchange.abort()
