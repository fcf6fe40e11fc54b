"""Fixtures of the scripts' tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from .machines import PLAIN_TOOLS, ROOT, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with plain text tools, without an engine and without apt."""
    (tmp_path / "bin").mkdir()
    for tool in PLAIN_TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is needed to run the scripts"
        (tmp_path / "bin" / tool).symlink_to(found)
    return Machine(tmp_path)


@pytest.fixture
def load_script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a file of scripts/ or images/ by its path."""

    def load(relative: str) -> ModuleType:
        path = ROOT / relative
        monkeypatch.syspath_prepend(str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def account() -> Mapping[str, int]:
    """The one account every test may give files to: its own."""
    return {"uid": os.getuid(), "owner": os.getuid()}
