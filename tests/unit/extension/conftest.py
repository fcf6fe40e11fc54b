"""A gate on a real unix socket, and a desk's folders."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.extension.gates import Gate, listening

# The extension is a package of its own, installed in the desk and not here.
sys.path.insert(0, str(Path(__file__).parents[3] / "extensions" / "output-check"))


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The gate, reached as in a desk: by VITRINE_SUBMIT_SOCK."""
    with listening(Gate(tmp_path / "submit.sock")) as gate:
        monkeypatch.setenv("VITRINE_SUBMIT_SOCK", str(gate.path))
        yield gate


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with home/, shared/ and data/ as a desk has them, `data` and `shared` linked in the home."""
    for name in ("home", "shared", "data"):
        (tmp_path / name).mkdir()
    for name in ("shared", "data"):
        (tmp_path / "home" / name).symlink_to(tmp_path / name)
    (tmp_path / "home" / "table.csv").write_text("year,mean\n2020,31\n", encoding="utf-8")
    (tmp_path / "shared" / "both.csv").write_text("n\n40\n", encoding="utf-8")
    (tmp_path / "data" / "part-0.parquet").write_bytes(b"PAR1")
    return tmp_path
