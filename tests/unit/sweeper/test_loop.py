"""The sweeper goes on whatever one round meets, and keeps its worker running."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from hub.actions import clock
from hub.actions.ports import Office
from hub.domain.errors import Refused
from hub.sweeper import loop
from tests import factories


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loop, "INTERVAL", 0.02)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


@pytest.mark.parametrize("error", [Refused("hub_unreachable", "gone"), OSError(5, "io")])
def test_a_failed_round_is_tried_again_and_not_called_alive(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    seen: list[bool] = []

    def sweep(_office: Office, *, now: datetime) -> clock.Sweep:
        assert now.tzinfo is not None
        seen.append((tmp_path / "alive").exists())
        if len(seen) == 1:
            raise error
        return clock.Sweep()

    monkeypatch.setattr(clock, "sweep", sweep)
    loop.run(office, worker=None, alive=tmp_path / "alive", rounds=3)
    assert seen == [False, False, True]


def test_the_loop_ends_projects(office: Office, tmp_path: Path) -> None:
    factories.fill(office)
    factories.add_project(office)  # it ended long ago by today's clock
    loop.run(office, worker=None, alive=tmp_path / "alive", rounds=1)
    with office.units.read() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        assert project.ended_reason == "time_over"


def test_a_dead_worker_is_started_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "starts"
    program = f"open({str(log)!r}, 'a').write('x')"
    worker = loop.Worker([sys.executable, "-c", program])
    now = [100.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])

    def wait_for(starts: int) -> None:
        for _ in range(200):
            if log.exists() and len(log.read_text()) == starts:
                return
            time.sleep(0.02)
        pytest.fail(f"{starts} starts were expected")

    worker.keep_running()
    wait_for(1)
    worker.stop()
    worker.keep_running()  # sees the death
    worker.keep_running()  # too early
    assert log.read_text() == "x"
    now[0] += 6
    worker.keep_running()
    wait_for(2)
    worker.stop()
