"""An office on SQLite, filled with people and a source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.ports import Office
from tests import factories


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits
