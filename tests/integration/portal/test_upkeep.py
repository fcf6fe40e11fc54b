"""The portal removes what it keeps of an extract by itself, soon after its project ended."""

from __future__ import annotations

import dataclasses
import time

import pytest
from starlette.testclient import TestClient

from hub.actions import projects
from hub.checks.prepared import Indexes
from hub.portal import upkeep
from hub.portal.app import create_app
from tests.factories import NOW, actor
from tests.integration.portal.stage import Stage


def test_an_index_goes_while_the_portal_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "EVERY_SECONDS", 0.05)
    indexes = Indexes(stage.folder / "indexes", bytes(32), least_rows=1)
    for name in ("wages/v1", "health/v1"):
        assert indexes.made(stage.portal.extracts / name, name) is not None
    portal = dataclasses.replace(stage.portal, indexes=indexes)
    with TestClient(create_app(portal)):
        time.sleep(0.2)
        assert indexes.names() == ["health/v1", "wages/v1"]
        projects.end_project(stage.office, slug="wages", by=actor("bob"), now=NOW)
        deadline = time.monotonic() + 20
        while "wages/v1" in indexes.names() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert indexes.names() == ["health/v1"]


def test_a_round_that_fails_does_not_end_the_portal(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    indexes = Indexes(stage.folder / "indexes", bytes(32), least_rows=1)
    portal = dataclasses.replace(stage.portal, indexes=indexes)

    def broken(*_: object, **__: object) -> list[str]:
        raise OSError

    monkeypatch.setattr(upkeep, "remove_unneeded", broken)
    assert upkeep.tidy(portal) == []
