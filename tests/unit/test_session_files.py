"""Session files: whole or not at all, only ever closer to the end for the desk, and not kept for ever."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.adapters.session_files import FileSessions

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def files(tmp_path: Path) -> FileSessions:
    made = FileSessions(tmp_path / "sessions", tmp_path / "run", owner=None)
    made.open("s1", {"username": "ana", "hub_env": {"JUPYTERHUB_API_TOKEN": "t"}}, LATER)
    return made


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff"])
def test_a_file_that_is_none_is_no_session(files: FileSessions, text: str) -> None:
    (files.sessions / "s1.json").write_text(text, encoding="latin-1")
    assert files.read("s1") is None
    assert files.open_sessions() == {}
    files.end("s1", "stopped")
    files.set_ends_at("s1", NOW)
    assert files.read("s1") is None


def test_an_unknown_session_is_left_alone(files: FileSessions) -> None:
    files.end("s2", "stopped")
    assert not (files.sessions / "s2.json").exists()


def test_an_ended_session_holds_no_token_and_keeps_its_first_reason(files: FileSessions) -> None:
    files.end("s1", "project_ended")
    files.end("s1", "stopped")
    content = files.read("s1")
    assert content is not None
    assert (content["state"], content["reason"], content["hub_env"]) == ("ENDED", "project_ended", {})
    files.set_ends_at("s1", LATER + timedelta(days=1))
    assert files.open_sessions() == {}


def test_the_run_directory_is_sticky_and_the_deadline_readable(files: FileSessions) -> None:
    folder = files.run / "s1"
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert (folder / "ends_at").stat().st_mode & 0o777 == 0o644
    assert (folder / "ends_at").read_text() == f"{int(LATER.timestamp())}\n"
    assert (files.sessions / "s1.json").stat().st_mode & 0o777 == 0o640


def test_nothing_but_whole_files_is_left(files: FileSessions) -> None:
    for _ in range(20):
        files.set_ends_at("s1", LATER)
    assert sorted(path.name for path in files.sessions.iterdir()) == ["s1.json"]
    assert sorted(path.name for path in (files.run / "s1").iterdir()) == ["ends_at"]


def test_only_old_ended_sessions_are_pruned(files: FileSessions) -> None:
    files.open("s2", {"hub_env": {}}, LATER)
    files.open("s3", {"hub_env": {}}, LATER)
    files.end("s2", "stopped")
    files.end("s3", "stopped")
    for name in ("s1", "s2"):
        os.utime(files.sessions / f"{name}.json", (NOW.timestamp(), NOW.timestamp()))
    assert files.prune(NOW + timedelta(days=1)) == 1
    assert sorted(path.stem for path in files.sessions.glob("*.json")) == ["s1", "s3"]
    assert not (files.run / "s2").exists()
