"""Session files: anything unclear is a closed desk."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.gate.sessions import SessionTable, UnreadableFileError, read_session

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def content(**changes: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "version": 1,
        "session": "s1",
        "username": "ana",
        "tier": "open",
        "prefix": "/user/ana/p/",
        "ends_at": NOON.isoformat(),
        "state": "OPEN",
        "reason": None,
        "bytes_out_limit": 100,
        "hub_env": {
            "JUPYTERHUB_API_TOKEN": "t",
            "JUPYTERHUB_CLIENT_ID": "c",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=ana/p"]',
        },
    }
    return whole | changes


def hub_env(**changes: object) -> dict[str, object]:
    env = content()["hub_env"]
    assert isinstance(env, dict)
    return env | changes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps(content(version=2)),
        json.dumps(content(version="1")),
        json.dumps(content(session="s2")),
        json.dumps(content(username="")),
        json.dumps(content(username=None)),
        json.dumps(content(prefix="/user/ana/p")),
        json.dumps(content(prefix="/")),
        json.dumps(content(prefix="//")),
        json.dumps(content(prefix="/user/../x/")),
        json.dumps(content(ends_at="2026-11-23T12:00:00")),
        json.dumps(content(ends_at="soon")),
        json.dumps(content(ends_at=1795435200)),
        json.dumps(content(state="open")),
        json.dumps(content(state="RUNNING")),
        json.dumps(content(bytes_out_limit=None)),
        json.dumps(content(bytes_out_limit=-1)),
        json.dumps(content(bytes_out_limit=True)),
        json.dumps(content(bytes_out_limit=1.5)),
        json.dumps(content(hub_env=None)),
        json.dumps(content(hub_env={})),
        json.dumps(content(hub_env=hub_env(JUPYTERHUB_API_TOKEN=""))),
        json.dumps(content(hub_env=hub_env(JUPYTERHUB_API_TOKEN=1))),
        json.dumps(content(hub_env=hub_env(JUPYTERHUB_OAUTH_ACCESS_SCOPES="[]"))),
        json.dumps(content(hub_env=hub_env(JUPYTERHUB_OAUTH_ACCESS_SCOPES="{}"))),
        json.dumps(content(hub_env=hub_env(JUPYTERHUB_OAUTH_ACCESS_SCOPES='[""]'))),
        json.dumps(content(hub_env=hub_env(JUPYTERHUB_OAUTH_ACCESS_SCOPES="x"))),
    ],
)
def test_unreadable(text: str) -> None:
    with pytest.raises(UnreadableFileError):
        read_session("s1", text)


@pytest.mark.parametrize(
    ("changes", "seconds", "code"),
    [
        ({}, -1, None),
        ({}, 0, "time_over"),
        ({}, 1, "time_over"),
        ({"state": "ENDED", "reason": "project_ended", "hub_env": {}}, -1, "project_ended"),
        ({"state": "ENDED", "reason": "unheard_of", "hub_env": {}}, -1, "closed"),
        ({"state": "ENDED", "reason": None, "hub_env": {}}, -1, "closed"),
        ({"state": "ENDED", "reason": "not_yours", "hub_env": {}}, -1, "closed"),
        ({"tier": "sealed"}, -1, "tier_not_served"),
        ({"ends_at": "2026-11-23T13:00:00+01:00"}, -1, None),
        ({"ends_at": "2026-11-23T13:00:00+01:00"}, 0, "time_over"),
    ],
)
def test_closed(changes: dict[str, object], seconds: int, code: str | None) -> None:
    session = read_session("s1", json.dumps(content(**changes)))
    assert session.closed(NOON.timestamp() + seconds) == code


def write(folder: Path, sid: str, **changes: object) -> None:
    (folder / f"{sid}.json").write_text(json.dumps(content(session=sid, **changes)))


def at(table: SessionTable, *segments: str) -> str | None:
    found = table.at(segments)
    return found.sid if found else None


def test_longest_prefix_wins(tmp_path: Path) -> None:
    write(tmp_path, "s1", prefix="/user/ana/")
    write(tmp_path, "s2", prefix="/user/ana/p/")
    table = SessionTable(tmp_path)
    assert at(table, "user", "ana", "p", "lab") == "s2"
    assert at(table, "user", "ana", "lab") == "s1"
    assert at(table, "user", "anab", "lab") is None


def test_open_before_ended_then_newest(tmp_path: Path) -> None:
    write(tmp_path, "s1")
    write(tmp_path, "s2", state="ENDED", hub_env={})
    os.utime(tmp_path / "s1.json", ns=(1, 1))
    table = SessionTable(tmp_path)
    assert at(table, "user", "ana", "p", "lab") == "s1"
    write(tmp_path, "s3")
    table.refresh()
    assert at(table, "user", "ana", "p", "lab") == "s3"


def test_files_are_followed(tmp_path: Path) -> None:
    table = SessionTable(tmp_path / "sessions")
    table.refresh()
    assert table.all() == []
    (tmp_path / "sessions").mkdir()
    write(tmp_path / "sessions", "s1")
    (tmp_path / "sessions" / ".s2.json").write_text("aside")
    (tmp_path / "sessions" / "s3.json.tmp").write_text("aside")
    table.refresh()
    assert [session.sid for session in table.all()] == ["s1"]
    identity = table.all()[0].identity
    before = NOON.timestamp() - 1
    assert table.closed("s1", identity, before) is None
    assert table.closed("s1", ("bob", identity[1]), before) == "closed"
    (tmp_path / "sessions" / "s1.json").write_text("{")
    table.refresh()
    assert table.closed("s1", identity, before) == "closed"
    assert "s1" in table.unreadable
    (tmp_path / "sessions" / "s1.json").unlink()
    table.refresh()
    assert table.closed("s1", identity, before) == "closed"
    assert table.unreadable == {}


def test_secrets_are_not_in_a_repr() -> None:
    assert "JUPYTERHUB_API_TOKEN" not in repr(read_session("s1", json.dumps(content())))
