"""The gate's door: `serve` runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal

import aiohttp
from tornado.httpserver import HTTPServer

from hub.gate.config import GateSettings
from hub.gate.gatehouse import TICK, GateApplication, Gatehouse
from hub.gate.journal import Journal

__all__ = ["GateSettings", "serve", "start"]

MAX_BODY = 256 * 1024 * 1024  # the largest of the route table


def serve(settings: GateSettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the port is taken, ValueError on a bad address.

    Being killed is as good as being stopped: sessions, meters and cookies survive either.
    """
    # aiodns, the default, keeps an address for ten minutes: a restarted hub would not be found.
    aiohttp.connector.DefaultResolver = aiohttp.ThreadedResolver  # type: ignore[attr-defined]
    asyncio.run(_serve(settings))


async def _serve(settings: GateSettings) -> None:
    # HubOAuth and tornado log cookies and addresses with queries below this level.
    for name in ("tornado.general", "tornado.application", "tornado.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    house, server = start(settings, Journal())
    ticker = asyncio.ensure_future(_tick_for_ever(house))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        # A ticker that dies must end the gate: without it nothing is cut.
        await asyncio.wait({ticker, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if ticker.done():
            ticker.result()
    finally:
        server.stop()
        ticker.cancel()
        stopping.cancel()
        house.close()


def start(settings: GateSettings, journal: Journal) -> tuple[Gatehouse, HTTPServer]:
    """Listen in the running event loop. The caller must call `Gatehouse.tick` every TICK seconds."""
    settings.meters.mkdir(parents=True, exist_ok=True)
    house = Gatehouse(settings, journal)
    house.tick()
    server = HTTPServer(
        GateApplication(house),
        max_body_size=MAX_BODY + 1,
        max_header_size=32 * 1024,
        max_buffer_size=1024 * 1024,
        idle_connection_timeout=600,
    )
    server.listen(settings.port, settings.bind)
    journal.write("started", sessions=len(house.table.all()))
    return house, server


async def _tick_for_ever(house: Gatehouse) -> None:
    while True:
        house.tick()
        await asyncio.sleep(TICK)
