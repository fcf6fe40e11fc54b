"""The sweeper's loop. It never stops for an error of one round: the next one tries again."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from hub.actions import clock
from hub.actions.ports import Office
from hub.domain.errors import Refused

INTERVAL = 0.5
PRUNE_EVERY = 7200  # rounds: an hour
KEPT = timedelta(days=7)  # a page still says why a desk is closed
log = logging.getLogger("vitrine.sweeper")


class Worker:
    """The extraction worker as a child process: heavy work never delays the clock."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def keep_running(self) -> None:
        """Start the child if it is not running; after a death wait five seconds."""
        if self._child is not None and self._child.poll() is None:
            return
        if self._child is not None:
            log.error("the extraction worker ended with %s", self._child.returncode)
            self._child, self._not_before = None, time.monotonic() + 5
        if time.monotonic() >= self._not_before:
            self._child = subprocess.Popen(self._command)

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait(timeout=5)


def run(office: Office, *, worker: Worker | None, alive: Path, rounds: int | None = None) -> None:
    """Sweep twice a second until told to stop (or for `rounds`); touch `alive` after each good round."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    done = 0
    while not stopping and (rounds is None or done < rounds):
        begun = time.monotonic()
        _round(lambda: clock.sweep(office, now=datetime.now(UTC)), alive)
        if done % PRUNE_EVERY == 0:
            office.session_files.prune(datetime.now(UTC) - KEPT)
        if worker is not None:
            worker.keep_running()
        done += 1
        time.sleep(max(0.0, INTERVAL - (time.monotonic() - begun)))
    if worker is not None:
        worker.stop()


def _round(sweep: Callable[[], clock.Sweep], alive: Path) -> None:
    try:
        result = sweep()
    except (SQLAlchemyError, Refused, OSError) as error:
        log.error("this round failed and will be tried again: %s", type(error).__name__)
        return
    alive.touch()
    if not result.quiet:
        log.info("%s", json.dumps(vars(result)))


def worker_command() -> list[str]:
    """The command of the extraction worker, with this very interpreter."""
    return [sys.executable, "-m", "hub", "extract", "work"]
