"""A portal for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.portal.stage import Stage, make_stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Everybody, ana's project and rosa's, nothing submitted yet."""
    return make_stage(tmp_path)
