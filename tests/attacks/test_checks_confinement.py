"""The process that reads hostile files: its limits hold, and whatever happens to it is a REVIEW."""

from __future__ import annotations

import contextlib
import json
import platform
import socket
import subprocess
import sys
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
    rewrite_in_subprocess,
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
        "PYTHONPATH", "LANG", "LC_CTYPE", "POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS",
        "PYTHONDONTWRITEBYTECODE",
    }  # fmt: skip
    assert answer["descriptors"] <= 5


def test_the_child_changes_no_file(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"as it was")
    answer = json.loads(run_child({"trick": "write", "folder": str(tmp_path)}, Limits(), module=CHILDREN))
    assert set(answer.values()) == {"PermissionError"}
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("kept", b"as it was")]


@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the numbers of the system calls are those of x86_64"
)
def test_the_child_reaches_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (tmp_path / "port").write_text(str(server.getsockname()[1]))
        answer = json.loads(run_child({"trick": "reach", "folder": str(tmp_path)}, Limits(), module=CHILDREN))
    assert set(answer.values()) == {"PermissionError"}
    assert "thread" in answer


def test_the_child_reads_only_its_own(tmp_path: Path) -> None:
    """On a kernel with Landlock (5.13); where a container's filter hides it the report says "all"."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "file").write_bytes(b"a")
    (tmp_path / "secret").write_bytes(b"b")
    (own / "link").symlink_to(tmp_path / "secret")
    answer = json.loads(run_child({"trick": "read", "folder": str(tmp_path)}, Limits(), module=CHILDREN))
    assert answer.pop("own") == "done"
    assert set(answer.values()) == {"PermissionError"}


def test_the_report_says_how_it_was_confined(table: Path) -> None:
    summary = check(table).summary
    assert "filter" in summary["network"]
    assert summary["files"] == "own"


@pytest.mark.parametrize(
    "limits", [Limits(wall_seconds=0.01), Limits(memory_bytes=30 * 2**20), Limits(output_bytes=10)]
)
def test_a_dead_rewriter_lets_nothing_leave(table: Path, limits: Limits) -> None:
    made = rewrite_in_subprocess(table, name="t.csv", thresholds=THRESHOLDS, limits=limits)
    assert made.parts == ()
    assert [(one.rule, one.severity) for one in made.changes] == [("parser_lost", Severity.BLOCK)]


def test_a_good_file_is_rewritten(table: Path) -> None:
    made = rewrite_in_subprocess(table, name="t.csv", thresholds=THRESHOLDS)
    assert [(part.name, part.data) for part in made.parts] == [("t.csv", table.read_bytes())]


def part(name: str, kind: str, data: object, changes: object = None) -> str:
    one = {"name": name, "kind": kind, "data": data, "changes": changes}
    return json.dumps({"version": 1, "parts": [one], "changes": []})


@pytest.mark.parametrize(
    "garbage",
    [
        "", "{}", "[]", '{"version": 1, "parts": [], "changes": []}',
        part("t.pkl", "csv", "gAQ="), part("t.pdf", "pdf", "gAQ="), part("", "csv", "gAQ="),
        part("t.csv", "csv", "?"), part("t.csv", "csv", 3), part("t.csv", "csv", "gAQ=", changes=[{}]),
    ],
)  # fmt: skip
def test_garbage_lets_nothing_leave(garbage: str, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.checks.confinement.run_child", lambda *_, **__: garbage.encode())
    made = rewrite_in_subprocess(table, name="t.csv", thresholds=THRESHOLDS)
    assert (made.parts, made.changes[0].rule) == ((), "parser_lost")


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


def test_what_reads_data_is_loaded_after_the_limits() -> None:
    code = "import sys, hub.checks.__main__; print(sorted({'polars', 'PIL', 'lxml'} & set(sys.modules)))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
