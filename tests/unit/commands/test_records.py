"""The command line: refusals are one sentence and exit code 2; nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from hub.__main__ import app
from hub.actions.ports import Office
from tests import factories
from tests.conftest import ROOT
from tests.factories import KEY

RUNNER = CliRunner()
PROJECT = {
    "slug": "wages",
    "title": "Wages",
    "kind": "open-data",
    "purpose": "To test.",
    "tier": "open",
    "people": ["ana"],
    "starts_at": "2026-01-01",
    "ends_at": "2099-12-31",
    "extract": {"source": "cps", "columns": ["wage"]},
}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "audit.key").write_text(KEY.hex())
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path))
    monkeypatch.setenv("VITRINE_POLICIES", str(ROOT / "policies"))
    for name in ("VITRINE_DATABASE_URL", "VITRINE_SECRETS", "VITRINE_LOCALE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


def projects_of(office: Office) -> list[str]:
    with office.units.read() as unit:
        return [project.slug for project in unit.projects.find()]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({**PROJECT, "colour": "blue"}, ["project.yaml:", "colour", "unknown_key"]),
        ({**PROJECT, "title": 3}, ["project.yaml:", "title", "wrong_type"]),
        ({**PROJECT, "tier": "glass"}, ["project.yaml:", "tier", "bad_value"]),
        ({k: v for k, v in PROJECT.items() if k != "people"}, ["project.yaml:", "people", "missing_key"]),
        ({**PROJECT, "ends_at": "2020-01-01"}, ["project.yaml:", "ends_at"]),
        ({**PROJECT, "starts_at": "2019-01-01", "ends_at": "2020-01-01"}, ["end_in_past"]),
        ({**PROJECT, "people": ["zoe"]}, ["zoe", "unknown_person"]),
        ({**PROJECT, "extract": {"source": "cps", "columns": ["age"]}}, ["age", "unknown_column"]),
        ({**PROJECT, "kind": "microdata-platform"}, ["needs_request"]),
        ({**PROJECT, "extract": {"source": "none", "columns": ["age"]}}, ["none", "unknown_source"]),
    ],
)
def test_project_create_refuses_in_one_sentence(
    office: Office, tmp_path: Path, document: dict[str, object], words: list[str]
) -> None:
    file = tmp_path / "project.yaml"
    file.write_text(json.dumps(document, indent=1))
    done = RUNNER.invoke(app, ["project", "create", str(file), "--as", "bob"])
    assert done.exit_code == 2, done.output
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert projects_of(office) == []


def test_a_key_given_twice_is_named_with_its_line(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "project.yaml"
    file.write_text("slug: one\ntitle: T\nslug: two\n")
    done = RUNNER.invoke(app, ["project", "create", str(file)])
    assert (done.exit_code, "project.yaml:3" in done.stderr, "slug" in done.stderr) == (2, True, True)


@pytest.mark.parametrize("who", ["ana", "chloe", "eve", "nobody"])
def test_only_an_admin_provisions(office: Office, tmp_path: Path, who: str) -> None:
    file = tmp_path / "project.yaml"
    file.write_text(json.dumps(PROJECT))
    done = RUNNER.invoke(app, ["project", "create", str(file), "--as", who])
    assert (done.exit_code, "no_permission" in done.stderr) == (2, True)
    assert projects_of(office) == []


def test_project_create_twice(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "project.yaml"
    file.write_text(json.dumps(PROJECT))
    assert RUNNER.invoke(app, ["project", "create", str(file), "--as", "bob"]).exit_code == 0
    again = RUNNER.invoke(app, ["project", "create", "-", "--as", "bob"], input=json.dumps(PROJECT))
    assert (again.exit_code, "duplicate_slug" in again.stderr) == (2, True)
    assert projects_of(office) == ["wages"]


def test_french_where_the_operator_reads_french(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    done = RUNNER.invoke(app, ["project", "end", "none"])
    assert "Ce projet n’existe pas." in done.stderr


def test_an_unknown_role_is_refused(office: Office) -> None:
    done = RUNNER.invoke(
        app, ["person", "add", "zoe", "--name", "Z", "--email", "z@example.org", "--role", "king"]
    )
    assert (done.exit_code, "unknown_role" in done.stderr) == (2, True)


def test_a_missing_secret_is_named_and_has_no_default(office: Office, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "audit.key").unlink()
    done = RUNNER.invoke(app, ["audit", "verify"])
    assert (done.exit_code, "audit.key" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("roles.yaml", ("audit.read: any", "audit.write: any"), ["roles.yaml"]),
        ("roles.yaml", ("audit.read: any", "audit.read: all"), ["roles.yaml", "audit.read"]),
        ("tiers.yaml", ("pids: 512", "pids: many"), ["tiers.yaml", "pids"]),
        ("review.yaml", ("approvals_needed: 2", "approvals_needed: 1"), ["review.yaml", "approvals_needed"]),
        ("review.yaml", ("approvals_needed: 2", "approvals: 2"), ["review.yaml", "approvals"]),
        ("submissions.yaml", ("max_files: 20", "max_files: 20\nmax_files: 30"), ["submissions.yaml"]),
    ],
)
def test_a_policy_that_is_not_one_stops_every_command(
    office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    change: tuple[str, str],
    words: list[str],
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    for path in (ROOT / "policies").glob("*.yaml"):
        content = path.read_text()
        if path.name == file:
            assert change[0] in content
            content = content.replace(*change)
        (policies / path.name).write_text(content)
    monkeypatch.setenv("VITRINE_POLICIES", str(policies))
    done = RUNNER.invoke(app, ["project", "list"])
    assert done.exit_code == 2, done.output
    assert all(word in done.stderr for word in words), done.stderr


def test_audit_verify_names_the_first_bad_entry(office: Office) -> None:
    assert RUNNER.invoke(app, ["audit", "verify"]).exit_code == 0
    engine = office.units.engine  # type: ignore[attr-defined]  # SqlUnits
    with engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
        connection.execute(text("UPDATE audit_events SET actor = 'mallory' WHERE seq = 2"))
    done = RUNNER.invoke(app, ["audit", "verify"])
    assert (done.exit_code, "entry 2 was changed" in done.stdout) == (1, True)


def test_new_pseudonyms_are_asked_about_first(office: Office) -> None:
    factories.add_project(office, ends_at=datetime(2099, 1, 1, tzinfo=UTC))
    command = ["extract", "renew-pseudonyms", "wages", "--reason", "Some leaked.", "--as", "bob"]
    assert RUNNER.invoke(app, command, input="n\n").exit_code == 1
    refused = RUNNER.invoke(app, [*command[:-1], "ana", "--yes"])
    assert (refused.exit_code, "no_permission" in refused.stderr) == (2, True)
    with office.units.read() as unit:
        assert [extract.id for extract in unit.extracts.find()] == ["wages/v1"]
    done = RUNNER.invoke(app, [*command, "--yes"])
    assert (done.exit_code, done.stdout) == (0, "wages/v2: PLANNED\n")
    with office.units.read() as unit:
        project = unit.projects.get("wages")
    assert project is not None
    assert project.key_version == 2
