"""SIGKILL at any moment: nothing that looks finished, and the next run succeeds."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ExtractDocument
from hub.domain.errors import Conflict, Refused
from hub.extraction import extract, load_source, register, verify_extract
from hub.extraction.sources import verify_source
from hub.extraction.staging import staged
from tests.unit.extraction.conftest import DICTIONARY, MASTER_KEY, NOW, plan_short

ROOT = Path(__file__).parents[3]

# The process stops at one step of the disk (and says so), where the test kills it.
STOPPING = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from hub.documents.projects import ExtractDocument
from hub.extraction import extract, plan_extract, register, specification_of, staging
step, count, action = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def stop(original):
    def wrapped(*arguments, **named):
        global count
        count -= 1
        if count == 0:
            print("here", flush=True)
            time.sleep(60)
        return original(*arguments, **named)
    return wrapped
if step == "rename":
    Path.rename = stop(Path.rename)
elif step == "exchange":
    staging._exchange = stop(staging._exchange)
elif step == "rmdir":
    Path.rmdir = stop(Path.rmdir)
elif step == "write":
    Path.write_bytes = stop(Path.write_bytes)
else:
    setattr(os, step, stop(getattr(os, step)))
now = datetime(2026, 3, 1, tzinfo=UTC)
warehouse = Path("warehouse")
if action == "register":
    register(Path("toy.csv"), Path("toy.yaml"), warehouse=warehouse, now=now)
elif action == "replace":
    register(Path("more.csv"), Path("toy.yaml"), warehouse=warehouse, now=now, replace=True)
else:
    request = ExtractDocument(source="toy", columns=("wage",), household=True)
    asked = specification_of(request, warehouse=warehouse)
    plan = plan_extract(asked, project="study", policy_fingerprint="f", warehouse=warehouse)
    extract(plan, warehouse=warehouse, master_key=bytes(range(32)), into=Path("extracts/v1"), now=now)
"""
# After the file is written, at the first and the last flush, before the one visible step.
STEPS = [("write", 1), ("fsync", 1), ("fsync", 4), ("rename", 1)]


def _kill_at(step: str, count: int, action: str, directory: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPING, step, str(count), action],
        cwd=directory,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL


@pytest.mark.parametrize(("step", "count"), STEPS)
def test_register(dictionary: Dictionary, csv: Path, warehouse: Path, step: str, count: int) -> None:
    (csv.parent / "toy.yaml").write_text(DICTIONARY, encoding="utf-8")
    _kill_at(step, count, "register", csv.parent)
    with pytest.raises(Refused):
        load_source(warehouse, "toy")
    assert register(csv, dictionary, warehouse=warehouse, now=NOW).rows == 5
    assert [path.name for path in warehouse.iterdir()] == ["toy"]


@pytest.mark.parametrize(
    ("step", "count", "rows"),
    # The fifth flush is that of the folder around, after the one visible step.
    [("write", 1, 5), ("fsync", 1, 5), ("fsync", 4, 5), ("exchange", 1, 5), ("fsync", 5, 6), ("rmdir", 1, 6)],
)
def test_replace(
    dictionary: Dictionary, csv: Path, warehouse: Path, step: str, count: int, rows: int
) -> None:
    """The old edition is valid until the new one is."""
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    (csv.parent / "toy.yaml").write_text(DICTIONARY, encoding="utf-8")
    more = csv.parent / "more.csv"
    more.write_text(csv.read_text() + "5,2026,d,1,12,1999-01-01,true\n", encoding="utf-8")
    _kill_at(step, count, "replace", csv.parent)
    assert verify_source(warehouse, "toy").rows == rows
    request = ExtractDocument(source="toy", columns=("wage",), household=True)
    into = csv.parent / "extracts" / "v1"
    extract(plan_short(request, warehouse), warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW)
    assert verify_extract(into).rows == rows
    again = register(more, dictionary, warehouse=warehouse, now=NOW, replace=True)
    assert (again.rows, len(again.earlier or ())) == (6, 1)
    assert [path.name for path in warehouse.iterdir()] == ["toy"]


@pytest.mark.parametrize(("step", "count"), STEPS)
def test_extract(dictionary: Dictionary, csv: Path, warehouse: Path, step: str, count: int) -> None:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    into = csv.parent / "extracts" / "v1"
    _kill_at(step, count, "extract", csv.parent)
    assert not into.exists()
    assert [path.name for path in into.parent.iterdir()] == [".v1.staging"]
    request = ExtractDocument(source="toy", columns=("wage",), household=True)
    plan = plan_short(request, warehouse)
    extract(plan, warehouse=warehouse, master_key=MASTER_KEY, into=into, now=NOW)
    assert verify_extract(into).rows == 5
    assert [path.name for path in into.parent.iterdir()] == ["v1"]


def test_two_at_the_same_time_do_not_share_a_directory(tmp_path: Path) -> None:
    with staged(tmp_path / "v1") as staging:
        (staging / "a").write_text("a")
        with pytest.raises(Conflict) as busy, staged(tmp_path / "v1"):
            pytest.fail("the directory was shared")
        assert busy.value.code == "already_running"
    assert (tmp_path / "v1" / "a").read_text() == "a"


def _fail_in(target: Path) -> None:
    with staged(target) as staging:
        (staging / "a").write_text("a")
        raise OSError("disk full")


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        _fail_in(tmp_path / "v1")
    assert list(tmp_path.iterdir()) == []
