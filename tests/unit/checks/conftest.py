"""A small real extract on disk, and the ways tests run the checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from hub.checks import Report, Thresholds
from hub.checks.engine import run_checks
from tests.unit.checks.samples import FULL_FORM, THRESHOLDS, make_frame

Check = Callable[..., Report]


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    return make_frame()


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory, frame: pl.DataFrame) -> Path:
    directory = tmp_path_factory.mktemp("extract")
    frame.write_parquet(directory / "units.parquet")
    (directory / "manifest.json").write_text("{}")
    return directory


@pytest.fixture
def check(tmp_path: Path, extract: Path) -> Check:
    """Check bytes or text under a name, against the extract unless told otherwise."""

    def run(name: str, content: str | bytes, *, against: Path | None = extract, **more: object) -> Report:
        file = tmp_path / "frozen"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        thresholds = more.get("thresholds", THRESHOLDS)
        assert isinstance(thresholds, Thresholds)
        form = more.get("form", FULL_FORM)
        assert isinstance(form, dict)
        return run_checks(file, name=name, form=form, extract=against, thresholds=thresholds)

    return run
