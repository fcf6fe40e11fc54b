"""A portal for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.integration.portal.stage import Stage, make_stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Everybody, ana's project and rosa's, nothing submitted yet."""
    return make_stage(tmp_path)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()
