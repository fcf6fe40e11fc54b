"""What the portal does by itself: what it keeps of an extract goes soon after the extract is needed no more.

The sweeper ends projects, but cannot reach the checks' files: only this process writes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from hub.actions.indexes import remove_unneeded
from hub.domain.errors import Refused
from hub.portal.ports import Portal

EVERY_SECONDS = 30.0
log = logging.getLogger("vitrine.portal")


@asynccontextmanager
async def running(portal: Portal) -> AsyncIterator[None]:
    """Within the block, now and every half minute."""
    if portal.indexes is None:
        yield
        return
    rounds = asyncio.create_task(_rounds(portal))
    try:
        yield
    finally:
        rounds.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await rounds


async def _rounds(portal: Portal) -> None:
    while True:
        await run_in_threadpool(tidy, portal)
        await asyncio.sleep(EVERY_SECONDS)


def tidy(portal: Portal) -> list[str]:
    """One round: which extracts were forgotten. What fails is tried again at the next."""
    if portal.indexes is None:
        return []
    try:
        gone = remove_unneeded(portal.office, portal.indexes, now=portal.clock())
    except (SQLAlchemyError, Refused, OSError) as error:
        log.error("what is kept of extracts could not be looked through: %s", type(error).__name__)
        return []
    if gone:
        log.info("indexes removed: %s", ", ".join(gone))
    return gone
