"""`vitrine request`: from a file to a project; what is wrong is said line by line and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.__main__ import app
from hub.actions.ports import Office
from hub.adapters.vaults import FileVault
from tests import factories, requests
from tests.conftest import ROOT
from tests.factories import KEY

RUNNER = CliRunner()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = factories.make_office(tmp_path)
    factories.fill(made)
    requests.make_catalogue(tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "audit.key").write_text(KEY.hex())
    (tmp_path / "request.yaml").write_text(requests.LASTING, encoding="utf-8")
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path))
    monkeypatch.setenv("VITRINE_POLICIES", str(ROOT / "policies"))
    for name in ("VITRINE_DATABASE_URL", "VITRINE_SECRETS", "VITRINE_LOCALE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    yield made
    made.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


def run(*arguments: str, code: int = 0) -> str:
    result = RUNNER.invoke(app, ["request", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_a_request_goes_from_its_file_to_a_project(office: Office, tmp_path: Path) -> None:
    paper = tmp_path / "licence.pdf"
    paper.write_bytes(b"%PDF-1.7")
    assert "r1\tSUBMITTED\tv1\tana" in run("submit", str(tmp_path / "request.yaml"), "--as", "ana")
    assert "r1\tSUBMITTED" in run("list")
    assert "open\tlicence" in run("show", "1")
    assert "APPROVED" in run("approve", "1", "--as", "bob")
    assert "conditions_open" in run("provision", "1", "--as", "bob", code=2)
    added = run(
        "condition", "add", "1", "licence", "--document", "CC0", "--date", "2026-01-15",
        "--file", str(paper), "--as", "bob",
    )  # fmt: skip
    assert "r1/1: licence" in added
    assert "met\tlicence" in run("show", "r1")
    assert "pay-gap: APPROVED" in run("provision", "1", "--as", "bob")
    assert "comment_missing" in run("reopen", "1", "--comment", " ", "--as", "bob", code=2)
    assert "r1\tRETURNED" in run("reopen", "1", "--comment", "Other months.", "--as", "bob")
    assert "request_not_approved" in run("reopen", "1", "--comment", "Again.", "--as", "bob", code=2)
    with office.units.read() as unit:
        (record,) = unit.conditions.find()
        assert FileVault(tmp_path / "documents").read(str(record.file_sha256)) == b"%PDF-1.7"


def test_what_is_wrong_is_said_and_mended_in_the_same_request(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "request.yaml"
    file.write_text(requests.LASTING.replace("- sex", "- shoe_size"), encoding="utf-8")
    output = run("submit", str(file), "--as", "ana", code=2)
    assert "datasets[0].columns[0]: “register” has no variable “shoe_size”" in output
    assert "request_incomplete" in output
    file.write_text(requests.LASTING, encoding="utf-8")
    assert "r1\tSUBMITTED\tv2" in run("submit", str(file), "--as", "ana", "--replaces", "1")
    difference = run("diff", "1", "1", "2")
    assert "- datasets[pay].columns[shoe_size]: shoe_size" in difference
    assert "+ datasets[pay].columns[sex]: sex" in difference


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "9"), "unknown_request"),
        (("diff", "1", "1", "7"), "unknown_version"),
        (("approve", "1", "--as", "ana"), "no_permission"),
        (("return", "1", "--comment", " ", "--as", "bob"), "comment_missing"),
        (("condition", "add", "1", "licence", "--document", "A", "--date", "January"), "bad_date"),
        (
            ("condition", "add", "1", "training", "--document", "A", "--date", "2026-01-01"),
            "unknown_condition",
        ),
        (("decide-risk", "1", "proceed", "--reason", "Yes."), "unknown_assessment"),
    ],
)
def test_a_refusal_is_one_sentence(
    office: Office, tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    run("submit", str(tmp_path / "request.yaml"), "--as", "ana")
    output = run(*arguments, code=2)
    assert output.startswith("vitrine: ")
    assert output.rstrip().endswith(f"[{code}]")
    assert len(output.strip().splitlines()) == 1
