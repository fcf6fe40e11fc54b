"""`vitrine extract plan` and `run`: a request, a folder of sources, no office."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.__main__ import app
from hub.extraction import verify_extract
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY

REQUEST = """\
version: 1
slug: youth
title: Youth
purpose: To see.
use: statistical
kind: public-data
legal_bases: [law]
institutions: [{name: UCL, country: BE}]
people: [{username: ana, institution: UCL, expertise: knows}]
tier: open
starts_at: 2026-01-01
ends_at: 2026-12-31
destroy_by: 2026-12-31
populations:
  - {name: some, source: persons, unit: person, sample: {share: 0.1}}
datasets:
  - {name: people, source: persons, of: [some], units: [person], columns: [month, age]}
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registers.register_all(tmp_path_factory.mktemp("registers"))


def _run(*arguments: object, text: str = REQUEST) -> Result:
    return CliRunner().invoke(app, ["extract", *map(str, arguments)], input=text)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_text(MASTER_KEY.hex() + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("columns: [month, age]", "columns: [nr]"), "direct_identifier"),
        (("source: persons, of", "source: nothing, of"), "unknown_source"),
        (("slug: youth", "slug: Youth"), "bad_value"),
    ],
)
def test_a_bad_request_is_one_sentence(warehouse: Path, change: tuple[str, str], code: str) -> None:
    result = _run("plan", "-", "--warehouse", warehouse, text=REQUEST.replace(*change))
    assert result.exit_code == 2
    assert f"[{code}]" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [None, "not hexadecimal", "00"])
def test_without_a_master_key_nothing_is_made(warehouse: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "k").write_text(content)
    into = tmp_path / "x" / "v1"
    result = _run("run", "-", "--warehouse", warehouse, "--into", into, "--master-key-file", tmp_path / "k")
    assert result.exit_code == 2
    assert not into.exists()


def test_plan_says_what_would_come(warehouse: Path) -> None:
    plain = _run("plan", "-", "--warehouse", warehouse)
    assert plain.exit_code == 0, plain.stderr
    assert "population some: 40 of 400 units" in plain.stdout
    assert "dataset people of persons: person, 120 rows" in plain.stdout
    assert "    age: raw" in plain.stdout
    found = json.loads(_run("plan", "-", "--warehouse", warehouse, "--json").stdout)
    assert found["datasets"][0]["rows"] == 120
    assert found["light"] in ("green", "amber", "red")
    assert found["populations"] == {"some": {"drawn": 40, "of": 400}}
    quick = json.loads(_run("plan", "-", "--warehouse", warehouse, "--json", "--no-estimate").stdout)
    assert quick["plan_sha256"] == found["plan_sha256"]
    assert quick["datasets"][0]["rows"] is None


def test_run_makes_and_seals(warehouse: Path, tmp_path: Path, key: Path) -> None:
    into, maps = tmp_path / "extracts" / "v1", tmp_path / "maps" / "v1.map"
    options = ["--warehouse", warehouse, "--into", into, "--master-key-file", key, "--maps", maps]
    made = _run("run", "-", *options)
    assert made.exit_code == 0, made.stderr
    manifest = verify_extract(into)
    assert manifest.sha256 in made.stdout
    assert (manifest.rows, manifest.project) == (120, "youth")
    assert manifest.request_sha256 is not None
    assert maps.is_file()
    again = _run("run", "-", *options)
    assert "[extract_exists]" in again.stderr
