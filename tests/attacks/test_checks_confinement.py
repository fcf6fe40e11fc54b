"""The process that reads hostile files: its limits hold, and whatever happens to it is a REVIEW."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from hub.checks import (
    Limits,
    Report,
    Severity,
    Thresholds,
    Verdict,
    check_in_subprocess,
    render_in_subprocess,
)
from hub.checks.confinement import ChildFailed, run_child

THRESHOLDS = Thresholds(min_units=10, row_level_min_rows=20)
FORM = {"what": "t", "population": "p", "variables": "v", "counts": "c", "purpose": "u"}
CHILDREN = "tests.attacks.checks_children"
QUICK = Limits(wall_seconds=1.0)


def check(file: Path, **options: Any) -> Report:
    return check_in_subprocess(
        file, name=options.pop("name", "t.csv"), form=FORM, extract=None, thresholds=THRESHOLDS, **options
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "object"
    file.write_text("x,n\na,30\nb,40\n")
    return file


@pytest.mark.parametrize(
    ("limits", "how"),
    [
        (Limits(wall_seconds=0.01), {"timeout"}),
        (Limits(memory_bytes=30 * 2**20), {"exit", "killed"}),
        (Limits(open_files=3), {"exit"}),
        (Limits(cpu_seconds=0), {"killed", "exit"}),
        (Limits(output_bytes=10), {"too_much"}),
    ],
)
def test_a_dead_parser_is_a_review(table: Path, limits: Limits, how: set[str]) -> None:
    report = check(table, limits=limits)
    assert report.verdict is Verdict.REVIEW
    assert [(one.rule, one.severity) for one in report.findings] == [("parser_died", Severity.REVIEW)]
    assert report.findings[0].evidence["how"] in how
    assert report.sha256 is None


@pytest.mark.parametrize("limits", [Limits(wall_seconds=0.01), Limits(memory_bytes=30 * 2**20)])
def test_a_dead_renderer_shows_nothing(table: Path, limits: Limits) -> None:
    made = render_in_subprocess(table, name="t.csv", thresholds=THRESHOLDS, limits=limits)
    assert made["view"]["kind"] == "failed"


def test_an_absent_file_is_a_review(tmp_path: Path) -> None:
    assert [one.rule for one in check(tmp_path / "none").findings] == ["parser_died"]


@pytest.mark.parametrize(
    ("trick", "how"),
    [
        ("sleep", "timeout"),
        ("spin", "timeout"),
        ("flood", "too_much"),
        ("crash", "killed"),
        ("fail", "exit"),
        ("fork", "timeout"),
    ],
)
def test_tricks_end_with_the_clock(trick: str, how: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(ChildFailed) as caught:
        run_child({"trick": trick, "folder": str(tmp_path)}, QUICK, module=CHILDREN)
    assert caught.value.how == how
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("trick", ["fork", "fork and end"])
def test_grandchildren_die_too(trick: str, tmp_path: Path) -> None:
    with contextlib.suppress(ChildFailed):
        run_child({"trick": trick, "folder": str(tmp_path)}, QUICK, module=CHILDREN)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and _running(pid):
        time.sleep(0.05)
    assert not _running(pid)


def _running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_child_inherits_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VITRINE_SECRET", "do-not-pass")
    answer = json.loads(run_child({"trick": "look", "folder": str(tmp_path)}, Limits(), module=CHILDREN))
    assert "do-not-pass" not in json.dumps(answer)
    assert set(answer["environment"]) <= {
        "PYTHONPATH", "LANG", "LC_CTYPE", "POLARS_MAX_THREADS", "PYTHONDONTWRITEBYTECODE",
    }  # fmt: skip
    assert answer["descriptors"] <= 5


def test_the_child_writes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed):
        run_child({"trick": "write", "folder": str(tmp_path)}, Limits(), module="hub.checks")
    answer = json.loads(run_child({"trick": "write", "folder": str(tmp_path)}, Limits(), module=CHILDREN))
    assert answer == {"written": False}
    assert (tmp_path / "written").stat().st_size == 0


@pytest.mark.parametrize("garbage", ["", "{}", "[]", "null", '{"verdict": "PASS"}', "\x00\xff"])
def test_garbage_is_a_review(garbage: str, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The answer of a child that the file has taken over.
    monkeypatch.setattr("hub.checks.confinement.run_child", lambda *_, **__: garbage.encode("latin-1"))
    report = check(table)
    assert (report.verdict, report.findings[0].evidence["how"]) == (Verdict.REVIEW, "garbage")
    made = render_in_subprocess(table, name="t.csv", thresholds=THRESHOLDS)
    assert made["view"] == {"kind": "failed", "reason": "garbage"}


def test_a_child_taken_over_cannot_say_pass(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = {
        "version": 1,
        "verdict": "PASS",
        "findings": [],
        "media_type": "text/csv",
        "sha256": None,
        "summary": {},
    }
    monkeypatch.setattr("hub.checks.confinement.run_child", lambda *_, **__: json.dumps(claim).encode())
    assert check(table).verdict is Verdict.REVIEW


def test_a_good_file_comes_back_whole(table: Path) -> None:
    report = check(table)
    assert (report.verdict, report.findings, report.media_type) == (Verdict.REVIEW, (), "text/csv")
    assert report.sha256 is not None
    made = render_in_subprocess(table, name="t.csv", thresholds=THRESHOLDS)
    assert made["view"]["rows"] == [["a", "30"], ["b", "40"]]
    assert made["name"] == "t.csv"


def test_descriptors_are_given_back(table: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        check(table, limits=Limits(wall_seconds=0.01))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
