"""`vitrine release verify`: with nothing but the record, the files and the office's key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.__main__ import app
from hub.actions import releases, reviews, submissions
from hub.adapters.signatures import Ed25519Signer
from hub.domain.records import Decision
from tests import factories
from tests.factories import NOW, actor
from tests.unit.actions.test_releases import BYTES, staged

RUNNER = CliRunner()
KEY = Ed25519Signer(factories.RELEASE_KEY).public


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with its file, and nothing else."""
    office = factories.make_office(tmp_path_factory.mktemp("office"))
    factories.fill(office)
    factories.add_project(office)
    session = factories.open_session(office).session.id
    made = submissions.submit(
        office, session_id=session, form=factories.FORM, supersedes=None, files=[staged()], now=NOW
    )
    for checker in ("chloe", "denis"):
        reviews.cast_vote(
            office,
            submission_id=made.id,
            decision=Decision.APPROVE,
            comment="",
            by=actor(checker),
            now=NOW,
            grounds=factories.grounds(office, made.id),
        )
    record = releases.read_release_record(office, submission_id=made.id, by=actor("ana"), now=NOW)
    made_at = tmp_path_factory.mktemp("elsewhere")
    (made_at / "record.json").write_text(record.content, encoding="utf-8")
    (made_at / "table.csv").write_bytes(BYTES)
    (made_at / "office.pub").write_text(KEY + "\n")
    return made_at


@pytest.fixture(autouse=True)
def _nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No platform: an empty environment, in the folder of the record."""
    monkeypatch.chdir(folder)
    for name in ("VITRINE_DATA", "VITRINE_DATABASE_URL", "VITRINE_SECRETS", "VITRINE_POLICIES"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.delenv("VITRINE_LOCALE", raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")


def verify(*arguments: str) -> tuple[int, str]:
    done = RUNNER.invoke(app, ["release", "verify", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.json"], 2, "missing.json cannot be read"),
        (["table.csv"], 2, "bad_record"),
        (["record.json", "--key", "abc"], 2, "bad_key"),
        (["record.json", "--key", "0" * 64], 1, "other_key"),
        (["record.json", "office.pub", "--key", KEY], 1, "unknown_file"),
        (["record.json", "table.csv", "--key", KEY], 0, "OK: release 1 of project wages"),
        (["record.json", "table.csv", "--key", "office.pub"], 0, "decided by chloe, denis"),
        (["record.json"], 0, f"compare {KEY} with the office's"),
    ],
)
def test_verify(arguments: list[str], code: int, words: str) -> None:
    exit_code, output = verify(*arguments)
    assert (exit_code, words in output) == (code, True), output


def test_a_changed_file_and_a_changed_record_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(BYTES.replace(b"120", b"121"))
    exit_code, output = verify("record.json", str(tmp_path / "table.csv"), "--key", KEY)
    assert exit_code == 1
    assert "“table.csv” is not what was released [changed_file]" in output
    forged = json.loads((folder / "record.json").read_text())
    forged["record"]["files"][0]["released"]["sha256"] = "0" * 64
    (tmp_path / "record.json").write_text(json.dumps(forged))
    exit_code, output = verify(str(tmp_path / "record.json"), "--key", KEY)
    assert exit_code == 1
    assert "[bad_signature]" in output


def test_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_LOCALE", "fr")
    assert "la signature n’est pas celle" in verify("record.json", "--key", "0" * 64)[1]


def test_in_french_it_answers_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert "OK : libération 1 du projet wages" in verify("record.json", "table.csv")[1]
    assert f"comparez {KEY} à celle de l’unité" in verify("record.json")[1]


def test_of_two_files_of_one_name_none_is_passed_over(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"changed")
    exit_code, output = verify("record.json", str(tmp_path / "table.csv"), "table.csv", "--key", KEY)
    assert (exit_code, "same_name" in output) == (2, True)
